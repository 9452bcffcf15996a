"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def _folder(flag: str, variable: str | None, default: str, help: str) -> Callable[..., Any]:
    return click.option(
        flag, envvar=variable, type=click.Path(file_okay=False, path_type=Path),
        default=Path(default), show_default=True, show_envvar=True, help=help,
    )  # fmt: skip


def data_folder(*, required: bool) -> Callable[..., Any]:
    """Return the option ``--data``."""
    return click.option(
        "--data",
        envvar="EMPATHIC_DATA",
        required=required,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        show_envvar=True,
        help="Folder with the public corpora (see docs/data.md).",
    )


data_option = data_folder(required=True)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
seed_option = click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
results_option = _folder("--results", "EMPATHIC_RESULTS", "results", "Folder of the run records.")
cache_option = _folder(
    "--cache", None, "runs/cache", "Folder in which vectors are kept between runs."
)
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="Threads.  [default: all cores]"
)
