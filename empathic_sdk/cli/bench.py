"""``empathic bench``."""

from __future__ import annotations

import json

import click

from empathic_sdk.cli.options import json_option


@click.command(name="bench")
@json_option
@click.option("--turns", default=200, show_default=True, type=click.IntRange(min=20))
@click.option("--users", default=32, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--long", "long_turns", default=1000, show_default=True, type=click.IntRange(min=50),
    help="Turns of the one long talk.",
)  # fmt: skip
def command(as_json: bool, turns: int, users: int, long_turns: int) -> None:
    """Measure speed and memory through the public API, on texts that are all different."""
    from empathic_sdk.evaluation.bench import bench

    report = bench(turns=turns, users=users, long_turns=long_turns)
    if as_json:
        click.echo(json.dumps(report))
        return
    for key, value in report.items():
        click.echo(f"{key:28} {value:.4g}" if isinstance(value, float) else f"{key:28} {value}")
