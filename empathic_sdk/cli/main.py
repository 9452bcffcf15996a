"""Entry point: gathers the commands, turns our errors into one clear line."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from empathic_sdk import __version__
from empathic_sdk.errors import EmpathicError, MissingExtraError
from empathic_sdk.runtime.extras import extra_of

# Where each command lives; a file is imported only when its command is asked for, so that
# `empathic --help` answers at once.
_COMMANDS = {
    "chat": ("chat", "Chat with the embedded agent in the terminal."),
    "recognize": ("recognize", "Recognise the emotions in a text or a JSONL dialogue."),
    "demo": ("demo", "Open the Gradio demo."),
    "train": ("train", "Train a model from public corpora."),
    "export": ("export", "Write a trained network as ONNX."),
    "evaluate": ("evaluate", "Measure a model on a public corpus."),
    "report": ("report", "Write a page on a dialogue model: figures, tables, one dialogue."),
    "bench": ("bench", "Measure speed and memory through the public API."),
    "safety": ("safety", "Count referrals without names."),
    "audit": ("audit", "Compare groups of people: accuracy, recall, calibration."),
    "profile": ("profile", "Inspect, export and erase stored profiles."),
}


class _Lazy(click.Group):
    """Imports a command on demand, and prints our errors as one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"empathic_sdk.cli.{_COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EmpathicError as error:
            click.echo(f"empathic: {error}", err=True)
            ctx.exit(1)
        except ModuleNotFoundError as error:
            extra = extra_of(error)
            if extra is None:
                raise
            click.echo(f"empathic: {MissingExtraError(extra, 'this command')}", err=True)
            ctx.exit(1)
        except BrokenPipeError:  # `empathic recognize ... | head`
            sys.stderr.close()
            ctx.exit(0)
        except OSError as error:  # a folder without permission, a full disk
            if error.filename is None:
                raise
            click.echo(f"empathic: {error.filename}: {error.strerror}", err=True)
            ctx.exit(1)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__,
    prog_name="empathic",
    message=(
        "%(prog)s, version %(version)s\n"
        "code: Apache-2.0; the weights that ship: CC BY-NC-SA 4.0, for non-commercial use"
    ),
)
def main() -> None:
    """Conversational agents that notice how a person feels and answer accordingly."""
