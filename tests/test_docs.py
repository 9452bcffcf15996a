"""What the documentation says is held to the code here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

import empathic_sdk
from empathic_sdk import EmotionRecognizer, errors
from empathic_sdk.cli import main
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
# These have tests of their own, which give their examples what they need.
TESTED_ELSEWHERE = {"profiles.md"}
BLOCK = re.compile(r"^(<!-- no-run -->\n)?```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[Any]:
    for page in PAGES:
        if page.name in TESTED_ELSEWHERE:
            continue
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            yield pytest.param(
                page, line, match[2], match[1] is None, id=f"{page.stem}-line-{line}"
            )


@pytest.mark.parametrize(("page", "line", "source", "runs"), list(blocks()))
def test_the_examples_run(
    page: Path,
    line: int,
    source: str,
    runs: bool,
    recognizer: EmotionRecognizer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = compile("\n" * (line - 1) + source, str(page), "exec")
    if not runs:
        return
    if "as_runnable" in source or "langchain" in source:
        pytest.importorskip("langchain")

    def shared(**given: Any) -> EmotionRecognizer:
        """Load the weights once for all examples."""
        return EmotionRecognizer(**given) if any(given.values()) else recognizer

    monkeypatch.setattr(empathic_sdk, "EmotionRecognizer", shared)
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", shared)
    monkeypatch.chdir(tmp_path)
    exec(code, {"__name__": page.stem})


FIGURE = re.compile(r"[+-]?\d+(?:\.\d+)?")


def assert_alike(shown: str, printed: str) -> None:
    """The same lines; a figure may differ in its last digit, since processors round differently."""
    ours, real = shown.strip().splitlines(), printed.strip().splitlines()
    assert len(ours) == len(real), printed
    for line, other in zip(ours, real, strict=True):
        assert FIGURE.sub("#", line).split() == FIGURE.sub("#", other).split(), printed
        for figure, true in zip(FIGURE.findall(line), FIGURE.findall(other), strict=True):
            last = 10.0 ** -len(figure.partition(".")[2])
            assert abs(float(figure) - float(true)) <= 1.01 * last, printed


def test_the_readme_shows_what_comes_out(
    recognizer: EmotionRecognizer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After new weights or templates, paste what this prints into README.md."""
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    monkeypatch.setattr(empathic_sdk, "EmotionRecognizer", lambda **_: recognizer)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code, shown = re.findall(r"```python\n(.*?)```\n.*?```text\n(.*?)```", text, re.DOTALL)[0]
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert_alike(shown, printed)

    said, table = re.findall(
        r"\$ printf '(.*?)' \| empathic recognize -\n(.*?)```", text, re.DOTALL
    )[0]
    ran = CliRunner(env={"COLUMNS": "100"}).invoke(
        main, ["recognize", "-"], input=said.replace("\\n", "\n")
    )
    assert ran.exit_code == 0, ran.output
    assert_alike(table, ran.output)


# -- the command line -----------------------------------------------------------------------


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inside = command.get_command(context, name)
        assert inside is not None
        yield from leaves(inside, f"{path} {name}")


def section(text: str, title: str) -> str:
    """Return what stands below the heading that is ``title``, alone or with an argument."""
    found = re.search(rf"^(#+) {re.escape(title)}( [A-Z]+)?\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    assert found, f"docs/cli.md has no heading {title!r}"
    return found[3]


@pytest.mark.parametrize(("path", "command"), list(leaves(main, "empathic")))
def test_every_command_and_option_is_documented(path: str, command: click.Command) -> None:
    below = section((DOCS / "cli.md").read_text(encoding="utf-8"), path)
    real = {
        flag
        for option in command.params
        if isinstance(option, click.Option)
        for flag in (*option.opts, *option.secondary_opts)
    }
    shown = set(re.findall(r"--[a-z][a-z0-9-]*", below))
    assert real - shown == set(), f"{path}: not in docs/cli.md"
    assert shown - real - {"--json"} == set(), f"{path}: docs/cli.md shows what is not there"
    variables = {option.envvar for option in command.params if option.envvar}
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert {v for v in variables if f"`{v}`" not in text} == set()


# -- the reference pages --------------------------------------------------------------------


def test_every_error_is_documented() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    classes = [n for n, v in vars(errors).items() if isinstance(v, type)]
    assert "EmpathicError" in classes
    assert [n for n in classes if n not in text] == []


def test_every_type_is_documented() -> None:
    from empathic_sdk import types

    text = (DOCS / "types.md").read_text(encoding="utf-8")
    missing = [n for n in types.__all__ if n[0].isupper() and f"`{n}`" not in text]
    assert [n for n in missing if n not in {"AGENT", "StreamEvent"}] == []


def test_every_field_of_the_state_is_documented() -> None:
    text = (DOCS / "recognizer.md").read_text(encoding="utf-8")
    assert [n for n in empathic_sdk.EmotionState.model_fields if f"`{n}`" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    text = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    lines = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    names = {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in lines} - {project["name"]}
    assert {n for n in names if f"`{n}`" not in text} == set()
    assert {e for e in extras if f"`{e}`" not in text} == set()
    described = set(re.findall(r"^\| (?:`[a-z]+` \| )?`([a-z0-9-]+)` \|", text, re.M))
    assert described - names - set(extras) == set(), "described, but no dependency"


# -- the site -------------------------------------------------------------------------------


def entries(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for inside in nav.values() if isinstance(nav, dict) else nav:
            yield from entries(inside)


def test_the_navigation_is_complete() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = list(entries(site["nav"]))
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_resolve(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if link and not (page.parent / link).exists()] == []
    if page.parent == DOCS:  # the site holds nothing from outside the folder
        assert [link for link in local if link.startswith("..")] == []
