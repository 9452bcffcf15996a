"""``empathic evaluate NAME``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import data_option, json_option

NAMES = ("meld", "goemotions", "emobank", "dailydialog", "empathetic")


@click.command(name="evaluate")
@click.argument("name", type=click.Choice(NAMES), metavar="|".join(NAMES))
@data_option
@json_option
@click.option("--split", type=click.Choice(["dev", "test"]), default="test", show_default=True)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights to measure.  [default: those that ship]",
)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the run records, rescored for `runs`.",
)
def command(
    name: str, data: Path, as_json: bool, split: str, checkpoint: Path | None, results: Path
) -> None:
    """Measure the shipped checkpoint on a public corpus, utterance by utterance.

    The figures are computed anew through the public API; `runs` are mean and standard deviation
    over the recorded training runs, rescored from their stored test predictions.
    """
    from empathic_sdk.evaluation.experiment import evaluate_text

    report = evaluate_text(name, data=data, split=split, checkpoint=checkpoint, results=results)
    if as_json:
        click.echo(json.dumps(report))
        return
    runs = report["runs"]
    click.echo(f"{report['dataset']} {report['split']}, n = {report['n']}, {report['model']}")
    for key, value in report.items():
        if isinstance(value, float):
            spread = runs.get(key)
            extra = (
                f"   ({runs['n']} runs: {spread['mean']:.4f} ± {spread['std']:.4f})"
                if spread
                else ""
            )
            click.echo(f"  {key:20} {value:.4f}{extra}")
    for label, value in report.get("f1", {}).items():
        click.echo(f"    F1 {label:17} {value:.4f}")
