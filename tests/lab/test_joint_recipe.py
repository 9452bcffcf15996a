"""Recipe ``joint``, on a tiny network and tiny corpora."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from empathic_sdk import EmotionRecognizer, TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ConfigurationError, DataError, ModelError
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.corpora.text import read
from empathic_sdk.lab.evaluation.dialogue_figures import measure, read_predictions
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.recipes.joint import (
    predict_checkpoint,
    score_joint,
    starting_point,
    train_joint,
)
from empathic_sdk.lab.recipes.joint_numbers import JointRecipe
from empathic_sdk.lab.recipes.text import fresh_model
from empathic_sdk.lab.recipes.text_numbers import EMOTION_CORPORA
from empathic_sdk.lab.training.dialogue_batches import collate
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.lab.training.joint_fit import JointTrainer, alone, joint_model, others, spoken
from empathic_sdk.lab.training.padding import pad
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints
from tests.lab import corpora_imitation as imitation

DIALOGUE = DialogueRecipe(
    width=16, window=4, speakers=2, gue_dropout=0.1, acme_dropout=0.1, dropout=0.1
)
TINY = JointRecipe(
    dialogue=DIALOGUE, epochs={"meld": 1.0, "dailydialog": 1.0}, batch_size=2,
    replay={"goemotions": 0.5, "emobank": 0.5}, learning_rate=1e-3, head_learning_rate=1e-2,
    dialogue_learning_rate=5e-3, max_tokens=16, average=0.9, bfloat16=False, evaluations=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    return imitation.write_dialogues(imitation.write(folder, n=70))


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text checkpoint as ``train text`` leaves one, untrained."""
    folder = tmp_path_factory.mktemp("start")
    model = fresh_model(imitation.write_minilm(folder))
    torch.manual_seed(0)
    torch.nn.init.normal_(model.heads.shared, std=0.1)
    tensors = {f"encoder.{n}": t for n, t in model.encoder.state_dict().items()}
    tensors |= {f"heads.{n}": t for n, t in model.heads.state_dict().items()}
    about = {
        "name": "start", "width": 32, "encoder": model.encoder.config._asdict(),
        "corpora": list(EMOTION_CORPORA), "tokenizer": "text-tokenizer.json",
        "calibration": Calibration().model_dump(),
    }  # fmt: skip
    checkpoints.save(folder / "text.safetensors", tensors, about)
    shutil.copyfile(folder / "tokenizer.json", folder / "text-tokenizer.json")
    return folder / "text.safetensors"


def score(*_: object) -> dict[str, float]:
    return {"objective": 0.5}


def trainer(
    data: Path, start: Path, folder: Path, scored: Any = score, **changes: Any
) -> JointTrainer:
    recipe = replace(TINY, **changes)
    encoder, heads = starting_point(start)
    model = joint_model(recipe, encoder, 7)
    model.heads.load_state_dict(heads)
    made = JointTrainer(
        recipe=recipe,
        model=model,
        tokenizer=TextTokenizer(start.with_name("text-tokenizer.json")),
        dialogues={c: read_dialogues(c, data, "train") for c in recipe.epochs},
        data={c: read(c, data, "train") for c in recipe.replay},
        score=scored,
        folder=folder,
    )
    made.checkpoint_every = 3
    return made


def gradients(run: JointTrainer, corpus: str, index: list[int]) -> Mapping[str, Tensor]:
    """Return the gradients of one batch's loss, of what has one that is not all zeros."""
    run.model.zero_grad()
    run.model.eval()
    run._loss(corpus, np.array(index)).backward()  # type: ignore[no-untyped-call]
    return {
        n: p.grad for n, p in run.model.named_parameters()
        if p.grad is not None and p.grad.abs().sum() > 0
    }  # fmt: skip


# -- corpora --------------------------------------------------------------------------------------


