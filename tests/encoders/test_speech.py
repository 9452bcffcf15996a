from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.speech import SpeechEncoder, _recorded_at
from empathic_sdk.encoders.voice_activity import Segment, VoiceDetector
from empathic_sdk.errors import InputError, ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.types import Emotion, Modality
from tests.encoders.sounds import NOISES, vowels
from tests.encoders.speech_checkpoint import write


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SpeechEncoder:
    return SpeechEncoder(write(tmp_path_factory.mktemp("speech") / "speech.safetensors"))


def test_an_embedding(encoder: SpeechEncoder) -> None:
    (heard,) = encoder.encode([(vowels(1.5), RATE)])
    assert heard.modality is Modality.SPEECH
    assert heard.present
    assert heard.vector.shape == (encoder.width,) == (16,)
    assert heard.probabilities is not None
    assert heard.probabilities.shape == (7,)
    assert heard.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert encoder.embedded
    assert encoder.path is not None
    assert encoder.encode([]) == []


def test_calm_is_neutral_and_the_order_is_that_of_emotion(encoder: SpeechEncoder) -> None:
    sound = (vowels(1.5), RATE)
    (seven,), (own,) = encoder.encode([sound]), encoder.class_probabilities([sound])
    assert seven.probabilities is not None
    assert own is not None
    named = dict(zip(encoder.classes, own, strict=True))
    named["neutral"] += named.pop("calm")
    np.testing.assert_allclose(seven.probabilities, [named[e] for e in Emotion], atol=1e-6)


def test_silence_and_noise_are_missing(encoder: SpeechEncoder) -> None:
    for name in ("silence", "white noise", "chord"):
        (heard,) = encoder.encode([(NOISES[name], RATE)])
        assert heard.missing == "no voice in 3.0 s of audio"
        assert heard.probabilities is None
        assert (heard.vector == 0).all()
    assert encoder.class_probabilities([(NOISES["silence"], RATE)]) == [None]
    assert len(encoder.features((NOISES["silence"], RATE)).values) == 0


def test_loudness_plays_no_part(encoder: SpeechEncoder) -> None:
    sound = vowels(1.5)
    loud, soft = encoder.encode([(sound, RATE), (0.02 * sound, RATE)])
    np.testing.assert_allclose(soft.vector, loud.vector, atol=2e-3)
    assert loud.probabilities is not None
    assert soft.probabilities is not None
    np.testing.assert_allclose(soft.probabilities, loud.probabilities, atol=2e-3)


def test_silence_around_the_voice_plays_no_part(encoder: SpeechEncoder) -> None:
    quiet = np.zeros(32 * 512, np.float32)  # whole chunks, so that the voice is cut alike
    sound = np.concatenate([quiet, vowels(1.5), quiet])
    longer = np.concatenate([quiet, sound, quiet])
    one, other = encoder.encode([(sound, RATE), (longer, RATE)])
    np.testing.assert_allclose(one.vector, other.vector, atol=5e-2)


def test_frames_know_when_they_were_spoken(encoder: SpeechEncoder) -> None:
    sound = np.concatenate([np.zeros(RATE, np.float32), vowels(1.5)])
    sequence = encoder.features((sound, RATE))
    assert sequence.modality is Modality.SPEECH
    assert sequence.values.shape[1] == encoder.width
    assert sequence.mask.all()
    assert (np.diff(sequence.times) > 0).all()
    assert 0.8 < sequence.times[0] < 1.3
    assert sequence.times[-1] < 2.5
    assert np.diff(sequence.times).max() == pytest.approx(0.04, abs=1e-6)


def test_times_jump_over_pauses() -> None:
    stretches = [Segment(RATE, 2 * RATE), Segment(5 * RATE, 6 * RATE)]
    times = _recorded_at(np.array([0.0, 0.5, 1.0, 1.5]), stretches)
    assert times.tolist() == [1.0, 1.5, 5.0, 5.5]


def everything(samples: np.ndarray) -> list[Segment]:
    """In place of the detector, which tires of these vowels after a few seconds."""
    return [Segment(0, len(samples))]


def test_long_speech_is_read_in_windows(
    encoder: SpeechEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VoiceDetector, "__call__", lambda _, samples: everything(samples))
    sound = np.concatenate([vowels(4.0, seed=s) for s in range(4)])
    (heard,) = encoder.encode([(sound, RATE)])
    assert heard.present
    assert np.isfinite(heard.vector).all()
    times = encoder.features((sound, RATE)).times
    assert (np.diff(times) > 0).all()
    assert times[-1] > 15.5
    assert len(times) == pytest.approx(16 / 0.04, abs=12)


def test_together_and_alone_agree(encoder: SpeechEncoder) -> None:
    sounds = [(vowels(s, hz=h), RATE) for s, h in ((1.0, 110.0), (2.3, 160.0), (0.8, 210.0))]
    together = encoder.encode(sounds)
    for sound, expected in zip(sounds, together, strict=True):
        (alone,) = encoder.encode([sound])
        np.testing.assert_allclose(alone.vector, expected.vector, atol=1e-5)


