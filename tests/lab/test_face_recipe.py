from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.faces import Faces, read_faces
from empathic_sdk.lab.recipes.face_numbers import FaceRecipe, recipe_for
from empathic_sdk.lab.training.face_fit import (
    FaceTrainer,
    augment,
    class_weights,
    loss_of,
    prepare,
    rate,
)
from empathic_sdk.lab.training.frame_pool import bags, fit_pool, spoil, views
from empathic_sdk.models.face import FaceConfig, FaceNet
from empathic_sdk.types import Emotion
from tests.lab.faces_imitation import imitate, write_fer2013

TINY = recipe_for("cnn", sizes=((24, 1), (32, 2)), batch_size=16, learning_rate=0.05)


def test_labels_are_in_the_order_of_emotion(tmp_path: Path) -> None:
    write_fer2013(tmp_path / "fer2013.npz", per_split=14)
    faces = read_faces(tmp_path, "dev")
    assert len(faces) == 14
    # The file's classes are angry disgust fear happy sad surprise neutral, two of each here.
    names = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
    assert [list(Emotion)[k] for k in faces.labels] == [n for n in names for _ in range(2)]
    assert faces.rows.tolist() == list(range(14, 28))
    assert faces.digest() != read_faces(tmp_path, "test").digest()


def test_bad_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"docs/data\.md"):
        read_faces(tmp_path, "train")
    np.savez(tmp_path / "fer2013.npz", images=np.zeros((2, 9, 9), np.uint8))
    with pytest.raises(DataError, match="describes"):
        read_faces(tmp_path, "train")
    (tmp_path / "fer2013.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="describes"):
        read_faces(tmp_path, "train")


def test_recipes_check_their_numbers() -> None:
    for given in ({"model": "vgg"}, {"sizes": ()}, {"sizes": ((40, 0),)}, {"batch_size": 1}):
        with pytest.raises(ConfigurationError):
            FaceRecipe(**given)  # type: ignore[arg-type]
    recipe = FaceRecipe(sizes=((36, 2), (40, 3)))
    assert recipe.epochs == 5
    assert [recipe.size(e) for e in range(5)] == [36, 36, 40, 40, 40]


def test_rate_warms_up_and_ends_at_zero() -> None:
    rates = [rate(step, 10, 4) for step in range(40)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == pytest.approx(0.5)
    assert max(rates) == pytest.approx(rates[9], abs=0.1)
    assert 0 < rates[-1] < 0.002


def test_class_weights_by_hand() -> None:
    # Counts 4 and 1 of 5: inverse frequencies 1.25 and 5, square roots 1.118 and 2.236; the mean
    # over the five items is (4 * 1.118 + 2.236) / 5 = 1.342.
    weights = class_weights(np.array([0, 0, 0, 0, 2]), 0.5)
    assert weights[0] == pytest.approx(1.118 / 1.342, abs=1e-3)
    assert weights[2] == pytest.approx(2.236 / 1.342, abs=1e-3)
    assert class_weights(np.array([0, 1, 1]), 0.0)[:2].tolist() == [1.0, 1.0]


def test_the_loss_is_torchs_cross_entropy() -> None:
    logits = torch.randn(6, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 3, 4, 6])
    hard = F.one_hot(labels, 7).float()
    ours = loss_of(logits, hard, torch.ones(7), 0.1)
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, label_smoothing=0.1))


def test_views_differ_and_stay_in_range() -> None:
    crops = prepare(imitate(32, seed=0))
    recipe = FaceRecipe()
    one = augment(crops, 36, recipe, torch.Generator().manual_seed(1))
    again = augment(crops, 36, recipe, torch.Generator().manual_seed(1))
    other = augment(crops, 36, recipe, torch.Generator().manual_seed(2))
    assert one.shape == (32, 1, 36, 36)
    torch.testing.assert_close(one, again)
    assert (one - other).abs().mean() > 0.05
    assert one.abs().max() < 4


def test_a_run_learns_and_may_be_cut_off(tmp_path: Path) -> None:
    train, dev = imitate(96, seed=1), imitate(48, seed=2)
    whole = FaceTrainer(TINY, train, dev, tmp_path / "whole")
    ran = whole.run()
    assert ran["finished"] and ran["epochs"] == 3
    assert ran["history"][-1]["loss"] < ran["history"][0]["loss"]

    cut = FaceTrainer(TINY, train, dev, tmp_path / "cut")
    assert cut.run(stop_after=2) == {"epochs": 2, "finished": False}
    rest = FaceTrainer(TINY, train, dev, tmp_path / "cut").run()
    for one, other in zip(ran["history"], rest["history"], strict=True):
        assert one == pytest.approx(other, abs=1e-6)

    other = replace(TINY, learning_rate=0.01)
    with pytest.raises(ConfigurationError, match="other numbers"):
        FaceTrainer(other, train, dev, tmp_path / "cut").run()


def test_spoilt_faces_are_spoilt() -> None:
    faces = imitate(40, seed=3)
    bad = spoil(faces.images, np.random.default_rng(0))
    changed = (bad != faces.images).reshape(40, -1).mean(1)
    assert bad.shape == faces.images.shape and changed.min() > 0.2


def test_attention_learns_which_frames_to_trust() -> None:
    """Vectors with the emotion in the first seven numbers, and a mark that says they are spoilt."""

    class Net(FaceNet):
        def __init__(self) -> None:
            super().__init__(FaceConfig(stem=2, widths=(8,), blocks=(1,)))
            with torch.no_grad():
                self.head.weight.copy_(4 * torch.eye(7, 8))
                self.head.bias.zero_()

        def forward(self, x: torch.Tensor):  # type: ignore[no-untyped-def,override]
            level = ((x.mean((1, 2, 3)) + 1) * 127.5).round()
            rough = x.std((1, 2, 3)) > 1e-4
            first = F.one_hot((level / 30).long().clamp(0, 6), 8).float()
            stray = torch.zeros_like(first)
            stray[:, 0], stray[:, 7] = 1.0, 1.0
            seen = torch.where(rough[:, None], stray, first)
            return super().forward(x)._replace(vectors=seen)

    labels = np.arange(140) % 7
    flat = np.broadcast_to((labels * 30 + 10)[:, None, None], (140, 48, 48)).astype(np.uint8)
    faces = Faces(flat, labels, np.arange(140))
    net = Net()
    seen = views(net, faces, 0)
    assert (seen.clean[:, :7].argmax(1) == seen.labels).all()
    _, ran = fit_pool(net, faces, faces, seed=0, steps=150)
    assert ran["attention"]["nll"] < 0.8 * ran["mean"]["nll"]
    assert ran["attention"]["accuracy"] >= ran["mean"]["accuracy"]


def test_bags_hold_a_face_of_their_emotion() -> None:
    labels = torch.arange(70) % 7
    clean = F.one_hot(labels, 8).float()
    seen = type("V", (), {"clean": clean, "spoilt": 0 * clean - 1, "labels": labels})
    vectors, mask, emotion = bags(seen, 64, np.random.default_rng(0))  # type: ignore[arg-type]
    assert mask.sum(1).min() >= 2 and mask.sum(1).max() <= 8
    for rows, real, c in zip(vectors, mask, emotion, strict=True):
        assert (rows[real][:, c] == 1).any()
        assert not rows[~real].any()
    share = (vectors[mask] == -1).all(-1).float().mean()
    assert 0.15 < float(share) < 0.4
