"""Recipes and dialogue models are found by their files; options are read off the recipes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.errors import ConfigurationError, MissingExtraError
from empathic_sdk.lab import recipes as folder
from empathic_sdk.lab import registry
from empathic_sdk.lab.recipes import text as text_recipe
from empathic_sdk.lab.recipes.behaviour import BehaviourRecipe
from empathic_sdk.lab.recipes.text_numbers import TextRecipe
from empathic_sdk.lab.records import RunRecord
from empathic_sdk.lab.registry import (
    build_dialogue_model,
    command,
    dialogue_model,
    dialogue_models,
    recipes,
)

NEW = '''"""Recipe ``parrot``: say it again.

More of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from empathic_sdk.lab.recipes.numbers import Numbers, Seed
from empathic_sdk.lab.registry import Command, Option, Outcome, UsageError


@dataclass(frozen=True)
class ParrotRecipe(Numbers):
    """Its numbers.

    Attributes:
        seed: Of what is drawn.
        words: How many words
            it may say.
        loud: Whether it shouts.
    """

    seed: Seed = 1
    words: Annotated[int, Option(low=1)] = 3
    loud: Annotated[bool, Option("Shout.")] = False
    hidden: float = 0.5


def run(numbers, *, results: Path, kind: Annotated[str, Option("Its kind.", choices=("ara",))]):
    """Teach a parrot.

    Args:
        numbers: Of the recipe.
    """
    if numbers.get("words") == 13:
        raise UsageError("13 words bring bad luck")
    recipe = ParrotRecipe(**numbers)
    return Outcome({**recipe.as_dict(), "kind": kind}, [f"{recipe.words} words in {results}"])


COMMAND = Command(run=run, recipe=ParrotRecipe, threads=False)
'''


@pytest.fixture
def parrot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parrot.py").write_text(NEW)
    (tmp_path / "helper.py").write_text('"""No recipe."""\n')
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])


def run(*args: str) -> Any:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, ["train", *args])


def test_a_new_recipe_is_one_new_file(parrot: None) -> None:
    assert recipes()["parrot"] == "Say it again." and "helper" not in recipes()
    listed = run("--help").output
    assert "parrot" in listed and "Say it again." in listed and "safety" in listed
    shown = run("parrot", "--help").output
    assert "Teach a parrot." in shown and "numbers" not in shown
    assert "How many words it may say.  [default: 3]  [x>=1]" in " ".join(shown.split()).replace(
        "] [", "]  ["
    ).replace(". [", ".  [")
    assert "--hidden" not in shown and "--threads" not in shown
    out = run("parrot", "--kind", "ara", "--words", "5", "--loud", "--json")
    assert out.exit_code == 0, out.output
    assert '"words": 5' in out.output and '"loud": true' in out.output
    assert run("parrot", "--kind", "ara").output == "3 words in results\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "Missing option '--kind'"),
        (("--kind", "ape"), "'ape' is not 'ara'"),
        (("--kind", "ara", "--words", "0"), "0 is not in the range"),
        (("--kind", "ara", "--words", "13"), "13 words bring bad luck"),
    ],
)
def test_wrong_usage_is_told(parrot: None, given: tuple[str, ...], says: str) -> None:
    out = run("parrot", *given)
    assert out.exit_code == 2 and says in out.output


def test_every_recipe_has_a_command_that_says_what_it_does() -> None:
    for name, text in recipes().items():
        made = command(name)
        assert text.endswith(".") and made.help.endswith(".") and "Args:" not in made.help
        for p in [*made.numbers(), *made.parameters()]:
            shared = p.name in ("data", "results", "cache", "out")
            assert p.option.help or shared, f"{name}: {p.name}"
    with pytest.raises(ConfigurationError, match="no recipe is named 'tex'; there are behaviour"):
        command("tex")
    group = main.get_command(click.Context(main), "train")
    assert isinstance(group, click.Group)
    assert group.get_command(click.Context(group), "tex") is None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.endswith("lab.recipes.text"):
            raise ModuleNotFoundError("No module named 'sklearn'")
        return real(name, *rest, **more)

    monkeypatch.setattr(registry.importlib, "import_module", without)
    with pytest.raises(MissingExtraError, match="train"):
        command("text")


def test_a_new_dialogue_model_is_one_registered_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dialogue_models()
    assert before == ("mdget", "linear", "gru", "transformer", "dialogue-rnn", "cfn-esa")
    monkeypatch.setattr(registry, "_BUILDERS", dict(registry._BUILDERS))

    @dialogue_model("echo")
    def echo(inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]) -> Any:
        return (dict(inputs), classes, numbers["width"])

    assert dialogue_models() == (*before, "echo")
    assert build_dialogue_model("echo", {"text": 3}, 2, {"width": 4}) == ({"text": 3}, 2, 4)
    with pytest.raises(ConfigurationError, match="no model is named 'ech'; there are"):
        build_dialogue_model("ech", {}, 2, {})


def test_numbers_become_plain_values() -> None:
    assert BehaviourRecipe().as_dict()["people"] is None
    assert TextRecipe(epochs={"meld": 1.0}).as_dict()["epochs"] == {"meld": 1.0}


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        (("--seed", "3"), "runs/text-seed3"),
        (("--without", "meld"), "runs/text-without-meld-seed1"),
        (("--limit", "9"), "runs/trial-seed1"),
        (("--seed", "2", "--shuffle-labels"), "runs/trial-seed2-shuffled"),
        (("--limit", "9", "--out", "elsewhere"), "elsewhere"),
    ],
)
def test_a_trial_leaves_the_folder_of_the_real_run_alone(
    given: tuple[str, ...], folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def pretend(recipe: TextRecipe, *, out: Path, **_: Any) -> RunRecord:
        asked.append(out)
        return RunRecord(recipe="text", name=text_recipe.run_name(recipe), dev={})

    monkeypatch.setattr(text_recipe, "train_text", pretend)
    out = run("text", "--data", str(tmp_path), *given)
    assert out.exit_code == 0, out.output
    assert asked == [Path(folder)]
