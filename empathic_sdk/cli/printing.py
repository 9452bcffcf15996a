"""How commands print: a report as one object, or tables in plain text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click


def print_report(report: Mapping[str, Any], as_json: bool, show: Callable[[Any], None]) -> None:
    """Print a report as one line of JSON, or as ``show`` does."""
    if as_json:
        click.echo(json.dumps(report))
    else:
        show(report)


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", digits: int = 4
) -> None:
    """Print rows below their headings: words to the left in the first column, figures right.

    A row of one cell is a heading of those after it. Floats get ``digits`` behind the point,
    ``None`` is a dash.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def written(cell: object) -> str:
        if cell is None:
            return "–"
        return f"{cell:.{digits}f}" if isinstance(cell, float) else str(cell)

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=any(head))
    for k, name in enumerate(head):
        table.add_column(name, justify="right" if k else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(written(c), "bold" if len(row) == 1 else "") for c in row))
    if title:
        click.echo(title)
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)
