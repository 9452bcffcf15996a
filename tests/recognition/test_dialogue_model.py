"""A dialogue model of one's own in place of the network that ships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from empathic_sdk import Deployment, Emotion, EmotionRecognizer, Modality, UserContext, Utterance
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.dialogue_model import (
    DialogueModel,
    DialogueState,
    Step,
    register_dialogue_model,
    registered_dialogue_models,
)
from empathic_sdk.types import Embedding, EmotionState

SEEN = UserContext(consents=frozenset({Modality.FACE}))


class Smoothed:
    """Logits of a fixed random head, averaged over what the speaker showed before."""

    def __init__(self, name: str = "smoothed", width: int = 384, **about: Any) -> None:
        self.name, self.widths = name, {"text": width, "face": 4}
        dice = np.random.default_rng(0)
        self.heads = {m: dice.normal(size=(7, w)) for m, w in self.widths.items()}
        for key, value in about.items():
            setattr(self, key, value)

    def start(self) -> SmoothedState:
        return SmoothedState(self)


class SmoothedState:
    def __init__(self, model: Smoothed) -> None:
        self.model = model
        self.past: dict[str, list[float]] = {}

    def step(
        self,
        speaker: str,
        features: Mapping[str, NDArray[np.float32]],
        weights: Mapping[str, float],
    ) -> Step:
        now = sum(weights.get(m, 1.0) * (self.model.heads[m] @ x) for m, x in features.items())
        before = self.past.get(speaker)
        logits = np.asarray(now) if before is None else (now + np.asarray(before)) / 2
        self.past[speaker] = logits.tolist()
        return Step(logits, None if before is None else 0.25)

    def dump(self) -> Any:
        return dict(self.past)

    def load(self, dumped: Any) -> None:
        self.past = {str(who): [float(x) for x in row] for who, row in dumped.items()}


class Face:
    width = 4

    def encode(self, items: Any) -> list[Embedding]:
        return [Embedding(modality=Modality.FACE, vector=np.ones(4, np.float32)) for _ in items]


@pytest.fixture(scope="module")
def plugged() -> EmotionRecognizer:
    return EmotionRecognizer(
        dialogue=Smoothed(), face=Face(), deployment=Deployment(context="personal")
    )


def test_it_fits_the_protocol() -> None:
    assert isinstance(Smoothed(), DialogueModel)
    assert isinstance(Smoothed().start(), DialogueState)


def test_states_come_from_it(plugged: EmotionRecognizer, recognizer: EmotionRecognizer) -> None:
    lines = ["I lost my keys.", "I found them!"]
    vectors = plugged.text.encode(lines)
    head = plugged.dialogue.heads["text"]
    now = head @ vectors[1]
    expected = np.exp((now + head @ vectors[0]) / 2)
    first, second = plugged.recognize_dialogue(lines)
    assert list(second.probabilities.values()) == pytest.approx(expected / expected.sum(), abs=1e-4)
    assert (first.shift, second.shift) == (None, 0.25)
    assert second.contributions == {Modality.TEXT: 1.0} and second.apart == {}
    assert plugged.dialogue_about == {"name": "smoothed"}
    assert plugged.session().transfers() is None
    assert second.valence == pytest.approx(recognizer.recognize(lines[1]).valence, abs=1e-5)


def test_contributions_of_several_modalities(plugged: EmotionRecognizer) -> None:
    session = plugged.session(SEEN)
    session.add("I lost my keys.")
    state = session.add(Utterance("I found them!", frames=(b"face",)))
    assert set(state.contributions) == {Modality.TEXT, Modality.FACE} == set(state.apart)
    assert sum(state.contributions.values()) == pytest.approx(1.0)
    alone = plugged.session(SEEN)
    alone.add("I lost my keys.")
    text = alone.add("I found them!")
    assert state.apart[Modality.TEXT] == text.label
    doubted = SEEN.model_copy(update={"weights": {Modality.FACE: 0.1}})
    other = plugged.session(doubted)
    other.add("I lost my keys.")
    less = other.add(Utterance("I found them!", frames=(b"face",)))

    def away(one: EmotionState) -> float:
        return sum(abs(one.probabilities[e] - text.probabilities[e]) for e in Emotion)

    assert away(less) < away(state)


def test_a_session_goes_on_elsewhere(plugged: EmotionRecognizer) -> None:
    session = plugged.session()
    session.add("I lost my keys.")
    kept = session.state()
    other = plugged.session()
    other.restore(kept)
    assert other.add("I found them!") == session.add("I found them!")
    with pytest.raises(InputError, match="belongs to the dialogue model 'smoothed', not to 'two'"):
        EmotionRecognizer(dialogue=Smoothed("two")).session().restore(kept)
    with pytest.raises(InputError, match="not the state of a dialogue of 'smoothed'"):
        broken = kept.replace(b'"state": {', b'"state": {"x": "y", ')
        plugged.session().restore(broken)
    with pytest.raises(InputError, match="belongs to the dialogue model None"):
        plugged.session().restore(EmotionRecognizer().session().state())


def test_its_calibration_counts(plugged: EmotionRecognizer) -> None:
    cooled = Smoothed(calibration=Calibration(temperature=100.0, threshold=0.9))
    made = EmotionRecognizer(dialogue=cooled)
    state = made.recognize("I lost my keys.")
    assert state.uncertain and state.confidence < 0.2
    assert not plugged.recognize("I lost my keys.").uncertain
    assert made.calibration.present == plugged.calibration.present != Calibration().present


def test_by_name() -> None:
    register_dialogue_model("smoothed", Smoothed)
    assert "smoothed" in registered_dialogue_models()
    made = EmotionRecognizer(dialogue="smoothed")
    assert made.recognize("hello").label in Emotion
    with pytest.raises(ConfigurationError, match="needs a name"):
        register_dialogue_model("", Smoothed)
    with pytest.raises(ModelError, match="there are no weights"):
        EmotionRecognizer(dialogue="unregistered")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="text vectors of 384"):
        EmotionRecognizer(dialogue=Smoothed(width=5))
    with pytest.raises(ConfigurationError, match="dialogue must be"):
        EmotionRecognizer(dialogue=object())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="wants face vectors of 4"):
        wide = Face()
        wide.width = 9
        EmotionRecognizer(dialogue=Smoothed(), face=wide)
    broken = Smoothed()
    broken.heads["text"] = broken.heads["text"][:3]
    with pytest.raises(ModelError, match="7 finite logits"):
        EmotionRecognizer(dialogue=broken).recognize("hello")
