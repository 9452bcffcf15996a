from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk import EmotionRecognizer, TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ConfigurationError, DataError, ModelError
from empathic_sdk.lab.corpora.text import TextItems, read
from empathic_sdk.lab.evaluation.text import dev_score
from empathic_sdk.lab.evaluation.text_runs import evaluate_text
from empathic_sdk.lab.recipes.text import (
    average_text,
    fresh_model,
    score_text,
    train_encoder_heads,
    train_text,
)
from empathic_sdk.lab.recipes.text_numbers import TextRecipe
from empathic_sdk.lab.training.text_fit import TextTrainer, batch_loss, concordance, plan, prepare
from empathic_sdk.models.utterance import UtteranceLogits
from tests.lab import corpora_imitation as imitation

EPOCHS = {"meld": 2.0, "goemotions": 1.0, "emobank": 1.0}
TINY = {
    "epochs": EPOCHS, "batch_size": 16, "max_tokens": 16, "learning_rate": 3e-3,
    "head_learning_rate": 3e-2, "bfloat16": False, "evaluations": 2, "average": 0.9,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imitation.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imitation.write_minilm(tmp_path_factory.mktemp("minilm"))


def trainer(data: Path, minilm: Path, folder: Path, **changes: object) -> TextTrainer:
    recipe = TextRecipe(**{**TINY, **changes})  # type: ignore[arg-type]
    torch.manual_seed(recipe.seed)
    return TextTrainer(
        recipe=recipe,
        model=fresh_model(minilm),
        tokenizer=TextTokenizer(minilm / "tokenizer.json"),
        data={c: read(c, data, "train") for c in recipe.epochs},
        score=dev_score({c: read(c, data, "dev") for c in EPOCHS}),
        folder=folder,
        checkpoint_every=7,
    )


def weights(run: TextTrainer) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in run.trainable.items()}


def test_plan_sees_every_item_as_often_as_asked(data: Path) -> None:
    items = {c: read(c, data, "train") for c in EPOCHS}
    lengths = {c: np.arange(len(i)) % 13 for c, i in items.items()}
    recipe = TextRecipe(**{**TINY, "epochs": {"meld": 1.5, "emobank": 1.0}})  # type: ignore[arg-type]
    batches = plan(recipe, items, lengths)
    seen = np.zeros(len(items["meld"]), int)
    for corpus, index in batches:
        assert len(index) <= 16
        if corpus == "meld":
            seen += np.bincount(index, minlength=len(seen))
    assert seen.sum() == round(1.5 * len(seen)) and seen.min() == 1 and seen.max() == 2
    again = plan(recipe, items, lengths)
    assert all(a[0] == b[0] and (a[1] == b[1]).all() for a, b in zip(batches, again, strict=True))
    other = plan(TextRecipe(**{**TINY, "seed": 2}), items, lengths)  # type: ignore[arg-type]
    assert any(
        len(a[1]) != len(b[1]) or (a[1] != b[1]).any() for a, b in zip(batches, other, strict=False)
    )
    half = len(batches) // 2
    first = sum(c == "meld" for c, _ in batches[:half])
    assert abs(first - sum(c == "meld" for c, _ in batches[half:])) <= 2  # evenly interleaved


def test_losses_by_hand() -> None:
    logits = UtteranceLogits(torch.zeros(2, 7), torch.zeros(2, 7), torch.tensor([[0.0, 1], [1, 0]]))
    fine = torch.zeros(2, 28)
    emotion = {"emotion": torch.tensor([3, 0])}
    assert batch_loss(logits, fine, emotion).item() == pytest.approx(math.log(7))
    several = {"emotion": torch.tensor([-1, -1]), "present": torch.ones(2, 7)}
    assert batch_loss(logits, fine, several).item() == pytest.approx(0.4 * 7 * math.log(2))
    perfect = {"emotion": torch.tensor([-1, -1]), "affect": logits.affect.clone()}
    assert batch_loss(logits, fine, perfect).item() == pytest.approx(0.0, abs=1e-4)


def test_concordance_by_hand() -> None:
    x = torch.tensor([[0.0], [2.0]])
    # means 1 and 2, variances 1 and 1, covariance 1: 2 / (1 + 1 + 1)
    assert concordance(x + 1, x).item() == pytest.approx(2 / 3, abs=1e-5)
    assert concordance(-x, x).item() == pytest.approx(2 * -1 / (1 + 1 + 4), abs=1e-5)


