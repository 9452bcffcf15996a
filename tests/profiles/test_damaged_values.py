"""Values that nobody of this package wrote: our own error, which names a column and nobody."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk.errors import StoreCorruptError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Emotion, Mastery, Modality
from tests.profiles.factory import make_turn

USER = "Qanary-Zoe"
WORD = "Qword-7781"

DAMAGE = [
    ("UPDATE users SET turns = 'many'", ("get", "profile", "export"), ""),
    ("UPDATE users SET turns = -3", ("get", "export"), "users.turns"),
    (f"UPDATE users SET last_emotion = '{WORD}'", ("get", "export"), "users.last_emotion"),
    (f"UPDATE users SET last_seen = '{WORD}'", ("get", "export"), ""),
    (f"UPDATE users SET created = '{WORD}'", ("get", "export"), ""),
    (f"UPDATE users SET emotions = '{WORD}'", ("get", "profile", "export"), "users.emotions"),
    ("UPDATE users SET emotions = '[1]'", ("profile", "export"), ""),
    ("UPDATE users SET emotions = '{\"joy\": \"x\"}'", ("get", "export"), ""),
    ("UPDATE users SET preferences = 'null'", ("get", "export"), ""),
    ("UPDATE users SET preferences = '{\"tone\": 7}'", ("get", "export"), "users.preferences"),
    (f"UPDATE users SET attributes = '{WORD}'", ("get", "export"), "users.attributes"),
    ("UPDATE users SET transitions = '{\"joy\": 1}'", ("profile", "export"), ""),
    ("UPDATE users SET valence_sum = x'ff'", ("get", "profile", "export"), ""),
    ("UPDATE users SET emotions = CAST(x'ff7b' AS TEXT)", ("get", "export"), "UTF-8"),
    (f"UPDATE consents SET modality = '{WORD}'", ("get", "export"), "consents"),
    ("UPDATE mastery SET known = 7", ("get", "export"), "mastery"),
    ("UPDATE mastery SET seen = 'x'", ("get", "export"), "mastery"),
    ("UPDATE learning SET bias = '[]]'", ("get", "export"), "learning"),
    ("UPDATE learning SET bias = '[1]'", ("get",), "users"),
    (f"UPDATE learning SET weights = '{{\"{WORD}\": 1}}'", ("get", "export"), "learning"),
    ("UPDATE turns SET probabilities = '{'", ("turns", "export"), "turns.probabilities"),
    (f"UPDATE turns SET label = '{WORD}'", ("export",), "turns.emotion.label"),
    ("UPDATE turns SET valence = 'x'", ("export",), "turns.emotion.valence"),
    ("UPDATE turns SET text = CAST(x'ff' AS TEXT)", ("turns", "export"), "UTF-8"),
    ("UPDATE days SET turns = 0", ("days",), "days"),
    (f"UPDATE days SET day = '2020-{WORD}'", ("days", "export"), "days"),
    ("UPDATE feedback SET rating = 9", ("export",), "rating"),
    ("UPDATE conversations SET session = 5", ("session", "export"), ""),
    ("UPDATE conversations SET started = 'x'", ("export",), "conversations.started"),
]  # fmt: skip


@pytest.fixture
def filled(path: Path) -> Path:
    with ProfileStore(path) as store:
        for n in range(3):
            store.record(
                make_turn(f"t{n}", user=USER),
                text=WORD,
                keep_text=True,
                session=b"{}",
                mastery={"sums.1": Mastery(known=0.5)},
            )
        store.feedback("t1", user=USER, emotion=Emotion.FEAR, rating=1)
        store.consent(USER, Modality.FACE, True)
        store.prefer(USER, tone="gentle")
        store.describe(USER, name="Zoe")
    return path


def calls(store: ProfileStore) -> dict[str, Any]:
    return {
        "get": lambda: store.get(USER),
        "profile": lambda: store.profile(USER),
        "export": lambda: store.export(USER),
        "turns": lambda: store.turns(USER),
        "days": lambda: store.days(USER),
        "session": lambda: store.session(USER, "c1"),
    }


@pytest.mark.parametrize(("damage", "which", "place"), DAMAGE)
def test_it_is_ours_names_the_place_and_nobody(
    filled: Path, damage: str, which: tuple[str, ...], place: str
) -> None:
    with contextlib.closing(sqlite3.connect(filled)) as raw:
        assert raw.execute(damage).rowcount
        raw.commit()
    with ProfileStore(filled) as store:
        for name in which:
            with pytest.raises(StoreCorruptError, match="restore it from a backup") as caught:
                calls(store)[name]()
            said = str(caught.value)
            assert place.rpartition(".")[2] in said and USER not in said and WORD not in said
            assert caught.value.__cause__ is None and caught.value.__suppress_context__
        assert store.check() != []
        # Whatever is damaged, nothing else is raised.
        for call in calls(store).values():
            with contextlib.suppress(StoreCorruptError):
                call()


def test_a_turn_on_damaged_totals_is_refused_whole(filled: Path) -> None:
    with contextlib.closing(sqlite3.connect(filled)) as raw:
        raw.execute("UPDATE users SET transitions = '[]'")
        raw.commit()
    with ProfileStore(filled) as store:
        with pytest.raises(StoreCorruptError, match=r"users\.transitions"):
            store.record(make_turn("t9", user=USER), session=b"new")
        assert len(store.turns(USER)) == 3 and store.session(USER, "c1") == b"{}"


def test_feedback_on_damaged_turns_is_refused_whole(filled: Path) -> None:
    with contextlib.closing(sqlite3.connect(filled)) as raw:
        raw.execute("UPDATE turns SET probabilities = '[]'")
        raw.commit()
    with ProfileStore(filled) as store, pytest.raises(StoreCorruptError, match="turns"):
        store.feedback("t2", user=USER, rating=1)


def test_what_cannot_be_read_can_be_erased(filled: Path) -> None:
    with contextlib.closing(sqlite3.connect(filled)) as raw:
        raw.execute("UPDATE users SET emotions = '{', created = 'x', turns = 'y'")
        raw.execute("UPDATE turns SET probabilities = '{', at = 'z'")
        raw.commit()
    with ProfileStore(filled) as store:
        assert store.erase(USER) == 3
        assert store.users() == [] and store.check() == []


def test_a_store_as_it_should_be_fits_the_schema(filled: Path) -> None:
    deep: Any = "end"
    for _ in range(400):
        deep = {"a": deep}
    with ProfileStore(filled) as store:
        turn = make_turn("t9", user=USER)
        apart = {Modality.TEXT: Emotion.JOY, Modality.SPEECH: Emotion.FEAR}
        emotion = turn.emotion.model_copy(update={"apart": apart})
        store.record(
            turn.model_copy(update={"emotion": emotion}),
            session=str(deep).replace("'", '"').encode(),
        )
        assert store.export(USER)["turns"][-1]["emotion"]["apart"] == {
            "text": "joy", "speech": "fear",
        }  # fmt: skip
        assert store.check() == []
