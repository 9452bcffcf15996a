#!/usr/bin/env python3
"""Check that every regular expression of the package takes linear time.

    python tools/check_regex.py

Every expression that the modules and the pattern files compile is run against long texts that are
made to hurt it: runs of single characters, and runs of what its own repeats match, after what comes
before them. One whose time grows faster than the text is printed with the text that showed it, and
the exit status is 1. Needs Python's standard library and the core of the package.
"""

from __future__ import annotations

import ast
import importlib
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from re import _constants as op  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "empathic_sdk"

LENGTH = 4000
"""Characters of the first text; where that is slow, one four times as long follows."""

SLOW_S = 0.001
"""CPU seconds for the first text from which on the growth is measured."""

GIVE_UP_S = 0.5
"""CPU seconds after which an expression counts as bad without more measuring."""

GROWTH = 8
"""Times that the longer text may take: 4 is linear, 16 quadratic."""

RUNS = (*" a0.,!?-'\"\n\t()</@_:;*#%é", "a ", "0 ", "a.", "a,", ". ", "aA", "ab")
"""What every expression is tried on, repeated."""

_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_LONG = 64  # a repeat of fewer times takes a constant factor


class Attack(NamedTuple):
    """A text that is made to hurt: ``before``, then ``run`` over and over, then ``after``."""

    before: str
    run: str
    after: str

    def text(self, length: int) -> str:
        """Return it in about ``length`` characters."""
        return self.before + self.run * (length // len(self.run)) + self.after


class Bad(NamedTuple):
    """An expression whose time grows too fast."""

    pattern: str
    attack: Attack
    short_s: float
    long_s: float


AGAIN = 3
"""How often a measurement that looks bad is repeated; the least counts."""


class _TooLong(Exception):  # noqa: N818
    pass


def check(pattern: str, flags: int = 0) -> Bad | None:
    """Return how an expression is hurt, or ``None`` if nothing tried here hurts it."""
    regex = re.compile(pattern, flags)
    for attack in attacks(pattern, flags):
        short, long = attack.text(LENGTH), attack.text(4 * LENGTH)
        took = seconds(regex, short)
        if took < SLOW_S:
            continue
        took = min(took, seconds(regex, short))  # more than once: other programs disturb
        most = min(GROWTH * took, GIVE_UP_S)
        longer = seconds(regex, long)
        for _ in range(AGAIN):
            if longer < most:
                break
            longer = min(longer, seconds(regex, long))
        if longer >= most:
            return Bad(pattern, attack, took, longer)
    return None


def seconds(regex: re.Pattern[str], text: str) -> float:
    """Return the CPU time of all matches of an expression in a text, at most ``GIVE_UP_S``."""
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, GIVE_UP_S)
    began = time.thread_time()  # precise, where the time of the process counts in ticks
    try:  # outside: the alarm may go off between the last match and the line that stops it
        try:
            for _ in regex.finditer(text):
                pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except _TooLong:
        return GIVE_UP_S
    return min(time.thread_time() - began, GIVE_UP_S)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _TooLong


def attacks(pattern: str, flags: int = 0) -> list[Attack]:
    """Return the texts that an expression is tried on, each once."""
    found = dict.fromkeys(Attack("", run, "\0") for run in RUNS)
    for before, run in repeats(parser.parse(pattern, flags), ""):
        if run:
            found |= dict.fromkeys(
                Attack(*text, "\0")
                for text in ((before, run), (before, run + " "), ("", before + run))
            )
    return list(found)


