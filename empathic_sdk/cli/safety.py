"""``empathic safety report``, and what ``empathic evaluate safety`` and ``guard`` print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    """Print how often the protocol acted: counts per period, level, step and locale.

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


def show_safety(report: Mapping[str, Any]) -> None:
    """Print what ``empathic evaluate safety`` found."""
    click.echo(f"safety {report['split']}, n = {report['n']}")
    for title in ("", "dialogues", "signs"):
        part = report.get(title, {}) if title else report
        for key in ("recall", "false_alarm_rate") if part else ():
            click.echo(f"  {f'{title} {key}'.strip():28} {_interval(part['intervals'][key])}")
    for category, found in report["categories"].items():
        click.echo(f"    alarmed, {category:18} {_interval(found)}")
    for corpus, found in report.get("alarms", {}).items():
        click.echo(f"  alarms, all turns, {corpus:11} {_interval(found['interval'])}")


def show_guard(report: Mapping[str, Any]) -> None:
    """Print what ``empathic evaluate guard`` found."""
    click.echo(f"guard, n = {report['n']}")
    for title in ("", "patterns", "model"):
        part = report[title] if title else report
        for key, found in part["intervals"].items():
            click.echo(f"  {f'{title} {key}'.strip():28} {_interval(found)}")
    for reason, found in report["reasons"].items():
        click.echo(f"    refused, {reason:18} {_interval(found)}")
    for split, part in report["supporters"].items():
        for key in (
            "refused", "claims_refused", "other_refused", "harmless_refused", "grave_refused"
        ):  # fmt: skip
            click.echo(f"  ESConv {split}, {key:17} {_interval(part[key])}")
        for reason, found in part["reasons"].items():
            click.echo(f"    ESConv {split}, {reason:14} {_interval(found)}")


def _interval(found: Mapping[str, float]) -> str:
    return "{value:.4f}  [{low:.4f}, {high:.4f}]  n = {n}".format(**found)
