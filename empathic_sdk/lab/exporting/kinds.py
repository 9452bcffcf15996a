"""What can be exported: one function per kind of checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from empathic_sdk.errors import ConfigurationError, ModelError
from empathic_sdk.lab.exporting.dialogue import export_checkpoint as export_dialogue
from empathic_sdk.lab.exporting.onnx import export
from empathic_sdk.lab.exporting.strategy import export_planner
from empathic_sdk.lab.exporting.text import export_risk, export_text
from empathic_sdk.models.readers import READERS, read
from empathic_sdk.runtime import checkpoints

Exporter = Callable[[Path, Path, bool], None]
"""Writes a checkpoint (first path) as an ONNX file (second); the third says whether in int8."""

FOLDER = Path("checkpoints")
"""Where the repository keeps the checkpoints of the networks that ship, by their names."""

# A key of the description that no kind further down has.
_MARKS = {
    "speech": "front",
    "face": "face",
    "behaviour": "behaviour",
    "text": "corpora",
    "safety": "limits",
    "strategy": "strategies",
    "dialogue": "classes",
}


def export_media(kind: str, checkpoint: Path, out: Path, int8: bool = False) -> None:
    """Export a network of speech, faces or behaviour; its weights keep their very numbers.

    In int8, matrix products alone are quantised: convolutions take longer that way.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
        MissingExtraError: The packages for exporting are not installed.
    """
    reader, about = read(kind, checkpoint)
    moving = {name: reader.moving[name] for name in (*reader.inputs, *reader.outputs)}
    export(
        reader, out, inputs=reader.examples(), outputs=reader.outputs, moving=moving, about=about,
        int8=int8, exact=not int8, checkpoint=checkpoints.sha256(checkpoint),
    )  # fmt: skip


EXPORTERS: Mapping[str, Exporter] = {
    **{kind: partial(export_media, kind) for kind in READERS},
    "dialogue": lambda checkpoint, out, _: export_dialogue(checkpoint, out),
    "strategy": lambda checkpoint, out, _: export_planner(checkpoint, out),
    "text": export_text,
    "safety": export_risk,
}
"""By kind of checkpoint."""


def kind_of(checkpoint: Path) -> str:
    """Return the kind of a checkpoint, by its description.

    Raises:
        ConfigurationError: It is of no kind that can be exported.
        ModelError: The file is missing or damaged.
    """
    about = checkpoints.arrays(checkpoint)[1]
    for kind, mark in _MARKS.items():
        if mark in about and kind in EXPORTERS:
            return kind
    raise ConfigurationError(
        f"{checkpoint} is of no kind that can be exported: {', '.join(sorted(EXPORTERS))}"
    )


def export_checkpoint(what: str, *, out: Path | None = None, int8: bool = False) -> Path:
    """Export a checkpoint as ONNX.

    Args:
        what: A path, or the name of a network that ships, whose checkpoint lies in
            :data:`FOLDER`.
        out: The file; default: the checkpoint's name with the suffix ``.onnx``, beside it.
        int8: Quantise the weights of matrix products.

    Returns:
        The file that was written.

    Raises:
        ConfigurationError: The checkpoint is of no kind that can be exported, or ``out`` is the
            checkpoint itself.
        ModelError: The file is missing or damaged.
        MissingExtraError: The packages for exporting are not installed.
    """
    checkpoint = FOLDER / f"{what}.safetensors" if what in EXPORTERS else Path(what)
    if not checkpoint.is_file():
        raise ModelError(
            f"there is no checkpoint at {checkpoint}: give the path of a .safetensors file, or a "
            f"name where the folder {FOLDER.name!r} of the repository is ({', '.join(EXPORTERS)})"
        )
    out = out or checkpoint.with_suffix(".onnx")
    if out.resolve() == checkpoint.resolve():
        raise ConfigurationError(
            f"{out} would be written over itself: give a .safetensors checkpoint and another file"
        )
    EXPORTERS[kind_of(checkpoint)](checkpoint, out, int8)
    return out
