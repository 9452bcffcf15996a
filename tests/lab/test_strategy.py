"""The protocol of the support planner, on tiny talks and a recogniser made of tables."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.dialogue.planner import Planner, feeling
from empathic_sdk.errors import ModelError
from empathic_sdk.lab.corpora.esconv import SupportTalk, read_esconv
from empathic_sdk.lab.corpora.support_moments import Observed, scene
from empathic_sdk.lab.evaluation import strategy as strategy_evaluation
from empathic_sdk.lab.evaluation.strategy import evaluate_strategy
from empathic_sdk.lab.recipes import strategy as strategy_recipe
from empathic_sdk.lab.recipes.strategy import StrategyRecipe, measure, train_strategy
from empathic_sdk.types import Emotion, EmotionState

STATE = EmotionState(
    label=Emotion.SADNESS,
    probabilities={e: 0.7 if e == Emotion.SADNESS else 0.05 for e in Emotion},
    confidence=0.7,
    uncertain=False,
    valence=-0.5,
    arousal=0.0,
    intensity=0.6,
    contributions={},
)
TALK = SupportTalk(
    "0", ("hi", "I am sad", "why", "tell me", "no"), (False, True, False, False, True),
    (7, -1, 0, 2, -1),
)  # fmt: skip


def test_the_moments_of_a_talk_by_hand():
    vectors = np.arange(10, dtype=np.float16).reshape(5, 2)
    feelings = np.zeros((5, 15), np.float32)
    feelings[:, 7] = [9, 1, 9, 9, 9]  # valence: only the seeker's may be looked at
    seen = scene([TALK], Observed(vectors, feelings))
    x = seen.moments.features
    assert seen.moments.strategies.tolist() == [7, 0, 2]
    assert seen.reply.tolist() == [False, True, False]
    # What was said, and replied, before each of the three; the last utterance whoever spoke.
    assert x[:, :4].tolist() == [[0, 0, 0, 0], [2, 3, 0, 1], [2, 3, 4, 5]]
    assert x[:, 4:6].tolist() == [[0, 0], [1, 1], [1, 1]]
    assert seen.last.tolist() == [[0, 0], [2, 3], [4, 5]]
    assert x[:, 6 + 7].tolist() == [0, 1, 1]
    assert x[:, -1].tolist() == [0, 0, 1]  # goes on speaking
    columns = np.concatenate([np.arange(len(x[0]))[c] for c in seen.moments.forgettable])
    assert columns.tolist() == [2, 3, 5]


def test_metrics_by_hand():
    vectors = np.zeros((5, 2), np.float16)
    seen = scene([TALK], Observed(vectors, np.zeros((5, 15), np.float32)))
    p = np.full((3, 8), 0.02)
    p[[0, 1, 2], [7, 0, 1]] = 0.86  # right, right, wrong
    found = measure(seen, p)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx(2 / 4)  # of question, restatement, reflection, others
    assert found["reply_accuracy"] == 1.0
    assert found["f1"]["question"] == 1.0
    assert found["f1"]["reflection_of_feelings"] == 0.0


class Imitation:
    """Stands for the recogniser: a text's vector is read off its first word."""

    def __init__(self, path):
        self.text = SimpleNamespace(path=path)
        self.heard = 0

    def session(self, user):
        def extend(said):
            self.heard += len(said)
            made.text_vectors = np.array(
                [[float("?" in u.text), float("sad" in u.text)] for u in said], np.float32
            )
            return [STATE] * len(said)

        made = SimpleNamespace(extend=extend, text_vectors=None)
        return made


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Eighty talks in which "sad" is answered by a reflection, all else by a question."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(80):
        dialog = []
        for _ in range(6):
            sad = bool(rng.random() < 0.5)
            dialog.append({"speaker": "usr", "text": "I am sad" if sad else "it rains"})
            name = "Reflection of feelings" if sad else "Question"
            dialog.append({"speaker": "sys", "text": "hm", "strategy": name})
        split = "train" if number < 50 else "valid" if number < 65 else "test"
        rows.append({"split": split, "dialog": dialog})
    path = tmp_path / "data" / "esconv" / "esconv.jsonl.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)
    weights = tmp_path / "text.safetensors"
    weights.write_bytes(b"weights")
    imitation = Imitation(weights)
    for module in (strategy_evaluation, strategy_recipe):
        monkeypatch.setattr(module, "EmotionRecognizer", lambda **_: imitation)
    return imitation


def test_train_then_evaluate(corpus, tmp_path, monkeypatch):
    given = {"data": tmp_path / "data", "results": tmp_path / "results", "cache": tmp_path / "c"}
    for seed in (1, 2):
        recipe = StrategyRecipe(seed=seed, hidden=8, epochs=6, batch=16, dropout=0.0, rate=0.02)
        record = train_strategy(recipe, out=tmp_path / f"run{seed}", **given)
        assert record.data["train"]["talks"] == 50
    assert corpus.heard == 12 * (50 + 15 + 15)  # the second run read the cache
    trial = train_strategy(replace(recipe, epochs=1), out=tmp_path / "trial", limit=40, **given)
    assert trial.data["train"]["talks"] == 40  # what is not whole has a name that is not counted
    assert trial.path(given["results"]).name == "trial-strategy-seed2.json"
    weights = tmp_path / "run1" / "strategy.safetensors"
    report = evaluate_strategy(split="test", checkpoint=weights, **given)
    assert [report[k] for k in ("dataset", "model", "split", "n", "causal")] == [
        "esconv", "strategy-seed1", "test", 90, True,
    ]  # fmt: skip
    assert report["accuracy"] >= 0.98
    assert report["text_only_accuracy"] >= 0.98  # here the words say all
    gold = [s for t in read_esconv(tmp_path / "data", "test") for s in t.strategies if s >= 0]
    train = [s for t in read_esconv(tmp_path / "data", "train") for s in t.strategies if s >= 0]
    common = max(set(train), key=train.count)
    assert report["majority_accuracy"] == pytest.approx(gold.count(common) / len(gold))
    assert report["runs"]["n"] == report["text_only_runs"]["n"] == 2
    assert report["runs"]["accuracy"]["mean"] >= 0.98
    ahead = report["bootstrap_majority"]
    assert ahead["low"] > 0.2
    assert abs(report["bootstrap_text_only"]["difference"]) <= 0.02
    on_dev = evaluate_strategy(split="dev", checkpoint=weights, **given)
    assert on_dev["runs"] == {"n": 0}
    assert "text_only_accuracy" not in on_dev

    # The command prints the same object.
    ran = CliRunner().invoke(
        main,
        ["evaluate", "strategy", "--json", "--data", str(given["data"]), "--results",
         str(given["results"]), "--cache", str(given["cache"]), "--checkpoint", str(weights)],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output.splitlines()[-1]) == json.loads(json.dumps(report))
    # What the run wrote is what the runtime reads.
    planner = Planner(weights)
    assert planner.width == 2
    assert feeling(STATE).shape == (15,)


def test_without_weights_it_says_so(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("empathic_sdk.dialogue.planner.weights_dir", lambda: tmp_path / "none")
    with pytest.raises(ModelError, match="no weights at"):
        evaluate_strategy(data=tmp_path / "data", split="test", results=tmp_path / "results")
