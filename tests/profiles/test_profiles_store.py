"""What a store remembers, through its public methods."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from empathic_sdk.errors import ConfigurationError, InputError, StoreError, UnknownTurnError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.migrations import VERSION
from empathic_sdk.types import Emotion, EmotionState, Mastery, Modality, UserContext
from tests.profiles.direct import connections
from tests.profiles.disk import searching
from tests.profiles.factory import make_turn


def test_a_stranger_is_the_default_context(store: ProfileStore) -> None:
    assert store.get("ada") == UserContext(user="ada")
    assert store.users() == []


def test_aggregates_follow_the_turns(store: ProfileStore) -> None:
    before = datetime.now(UTC)
    store.record(make_turn("a", conversation="x", label=Emotion.JOY, valence=1.0))
    store.record(make_turn("b", conversation="y", label=Emotion.FEAR, valence=-0.5))
    store.record(make_turn("c", conversation="x", label=Emotion.JOY, valence=0.25))
    store.record(make_turn("a", user="bob", conversation="x", label=Emotion.ANGER, valence=-1.0))
    ada = store.get("ada")
    assert (ada.turns, ada.conversations, ada.last_emotion) == (3, 2, Emotion.JOY)
    assert ada.mean_valence == pytest.approx(0.25)  # (1 - 0.5 + 0.25) / 3
    assert ada.emotions == {Emotion.JOY: 2, Emotion.FEAR: 1}
    assert ada.last_seen is not None
    assert ada.last_seen.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert before <= ada.last_seen <= datetime.now(UTC)
    assert store.get("bob").turns == 1
    assert store.users() == ["ada", "bob"]


def test_a_mean_that_rounds_past_its_end_still_fits(store: ProfileStore) -> None:
    for number in range(10):
        store.record(make_turn(str(number), valence=1.0))
    assert store.get("ada").mean_valence == 1.0


def test_recording_twice_is_recording_once(store: ProfileStore) -> None:
    store.record(make_turn("a"), session=b"one")
    store.record(make_turn("b"), session=b"two")
    once = {**store.export("ada"), "exported_at": None}
    store.record(make_turn("a", conversation="other", valence=1.0), session=b"one")
    assert {**store.export("ada"), "exported_at": None} == once
    assert store.get("ada").turns == 2
    assert store.session("ada", "c1") == b"two"


def test_two_users_may_have_turns_of_the_same_id(store: ProfileStore) -> None:
    store.record(make_turn("a", user="ada"))
    store.record(make_turn("a", user="bob"))
    assert [len(store.turns(u)) for u in ("ada", "bob")] == [1, 1]


def test_everything_lasts(path: Path) -> None:
    with ProfileStore(path) as first:
        first.record(make_turn(), session=b"\x00\xff")
        first.prefer("ada", tone="gentle")
        first.consent("ada", Modality.FACE, True)
        context = first.get("ada")
    with ProfileStore(str(path)) as second:
        assert second.path == path
        assert second.get("ada") == context
        assert second.session("ada", "c1") == b"\x00\xff"
        assert second.consent("ada", Modality.FACE) is True


def test_a_session_is_the_last_one_given(store: ProfileStore) -> None:
    assert store.session("ada", "c1") is None
    store.record(make_turn("a"))
    assert store.session("ada", "c1") is None
    store.record(make_turn("b"), session=b"b")
    store.record(make_turn("c"))
    assert store.session("ada", "c1") == b"b"
    store.record(make_turn("d"), session=b"")
    assert store.session("ada", "c1") == b""
    assert store.session("ada", "c2") is None
    assert store.session("bob", "c1") is None


def test_turns_are_newest_last(store: ProfileStore) -> None:
    for number in range(5):
        store.record(make_turn(str(number), conversation="odd" if number % 2 else "even"))
    assert [t["id"] for t in store.turns("ada")] == ["0", "1", "2", "3", "4"]
    assert [t["id"] for t in store.turns("ada", limit=2)] == ["3", "4"]
    assert [t["id"] for t in store.turns("ada", conversation="even", limit=2)] == ["2", "4"]
    assert store.turns("ada", limit=0) == []
    assert store.turns("ada", conversation="none") == []
    assert store.turns("bob") == []
    with pytest.raises(InputError, match="limit"):
        store.turns("ada", limit=-1)


def test_a_turn_keeps_what_was_derived(store: ProfileStore) -> None:
    turn = make_turn(reasons=("hopelessness",), timings={"total": 20.0, "odd": float("nan")})
    store.record(turn, text="hello")
    (row,) = store.turns("ada")
    assert EmotionState(**row["emotion"]) == turn.emotion
    assert datetime.fromisoformat(row["at"]).tzinfo is not None
    assert {k: v for k, v in row.items() if k not in ("emotion", "at")} == {
        "id": "t1",
        "conversation": "c1",
        "tone": "gentle",
        "pacing": {"delay_s": 0.5, "words_per_minute": 150.0, "max_sentences": 3},
        "theme": "dusk",
        "strategy": "reflection_of_feelings",
        "safety": {"level": "concern", "reasons": ["hopelessness"]},
        "responder": "embedded",
        "timings": {"total": 20.0},
        "text": None,
        "reply": None,
        "feedback": None,
    }


def test_words_are_kept_only_when_asked(path: Path) -> None:
    words = (
        "TEXTWORDS-5531",
        "REPLYWORDS-5532",
        "REASONWORDS-5533",
        "TONEWORDS-5534",
        "FALLBACKWORDS-5535",
        "LINENAME-5536",
    )
    turn = make_turn(
        reply="REPLYWORDS-5532 you said", reasons=("REASONWORDS-5533 they said", "plan")
    )
    with searching(path) as disk, ProfileStore(path) as store:
        store.record(turn, text="TEXTWORDS-5531 I say")
        assert [w for w in words if disk.finds(w)] == []
        assert store.turns("ada")[0]["safety"]["reasons"] == ["unnamed", "plan"]
        kept = turn.model_copy(update={"id": "t2"})
        store.record(kept, text="TEXTWORDS-5531 I say\ud800", keep_text=True)
        assert [w for w in words if disk.finds(w)] == ["TEXTWORDS-5531", "REPLYWORDS-5532"]
        last = store.turns("ada")[-1]
        assert (last["text"], last["reply"]) == (
            "TEXTWORDS-5531 I say?",
            "REPLYWORDS-5532 you said",
        )


def test_feedback_is_one_correction_and_one_rating_a_turn(store: ProfileStore) -> None:
    store.record(make_turn("a"))
    store.feedback("a", user="ada", emotion=Emotion.ANGER)
    store.feedback("a", user="ada", rating=-1)
    store.feedback("a", user="ada", rating=1)
    (given,) = store.export("ada")["feedback"]
    assert {k: given[k] for k in ("turn", "emotion", "rating")} == {
        "turn": "a",
        "emotion": "anger",
        "rating": 1,
    }
    assert store.turns("ada")[0]["feedback"]["emotion"] == "anger"
    assert store.get("ada").emotions == {Emotion.SADNESS: 1}  # what was shown stays as it was


def test_feedback_must_say_something_about_ones_own_turn(store: ProfileStore) -> None:
    store.record(make_turn("a", user="ada"))
    store.record(make_turn("b", user="bob"))
    with pytest.raises(UnknownTurnError, match="'bob' has no turn 'a'"):
        store.feedback("a", user="bob", rating=1)
    with pytest.raises(UnknownTurnError):
        store.feedback("a", user="nobody", rating=1)
    with pytest.raises(InputError, match="needs an emotion"):
        store.feedback("a", user="ada")
    for rating in (2, -2, 0.5, True):
        with pytest.raises(InputError, match="rating"):
            store.feedback("a", user="ada", rating=rating)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no emotion; there are: neutral, joy"):
        store.feedback("a", user="ada", emotion="boredom")
    assert store.export("ada")["feedback"] == []
    assert store.users() == ["ada", "bob"]


def test_consent_stands_until_it_is_revoked(store: ProfileStore) -> None:
    assert store.consent("ada", Modality.FACE) is False
    assert store.users() == []  # asking leaves no trace
    assert store.consent("ada", Modality.FACE, True) is True
    assert store.consent("ada", Modality.FACE) is True
    assert store.consent("ada", Modality.SPEECH) is False
    assert store.consent("bob", Modality.FACE) is False
    assert store.consent("ada", Modality.FACE, False, version="2") is False
    assert store.consent("ada", "face") is False
    history = store.export("ada")["consents"]
    assert [(c["modality"], c["granted"], c["version"]) for c in history] == [
        ("face", True, "1"),
        ("face", False, "2"),
    ]
    assert history[0]["at"] <= history[1]["at"]
    assert store.users() == ["ada"]
    with pytest.raises(InputError, match="no modality"):
        store.consent("ada", "smell", True)
    with pytest.raises(InputError, match="granted"):
        store.consent("ada", Modality.FACE, 1)  # type: ignore[arg-type]


def test_preferences_are_set_and_removed(store: ProfileStore) -> None:
    store.prefer("ada", tone=None)
    store.prefer("ada")
    assert store.users() == []
    store.prefer("ada", tone="gentle", language="français")
    store.prefer("ada", tone=None, pace="slow")
    assert store.get("ada").preferences == {"language": "français", "pace": "slow"}
    assert store.get("ada").turns == 0
    with pytest.raises(InputError, match="preference tone"):
        store.prefer("ada", tone=3)  # type: ignore[arg-type]


def test_export_of_somebody_unknown_is_empty(store: ProfileStore) -> None:
    found = store.export("nobody")
    datetime.fromisoformat(found.pop("exported_at"))
    assert found == {
        "schema": VERSION,
        "user": "nobody",
        "profile": None,
        "preferences": {},
        "consents": [],
        "overrides": [],
        "conversations": [],
        "days": [],
        "mastery": [],
        "learning": None,
        "feedback": [],
        "turns": [],
    }


def test_mastery_is_kept_with_the_turn_and_goes_with_the_user(path: Path) -> None:
    first = {"fractions.1": Mastery(known=0.25, seen=1), "equations.2": Mastery(known=0.5, seen=4)}
    with searching(path) as disk, ProfileStore(path) as store:
        store.record(make_turn(), mastery=first)
        store.record(make_turn("t2"), mastery={"fractions.1": Mastery(known=0.75, seen=2)})
        store.record(make_turn("t2"), mastery={"fractions.1": Mastery(known=0.0, seen=9)})
        store.record(make_turn("t3"))
        assert store.get("ada").mastery == {**first, "fractions.1": Mastery(known=0.75, seen=2)}
        assert store.get("bob").mastery == {}
        kept = [
            (m["skill"], m["known"], m["seen"], m["version"])
            for m in store.export("ada")["mastery"]
        ]
        assert kept == [("equations.2", 0.5, 4, 1), ("fractions.1", 0.75, 2, 1)]
        with pytest.raises(InputError, match="skill"):
            store.record(make_turn("t4"), mastery={"": Mastery(known=0.5)})
        store.erase("ada")
        assert not disk.finds("equations.2")
        assert store.get("ada").mastery == {}


@pytest.mark.parametrize(
    ("session", "shown", "encoding"),
    [
        (b'{"a": [1]}', {"a": [1]}, "json"),
        (b"\x00\xff", "AP8=", "base64"),
        (b"NaN", "TmFO", "base64"),
        (None, None, None),
    ],
)
def test_export_shows_a_session(
    store: ProfileStore, session: bytes | None, shown: object, encoding: str | None
) -> None:
    store.record(make_turn(), session=session)
    found = json.loads(json.dumps(store.export("ada"), allow_nan=False))
    (talk,) = found["conversations"]
    assert (talk["name"], talk["session"], talk["session_encoding"]) == ("c1", shown, encoding)


@pytest.mark.parametrize("name", ["", "x" * 257, "\ud800", 3, None])
def test_names_that_cannot_be(store: ProfileStore, name: str) -> None:
    turn = make_turn()
    for call in (
        lambda: store.get(name),
        lambda: store.export(name),
        lambda: store.erase(name),
        lambda: store.prefer(name, tone="x"),
        lambda: store.consent(name, Modality.FACE, True),
        lambda: store.session("ada", name),
        lambda: store.feedback(name, user="ada", rating=1),
        lambda: store.record(turn.model_copy(update={"user": name})),
        lambda: store.record(turn.model_copy(update={"id": name})),
        lambda: store.record(turn.model_copy(update={"conversation": name})),
    ):
        with pytest.raises(InputError):
            call()
    assert store.users() == []


@pytest.mark.parametrize("name", ["x" * 256, "Zoë 🦊", " ", "a\0b", "'; DROP TABLE users; --"])
def test_names_that_can_be(store: ProfileStore, name: str) -> None:
    store.record(make_turn(name, user=name, conversation=name))
    assert store.users() == [name]
    assert store.get(name).turns == 1
    assert store.export(name)["conversations"][0]["name"] == name
    assert store.erase(name) == 1


def test_a_session_must_be_bytes(store: ProfileStore) -> None:
    with pytest.raises(InputError, match="session must be bytes"):
        store.record(make_turn(), session="text")  # type: ignore[arg-type]


def test_a_closed_store_says_so(path: Path) -> None:
    store = ProfileStore(path)
    store.close()
    store.close()
    for call in (lambda: store.get("ada"), lambda: store.record(make_turn()), store.users):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_in_memory_everything_works_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (None, ":memory:"):
        with ProfileStore(path) as store:
            assert store.path is None
            store.record(make_turn(), session=b"s")
            assert store.erase("ada") == 1
            assert store.users() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf")])
def test_a_timeout_must_be_a_time(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout_s"):
        ProfileStore(timeout_s=timeout)


def test_threads_share_a_store(store: ProfileStore) -> None:
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for number in range(10):
                store.record(make_turn(f"{name}-{number}", conversation=name))
                assert store.get("ada").turns > number
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=[str(n)]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (store.get("ada").turns, store.get("ada").conversations) == (60, 6)


def test_the_cost_of_get_does_not_grow() -> None:
    def steps() -> int:
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        for db in made:
            db.conn.set_progress_handler(tick, 1)
        store.get("ada")
        for db in made:
            db.conn.set_progress_handler(None, 1)
        return count

    with connections() as made, ProfileStore() as store:
        store.record(make_turn("0"))
        first = steps()
        for number in range(1, 300):
            store.record(make_turn(str(number)))
        assert first > 5
        assert steps() == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_store_does_not_cross_a_fork(store: ProfileStore) -> None:
    child = os.fork()
    if child == 0:
        try:
            store.get("ada")
        except StoreError as error:
            os._exit(7 if "forked" in str(error) else 1)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert store.get("ada").turns == 0
