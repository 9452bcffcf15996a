"""``empathic train RECIPE``: one command per recipe, generated from the recipe."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import click

from empathic_sdk.cli.options import (
    cache_option,
    data_folder,
    json_option,
    results_option,
    threads_option,
)

# Recipes whose commands are written out, by the name of their file.
_WRITTEN = {
    "guard": ("train_guard", "Fit the guard's second opinion on labelled sentences."),
    "safety": ("train_safety", "Tune the risk model on labelled lines and everyday conversation."),
}
_SHARED = {"results": results_option, "cache": cache_option}


class _Recipes(click.Group):
    """Finds recipes by their files, and imports one only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from empathic_sdk.lab.registry import recipes

        return sorted({*recipes(), *_WRITTEN})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in _WRITTEN:
            module = importlib.import_module(f"empathic_sdk.cli.{_WRITTEN[name][0]}")
            written: click.Command = getattr(module, name)
            return written
        return _command(name) if name in self.list_commands(ctx) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from empathic_sdk.lab.registry import recipes

        told = recipes() | {name: text for name, (_, text) in _WRITTEN.items()}
        with formatter.section("Recipes"):
            formatter.write_dl([(name, told[name]) for name in sorted(told)])


@click.group(name="train", cls=_Recipes)
def command() -> None:
    """Train a model from public corpora. Needs the extra "train"."""


def _command(name: str) -> click.Command:
    """Return the command of a recipe."""
    from empathic_sdk.lab.registry import UsageError
    from empathic_sdk.lab.registry import command as of_recipe

    recipe = of_recipe(name)
    numbers = {p.name for p in recipe.numbers()}

    def call(as_json: bool, threads: int | None = None, **given: Any) -> None:
        import torch

        if threads:
            torch.set_num_threads(threads)
        _say_how_it_goes()
        chosen = {k: given.pop(k) for k in numbers}
        try:
            done = recipe.run({k: v for k, v in chosen.items() if v not in (None, False)}, **given)
        except UsageError as error:
            raise click.UsageError(str(error)) from error
        if as_json:
            click.echo(json.dumps(done.as_json()))
        else:
            click.echo("\n".join(done.lines))

    options = [json_option, *([threads_option] if recipe.threads else [])]
    options += [_option(p, number=True) for p in recipe.numbers()]
    options += [_shared(p) or _option(p) for p in recipe.parameters()]
    for option in reversed(options):
        call = option(call)
    return click.command(name=name, help=recipe.help)(call)


def _shared(p: Any) -> Any:
    """Return the option that recipes share; a recipe that has data of its own needs no corpora."""
    if p.name == "data":
        return data_folder(required=p.default is Parameter.empty)
    return _SHARED.get(p.name)


def _option(p: Any, *, number: bool = False) -> Callable[..., Any]:
    """Return the option of a parameter; a number of a recipe is given only where it is named."""
    o, kind = p.option, p.type
    if p.name == "out" and not o.help:
        o = o._replace(help="Folder of the run.", default="runs/ and the name of the run")
    several = get_origin(kind) is tuple and not number
    if get_origin(kind) in (UnionType, tuple):
        kind = get_args(kind)[0]
    flag = o.flag or "--" + p.name.replace("_", "-")
    if kind is bool:
        return click.option(flag, p.name, is_flag=True, help=o.help)
    required = not number and p.default is Parameter.empty and p.name != "out"
    default = None if number or p.default in (Parameter.empty, None, ()) else p.default
    choices = o.choices() if callable(o.choices) else o.choices
    words = o.default or (str(p.default) if number and p.default is not None else "")
    told = f"{o.help}  [default: {words}]" if words and default is None else o.help
    text = get_origin(p.type) is tuple and number
    return click.option(
        flag, p.name, type=_type(kind, choices, o), required=required, multiple=several,
        show_default=default is not None, metavar=o.metavar, help=told,
        callback=_split if text else None, **({} if default is None else {"default": default}),
    )  # fmt: skip


def _split(ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    return tuple(value.split("+")) if value else None


def _type(kind: Any, choices: Any, o: Any) -> Any:
    if choices:
        return click.Choice(list(choices))
    if kind is Path:
        return click.Path(
            exists=o.exists, file_okay=not o.folder, dir_okay=o.folder, path_type=Path
        )
    if kind is int and o.low is not None:
        return click.IntRange(min=int(o.low))
    if kind is float and o.low is not None:
        return click.FloatRange(o.low, o.below, max_open=True)
    return kind if kind in (int, float) else str


def _say_how_it_goes() -> None:
    """Log the progress on dev to standard error."""
    log = logging.getLogger("empathic_sdk")
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.INFO)