def test_others_are_the_further_corpora_with_one_emotion_a_text() -> None:
    assert others(JointRecipe()) == ["dailydialog", "goemotions", "empathetic"]
    assert others(TINY) == ["dailydialog", "goemotions"]  # EmoBank has no emotions
    assert others(replace(TINY, epochs={"meld": 1.0})) == ["goemotions"]
    # The first corpus's annotators speak at run time: it has no shift, wherever it is named.
    again = {"meld": 1.0, "dailydialog": 1.0, "emobank": 1.0}
    assert others(replace(TINY, replay=again)) == ["dailydialog"]


def test_label_frequencies_shift_only_further_corpora(
    data: Path, start: Path, tmp_path: Path
) -> None:
    run = trainer(data, start, tmp_path)
    logits = torch.randn(2, 3, 7)
    with torch.no_grad():
        run.model.frequency.copy_(torch.arange(14.0).reshape(2, 7))
    assert torch.equal(run.model.as_annotated(logits, "meld"), logits)
    assert torch.equal(run.model.as_annotated(logits, "emobank"), logits)
    for k, corpus in enumerate(("dailydialog", "goemotions")):
        shifted = logits + torch.arange(7.0) + 7 * k
        torch.testing.assert_close(run.model.as_annotated(logits, corpus), shifted)
    assert "frequency" not in gradients(run, "dialogue:meld", [0, 1])
    for k, (corpus, index) in enumerate((("dialogue:dailydialog", [0]), ("goemotions", [0, 1, 2]))):
        rows = gradients(run, corpus, index)["frequency"].abs().sum(1)
        assert (rows > 0).tolist() == [k == 0, k == 1]


# -- the loss --------------------------------------------------------------------------------------


def test_texts_reach_the_dialogue_network_as_dialogues_of_one(
    data: Path, start: Path, tmp_path: Path
) -> None:
    reached = gradients(trainer(data, start, tmp_path), "goemotions", [0, 1, 2, 3])
    assert {n.split(".")[1] for n in reached if n.startswith("dialogue.")} >= {
        "project", "gue", "acme", "classifier", "speaker",
    }  # fmt: skip
    assert "encoder.layers.0.qkv.weight" in reached
    for corpus, changes in (("goemotions", {"opening_weight": 0.0}), ("emobank", {})):
        run = trainer(data, start, tmp_path, **changes)
        assert not [n for n in gradients(run, corpus, [0, 1, 2, 3]) if n.startswith("dialogue.")]


def test_the_loss_of_openings_by_hand(data: Path, start: Path, tmp_path: Path) -> None:
    index = np.array([3, 0, 8])
    losses = []
    for weight in (0.0, 0.7):
        run = trainer(data, start, tmp_path, opening_weight=weight)
        run.model.eval()
        losses.append(run._loss("goemotions", index).item())
    with torch.no_grad():
        run.model.frequency[1] = torch.linspace(-1, 1, 7)
    texts = [run.data["goemotions"].texts[i] for i in index]
    labels = torch.from_numpy(run.data["goemotions"].emotion[index])
    read_alone = torch.from_numpy(run.read_openings(texts))
    shifted = F.cross_entropy(read_alone + torch.linspace(-1, 1, 7), labels).item()
    plain = F.cross_entropy(read_alone, labels).item()
    assert losses[1] - losses[0] == pytest.approx(0.7 * plain, abs=1e-5)
    assert run._loss("goemotions", index).item() - losses[0] == pytest.approx(
        0.7 * shifted, abs=1e-5
    )
    batch = alone(run.model.vectors([run.ids["goemotions"][i] for i in index]))
    assert batch.mask.shape == (3, 1) and batch.mask.all() and (batch.speaker == 0).all()


