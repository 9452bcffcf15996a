"""``empathic audit``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import data_option, json_option, results_option


@click.command(name="audit")
@data_option
@json_option
@results_option
def command(data: Path, as_json: bool, results: Path) -> None:
    """Compare accuracy, recall and calibration between groups of people.

    Only where a corpus says who speaks, and from stored test predictions. It also says which
    groups nothing is known of.
    """
    from empathic_sdk.lab.evaluation.audit import audit

    report = audit(data=data, results=results)
    if as_json:
        click.echo(json.dumps(report))
        return
    for part in report["audits"]:
        _print(part)
    if report["reweighting"]:
        _print_reweighting(report["reweighting"])
    click.echo("\nno data")
    for group, why in report["no_data"].items():
        click.echo(f"  {group}: {why}")
    for name, why in report["left_out"].items():
        click.echo(f"left out: {name}: {why}")


def _print(part: Mapping[str, Any]) -> None:
    ships = "ships" if part["ships"] else "does not ship"
    click.echo(f"\n{part['audit']}, n = {part['n']}, {part['model']} ({ships})")
    click.echo(f"  {part['caution']}")
    for name, found in part["attributes"].items():
        click.echo(f"  {name:22} {'n':>6} {'accuracy':>9} {'UAR':>7} {'ECE':>7}")
        for group, g in found["groups"].items():
            click.echo(
                f"    {group:20} {g['n']:6} {g['accuracy']:9.3f} {g['uar']:7.3f} {g['ece']:7.3f}"
            )
        for metric, gap in found["gaps"].items():
            more = ""
            if "runs" in found:
                run = found["runs"][metric]
                more = f"; {found['runs']['n']} runs {run['mean']:+.3f} ± {run['std']:.3f}"
            if "by_chance" in gap:
                more = f"; {gap['by_chance']:.3f} by chance, p = {gap['p']:.3f}"
            click.echo(
                f"    {metric}: {' - '.join(gap['of'])} {gap['difference']:+.3f} "
                f"[{gap['low']:+.3f}, {gap['high']:+.3f}] over {found['unit']}s{more}"
            )


def _print_reweighting(found: Mapping[str, Any]) -> None:
    click.echo(
        f"\nreweighting by {found['attribute']}, {found['model']}, {len(found['seeds'])} seeds"
    )
    for key in found["without"]:
        cells = "  ".join(
            f"{kind} {found[kind][key]['mean']:+.4f} ± {found[kind][key]['std']:.4f}"
            for kind in ("without", "with", "change")
        )
        click.echo(f"  {key:22} {cells}")
