"""``empathic bench`` and its parts ``dialogue``, ``media``, ``speech`` and ``store``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import (
    data_option,
    json_option,
)


@click.group(name="bench", invoke_without_command=True)
@json_option
@click.option("--turns", default=200, show_default=True, type=click.IntRange(min=20))
@click.option("--users", default=32, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--long", "long_turns", default=1000, show_default=True, type=click.IntRange(min=50),
    help="Turns of the one long talk.",
)  # fmt: skip
@click.pass_context
def command(context: click.Context, as_json: bool, turns: int, users: int, long_turns: int) -> None:
    """Measure speed and memory through the public API, on texts that are all different."""
    if context.invoked_subcommand is not None:
        return
    from empathic_sdk.lab.benchmarks.turns import bench

    report = bench(turns=turns, users=users, long_turns=long_turns)
    _print(report, as_json=as_json)


@command.command()
@json_option
@click.pass_context
def dialogue(context: click.Context, as_json: bool) -> None:
    """Measure how fast and how large the dialogue model is, by length of the dialogue."""
    from empathic_sdk.lab.benchmarks.dialogue import measure_dialogue

    report = measure_dialogue()
    if _as_json(context, as_json):
        click.echo(json.dumps(report))
        return
    by_length: dict[str, dict[int, Any]] = {}
    for key, value in report.items():
        if found := re.fullmatch(r"(.+)_n(\d+)", key):
            by_length.setdefault(found[1], {})[int(found[2])] = value
    lengths = sorted({n for row in by_length.values() for n in row})
    click.echo(f"{'utterances':32}" + "".join(f"{n:>11}" for n in lengths))
    for name, row in by_length.items():
        click.echo(f"{name:32}" + "".join(f"{row[n]:>11.2f}" for n in lengths))
    click.echo()
    _show({k: v for k, v in report.items() if not re.search(r"_n\d+$", k)})


@command.command()
@data_option
@json_option
@click.option("--turns", default=40, show_default=True, type=click.IntRange(min=5))
@click.pass_context
def media(context: click.Context, data: Path, as_json: bool, turns: int) -> None:
    """Measure turns with three seconds of speech and a face. Needs the extras speech and face."""
    from empathic_sdk.lab.benchmarks.media import bench_media

    report = bench_media(data=data, turns=turns)
    _print(report, as_json=_as_json(context, as_json))


@command.command()
@json_option
@click.pass_context
def speech(context: click.Context, as_json: bool) -> None:
    """Measure how long three seconds of speech take on one core. Needs the extra "speech"."""
    from empathic_sdk.lab.benchmarks.speech import measure_speech

    report = measure_speech()
    _print(report, as_json=_as_json(context, as_json))


@command.command()
@json_option
@click.option("--users", default=1000, show_default=True, type=click.IntRange(min=1))
@click.option("--turns", default=100_000, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the file goes for the while; about 0.8 kB a turn.  [default: a temporary one]",
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
    from empathic_sdk.lab.benchmarks.store import bench_erasure, bench_store

    if turns < users:
        raise click.UsageError("--turns must be at least --users")
    measure = bench_erasure if erasure else bench_store
    report = measure(users=users, turns=turns, folder=folder)
    _print(report, as_json=_as_json(context, as_json))


def _as_json(context: click.Context, asked: bool) -> bool:
    """Say whether JSON was asked for, of the part or of the group it belongs to."""
    return asked or (context.parent is not None and bool(context.parent.params["as_json"]))


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report))
    else:
        _show(report)


def _show(report: dict[str, Any]) -> None:
    for key, value in report.items():
        click.echo(f"{key:28} {value:.4g}" if isinstance(value, float) else f"{key:28} {value}")
