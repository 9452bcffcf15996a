"""Names for what the lab can build: recipes with their commands, and dialogue models.

A recipe is a file in ``lab/recipes`` with a ``COMMAND``; the command line finds it there. A
dialogue model is a builder in a file of ``lab/baselines`` that is registered by
:func:`dialogue_model`. To add one is to add a file.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from empathic_sdk.errors import ConfigurationError, MissingExtraError
from empathic_sdk.lab.records import RunRecord

RECIPES = "empathic_sdk.lab.recipes"
MODELS = "empathic_sdk.lab.baselines"

Builder = Callable[[Mapping[str, int], int, Mapping[str, Any]], Any]
"""From the feature width of each modality, the number of classes and the recipe's numbers to a
network with fresh weights."""


class UsageError(ConfigurationError):
    """Options were given that do not go together."""


class Option(NamedTuple):
    """What the command line says of a parameter or number beside its type and default.

    Attributes:
        help: In a sentence; of a recipe's number, what its docstring says by default.
        choices: What it may be.
        low: Least value.
        below: What it must stay below.
        exists: Whether a path must be there.
        flag: How the option is called, if not as the parameter.
        metavar: What stands for its value.
        default: How the default is described, where it is none.
        folder: Whether a path is that of a folder.
    """

    help: str = ""
    choices: Sequence[str] | Callable[[], Sequence[str]] = ()
    low: float | None = None
    below: float | None = None
    exists: bool = False
    flag: str = ""
    metavar: str | None = None
    default: str = ""
    folder: bool = True


class Parameter(NamedTuple):
    """One parameter of a command: its name, plain type, default and option."""

    name: str
    type: Any
    default: Any
    option: Option


class Outcome(NamedTuple):
    """What a command has done: the record, and what is said of it in plain lines."""

    record: RunRecord | Mapping[str, Any]
    lines: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the record as one JSON object."""
        return self.record.as_json() if isinstance(self.record, RunRecord) else dict(self.record)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What ``empathic train NAME`` does.

    Attributes:
        run: Called with the recipe's numbers that were given, as a mapping, and its own keyword
            parameters; its docstring is the help. Those that are annotated with an
            :class:`Option` become options; ``data``, ``results``, ``cache`` and ``out`` are the
            same for all commands.
        recipe: The dataclass of the recipe. Its annotated fields become options.
        only: Of these fields, those that this command offers; default: all.
        threads: Whether the number of threads can be set.
    """

    run: Callable[..., Outcome]
    recipe: type | None = None
    only: Sequence[str] | None = None
    threads: bool = True

    @property
    def help(self) -> str:
        """The docstring of :attr:`run`, without its list of arguments."""
        return re.split(r"\n\n(?:Args|Returns|Raises):", inspect.getdoc(self.run) or "")[0]

    def numbers(self) -> list[Parameter]:
        """Return the numbers of the recipe that can be given."""
        if self.recipe is None:
            return []
        told = _attributes(self.recipe)
        hints = get_type_hints(self.recipe, include_extras=True)
        found = []
        for f in fields(self.recipe):
            option = _option(hints[f.name])
            if option is None or (self.only is not None and f.name not in self.only):
                continue
            default = None if f.default is MISSING else f.default
            option = option if option.help else option._replace(help=told[f.name])
            found.append(Parameter(f.name, get_args(hints[f.name])[0], default, option))
        return found

    def parameters(self) -> list[Parameter]:
        """Return the further parameters of :attr:`run`, all by keyword."""
        found = []
        for p in inspect.signature(self.run, eval_str=True).parameters.values():
            if p.kind is inspect.Parameter.KEYWORD_ONLY:
                option = _option(p.annotation)
                kind = p.annotation if option is None else get_args(p.annotation)[0]
                found.append(Parameter(p.name, kind, p.default, option or Option()))
        return found


def _option(annotation: Any) -> Option | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((a for a in get_args(annotation)[1:] if isinstance(a, Option)), None)


def _attributes(of: type) -> dict[str, str]:
    """Return what the section ``Attributes`` of a docstring says of each."""
    part = (inspect.getdoc(of) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", part, re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "") for name, text in entries}


def recipes() -> dict[str, str]:
    """Return the names of all recipes that have a command, and what each is, importing none."""
    found = {}
    for name, source in _sources(RECIPES):
        tree = ast.parse(source)
        told = ast.get_docstring(tree) or ""
        if any(_assigns(node, "COMMAND") for node in tree.body):
            line = " ".join(told.split("\n\n")[0].split())
            found[name] = re.sub(r"^Recipe ``\w+``: (.)", lambda m: m[1].upper(), line)
    return found


def command(name: str) -> Command:
    """Return the command of a recipe.

    Raises:
        ConfigurationError: There is no such recipe.
        MissingExtraError: The extra ``train`` is not installed.
    """
    if name not in recipes():
        raise ConfigurationError(f"no recipe is named {name!r}; there are {', '.join(recipes())}")
    try:
        found: Command = importlib.import_module(f"{RECIPES}.{name}").COMMAND
    except ModuleNotFoundError as error:
        raise MissingExtraError("train", "training a model") from error
    return found


_BUILDERS: dict[str, tuple[int, Builder]] = {}


def dialogue_model(name: str, *, rank: int = 100) -> Callable[[Builder], Builder]:
    """Register a builder of a dialogue model under ``name``; tables list models by ``rank``."""

    def register(builder: Builder) -> Builder:
        _BUILDERS[name] = (rank, builder)
        return builder

    return register


def dialogue_models() -> tuple[str, ...]:
    """Return the names of all dialogue models, in the order of tables."""
    for info in pkgutil.iter_modules(importlib.import_module(MODELS).__path__):
        importlib.import_module(f"{MODELS}.{info.name}")
    return tuple(sorted(_BUILDERS, key=lambda name: (_BUILDERS[name][0], name)))


def known_dialogue_model(name: str) -> None:
    """Raise ``ConfigurationError`` if there is no such model."""
    if name not in dialogue_models():
        raise ConfigurationError(f"no model is named {name!r}; there are {dialogue_models()}")


def build_dialogue_model(
    name: str, inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]
) -> Any:
    """Return a dialogue model with fresh weights; see :data:`Builder`.

    Raises:
        ConfigurationError: There is no such model, or its sizes do not fit.
    """
    known_dialogue_model(name)
    return _BUILDERS[name][1](inputs, classes, numbers)


def _sources(package: str) -> Iterator[tuple[str, str]]:
    """Yield name and source of each module of a package, importing none."""
    for folder in importlib.import_module(package).__path__:
        for path in sorted(Path(folder).glob("[a-z]*.py")):
            yield path.stem, path.read_text(encoding="utf-8")


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return any(isinstance(t, ast.Name) and t.id == name for t in targets)


__all__ = [
    "Command",
    "Option",
    "Outcome",
    "Parameter",
    "UsageError",
    "build_dialogue_model",
    "command",
    "dialogue_model",
    "dialogue_models",
    "known_dialogue_model",
    "recipes",
]
