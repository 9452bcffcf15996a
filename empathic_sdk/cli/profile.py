"""``empathic profile list|show|export|reset-learning|erase``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from empathic_sdk.cli.options import json_option
from empathic_sdk.errors import StoreError

if TYPE_CHECKING:
    from empathic_sdk import ProfileStore

profiles_option = click.option(
    "--profiles",
    required=True,
    envvar="EMPATHIC_PROFILES",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The profile store.  [env: EMPATHIC_PROFILES]",
)


def _opened(path: Path) -> ProfileStore:
    from empathic_sdk import ProfileStore

    if not path.is_file():
        raise StoreError(f"there is no profile store at {path}")
    return ProfileStore(path)


@click.group(name="profile")
def command() -> None:
    """Look at, export and erase what is known of people."""


@command.command(name="list")
@profiles_option
@json_option
def list_users(profiles: Path, as_json: bool) -> None:
    """List the users."""
    with _opened(profiles) as store:
        users = store.users()
    click.echo(json.dumps({"users": users}) if as_json else "\n".join(users))


@command.command()
@click.argument("user")
@profiles_option
@json_option
def show(user: str, profiles: Path, as_json: bool) -> None:
    """Show in short what is known of USER."""
    with _opened(profiles) as store:
        person = store.get(user).model_dump(mode="json")
    if as_json:
        click.echo(json.dumps(person))
        return
    for key, value in person.items():
        if isinstance(value, list):
            value = ", ".join(map(str, value)) or "-"
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items()) or "-"
        click.echo(f"{key:14} {'-' if value is None else value}")


@command.command()
@click.argument("user")
@profiles_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
def export(user: str, profiles: Path, out: Path | None) -> None:
    """Write everything about USER as one JSON document."""
    with _opened(profiles) as store:
        text = json.dumps(store.export(user), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
    else:
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{out} cannot be written: {error.strerror}") from error
        click.echo(f"written to {out}")


@command.command(name="reset-learning")
@click.argument("user")
@profiles_option
def reset_learning(user: str, profiles: Path) -> None:
    """Forget what the feedback of USER taught; the feedback itself stays."""
    with _opened(profiles) as store:
        there = store.reset_learning(user)
    click.echo(f"reset {user!r}" if there else f"nothing was learned of {user!r}")


@command.command()
@click.argument("user")
@profiles_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(user: str, profiles: Path, yes: bool) -> None:
    """Erase everything about USER, for good."""
    with _opened(profiles) as store:
        if not yes:
            click.confirm(f"Erase everything about {user!r}? This cannot be undone", abort=True)
        turns = store.erase(user)
    click.echo(f"erased {user!r}: {turns} turns")
