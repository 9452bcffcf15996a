"""The reader of ESConv and the fit of the support planner, on tiny imitations."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.esconv import digest, read_esconv
from empathic_sdk.lab.corpora.support_moments import SupportMoments
from empathic_sdk.lab.recipes.strategy import StrategyRecipe, fit


def write(folder, talks):
    path = folder / "esconv" / "esconv.jsonl.gz"
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as f:
        f.writelines(json.dumps(talk) + "\n" for talk in talks)


TALK = {
    "split": "valid",
    "problem_type": "job crisis",
    "dialog": [
        {"text": "Hello", "speaker": "sys", "strategy": "Others"},
        {"text": "I lost my job.", "speaker": "usr"},
        {"text": "Tell me more?", "speaker": "sys", "strategy": "Question"},
        {"text": "I once did, too.", "speaker": "sys", "strategy": "Self-disclosure"},
    ],
}


def test_a_talk_is_read_without_its_problem(tmp_path):
    write(tmp_path, [{**TALK, "split": "train"}, TALK])
    (talk,) = read_esconv(tmp_path, "dev")
    assert talk.id == "1"
    assert talk.seeker == (False, True, False, False)
    assert talk.strategies == (7, -1, 0, 3)  # the order of Strategy
    assert "job crisis" not in str(talk)
    assert digest([talk]) != digest(read_esconv(tmp_path, "train"))


def test_broken_files_say_where(tmp_path):
    with pytest.raises(DataError, match=r"esconv\.jsonl\.gz is not there"):
        read_esconv(tmp_path, "train")
    write(tmp_path, [TALK])
    with pytest.raises(DataError, match="no talk of the split"):
        read_esconv(tmp_path, "test")
    with pytest.raises(DataError, match="no split is named"):
        read_esconv(tmp_path, "valid")
    write(tmp_path, [{"split": "test", "dialog": [{"text": "a", "speaker": "sys"}]}])
    with pytest.raises(DataError, match="line 1"):
        read_esconv(tmp_path, "test")


def moments(n, seed):
    """The answer is which of three inputs is greatest; a fourth is noise that may be hidden."""
    x = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return SupportMoments(x, x[:, :3].argmax(1), (slice(3, 4),))


def fitted(recipe, train, dev):
    def score(logits):
        return {"objective": float((logits.argmax(1) == dev.strategies).mean())}

    return fit(recipe, train, score, dev.features, 3)


RECIPE = StrategyRecipe(hidden=16, dropout=0.0, epochs=8, rate=0.01, forget=0.5)


def test_it_learns_and_dev_chooses_the_epoch():
    network, ran = fitted(RECIPE, moments(1500, 0), moments(400, 1))
    assert ran["best"]["objective"] >= 0.9
    found = [epoch["objective"] for epoch in ran["epochs"]]
    assert len(found) == 8
    assert ran["best"]["epoch"] == 1 + int(np.argmax(found))
    assert not network.training


def test_shuffled_answers_leave_chance():
    train = moments(1500, 0)
    answers = np.random.default_rng(2).permutation(train.strategies)
    _, ran = fitted(RECIPE, train._replace(strategies=answers), moments(400, 1))
    assert ran["best"]["objective"] < 0.55


def test_a_seed_is_a_run():
    one, other, third = (
        fitted(StrategyRecipe(seed=seed, hidden=8, epochs=2), moments(200, 0), moments(50, 1))[0]
        for seed in (1, 1, 2)
    )
    assert all((a == b).all() for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert any((a != b).any() for a, b in zip(one.parameters(), third.parameters(), strict=True))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"dropout": 1.0}, {"hidden": -1}])
def test_numbers_are_checked(wrong):
    with pytest.raises(ConfigurationError):
        StrategyRecipe(**wrong)
