"""Transcription with faster-whisper, which needs neither PyTorch's Whisper, Triton nor numba."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk import Transcriber
from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.transcription import at_hand
from empathic_sdk.errors import ConfigurationError, MissingExtraError, ModelError
from empathic_sdk.types import Transcript
from tests.encoders import converted_whisper
from tests.encoders.sounds import NOISES, vowels

HUB = "models--Systran--faster-whisper-base"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return converted_whisper.write(tmp_path_factory.mktemp("whisper") / "converted")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the network write four tokens, once: random numbers find no end by themselves."""
    import faster_whisper

    real = faster_whisper.WhisperModel.transcribe
    monkeypatch.setattr(
        faster_whisper.WhisperModel,
        "transcribe",
        lambda self, samples, **o: real(self, samples, **o, temperature=0.0, max_new_tokens=4),
    )


@pytest.fixture
def multilingual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CTranslate2 take every model for one that knows many languages."""
    monkeypatch.setattr("ctranslate2.models.Whisper.is_multilingual", True)


def in_the_cache(cache: Path) -> None:
    """Lay a model where the Hub's client keeps the weights of "base"."""
    (cache / HUB / "refs").mkdir(parents=True)
    (cache / HUB / "refs" / "main").write_text("0" * 40)
    converted_whisper.write(cache / HUB / "snapshots" / ("0" * 40))


@pytest.mark.usefixtures("short")
def test_the_network_itself_runs(folder: Path) -> None:
    """Random numbers write nonsense; the path from samples to a transcript is the real one."""
    said = Transcriber(folder, language="en")((vowels(1.0), RATE))
    assert isinstance(said, Transcript)
    assert said.language == "en"
    assert said.missing is None
    assert all(w.end >= w.start for w in said.words)


@pytest.mark.usefixtures("multilingual")
def test_what_the_network_writes_becomes_a_transcript(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faster_whisper.transcribe import Segment, TranscriptionInfo
    from faster_whisper.transcribe import Word as Heard

    asked: dict[str, Any] = {}

    def transcribe(_: Any, samples: np.ndarray, **options: Any) -> Any:
        asked.update(options, samples=samples)
        words = [Heard(-0.01, 0.2, " I", 1.0), Heard(0.2, 0.1, " failed.", 1.0)]
        about = {"language": "de"} | dict.fromkeys(
            ("language_probability", "duration", "duration_after_vad", "all_language_probs",
             "transcription_options", "vad_options")
        )  # fmt: skip
        segment = {"text": " I failed.", "words": words} | dict.fromkeys(
            ("id", "seek", "start", "end", "tokens", "avg_logprob", "compression_ratio",
             "no_speech_prob", "temperature")
        )  # fmt: skip
        return iter([Segment(**segment)]), TranscriptionInfo(**about)

    monkeypatch.setattr("faster_whisper.WhisperModel.transcribe", transcribe)
    said = Transcriber(folder)((vowels(1.5), RATE))
    assert (said.text, said.language, said.seconds) == ("I failed.", "de", 1.5)
    assert [(w.text, w.start, w.end) for w in said.words] == [("I", 0, 0.2), ("failed.", 0.2, 0.2)]
    assert asked["language"] is None
    assert asked["word_timestamps"] is True
    assert asked["condition_on_previous_text"] is False
    assert asked["samples"].dtype == np.float32


def test_without_a_voice_the_network_is_not_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber = Transcriber(folder)

    def transcribe(*_: Any, **__: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr("faster_whisper.WhisperModel.transcribe", transcribe)
    said = transcriber((NOISES["silence"], RATE))
    assert (said.text, said.missing) == ("", "no voice in 3.0 s of audio")


@pytest.mark.usefixtures("multilingual")
def test_languages(folder: Path) -> None:
    assert Transcriber(folder).language is None
    assert Transcriber(folder, language="de").language == "de"
    with pytest.raises(ConfigurationError, match="knows no language 'klingon'"):
        Transcriber(folder, language="klingon")


def test_a_model_for_english(folder: Path) -> None:
    assert Transcriber(folder).language == "en"
    with pytest.raises(ConfigurationError, match="knows English only, not 'de'"):
        Transcriber(folder, language="de")


def test_damaged_folders_are_not_loaded(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "model.bin").read_bytes()
    for name in ("cut", "bare"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut" / "tokenizer.json").write_text(json.dumps({}))
    with pytest.raises(ModelError, match="is damaged"):
        Transcriber(tmp_path / "cut")
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):  # or the Hub is asked for one
        Transcriber(tmp_path / "bare")


@pytest.mark.usefixtures("short")
def test_weights_in_the_cache_are_used(tmp_path: Path) -> None:
    assert not at_hand("base", folder=tmp_path)
    in_the_cache(tmp_path)
    assert at_hand("base", folder=tmp_path)
    assert not at_hand("tiny", folder=tmp_path)
    assert not at_hand("Systran/faster-whisper-base", folder=tmp_path)  # not an official name
    said = Transcriber("base", folder=tmp_path, language="en")((vowels(1.0), RATE))
    assert said.language == "en"


def test_openai_whispers_own_cache_is_read_where_the_weights_are_only_there(
    tmp_path: Path,
) -> None:
    """The file there is not Whisper's, which that package finds out by its SHA-256."""
    (tmp_path / "base.pt").write_bytes(b"something else")
    assert at_hand("base", folder=tmp_path)
    with pytest.warns(UserWarning, match="SHA256"), pytest.raises(ModelError, match="downloaded"):
        Transcriber("base", folder=tmp_path)
    in_the_cache(tmp_path)
    assert Transcriber("base", folder=tmp_path).name == "base"


@pytest.mark.parametrize(
    ("absent", "model", "extra"),
    [
        ({"faster_whisper", "whisper"}, "base", "speech"),
        ({"faster_whisper"}, "converted", "speech"),
        ({"whisper"}, "mine.safetensors", "whisper"),
    ],
)
def test_a_package_that_is_missing_is_named(
    folder: Path, absent: set[str], model: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in absent else known(name, *a)
    )
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)  # its import fails now
    path = folder.with_name(model)
    if model.endswith(".safetensors"):
        from safetensors.numpy import save_file

        save_file({"x": np.zeros(1)}, path, {"format": "whisper-1"})
    with pytest.raises(MissingExtraError) as raised:
        Transcriber(path if path.exists() else model)
    assert raised.value.extra == extra
    assert f'pip install "empathic-sdk[{extra}]"' in str(raised.value)


def test_neither_triton_nor_numba_is_imported(folder: Path) -> None:
    code = (
        "import sys; from empathic_sdk import Transcriber; Transcriber(sys.argv[1]); "
        "print([m for m in ('whisper', 'numba', 'triton', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
