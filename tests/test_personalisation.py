"""Feedback changes how this person's next turns are read, and nobody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Modality, UserContext, Utterance
from empathic_sdk.errors import InputError, UnknownTurnError
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.tracker import StateTracker

SAID = "Well, that was just wonderful."


def correct(agent: EmotionAwareAgent, user: str, times: int, felt: str = "anger") -> None:
    for i in range(times):
        turn = agent.respond(f"{SAID} {i}", user=user, conversation="lesson")
        agent.feedback(turn.id, user=user, emotion=felt)


def test_one_correction_moves_the_next_state_and_many_turn_it(agent: EmotionAwareAgent) -> None:
    def read(user: str, talk: str) -> dict[str, float]:
        found = agent.respond(SAID, user=user, conversation=talk).emotion
        assert sum(found.probabilities.values()) == pytest.approx(1.0, abs=1e-9)
        return dict(found.probabilities)

    stranger = read("bob", "1")
    assert stranger["joy"] > 0.5
    correct(agent, "ada", 1)
    assert read("ada", "2")["anger"] > stranger["anger"]
    correct(agent, "ada", 30)
    assert max(taught := read("ada", "3"), key=lambda e: taught[e]) == "anger"
    assert read("bob", "4") == stranger
    last = agent.respond(SAID, user="ada", conversation="5").emotion
    assert last.general == pytest.approx(stranger, abs=1e-9)


def test_a_talk_that_is_going_on_learns_too_and_forgets_on_reset(agent: EmotionAwareAgent) -> None:
    correct(agent, "ada", 30)
    live = agent.respond(SAID, user="ada", conversation="lesson").emotion
    assert live.general is not None and live.probabilities["anger"] > live.general["anger"]
    agent.profiles.reset_learning("ada")
    after = agent.respond(SAID, user="ada", conversation="new").emotion
    fresh = agent.respond(SAID, user="bob", conversation="new").emotion
    assert after.general is None
    assert after.model_dump() == fresh.model_dump()


def test_it_survives_a_restart(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as one:
        correct(one, "ada", 12)
        before = one.respond(SAID, user="ada", conversation="x").emotion
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as two:
        after = two.respond(SAID, user="ada", conversation="y").emotion
    assert after.probabilities == before.probabilities


def test_without_feedback_every_bit_is_the_general_models(recognizer: EmotionRecognizer) -> None:
    said = ["I am so happy!", "No, leave me alone.", SAID]
    stranger = recognizer.session().extend(said)
    person = UserContext(user="ada", turns=40, emotions={"joy": 40})
    assert [s.model_dump() for s in recognizer.session(person).extend(said)] == [
        s.model_dump() for s in stranger
    ]
    assert all(s.general is None and s.apart == {} for s in stranger)


def test_the_agents_own_words_are_not_read_with_the_persons_bias(
    recognizer: EmotionRecognizer,
) -> None:
    person = UserContext(user="ada", bias=(0, 0, 0, 2.0, 0, 0, 0))
    reply = Utterance(SAID, speaker="agent")
    mine = recognizer.session(person).extend([reply, SAID])
    plain = recognizer.session().extend([reply, SAID])
    assert mine[0] == plain[0]
    assert mine[1].general == plain[1].probabilities
    assert mine[1].valence < plain[1].valence  # anger is less pleasant than what it replaced


def test_feedback_while_turns_of_the_same_person_go_on(agent: EmotionAwareAgent) -> None:
    turn = agent.respond(SAID, user="ada", conversation="c")

    def work(i: int) -> None:
        if i % 2:
            agent.feedback(turn.id, user="ada", emotion="anger")
        else:
            agent.respond(f"{SAID} {i}", user="ada", conversation="c")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))
    assert agent.profiles.get("ada").turns == 7
    assert agent.profiles.export("ada")["learning"]["learned"]["corrections"] == 1


def test_a_bias_has_seven_numbers() -> None:
    with pytest.raises(InputError, match="bias must hold 7 numbers"):
        UserContext(bias=(1.0,))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-20, 20), min_size=7, max_size=7),
    st.lists(st.floats(-2, 2), min_size=7, max_size=7),
    st.floats(-0.2, 0.2),
)
def test_probabilities_always_sum_to_one(
    logits: list[float], bias: list[float], caution: float
) -> None:
    tracker = StateTracker(Calibration(threshold=0.4))
    state = tracker.add("ada", np.array(logits), np.zeros(2), (), bias=bias, caution=caution)
    assert sum(state.probabilities.values()) == pytest.approx(1.0, abs=1e-9)
    assert state.uncertain == (state.confidence < min(1.0, max(0.0, 0.4 + caution)))
    assert (state.general is None) == (not any(bias))
    assert Modality.TEXT in state.contributions


def test_a_wish_is_proposed_and_kept_only_when_agreed_to(agent: EmotionAwareAgent) -> None:
    said = "I had a bad day. Please be blunt. Call me Sam."
    turn = agent.respond(said, user="ada")
    assert {(p.name, p.value) for p in turn.proposals} == {("tone", "blunt"), ("name", "Sam")}
    assert agent.profiles.get("ada").preferences == {}
    assert "Sam" not in str(agent.profiles.export("ada"))
    with pytest.raises(UnknownTurnError):
        agent.accept(turn.id, user="bob")
    assert agent.accept(turn.id, user="ada") == turn.proposals
    person = agent.profiles.get("ada")
    assert person.preferences == {"tone": "blunt"} and person.attributes == {"name": "Sam"}
    assert agent.respond("It went on like that.", user="ada").style.tone.name == "direct"
    with pytest.raises(UnknownTurnError, match="still open"):
        agent.accept(turn.id, user="ada")


def test_a_declined_or_erased_proposal_is_gone(agent: EmotionAwareAgent) -> None:
    one = agent.respond("Please be gentle.", user="ada")
    agent.decline(one.id, user="ada")
    assert agent.profiles.get("ada").preferences == {}
    two = agent.respond("Please be gentle.", user="ada")
    agent.profiles.erase("ada")
    with pytest.raises(UnknownTurnError):
        agent.accept(two.id, user="ada")
    assert agent.profiles.users() == []


def test_nothing_is_proposed_on_a_turn_of_danger(agent: EmotionAwareAgent) -> None:
    turn = agent.respond("I want to kill myself. Please be blunt.", user="ada")
    assert turn.safety.level != "none" and turn.proposals == ()
