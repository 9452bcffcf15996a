"""How conversations and turns are stored, and that the first release's form is still read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, SafetyLevel
from empathic_sdk.errors import InputError
from empathic_sdk.safety.decision import RiskContext
from empathic_sdk.turn.codec import ConversationRecord, decode, encode
from empathic_sdk.turn.stateless import StatelessTurn, StatelessTurns
from empathic_sdk.types import Emotion
from empathic_sdk.types.reply import ResponderMemory
from tests.conftest import ROOT
from tests.replying import make_state
from tests.turn.fakes import CountingRecognizer, Notebook

OLD = ROOT / "tests" / "data" / "first_release"


@pytest.fixture(scope="module")
def alone() -> EmotionRecognizer:
    """What wrote the files: a recogniser that reads each utterance by itself."""
    return EmotionRecognizer(dialogue=False)


def record(**more: Any) -> ConversationRecord:
    given = {
        "history": (make_state(Emotion.JOY), make_state(Emotion.FEAR)),
        "memory": ResponderMemory(topic="school", turns=2),
        "turns": 2,
        "risk": RiskContext(level=SafetyLevel.HIGH, asked=True),
    }
    return ConversationRecord(**(given | more))


@pytest.mark.parametrize("session", [b'{"version": 2, "x": [0.1, null]}', b"", b"\xff\x00", b"[]"])
def test_what_is_encoded_is_decoded(session: bytes) -> None:
    found, kept = decode(encode(record(), session))
    assert found == record()
    assert kept == session or json.loads(kept) == json.loads(session)
    assert json.loads(encode(record(), session))["version"] == 2


def test_of_earlier_states_only_what_is_looked_at_is_kept() -> None:
    state = make_state().model_copy(update={"unread": {"face": "/home/ada/me.png"}})
    stored = encode(record(history=(state,)), b"{}")
    assert b"me.png" not in stored
    assert decode(stored)[0].history[0].unread == {}


def test_a_conversation_of_the_first_release_is_read(alone: EmotionRecognizer) -> None:
    stored = (OLD / "conversation.json").read_bytes()
    found, session = decode(stored)
    assert (found.turns, found.risk.level) == (2, SafetyLevel.HIGH)
    assert found.history[0].label is Emotion.JOY
    assert found.memory.level is SafetyLevel.HIGH
    alone.session().restore(session)
    before_risk_model = json.loads(stored)
    del before_risk_model["risk"]
    found, _ = decode(json.dumps(before_risk_model).encode())
    assert found.risk == RiskContext(level=SafetyLevel.HIGH)


def test_an_agent_goes_on_with_a_conversation_of_the_first_release(
    alone: EmotionRecognizer,
) -> None:
    store = Notebook()
    store.sessions["ada", "c"] = (OLD / "conversation.json").read_bytes()
    with EmotionAwareAgent(recognizer=alone, store=store) as agent:
        turn = agent.respond("yes", user="ada", conversation="c")
    assert "confirmed" in turn.safety.reasons  # the question was asked before
    assert json.loads(store.sessions["ada", "c"])["turns"] == 3


def test_a_turn_of_the_first_release_is_read(alone: EmotionRecognizer) -> None:
    turn = StatelessTurn.load(json.loads((OLD / "turn.json").read_text(encoding="utf-8")))
    assert turn.crisis and turn.turn.safety.help_lines
    assert turn.turn.reply == turn.context.reply.text
    after = StatelessTurns(alone).take(
        [("agent", turn.turn.reply), ("user", "yes")], state=turn.state
    )
    assert after is not None and "confirmed" in after.turn.safety.reasons


def test_a_dumped_turn_comes_back_without_words(recognizer: EmotionRecognizer) -> None:
    turn = StatelessTurns(recognizer).take([("user", "The xylophone broke, I am so sad.")])
    assert turn is not None
    dumped = json.loads(json.dumps(turn.dump()))
    without = dumped["context"] | {"reply": None}  # which may quote the person
    assert "xylophone" not in json.dumps(without) + dumped["state"]
    back = StatelessTurn.load(dumped)
    assert back.turn == turn.turn and back.state == turn.state
    assert back.context.style == turn.context.style


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b'{"version": 3}', b'{"version": "2"}',
        b'{"version": 2, "session": {}}',
        encode(record(), b"{}").replace(b'"turns": 2', b'"turns": -2'),
        encode(record(), b"{}").replace(b'"risk":', b'"wrisk":'),
        encode(record(), b"\xff").replace(b'"/w=="', b'"?"'),
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_other_bytes_are_an_input_error(wrong: bytes) -> None:
    with pytest.raises(InputError, match="stored state of this conversation"):
        decode(wrong)


@pytest.mark.parametrize(
    "wrong", [{}, {"version": 2}, {"version": 9}, {"context": {}, "reply": {}}]
)
def test_other_turns_are_an_input_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"not what StatelessTurn\.dump gave"):
        StatelessTurn.load(wrong)


def test_a_stored_conversation_that_cannot_be_read_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Notebook()
    store.sessions["ada", "c"] = b'{"version": 99}'
    with EmotionAwareAgent(recognizer=CountingRecognizer(), store=store) as agent:
        agent.respond("hello", user="ada", conversation="c")
    assert "was unreadable" in caplog.text
    assert json.loads(store.sessions["ada", "c"])["turns"] == 1


def of_other_weights(state: bytes) -> bytes:
    found = json.loads(state)
    found["session"]["memory"]["weights"] = "of an earlier release"
    return json.dumps(found).encode()


def test_a_crisis_goes_on_where_the_weights_have_changed(
    recognizer: EmotionRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    store = Notebook()
    with EmotionAwareAgent(recognizer=recognizer, store=store) as agent:
        before = agent.respond("I want to kill myself.", user="ada", conversation="c")
    assert before.safety.level == "high"
    store.sessions["ada", "c"] = of_other_weights(store.sessions["ada", "c"])
    with EmotionAwareAgent(recognizer=recognizer, store=store) as agent:
        turn = agent.respond("Yes.", user="ada", conversation="c")
    assert turn.safety.level == "high" and turn.safety.help_lines
    assert turn.emotion.shift is None  # the dialogue model begins anew
    assert "everything else goes on" in caplog.text
    assert json.loads(store.sessions["ada", "c"])["turns"] == 2


def test_a_crisis_in_another_framework_goes_on_where_the_weights_have_changed(
    recognizer: EmotionRecognizer,
) -> None:
    turns = StatelessTurns(recognizer)
    before = turns.take([("user", "I want to kill myself.")])
    assert before is not None
    turn = turns.take([("user", "Yes.")], state=of_other_weights(before.state))
    assert turn is not None and turn.turn.safety.level == "high"


def test_files_are_small() -> None:
    assert {path.name for path in OLD.iterdir()} == {"conversation.json", "turn.json"}
    assert all(Path(path).stat().st_size < 20_000 for path in OLD.iterdir())
