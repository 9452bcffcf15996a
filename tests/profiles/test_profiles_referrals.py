"""Counts of what the safety protocol did."""

from __future__ import annotations

from pathlib import Path

import pytest

from empathic_sdk.errors import InputError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import HelpLine, SafetyAssessment, SafetyLevel, Turn
from tests.profiles.disk import searching
from tests.profiles.factory import make_turn

LINE = HelpLine(name="Lifeline Qline-771", contact="988", hours="24/7", locale="US")


def worrying(id: str, user: str, **safety: object) -> Turn:
    found = {"level": SafetyLevel.HIGH, "actions": ("asked_directly",), "help_lines": (LINE,)}
    return make_turn(id, user=user).model_copy(
        update={"safety": SafetyAssessment(**{**found, **safety})}
    )


def counts(store: ProfileStore) -> dict[tuple[str, str, str], int | None]:
    return {(r["level"], r["step"], r["locale"]): r["count"] for r in store.referrals(by="year")}


def test_turns_and_steps_are_counted_once_each() -> None:
    with ProfileStore() as store:
        for n in range(6):
            turn = worrying(f"t{n}", f"user{n}")
            store.record(turn)
            store.record(turn)  # a repetition
        store.record(worrying("x", "user0", level=SafetyLevel.NONE))
        assert counts(store) == {("high", "turn", "US"): 6, ("high", "asked_directly", "US"): 6}


def test_small_counts_are_not_shown() -> None:
    with ProfileStore() as store:
        for n in range(4):
            store.record(worrying(f"t{n}", "ada"))
        assert set(counts(store).values()) == {None}


def test_nothing_but_names_of_ours_is_counted() -> None:
    with ProfileStore() as store:
        strange = ("ada said: I am", "Asked", "asked_directly")
        line = LINE.model_copy(update={"locale": "Ada's village"})
        for n in range(5):
            store.record(worrying(f"t{n}", "ada", actions=strange, help_lines=(line,)))
        assert counts(store) == {("high", "turn", "*"): 5, ("high", "asked_directly", "*"): 5}


def test_counts_outlive_an_erasure_only_in_a_crowd(tmp_path: Path) -> None:
    path = tmp_path / "profiles.db"
    with searching(path) as disk, ProfileStore(path) as store:
        for n in range(6):
            store.record(worrying(f"t{n}", f"Qperson-{n}-88"))
        before = counts(store)
        store.erase("Qperson-0-88")  # five are left
        assert counts(store) == before
        assert not disk.finds("Qperson-0-88")
        store.erase("Qperson-1-88")  # four are left: the counts would be about them
        assert counts(store) == {}


def test_periods() -> None:
    with ProfileStore() as store:
        store.record(worrying("t", "ada"))
        assert [len(store.referrals(by=p)[0]["period"]) for p in ("day", "month", "year")] == [
            10, 7, 4,
        ]  # fmt: skip
        with pytest.raises(InputError, match="day, month or year"):
            store.referrals(by="minute")
