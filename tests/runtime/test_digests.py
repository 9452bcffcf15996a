"""Shipped weights are what was shipped, or loading them says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from empathic_sdk import BehaviourEncoder, EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.dialogue.planner import Planner
from empathic_sdk.errors import DamagedWeightsError, ModelError
from empathic_sdk.runtime import checkpoints, digests, resources


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights in another place, as the package sees them; no byte is copied."""
    folder = tmp_path / "package" / "weights"
    folder.mkdir(parents=True)
    for path in resources.weights_dir().iterdir():
        (folder / path.name).symlink_to(path)
    (folder.parent / "prompts").symlink_to(resources.prompts_dir())
    monkeypatch.setattr(resources, "PACKAGE", folder.parent)
    return folder


def changed(path: Path) -> None:
    """Scale one tensor: a sound file, with other numbers in it."""
    if path.suffix == ".onnx":
        model = onnx.load(str(path))
        path.unlink()
        weights = next(
            t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16
        )
        values = onnx.numpy_helper.to_array(weights)
        weights.CopyFrom(
            onnx.numpy_helper.from_array(values * values.dtype.type(0.5), weights.name)
        )
        path.write_bytes(model.SerializeToString())
        return
    with safe_open(str(path), "pt") as f:
        about, tensors = f.metadata(), {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
    path.unlink()
    name = sorted(k for k, t in tensors.items() if t.dtype is torch.float16)[0]
    save_file({**tensors, name: tensors[name] * 0.5}, path, about)


KINDS = {".onnx", ".safetensors"}


def cut_off(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 2])


def swapped(path: Path) -> None:
    """One byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


LOADS: dict[str, Callable[[Any], object]] = {
    "text.safetensors": lambda _: EmotionRecognizer(dialogue=False),
    "text.onnx": lambda _: EmotionRecognizer(dialogue=False),
    "text-tokenizer.json": lambda _: EmotionRecognizer(dialogue=False),
    "dialogue.onnx": lambda _: EmotionRecognizer(),
    "behaviour.onnx": lambda _: BehaviourEncoder(),
    "strategy.onnx": lambda _: Planner(),
}


@pytest.mark.parametrize("spoil", [changed, cut_off, swapped])
@pytest.mark.parametrize("name", LOADS)
def test_a_changed_file_is_not_loaded(
    copied: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    if name.endswith(".json") and spoil is changed:
        spoil = swapped
    spoil(copied / name)
    with pytest.raises(ModelError, match="reinstall the package") as caught:
        LOADS[name](None)
    assert isinstance(caught.value, DamagedWeightsError) and str(copied / name) in str(caught.value)


@pytest.mark.parametrize("name", ["safety.onnx", "guard.safetensors"])
def test_no_agent_runs_on_changed_safety_weights(copied: Path, name: str, tmp_path: Path) -> None:
    """Missing ones leave the patterns and a warning; changed ones are nobody's intention."""
    from empathic_sdk.testing import ScriptedModel

    changed(copied / name)
    with pytest.raises(DamagedWeightsError, match=name):
        EmotionAwareAgent(ScriptedModel("Yes."), profiles=tmp_path / "p.db")


def test_without_safety_weights_the_patterns_decide(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (copied / "safety.onnx").unlink()
    with EmotionAwareAgent() as agent:
        assert agent.respond("I want to kill myself.").safety.help_lines
    assert "uses only its patterns" in caplog.text


def test_speech_and_face_weights_are_checked(copied: Path) -> None:
    from empathic_sdk import FaceEncoder, SpeechEncoder

    for name, make in (("speech.onnx", SpeechEncoder), ("face.onnx", FaceEncoder)):
        swapped(copied / name)
        with pytest.raises(DamagedWeightsError, match=name):
            make()


def test_a_lost_list_of_hashes_is_said(copied: Path) -> None:
    (copied / "digests.json").unlink()
    with pytest.raises(DamagedWeightsError, match=r"digests\.json is missing or damaged"):
        BehaviourEncoder()


def test_weights_of_your_own_are_not_compared_but_must_be_sound(tmp_path: Path) -> None:
    own = tmp_path / "behaviour.onnx"  # a shipped name, elsewhere
    own.write_bytes((resources.weights_dir() / own.name).read_bytes())
    changed(own)
    assert BehaviourEncoder(own).width > 0
    cut_off(own)
    with pytest.raises(ModelError, match="damaged"):
        BehaviourEncoder(own)
    own.write_bytes(b"\x80\x04K\x01.")  # a pickle
    with pytest.raises(ModelError, match="damaged"):
        BehaviourEncoder(own)


@pytest.mark.parametrize("description", [None, "{", "[1]", '"text"'])
def test_a_description_that_is_none_is_a_damaged_file(
    tmp_path: Path, description: str | None
) -> None:
    about = {"format": "1"} | ({} if description is None else {"description": description})
    path = tmp_path / "own.safetensors"
    save_file({"x": torch.zeros(2)}, path, about)
    with pytest.raises(ModelError, match="damaged"):
        checkpoints.load(path)


def test_the_list_of_hashes_is_up_to_date() -> None:
    """Else run ``python -m empathic_sdk.runtime.digests``."""
    path = resources.weights_dir() / digests.DIGESTS
    assert path.read_text(encoding="utf-8") == digests.digests()
    listed = json.loads(path.read_text(encoding="utf-8"))
    shipped = {p.name for p in resources.weights_dir().iterdir() if p.suffix in KINDS}
    assert set(listed) == shipped | {"text-tokenizer.json"}
