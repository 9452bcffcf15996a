"""A modality of one's own, and an encoder that the dialogue model was not trained with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk import (
    Deployment,
    Emotion,
    EmotionAwareAgent,
    EmotionRecognizer,
    Modality,
    ProfileStore,
    UserContext,
    Utterance,
)
from empathic_sdk.errors import ConfigurationError, InputError, PolicyError
from empathic_sdk.recognition.channels import Channel
from empathic_sdk.types import Embedding, EmotionState, register_modality

PULSE = register_modality("pulse")
ADA = UserContext(user="ada", consents=frozenset({PULSE}))
HERE = Deployment(context="personal")
EMOTIONS = list(Emotion)


class Pulse:
    """Says what it is given: an emotion and how probable it is."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, items: Sequence[Any]) -> list[Embedding]:
        self.calls += 1
        return [self._one(item) for item in items]

    def _one(self, item: Any) -> Embedding:
        if item == "broken":
            raise RuntimeError("no contact")
        nothing = np.zeros(0, np.float32)
        if item == "loose":
            return Embedding(modality=PULSE, vector=nothing, missing="the strap is loose")
        if item == "odd":
            return Embedding(modality=PULSE, vector=nothing, probabilities=np.ones(7, np.float32))
        emotion, p = item
        rest = np.full(7, (1 - p) / 6, np.float32)
        rest[EMOTIONS.index(emotion)] = p
        return Embedding(modality=PULSE, vector=nothing, probabilities=rest)


@pytest.fixture(scope="module")
def pulse() -> Pulse:
    return Pulse()


@pytest.fixture(scope="module")
def fusing(pulse: Pulse) -> EmotionRecognizer:
    return EmotionRecognizer(channels={"pulse": pulse}, deployment=HERE)


def said(signal: Any, text: str | None = "I am fine.") -> Utterance:
    return Utterance(text, signals={PULSE: signal})


def p(state: EmotionState) -> np.ndarray:
    return np.array(list(state.probabilities.values()))


def test_late_fusion_is_bayes_rule(
    fusing: EmotionRecognizer, recognizer: EmotionRecognizer
) -> None:
    alone = recognizer.recognize("I am fine.")
    state = fusing.recognize(said((Emotion.FEAR, 0.9)), user=ADA)
    witness = np.full(7, 0.1 / 6)
    witness[EMOTIONS.index(Emotion.FEAR)] = 0.9
    expected = p(alone) * witness
    assert p(state) == pytest.approx(expected / expected.sum(), abs=1e-5)
    assert state.probabilities[Emotion.FEAR] > alone.probabilities[Emotion.FEAR]
    assert state.apart == {Modality.TEXT: alone.label, PULSE: Emotion.FEAR}
    assert set(state.contributions) == {Modality.TEXT, PULSE}
    assert sum(state.contributions.values()) == pytest.approx(1.0)
    assert state.missing == (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
    assert EmotionState.model_validate_json(state.model_dump_json()) == state


def test_weight_prior_and_the_persons_own_weight(pulse: Pulse) -> None:
    def fear(channel: Channel, **user: Any) -> float:
        made = EmotionRecognizer(channels={PULSE: channel}, deployment=HERE)
        ada = ADA.model_copy(update=user)
        return made.recognize(said((Emotion.FEAR, 0.6)), user=ada).probabilities[Emotion.FEAR]

    whole = fear(Channel(pulse))
    half = fear(Channel(pulse, weight=0.5))
    often_afraid = tuple(0.7 if e is Emotion.FEAR else 0.05 for e in Emotion)
    assert half < whole
    assert fear(Channel(pulse, prior=often_afraid)) < whole
    assert fear(Channel(pulse), weights={PULSE: 0.5}) == pytest.approx(half, abs=1e-6)
    muted = EmotionRecognizer(channels={PULSE: pulse}, deployment=HERE)
    state = muted.recognize(
        said((Emotion.FEAR, 0.9)), user=ADA.model_copy(update={"weights": {PULSE: 0.0}})
    )
    assert state.unread == {PULSE: "this person's own weights leave it out"}
    assert state.contributions == {Modality.TEXT: 1.0}


def test_it_stands_alone(fusing: EmotionRecognizer) -> None:
    """A dialogue in which some utterances hold no text: the dialogue model skips these."""
    session = fusing.session(ADA)
    first = session.add("I lost my keys.")
    silent = session.add(said((Emotion.FEAR, 0.95), text=None))
    assert silent.label is Emotion.FEAR and silent.contributions == {PULSE: 1.0}
    assert silent.probabilities[Emotion.FEAR] == pytest.approx(0.95, abs=1e-5)
    assert silent.valence < 0 and silent.apart == {}
    assert Modality.TEXT in silent.missing and silent.shift is not None
    last = session.add("I found them!")
    together = fusing.recognize_dialogue(
        ["I lost my keys.", said((Emotion.FEAR, 0.95), text=None), "I found them!"], user=ADA
    )
    for one, other in zip((first, silent, last), together, strict=True):
        assert p(one) == pytest.approx(p(other), abs=1e-5)
    other = fusing.session(ADA)
    other.restore(session.state())
    assert other.add("Good.").probabilities == session.add("Good.").probabilities


def test_without_it_nothing_changes(
    fusing: EmotionRecognizer, recognizer: EmotionRecognizer
) -> None:
    lines = ["I lost my keys.", "I found them!"]
    for plain, other in zip(
        recognizer.recognize_dialogue(lines), fusing.recognize_dialogue(lines), strict=True
    ):
        assert plain == other.model_copy(update={"missing": plain.missing})
        assert other.missing == (*plain.missing, PULSE)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [("broken", "the encoder failed"), ("loose", "strap is loose"), ("odd", "sum to 1")],
)
def test_what_is_broken_is_left_out_with_a_reason(
    fusing: EmotionRecognizer, signal: str, reason: str
) -> None:
    state = fusing.recognize(said(signal), user=ADA)
    assert reason in state.unread[PULSE] and PULSE in state.missing
    with pytest.raises(InputError, match=reason):
        fusing.recognize(said(signal, text=None), user=ADA)


