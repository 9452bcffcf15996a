"""Erasure to the last byte, and export, against a plain model."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.errors import StoreLockedError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Emotion, Modality
from tests.profiles.conftest import Start, release
from tests.profiles.direct import tables
from tests.profiles.disk import searching
from tests.profiles.factory import make_turn

CANARY = "Qanary-Zoë-7319"
TALK = "Qtalk-8841-exam"
NICK = "Qnick-6620-star"
SAID = "Qsaid-2290 I failed again"
SESSION = "Qsession-5517 " * 300  # more than a page, so that it overflows into pages of its own


def fill(store: ProfileStore, user: str) -> None:
    for number in range(30):
        store.record(
            make_turn(f"{user}-{number}", user=user, conversation=f"{TALK}-{user}"),
            text=SAID,
            keep_text=True,
            session=(SESSION + user).encode(),
        )
    store.feedback(f"{user}-3", user=user, emotion=Emotion.FEAR, rating=1)
    store.consent(user, Modality.FACE, True)
    store.prefer(user, nickname=f"{NICK}-{user}")


def test_nothing_is_left_while_another_process_has_the_file_open(path: Path, start: Start) -> None:
    with searching(path) as disk, ProfileStore(path) as store:
        fill(store, "bob")
        kept = {**store.export("bob"), "exported_at": None}
        fill(store, CANARY)
        other = start("opened", path)
        assert other.stdout is not None
        assert "bob" in other.stdout.readline()
        assert disk.finds(CANARY)
        assert store.erase(CANARY) == 30
        assert not disk.finds(CANARY)
        assert not disk.finds(f"{NICK}-{CANARY}")
        assert disk.finds(f"{TALK}-bob")
        assert store.users() == ["bob"]
        assert store.get(CANARY).turns == 0
        assert {**store.export("bob"), "exported_at": None} == kept
        assert store.erase("bob") == 30
        assert [w for w in (TALK, SAID, "Qsession-5517", NICK) if disk.finds(w)] == []
        assert store.erase("bob") == 0
        release(other)
        assert not disk.finds(CANARY)


def test_a_reader_can_delay_the_compaction_but_not_the_deletion(path: Path, start: Start) -> None:
    with searching(path) as disk, ProfileStore(path, timeout_s=0.3) as store:
        fill(store, CANARY)
        other = start("reading", path)
        assert other.stdout is not None
        assert other.stdout.readline() == "30\n"
        with pytest.raises(StoreLockedError, match=r"rows of this user are gone.*Call erase again"):
            store.erase(CANARY)
        assert store.users() == []
        assert disk.finds(CANARY)
        fill(store, "bob")  # writing goes on meanwhile
        release(other)
        assert store.erase(CANARY) == 0
        assert not disk.finds(CANARY)
        assert len(store.turns("bob")) == 30


def test_an_erasure_cut_short_is_ended_when_the_store_is_opened(path: Path, start: Start) -> None:
    with ProfileStore(path) as store:
        fill(store, CANARY)
        fill(store, "bob")
    worker = start("erasing", path, CANARY)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "deleted\n"
    worker.kill()
    worker.communicate()
    with searching(path) as disk:
        assert disk.finds(CANARY)
        with ProfileStore(path) as store:
            assert not disk.finds(CANARY)
            assert store.users() == ["bob"]
            # The debt is paid: opening it again does not rewrite the file.
            with tables(store) as db:
                upkeep = db.execute("SELECT erasures, compacted FROM upkeep").fetchall()
            assert upkeep == [(1, 1)]


def test_overwritten_values_do_not_outlive_the_user(path: Path) -> None:
    with searching(path) as disk, ProfileStore(path) as store:
        for word in ("Qfirst-word-111", "Qsecond-word-222"):
            store.record(make_turn(word, reply="x"), session=(word * 900).encode())
            store.prefer("ada", wish=word)
        assert disk.finds("Qfirst-word-111")
        store.erase("ada")
        assert [w for w in ("Qfirst-word-111", "Qsecond-word-222") if disk.finds(w)] == []


def test_what_another_tool_deleted_carelessly_goes_too(path: Path) -> None:
    with searching(path) as disk, ProfileStore(path) as store:
        fill(store, "ada")
        store.prefer("bob", tone="gentle")
        with contextlib.closing(sqlite3.connect(path)) as raw:
            raw.execute("PRAGMA secure_delete = OFF")
            raw.execute("UPDATE turns SET text = NULL")
            raw.execute("UPDATE conversations SET session = NULL")
            raw.commit()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        full = path.stat().st_size
        assert disk.finds("Qsession-5517")
        store.erase("ada")
        assert [w for w in (SAID, "Qsession-5517") if disk.finds(w)] == []
        assert path.stat().st_size < full
        assert store.users() == ["bob"]


def test_erase_tells_those_who_remember_before_and_after(store: ProfileStore) -> None:
    calls: list[tuple[str, int]] = []

    def forget(user: str) -> None:
        calls.append((user, store.get(user).turns))
        # The first time, a turn under way is still recorded; the second, one that began since.
        store.record(make_turn(f"late-{len(calls)}", user=user))

    cancel = store.on_erase(forget)
    store.record(make_turn("a"))
    assert store.erase("ada") == 3
    assert calls == [("ada", 1), ("ada", 0)]
    assert store.users() == []
    cancel()
    store.erase("ada")
    assert len(calls) == 2


# -- any sequence of calls, against a plain model --------------------------------------------

USERS = (CANARY, "Qbob-4433-other", "Qeve-9012-third")
TALKS = (TALK, "Qsecond-talk-66")
Step = tuple[Any, ...]


class Model:
    """What a store should know, in dicts."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}

    def person(self, user: str) -> dict[str, Any]:
        blank: dict[str, Any] = {
            "turns": {},
            "talks": {},
            "feedback": {},
            "consents": [],
            "preferences": {},
        }
        return self.people.setdefault(user, blank)

    def record(self, id: str, user: str, talk: str, label: Emotion, kept: bool) -> None:
        person = self.person(user)
        if id not in person["turns"]:
            person["turns"][id] = (talk, label, SAID if kept else None)
            person["talks"][talk] = f"{SESSION}{user}{id}"

    def feedback(self, id: str, user: str, emotion: Emotion | None, rating: int | None) -> None:
        if id in self.people.get(user, {}).get("turns", {}) and (emotion, rating) != (None, None):
            was = self.people[user]["feedback"].get(id, (None, None))
            now = (emotion or was[0], was[1] if rating is None else rating)
            self.people[user]["feedback"][id] = now

    def prefer(self, user: str, value: str | None) -> None:
        if value is not None:
            self.person(user)["preferences"]["wish"] = value
        elif user in self.people:
            self.people[user]["preferences"].pop("wish", None)


