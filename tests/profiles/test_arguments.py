"""Whatever is handed to a public method: our own error, at once, and nothing of it is kept."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk.errors import ConfigurationError, EmpathicError, InputError, StoreError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Mastery
from tests.profiles.factory import make_turn

ODD: list[Any] = [
    None, 5, -1, 2**70, 1.5, float("nan"), True, b"bytes", "", "x" * 300, "\ud800", ["a"], ("a",),
    {"a": 1}, {"a"}, object(), date(2020, 1, 1), datetime(2020, 1, 1), timedelta(1),
    timedelta.max, Path("p"), lambda: 1, ...,
]  # fmt: skip

CALLS: dict[str, Callable[[ProfileStore, Any], Any]] = {
    "get": lambda s, x: s.get(x),
    "profile": lambda s, x: s.profile(x),
    "export": lambda s, x: s.export(x),
    "erase": lambda s, x: s.erase(x),
    "session user": lambda s, x: s.session(x, "c"),
    "session name": lambda s, x: s.session("ada", x),
    "turns": lambda s, x: s.turns(x),
    "turns limit": lambda s, x: s.turns("ada", limit=x),
    "turns conversation": lambda s, x: s.turns("ada", conversation=x),
    "days": lambda s, x: s.days(x),
    "days limit": lambda s, x: s.days("ada", limit=x),
    "days before": lambda s, x: s.days("ada", before=x),
    "claim_warning": lambda s, x: s.claim_warning(x, date(2020, 1, 1), apart=timedelta(1)),
    "claim_warning day": lambda s, x: s.claim_warning("ada", x, apart=timedelta(1)),
    "claim_warning apart": lambda s, x: s.claim_warning("ada", date(2020, 1, 1), apart=x),
    "feedback turn": lambda s, x: s.feedback(x, user="ada", rating=1),
    "feedback user": lambda s, x: s.feedback("t1", user=x, rating=1),
    "feedback emotion": lambda s, x: s.feedback("t1", user="ada", emotion=x),
    "feedback rating": lambda s, x: s.feedback("t1", user="ada", rating=x),
    "reset_learning": lambda s, x: s.reset_learning(x),
    "consent user": lambda s, x: s.consent(x, "face"),
    "consent modality": lambda s, x: s.consent("ada", x),
    "consent granted": lambda s, x: s.consent("ada", "face", x),
    "consent version": lambda s, x: s.consent("ada", "face", True, version=x),
    "prefer user": lambda s, x: s.prefer(x, tone="a"),
    "prefer value": lambda s, x: s.prefer("ada", tone=x),
    "describe user": lambda s, x: s.describe(x, name="a"),
    "describe value": lambda s, x: s.describe("ada", name=x),
    "adopt user": lambda s, x: s.adopt(x, []),
    "adopt": lambda s, x: s.adopt("ada", x),
    "record": lambda s, x: s.record(x),
    "record text": lambda s, x: s.record(make_turn(), text=x, keep_text=True),
    "record keep_text": lambda s, x: s.record(make_turn(), keep_text=x),
    "record session": lambda s, x: s.record(make_turn(), session=x),
    "record expected": lambda s, x: s.record(make_turn(), expected=x),
    "record mastery": lambda s, x: s.record(make_turn(), mastery=x),
    "record mastery of": lambda s, x: s.record(make_turn(), mastery={"sums": x}),
    "record mastery skill": lambda s, x: s.record(make_turn(), mastery=[(x, Mastery(known=0.5))]),
    "record since": lambda s, x: s.record(make_turn(), since=x),
    "record override": lambda s, x: s.record(make_turn(), override=x),
    "referrals": lambda s, x: s.referrals(by=x),
    "declare": lambda s, x: s.declare(x),
    "counts": lambda s, x: s.counts(x, epsilon=0.01),
    "counts epsilon": lambda s, x: s.counts("emotions", epsilon=x),
    "privacy_budget": lambda s, x: s.privacy_budget(x),
    "backup overwrite": lambda s, x: s.backup("/nowhere/at/all", overwrite=x),
    "on_erase": lambda s, x: s.on_erase(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_nothing_but_our_own_errors(name: str) -> None:
    with ProfileStore() as store:
        for odd in ODD:
            try:
                CALLS[name](store, odd)
            except EmpathicError as error:
                assert str(error)
        assert store.check() == []


@pytest.mark.parametrize(
    "odd", [5, None, ["a"], "", "  ", "a\0b", "\ud800", "x" * 300, "/x" * 3000]
)
def test_a_place_for_a_backup(tmp_path: Path, odd: Any) -> None:
    with ProfileStore(tmp_path / "p.db") as store:
        dest = tmp_path / odd if isinstance(odd, str) and odd.startswith("x") else odd
        with pytest.raises((StoreError, ConfigurationError)):
            store.backup(dest)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["p.db", "p.db-shm", "p.db-wal"]


@pytest.mark.parametrize(
    "odd",
    [
        5,
        True,
        ["a"],
        b"p.db",
        "",
        " ",
        "a\0b",
        "\ud800",
        "/tmp/" + "x" * 300,
        "/x" * 3000,
        "~nobody-7/x",
    ],
)
def test_a_path_of_a_store(odd: Any) -> None:
    with pytest.raises((ConfigurationError, StoreError)):
        ProfileStore(odd)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout_s": "5"}, {"timeout_s": None}, {"timeout_s": -1}, {"timeout_s": True},
        {"timeout_s": [1]}, {"keep_days": "30"}, {"keep_days": [1]}, {"keep_days": True},
        {"clock": 5}, {"clock": lambda: 5, "keep_days": 3},
        {"clock": lambda: datetime(2020, 1, 1), "keep_days": 3},
    ],
)  # fmt: skip
def test_options(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ProfileStore(**options)


def test_a_patience_of_years_is_one(path: Path) -> None:
    with ProfileStore(path, timeout_s=1e300) as store:
        store.record(make_turn())
        assert store.get("ada").turns == 1


def test_refused_names_do_not_stay_in_memory(store: ProfileStore) -> None:
    for n in range(300):
        for call in (store.get, store.erase, store.turns, store.export):
            with pytest.raises(InputError):
                call(f"Qrefused-{n}-" + "x" * 300)
    gc.collect()
    kept = [o for o in gc.get_objects() if isinstance(o, dict | list | set | tuple)]
    assert not any(
        isinstance(one, str) and one.startswith("Qrefused-")
        for held in kept
        for one in (held if not isinstance(held, dict) else [*held, *held.values()])
    )
