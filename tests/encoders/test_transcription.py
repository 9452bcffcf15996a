from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.transcription import Transcriber, at_hand, load_whisper, save_whisper
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.types import Transcript, Word
from tests.encoders.sounds import NOISES, vowels


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole Whisper of random numbers, with the real vocabulary."""
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(0)
    model = Whisper(
        ModelDimensions(
            n_mels=80, n_audio_ctx=1500, n_audio_state=16, n_audio_head=2, n_audio_layer=1,
            n_vocab=51865, n_text_ctx=448, n_text_state=16, n_text_head=2, n_text_layer=2,
        )
    )  # fmt: skip
    # Whisper leaves one of its tensors as the memory was, which may hold a NaN, equal to nothing.
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    model.register_buffer(
        "alignment_heads",
        torch.tensor([[True, False], [False, True]]).to_sparse(),
        persistent=False,
    )
    path = tmp_path_factory.mktemp("whisper") / "tiny.safetensors"
    save_whisper(model, path)
    return path


def test_a_whisper_survives_safetensors(tiny: Path) -> None:
    one = load_whisper(tiny)
    assert one.dims.n_text_layer == 2
    assert one.alignment_heads.to_dense().tolist() == [[True, False], [False, True]]
    assert not one.training
    save_whisper(one, tiny.with_name("again.safetensors"))
    other = load_whisper(tiny.with_name("again.safetensors"))
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


def test_what_the_network_writes_becomes_a_transcript(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber = Transcriber(tiny)
    asked: dict[str, Any] = {}

    def transcribe(_: Any, samples: np.ndarray, **options: Any) -> dict[str, Any]:
        asked.update(options, samples=samples)
        words = [
            {"word": " I", "start": -0.01, "end": 0.2},
            {"word": " failed.", "start": 0.2, "end": 0.1},
            {"word": " ", "start": 0.3, "end": 0.4},
        ]
        return {"text": " I failed.", "language": "en", "segments": [{"words": words}]}

    monkeypatch.setattr("whisper.model.Whisper.transcribe", transcribe)
    said = transcriber((vowels(1.5), RATE))
    assert said.text == "I failed."
    assert said.language == "en"
    assert [(w.text, w.start, w.end) for w in said.words] == [("I", 0, 0.2), ("failed.", 0.2, 0.2)]
    assert said.seconds == 1.5
    assert said.missing is None
    assert asked["fp16"] is False
    assert asked["word_timestamps"] is True
    assert asked["samples"].dtype == np.float32


def test_the_network_itself_runs(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers write nonsense; the path from samples to a transcript is the real one."""
    from whisper.model import Whisper

    transcriber = Transcriber(tiny, language="en")
    real = Whisper.transcribe
    monkeypatch.setattr(
        Whisper,
        "transcribe",
        lambda self, samples, **o: real(
            self, samples, **{**o, "temperature": 0.0, "sample_len": 4}
        ),
    )
    said = transcriber((vowels(1.0), RATE))
    assert isinstance(said, Transcript)
    assert said.language == "en"
    assert all(w.end >= w.start for w in said.words)


def test_without_a_voice_the_network_is_not_asked(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber = Transcriber(tiny)

    def transcribe(*_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("asked")

    monkeypatch.setattr("whisper.model.Whisper.transcribe", transcribe)
    said = transcriber((NOISES["silence"], RATE))
    assert (said.text, said.words, said.language) == ("", (), None)
    assert said.missing == "no voice in 3.0 s of audio"
    with pytest.raises(InputError):
        transcriber(b"no sound")


def test_weights_that_cannot_be_had_are_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"could not be downloaded .*use the voice alone"):
        Transcriber("base", folder=tmp_path)


def test_a_damaged_cache_is_not_loaded(tmp_path: Path) -> None:
    """Whisper compares the SHA-256, wants to download again, and there is no network."""
    torch.save({"dims": {}}, tmp_path / "tiny.pt")
    with pytest.warns(UserWarning, match="SHA256"), pytest.raises(ModelError):
        Transcriber("tiny", folder=tmp_path)


def test_no_pickle_is_loaded_from_a_path(tmp_path: Path, tiny: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save(Bomb(), tmp_path / "mine.pt")
    with pytest.raises(ModelError, match="are pickles"):
        Transcriber(tmp_path / "mine.pt")
    (tmp_path / "mine.pt").rename(tmp_path / "mine.safetensors")
    with pytest.raises(ModelError, match="damaged"):
        Transcriber(tmp_path / "mine.safetensors")
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(ModelError, match="no Whisper model at"):
        Transcriber(tmp_path / "no.safetensors")
    whole = tiny.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        Transcriber(tmp_path / "cut.safetensors")
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="not written by save_whisper"):
        Transcriber(tmp_path / "other.safetensors")


def test_what_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import whisper

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not any(at_hand(name) for name in whisper.available_models())
    (tmp_path / "whisper").mkdir()
    for name, url in whisper._MODELS.items():  # every name finds the file it would be kept in
        file = tmp_path / "whisper" / Path(url).name
        file.touch()
        assert at_hand(name), name
        assert at_hand(name, folder=tmp_path / "whisper")
        file.unlink()
        assert not at_hand(name)
    assert not at_hand("../../etc/passwd")


def test_languages(tiny: Path) -> None:
    assert Transcriber(tiny, language="de").language == "de"
    with pytest.raises(ConfigurationError, match="knows no language 'klingon'"):
        Transcriber(tiny, language="klingon")


def test_words_are_checked() -> None:
    with pytest.raises(InputError, match="ends before it starts"):
        Word(text="no", start=1.0, end=0.5)
    word = Word(text="yes", start=0.0, end=0.5)
    with pytest.raises(ValidationError):
        word.text = "no"  # type: ignore[misc]


def test_whisper_is_imported_late() -> None:
    code = (
        "import sys, empathic_sdk.encoders.speech, empathic_sdk.encoders.transcription; "
        "print([m for m in ('whisper', 'numba', 'av', 'torch', 'faster_whisper', 'transformers') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
