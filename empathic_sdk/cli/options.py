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
