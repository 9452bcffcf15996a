"""``empathic demo``: the Gradio app."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="demo")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535))
@click.option("--open/--no-open", "open_browser", default=False, help="Open a browser window.")
@click.option("--share", is_flag=True, help="Publish it through Gradio's tunnel. Off by default.")
@click.option("--auth", metavar="NAME:PASSWORD", help="Ask visitors to log in.")
@click.option(
    "--profiles",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to remember visitors in.  [default: in memory]",
)
def command(
    host: str, port: int, open_browser: bool, share: bool, auth: str | None, profiles: Path | None
) -> None:
    """Open the demo: counselling, tutoring, and a look inside."""
    login: tuple[str, str] | None = None
    if auth is not None:
        name, colon, password = auth.partition(":")
        if not (name and colon and password):
            raise click.BadParameter("write it as NAME:PASSWORD", param_hint="--auth")
        login = (name, password)
    from empathic_sdk.demo import launch

    launch(
        host=host,
        port=port,
        open_browser=open_browser,
        share=share,
        auth=login,
        profiles=profiles,
    )
