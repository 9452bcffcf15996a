"""The support planner inside the agent: what reaches it, and what happens without it."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Strategy
from empathic_sdk.dialogue import planner
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.options import ReplyOptions
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.types.reply import Reply, ReplyContext


class Curious:
    """A planner that notes what it was given and always wants to restate."""

    width = 384

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def distribution(self, x: np.ndarray) -> np.ndarray:
        self.seen.append(x[0])
        p = np.zeros((1, 8), np.float32)
        p[0, list(Strategy).index(Strategy.RESTATEMENT)] = 1.0
        return p


def test_the_vectors_of_the_turn_reach_the_planner(recognizer: EmotionRecognizer) -> None:
    texts = ["My boss shouted at me and I feel awful.", "I cried in the car afterwards."]
    curious: Any = Curious()
    answers = EmbeddedResponder(planner=curious)
    with EmotionAwareAgent(recognizer=recognizer, responder=answers) as agent:
        turns = [agent.respond(text, user="ada", conversation="c") for text in texts]
    assert turns[0].strategy == Strategy.RESTATEMENT
    first, second = curious.seen
    # Beside another text in one batch, a vector may differ in its last bits.
    assert first[:384] == pytest.approx(recognizer.text.encode(texts[:1])[0], abs=1e-4)
    assert not first[384:768].any()  # no reply yet
    assert second[:384] == pytest.approx(recognizer.text.encode(texts[1:])[0], abs=1e-4)
    reply = recognizer.text.encode([turns[0].reply])[0]
    assert second[384:768] == pytest.approx(reply, abs=1e-4)


def test_the_rules_are_given_no_vectors(
    recognizer: EmotionRecognizer,
) -> None:
    seen: list[ReplyContext] = []

    class Watched(EmbeddedResponder):
        def reply(self, context: ReplyContext) -> Reply:
            seen.append(context)
            return super().reply(context)

    with EmotionAwareAgent(recognizer=recognizer, responder=Watched()) as agent:
        agent.respond("My boss shouted at me.")
    assert seen[0].text_vector == ()


def test_no_vector_is_stored(recognizer: EmotionRecognizer) -> None:
    session = recognizer.session()
    assert session.text_vectors is None
    empty = len(session.state())
    session.add("My boss shouted at me.")
    assert session.text_vectors is not None
    assert session.text_vectors.shape == (1, 384)
    fresh = recognizer.session()
    fresh.restore(session.state())
    assert fresh.text_vectors is None
    assert empty < len(session.state())


def test_missing_weights_leave_it_to_the_rules(
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Any,
) -> None:
    monkeypatch.setattr(planner, "weights_dir", lambda: tmp_path)
    planner.warned.clear()
    with caplog.at_level(logging.WARNING):
        said = []
        for kind in ("rules", "learned", "learned"):
            with EmotionAwareAgent(
                recognizer=recognizer, replies=ReplyOptions(planner=kind)
            ) as agent:  # type: ignore[arg-type]
                turn = agent.respond("I failed the exam again.", user="ada", conversation="c")
                said.append((turn.reply, turn.strategy))
    assert said[0] == said[1] == said[2]
    assert [r.message for r in caplog.records if "planner" in r.message] == [
        caplog.records[0].message
    ]
    planner.warned.clear()


def test_an_unknown_planner_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="planner: Input should be 'rules' or 'learned'"):
        ReplyOptions(planner="astrologer")  # type: ignore[arg-type]
