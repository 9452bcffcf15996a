"""What feedback taught, in the store: kept, apart, exported, reset, erased."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Emotion, Modality
from tests.profiles.factory import make_turn


def teach(
    store: ProfileStore, user: str, *, turns: int = 12, felt: Emotion = Emotion.ANGER
) -> None:
    for i in range(turns):
        store.record(make_turn(f"{user}-{i}", user=user))
        store.feedback(f"{user}-{i}", user=user, emotion=felt)


def test_it_is_theirs_alone_and_survives_a_restart(path: Path) -> None:
    with ProfileStore(path) as store:
        teach(store, "ada")
        store.record(make_turn("b1", user="bob"))
        store.feedback("b1", user="bob", rating=1)
        taught = store.get("ada")
        assert taught.bias[list(Emotion).index(Emotion.ANGER)] > 0
        assert store.get("bob").bias == () and store.get("stranger").bias == ()
    with ProfileStore(path) as again:
        assert again.get("ada") == taught
        assert (
            json.loads(json.dumps(again.export("ada")))["learning"]["learned"]["corrections"] == 12
        )
        assert again.export("stranger")["learning"] is None


def test_a_turn_spoken_of_twice_counts_once(store: ProfileStore) -> None:
    for user in ("twice", "once"):
        for i in range(6):
            store.record(make_turn(f"t{i}", user=user))
    store.feedback("t2", user="twice", emotion=Emotion.FEAR)
    for user in ("twice", "once"):
        store.feedback("t4", user=user, emotion=Emotion.JOY)
        store.feedback("t2", user=user, emotion=Emotion.ANGER)
    twice, once = (store.export(u)["learning"]["learned"] for u in ("twice", "once"))
    assert twice == once and twice["corrections"] == 2


def test_reset_forgets_and_learns_from_later_turns_only(store: ProfileStore) -> None:
    assert store.reset_learning("ada") is False
    teach(store, "ada")
    teach(store, "bob")
    before = store.get("bob")
    assert store.reset_learning("ada") is True
    person = store.get("ada")
    assert (person.bias, person.weights, person.threshold) == ((), {}, 0.0)
    assert store.get("bob") == before
    assert len(store.export("ada")["feedback"]) == 12
    store.record(make_turn("new", user="ada"))
    store.feedback("new", user="ada", emotion=Emotion.FEAR)
    assert store.export("ada")["learning"]["learned"]["corrections"] == 1


def test_an_old_turn_is_still_corrected_but_not_learned_from_after_a_reset(
    store: ProfileStore,
) -> None:
    teach(store, "ada")
    store.reset_learning("ada")
    store.feedback("ada-0", user="ada", emotion=Emotion.FEAR)
    assert store.export("ada")["learning"]["learned"]["corrections"] == 0
    assert store.get("ada").bias == ()


def test_erasing_leaves_nothing_of_it(path: Path) -> None:
    with ProfileStore(path) as store:
        teach(store, "ada")
        marks = [repr(store.get("ada").bias[3]).encode(), b'"corrections"']
        assert all(any(m in p.read_bytes() for p in path.parent.iterdir()) for m in marks)
        store.erase("ada")
        for p in path.parent.iterdir():
            assert not any(m in p.read_bytes() for m in marks)
        assert store.get("ada").bias == ()


def test_what_a_turn_keeps_for_learning_comes_back(store: ProfileStore) -> None:
    turn = make_turn("t1")
    general = {e: (0.4 if e is Emotion.JOY else 0.1) for e in Emotion}
    apart = {Modality.TEXT: Emotion.JOY, Modality.SPEECH: Emotion.ANGER}
    emotion = turn.emotion.model_copy(update={"general": general, "apart": apart})
    store.record(turn.model_copy(update={"emotion": emotion}))
    (row,) = store.turns("ada")
    assert row["emotion"]["general"] == {e.value: p for e, p in general.items()}
    assert row["emotion"]["apart"] == {"text": "joy", "speech": "anger"}
    store.feedback("t1", user="ada", emotion=Emotion.JOY)
    learned = store.export("ada")["learning"]["learned"]
    # The step is taken from the general probabilities, not from those shown.
    assert learned["bias"][1] == 0.2 * (1 - 0.4)


def test_feedback_beside_turns_of_other_threads(store: ProfileStore) -> None:
    def talk(user: str) -> None:
        teach(store, user, turns=8)

    threads = [threading.Thread(target=talk, args=(f"u{i}",)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({store.get(f"u{i}").bias for i in range(6)}) == 1
    assert store.export("u0")["learning"]["learned"]["corrections"] == 8
