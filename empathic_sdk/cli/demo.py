"""``empathic demo``: the Gradio app."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="demo")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535))
@click.option("--open/--no-open", "open_browser", default=False, help="Open a browser window.")
@click.option("--share", is_flag=True, help="Publish it through Gradio's tunnel. Off by default.")
@click.option(
    "--auth",
    metavar="NAME:PASSWORD",
    multiple=True,
    envvar="EMPATHIC_DEMO_AUTH",
    help="Ask visitors to log in. May be given several times; also read from EMPATHIC_DEMO_AUTH, "
    "where other programs of the machine do not see it.",
)
@click.option(
    "--host-name",
    "host_names",
    metavar="NAME",
    multiple=True,
    help="Name under which visitors reach it, without scheme and port. May be given several "
    "times.  [default: this machine's own names]",
)
@click.option(
    "--proxy",
    "proxies",
    metavar="ADDRESS",
    multiple=True,
    help="Address of a proxy in front of it that is believed when it says who asks.",
)
@click.option(
    "--profiles",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to remember visitors in.  [default: in memory]",
)
def command(
    host: str,
    port: int,
    open_browser: bool,
    share: bool,
    auth: tuple[str, ...],
    host_names: tuple[str, ...],
    proxies: tuple[str, ...],
    profiles: Path | None,
) -> None:
    """Open the demo: counselling, tutoring, and a look inside."""
    logins: list[tuple[str, str]] = []
    for pair in auth:
        name, colon, password = pair.partition(":")
        if not (name and colon and password):
            raise click.BadParameter("write it as NAME:PASSWORD", param_hint="--auth")
        logins.append((name, password))
    from empathic_sdk.demo import launch

    launch(
        host=host,
        port=port,
        open_browser=open_browser,
        share=share,
        auth=logins or None,
        profiles=profiles,
        host_names=host_names,
        proxies=proxies,
    )
