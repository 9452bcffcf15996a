"""``empathic bench`` and its parts ``dialogue``, ``media``, ``speech`` and ``store``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import data_option, json_option
from empathic_sdk.cli.printing import print_report, print_table


def _count(flag: str, default: int, least: int, help: str | None = None) -> Callable[..., Any]:
    return click.option(
        flag, default=default, show_default=True, type=click.IntRange(min=least), help=help
    )


@click.group(name="bench", invoke_without_command=True)
@json_option
@_count("--turns", 200, 20)
@_count("--users", 32, 2)
@_count("--long", 1000, 50, "Turns of the one long conversation.")
@click.pass_context
def command(context: click.Context, as_json: bool, turns: int, users: int, long: int) -> None:
    """Measure speed and memory through the public API, on texts that are all different."""
    if context.invoked_subcommand is None:
        from empathic_sdk.lab.benchmarks.turns import bench

        _print(context, as_json, bench(turns=turns, users=users, long_turns=long))


@command.command()
@json_option
@click.pass_context
def dialogue(context: click.Context, as_json: bool) -> None:
    """Measure how fast and how large the dialogue model is, by length of the dialogue."""
    from empathic_sdk.lab.benchmarks.dialogue import measure_dialogue

    _print(context, as_json, measure_dialogue())


@command.command()
@data_option
@json_option
@_count("--turns", 40, 5)
@click.pass_context
def media(context: click.Context, data: Path, as_json: bool, turns: int) -> None:
    """Measure turns with three seconds of speech and a face. Needs the extras speech and face."""
    from empathic_sdk.lab.benchmarks.media import bench_media

    _print(context, as_json, bench_media(data=data, turns=turns))


@command.command()
@json_option
@click.pass_context
def speech(context: click.Context, as_json: bool) -> None:
    """Measure how long three seconds of speech take on one core. Needs the extra "speech"."""
    from empathic_sdk.lab.benchmarks.speech import measure_speech

    _print(context, as_json, measure_speech())


@command.command()
@json_option
@_count("--users", 1000, 1)
@_count("--turns", 100_000, 1)
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Path of the temporary file; about 0.8 kB per turn.  [default: a temporary one]",
)  # fmt: skip
@click.option("--erasure", is_flag=True, help="Measure erasing people, and who waits meanwhile.")
@click.pass_context
def store(
    context: click.Context,
    as_json: bool,
    users: int,
    turns: int,
    folder: Path | None,
    erasure: bool,
) -> None:
    """Measure looking up and recording in a store of many people and turns, made up for it."""
    from empathic_sdk.lab.benchmarks.erasure import bench_erasure
    from empathic_sdk.lab.benchmarks.store import bench_store

    if turns < users:
        raise click.UsageError("--turns must be at least --users")
    measure = bench_erasure if erasure else bench_store
    _print(context, as_json, measure(users=users, turns=turns, folder=folder))


def _print(context: click.Context, as_json: bool, report: Mapping[str, Any]) -> None:
    """Print as JSON if the command or its group was given ``--json``."""
    above = context.parent.params.get("as_json", False) if context.parent else False
    print_report(report, as_json or above, _show)


def _show(report: Mapping[str, Any]) -> None:
    """Print one row per figure; those that end in ``_n{n}`` side by side, by length ``n``."""
    by_length: dict[str, dict[int, Any]] = {}
    alone = []
    for key, value in report.items():
        if found := re.fullmatch(r"^(.+)_n(\d+)", key):
            by_length.setdefault(found[1], {})[int(found[2])] = value
        else:
            alone.append((key, f"{value:.4g}" if isinstance(value, float) else value))
    if by_length:
        lengths = sorted({n for row in by_length.values() for n in row})
        print_table(
            ("utterances", *map(str, lengths)),
            ((name, *map(row.get, lengths)) for name, row in by_length.items()), digits=2,
        )  # fmt: skip
    print_table(("", ""), alone)
