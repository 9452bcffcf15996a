"""Runs of the recipe ``joint``. Train, choose on dev, calibrate, record.

A run folder holds ``text.safetensors`` (encoder and the heads of single utterances) and
``dialogue.safetensors`` (the dialogue model that reads its vectors).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import DataError, ModelError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.text import read
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.text import dev_score
from empathic_sdk.lab.recipes.dialogue import Statistics, example, with_text
from empathic_sdk.lab.recipes.joint import (
    JointRecipe,
    JointTrainer,
    ReadDialogues,
    joint_model,
    spoken,
)
from empathic_sdk.lab.runs.dialogue import (
    FOLDER,
    calibrate,
    load_checkpoint,
    measure,
    scored,
    write_json,
    write_predictions,
)
from empathic_sdk.lab.runs.text import CHECKPOINT, SCORED, TOKENIZER, finish_text
from empathic_sdk.lab.training.dialogue_loop import Prediction, predict
from empathic_sdk.lab.training.loop import Read
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.models.minilm import MiniLM, MiniLMConfig
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints

DIALOGUE = "dialogue.safetensors"


def starting_point(checkpoint: Path) -> tuple[MiniLM, dict[str, torch.Tensor]]:
    """Return the encoder of a checkpoint of ``train text``, and its heads' tensors."""
    tensors, about = checkpoints.load(checkpoint)
    try:
        encoder = MiniLM(MiniLMConfig(**about["encoder"]))
        encoder.load_state_dict(checkpoints.part(tensors, "encoder"))
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{checkpoint} holds no text network that fits: {error}") from error
    return encoder, checkpoints.part(tensors, "heads")


def train_joint(
    recipe: JointRecipe, *, start: Path, data: Path, out: Path, results: Path
) -> dict[str, Any]:
    """Train one run from the text checkpoint ``start`` and record what dev says of it.

    Args:
        recipe: Its numbers.
        start: Checkpoint of ``train text``. One that has seen MELD's labels knows the training
            dialogues by heart, and the dialogue model learns to trust it too much: leave MELD out
            there.
        data: Folder of the corpora.
        out: Folder of the run; one that was cut off there is continued.
        results: Folder of the run records.
    """
    encoder, heads = starting_point(start)
    dialogues = {c: read_dialogues(c, data, "train") for c in recipe.epochs}
    first = next(iter(recipe.epochs))
    dev = read_dialogues(first, data, "dev")
    texts = {c: read(c, data, "train") for c in recipe.replay}
    dev_texts = {c: read(c, data, "dev") for c in SCORED}
    tokenizer_path = start.with_name(TOKENIZER)
    tokenizer = TextTokenizer(tokenizer_path)
    model = joint_model(recipe, encoder, len(dev.classes))
    model.heads.load_state_dict(heads)
    on_dev = spoken(dev, tokenizer, recipe.max_tokens)
    score_texts = dev_score(dev_texts)

    def score(read_texts: Read, read_dialogues: ReadDialogues) -> dict[str, float]:
        alone = score_texts(read_texts)
        found = [p.logits.argmax(1) for p in read_dialogues(on_dev)]
        gold = [d.labels for d in dev.dialogues]
        figures = classification(np.concatenate(gold), np.concatenate(found))
        key = f"{first}_dialogue_weighted_f1"
        return {**alone, key: figures["weighted_f1"],
                "objective": (alone["objective"] + figures["weighted_f1"]) / 2}  # fmt: skip

    trainer = JointTrainer(
        recipe=recipe, model=model, tokenizer=tokenizer, dialogues=dialogues, data=texts,
        score=score, folder=out,
    )  # fmt: skip
    ran = trainer.run()
    name = f"joint-seed{recipe.seed}" if recipe.limit is None else f"trial-joint-seed{recipe.seed}"
    about = {
        "recipe": "joint",
        "name": name,
        "configuration": recipe.as_dict(),
        "init": {"name": start.parent.name, "sha256": checkpoints.sha256(start)},
        "training_data": {
            **{c: {"n": len(i), "sha256": i.digest()} for c, i in dialogues.items()},
            **{c: {"n": len(i), "sha256": i.digest()} for c, i in texts.items()},
        },
        "run": {**ran, "loss_weights": model.loss.weights()},
    }
    # One of an earlier finish would be found beside the new text checkpoint, and not fit it.
    (out / DIALOGUE).unlink(missing_ok=True)
    record = finish_text(model, tokenizer_path, about, dev_texts, out, results)
    return {**record, "dialogue": finish_dialogue(model.dialogue, dev, first, about, out, results)}


def finish_dialogue(
    network: MDGET, dev: DialogueSet, corpus: str, about: dict[str, Any], out: Path, results: Path
) -> dict[str, Any]:
    """Write the dialogue checkpoint beside its text checkpoint, calibrated as it will be read."""
    text = out / CHECKPOINT
    description = {
        "name": about["name"],
        "configuration": network.config.as_dict(),
        "classes": list(dev.classes),
        "text_sha256": checkpoints.sha256(text),
        "calibration": Calibration().model_dump(),
    }
    checkpoints.save(out / DIALOGUE, network.state_dict(), description)
    found = predict_checkpoint(out / DIALOGUE, text, dev)
    calibration = calibrate(dev, found)
    description["calibration"] = calibration.model_dump()
    checkpoints.save(out / DIALOGUE, network.state_dict(), description)
    record = {
        **about,
        "data_set": corpus,
        "features": "joint",
        "configuration_name": f"{corpus}-joint-mdget-causal-text",
        "calibration": calibration.model_dump(),
        "dev": measure(dev, scored(found, calibration), calibration),
        "checkpoint": {
            "bytes": (out / DIALOGUE).stat().st_size,
            "sha256": checkpoints.sha256(out / DIALOGUE),
        },
    }
    write_json(results / FOLDER / f"{corpus}-{about['name']}.json", record)
    return record


def predict_checkpoint(dialogue: Path, text: Path, data: DialogueSet) -> list[Prediction]:
    """Return what a pair of checkpoints says of dialogues, as they will be loaded at run time."""
    network, _ = load_checkpoint(dialogue)
    encoder = TextEncoder(text)
    vectors = encoder.encode([t for d in data.dialogues for t in d.texts])
    whole = with_text(data, vectors)
    return predict(network, [example(d, Statistics()) for d in whole.dialogues])


def score_joint(out: Path, *, data: Path, results: Path) -> dict[str, Any]:
    """Store a recorded run's predictions of MELD's test split, as its checkpoints give them.

    Raises:
        DataError: The checkpoint is not the one that was recorded.
    """
    _, about = load_checkpoint(out / DIALOGUE)
    path = results / FOLDER / f"meld-{about['name']}.json"
    if not path.is_file():
        raise DataError(f"there is no run record {path}: the choice on dev comes before any test")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["checkpoint"]["sha256"] != checkpoints.sha256(out / DIALOGUE):
        raise DataError(f"{out / DIALOGUE} is not the checkpoint that {path} records")
    test = read_dialogues("meld", data, "test")
    found = scored(
        predict_checkpoint(out / DIALOGUE, out / CHECKPOINT, test),
        Calibration(**about["calibration"]),
    )
    write_predictions(path.with_name(path.stem + ".predictions.jsonl.gz"), test, found)
    return record
