"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

data_option = click.option(
    "--data",
    envvar="EMPATHIC_DATA",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the public corpora (see docs/data.md).  [env: EMPATHIC_DATA]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
seed_option = click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
results_option = click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the run records.",
)
cache_option = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/cache"),
    show_default=True,
    help="Folder in which vectors are kept between runs.",
)
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="Threads.  [default: all cores]"
)
