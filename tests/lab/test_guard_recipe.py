"""The guard's second opinion: fitting, reading, and its place behind the patterns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from empathic_sdk.errors import ConfigurationError, DataError, ModelError
from empathic_sdk.lab.recipes.guard import GuardRecipe, fit_guard, read_drafts
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.safety.draft_model import REASONS, DraftReader, badness
from empathic_sdk.safety.output_guard import check_sentence, check_text
from empathic_sdk.turn.stateless import StatelessTurns


def blobs(n: int) -> tuple[np.ndarray, list[str | None]]:
    """Draw points whose first number says whether, the next three which."""
    rng = np.random.default_rng(1)
    reasons = [None if k % 2 else REASONS[k // 2 % 3] for k in range(n)]
    x = rng.normal(0, 0.1, (n, 4)).astype(np.float32)
    for row, reason in zip(x, reasons, strict=True):
        if reason is not None:
            row[0] += 1
            row[1 + REASONS.index(reason)] += 1
    return x, reasons


RECIPE = GuardRecipe(
    hidden=16,
    epochs=40,
    batch_size=32,
    rate=0.02,
    decay=0.0,
    dropout=0.1,
    false_refusals=0.01,
)


def calm(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (n, 4)).astype(np.float32)


def test_it_tells_whether_and_which(tmp_path: Path) -> None:
    x, reasons = blobs(240)
    found = fit_guard(RECIPE, x, reasons, calm=calm(200, 2), calm_dev=calm(500, 3))
    bad = badness(found.tensors, x) > found.limit
    wrong = np.array([reason is not None for reason in reasons])
    assert bad[wrong].mean() > 0.95
    assert bad[~wrong].mean() <= 0.05
    # What real people say sets the limit: no more of it is refused than the recipe allows.
    assert (badness(found.tensors, calm(500, 3)) > found.limit).mean() <= RECIPE.false_refusals
    assert found.chosen["recall"] > 0.95


def test_the_same_seed_fits_the_same(tmp_path: Path) -> None:
    x, reasons = blobs(60)
    quick = replace(RECIPE, epochs=2)
    one, two, other = (
        fit_guard(replace(quick, seed=s), x, reasons, calm=calm(20, 2), calm_dev=calm(20, 3))
        for s in (1, 1, 2)
    )
    assert all(np.array_equal(one.tensors[k], two.tensors[k]) for k in one.tensors)
    assert not np.array_equal(one.tensors["out.weight"], other.tensors["out.weight"])


def test_lines_that_are_broken_are_named(tmp_path: Path) -> None:
    path = tmp_path / "drafts.jsonl"
    path.write_text('{"reason": null, "text": "Hello."}\n{"reason": "rude", "text": "x"}\n')
    with pytest.raises(DataError, match="line 2"):
        read_drafts(path)
    with pytest.raises(DataError, match="not there"):
        read_drafts(tmp_path / "none.jsonl")
    with pytest.raises(ConfigurationError):
        GuardRecipe(folds=1)
    with pytest.raises(ConfigurationError, match="hidden"):
        GuardRecipe(hidden=0)


class Risk:
    """Stands for the risk reader: a sentence's features are its length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fingerprint = checkpoints.sha256(path)

    def features(self, sentences: list[str]) -> np.ndarray:
        return np.ones((len(sentences), 6), np.float32)


class Text:
    def encode(self, sentences: list[str]) -> np.ndarray:
        return np.array([[1.0, 0.0] if "bad" in s else [0.0, 1.0] for s in sentences], np.float32)


def write(path: Path, risk: Path, **changed: Any) -> Path:
    hidden = torch.zeros(2, 9)
    hidden[0, 6] = 1.0  # the text's first number says that it is bad
    last = torch.zeros(10, 2)
    last[1 + REASONS.index("contempt"), 0] = 1.0
    tensors = {
        "hidden.weight": hidden, "hidden.bias": torch.zeros(2),
        "out.weight": last, "out.bias": torch.zeros(10),
    }  # fmt: skip
    about = {"limit": 3.0, "risk_sha256": checkpoints.sha256(risk), **changed}
    checkpoints.save(path, tensors, about)
    return path


def test_reader(tmp_path: Path) -> None:
    weights = tmp_path / "risk"
    weights.write_text("x")
    path = write(tmp_path / "guard.safetensors", weights)
    reader = DraftReader(Risk(weights), Text(), path)  # type: ignore[arg-type]
    assert reader("a bad line") == "contempt"
    assert reader("a good line") == ""
    weights.write_text("other")
    with pytest.raises(ModelError, match="other weights"):
        DraftReader(Risk(weights), Text(), path)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="no weights"):
        DraftReader(Risk(weights), Text(), tmp_path / "none.safetensors")  # type: ignore[arg-type]


def test_it_is_asked_where_no_pattern_finds_anything(recognizer: EmotionRecognizer) -> None:
    heard = StatelessTurns(recognizer).take([("user", "I feel awful today.")])
    assert heard is not None
    asked: list[str] = []

    def second(sentence: str) -> str:
        asked.append(sentence)
        return "human" if "Anna" in sentence else "contempt" if "silly" in sentence else ""

    context = heard.context
    assert check_sentence("Just kill yourself.", context, second).reason == "encouragement"
    assert asked == []
    assert check_sentence("My name is Anna.", context, second) == (False, "human", False)
    assert check_sentence("How silly.", context, second) == (False, "contempt", False)
    lesson = context.model_copy(update={"scenario": "tutoring"})
    assert check_sentence("How silly.", lesson, second).allowed
    assert check_text("That is hard. My name is Anna.", context, second) == (
        "That is hard.", ("human",),
    )  # fmt: skip
    assert check_text("That is hard. How silly.", context, second)[0] == "That is hard."
