"""Speech, faces and behaviour beside the text: consent, what breaks, streaming, weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from empathic_sdk import (
    BehaviourEvent,
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    Modality,
    TextEncoder,
    UserContext,
    Utterance,
)
from empathic_sdk.errors import ConfigurationError, InputError, ModelError, PolicyError
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Embedding, FeatureSequence

SOUND = (np.zeros(1600, np.float32), 16000)
AFFECT = ((0.0, 0.0), (0.8, 0.4), (-0.6, -0.4), (-0.5, 0.6), (0.1, 0.7), (-0.7, 0.6), (-0.6, 0.2))
EVERYTHING = UserContext(consents=frozenset(Modality))


class Fake:
    """An encoder that says what it is told to."""

    def __init__(self, modality: Modality, width: int, says: Any = None) -> None:
        self.modality, self.width, self.says, self.calls = modality, width, says, 0

    def encode(self, items: Sequence[Any]) -> list[Embedding]:
        self.calls += 1
        if isinstance(self.says, Exception):
            raise self.says
        if isinstance(self.says, str):
            nothing = np.zeros(self.width, np.float32)
            return [Embedding(modality=self.modality, vector=nothing, missing=self.says)]
        rng = np.random.default_rng(self.calls if self.says is None else self.says)
        return [
            Embedding(modality=self.modality, vector=rng.normal(size=self.width).astype("float32"))
            for _ in items
        ]


class Words:
    def __init__(self, says: str | Exception) -> None:
        self.says, self.calls = says, 0

    def __call__(self, audio: object) -> Any:
        self.calls += 1
        if isinstance(self.says, Exception):
            raise self.says
        return type("T", (), {"text": self.says})()


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    made = MDGET(
        MDGETConfig(
            inputs={"text": 384, "speech": 6, "face": 4, "behaviour": 3}, classes=7, width=16,
            heads=4, window=4, speakers=3, weights={"behaviour": 0.3},
        )
    )  # fmt: skip
    with torch.no_grad():
        for p in made.parameters():
            p.mul_(3.0) if p.ndim > 1 else p
    path = tmp_path_factory.mktemp("senses") / "dialogue.safetensors"
    checkpoints.save(
        path, made.state_dict(),
        {"name": "tiny", "configuration": made.config.as_dict(),
         "calibration": Calibration(temperature=1.2, affect=AFFECT).model_dump()},
    )  # fmt: skip
    return path


Make = Callable[..., EmotionRecognizer]


@pytest.fixture
def make(encoder: TextEncoder, weights: Path) -> Make:
    def made(context: str | None = "personal", **given: Any) -> EmotionRecognizer:
        senses = {
            "speech": Fake(Modality.SPEECH, 6, 1), "face": Fake(Modality.FACE, 4, 2),
            "behaviour": Fake(Modality.BEHAVIOUR, 3, 3), "transcriber": False,
            "dialogue": weights,
        }  # fmt: skip
        return EmotionRecognizer(
            text=encoder,
            deployment=Deployment(context=context) if context else None, **{**senses, **given},
        )  # fmt: skip

    return made


def everything(text: str | None = "I am fine.") -> Utterance:
    return Utterance(
        text, audio=SOUND, frames=(np.zeros((8, 8, 3), np.uint8),),
        events=(BehaviourEvent(kind="click", at=0.0),),
    )  # fmt: skip


def test_all_of_it_is_one_state(make: Make) -> None:
    state = make().recognize(everything(), user=EVERYTHING)
    assert state.missing == () and state.unread == {}
    assert set(state.contributions) == set(Modality)
    assert sum(state.contributions.values()) == pytest.approx(1.0)
    alone = make().recognize("I am fine.")
    assert alone.missing == (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
    assert alone.probabilities != pytest.approx(state.probabilities, abs=1e-3)


@pytest.mark.parametrize("context", [None, "education", "workplace"])
def test_where_it_is_forbidden_consent_changes_nothing(make: Make, context: str | None) -> None:
    recognizer = make(context)
    state = recognizer.recognize(everything(), user=EVERYTHING)
    assert state.missing == (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
    assert set(state.unread) == set(state.missing)
    assert state.probabilities == recognizer.recognize("I am fine.").probabilities
    assert recognizer.modality_encoders._made[Modality.SPEECH].calls == 0  # not even looked at
    with pytest.raises(PolicyError):
        recognizer.recognize(everything(None), user=EVERYTHING)


def test_consent_is_asked_a_modality(make: Make) -> None:
    user = UserContext(consents=frozenset({Modality.FACE}))
    state = make().recognize(everything(), user=user)
    assert state.missing == (Modality.SPEECH, Modality.BEHAVIOUR)
    assert "consented" in state.unread[Modality.SPEECH]
    assert set(state.contributions) == {Modality.TEXT, Modality.FACE}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("no voice in 2.1 s of audio", "no voice"),
        (InputError("this is no sound file"), "no sound file"),
        (RuntimeError("kernel"), "RuntimeError"),
    ],
)
def test_a_broken_modality_takes_no_other_down(
    make: Make, broken: object, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer = make(speech=Fake(Modality.SPEECH, 6, broken))
    state = recognizer.recognize(everything(), user=EVERYTHING)
    assert state.missing == (Modality.SPEECH,)
    assert reason in state.unread[Modality.SPEECH]
    assert set(state.contributions) == {Modality.TEXT, Modality.FACE, Modality.BEHAVIOUR}
    with pytest.raises(InputError, match=reason):
        recognizer.recognize(Utterance(audio=SOUND), user=EVERYTHING)


def test_an_utterance_that_cannot_be_read_leaves_the_session_as_it_was(make: Make) -> None:
    session = make(face=Fake(Modality.FACE, 4, "no face in 3 frames")).session(EVERYTHING)
    session.add("Good morning.")
    before = session.state()
    with pytest.raises(InputError, match="no face in 3 frames"):
        session.add(Utterance(frames=(np.zeros((8, 8, 3), np.uint8),)))
    assert session.state() == before


def test_a_missing_extra_or_file_is_a_reason_said_once(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from empathic_sdk.errors import MissingExtraError
    from empathic_sdk.recognition import modalities as senses

    def missing(limits: object) -> senses.Encoder:
        raise MissingExtraError("speech", "reading speech")

    monkeypatch.setitem(senses._MAKERS, Modality.SPEECH, missing)  # type: ignore[arg-type]
    recognizer = make(speech=None)
    with caplog.at_level(logging.WARNING, "empathic_sdk"):
        for _ in range(3):
            state = recognizer.recognize(everything(), user=EVERYTHING)
            assert 'pip install "empathic-sdk[speech]"' in state.unread[Modality.SPEECH]
    assert len(caplog.records) == 1


def test_words_are_heard_only_where_they_may_be(make: Make) -> None:
    words = Words("I lost my job.")
    recognizer = make(transcriber=words)
    state = recognizer.recognize(Utterance(audio=SOUND), user=EVERYTHING)
    assert Modality.TEXT not in state.missing and words.calls == 1
    recognizer.recognize(everything("typed"), user=EVERYTHING)  # it has its words
    assert words.calls == 1
    with pytest.raises(PolicyError):
        recognizer.recognize(Utterance(audio=SOUND))
    assert words.calls == 1


def test_without_weights_the_voice_is_still_used(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    words = Words(ModelError("there are no Whisper weights"))
    recognizer = make(transcriber=words)
    with caplog.at_level(logging.WARNING, "empathic_sdk"):
        for _ in range(2):
            state = recognizer.recognize(Utterance(audio=SOUND), user=EVERYTHING)
    assert state.missing == (Modality.TEXT, Modality.FACE, Modality.BEHAVIOUR)
    assert words.calls == 1 and len(caplog.records) == 1


def test_valence_without_words_is_that_of_the_emotions(make: Make) -> None:
    state = make().recognize(Utterance(audio=SOUND), user=EVERYTHING)
    expected = np.array(list(state.probabilities.values())) @ np.array(AFFECT)
    assert (state.valence, state.arousal) == pytest.approx(tuple(expected), abs=1e-6)


def test_a_voice_moves_the_valence_that_the_text_gives(make: Make) -> None:
    recognizer = make()
    heads = recognizer.read(["I am fine."])
    both = recognizer.recognize(everything(), user=EVERYTHING)
    by_text = torch.softmax(
        torch.from_numpy(heads.emotion[0]) / recognizer.text_temperature, -1
    ).numpy()
    now = np.array(list(both.probabilities.values()))
    expected = heads.affect[0] + (now - by_text) @ np.array(AFFECT)
    assert (both.valence, both.arousal) == pytest.approx(tuple(np.clip(expected, -1, 1)), abs=1e-5)


def mixed(n: int) -> list[Utterance]:
    kinds = [
        Utterance("I am glad.", speaker="a"),
        Utterance("No!", audio=SOUND, speaker="b"),
        Utterance(audio=SOUND, speaker="a"),
        Utterance("Look.", frames=(np.zeros((8, 8, 3), np.uint8),), speaker="b"),
    ]
    return [kinds[i % 4] for i in range(n)]


@pytest.mark.parametrize("pieces", [[1] * 10, [3, 7], [9, 1]])
def test_any_split_and_a_journey_give_the_states_of_one_pass(make: Make, pieces: list[int]) -> None:
    said = mixed(10)
    whole = make().recognize_dialogue(said, user=EVERYTHING)
    session, at, got = make().session(EVERYTHING), 0, []
    for size in pieces:
        got += session.extend(said[at : at + size])
        at += size
        travelled = json.dumps(json.loads(session.state())).encode()
        session = make().session(EVERYTHING)
        session.restore(travelled)
    for one, other in zip(got, whole, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
        assert one.contributions == pytest.approx(other.contributions, abs=1e-4)
        assert one.shift == pytest.approx(other.shift, abs=1e-5)
    for k in range(1, 10):
        ahead = make().recognize_dialogue(said[:k], user=EVERYTHING)
        assert ahead[-1].probabilities == pytest.approx(whole[k - 1].probabilities, abs=1e-5)


def test_a_talk_without_a_voice_does_not_carry_its_empty_caches(make: Make) -> None:
    typed, heard = make().session(EVERYTHING), make().session(EVERYTHING)
    typed.extend(["yes", "no", "well", "good", "fine", "so"])
    heard.extend([Utterance(t, audio=SOUND) for t in ("yes", "no", "well", "good", "fine", "so")])
    assert len(typed.state()) < 0.95 * len(heard.state())


def test_weights(make: Make) -> None:
    recognizer = make()
    said = Utterance("I am fine.", audio=SOUND)

    def state(**weights: float) -> Any:
        user = UserContext(consents=frozenset(Modality), weights=weights)
        return recognizer.recognize(said, user=user)

    plain = state()
    assert state(text=2.0, speech=2.0).probabilities == pytest.approx(plain.probabilities, abs=1e-5)
    assert state(speech=0.1).probabilities != pytest.approx(plain.probabilities, abs=1e-3)
    without = state(speech=0.0)
    assert without.missing == (Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR)
    assert without.probabilities == pytest.approx(
        recognizer.recognize("I am fine.").probabilities, abs=1e-6
    )
    lone = recognizer.recognize("I am fine.", user=UserContext(weights={Modality.TEXT: 0.2}))
    assert lone.probabilities == pytest.approx(without.probabilities, abs=1e-6)


def test_a_text_nobody_can_read_says_nothing_beside_a_voice(make: Make) -> None:
    state = make().recognize(Utterance("我今天很难过", audio=SOUND), user=EVERYTHING)
    assert Modality.TEXT in state.missing and "script" in state.unread[Modality.TEXT]


def test_encoders_that_do_not_fit_are_refused(make: Make) -> None:
    with pytest.raises(ModelError, match="speech vectors of 6"):
        make(speech=Fake(Modality.SPEECH, 7))
    with pytest.raises(ConfigurationError, match="face="):
        make(face="resnet")


def test_an_agent_asks_the_store_and_a_withdrawal_holds_at_once(make: Make, tmp_path: Path) -> None:
    words = Words("I miss her so much.")
    recognizer = make(transcriber=words)
    with EmotionAwareAgent(recognizer=recognizer, profiles=tmp_path / "p.db") as agent:
        refused = agent.respond(everything("hello"), user="ada", conversation="one")
        assert set(refused.emotion.missing) == set(Modality) - {Modality.TEXT}
        agent.profiles.consent("ada", Modality.SPEECH, True)
        turn = agent.respond(Utterance(audio=SOUND), user="ada", conversation="one")
        assert turn.reply and set(turn.emotion.contributions) == {Modality.TEXT, Modality.SPEECH}
        agent.profiles.consent("ada", Modality.SPEECH, False)
        with pytest.raises(PolicyError, match="consented"):
            agent.respond(Utterance(audio=SOUND), user="ada", conversation="one")
        assert len(agent.profiles.turns("ada")) == 2
        assert words.calls == 1
    stored = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"has not consented" not in stored  # reasons are not kept


def test_one_clock(make: Make) -> None:
    class Timed(Fake):
        def features(self, signal: Any) -> FeatureSequence:
            times = np.array([e.at for e in signal]) if self.width == 3 else np.array([0.2, 1.4])
            return FeatureSequence(
                modality=self.modality, values=np.ones((len(times), self.width), np.float32),
                times=times, mask=np.ones(len(times), bool),
            )  # fmt: skip

    recognizer = make(speech=Timed(Modality.SPEECH, 6), behaviour=Timed(Modality.BEHAVIOUR, 3))
    events = tuple(BehaviourEvent(kind="click", at=at) for at in (60.5, 62.1))
    said = Utterance("well", audio=SOUND, events=events, at=60.0)
    windows = recognizer.timeline(said, user=EVERYTHING)
    masks = {m: mask.tolist() for m, mask in windows.masks.items()}
    assert masks == {
        Modality.TEXT: [True, False, False],
        Modality.SPEECH: [True, True, False],
        Modality.BEHAVIOUR: [True, False, True],
    }
    with pytest.raises(PolicyError):
        recognizer.timeline(Utterance(audio=SOUND))


def test_one_channel_alone_is_sure_of_little(make: Make, weights: Path, tmp_path: Path) -> None:
    tensors, about = checkpoints.load(weights)
    calibration = Calibration(threshold=0.99, fused_temperature=0.9, fused_threshold=0.0)
    path = tmp_path / "dialogue.safetensors"
    checkpoints.save(path, tensors, {**about, "calibration": calibration.model_dump()})
    recognizer = make(dialogue=path)
    assert not recognizer.recognize(everything(), user=EVERYTHING).uncertain
    assert recognizer.recognize(Utterance(audio=SOUND), user=EVERYTHING).uncertain
    clicks = Utterance(events=(BehaviourEvent(kind="click", at=0.0),))
    assert make().recognize(clicks, user=EVERYTHING).uncertain


def test_events_before_their_utterance_are_refused(make: Make) -> None:
    class Timed(Fake):
        def features(self, signal: Any) -> FeatureSequence:
            times = np.array([e.at for e in signal])
            return FeatureSequence(
                modality=self.modality, values=np.ones((len(times), 3), np.float32), times=times,
                mask=np.ones(len(times), bool),
            )  # fmt: skip

    recognizer = make(behaviour=Timed(Modality.BEHAVIOUR, 3))
    early = Utterance("a", events=(BehaviourEvent(kind="click", at=50.0),), at=100.0)
    with pytest.raises(InputError, match="before its utterance"):
        recognizer.timeline(early, user=EVERYTHING)
    assert recognizer.timeline("hi").masks[Modality.TEXT].tolist() == [True]


def test_media_stay_out_of_what_is_printed_and_one_picture_needs_no_tuple() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    said = Utterance("a", audio=b"x" * 5000, frames=picture)
    assert len(said.frames) == 1 and said.frames[0] is picture
    assert "xxx" not in repr(said) and len(repr(said)) < 200