def test_prepare_cuts_and_shuffles(data: Path) -> None:
    items = read("meld", data, "train")
    cut = prepare(TextRecipe(limit=50), items)
    assert len(cut) == 50 and set(cut.ids) < set(items.ids)
    mixed = prepare(TextRecipe(shuffle_labels=True), items)
    assert mixed.texts == items.texts
    assert sorted(mixed.emotion) == sorted(items.emotion)
    assert 0.05 < (mixed.emotion == items.emotion).mean() < 0.3


def test_a_run_that_was_cut_off_goes_on_to_the_same_result(
    data: Path, minilm: Path, tmp_path: Path
) -> None:
    whole = trainer(data, minilm, tmp_path / "whole")
    told = whole.run()
    cut = trainer(data, minilm, tmp_path / "cut")
    assert not cut.run(stop_after=17)["finished"]  # checkpoints are every 7 steps: redoes 3
    again = trainer(data, minilm, tmp_path / "cut")
    resumed = again.run()
    assert again.step == whole.step
    assert resumed["history"] == told["history"]
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(again)[name], value, atol=0, rtol=0)


def test_the_seed_decides(data: Path, minilm: Path, tmp_path: Path) -> None:
    short = {"epochs": {"meld": 0.5}}
    runs = [
        trainer(data, minilm, tmp_path / str(i), seed=s, **short) for i, s in enumerate((1, 1, 2))
    ]
    for run in runs:
        run.run()
    name = "encoder.layers.0.qkv.weight"
    assert torch.equal(weights(runs[0])[name], weights(runs[1])[name])
    assert not torch.equal(weights(runs[0])[name], weights(runs[2])[name])


def test_another_recipe_in_the_same_folder_is_refused(
    data: Path, minilm: Path, tmp_path: Path
) -> None:
    trainer(data, minilm, tmp_path).run(stop_after=7)
    with pytest.raises(ConfigurationError, match="a run with other numbers"):
        trainer(data, minilm, tmp_path, learning_rate=1e-3).run()


def test_the_frozen_and_the_trained_parameters(data: Path, minilm: Path, tmp_path: Path) -> None:
    run = trainer(data, minilm, tmp_path)
    before = {n: p.detach().clone() for n, p in run.model.named_parameters()}
    run.run(stop_after=40)
    for name, p in run.model.named_parameters():
        moved = not torch.equal(p, before[name])
        assert moved == (name != "encoder.word.weight"), name


def test_it_learns_and_with_shuffled_labels_falls_to_chance(
    data: Path, minilm: Path, tmp_path: Path
) -> None:
    figures = {}
    for shuffled in (False, True):
        run = trainer(
            data, minilm, tmp_path / str(shuffled), shuffle_labels=shuffled,
            epochs={"meld": 6.0, "emobank": 4.0, "goemotions": 4.0},
        )  # fmt: skip
        figures[shuffled] = run.run()["history"][-1]
    assert figures[False]["meld_weighted_f1"] > 0.8
    assert figures[False]["emobank_pearson_valence"] > 0.8
    assert figures[True]["meld_weighted_f1"] < 0.35  # chance is 1/7
    assert abs(figures[True]["emobank_pearson_valence"]) < 0.5


