"""``empathic evaluate NAME``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import data_option, json_option

TEXTS = ("meld", "goemotions", "emobank", "dailydialog", "empathetic")
DIALOGUES = ("meld", "iemocap", "mosi")
NAMES = (*TEXTS, "iemocap", "mosi", "strategy")


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
@click.option(
    "--model",
    type=click.Choice(["text", "mdget"]),
    default="mdget",
    show_default=True,
    help="meld: whole dialogues, or every utterance alone. Other corpora have one way.",
)
@click.option(
    "--configuration",
    metavar="NAME",
    help="meld, iemocap, mosi: recorded runs of this name.  [default: the whole causal mdget]",
)
@click.option("--table", is_flag=True, help="meld, iemocap, mosi: every recorded configuration.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/cache"),
    show_default=True,
    help="strategy: folder in which text vectors are kept between runs.",
)
def command(
    name: str,
    data: Path,
    as_json: bool,
    split: str,
    checkpoint: Path | None,
    results: Path,
    model: str,
    configuration: str | None,
    table: bool,
    cache: Path,
) -> None:
    """Measure a model on a public corpus.

    What ships is measured anew through the public API; where no weights ship (iemocap, mosi), or
    with --configuration, the figures are those of the recorded run in the middle. `runs` are mean
    and standard deviation over the recorded training runs, rescored from their stored test
    predictions.
    """
    if name not in DIALOGUES and (configuration or table):
        raise click.UsageError(f"--configuration and --table are for {', '.join(DIALOGUES)}")
    if checkpoint and (configuration or name not in (*TEXTS, "strategy")):
        raise click.UsageError("recorded runs are scored from predictions: no --checkpoint")
    if model == "text" and (configuration or name not in TEXTS):
        raise click.UsageError("--model text is for the corpora of single texts")
    if name == "strategy":
        from empathic_sdk.evaluation.strategy import evaluate_strategy

        report = evaluate_strategy(
            data=data, split=split, results=results, checkpoint=checkpoint, cache=cache
        )
    else:
        report = _measure(name, data, split, checkpoint, results, model, configuration)
    if table:
        from empathic_sdk.evaluation.tables import Runs
        from empathic_sdk.evaluation.tables import table as table_of

        report["table"] = table_of(Runs(results, data, name))
    if as_json:
        click.echo(json.dumps(report))
        return
    _print(report)
    if table:
        _print_table(name, report["table"])


def _measure(
    name: str,
    data: Path,
    split: str,
    checkpoint: Path | None,
    results: Path,
    model: str,
    configuration: str | None,
) -> dict[str, Any]:
    if configuration or name not in TEXTS:
        from empathic_sdk.evaluation.evaluate_dialogue import evaluate_dialogue

        return evaluate_dialogue(
            name, data=data, split=split, results=results, configuration=configuration
        )
    if name == "meld":
        from empathic_sdk.evaluation.evaluate_dialogue import evaluate_meld

        return evaluate_meld(
            data=data, split=split, results=results, checkpoint=checkpoint, model=model
        )
    from empathic_sdk.evaluation.experiment import evaluate_text

    return evaluate_text(name, data=data, split=split, checkpoint=checkpoint, results=results)


def _print(report: Mapping[str, Any]) -> None:
    runs = report["runs"]
    click.echo(f"{report['dataset']} {report['split']}, n = {report['n']}, {report['model']}")
    if "configuration" in report:
        click.echo(f"  {report['configuration']}, figures of {report['run']}")
    width = max(20, *(len(k) for k, v in report.items() if isinstance(v, float)))
    for key, value in report.items():
        if isinstance(value, float):
            spread = runs.get(key)
            extra = (
                f"   ({runs['n']} runs: {spread['mean']:.4f} ± {spread['std']:.4f})"
                if spread
                else ""
            )
            click.echo(f"  {key:{width}} {value:.4f}{extra}")
    for label, value in report.get("f1", {}).items():
        click.echo(f"    F1 {label:{width - 3}} {value:.4f}")


def _print_table(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a configuration, under headings of their features and direction; percent."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from empathic_sdk.evaluation.dialogue_runs import headline

    key = headline(name)
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1), title_justify="left",
                  title=f"{name} test, percent: mean ± standard deviation")  # fmt: skip
    shown.add_column("")
    for column in ("dev", key, "macro F1", "ECE", "shift F1", "mdget ahead by"):
        shown.add_column(column.replace("_f1", " F1"), justify="right")
    every = max(len(row["modalities"]) for row in rows)
    place = None
    for row in rows:
        if place != (row["features"], row["direction"]):
            place = row["features"], row["direction"]
            shown.add_section()
            shown.add_row(f"[bold]{', '.join(place)}[/bold]")
        test, versus = row["test"], row["bootstrap"]
        shift = test.get("shift_f1", test.get("shift_f1_labels"))
        found = [row["dev"], *(test.get(k) for k in (key, "macro_f1", "ece")), shift]
        ahead = ""
        if versus:
            ahead = "{:+.1f} [{:+.1f}, {:+.1f}]".format(
                *(100 * versus[k] for k in ("difference", "low", "high"))
            )
        shown.add_row(_short(row, every), *(_percent(f) for f in found), ahead)
    Console(width=None if sys.stdout.isatty() else 120).print(shown)


def _short(row: Mapping[str, Any], every: int) -> str:
    """Name a configuration below its heading: its model, and what sets it apart."""
    parts = [f"  {row['model']}"]
    parts += ["+".join(row["modalities"])] if len(row["modalities"]) != every else []
    parts += [row["ablation"]] if row["ablation"] != "full" else []
    parts += ["timing"] if row["timing"] else []
    parts += [f"({row['tested']} of {row['runs']})"] if row["tested"] != row["runs"] else []
    return " ".join(parts)


def _percent(found: Mapping[str, float] | None) -> str:
    return f"{100 * found['mean']:.1f} ± {100 * found['std']:.1f}" if found else "–"
