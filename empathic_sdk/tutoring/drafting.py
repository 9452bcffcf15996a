"""Drafts of the tutor's replies: ranked lines, of which the pacing limits the number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from empathic_sdk.language.realization import Voice
from empathic_sdk.tutoring.problems import Line, Problem


class _Part(NamedTuple):
    rank: int
    lines: tuple[str, ...]
    slots: dict[str, str]


ALWAYS = -1
"""Rank of lines that no pacing drops, such as the steps of an example."""


class Speech:
    """Collects lines and says the most important ones, in the order they were added.

    Args:
        voice: Receives the lines.
        language: Language of the statements.
    """

    def __init__(self, voice: Voice, language: str) -> None:
        self._voice = voice
        self._language = language
        self._parts: list[_Part] = []

    def add(self, bank: str, role: str, rank: int, **slots: str) -> None:
        """Add a line of a tutoring bank. A lower rank means more important."""
        self.add_lines(self._voice.bank(f"tutoring/{bank}").get(role, ()), rank, **slots)

    def add_lines(self, lines: Iterable[str], rank: int, **slots: str) -> None:
        """Add one of these lines."""
        self._parts.append(_Part(rank, tuple(lines), slots))

    def add_math(self, problem: Problem, line: Line, rank: int, math: str = "") -> None:
        """Add a hint or a step of an exercise."""
        slots = {**line.slots, **({"math": math} if math else {})}
        self.add(f"math/{problem.skill}", line.role, rank, **slots)

    def add_task(
        self, role: str, problem: Problem, *, bank: str = "session", rank: int = 0
    ) -> None:
        """Add the statement of an exercise inside a line such as "Back to it: ..."."""
        self.add(bank, role, rank, task=embedded(problem.statement(self._language)))

    def say(self, limit: int) -> None:
        """Say at most ``limit`` lines, plus those always said; at least one other is said."""
        always = [p for p in self._parts if p.rank == ALWAYS]
        others = [p for p in self._parts if p.rank != ALWAYS and p.lines]
        room = max(limit - len(always), 1)
        chosen = {id(p) for p in (*always, *sorted(others, key=lambda p: p.rank)[:room])}
        for part in self._parts:
            if id(part) in chosen:
                self._voice.say(part.lines, **part.slots)


def embedded(statement: str) -> str:
    """Return a statement for use inside a sentence: no capital, no full stop."""
    return statement[0].lower() + statement[1:].rstrip(".")
