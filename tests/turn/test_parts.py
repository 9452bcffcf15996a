"""Parts of one's own: recogniser, store, responder, safety and scenario through protocols."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk import (
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    HookContext,
    Modality,
    ProfileStore,
    SafetyAssessment,
    SafetyLevel,
    Strategy,
    Utterance,
)
from empathic_sdk.errors import ConfigurationError, InputError, PolicyError
from empathic_sdk.options import LLMOptions
from empathic_sdk.policy import Override
from empathic_sdk.safety.assessment import RiskAssessor
from empathic_sdk.turn.scenarios import FixedScenario
from empathic_sdk.turn.stateless import StatelessTurns
from empathic_sdk.types.protocols import (
    DayStore,
    Encoder,
    Recognizer,
    Responder,
    SafetyAssessor,
    Scenario,
    Store,
)
from empathic_sdk.types.reply import Reply, ReplyContext
from tests.turn.fakes import Calm, CountingRecognizer, Notebook, Parrot

CRISIS = "I want to kill myself."


def test_what_ships_fits_the_protocols(recognizer: EmotionRecognizer) -> None:
    with ProfileStore() as store:
        assert isinstance(store, Store) and isinstance(store, DayStore)
    assert isinstance(recognizer, Recognizer)
    assert isinstance(RiskAssessor(None), SafetyAssessor)
    assert isinstance(FixedScenario(name="x"), Scenario)
    assert isinstance(Notebook(), Store) and not isinstance(Notebook(), DayStore)
    assert not isinstance(Notebook(), Recognizer | Responder | SafetyAssessor | Scenario | Encoder)


# -- recogniser and store -------------------------------------------------------------------


def test_a_recognizer_and_a_store_of_ones_own() -> None:
    store = Notebook()
    with EmotionAwareAgent(recognizer=CountingRecognizer(), store=store) as agent:
        turns = [agent.respond("hello", user="ada", conversation="c") for _ in range(3)]
        agent.feedback(turns[0].id, user="ada", rating=1)
        asked = agent.respond("please be blunt", user="ada", conversation="c")
        assert agent.accept(asked.id, user="ada") == asked.proposals
        assert agent.transfers(user="ada", conversation="c") is None
        assert len(store.forgetters) == 2
        with pytest.raises(ConfigurationError, match="keeps no days"):
            agent.watch("ada")
        assert "AI" in agent.notice()
        with pytest.raises(PolicyError, match="no deployment context"):
            agent.respond(Utterance(audio=(np.zeros(1600, np.float32), 16000)), user="ada")
    assert [t.emotion.label.value for t in turns] == ["joy", "sadness", "anger"]
    assert store.notes == [(turns[0].id, None, 1), ("tone", "blunt")]
    assert store.forgetters == []  # closed
    with EmotionAwareAgent(recognizer=CountingRecognizer(), store=store) as later:
        turn = later.respond("hello", user="ada", conversation="c")
    assert turn.emotion.label.value == "fear"  # the fifth that was read: its session went on


def test_a_failed_turn_leaves_a_session_of_ones_own_as_it_was() -> None:
    class Full(Notebook):
        full = False

        def record(self, *given: Any, **more: Any) -> None:
            if self.full:
                raise OSError("no room")
            super().record(*given, **more)

    store = Full()
    with EmotionAwareAgent(recognizer=CountingRecognizer(), store=store) as agent:
        agent.respond("hello", user="ada", conversation="c")
        store.full = True
        with pytest.raises(OSError, match="no room"):
            agent.respond("hello", user="ada", conversation="c")
        store.full = False
        turn = agent.respond("hello", user="ada", conversation="c")
    assert turn.emotion.label.value == "sadness" and len(store.rows) == 2


def test_an_override_must_go_on_record() -> None:
    override = Override(purpose="safety", reason="a trial of the alarm", by="the board")

    class Deployed(CountingRecognizer):
        deployment = Deployment(context="workplace", override=override)

    with pytest.raises(ConfigurationError, match="put on record"):
        EmotionAwareAgent(recognizer=Deployed(), store=Notebook())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recognizer": Notebook()}, "recognizer= must be an EmotionRecognizer, or an object with"),
        ({"recognizer": CountingRecognizer}, "recognizer= must be"),
        ({"store": Parrot("x")}, "store= must be an object with get, record"),
        ({"store": Notebook(), "profiles": "x.db"}, "profiles= or store=, not both"),
        ({"responder": Notebook()}, r"responder= must be an object with reply\(context\)"),
        ({"safety": Parrot("x")}, r"safety= must be an object with assess\(context\)"),
        ({"scenario": Parrot("x")}, "scenario must be one of"),
        ({"scenario": "sales"}, "scenario must be one of"),
        ({"profiles": "postgresql://here/x"}, "'postgresql', which is not available yet; there"),
        ({"profiles": "sqlite://people.db"}, "write sqlite:///people.db"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        EmotionAwareAgent(**({"recognizer": CountingRecognizer()} | given))


def test_a_model_and_a_responder_are_one_too_many() -> None:
    class Model:
        name = "m"

        def stream(self, messages: Any) -> Any:
            yield "hello"

    with pytest.raises(ConfigurationError, match="llm= or responder="):
        EmotionAwareAgent(Model(), recognizer=CountingRecognizer(), responder=Parrot("x"))


def test_a_store_by_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in (
        "sqlite:///my%20people.db",
        f"sqlite:///{tmp_path}/absolute.db",
        "sqlite:///:memory:",
    ):
        with EmotionAwareAgent(recognizer=CountingRecognizer(), profiles=url) as agent:
            agent.respond("hello", user="ada")
    assert {p.name for p in tmp_path.glob("*.db")} == {"my people.db", "absolute.db"}
    with ProfileStore(tmp_path / "my people.db") as store:
        assert store.users() == ["ada"]


# -- safety ---------------------------------------------------------------------------------


def test_an_assessor_of_ones_own_decides() -> None:
    calm = Calm()
    with EmotionAwareAgent(recognizer=CountingRecognizer(), safety=calm) as agent:
        quiet = agent.respond(CRISIS, user="ada", conversation="c")
        again = agent.respond("ok", user="ada", conversation="c")
    assert quiet.safety.level is again.safety.level is SafetyLevel.NONE
    assert (quiet.fallbacks, again.fallbacks) == ((), ())
    first, second = calm.seen
    assert first.text == CRISIS and first.before == ()
    assert [remark.own for remark in second.before] == [True, False]
    assert second.before[0].text == CRISIS

    worried = Calm(SafetyAssessment(level=SafetyLevel.HIGH, reasons=("mine", "her own words!")))
    with EmotionAwareAgent(recognizer=CountingRecognizer(), safety=worried) as agent:
        turn = agent.respond("hello", user="ada")
    assert turn.safety.level is SafetyLevel.HIGH and turn.safety.help_lines
    assert turn.safety.reasons == ("mine", "unnamed")  # nothing but names is kept


@pytest.mark.parametrize(
    ("found", "error"), [(RuntimeError("down"), "RuntimeError"), ("high", "HookError")]
)
def test_where_an_assessor_fails_the_one_that_ships_decides(
    recognizer: EmotionRecognizer, caplog: pytest.LogCaptureFixture, found: Any, error: str
) -> None:
    with EmotionAwareAgent(recognizer=recognizer, safety=Calm(found)) as agent:
        turn = agent.respond(CRISIS, user="ada")
    assert turn.safety.level is SafetyLevel.HIGH
    assert turn.fallbacks == (f"safety:{error}",)
    assert "the safety assessor failed" in caplog.text and CRISIS not in caplog.text


def test_an_assessor_gets_a_copy_and_may_be_a_coroutine() -> None:
    class Meddles:
        async def assess(self, context: Any) -> SafetyAssessment:
            context.state.probabilities.clear()
            object.__setattr__(context, "text", "something else")
            return SafetyAssessment()

    parrot = Parrot("I see.")
    with EmotionAwareAgent(
        recognizer=CountingRecognizer(), safety=Meddles(), responder=parrot
    ) as agent:
        turn = agent.respond("hello", user="ada")
    assert len(turn.emotion.probabilities) == 7 and turn.fallbacks == ()
    assert parrot.seen[0].text == "hello"


# -- responder ------------------------------------------------------------------------------


def test_a_responder_of_ones_own_answers_quiet_turns_only() -> None:
    parrot = Parrot("Tell me more.", "I am here.")
    with EmotionAwareAgent(recognizer=CountingRecognizer(), responder=parrot) as agent:
        turn = agent.respond("It rained.", user="ada", conversation="c")
        assert (turn.reply, turn.responder, turn.fallbacks) == (
            "Tell me more. I am here.",
            "parrot",
            (),
        )
        crisis = agent.respond(CRISIS, user="ada", conversation="c")
        assert crisis.responder == "embedded" and crisis.safety.help_lines
        assert len(parrot.seen) == 1
        events = [event.kind for event in agent.stream("It rained.", user="bob")]
        assert events == ["state", "sentence", "sentence", "turn"]
        assert asyncio.run(agent.arespond("It rained.", user="eve")).responder == "parrot"


def test_a_responder_chooses_its_strategy_and_its_pacing_is_kept() -> None:
    class Chooses(Parrot):
        def reply(self, context: ReplyContext, /) -> Reply:
            return Reply(
                sentences=("One.", "Two.", "Three.", "Four.", "Five."),
                strategy=Strategy.INFORMATION,
            )

    with EmotionAwareAgent(recognizer=CountingRecognizer(), responder=Chooses()) as agent:
        turn = agent.respond("It rained.", user="ada")
    assert turn.strategy is Strategy.INFORMATION
    assert turn.reply.count(".") == turn.style.pacing.max_sentences < 5


@pytest.mark.parametrize(
    ("sentences", "reply", "fallback"),
    [
        (("You should take 40 pills.", "I see."), None, "responder:unsafe:"),
        (("I love you.", "I see."), "I see.", "responder:unsafe:"),
    ],
)
def test_what_a_responder_says_is_checked(
    sentences: tuple[str, ...], reply: str | None, fallback: str
) -> None:
    with EmotionAwareAgent(recognizer=CountingRecognizer(), responder=Parrot(*sentences)) as agent:
        turn = agent.respond("It rained.", user="ada")
    assert turn.fallbacks and turn.fallbacks[0].startswith(fallback)
    assert sentences[0] not in turn.reply
    assert turn.responder == ("embedded" if reply is None else "parrot")
    assert reply is None or turn.reply == reply


def test_a_responder_that_fails_or_hangs_is_answered_for() -> None:
    class Fails(Parrot):
        def reply(self, context: ReplyContext, /) -> Any:
            raise KeyError(context.text)

    class Strings(Parrot):
        def reply(self, context: ReplyContext, /) -> Any:
            return "hello"

    class Hangs(Parrot):
        async def reply(self, context: ReplyContext, /) -> Any:
            await asyncio.sleep(3600)

    for responder, error in (
        (Fails(), "KeyError"),
        (Strings(), "HookError"),
        (Hangs(), "TimeoutError"),
    ):
        start = time.monotonic()
        with EmotionAwareAgent(
            recognizer=CountingRecognizer(), responder=responder,
            llm_options=LLMOptions(timeout_s=0.2),
        ) as agent:  # fmt: skip
            turn = agent.respond("It rained.", user="ada")
        assert (turn.responder, turn.fallbacks) == ("embedded", (f"responder:{error}",))
        assert turn.reply and time.monotonic() - start < 10


# -- scenario -------------------------------------------------------------------------------


def test_a_scenario_of_ones_own() -> None:
    seen: list[HookContext] = []

    def tone(context: HookContext) -> Any:
        seen.append(context)
        return None

    host = Parrot("Which table?")
    scenario = FixedScenario(
        name="restaurant", modalities=frozenset({Modality.TEXT, Modality.FACE}), responder=host,
        surrenders=lambda text: text == "I give up on life, the soup is cold",
    )  # fmt: skip
    calm = Calm()
    with EmotionAwareAgent(
        recognizer=CountingRecognizer(), scenario=scenario, safety=calm, tone=tone
    ) as agent:
        said = Utterance("hello", audio=(np.zeros(1600, np.float32), 16000))
        turn = agent.respond(said, user="ada")
        agent.respond("I give up on life, the soup is cold", user="ada")
        with pytest.raises(PolicyError, match="restaurant reads face and text only"):
            agent.respond(Utterance(audio=(np.zeros(1600, np.float32), 16000)), user="ada")
    assert (turn.reply, turn.responder) == ("Which table?", "parrot")
    assert [context.scenario for context in seen] == ["restaurant"] * 2
    assert [context.gives_up for context in calm.seen] == [False, True]


def test_the_stateless_turns_take_the_same_parts() -> None:
    calm, parrot = Calm(), Parrot("I see.")
    turns = StatelessTurns(CountingRecognizer(), safety=calm, responder=parrot)
    one = turns.take([("user", "hello"), ("agent", "I see."), ("user", CRISIS)])
    assert one is not None and one.turn.reply == "I see." and one.turn.responder == "parrot"
    assert one.turn.emotion.label.value == "sadness"
    two = turns.take([("agent", "Why?"), ("user", "so")], state=one.state)
    assert two is not None and two.turn.emotion.label.value == "anger"
    assert [r.text for r in calm.seen[-1].before][-1] == "Why?"
    assert turns.take([("agent", "hello")]) is None
    with pytest.raises(ConfigurationError, match="planner must be one of"):
        StatelessTurns(CountingRecognizer(), planner="stars")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="tone= must be a callable"):
        StatelessTurns(CountingRecognizer(), tone="gentle")  # type: ignore[arg-type]


def test_the_first_releases_names_of_the_stateless_turns() -> None:
    with pytest.warns(DeprecationWarning, match="Listening is now StatelessTurns"):
        from empathic_sdk.turn.stateless import Listening
    listening = Listening(CountingRecognizer(), safety=Calm())
    heard = listening.hear([("user", "hello")])
    assert heard is not None and listening.guide(heard)
    with pytest.warns(DeprecationWarning, match=r"StatelessTurn\.kept is now state"):
        again = listening.hear([("user", "hello")], kept=heard.kept)
    with pytest.warns(DeprecationWarning, match="is now help_line"):
        assert again.line == ""
    with pytest.warns(DeprecationWarning, match=r"now context\.reply"):
        assert again.reply.sentences


def test_names_of_users_and_conversations_are_checked() -> None:
    with (
        EmotionAwareAgent(recognizer=CountingRecognizer()) as agent,
        pytest.raises(InputError, match="conversation"),
    ):
        agent.respond("hello", conversation=" ")