def test_many_threads_get_what_is_theirs(encoder: SpeechEncoder) -> None:
    sounds = {i: (vowels(1.0, hz=100.0 + 15 * i), RATE) for i in range(6)}
    expected = {i: encoder.encode([s])[0].vector for i, s in sounds.items()}
    got: dict[int, np.ndarray] = {}

    def ask(i: int) -> None:
        got[i] = encoder.encode([sounds[i]])[0].vector

    threads = [threading.Thread(target=ask, args=(i,)) for i in sounds]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, vector in expected.items():
        np.testing.assert_allclose(got[i], vector, atol=1e-5)


def test_one_bad_recording_is_named(encoder: SpeechEncoder) -> None:
    with pytest.raises(InputError, match="NaN"):
        encoder.encode([(vowels(1.0), RATE), (np.array([np.nan], np.float32), RATE)])
    assert encoder.encode([(vowels(1.0), RATE)])[0].present  # and the encoder lives on


def test_the_lstm_form(tmp_path: Path) -> None:
    encoder = SpeechEncoder(write(tmp_path / "lstm.safetensors", kind="lstm", share=1.0))
    assert encoder.width == 128
    (heard,) = encoder.encode([(vowels(1.0), RATE)])
    assert heard.vector.shape == (128,)
    assert heard.probabilities is not None


def test_broken_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there are no weights"):
        SpeechEncoder(tmp_path / "no.safetensors")
    path = write(tmp_path / "speech.safetensors")
    tensors, about = checkpoints.load(path)
    checkpoints.save(path, tensors, {**about, "kind": "lstm"})
    with pytest.raises(ModelError, match="no speech network that fits"):
        SpeechEncoder(path)
    checkpoints.save(path, tensors, {**about, "classes": {"ravdess": ["neutral", "smug"]}})
    with pytest.raises(ModelError, match="no speech network that fits"):
        SpeechEncoder(path)
    with pytest.raises(ModelError, match="no speech network that fits"):
        SpeechEncoder(weights_dir() / "guard.safetensors")


def test_what_ships_reads_a_voice() -> None:
    path = shipped("speech")
    assert path.stat().st_size <= 4_000_000
    encoder = SpeechEncoder()
    assert (encoder.name, encoder.embedded, encoder.path) == ("ped-speech", True, path)
    (heard,) = encoder.encode([(vowels(2.0), RATE)])
    assert heard.probabilities is not None
    assert heard.probabilities.sum() == pytest.approx(1.0, abs=1e-5)


def wav2vec2(folder: Path, *, norm: str, mask: bool) -> str:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        conv_dim=(8, 8), conv_stride=(5, 64), conv_kernel=(10, 64), num_feat_extract_layers=2,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, feat_extract_norm=norm,
    )  # fmt: skip
    Wav2Vec2Model(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=mask, do_normalize=True).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(("norm", "mask"), [("layer", True), ("group", False)])
def test_a_wav2vec2_can_be_plugged_in(tmp_path: Path, norm: str, mask: bool) -> None:
    encoder = SpeechEncoder(wav2vec2(tmp_path / "w2v", norm=norm, mask=mask))
    assert (encoder.width, encoder.embedded, encoder.path) == (16, False, None)
    assert encoder.classes == ()
    sound = vowels(1.5)
    (heard,) = encoder.encode([(sound, RATE)])
    assert heard.vector.shape == (16,)
    assert heard.probabilities is None
    assert encoder.encode([(NOISES["silence"], RATE)])[0].missing
    with pytest.raises(ModelError, match="has no classes"):
        encoder.class_probabilities([(sound, RATE)])
    # The reference: the model itself on the voiced samples, averaged over its frames.
    from transformers import AutoFeatureExtractor, AutoModel

    from empathic_sdk.encoders.voice_activity import voiced

    voice = voiced(sound, VoiceDetector()(sound))
    inputs = AutoFeatureExtractor.from_pretrained(tmp_path / "w2v")(
        voice, sampling_rate=RATE, return_tensors="pt"
    )
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(tmp_path / "w2v").eval()(**inputs).last_hidden_state
    np.testing.assert_allclose(heard.vector, hidden[0].mean(0).numpy(), atol=1e-4)
    assert len(encoder.features((sound, RATE)).values) == hidden.shape[1]


def test_padding_of_a_batch_stays_out_of_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = SpeechEncoder(wav2vec2(tmp_path / "w2v", norm="layer", mask=True))
    monkeypatch.setattr(VoiceDetector, "__call__", lambda _, samples: everything(samples))
    long = np.concatenate([vowels(4.0), vowels(3.0, seed=1)])
    frames = encoder.features((long, RATE))
    np.testing.assert_allclose(
        encoder.encode([(long, RATE)])[0].vector, frames.values.mean(0), atol=1e-5
    )


def test_a_hub_model_as_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    folder = Path(wav2vec2(tmp_path / "w2v", norm="layer", mask=True))
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        SpeechEncoder(str(folder))
    with pytest.raises(ModelError, match="'no-such/voice' cannot be loaded"):
        SpeechEncoder("no-such/voice")