def seen(exported: dict[str, Any]) -> dict[str, Any]:
    """An export in the shape of the model."""
    return {
        "turns": {
            t["id"]: (t["conversation"], t["emotion"]["label"], t["text"])
            for t in exported["turns"]
        },
        "talks": {c["name"]: c["session"] for c in exported["conversations"]},
        "feedback": {f["turn"]: (f["emotion"], f["rating"]) for f in exported["feedback"]},
        "consents": [(c["modality"], c["granted"]) for c in exported["consents"]],
        "preferences": exported["preferences"],
    }


def play(store: ProfileStore, model: Model, step: Step) -> None:
    kind, user, *rest = step
    if kind == "record":
        id, talk, label, kept = rest
        model.record(id, user, talk, label, kept)
        turn = make_turn(id, user=user, conversation=talk, label=label)
        # JSON, so that the export shows it as it is.
        session = json.dumps(f"{SESSION}{user}{id}", ensure_ascii=False).encode()
        store.record(turn, text=SAID, keep_text=kept, session=session)
    elif kind == "feedback":
        id, emotion, rating = rest
        model.feedback(id, user, emotion, rating)
        try:
            store.feedback(id, user=user, emotion=emotion, rating=rating)
        except (KeyError, ValueError):
            known = id in model.people.get(user, {}).get("turns", {})
            assert not known or (emotion, rating) == (None, None)
    elif kind == "consent":
        modality, granted = rest
        model.person(user)["consents"].append((modality, granted))
        assert store.consent(user, modality, granted) is granted
    elif kind == "prefer":
        model.prefer(user, rest[0])
        store.prefer(user, wish=rest[0])
    else:
        gone = model.people.pop(user, {"turns": {}})
        assert store.erase(user) == len(gone["turns"])


def check(store: ProfileStore, model: Model) -> None:
    assert store.users() == sorted(model.people)
    for user in USERS:
        exported = store.export(user)
        assert json.loads(json.dumps(exported, allow_nan=False)) == exported
        blank = Model().person(user)
        assert seen(exported) == model.people.get(user, blank)
        context = store.get(user)
        turns = list(model.people.get(user, blank)["turns"].values())
        assert context.turns == len(turns)
        assert context.conversations == len({talk for talk, _, _ in turns})
        assert context.last_emotion == (turns[-1][1] if turns else None)


def one_of(values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(values))


users, ids = one_of(USERS), one_of(["1", "2", "3", "4"])
optional: Callable[[Any], st.SearchStrategy[Any]] = lambda values: one_of([None, *values])  # noqa: E731
steps = st.one_of(
    st.tuples(st.just("record"), users, ids, one_of(TALKS), one_of(Emotion), st.booleans()),
    st.tuples(st.just("feedback"), users, ids, optional(Emotion), optional([-1, 0, 1])),
    st.tuples(st.just("consent"), users, one_of(Modality), st.booleans()),
    st.tuples(st.just("prefer"), users, optional(["Qwish-3355-blue", "plain"])),
    st.tuples(st.just("erase"), users),
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(steps, min_size=3, max_size=15))
def test_any_sequence_of_calls_matches_the_model(sequence: list[Step]) -> None:
    model = Model()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "profiles.db"
        with searching(path) as disk:
            with ProfileStore(path) as store, ProfileStore(path) as second:
                for step in sequence:
                    play(store, model, step)
                check(second, model)
                for user in USERS:
                    play(store, model, ("erase", user))
                    assert not disk.finds(user)
                check(second, model)
                assert [
                    w for w in (*TALKS, SAID, "Qsession-5517", "Qwish-3355-blue") if disk.finds(w)
                ] == []
            assert not disk.finds(CANARY)