def test_it_is_read_only_where_it_may_be(pulse: Pulse, recognizer: EmotionRecognizer) -> None:
    before = pulse.calls
    here = EmotionRecognizer(channels={PULSE: pulse}, deployment=HERE)
    state = here.recognize(said((Emotion.FEAR, 0.9)))  # a stranger has consented to nothing
    assert "has not consented to pulse" in state.unread[PULSE]
    at_work = EmotionRecognizer(channels={PULSE: pulse}, deployment=Deployment(context="workplace"))
    assert (
        "may not be inferred"
        in at_work.recognize(said((Emotion.FEAR, 0.9)), user=ADA).unread[PULSE]
    )
    with pytest.raises(PolicyError, match="only text is read"):
        recognizer.recognize(said((Emotion.FEAR, 0.9), text=None), user=ADA)
    assert pulse.calls == before
    unknown = EmotionRecognizer(deployment=HERE).recognize(said((Emotion.FEAR, 0.9)), user=ADA)
    assert unknown.unread[PULSE] == "no encoder is plugged in for pulse: give one as channels="


def test_an_encoder_of_ones_own_for_speech() -> None:
    """What the dialogue model was not trained with takes part beside it, without training."""

    class Voice:
        def encode(self, items: Sequence[Any]) -> list[Embedding]:
            assert items == [b"sound"]
            row = np.array([0.05, 0.05, 0.7, *[0.05] * 4], np.float32)
            nothing = np.zeros(0, np.float32)
            return [Embedding(modality=Modality.SPEECH, vector=nothing, probabilities=row)]

    made = EmotionRecognizer(channels={"speech": Voice()}, transcriber=False, deployment=HERE)
    ada = UserContext(consents=frozenset({Modality.SPEECH}))
    alone = made.recognize(Utterance(audio=b"sound"), user=ada)
    assert alone.label is Emotion.SADNESS and alone.contributions == {Modality.SPEECH: 1.0}
    both = made.recognize(Utterance("I am fine.", audio=b"sound"), user=ada)
    assert set(both.contributions) == {Modality.TEXT, Modality.SPEECH}


def test_through_an_agent_and_its_store(fusing: EmotionRecognizer, tmp_path: Path) -> None:
    file = tmp_path / "people.db"
    with EmotionAwareAgent(recognizer=fusing, profiles=ProfileStore(file)) as agent:
        heard = said((Emotion.FEAR, 0.9))
        assert PULSE in agent.respond(heard, user="ada").emotion.unread
        agent.profiles.consent("ada", PULSE, True)
        turn = agent.respond(heard, user="ada")
        assert turn.emotion.contributions[PULSE] > 0
        assert agent.profiles.get("ada").consents == {PULSE}
        assert agent.profiles.export("ada")["consents"][0]["modality"] == "pulse"
        agent.feedback(turn.id, emotion=Emotion.FEAR, user="ada")
    code = (
        "import sys; from empathic_sdk import ProfileStore\n"
        "with ProfileStore(sys.argv[1]) as store: print(sorted(store.get('ada').consents))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr  # nobody there can read it


def test_names() -> None:
    assert register_modality("pulse") is PULSE is Modality("pulse")
    assert register_modality("face") is Modality.FACE
    assert list(Modality) == ["text", "speech", "face", "behaviour"]
    assert UserContext.model_validate_json(ADA.model_dump_json()) == ADA
    for name in ("Pulse", "", "two words", 7):
        with pytest.raises(ConfigurationError, match="needs a name"):
            register_modality(name)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sweat"):
        Modality("sweat")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sweat": Pulse()}, "register_modality('sweat')"),
        ({"text": Pulse()}, "text is read by the text encoder"),
        ({"pulse": "an encoder"}, "takes an object with encode"),
        ({"pulse": object()}, "takes an object with encode"),
    ],
)
def test_wrong_channels_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        EmotionRecognizer(channels=given)
    assert words in str(error.value)


def test_wrong_numbers_are_refused(pulse: Pulse) -> None:
    for weight in (0.0, 1.5, float("nan")):
        with pytest.raises(ConfigurationError, match="weight"):
            Channel(pulse, weight=weight)
    with pytest.raises(ConfigurationError, match="prior"):
        Channel(pulse, prior=(0.5, 0.5))
    with pytest.raises(InputError, match="speech has a field"):
        Utterance("hi", signals={Modality.SPEECH: b""})
