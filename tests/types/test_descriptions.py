"""Every field of a public value says what it means: the descriptions are its JSON schema."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter

import empathic_sdk
from empathic_sdk import types
from empathic_sdk.policy import Deployment
from empathic_sdk.profiles.schema import Export


def below(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from below(inner)


def reachable(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting = list(roots)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            for field in model.model_fields.values():
                waiting += below(field.annotation)
    return found


def of_the_package() -> set[type[BaseModel]]:
    """Return the public values, the modules beside them, and what these are made of."""
    homes = [
        import_module(f"empathic_sdk.types.{m.name}") for m in pkgutil.iter_modules(types.__path__)
    ]
    named = [getattr(types, name) for name in types.__all__]
    named += [value for home in homes for value in vars(home).values()]
    named += [getattr(empathic_sdk, name) for name in empathic_sdk.__all__]
    models = [v for v in named if isinstance(v, type) and issubclass(v, BaseModel)]
    return reachable(*models, Deployment, Export)


MODELS = sorted(
    of_the_package() - {types.Utterance.__base__}, key=lambda m: f"{m.__module__}.{m.__name__}"
)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.__module__}.{m.__name__}")
def test_every_field_is_described(model: type[BaseModel]) -> None:
    bare = [n for n, f in model.model_fields.items() if not (f.description or "").strip()]
    assert bare == []
    for field in model.model_fields.values():
        assert (field.description or "").rstrip().endswith((".", "...)")), field.description
    assert (model.__doc__ or "").strip()


def test_the_walk_reaches_what_it_should() -> None:
    names = {m.__name__ for m in MODELS}
    assert {"EmotionState", "Turn", "Reply", "TutorState", "LearnedOf", "Override"} <= names


def test_the_descriptions_are_in_the_schema() -> None:
    schema = TypeAdapter(types.Turn).json_schema()
    state = schema["$defs"]["EmotionState"]["properties"]
    assert state["valence"]["description"] == "Unpleasant (-1) to pleasant (1)."
    assert state["label"]["description"].startswith("The most probable emotion")
    assert schema["$defs"]["Tone"]["properties"]["warmth"]["maximum"] == 1.0
