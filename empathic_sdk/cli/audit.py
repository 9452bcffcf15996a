"""``empathic audit``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from empathic_sdk.cli.options import data_option, json_option, results_option
from empathic_sdk.cli.printing import print_report, print_table


@click.command(name="audit")
@data_option
@json_option
@results_option
def command(data: Path, as_json: bool, results: Path) -> None:
    """Compare accuracy, recall and calibration between groups of people.

    Uses stored test predictions of corpora that describe their speakers. It also lists groups
    without data.
    """
    from empathic_sdk.lab.evaluation.audit import audit

    print_report(audit(data=data, results=results), as_json, _show)


def _show(report: Mapping[str, Any]) -> None:
    for part in report["audits"]:
        ships = "ships" if part["ships"] else "does not ship"
        click.echo(f"\n{part['audit']}, n = {part['n']}, {part['model']} ({ships})")
        click.echo(f"  {part['caution']}")
        for name, found in part["attributes"].items():
            print_table((f"  {name}", "n", "accuracy", "UAR", "ECE"), (
                (f"    {group}", g["n"], g["accuracy"], g["uar"], g["ece"])
                for group, g in found["groups"].items()
            ), digits=3)  # fmt: skip
            print_table(("", "gap", "", ""), _gaps(found))
    if report["reweighting"]:
        _show_reweighting(report["reweighting"])
    click.echo("\nno data")
    for group, why in report["no_data"].items():
        click.echo(f"  {group}: {why}")
    for name, why in report["left_out"].items():
        click.echo(f"left out: {name}: {why}")


def _gaps(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield each gap with its interval, and how it is over the runs or by chance."""
    for metric, gap in found["gaps"].items():
        more = ""
        if "runs" in found:
            more = "{n} runs {mean:+.3f} ± {std:.3f}".format(
                n=found["runs"]["n"], **found["runs"][metric]
            )
        if "by_chance" in gap:
            more = f"{gap['by_chance']:.3f} by chance, p = {gap['p']:.3f}"
        interval = "{difference:+.3f} [{low:+.3f}, {high:+.3f}]".format(**gap)
        yield f"    {metric}: {' - '.join(gap['of'])}", interval, f"over {found['unit']}s", more


def _show_reweighting(found: Mapping[str, Any]) -> None:
    kinds = ("without", "with", "change")
    click.echo(
        f"\nreweighting by {found['attribute']}, {found['model']}, {len(found['seeds'])} seeds"
    )
    print_table(("", *kinds), (
        (f"  {key}", *("{mean:+.4f} ± {std:.4f}".format(**found[kind][key]) for kind in kinds))
        for key in found["without"]
    ))  # fmt: skip