def test_the_loss_of_dialogues_by_hand(data: Path, start: Path, tmp_path: Path) -> None:
    run = trainer(data, start, tmp_path)
    run.model.eval()
    got = run._loss("dialogue:meld", np.array([1, 4])).item()
    network, loss = run.model.dialogue, run.model.loss
    single, labels, found = [], [], []
    for s in (run.spoken["meld"][1], run.spoken["meld"][4]):
        vectors = run.model.encoder(*pad(s.ids)).pooled
        single.append(run.model.heads(vectors, "meld").emotion)
        labels.append(s.example.labels)
        batch, gold = collate([s.example])
        batch = batch._replace(features={"text": vectors[None]}, present={"text": batch.mask})
        out = network(batch, pairs=True)
        found.append(loss(out.logits, gold, out.pairs))
    # Both have five utterances and as many pairs, so the mean of all is the mean of both means.
    dialogue = sum(f.total.item() for f in found) / 2
    by_itself = F.cross_entropy(torch.cat(single), torch.cat(labels)).item()
    gates = sum(g.square().sum().item() for g in network.gate_parameters())
    offsets = run.model.heads.offset.square().sum().item()
    expected = dialogue + 0.5 * by_itself + DIALOGUE.penalty * gates + 0.01 * offsets
    assert got == pytest.approx(expected, abs=1e-5)


def test_reading_does_not_depend_on_what_is_beside(data: Path, start: Path, tmp_path: Path) -> None:
    run = trainer(data, start, tmp_path)
    dev = spoken(read_dialogues("meld", data, "dev"), run.tokenizer, 16)
    whole = run.read_dialogues(dev)
    for s, p in zip(dev, whole, strict=True):
        (by_itself,) = run.read_dialogues([s])
        np.testing.assert_allclose(p.logits, by_itself.logits, atol=1e-5)
        np.testing.assert_allclose(p.shift, by_itself.shift, atol=1e-5)
        assert np.isnan(p.shift[0]) and not np.isnan(p.shift[1:]).any()  # one speaker


# -- the run --------------------------------------------------------------------------------------


def test_batches_hold_every_corpus(data: Path, start: Path, tmp_path: Path) -> None:
    run = trainer(data, start, tmp_path, epochs={"meld": 1.5, "dailydialog": 2.0})
    seen: dict[str, list[int]] = {}
    for corpus, index in run.batches:
        seen.setdefault(corpus, []).extend(index.tolist())
    assert set(seen) == {"dialogue:meld", "dialogue:dailydialog", "goemotions", "emobank"}
    often = np.bincount(seen["dialogue:meld"], minlength=14)
    assert often.min() == 1 and often.max() == 2
    assert often.sum() == pytest.approx(1.5 * 14, abs=1)
    assert seen["dialogue:dailydialog"] == [0, 0]
    assert len(seen["goemotions"]) == 35


def test_a_run_that_was_cut_off_goes_on_to_the_same_result(
    data: Path, start: Path, tmp_path: Path
) -> None:
    learned = replace(DIALOGUE, balance=None)

    def one(folder: str) -> JointTrainer:
        def scored(*_: object) -> dict[str, float]:
            made.model.eval()
            return {"objective": float(made.read_openings(["so happy"])[0, 1])}

        made = trainer(data, start, tmp_path / folder, scored, dialogue=learned)
        return made

    whole = one("whole")
    before = {n: p.detach().clone() for n, p in whole.model.named_parameters()}
    told = whole.run()
    assert told["finished"] and whole.step > 8
    cut = one("cut")
    assert not cut.run(stop_after=5)["finished"]  # checkpoints are every 3 steps: redoes 2
    again = one("cut")
    resumed = again.run()
    assert resumed["history"] == told["history"] and again.step == whole.step
    weights = dict(again.model.named_parameters())
    for name, p in whole.model.named_parameters():
        assert torch.equal(p, weights[name]), name
    moved = {n for n, p in whole.model.named_parameters() if not torch.equal(p, before[n])}
    assert {"loss.log_variance", "frequency", "heads.shared", "dialogue.shrink.weight"} <= moved
    assert "encoder.word.weight" not in moved
    with pytest.raises(ConfigurationError, match="a run with other numbers"):
        trainer(data, start, tmp_path / "cut", utterance_weight=0.1).run()


