"""The ONNX networks of speech, faces and behaviour, held to PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from empathic_sdk import BehaviourEncoder, FaceEncoder, SpeechEncoder
from empathic_sdk.cli import main
from empathic_sdk.encoders.acoustics import level
from empathic_sdk.encoders.audio import RATE
from empathic_sdk.encoders.behaviour import code, collate
from empathic_sdk.encoders.prosody import statistics
from empathic_sdk.encoders.speech_features import Front, pad
from empathic_sdk.errors import ConfigurationError, MissingExtraError, ModelError
from empathic_sdk.lab.exporting.kinds import EXPORTERS, export_checkpoint
from empathic_sdk.lab.simulation.behaviour import simulate
from empathic_sdk.models.readers import TorchNetwork
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import Network, description, mark, shipped
from tests.encoders import speech_checkpoint, test_behaviour, test_face
from tests.encoders.drawn import drawn_face
from tests.encoders.sounds import vowels

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
ENCODERS = {"speech": SpeechEncoder, "face": FaceEncoder, "behaviour": BehaviourEncoder}
Arrays = dict[str, np.ndarray]


def speech(kind: str, bands: int, second: bool) -> Arrays:
    voices = [vowels(s, hz=h, seed=i) for i, (s, h) in enumerate(((2.0, 120.0), (1.1, 230.0)))]
    x, mask = pad([Front(kind=kind, bands=bands)(v) for v in voices])
    rows = {"statistics": np.stack([statistics(level(v)) for v in voices])} if second else {}
    return {"features": x, "mask": mask, **rows}


def face(width: int) -> Arrays:
    large = drawn_face(192)
    crops = np.stack([large[k::4, k::4] for k in range(4)])[:, None]
    draw = np.random.default_rng(0)
    return {
        "faces": (crops / 127.5 - 1).astype(np.float32),
        "frames": np.abs(draw.normal(size=(7, width))).astype(np.float32),
    }


def behaviour() -> Arrays:
    return collate([code(events) for events in simulate("test", people=2).events()[:40]])


SHIPPED = {
    "speech": lambda: speech("log-mel", 80, True),
    "face": lambda: face(192),
    "behaviour": behaviour,
}


def agree(network: Network, reference: TorchNetwork, given: Arrays, atol: float = 1e-4) -> None:
    assert network.inputs == reference.inputs
    assert network.outputs == reference.outputs
    found, expected = network(**given), reference(**given)
    for name in network.outputs:
        assert found[name].shape == expected[name].shape
        np.testing.assert_allclose(found[name], expected[name], atol=atol, err_msg=name)


@pytest.mark.parametrize("kind", sorted(SHIPPED))
def test_what_ships_is_its_checkpoint(kind: str) -> None:
    checkpoint = CHECKPOINTS / f"{kind}.safetensors"
    network, reference = Network(shipped(kind)), TorchNetwork(kind, checkpoint)
    assert network.about == reference.about == description(checkpoint)
    assert mark(shipped(kind)) == mark(checkpoint) == checkpoints.sha256(checkpoint)
    given = SHIPPED[kind]()
    agree(network, reference, given)
    one = {name: values[:1] for name, values in given.items()}
    agree(network, reference, one)
    assert shipped(kind).stat().st_size < 1.05 * checkpoint.stat().st_size + 20_000
    card = shipped(kind).with_suffix(".md").read_text("utf-8")
    assert checkpoints.sha256(shipped(kind)) in card
    assert checkpoints.sha256(checkpoint) in card


def written(of: str, path: Path, **given: Any) -> Path:
    write = {
        "speech": speech_checkpoint.write, "face": test_face.write,
        "behaviour": test_behaviour.write,
    }[of]  # fmt: skip
    return write(path / f"some-{of}.safetensors", **given)


@pytest.mark.parametrize(
    ("kind", "changed", "given"),
    [
        ("speech", {}, lambda: speech("log-mel", 16, True)),
        ("speech", {"share": 1.0}, lambda: speech("log-mel", 16, False)),
        ("speech", {"kind": "lstm"}, lambda: speech("mfcc", 13, True)),
        ("face", {}, lambda: face(8)),
        ("face", {"cnn": True}, lambda: face(256)),
        ("behaviour", {}, behaviour),
    ],
)
def test_an_exported_checkpoint(
    tmp_path: Path, kind: str, changed: dict[str, Any], given: Any
) -> None:
    checkpoint = written(kind, tmp_path, **changed)
    out = export_checkpoint(str(checkpoint))
    assert out == checkpoint.with_suffix(".onnx")
    network = Network(out)
    assert network.about == description(checkpoint)
    agree(network, TorchNetwork(kind, checkpoint), given(), atol=1e-5)
    quantised = export_checkpoint(str(checkpoint), out=tmp_path / "small.onnx", int8=True)
    agree(Network(quantised), TorchNetwork(kind, checkpoint), given(), atol=0.5)


def test_lengths_differ_from_those_of_the_export() -> None:
    draw = np.random.default_rng(0)
    network = Network(shipped("speech"))
    reference = TorchNetwork("speech", CHECKPOINTS / "speech.safetensors")
    for windows, time in ((1, 1), (1, 3), (5, 62), (2, 600)):
        x = draw.normal(-6, 2, size=(windows, time, 80)).astype(np.float32)
        lengths = np.maximum(1, time - 7 * np.arange(windows))
        mask = np.arange(time) < lengths[:, None]
        rows = draw.normal(size=(windows, 289)).astype(np.float32)
        agree(network, reference, {"features": x, "mask": mask, "statistics": rows})


def test_faces_and_frames_may_be_none() -> None:
    network = Network(shipped("face"))
    given = face(192)
    both = network(**given)
    faces = network(faces=given["faces"], frames=given["frames"][:0])
    frames = network(faces=given["faces"][:0], frames=given["frames"])
    np.testing.assert_allclose(faces["vectors"], both["vectors"], atol=1e-6)
    assert faces["weights"].shape == (0,)
    np.testing.assert_allclose(frames["weights"], both["weights"], atol=1e-6)
    assert frames["weights"].sum() == pytest.approx(1.0, abs=1e-5)
    assert frames["vectors"].shape == (0, 192)


@pytest.mark.parametrize("kind", sorted(SHIPPED))
def test_both_forms_of_a_network_give_the_same_embeddings(kind: str) -> None:
    items: dict[str, list[Any]] = {
        "speech": [(vowels(1.5), RATE), (vowels(1.0, hz=200.0), RATE)],
        "face": [[drawn_face(48)], [drawn_face(60), drawn_face(48)[:, ::-1].copy()]],
        "behaviour": list(simulate("test", people=2).events()[:9]),
    }
    options = {"cropped": True} if kind == "face" else {}
    make: Any = ENCODERS[kind]
    ours, theirs = make(), make(CHECKPOINTS / f"{kind}.safetensors")
    assert ours.about == theirs.about
    assert (ours.width, ours.embedded) == (theirs.width, True)
    for one, other in zip(
        ours.encode(items[kind], **options), theirs.encode(items[kind], **options), strict=True
    ):
        np.testing.assert_allclose(one.vector, other.vector, atol=1e-4)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)


@pytest.mark.parametrize("kind", sorted(SHIPPED))
def test_other_files_are_refused(tmp_path: Path, kind: str) -> None:
    make: Any = ENCODERS[kind]
    with pytest.raises(ModelError, match="there are no weights"):
        make(tmp_path / "absent.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(shipped(kind).read_bytes()[:-900])
    with pytest.raises(ModelError, match="damaged"):
        make(damaged)
    (tmp_path / "text.onnx").write_text("no network", "utf-8")
    with pytest.raises(ModelError, match="damaged"):
        make(tmp_path / "text.onnx")
    other = next(k for k in SHIPPED if k != kind)
    with pytest.raises(ModelError, match=f"no {kind} network that fits"):
        make(shipped(other))
    bare = onnx.load(str(shipped(kind)))
    del bare.metadata_props[:]
    onnx.save(bare, str(tmp_path / "bare.onnx"))
    with pytest.raises(ModelError, match="has no description"):
        make(tmp_path / "bare.onnx")
    with pytest.raises(ModelError, match="cannot read these arrays"):
        Network(shipped(kind))(nonsense=np.zeros(3, np.float32))


@pytest.mark.parametrize("text", ["{nope", "[]", "null", "3", '"x"', "[" * 100_000])
def test_a_description_that_is_none_is_a_damaged_file(tmp_path: Path, text: str) -> None:
    model = onnx.load(str(shipped("strategy")))
    for prop in model.metadata_props:
        if prop.key == "empathic_sdk":
            prop.value = text
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelError, match="damaged"):
        Network(tmp_path / "other.onnx")


def test_a_damaged_file_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(shipped("face").read_bytes())
    data[200 : len(data) : len(data) // 50 + 1] = b"\x9a" * len(
        data[200 : len(data) : len(data) // 50 + 1]
    )
    (tmp_path / "face.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        Network(tmp_path / "face.onnx")
    assert capfd.readouterr().out == ""


def test_a_packed_file_holds_the_very_numbers_of_its_checkpoint(tmp_path: Path) -> None:
    """No weight is quantised anew: int8 rows and float16 numbers come back as they were."""
    tensors, _ = checkpoints.arrays(CHECKPOINTS / "speech.safetensors")
    model = onnx.load(str(shipped("speech")))
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    assert sum(v.dtype == np.int8 for v in stored.values()) >= 2
    half = stored["network.convolutions.1.weight.half"]
    assert half.dtype == np.float16
    assert np.array_equal(half.astype(np.float32), tensors["network.convolutions.1.weight"])


def test_what_cannot_be_exported_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = written("behaviour", tmp_path)
    before = checkpoint.read_bytes()
    monkeypatch.chdir(tmp_path)
    blocked = tmp_path / "a file"
    blocked.write_text("no folder", "utf-8")
    for args, why in (
        (["speech"], "no checkpoint at"),
        (["."], "no checkpoint at"),
        ([str(shipped("speech"))], "written over itself"),
        ([str(checkpoint), "--out", str(checkpoint)], "written over itself"),
        ([str(checkpoint), "--out", str(blocked / "b.onnx")], "a file"),
    ):
        done = CliRunner().invoke(main, ["export", "onnx", *args])
        assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
        assert done.output.startswith("empathic: ") and why in done.output
    assert checkpoint.read_bytes() == before


def test_the_command(tmp_path: Path) -> None:
    checkpoint = written("behaviour", tmp_path)
    out = tmp_path / "out" / "b.onnx"
    done = CliRunner().invoke(main, ["export", "onnx", str(checkpoint), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert BehaviourEncoder(out).name == "behaviour-tiny"
    assert sorted(p.name for p in tmp_path.rglob("*.part")) == []
    done = CliRunner().invoke(main, ["export", "onnx", str(tmp_path / "absent.safetensors")])
    assert done.exit_code == 1
    assert "there is no checkpoint at" in done.output


def test_the_names_of_what_ships_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKPOINTS.parent)
    assert set(SHIPPED) <= set(EXPORTERS)
    for kind in SHIPPED:
        out = export_checkpoint(kind, out=tmp_path / f"{kind}.onnx")
        given = SHIPPED[kind]()
        again, ships = Network(out), Network(shipped(kind))
        assert again.about == ships.about
        for name, values in again(**given).items():
            np.testing.assert_allclose(values, ships(**given)[name], atol=1e-6)


def test_a_checkpoint_of_no_known_kind(tmp_path: Path) -> None:
    import torch

    checkpoints.save(tmp_path / "x.safetensors", {"a": torch.zeros(2)}, {"name": "x"})
    with pytest.raises(ConfigurationError, match=r"no kind that can be exported: .*speech"):
        export_checkpoint(str(tmp_path / "x.safetensors"))


BLOCKED = """
import sys
sys.modules.update({"torch": None, "transformers": None})  # importing them is an error now
import numpy as np
from empathic_sdk import BehaviourEncoder, BehaviourEvent, FaceEncoder, SpeechEncoder
import empathic_sdk.encoders.transcription
from empathic_sdk.errors import MissingExtraError
sound, face = np.load(sys.argv[1]), np.load(sys.argv[2])
found = [
    *SpeechEncoder().encode([(sound, 16_000)]),
    *FaceEncoder().encode([[face, face]], cropped=True),
    *BehaviourEncoder().encode([[BehaviourEvent(kind="click", at=1.0)]]),
]
SpeechEncoder().features((sound, 16_000))
FaceEncoder().encode([[face]])
print(*(e.probabilities.argmax() for e in found))
for make, model in ((SpeechEncoder, sys.argv[3]), (FaceEncoder, "some/model")):
    try:
        make(model)
    except MissingExtraError as error:
        print(error)
print(sorted(m for m in ("einops", "safetensors.torch", "faster_whisper") if m in sys.modules))
"""


def test_the_encoders_need_no_torch(tmp_path: Path) -> None:
    sound, face = vowels(1.5), drawn_face(64)
    np.save(tmp_path / "sound.npy", sound)
    np.save(tmp_path / "face.npy", face)
    checkpoint = CHECKPOINTS / "speech.safetensors"
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(tmp_path / "sound.npy"), str(tmp_path / "face.npy"),
         str(checkpoint)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    labels, *hints, seen = done.stdout.splitlines()
    assert len(labels.split()) == 3
    assert "empathic export onnx" in hints[0] and 'needs the extra "torch"' in hints[0]
    assert 'needs the extra "encoders"' in hints[1]
    assert seen == "[]"
    assert issubclass(MissingExtraError, ImportError)
