"""``empathic safety report``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from empathic_sdk.cli.options import (
    json_option,
)
from empathic_sdk.cli.profile import opened, profiles_option


@click.group(name="safety")
def command() -> None:
    """Count referrals without names."""


@command.command()
@profiles_option
@json_option
@click.option(
    "--by",
    type=click.Choice(["day", "month", "year"]),
    default="month",
    show_default=True,
    help="How long a period is.",
)
def report(profiles: Path, as_json: bool, by: str) -> None:
    """Print how often the protocol acted: counts a period, level, step and locale.

    No names, no texts. A count under 5 is shown as "<5".
    """
    with opened(profiles) as store:
        rows = store.referrals(by=by)
    if as_json:
        click.echo(json.dumps({"by": by, "referrals": rows}))
        return
    if not rows:
        click.echo("nothing was counted")
        return
    for row in rows:
        count = "<5" if row["count"] is None else row["count"]
        click.echo(
            f"{row['period']:10} {row['level']:9} {row['step']:26} {row['locale']:6} {count:>6}"
        )
