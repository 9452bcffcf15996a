"""``empathic export onnx NAME|CHECKPOINT``."""

from __future__ import annotations

from pathlib import Path

import click

from empathic_sdk.cli.options import json_option
from empathic_sdk.cli.printing import print_report


@click.group(name="export")
def command() -> None:
    """Write trained networks in other formats. Needs the extra "train"."""


@command.command(name="onnx")
@click.argument("what", metavar="NAME|CHECKPOINT")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: beside the checkpoint, with the suffix .onnx]",
)
@click.option("--int8", is_flag=True, help="Quantise the weights of matrix products.")
@json_option
def onnx(what: str, out: Path | None, int8: bool, as_json: bool) -> None:
    """Write a checkpoint as an ONNX file, which is read without PyTorch.

    CHECKPOINT is a .safetensors of `empathic train`; NAME one of the networks that ship, whose
    checkpoint lies in the folder "checkpoints" of the repository.
    """
    try:
        from empathic_sdk.lab.exporting.kinds import export_checkpoint
    except ModuleNotFoundError as error:
        from empathic_sdk.errors import MissingExtraError

        raise MissingExtraError("train", "exporting a network") from error
    from empathic_sdk.runtime.checkpoints import sha256

    written = export_checkpoint(what, out=out, int8=int8)
    report = {"out": str(written), "bytes": written.stat().st_size, "sha256": sha256(written)}
    print_report(report, as_json, lambda r: click.echo(f"{r['out']}, {r['bytes'] / 1024:.0f} KB"))
