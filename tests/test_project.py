"""The files by which people join the project: that they are sound, and agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

import empathic_sdk

from .conftest import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(p for p in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if p.stem != "config")
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(GITHUB.rglob("*.md")), *sorted(DOCS.rglob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pinned(extra: str, name: str) -> str:
    """Return the version that an extra pins a package to."""
    (found,) = [
        line.partition("==")[2]
        for line in PROJECT["optional-dependencies"][extra]
        if line.startswith(f"{name}==")
    ]
    return str(found)


# -- citation -------------------------------------------------------------------------------


def test_the_citation_file_is_sound_and_of_this_version() -> None:
    cited = read(ROOT / "CITATION.cff")
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    # Of a person or an entity, those keys of the format that are used here; all else is a typo.
    assert all(set(author) <= {"name", "website", "email"} for author in cited["authors"])
    assert set(cited) <= {
        "abstract", "authors", "cff-version", "date-released", "doi", "keywords", "license",
        "message", "repository-code", "title", "type", "url", "version",
    }  # fmt: skip
    assert cited["version"] == PROJECT["version"] == empathic_sdk.__version__
    assert cited["license"] in PROJECT["license"]
    assert cited["repository-code"] == PROJECT["urls"]["Source"]


def test_the_changelog_has_this_version_and_what_is_to_come() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert PROJECT["version"] in dict(headings)
    assert all(date for _, date in headings[1:])
    assert {name for name, _ in headings} == set(re.findall(r"^\[(.+?)\]: ", text, re.MULTILINE))
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= kinds


def test_one_address_everywhere() -> None:
    home = PROJECT["urls"]["Source"]
    files = [*PAGES, ROOT / "CITATION.cff", *GITHUB.rglob("*.yml"), ROOT / "pyproject.toml"]
    found = {
        address
        for path in files
        for address in re.findall(
            r"https://github\.com/[\w.-]*empathic[\w.-]*/[\w-]+", path.read_text(encoding="utf-8")
        )
    }
    assert found == {home}


# -- continuous integration, hooks, forms ---------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_sound(path: Path) -> None:
    workflow = read(path)
    assert workflow["name"]
    assert workflow[True], "YAML reads the key on as true"
    assert workflow["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
            assert set(re.findall(r"^make ([a-z-]+)", step.get("run", ""), re.M)) <= targets


def test_every_python_that_is_promised_is_tested() -> None:
    workflow = read(GITHUB / "workflows" / "ci.yml")
    promised = [
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)
    ]
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
    ran = {
        step["run"]
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if step.get("run", "").startswith("make ")
    }
    assert ran == {"make check", "make test", "make coverage", "make docs"}


def test_pre_commit_runs_the_ruff_of_the_project() -> None:
    path = ROOT / ".pre-commit-config.yaml"
    ruff, *_ = (repo for repo in read(path)["repos"] if repo["repo"].endswith("ruff-pre-commit"))
    assert ruff["rev"] == f"v{pinned('dev', 'ruff')}" == f"v{pinned('docs', 'ruff')}"
    assert {hook["id"] for hook in ruff["hooks"]} == {"ruff-check", "ruff-format"}
    assert all(re.fullmatch(r"v\d+(\.\d+)+", repo["rev"]) for repo in read(path)["repos"])
    checked = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_are_sound(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
    for part in form["body"]:
        assert part["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert part["attributes"]["value" if part["type"] == "markdown" else "label"]
        if part["type"] in {"dropdown", "checkboxes"}:
            assert part["attributes"]["options"]


def test_who_reports_missed_danger_is_told_to_send_no_persons_words() -> None:
    form = read(GITHUB / "ISSUE_TEMPLATE" / "wrong-reading.yml")
    assert "Never paste a person's words" in form["body"][0]["attributes"]["value"]
    (own,) = [part for part in form["body"] if part.get("id") == "own"]
    assert own["attributes"]["options"][0]["required"] is True


def test_the_container_takes_what_it_needs_and_no_more() -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "torch" not in docker.lower()
    assert "USER empathic" in docker.rpartition("FROM ")[2]
    # Whatever the build reads reaches it: .dockerignore lets only what it names through.
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    tops = {Path(name).parts[0] for name in PROJECT["license-files"]} | {PROJECT["readme"]}
    assert {"pyproject.toml", "empathic_sdk", "prompts"} | tops <= set(kept)
    assert all((ROOT / name).exists() for name in kept)


# -- documentation --------------------------------------------------------------------------


def test_every_public_name_is_in_the_reference_once() -> None:
    shown = Counter(
        name
        for page in (DOCS / "reference").glob("*.md")
        for name in re.findall(r"^::: empathic_sdk\.(\w+)$", page.read_text("utf-8"), re.MULTILINE)
    )
    names = set(empathic_sdk.__all__)
    assert {n: c for n, c in shown.items() if c > 1} == {}
    assert names - set(shown) == set(), "add them to a page in docs/reference/"
    assert set(shown) - names == {"errors"}


def test_every_name_for_langchain_is_in_the_reference() -> None:
    from empathic_sdk.integrations import langchain

    text = (DOCS / "reference" / "langchain.md").read_text(encoding="utf-8")
    shown = re.findall(r"^::: empathic_sdk\.integrations\.langchain\.(\w+)$", text, re.MULTILINE)
    assert sorted(shown) == sorted(langchain.__all__)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return what may follow ``#`` in a link to a page, as the place that shows it makes it."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    site = DOCS in page.parents
    seen: Counter[str] = Counter()
    found = set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))
    for title in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = (
            site_slug(plain) if site else re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        )
        found.add(f"{slug}{'_' if site else '-'}{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def site_slug(title: str) -> str:
    """Make an anchor as Python-Markdown does."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead to no file or no anchor."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`", "", text)
    lost = []
    for link in re.findall(r"\]\(<?([^)\s>]+)>?\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        sound = target.exists() and (not anchor or anchor in anchors(target))
        if not sound:
            lost.append(link)
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One & two\n"
        "[a](#one--two) [b](#one-two) [c](other.md) [d](page.md#one--two) `[e](f.md)`\n"
    )
    assert broken(page) == ["#one-two", "other.md"]
    assert site_slug("One & two") == "one-two"
