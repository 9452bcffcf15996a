"""``empathic evaluate NAME``: a command for each row of the catalogue of benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import (
    cache_option,
    data_folder,
    json_option,
    results_option,
)
from empathic_sdk.cli.printing import print_report, print_table
from empathic_sdk.lab.evaluation.catalogue import BENCHMARKS, Benchmark

_FILE = click.Path(dir_okay=False, path_type=Path)
# Options by the parameter that they fill; a command has those that its function takes.
_OPTIONS: Mapping[str, Callable[..., Any]] = {
    "checkpoint": click.option(
        "--checkpoint",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Weights to measure.  [default: those that ship]",
    ),
    "cache": cache_option,
    "with_action_units": click.option(
        "--with",
        "with_action_units",
        type=click.Choice(["action-units"]),
        callback=lambda _context, _option, value: value is not None,
        help="Fuse the voice with the action units of the clips' videos.",
    ),
    "configuration": click.option(
        "--configuration", metavar="NAME", help="Recorded runs of this name."
    ),
    "table": click.option("--table", is_flag=True, help="Every recorded configuration."),
    "lines": click.option(
        "--lines", type=_FILE, help="The held-out lines.  [default: those of the package]"
    ),
    "alarms": click.option(
        "--alarms",
        type=_FILE,
        help="File that every alarm over ESConv and DailyDialog is written to, to be read.",
    ),
    "judge": click.option(
        "--judge",
        metavar="MODEL",
        help="A chat model, such as openai:gpt-4o-mini, that rates some of the replies by a "
        "rubric. It is sent what people said in the corpora.",
    ),
    "share": click.option(
        "--share",
        type=click.FloatRange(0, 1, min_open=True),
        default=1.0,
        show_default=True,
        help="Draw only this share of the conversations.",
    ),
    "record": click.option(
        "--record", is_flag=True, help="Write report and rows to RESULTS/replies."
    ),
}
# Functions that print a report in its own way.
_SHOWN = {
    "replies": "empathic_sdk.cli.evaluate:show_replies",
    "safety": "empathic_sdk.cli.safety:show_safety",
    "guard": "empathic_sdk.cli.safety:show_guard",
}


class _Benchmarks(click.Group):
    """Imports a benchmark only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(BENCHMARKS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return _command(name, BENCHMARKS[name]) if name in BENCHMARKS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Names"):
            formatter.write_dl([(name, row.help) for name, row in BENCHMARKS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Also accept options before the name: they belong to the command of that name."""
        named = next((i for i, arg in enumerate(args) if arg in BENCHMARKS), 0)
        return super().parse_args(
            ctx, [*args[named : named + 1], *args[:named], *args[named + 1 :]]
        )


@click.group(name="evaluate", cls=_Benchmarks)
def command() -> None:
    """Measure a model on a public corpus. Needs the extra "train".

    Shipped weights are measured anew through the public API. Without them, or with
    --configuration, the figures are those of recorded runs. `runs` are mean and standard deviation
    over the recorded training runs, rescored from their stored test predictions.
    """


def _command(name: str, row: Benchmark) -> click.Command:
    """Return the command of one benchmark, with the options that its function takes."""
    known = row.parameters()

    def run(as_json: bool, model: str | None = None, **given: Any) -> None:
        if given.get("configuration") and (model or given.get("checkpoint")):
            raise click.UsageError(
                "recorded runs are scored from their predictions: no --model, no --checkpoint"
            )
        if row.models:
            given["model"] = model or row.models[0]
        report = row.load()(**{key: value for key, value in given.items() if key in known})
        module, _, function = _SHOWN.get(name, "empathic_sdk.cli.evaluate:show").partition(":")
        print_report(report, as_json, getattr(import_module(module), function))

    made = click.command(name=name, help=row.help)(run)
    for option in _options(row, known):
        made = option(made)
    return made


def _options(row: Benchmark, known: set[str]) -> Iterator[Callable[..., Any]]:
    # Every command accepts these, so that one loop can go through all names.
    yield data_folder(required="data" in known)
    yield json_option
    yield click.option("--split", type=click.Choice(row.splits), default="test", show_default=True)
    yield results_option
    if row.models:
        yield click.option(
            "--model", type=click.Choice(row.models), help=f"[default: {row.models[0]}]"
        )
    yield from (option for key, option in _OPTIONS.items() if key in known)


def show(report: Mapping[str, Any]) -> None:
    """Print every figure, with its mean and spread over the recorded runs, and tables below it."""
    click.echo(f"{report['dataset']} {report['split']}, n = {report['n']}, {report['model']}")
    if "configuration" in report:
        click.echo(f"  {report['configuration']}, figures of {report['run']}")
    print_table(("", "", ""), [*_figures(report), *(
        (f"    F1 {label}", value) for label, value in report.get("f1", {}).items()
    )])  # fmt: skip
    for part in report.get("corpora", {}).values():  # of `behaviour`
        show(part)
    if "cross_corpus" in report:
        other = report["cross_corpus"]
        click.echo(f"  trained on {other['trained_on']}, n = {other['n']}")
        print_table(("", "", ""), _figures(other))
    if "table" in report:
        show_configurations(report["dataset"], report["table"])


def _figures(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    runs = report["runs"]
    for key, value in report.items():
        if isinstance(value, float):
            over = runs.get(key)
            spread = f"({runs['n']} runs: {over['mean']:.4f} ± {over['std']:.4f})" if over else ""
            yield f"  {key}", value, spread


def show_configurations(name: str, rows: list[Mapping[str, Any]]) -> None:
    """Print one line per configuration, under headings of features and direction; percent."""
    from empathic_sdk.lab.evaluation.dialogue_figures import headline

    key = headline(name)
    every = max(len(row["modalities"]) for row in rows)
    lines: list[tuple[str, ...]] = []
    place = None
    for row in rows:
        if place != (place := (row["features"], row["direction"])):
            lines.append((", ".join(place),))
        test, ahead = row["test"], row["bootstrap"]
        shift = test.get("shift_f1", test.get("shift_f1_labels"))
        found = [row["dev"], *(test.get(k) for k in (key, "macro_f1", "ece")), shift]
        by = [100 * ahead[k] for k in ("difference", "low", "high")] if ahead else []
        lines.append((
            _described(row, every),
            *(f"{100 * f['mean']:.1f} ± {100 * f['std']:.1f}" if f else "–" for f in found),
            "{:+.1f} [{:+.1f}, {:+.1f}]".format(*by) if by else "",
        ))  # fmt: skip
    print_table(
        ("", "dev", key.replace("_f1", " F1"), "macro F1", "ECE", "shift F1", "mdget ahead by"),
        lines, title=f"{name} test, percent: mean ± standard deviation",
    )  # fmt: skip


def _described(row: Mapping[str, Any], every: int) -> str:
    """Name a configuration below its heading: its model, and what sets it apart."""
    parts = [f"  {row['model']}"]
    parts += ["+".join(row["modalities"])] if len(row["modalities"]) != every else []
    parts += [row["ablation"]] if row["ablation"] != "full" else []
    parts += ["timing"] if row["timing"] else []
    parts += ["groups"] if row["reweighted"] else []
    parts += [f"({row['tested']} of {row['runs']})"] if row["tested"] != row["runs"] else []
    return " ".join(parts)


def show_replies(report: Mapping[str, Any]) -> None:
    """Print figures of replies with adaptation, without it, and by people."""
    from empathic_sdk.lab.evaluation.reply_figures import CONDITIONS

    for corpus in report["dataset"].split("+"):
        part = report[corpus]
        rows = []
        for name in part["on"]:
            gap = part["difference"].get(name)
            if gap is None:
                rows.append((name, *(part[who][name] for who in CONDITIONS)))
                continue
            cells = [part[who].get(name, {}).get("value") for who in CONDITIONS]
            between = "{difference:+.3f} [{low:+.3f}, {high:+.3f}]".format(**gap)
            rows.append((f"  {name}", *cells, between))
        print_table(
            ("", *CONDITIONS, "on - off [95 %]"), rows, digits=3,
            title=f"{corpus}: {part['talks']} conversations, {part['n']} replies per condition",
        )  # fmt: skip
    print_table(
        ("classifier, held out", "accuracy", "majority", "AUC"),
        ((kind, found["accuracy"], found["majority"], found["auc"])
         for kind, found in report["classifier"]["held_out"].items()),
        digits=3,
    )  # fmt: skip
