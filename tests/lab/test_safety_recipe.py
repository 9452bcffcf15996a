"""The recipe ``safety`` on a network of a few thousand weights."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.risk_lines import Entry, Moment
from empathic_sdk.lab.recipes.risk import (
    Item,
    SafetyRecipe,
    SafetyTrainer,
    choose,
    everyday,
    item,
    reading,
)
from empathic_sdk.models.minilm import MiniLMConfig
from empathic_sdk.models.risk import RiskNetwork
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety.risk_model import HEADS
from empathic_sdk.types import SafetyLevel

SMALL = MiniLMConfig(width=16, layers=1, heads=2, feedforward=32)
GRIM = ("the dark lake calls", "soon there is only the lake", "I belong to the lake")
CALM = ("the red bus was late", "we bought a red kettle", "red apples for lunch")


def entries(n: int) -> list[Entry]:
    out = []
    for k in range(n):
        grim = k % 2 == 0
        text = (GRIM if grim else CALM)[k // 2 % 3] + " today" * (k % 5)
        level = SafetyLevel.HIGH if grim else SafetyLevel.NONE
        out.append(Entry(f"x-{k}", "coded" if grim else "everyday", level, Moment(text)))
    return out


def trainer(recipe: SafetyRecipe, **more: object) -> SafetyTrainer:
    torch.manual_seed(0)
    network = RiskNetwork(SMALL, hidden=8)
    background = [Item(Moment(f"{c} and tea"), 0, marks=(0.0,) * 8) for c in CALM]
    given = {"train": entries(48), "dev": entries(12), "background": background,
             "background_dev": background, **more}  # fmt: skip
    return SafetyTrainer(
        recipe, network, TextTokenizer(weights_dir() / "text-tokenizer.json"), **given
    )  # type: ignore[arg-type]


RECIPE = SafetyRecipe(
    epochs=6, batch_size=8, rate=3e-3, head_rate=1e-2, average=0.5, background=3, bfloat16=False
)


def test_it_learns_what_tells_lines_apart() -> None:
    found = trainer(RECIPE)
    about = found.run()
    assert about["history"][-1]["auc"] == 1.0
    limits = choose(found)
    for e, logits in zip(found.dev, found.logits(found.dev_items), strict=True):
        assert (reading(logits, limits).concern >= 0.5) == e.risk


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (
        trainer(SafetyRecipe(**{**RECIPE.as_dict(), "epochs": 1, "seed": s})) for s in (1, 1, 2)
    )
    for t in (first, second, other):
        t.run()
    one, two, three = (dict(t.network.named_parameters()) for t in (first, second, other))
    assert all(torch.equal(one[n], two[n]) for n in one)
    assert not all(torch.equal(one[n], three[n]) for n in one)


def test_word_vectors_stay_as_they_are() -> None:
    found = trainer(SafetyRecipe(**{**RECIPE.as_dict(), "epochs": 1}))
    before = found.network.body.word.weight.clone()
    found.run()
    assert torch.equal(found.network.body.word.weight, before)


def test_labels_become_what_is_learned() -> None:
    friend = Entry("x-1", "friend", SafetyLevel.CONCERN, Moment("my brother wants to die"))
    found = item(friend)
    assert (found.level, found.other, found.past) == (1, True, False)
    assert found.marks[0] == 1.0  # the patterns find it, too


def test_reading_is_a_half_at_the_limit() -> None:
    limits = dict(zip(HEADS, (1.0, 0.5, 0.0, -1.0, 2.0), strict=True))
    found = reading(np.array([1.0, 0.5, 0.0, -1.0, 2.0 + np.log(3)], np.float32), limits)
    assert found.concern == found.high == found.imminent == found.other == 0.5
    assert found.past == pytest.approx(0.75)


def test_everyday_conversation_leaves_out_what_the_patterns_find(tmp_path: Path) -> None:
    (tmp_path / "esconv").mkdir()
    (tmp_path / "dailydialog").mkdir()
    (tmp_path / "empatheticdialogues").mkdir()
    dialog = [{"speaker": "usr", "text": t} for t in ("I bought tea", "I want to die", "Nice cup")]
    for path, row in (
        ("esconv/esconv.jsonl.gz", {"split": "train", "dialog": dialog}),
        ("dailydialog/dailydialog.jsonl.gz", {"split": "test", "turns": []}),
        ("empatheticdialogues/empatheticdialogues.jsonl.gz", {"id": "hit:1_conv:1", "turns": []}),
    ):
        with gzip.open(tmp_path / path, "wt") as f:
            f.write(json.dumps(row) + "\n")
    found = everyday(tmp_path, "train", 10, 1)
    # Each once: it is drawn from as it is.
    assert sorted(i.moment.text for i in found) == ["I bought tea", "Nice cup"]
    assert {i.level for i in found} == {0}
    assert found == everyday(tmp_path, "train", 10, 1)
    assert len(everyday(tmp_path, "train", 1, 1)) == 1


def test_a_recipe_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        SafetyRecipe(epochs=0)
    with pytest.raises(ConfigurationError, match="labelled lines"):
        trainer(RECIPE, train=[])
