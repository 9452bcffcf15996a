from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from empathic_sdk import (
    BehaviourEvent,
    Deployment,
    Emotion,
    EmotionRecognizer,
    Modality,
    Utterance,
)
from empathic_sdk.errors import EmptyUtteranceError, InputError, PolicyError

TALK = [
    "Hi, how are you?",
    Utterance("I lost my job today.", speaker="ada"),
    Utterance("Oh no, that is awful.", speaker="bob"),
    Utterance("I am really scared about the rent.", speaker="ada"),
    Utterance("But my sister called, that was so lovely!", speaker="ada"),
]


def close(one: object, other: object) -> bool:
    return one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I'm so happy, we won!", "joy"),
        ("My grandmother died and I can't stop crying.", "sadness"),
        ("He lied to me again, I am furious!", "anger"),
        ("I'm terrified of the operation tomorrow.", "fear"),
        ("That is disgusting, there was mould on the bread.", "disgust"),
        ("The meeting is at three in room 12.", "neutral"),
        ("Wait, what?! I had no idea!", "surprise"),
    ],
)
def test_plain_cases(recognizer: EmotionRecognizer, text: str, label: str) -> None:
    assert recognizer.recognize(text).label == label


def test_a_state_is_whole(recognizer: EmotionRecognizer) -> None:
    state = recognizer.recognize("I failed the exam again.")
    assert list(state.probabilities) == list(Emotion)
    assert sum(state.probabilities.values()) == pytest.approx(1.0)
    assert state.confidence == max(state.probabilities.values())
    assert state.contributions == {Modality.TEXT: 1.0}
    assert state.missing == (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
    assert state.valence < 0
    assert type(state).model_validate_json(state.model_dump_json()) == state


def test_streaming_equals_batch_and_the_future_changes_nothing(
    recognizer: EmotionRecognizer,
) -> None:
    whole = recognizer.recognize_dialogue(TALK)
    session = recognizer.session()
    for i, said in enumerate(TALK):
        state = session.add(said)
        assert close(list(state.probabilities.values()), list(whole[i].probabilities.values()))
        assert (state.label, state.trend) == (whole[i].label, whole[i].trend)
        assert close(state.shift, whole[i].shift)
        for k in (i, i + 1):
            before = recognizer.recognize_dialogue(TALK[:k])
            assert [s.label for s in before] == [s.label for s in whole[:k]]
    assert whole[0].shift is None and whole[1].shift is None and whole[2].shift is None
    assert whole[3].shift is not None


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        ("I got the job!", "They took it back.", True),
        ("I failed the exam again.", "My sister came over and we laughed!", True),
        ("I am furious with him.", "I love this so much.", True),
        ("What a day.", "What a day.", False),
        ("ok", "ok then", False),
    ],
)
def test_a_plain_change_is_called_one(
    recognizer: EmotionRecognizer, before: str, now: str, changed: bool
) -> None:
    shift = recognizer.recognize_dialogue([before, now])[1].shift
    assert shift is not None
    assert (shift >= recognizer.calibration.shift_threshold) is changed


def test_a_session_travels(recognizer: EmotionRecognizer) -> None:
    first = recognizer.session()
    for said in TALK[:3]:
        first.add(said)
    second = recognizer.session()
    second.restore(first.state())
    assert b"job" not in first.state() and b"ada" not in first.state()
    for said in TALK[3:]:
        one, other = first.add(said), second.add(said)
        assert close(one.model_dump(mode="json")["probabilities"],
                     other.model_dump(mode="json")["probabilities"])  # fmt: skip
        assert close(one.shift, other.shift) and one.trend == other.trend


@pytest.mark.parametrize(
    "broken", [b"", b"nonsense", b"[1]", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_broken_state_is_refused(recognizer: EmotionRecognizer, broken: bytes) -> None:
    session = recognizer.session()
    session.add("hello")
    before = session.state()
    with pytest.raises(InputError):
        session.restore(broken)
    assert session.state() == before


def test_a_newer_state_is_refused(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(InputError, match="has version 99"):
        recognizer.session().restore(b'{"version": 99, "speakers": {}}')


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t", "\x00\x01", "\u200b\ufeff", "\u202e"])
def test_nothing_is_an_error(recognizer: EmotionRecognizer, nothing: str) -> None:
    with pytest.raises(EmptyUtteranceError, match="this utterance is empty"):
        recognizer.recognize(nothing)


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["a"], object()])
def test_what_is_no_utterance_is_an_error(recognizer: EmotionRecognizer, wrong: object) -> None:
    with pytest.raises(InputError, match="must be a str or an Utterance, not"):
        recognizer.recognize(wrong)  # type: ignore[arg-type]


def test_a_hundred_thousand_characters(recognizer: EmotionRecognizer) -> None:
    start = time.perf_counter()
    state = recognizer.recognize("I am so sad and lonely. " * 4167)
    assert state.label == "sadness"
    assert time.perf_counter() - start < 20


def test_what_stands_at_both_ends_of_a_long_text_counts(recognizer: EmotionRecognizer) -> None:
    filler = "The table is brown. " * 3000
    furious = "I hate them all, I am furious! " * 150
    plain = recognizer.recognize(filler).probabilities[Emotion.ANGER]
    assert recognizer.recognize(filler + furious).probabilities[Emotion.ANGER] > plain
    assert recognizer.recognize(furious + filler).probabilities[Emotion.ANGER] > plain


@pytest.mark.parametrize("text", ["مرحبا كيف حالك", "今日はとても悲しいです", "Мне очень грустно"])
def test_scripts_it_cannot_read_come_out_uncertain(
    recognizer: EmotionRecognizer, text: str
) -> None:
    state = recognizer.recognize(text)
    assert state.uncertain
    assert state.confidence == pytest.approx(1 / 7)


def test_emoji_are_read(recognizer: EmotionRecognizer) -> None:
    assert recognizer.recognize("😭😭 💔").valence < 0 < recognizer.recognize("🎉😍").valence


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=300))
def test_any_text_gives_a_state_or_a_clear_error(recognizer: EmotionRecognizer, text: str) -> None:
    try:
        state = recognizer.recognize(text)
    except EmptyUtteranceError:
        return
    assert sum(state.probabilities.values()) == pytest.approx(1.0, abs=1e-6)
    assert np.isfinite([state.valence, state.arousal, state.intensity]).all()


def test_other_modalities_are_refused_with_their_reason(recognizer: EmotionRecognizer) -> None:
    sound = Utterance(audio=(np.zeros(16000, np.float32), 16000))
    with pytest.raises(PolicyError, match="speech is biometric and no deployment context"):
        recognizer.recognize(sound)
    event = BehaviourEvent(kind="click", at=0.5)
    at_school = EmotionRecognizer(
        text=recognizer.text,
        deployment=Deployment(context="education"),  # type: ignore[arg-type]
    )
    with pytest.raises(PolicyError, match="may not be inferred from behaviour in the education"):
        at_school.recognize(Utterance(events=(event,)))
    with_text = recognizer.recognize(Utterance("hello", events=(event,)))
    assert Modality.BEHAVIOUR in with_text.missing
