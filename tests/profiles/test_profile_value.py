"""The profile as one value: what people say of themselves, behaviour, transitions, proposals."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from empathic_sdk.errors import InputError
from empathic_sdk.profiles import ProfileStore, migrations
from empathic_sdk.types import Emotion, Profile, Proposal
from tests.profiles.factory import make_turn


def test_a_strangers_profile_is_empty(store: ProfileStore) -> None:
    assert store.profile("nobody") == Profile(user="nobody")
    assert store.users() == []


def test_attributes_are_a_short_list(store: ProfileStore) -> None:
    store.describe("ada", name="Ada", pronouns="she/her")
    store.describe("ada", pronouns=None, timezone="Europe/London")
    assert store.get("ada").attributes == {"name": "Ada", "timezone": "Europe/London"}
    assert store.profile("ada").attributes == {"name": "Ada", "timezone": "Europe/London"}
    assert store.export("ada")["profile"]["attributes"]["name"] == "Ada"
    with pytest.raises(InputError, match="no attribute is named 'diagnosis'"):
        store.describe("ada", diagnosis="x")
    for bad in ("", "x" * 65, "a\nb"):
        with pytest.raises(InputError, match="1 to 64 printable"):
            store.describe("ada", name=bad)


def test_behaviour_and_transitions_by_hand(store: ProfileStore) -> None:
    course = [(Emotion.JOY, 0.8), (Emotion.JOY, 0.4), (Emotion.ANGER, -0.6)]
    for i, (label, valence) in enumerate(course):
        store.record(make_turn(f"t{i}", label=label, valence=valence))
    store.record(make_turn("other", conversation="c2", label=Emotion.FEAR, valence=-0.6))
    found = store.profile("ada")
    # The first turn of another talk follows nothing.
    assert found.transitions == {Emotion.JOY: {Emotion.JOY: 1, Emotion.ANGER: 1}}
    assert found.behaviour.mean_valence == pytest.approx(0.0)
    assert found.behaviour.var_valence == pytest.approx((0.64 + 0.16 + 0.36 + 0.36) / 4)
    assert found.behaviour.mean_arousal == pytest.approx(0.25)
    assert found.behaviour.var_arousal == pytest.approx(0.0)
    assert Profile.model_validate_json(found.model_dump_json()) == found


def test_what_is_agreed_to_is_kept_at_once(path: Path) -> None:
    wishes = (
        Proposal(kind="preference", name="tone", value="blunt"),
        Proposal(kind="preference", name="advice", value="no"),
        Proposal(kind="attribute", name="name", value="Sam"),
    )
    with ProfileStore(path) as store:
        store.adopt("ada", wishes)
        with pytest.raises(InputError):
            store.adopt("bob", [*wishes, Proposal(kind="attribute", name="salary", value="1")])
        assert store.users() == ["ada"]
    with ProfileStore(path) as store:
        found = store.profile("ada")
        assert found.preferences == {"tone": "blunt", "advice": "no"}
        assert found.attributes == {"name": "Sam"}
        assert found.preference_vector == (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def test_q_values_and_bias_are_part_of_it(store: ProfileStore) -> None:
    for i in range(3):
        store.record(make_turn(f"t{i}"))
        store.feedback(f"t{i}", user="ada", emotion=Emotion.ANGER)
    assert store.profile("ada").bias == store.get("ada").bias != ()
    assert store.profile("ada").q == {}  # text alone: there is nothing to weigh


def test_turns_from_before_are_counted_and_learned_from(path: Path) -> None:
    """A store of the schema before this one: its sums are made up for, its turns are read."""
    with closing(Database(path)) as db, db.conn:
        migrations.MIGRATIONS.apply(db, stop_before="m008_learning")
        db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        created = "2026-01-01T00:00:00+00:00"
        db.execute(
            "INSERT INTO users (id, name, created, turns) VALUES (1, 'ada', ?, 2)", [created]
        )
        db.execute(
            "INSERT INTO conversations (id, user_id, name, started, updated) "
            "VALUES (1, 1, 'c', ?, ?)",
            [created, created],
        )
        p = json.dumps({e: 0.4 if e == "neutral" else 0.1 for e in Emotion})
        for name, arousal in (("t0", 0.5), ("t1", -0.1)):
            db.execute(
                "INSERT INTO turns (user_id, conversation_id, id, at, label, probabilities, "
                "confidence, uncertain, valence, arousal, intensity, trend, contributions, "
                "missing, tone, pacing, theme, strategy, safety_level, safety_reasons, "
                "responder, timings) VALUES (1, 1, ?, ?, 'neutral', ?, 0.4, 0, 0.2, ?, 0.1, "
                "'steady', '{}', '[]', 'warm', '{}', 'dusk', 'others', 'none', '[]', 'e', '{}')",
                [name, created, p, arousal],
            )
    with ProfileStore(path) as store:
        behaviour = store.profile("ada").behaviour
        assert behaviour.mean_arousal == pytest.approx(0.2)
        assert behaviour.var_arousal == pytest.approx(0.09)
        store.feedback("t1", user="ada", emotion=Emotion.ANGER)
        assert store.get("ada").bias[3] == pytest.approx(0.25 * 0.2 * 0.9)