def test_a_whole_run(data: Path, start: Path, tmp_path: Path) -> None:
    out, results = tmp_path / "run", tmp_path / "results"
    recipe = replace(TINY, evaluations=1)
    record, dialogue = train_joint(recipe, start=start, data=data, out=out, results=results)
    assert record.name == "joint-seed1" and record.test is None
    (step,) = record.run["history"]
    assert {"meld_weighted_f1", "goemotions_macro_f1", "meld_dialogue_weighted_f1"} <= set(step)
    others_ = [v for k, v in step.items() if k not in ("step", "objective")]
    texts = np.mean(others_[:-1])
    assert step["objective"] == pytest.approx((texts + step["meld_dialogue_weighted_f1"]) / 2)
    assert set(record.details["training_data"]) == {"meld", "dailydialog", "goemotions", "emobank"}
    assert record.details["init"]["name"] == start.parent.name

    path = results / "dialogue" / "meld-joint-seed1.json"
    assert json.loads(path.read_text()) == json.loads(json.dumps(dialogue.as_json()))
    assert dialogue.configuration_name == "meld-joint-mdget-causal-text"
    assert (dialogue.features, dialogue.data_set) == ("joint", "meld")
    assert {"weighted_f1", "shift_f1", "shift_f1_labels"} <= set(dialogue.dev)
    assert dialogue.configuration["dialogue"]["width"] == 16

    # What ships can be loaded, and says what was recorded.
    recognizer = EmotionRecognizer(text=TextEncoder(out / "text.safetensors"))
    assert recognizer.dialogue is not None and recognizer.dialogue.width == 16
    temperature = recognizer.calibration.temperature
    assert temperature == pytest.approx(dialogue.calibration["temperature"])
    network, about = load_checkpoint(out / "dialogue.safetensors")
    assert not network.training and about["name"] == "joint-seed1"
    dev = read_dialogues("meld", data, "dev")
    said = predict_checkpoint(out / "dialogue.safetensors", out / "text.safetensors", dev)
    gold = np.concatenate([d.labels for d in dev.dialogues])
    right = np.concatenate([p.logits.argmax(1) for p in said]) == gold
    assert right.mean() == pytest.approx(dialogue.dev["accuracy"])

    # The second call trains nothing; test is read by a call of its own.
    stored = path.with_name("meld-joint-seed1.predictions.jsonl.gz")
    assert not stored.exists()
    names = ("text.safetensors", "dialogue.safetensors")
    weights = [checkpoints.load(out / n)[0] for n in names]
    again, _ = train_joint(recipe, start=start, data=data, out=out, results=results)
    assert again.run == record.run
    for old, n in zip(weights, names, strict=True):
        torch.testing.assert_close(checkpoints.load(out / n)[0], old, atol=0, rtol=0)
    assert score_joint(out, data=data, results=results).name == "joint-seed1"
    test = read_dialogues("meld", data, "test")
    figures = measure(test, read_predictions(stored, test), Calibration(**about["calibration"]))
    assert isinstance(figures["weighted_f1"], float)

    with pytest.raises(DataError, match="the choice on dev comes before any test"):
        score_joint(out, data=data, results=tmp_path / "elsewhere")
    changed = json.loads(path.read_text())
    changed["checkpoint"]["sha256"] = "0"
    path.write_text(json.dumps(changed))
    with pytest.raises(DataError, match="is not the checkpoint that"):
        score_joint(out, data=data, results=results)


def test_a_start_that_is_none(data: Path, start: Path, tmp_path: Path) -> None:
    where = {"data": data, "out": tmp_path, "results": tmp_path}
    with pytest.raises(ModelError, match="there are no weights at"):
        train_joint(TINY, start=tmp_path / "absent.safetensors", **where)
    checkpoints.save(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {"name": "x"})
    with pytest.raises(ModelError, match="holds no text network that fits"):
        train_joint(TINY, start=tmp_path / "x.safetensors", **where)
    with pytest.raises(ModelError, match="holds no dialogue model that fits"):
        load_checkpoint(start)