def test_a_whole_experiment(data: Path, minilm: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    for seed in (1, 2):
        recipe = TextRecipe(**{**TINY, "seed": seed, "epochs": {**EPOCHS, "meld": 4.0}})  # type: ignore[arg-type]
        record = train_text(
            recipe, data=data, out=tmp_path / f"run{seed}", results=results, init=minilm
        )
        assert record.test is None
        assert json.loads((results / f"text-seed{seed}.json").read_text()) == json.loads(
            json.dumps(record.as_json())
        )
        assert record.details["training_data"]["meld"]["n"] == 210
    # The record reproduces from the checkpoint alone.
    recognizer = EmotionRecognizer(text=TextEncoder(tmp_path / "run1" / "text.safetensors"))
    assert recognizer.calibration.temperature == pytest.approx(
        json.loads((results / "text-seed1.json").read_text())["calibration"]["temperature"]
    )
    assert evaluate_text(
        "meld", data=data, split="test", checkpoint=tmp_path / "run1" / "text.safetensors",
        results=results,
    )["runs"] == {"n": 0}  # fmt: skip

    for seed in (1, 2):
        score_text(tmp_path / f"run{seed}" / "text.safetensors", data=data, results=results)
    tested = json.loads((results / "text-seed1.json").read_text())
    for name in ("meld", "goemotions", "emobank"):
        report = evaluate_text(
            name, data=data, split="test", checkpoint=tmp_path / "run1" / "text.safetensors",
            results=results,
        )  # fmt: skip
        assert report["n"] == tested["test"][name]["n"]
        assert report["runs"]["n"] == 2
        for key, value in report.items():
            if isinstance(value, float):
                assert value == pytest.approx(tested["test"][name][key], abs=0.02), key
    assert report["dataset"] == "emobank" and report["causal"] is True

    average = average_text(
        [tmp_path / "run1", tmp_path / "run2"], data=data, out=tmp_path / "average",
        results=results, init=minilm,
    )  # fmt: skip
    assert average.details["average_of"] == ["run1", "run2"]
    assert (tmp_path / "average" / "text.safetensors").is_file()


def test_no_test_before_the_choice(data: Path, minilm: Path, tmp_path: Path) -> None:
    recipe = TextRecipe(**{**TINY, "epochs": {"meld": 0.5}})  # type: ignore[arg-type]
    train_text(recipe, data=data, out=tmp_path / "run", results=tmp_path / "r", init=minilm)
    checkpoint = tmp_path / "run" / "text.safetensors"
    with pytest.raises(DataError, match="the choice on dev comes before any test"):
        score_text(checkpoint, data=data, results=tmp_path / "elsewhere")
    record = json.loads((tmp_path / "r" / "text-seed1.json").read_text())
    record["checkpoint"]["sha256"] = "0"
    (tmp_path / "r" / "text-seed1.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="is not the checkpoint that"):
        score_text(checkpoint, data=data, results=tmp_path / "r")


def test_bad_recipes_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="epochs must name"):
        TextRecipe(epochs={})
    with pytest.raises(ConfigurationError, match="batch_size >= 2"):
        TextRecipe(batch_size=1)
    with pytest.raises(ModelError, match="is missing"):
        train_text(TextRecipe(), data=tmp_path, out=tmp_path, results=tmp_path, init=tmp_path)


def test_items_digest_sees_every_part() -> None:
    def items(**changes: object) -> TextItems:
        given = {"corpus": "c", "split": "dev", "ids": ["a"], "texts": ["t"],
                 "emotion": np.array([1]), "affect": np.zeros((1, 2), np.float32)}  # fmt: skip
        return TextItems(**{**given, **changes})  # type: ignore[arg-type]

    digests = {
        items().digest(), items(texts=["u"]).digest(), items(emotion=np.array([2])).digest(),
        items(affect=None).digest(), items(split="test").digest(),
    }  # fmt: skip
    assert len(digests) == 5


def test_heads_for_a_plugged_in_encoder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = imitation.TELLING

    class Counting:
        """A frozen encoder whose vectors count the telling words."""

        name, width, path, embedded = "counting", len(words), None, False

        def __init__(self, _: str) -> None: ...

        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array([[t.split().count(w) for w in words] for t in texts], np.float32)

    monkeypatch.setattr("empathic_sdk.lab.recipes.text.TextEncoder", Counting)
    recipe = TextRecipe(
        epochs={"meld": 20, "goemotions": 10, "emobank": 10},
        batch_size=16,
        head_learning_rate=0.05,
        evaluations=3,
    )
    record = train_encoder_heads(
        recipe, encoder="some/counting", data=data, out=tmp_path, results=tmp_path / "results"
    )
    assert record.name == "heads-counting-seed1"
    assert record.dev["meld"]["weighted_f1"] > 0.9
    assert record.dev["emobank"]["pearson_valence"] > 0.9
    recognizer = EmotionRecognizer(text=Counting(""), heads=tmp_path / "heads.safetensors")  # type: ignore[arg-type]
    assert recognizer.recognize("so furious angry idiot").label == "anger"
