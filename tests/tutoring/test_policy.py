"""The two tables of the policy, row by row."""

# Tables of cases stay tables.
# ruff: noqa: C408

from __future__ import annotations

from typing import Any

import pytest

from empathic_sdk.tutoring import Situation, Skill, choose, support
from empathic_sdk.types import Mastery

F, P, D = Skill.FRACTIONS, Skill.PERCENTAGES, Skill.DERIVATIVES
DONE = {"fractions.2": Mastery(known=0.96, seen=5)}
ALL = {"fractions.4": Mastery(known=0.96, seen=5)}


@pytest.mark.parametrize(
    ("situation", "choice"),
    [
        # frustrated: a smaller step, before everything else
        (dict(level=3, mood="frustrated"), (F, 2, "smaller")),
        (dict(level=1, mood="frustrated"), (F, 1, "smaller")),
        (dict(level=3, mood="frustrated", right=True, glad=True), (F, 2, "smaller")),
        # confused: the same, explained
        (dict(level=2, mood="confused"), (F, 2, "explain")),
        (dict(level=2, mood="confused", known=DONE), (F, 2, "explain")),
        # bored: harder, and from the hardest to something else
        (dict(level=1, mood="bored", right=True), (F, 2, "harder")),
        (dict(level=4, mood="bored", right=True), (P, 1, "switch")),
        (dict(skill=D, level=4, mood="bored", known=ALL), (P, 1, "switch")),
        # glad and right: let it settle, once
        (dict(level=2, right=True, glad=True), (F, 2, "settle")),
        (dict(level=2, right=True, glad=True, settled=True), (F, 2, "more")),
        (dict(level=2, right=False, glad=True), (F, 2, "more")),
        # not solved twice
        (dict(level=3, failed=2), (F, 2, "smaller")),
        (dict(level=3, failed=1), (F, 3, "more")),
        # by mastery
        (dict(level=2, right=True, known=DONE), (F, 3, "up")),
        (dict(level=4, right=True, known=ALL), (P, 1, "switch")),
        (dict(level=2, right=True), (F, 2, "more")),
    ],
)  # fmt: skip
def test_the_next_exercise(situation: dict[str, Any], choice: tuple[Any, ...]) -> None:
    assert choose(Situation(**{"skill": F, "right": False, **situation})) == choice


@pytest.mark.parametrize(
    ("mood", "tries", "more", "help_"),
    [
        ("engaged", 1, {"guessed": True}, "slow"), ("bored", 2, {"guessed": True}, "slow"),
        ("engaged", 3, {"guessed": True}, "example"),
        ("frustrated", 1, {}, "hint"), ("frustrated", 2, {}, "easier"),
        ("frustrated", 2, {"level": 1}, "hint"), ("frustrated", 5, {}, "easier"),
        ("confused", 1, {}, "explain"), ("confused", 2, {}, "hint"),
        ("engaged", 1, {}, "retry"), ("bored", 1, {}, "retry"), ("engaged", 2, {}, "hint"),
        ("engaged", 3, {}, "example"), ("engaged", 4, {"example_shown": True}, "offer"),
        ("engaged", 2, {"hints_left": 0}, "example"),
        ("engaged", 2, {"hints_left": 0, "example_shown": True}, "offer"),
    ],
)  # fmt: skip
def test_help_with_an_open_exercise(
    mood: Any, tries: int, more: dict[str, Any], help_: str
) -> None:
    given = {"guessed": False, "hints_left": 3, "example_shown": False, "level": 2, **more}
    assert support(mood, tries, **given) == help_