def repeats(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """Give of every long repeat what may come before it, and what it may repeat."""
    for code, value in tree:
        inner = _inner(code, value)
        for part in inner:
            if code in _REPEATS and value[1] >= _LONG:
                yield before, example(part)
            yield from repeats(part, before)
        before += example([(code, value)])


def _inner(code: Any, value: Any) -> list[Any]:
    if code in _REPEATS:
        return [value[2]]
    if code is op.SUBPATTERN:
        return [value[3]]
    if code is op.BRANCH:
        return list(value[1])
    if code is op.ATOMIC_GROUP:
        return [value]
    return [value[1]] if code in (op.ASSERT, op.ASSERT_NOT) else []


def example(tree: Any) -> str:
    """Return a short text that a parsed expression may match; anchors count as nothing."""
    out = ""
    for code, value in tree:
        if code is op.LITERAL:
            out += chr(value)
        elif code is op.NOT_LITERAL:
            out += "a" if value != ord("a") else "b"
        elif code is op.ANY:
            out += "a"
        elif code is op.IN:
            out += _member(value)
        elif code in _REPEATS:
            out += example(value[2]) * value[0]
        elif code is op.BRANCH:
            out += example(value[1][0])
        elif code in (op.SUBPATTERN, op.ATOMIC_GROUP):
            out += example(value[3] if code is op.SUBPATTERN else value)
    return out


def _member(items: Any) -> str:
    if items[0][0] is op.NEGATE:
        one = re.compile("[" + _source(items) + "]")
        return next((c for c in "a 0.-,'\n" if one.match(c)), "\u4e00")
    code, value = items[0]
    if code is op.RANGE:
        return chr(value[0])
    return chr(value) if code is op.LITERAL else _CLASSES.get(value, "a")


_CLASSES = {op.CATEGORY_SPACE: " ", op.CATEGORY_DIGIT: "0", op.CATEGORY_NOT_WORD: "."}
_ESCAPES = {
    op.CATEGORY_SPACE: r"\s", op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _source(items: Any) -> str:
    parts = {
        op.NEGATE: lambda _: "^",
        op.LITERAL: lambda v: re.escape(chr(v)),
        op.RANGE: lambda v: f"{re.escape(chr(v[0]))}-{re.escape(chr(v[1]))}",
        op.CATEGORY: lambda v: _ESCAPES[v],
    }
    return "".join(parts[code](value) for code, value in items)


def patterns() -> dict[tuple[str, int], str]:
    """Return every expression of the package with its flags, and the file that compiles it."""
    found: dict[tuple[str, int], str] = {}
    compiled = re._compile  # type: ignore[attr-defined]

    def record(pattern: Any, flags: int) -> Any:
        frame = sys._getframe(1)
        while frame.f_back and "/re/" in frame.f_code.co_filename.replace("\\", "/"):
            frame = frame.f_back
        place = Path(frame.f_code.co_filename)
        if place.is_relative_to(PACKAGE) and isinstance(pattern, str):
            found.setdefault((pattern, int(flags)), str(place.relative_to(ROOT)))
        return compiled(pattern, flags)

    re._compile = record  # type: ignore[attr-defined]
    try:
        _compile_all()
    finally:
        re._compile = compiled  # type: ignore[attr-defined]
    for path in sorted(PACKAGE.rglob("*.py")):
        for pattern in written(ast.parse(path.read_text(encoding="utf-8"))):
            if not any(known == pattern for known, _ in found):
                found[pattern, 0] = str(path.relative_to(ROOT))
    return found


def _compile_all() -> None:
    """Import every module that uses ``re``, and read every pattern file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if re.search(r"^import re$", path.read_text(encoding="utf-8"), re.MULTILINE):
            try:
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            except ImportError as error:  # an extra that is not installed: what is written is read
                print(f"not imported: {path.relative_to(ROOT)} ({error})", file=sys.stderr)
    files = importlib.import_module("empathic_sdk.safety.pattern_files")
    rules, cues = files.draft_rules()
    tables = [*files.risk_patterns(), *files.cues().values(), *rules, *cues.values()]
    for table in tables:
        _ = table.regex


def written(tree: ast.AST) -> Iterator[str]:
    """Give the expressions that are written out in calls of ``re.search`` and its like."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and node.func.attr != "escape"
        ):
            yield node.args[0].value


def main() -> int:
    """Check all and print what is bad."""
    sys.path.insert(0, str(ROOT))
    every = patterns()
    bad = 0
    for (pattern, flags), place in every.items():
        found = check(pattern, flags)
        if found:
            bad += 1
            print(
                f"{place}: {pattern[:200]!r}\n    {found.attack}: "
                f"{1000 * found.short_s:.0f} ms for {LENGTH} characters, "
                f"{1000 * found.long_s:.0f} ms for {4 * LENGTH}"
            )
    print(f"{len(every)} expressions, {bad} of them not linear")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
