"""``empathic profile list|show|export|schema|reset-learning|erase|check|backup|counts``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from empathic_sdk.cli.options import (
    json_option,
)
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


def opened(path: Path) -> ProfileStore:
    """Open an existing store; raise ``StoreError`` if there is none."""
    from empathic_sdk import ProfileStore

    if not path.is_file():
        raise StoreError(f"there is no profile store at {path}")
    return ProfileStore(path)


@click.group(name="profile")
def command() -> None:
    """Inspect, export and erase stored profiles."""


@command.command(name="list")
@profiles_option
@json_option
def list_users(profiles: Path, as_json: bool) -> None:
    """List the users."""
    with opened(profiles) as store:
        users = store.users()
    click.echo(json.dumps({"users": users}) if as_json else "\n".join(users))


@command.command()
@click.argument("user")
@profiles_option
@json_option
def show(user: str, profiles: Path, as_json: bool) -> None:
    """Show a summary of what is known about USER."""
    with opened(profiles) as store:
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
    with opened(profiles) as store:
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
    with opened(profiles) as store:
        there = store.reset_learning(user)
    click.echo(f"reset {user!r}" if there else f"nothing was learned of {user!r}")


@command.command()
def schema() -> None:
    """Print the JSON schema of an export."""
    from empathic_sdk import ProfileStore

    click.echo(json.dumps(ProfileStore.schema(), indent=2))


@command.command()
@click.argument("user")
@profiles_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(user: str, profiles: Path, yes: bool) -> None:
    """Erase everything about USER, for good."""
    with opened(profiles) as store:
        if not yes:
            click.confirm(f"Erase everything about {user!r}? This cannot be undone", abort=True)
        turns = store.erase(user)
    click.echo(f"erased {user!r}: {turns} turns")


@command.command()
@profiles_option
@json_option
@click.pass_context
def check(context: click.Context, profiles: Path, as_json: bool) -> None:
    """Look for damage: the file, its references, its totals. Exit status 1 where there is any."""
    with opened(profiles) as store:
        found = store.check()
    if as_json:
        click.echo(json.dumps({"sound": not found, "problems": found}))
    else:
        click.echo("\n".join(found) or "sound")
    context.exit(1 if found else 0)


@command.command()
@click.argument("dest", type=click.Path(dir_okay=False, path_type=Path))
@profiles_option
@click.option("--force", is_flag=True, help="Replace an existing file.")
def backup(dest: Path, profiles: Path, force: bool) -> None:
    """Copy the store to DEST while others use it."""
    with opened(profiles) as store:
        place = store.backup(dest, overwrite=force)
    click.echo(f"written to {place} ({place.stat().st_size:,} bytes)")


@command.command()
@click.argument("what", default="emotions", type=click.Choice(["emotions", "safety"]))
@profiles_option
@json_option
@click.option("--epsilon", required=True, type=float, help="What this question spends.")
@click.option("--budget", type=float, help="First set the whole budget of the store to this.")
def counts(what: str, profiles: Path, as_json: bool, epsilon: float, budget: float | None) -> None:
    """Count people by WHAT, with noise that hides each of them (differential privacy)."""
    with opened(profiles) as store:
        if budget is not None:
            store.privacy_budget(budget)
        answer = store.counts(what, epsilon=epsilon)
    if as_json:
        click.echo(json.dumps(answer))
        return
    for name, people in answer["counts"].items():
        click.echo(f"{name:14} {people}")
    click.echo(
        f"each off by at most {answer['off_by_95']}, 19 times out of 20; "
        f"epsilon left: {answer['left']:g}"
    )
