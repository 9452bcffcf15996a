"""``empathic evaluate NAME``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import (
    data_option,
    json_option,
)

TEXTS = ("meld", "goemotions", "emobank", "dailydialog", "empathetic")
DIALOGUES = ("meld", "iemocap", "mosi")
NAMES = (
    *TEXTS, "iemocap", "mosi", "behaviour", "fer2013", "ravdess", "emodb", "fusion",
    "strategy", "replies", "safety", "guard", "monitor", "personalisation", "users",
)  # fmt: skip
# What --model may be; the first is the default. Others have one way.
MODELS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(TEXTS, ("text",)),
    "meld": ("mdget", "text"),
    "fer2013": ("net", "cnn"),
    "ravdess": ("ped", "lstm"),
    "emodb": ("ped", "lstm"),
}
WITH_WEIGHTS = (
    *TEXTS, "behaviour", "fer2013", "ravdess", "fusion", "strategy", "safety", "guard",
    "personalisation",
)  # fmt: skip


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
    type=click.Choice(["mdget", "text", "net", "cnn", "ped", "lstm"]),
    help="meld: mdget (whole dialogues) or text (every utterance alone). fer2013: net or cnn "
    "(Table 5 of its paper). ravdess and emodb: ped or lstm.  [default: the first of each]",
)
@click.option(
    "--with",
    "beside",
    type=click.Choice(["action-units"]),
    help="ravdess: fuse the voice with the action units of the clips' videos.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/cache"),
    show_default=True,
    help="fusion, strategy, replies, personalisation, users: folder in which vectors are kept "
    "between runs.",
)
@click.option(
    "--configuration",
    metavar="NAME",
    help="meld, iemocap, mosi: recorded runs of this name.  [default: the whole causal mdget]",
)
@click.option("--table", is_flag=True, help="meld, iemocap, mosi: every recorded configuration.")
@click.option(
    "--lines",
    type=click.Path(dir_okay=False, path_type=Path),
    help="safety: the held-out lines.  [default: those of the package]",
)
@click.option(
    "--alarms",
    type=click.Path(dir_okay=False, path_type=Path),
    help="safety: file that every alarm over ESConv and DailyDialog is written to, to be read.",
)
@click.option(
    "--judge",
    metavar="MODEL",
    help="replies: a chat model, such as openai:gpt-4o-mini, that rates some of them by a rubric. "
    "It is sent what people said in the corpora.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="replies: draw only this share of the talks.",
)
@click.option("--record", is_flag=True, help="replies: write report and rows to RESULTS/replies.")
def command(
    name: str,
    data: Path,
    as_json: bool,
    split: str,
    checkpoint: Path | None,
    results: Path,
    model: str | None,
    beside: str | None,
    cache: Path,
    configuration: str | None,
    table: bool,
    lines: Path | None,
    alarms: Path | None,
    judge: str | None,
    share: float,
    record: bool,
) -> None:
    """Measure a model on a public corpus.

    What ships is measured anew through the public API; where no weights ship (iemocap, mosi,
    emodb), or with --configuration, the figures are those of recorded runs. `runs` are mean and
    standard deviation over the recorded training runs, rescored from their stored test
    predictions. `behaviour` is the encoder of interaction events on simulated people, and what
    the times of real dialogues say alone. `fusion` is the dialogue model with borrowed voices and
    faces: it says nothing about people, and nor does `personalisation`: what learning from feedback
    gains, by simulated people. `users` is what a model that knows its user gains. `safety` is the
    safety protocol on labelled lines, `guard` the check of language models' drafts on labelled
    sentences, `replies` answers test talks with adaptation on and off, `monitor` is the watch over
    days on simulated people.
    """
    if name == "guard":
        from empathic_sdk.cli.safety import evaluate_drafts

        evaluate_drafts(as_json, checkpoint=checkpoint)
        return
    if name == "safety":
        from empathic_sdk.cli.safety import evaluate

        evaluate(
            as_json, lines=lines, alarms=alarms, data=data, split=split, results=results,
            checkpoint=checkpoint,
        )  # fmt: skip
        return
    if name == "replies":
        if checkpoint or model or beside or configuration or table:
            raise click.UsageError("replies has only --split, --cache, --judge, --share, --record")
        _replies(data, split, results, cache, judge, share, as_json=as_json, record=record)
        return
    if judge or share != 1.0 or record:
        raise click.UsageError("--judge, --share and --record are for replies")
    if name not in DIALOGUES and (configuration or table):
        raise click.UsageError(f"--configuration and --table are for {', '.join(DIALOGUES)}")
    if checkpoint and (configuration or name not in WITH_WEIGHTS):
        raise click.UsageError("recorded runs are scored from predictions: no --checkpoint")
    if beside and name != "ravdess":
        raise click.UsageError("--with is for ravdess")
    known = MODELS.get(name, ())
    if model and (model not in known or configuration):
        raise click.UsageError(
            f"{name} has no --model {model}" + (f"; it has {', '.join(known)}" if known else "")
        )
    model = model or (known[0] if known else None)
    measured: dict[str, Any] = {"data": data, "split": split, "results": results}
    report = (
        _recorded(name, measured, configuration)
        if configuration or name in ("iemocap", "mosi")
        else _shipped(name, measured, checkpoint, model, beside, cache)
    )
    if table:
        from empathic_sdk.lab.evaluation.tables import Runs
        from empathic_sdk.lab.evaluation.tables import table as table_of

        report["table"] = table_of(Runs(results, data, name))
    if as_json:
        click.echo(json.dumps(report))
        return
    _print(report)
    if table:
        _print_table(name, report["table"])


def _replies(
    data: Path,
    split: str,
    results: Path,
    cache: Path,
    judge: str | None,
    share: float,
    *,
    as_json: bool,
    record: bool,
) -> None:
    from empathic_sdk.lab.evaluation.replies import evaluate_replies
    from empathic_sdk.lab.evaluation.reply_figures import lines

    report = evaluate_replies(
        data=data, split=split, results=results, cache=cache, share=share, judge=judge,
        record=record,
    )  # fmt: skip
    click.echo(json.dumps(report) if as_json else "\n".join(lines(report)))


def _recorded(name: str, where: Mapping[str, Any], configuration: str | None) -> dict[str, Any]:
    from empathic_sdk.lab.evaluation.dialogue_models import evaluate_dialogue

    return evaluate_dialogue(name, **where, configuration=configuration)


def _shipped(
    name: str,
    where: Mapping[str, Any],
    checkpoint: Path | None,
    model: str | None,
    beside: str | None,
    cache: Path,
) -> dict[str, Any]:
    """Measure what ships, or the checkpoint; imports what the corpus needs."""
    given = {**where, "checkpoint": checkpoint}
    if name == "meld":
        from empathic_sdk.lab.evaluation.dialogue_models import evaluate_meld

        return evaluate_meld(**given, model=str(model))
    if name == "fusion":
        from empathic_sdk.lab.evaluation.fusion import evaluate_fusion

        return evaluate_fusion(**given, cache=cache)
    if name == "personalisation":
        from empathic_sdk.lab.evaluation.personalisation import evaluate_personalisation

        return evaluate_personalisation(
            data=where["data"], split=where["split"], cache=cache, checkpoint=checkpoint
        )
    if name == "users":
        from empathic_sdk.lab.evaluation.users import evaluate_users

        return evaluate_users(**where, cache=cache)
    if name == "strategy":
        from empathic_sdk.lab.evaluation.strategy import evaluate_strategy

        return evaluate_strategy(**given, cache=cache)
    if name == "monitor":
        from empathic_sdk.lab.evaluation.monitor import evaluate_monitor

        return evaluate_monitor(**where)
    if name == "behaviour":
        from empathic_sdk.lab.evaluation.behaviour_timing import evaluate_behaviour

        return evaluate_behaviour(**given)
    if name == "fer2013":
        from empathic_sdk.lab.evaluation.face_figures import evaluate_fer2013

        return evaluate_fer2013(**given, model=str(model))
    if name == "ravdess":
        from empathic_sdk.lab.evaluation.speech import evaluate_ravdess

        return evaluate_ravdess(
            **given, model=str(model), with_action_units=beside == "action-units"
        )
    if name == "emodb":
        from empathic_sdk.lab.evaluation.speech import evaluate_emodb

        if where["split"] != "test":
            raise click.UsageError("emodb is scored from recorded folds: there is only test")
        return evaluate_emodb(data=where["data"], results=where["results"], model=str(model))
    from empathic_sdk.lab.evaluation.text_runs import evaluate_text

    return evaluate_text(name, **given)


def _print(report: Mapping[str, Any]) -> None:
    click.echo(f"{report['dataset']} {report['split']}, n = {report['n']}, {report['model']}")
    if "configuration" in report:
        click.echo(f"  {report['configuration']}, figures of {report['run']}")
    width = max(20, *(len(k) for k, v in report.items() if isinstance(v, float)))
    _print_figures(report, width)
    for label, value in report.get("f1", {}).items():
        click.echo(f"    F1 {label:{width - 3}} {value:.4f}")
    for part in report.get("corpora", {}).values():  # of `behaviour`
        _print(part)
    if "cross_corpus" in report:
        other = report["cross_corpus"]
        click.echo(f"  trained on {other['trained_on']}, n = {other['n']}")
        _print_figures(other, width)


def _print_figures(report: Mapping[str, Any], width: int) -> None:
    """Print every figure, with its mean and spread over the recorded runs."""
    runs = report["runs"]
    for key, value in report.items():
        if isinstance(value, float):
            spread = runs.get(key)
            extra = (
                f"   ({runs['n']} runs: {spread['mean']:.4f} ± {spread['std']:.4f})"
                if spread
                else ""
            )
            click.echo(f"  {key:{width}} {value:.4f}{extra}")


def _print_table(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a configuration, under headings of their features and direction; percent."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from empathic_sdk.lab.evaluation.dialogue_figures import headline

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
    parts += ["groups"] if row["reweighted"] else []
    parts += [f"({row['tested']} of {row['runs']})"] if row["tested"] != row["runs"] else []
    return " ".join(parts)


def _percent(found: Mapping[str, float] | None) -> str:
    return f"{100 * found['mean']:.1f} ± {100 * found['std']:.1f}" if found else "–"
