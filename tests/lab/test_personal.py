"""The recipe of the head that reads a person's history."""

from __future__ import annotations

import numpy as np
import pytest

from empathic_sdk.lab.training.personal_fit import (
    PROJECTED,
    History,
    PersonalRecipe,
    profile_of,
    read,
    split_history,
    train_head,
)


def person(name: str, rng: np.random.Generator, *, n: int = 60, often: float = 0.5) -> History:
    """Somebody who feels the second of two things ``often``, of which nothing can be seen."""
    labels = (rng.random(n) < often).astype(int)
    state = rng.standard_normal((n, 2)).astype(np.float32)
    logits = 0.1 * state
    return History(name, state, state, logits, labels, np.zeros((n, 2), np.float32))


def test_a_profile_by_hand() -> None:
    affect = np.array([[0.5, 0.0], [-0.5, 0.2]], np.float32)
    state = np.ones((2, 3), np.float32)
    some = History("a", state, state, np.zeros((2, 2), np.float32), np.array([0, 1]), affect)
    p = profile_of(some, [0, 1])
    assert p[:2].tolist() == [0.5, 0.5]  # labels
    assert p[2:4].tolist() == [0.5, 0.5]  # what the model said
    assert p[4:6].tolist() == [0.0, 0.0]  # how far it was off
    assert p[6:10] == pytest.approx([0.0, 0.1, 0.25, 0.01])  # affect: means, variances
    assert p[10:13].tolist() == [0.0, 0.0, 1.0]  # it left neutral
    assert p[-1] == pytest.approx(np.log(3)) and len(p) == 3 * 2 + 4 + 3 + PROJECTED + 1
    assert not profile_of(some, []).any()


def test_history_and_what_is_scored_are_apart() -> None:
    some = person("a", np.random.default_rng(0), n=33)
    kept, scored = split_history(some)
    assert len(kept) == 20 and len(scored) == 13 and not set(kept) & set(scored)


def test_it_learns_from_histories_and_leaves_strangers_alone() -> None:
    rng = np.random.default_rng(1)
    train = [person(f"t{i}", rng, often=(0.05, 0.95)[i % 2]) for i in range(12)]
    dev = [person(f"d{i}", rng, often=(0.05, 0.95)[i % 2]) for i in range(4)]

    def score(logits: list[np.ndarray]) -> float:  # type: ignore[type-arg]
        return float(np.mean([
            (z.argmax(1) == p.labels[split_history(p)[1]]).mean()
            for p, z in zip(dev, logits, strict=True)
        ]))  # fmt: skip

    recipe = PersonalRecipe(
        steps=100, batch_size=24, learning_rate=2e-2, weight_decay=0.0, dropout=0.0, every=50
    )
    head, ran = train_head(recipe, train, dev, score)  # type: ignore[arg-type]
    assert ran["chosen_step"] > 0 and ran["dev"] > 0.85 > 0.65 > ran["history"][0]["dev"]
    for p in dev:
        assert (read(head, p, 0) == p.logits[split_history(p)[1]]).all()


def test_a_run_repeats() -> None:
    rng = np.random.default_rng(1)
    some = [person(f"t{i}", rng, often=0.9) for i in range(3)]
    recipe = PersonalRecipe(steps=4, batch_size=8, every=4)
    scores = iter([0.0, 1.0, 0.0, 1.0])
    one, two = (train_head(recipe, some, some, lambda logits: next(scores))[0] for _ in range(2))
    assert (read(one, some[0], 5) == read(two, some[0], 5)).all()
    assert (read(one, some[0], 5) != some[0].logits[20:]).any()


def test_a_head_that_does_not_help_is_left_at_nothing() -> None:
    rng = np.random.default_rng(2)
    some = [person(f"t{i}", rng) for i in range(3)]
    head, ran = train_head(PersonalRecipe(steps=20, every=10), some, some, lambda logits: 1.0)
    assert ran["chosen_step"] == 0
    assert (read(head, some[0], 20) == some[0].logits[20:]).all()
