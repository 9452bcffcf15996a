"""The published shape of an export."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter, ValidationError

from empathic_sdk.cli import main
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.schema import Export, made_schema
from empathic_sdk.types import Emotion, Mastery, Modality, Override, OverrideUse
from tests.profiles.direct import tables
from tests.profiles.factory import make_turn

SHAPE = TypeAdapter(Export)


def full(store: ProfileStore) -> dict[str, Any]:
    """Everything that an export can hold."""
    store.record(make_turn("t1", reasons=("sign:a",)), text="hi", keep_text=True, session=b"{}")
    store.record(make_turn("t2", conversation="c2"), session=b"\xff\x00")
    store.record(make_turn("t3"), mastery={"fractions.1": Mastery(known=0.5, seen=2)})
    safety = Override(purpose="safety", reason="Fatigue of drivers.", by="Safety office")
    use = OverrideUse(context="workplace", override=safety, modalities=("speech",))
    store.record(make_turn("t4"), override=use)
    store.feedback("t1", user="ada", emotion=Emotion.FEAR, rating=-1)
    store.feedback("t2", user="ada", rating=1)
    store.consent("ada", Modality.FACE, True)
    store.consent("ada", Modality.FACE, False)
    store.prefer("ada", tone="gentle")
    return store.export("ada")


def test_the_published_file_is_what_the_models_say() -> None:
    assert ProfileStore.schema() == json.loads(json.dumps(made_schema()))
    out = CliRunner().invoke(main, ["profile", "schema"]).output
    assert json.loads(out) == ProfileStore.schema()


def test_an_export_has_the_published_shape(store: ProfileStore) -> None:
    exported = full(store)
    for person in (exported, store.export("nobody")):
        SHAPE.validate_json(json.dumps(person))
    assert set(exported) == set(ProfileStore.schema()["required"])
    assert [c["session_encoding"] for c in exported["conversations"]] == ["json", "base64"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every object in a JSON value."""
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in places(v, (*path, i))]
    if isinstance(value, dict):
        return [path, *(p for k, v in value.items() for p in places(v, (*path, k)))]
    return []


def test_a_key_that_was_not_published_is_refused_wherever_it_stands(store: ProfileStore) -> None:
    exported = full(store)
    # Two of these are free in their keys by nature; a session is its owner's affair.
    free = {("preferences",)}
    tried = 0
    for path in places(exported):
        if path in free or path[-1:] == ("timings",) or "session" in path:
            continue
        changed = copy.deepcopy(exported)
        target = changed
        for key in path:
            target = target[key]
        target["unpublished"] = 1
        with pytest.raises(ValidationError):
            SHAPE.validate_python(changed)
        tried += 1
    assert tried > 15


def test_the_schema_names_every_stored_column(store: ProfileStore) -> None:
    """A column that was added and not exported would be kept from the person."""
    text = json.dumps(full(store))
    with tables(store) as db:
        columns = {t: [c.name for c in db[t].columns] for t in db.table_names()}
    internal = {"id", "seq", "user_id", "conversation_id", "turn_seq", "override_id"}
    internal |= {"since"}
    renamed = {"safety_level": "level", "safety_reasons": "reasons", "name": "user"}
    impersonal = {"upkeep", "privacy_spent", "referrals"}
    for table, names in columns.items():
        if table.startswith("_") or table in impersonal:
            continue
        for name in names:
            if name not in internal:
                assert f'"{renamed.get(name, name)}"' in text, (table, name)
