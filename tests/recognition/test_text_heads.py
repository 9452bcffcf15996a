"""The text heads in NumPy give what the module that was trained gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk.errors import ModelError
from empathic_sdk.models.utterance import UtteranceClassifier
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.text_heads import TextHeads
from empathic_sdk.runtime import checkpoints

CORPORA = ["meld", "goemotions"]


def saved(path: Path, heads: UtteranceClassifier, **about: object) -> Path:
    tensors = {f"heads.{k}": v for k, v in heads.state_dict().items()}
    calibration = Calibration(temperature=1.5).model_dump()
    description = {"width": 6, "corpora": CORPORA, "calibration": calibration}
    checkpoints.save(path, {**tensors, "encoder.x": torch.ones(2)}, {**description, **about})
    return path


@pytest.fixture
def heads() -> UtteranceClassifier:
    torch.manual_seed(0)
    made = UtteranceClassifier(width=6, corpora=CORPORA).eval()
    with torch.no_grad():
        for p in made.parameters():
            p.normal_()
            p.copy_(p.half())  # as the file holds them
    return made


@pytest.mark.parametrize("corpus", [None, *CORPORA])
def test_they_give_what_the_module_gives(
    tmp_path: Path, heads: UtteranceClassifier, corpus: str | None
) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    with torch.inference_mode():
        expected = heads(torch.from_numpy(vectors), corpus)
    made = TextHeads(saved(tmp_path / "x.safetensors", heads))
    found = made.read(vectors, corpus)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)
    assert (made.width, made.calibration.temperature) == (6, 1.5)
    assert made.read(vectors[:0]).emotion.shape == (0, 7)


def test_heads_that_do_not_fit_are_refused(tmp_path: Path, heads: UtteranceClassifier) -> None:
    path = tmp_path / "x.safetensors"
    for wrong in ({"width": 7}, {"corpora": ["meld"]}, {"corpora": None}):
        with pytest.raises(ModelError, match="holds no emotion heads that fit"):
            TextHeads(saved(path, heads, **wrong))
    checkpoints.save(path, {"heads.shared": torch.zeros(7, 6)}, {"width": 6})
    with pytest.raises(ModelError, match="holds no emotion heads that fit"):
        TextHeads(path)
    with pytest.raises(ValueError, match="not in tuple"):
        TextHeads(saved(path, heads)).read(np.zeros((1, 6), np.float32), "another")
