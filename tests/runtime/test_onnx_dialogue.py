"""The exported step of the dialogue model is held to the network in PyTorch."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from empathic_sdk.errors import MissingExtraError, ModelError
from empathic_sdk.lab.exporting.dialogue import export_checkpoint, export_dialogue
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.models.mdget.step import Step, about_step
from empathic_sdk.recognition.dialogue_checkpoint import load_dialogue
from empathic_sdk.recognition.dialogue_network import Arrays, DialogueNetwork
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import Network, shipped
from tests.models.mdget.batches import ABLATIONS, batch, network

N, WINDOW = 11, 4
OTHER = [
    {"speakers": 0}, {"own_past": False}, {"speakers": 1}, {"weights": {"audio": 0.3}},
    {"gue_layers": 2, "acme_layers": 1},
]  # fmt: skip


def small(modalities: int = 3, **changes: Any) -> MDGET:
    """Return a network that reads no timing."""
    return network(modalities, timing=0, window=WINDOW, **changes).float()


def exported(net: MDGET, folder: Path) -> DialogueNetwork:
    path = folder / "dialogue.onnx"
    export_dialogue(net, path, {"configuration": net.config.as_dict()})
    made = Network(path)
    # The weights that the file holds: float32 becomes int8 only in larger matrices.
    return DialogueNetwork(made.compute, made.about, "small")


def stepped(net: MDGET) -> DialogueNetwork:
    about = {"configuration": net.config.as_dict(), "step": about_step(net.config)}
    return DialogueNetwork(Step(net).compute, about, "small")


def drawn(net: MDGET, n: int = N, *, seed: int = 0) -> DialogueBatch:
    """Draw one dialogue, whose beginning and whose end are text alone."""
    given = batch([n], seed=seed)
    keep = {m: p & (m in net.config.inputs) for m, p in given.present.items()}
    for m in keep:
        keep[m][:, :2] = keep[m][:, -3:] = m == "text"
    return given._replace(present=keep, timing=None)


def in_pieces(
    step: DialogueNetwork, given: DialogueBatch, sizes: list[int], **more: Any
) -> tuple[Arrays, Arrays]:
    """Return logits and vectors of a dialogue read in pieces, and the state at its end."""
    state, at, found = step.state(), 0, []
    for size in sizes:
        part = slice(at, at + size)
        out, state = step.step(
            features={m: f[0, part].float().numpy() for m, f in given.features.items()},
            present=np.stack([given.present[m][0, part].numpy() for m in step.inputs])[None],
            speaker=given.speaker[0, part].numpy(),
            state=state,
            **more,
        )
        found.append(out)
        at += size
    assert at == given.mask.shape[1]
    logits = np.concatenate([f["logits"][0] for f in found])
    return {"logits": logits, "vectors": np.concatenate([f["vectors"] for f in found])}, state


@torch.no_grad()
@pytest.mark.parametrize("modalities", [1, 2, 3])
@pytest.mark.parametrize("changes", [*ABLATIONS.values(), *OTHER], ids=str)
def test_in_pieces_it_says_what_the_network_says_of_the_whole(
    tmp_path: Path, modalities: int, changes: dict[str, Any]
) -> None:
    if modalities < 3 and "weights" in changes:
        changes = {"weights": {"text": 0.3}}
    net = small(modalities, **changes)
    step, given = exported(net, tmp_path), drawn(net, seed=modalities)
    whole = net(given._replace(features={m: f.float() for m, f in given.features.items()}))
    for sizes in ([1] * N, [N], [2, 5, 1, 3], [3, 8]):
        found, state = in_pieces(step, given, sizes)
        for name in ("logits", "vectors"):
            expected = getattr(whole, name)[0].numpy()
            np.testing.assert_allclose(found[name], expected, atol=1e-5, rtol=1e-5)
        assert state["past.speaker"].tolist() == given.speaker[0, -(WINDOW - 1) :].tolist()


@pytest.mark.parametrize("seed", range(6))
def test_random_dialogues_in_random_pieces(tmp_path: Path, seed: int) -> None:
    dice = np.random.default_rng(seed)
    net = small()
    step, given = exported(net, tmp_path), drawn(net, 40, seed=seed)
    given.speaker[:] = torch.from_numpy(dice.integers(0, 9, (1, 40)))  # two have slots of their own
    with torch.no_grad():
        whole = net(given._replace(features={m: f.float() for m, f in given.features.items()}))
    cuts = np.sort(dice.choice(np.arange(1, 40), 12, replace=False))
    found, _ = in_pieces(step, given, np.diff([0, *cuts, 40]).tolist())
    np.testing.assert_allclose(found["logits"], whole.logits[0], atol=1e-5, rtol=1e-5)


def test_both_engines_leave_the_same_state_and_continue_each_other_s(tmp_path: Path) -> None:
    net = small()
    one, other, given = exported(net, tmp_path), stepped(net), drawn(net)
    weights = {"text": 0.5, "audio": 2.0}
    a, mine = in_pieces(one, given, [2, 4, 5], weights=weights)
    b, theirs = in_pieces(other, given, [2, 4, 5], weights=weights)
    np.testing.assert_allclose(a["logits"], b["logits"], atol=1e-5, rtol=1e-5)
    for name in ("own", "gue", "past.present", "past.speaker"):
        np.testing.assert_allclose(mine[name], theirs[name], atol=1e-5, rtol=1e-5)
    assert mine["cache"].shape == theirs["cache"].shape
    more = {
        "features": {m: f[0].float().numpy() for m, f in given.features.items()},
        "present": np.ones((1, 3, N), bool),
        "speaker": given.speaker[0].numpy(),
    }
    for engine in (one, other):
        for state in (mine, theirs):
            found, _ = engine.step(**more, state=state)
            expected, _ = one.step(**more, state=mine)
            np.testing.assert_allclose(found["logits"], expected["logits"], atol=2e-5, rtol=1e-5)


def test_ways_of_reading_are_those_of_reading_each_alone(tmp_path: Path) -> None:
    net = small()
    step, given = exported(net, tmp_path), drawn(net)
    _, state = in_pieces(step, given, [4, 7])
    ways = np.array(np.meshgrid(*[[1, 0]] * 3)).reshape(3, -1).T.astype(bool)[:, :, None]
    more: dict[str, Any] = {
        "features": {m: f[0, :1].float().numpy() for m, f in given.features.items()},
        "speaker": np.array([1]),
        "state": state,
    }
    together, after = step.step(present=ways, **more)
    for way, logits in zip(ways, together["logits"], strict=True):
        alone, _ = step.step(present=way[None], **more)
        np.testing.assert_allclose(alone["logits"][0], logits, atol=1e-5, rtol=1e-5)
    first, expected = step.step(present=ways[:1], **more)
    np.testing.assert_allclose(together["vectors"], first["vectors"], atol=1e-5, rtol=1e-5)
    for name, array in expected.items():
        np.testing.assert_allclose(after[name], array, atol=1e-5, rtol=1e-5)


def test_pairs_are_the_transfer_module_s(tmp_path: Path) -> None:
    net = small()
    step, given = exported(net, tmp_path), drawn(net)
    others = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    found, _ = step.step(
        features={m: f[0].float().numpy() for m, f in given.features.items()},
        present=np.stack([given.present[m][0].numpy() for m in step.inputs])[None],
        speaker=given.speaker[0].numpy(),
        state=step.state(),
        others=others,
    )
    h = torch.from_numpy(found["vectors"])
    assert net.transfer is not None
    with torch.no_grad():
        compared = torch.cat([torch.from_numpy(others), h])
        expected = net.transfer.between(h[:, None], compared[None])
    np.testing.assert_allclose(found["pairs"], expected, atol=1e-5, rtol=1e-5)


def test_what_is_absent_may_hold_anything(tmp_path: Path) -> None:
    net = small()
    step, given = exported(net, tmp_path), drawn(net)
    expected, _ = in_pieces(step, given, [4, 7])
    for m, features in given.features.items():
        features[~given.present[m]] = torch.nan
    found, _ = in_pieces(step, given, [4, 7])
    np.testing.assert_array_equal(found["logits"], expected["logits"])


def test_dialogues_in_many_threads_do_not_mix(tmp_path: Path) -> None:
    net = small()
    step = exported(net, tmp_path)
    given = [drawn(net, seed=seed) for seed in range(12)]
    expected = [in_pieces(step, g, [1] * N)[0]["logits"] for g in given]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda g: in_pieces(step, g, [1] * N)[0]["logits"], given))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_ships_says_what_its_parameters_say() -> None:
    """The parameters as training reads them back, in PyTorch, beside the file itself."""
    net, about = load_checkpoint(shipped("dialogue"))
    made = Network(shipped("dialogue"))
    one, other = (DialogueNetwork(f, made.about, "") for f in (made.compute, Step(net).compute))
    assert {**about_step(net.config)} == made.about["step"] and about["name"]
    dice = np.random.default_rng(0)
    states = [one.state(), other.state()]
    for n in (1, 3, 64, 1, 20):
        present = np.ones((1, 4, n), bool)
        present[:, 1:] = dice.random((1, 3, n)) < (0.5 if n != 64 else 0.0)
        given: dict[str, Any] = {
            "features": {
                m: dice.normal(size=(n, w)).astype(np.float32) for m, w in one.inputs.items()
            },
            "present": present,
            "speaker": dice.integers(0, 12, n),
            "others": dice.normal(size=(3, one.width)).astype(np.float32),
        }
        found, states[0] = one.step(**given, state=states[0])
        expected, states[1] = other.step(**given, state=states[1])
        for name in ("logits", "vectors", "pairs"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5, rtol=1e-5)
    assert shipped("dialogue").stat().st_size < 2.5e6


def test_parameters_come_back_as_the_checkpoint_has_them(tmp_path: Path) -> None:
    net = network(3, timing=0, width=64, heads=4, feedforward=80).float()
    about = {"name": "x", "configuration": net.config.as_dict(), "calibration": {}}
    checkpoints.save(tmp_path / "x.safetensors", net.state_dict(), about)
    export_checkpoint(tmp_path / "x.safetensors", tmp_path / "x.onnx")
    first, second = (load_checkpoint(tmp_path / f"x.{end}")[0] for end in ("safetensors", "onnx"))
    assert len(first.state_dict()) == len(second.state_dict())
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_a_network_that_no_session_can_use_is_not_exported(tmp_path: Path) -> None:
    for wrong in (network(2, timing=0, causal=False), network(2)):
        with pytest.raises(ValueError, match="causal network without timing"):
            export_dialogue(wrong, tmp_path / "x.onnx", {})
        about = {"configuration": wrong.config.as_dict()}
        checkpoints.save(tmp_path / "x.safetensors", wrong.state_dict(), about)
        with pytest.raises(ModelError, match=r"x\.safetensors cannot be exported"):
            export_checkpoint(tmp_path / "x.safetensors", tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_a_checkpoint_without_pytorch_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = small()
    about = {"configuration": net.config.as_dict(), "calibration": {}}
    checkpoints.save(tmp_path / "x.safetensors", net.state_dict(), about)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"reading the checkpoint x\.safetensors"):
        load_dialogue(tmp_path / "x.safetensors", None)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="no weights at"):
        load_dialogue(tmp_path / "y.safetensors", None)  # type: ignore[arg-type]


def test_a_dialogue_is_read_without_pytorch() -> None:
    code = """
import sys
import numpy as np
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.dialogue_network import DialogueNetwork
from empathic_sdk.recognition.dialogue_state import DialogueMemory
from empathic_sdk.recognition.text_heads import TextHeads
from empathic_sdk.dialogue.planner import Planner, length
from empathic_sdk.runtime.networks import Network, shipped
made = Network(shipped("dialogue"))
memory = DialogueMemory(DialogueNetwork(made.compute, made.about, ""), Calibration())
here = {"text": np.ones(1, bool)}
read = memory.read(["a"], {"text": np.ones((1, 384), np.float32)}, here)
memory.blank().load(memory.dump())
assert read.logits.shape == (1, 7)
planner = Planner()
assert planner.distribution(np.zeros((1, length(planner.width)), np.float32)).shape == (1, 8)
heavy = {"torch", "einops", "transformers", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
