"""Regular expressions take linear time, and the check that says so sees those that do not."""

from __future__ import annotations

import importlib.util
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tools" / "check_regex.py"

_spec = importlib.util.spec_from_file_location("check_regex", SCRIPT)
assert _spec is not None and _spec.loader is not None
check_regex = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(check_regex)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\.+)$",  # every dot starts a try that reads all the dots after it
        r"(\.+)\s*!",
        r"\s+$",
        r"[ ,]*\b(?:lol|though)$",
        r"(a+)+b",  # exponential
        r"(?:\w+\s?)+:",
        r"foo.*bar",
        r"^\s*(?:please )?\s*[.!?]*\s*$",
        r"“[^”]*”",
        r"\w+@\w+\.com",
        r"^(?:(?:hi|hello)(?: there|[ ,])*)+[ ,]*$",
    ],
)
def test_a_bad_form_is_found(pattern: str) -> None:
    found = check_regex.check(pattern)
    assert found is not None
    assert found.pattern == pattern
    assert found.long_s >= min(8 * found.short_s, check_regex.GIVE_UP_S)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<!\.)(\.++)$",
        r"(?<!\s)\s++$",
        r"\bfoo\b.{0,40}\bbar\b",
        r"^\s*+(?:please )?[.!?]*+$",
        r"“[^“”]*”",
        r"\b(?:kill|end) (?:\w+ ){0,3}(?:myself|it all)\b",
    ],
)
def test_a_linear_form_passes(pattern: str) -> None:
    assert check_regex.check(pattern) is None


def test_texts_are_made_from_what_an_expression_repeats() -> None:
    made = check_regex.attacks(r"id=(?:x[yz]\d*)+;\s{0,9}")
    assert ("id=", "xy", "\0") in made
    assert ("", "id=xy", "\0") in made
    assert not any(attack.run == "id=xy;" for attack in made)  # nine times are no long repeat


def test_every_expression_of_the_package_is_linear() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout
    found = re.search(r"(\d+) expressions", done.stdout)
    assert found is not None, done.stdout
    count = int(found.group(1))
    assert count > 300, done.stdout  # it found those of the modules and of the pattern files
    assert after.ru_utime - before.ru_utime < 120  # a fifth of that on an idle machine


def test_expressions_inside_functions_are_read() -> None:
    import ast

    tree = ast.parse("def f(x):\n    return re.search('a+$', x), re.escape('b+$'), re.sub(c, d, x)")
    assert list(check_regex.written(tree)) == ["a+$"]
