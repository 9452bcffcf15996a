from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.models.mdget import GATES, MDGET, MDGETConfig
from tests.models.mdget.batches import config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inputs", {}),
        ("inputs", {"text": 0}),
        ("classes", 1),
        ("width", 0),
        ("width", 6),
        ("width", -8),
        ("heads", 0),
        ("heads", 3),
        ("heads", -2),
        ("gue_layers", 0),
        ("acme_layers", 0),
        ("feedforward", -1),
        ("window", 1),
        ("speakers", -1),
        ("timing", -1),
        ("gue_dropout", 1.0),
        ("acme_dropout", -0.1),
        ("dropout", float("nan")),
        ("gates", ("gue", "gru")),
    ],
)
def test_bad_values_are_named(field: str, value: Any) -> None:
    start = {"inputs": {"text": 2}, "classes": 2, "width": 8, "heads": 4}
    MDGETConfig(**start)
    named = "gate" if field == "gates" else field
    with pytest.raises(ConfigurationError, match=rf"\b{named}\b"):
        MDGETConfig(**(start | {field: value}))
    good = MDGETConfig(**start).as_dict()
    bad = list(value.items()) if field == "inputs" else value
    with pytest.raises(ConfigurationError, match=rf"\b{named}\b"):
        MDGETConfig.from_dict(good | {field: bad})


def test_an_odd_width_has_no_halves() -> None:
    with pytest.raises(ConfigurationError, match="even"):
        MDGETConfig(inputs={"text": 2}, classes=2, width=5, heads=5)


@pytest.mark.parametrize("names", [["text", "audio", "visual"], ["visual", "text", "audio"]])
def test_json_and_back_keeps_the_hub(names: list[str]) -> None:
    one = config(
        inputs={m: k + 2 for k, m in enumerate(names)}, gates=("fusion", "gue"), causal=False
    )
    text = json.dumps(one.as_dict(), sort_keys=True)
    again = MDGETConfig.from_dict(json.loads(text))
    assert again == one
    assert list(again.inputs) == list(again.modalities) == names
    assert again.gates == ("fusion", "gue")
    assert MDGET(again).acme[0].hub == names[0]
    assert set(one.as_dict()) == set(MDGETConfig.__dataclass_fields__)


def test_any_mapping_will_do() -> None:
    one = config(inputs=MappingProxyType({"text": 2, "audio": 3}))
    assert MDGETConfig.from_dict(one.as_dict()).as_dict() == one.as_dict()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"inputs": [["text", 2]], "gates": []},
        {"inputs": [["text", 2]], "gates": [], "classes": 2, "colour": "red"},
        {"inputs": 3, "gates": [], "classes": 2},
        {"inputs": [["text", "many"]], "gates": [], "classes": 2},
        {"inputs": [["text", 2]], "gates": [], "classes": "two"},
    ],
)
def test_what_is_no_configuration(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="no configuration of the network"):
        MDGETConfig.from_dict(values)


def test_the_published_sizes() -> None:
    one = MDGETConfig(inputs={"text": 2}, classes=7)
    assert one.heads == 8
    assert one.gates == GATES == ("gue", "acme", "fusion", "classifier", "eetm")
