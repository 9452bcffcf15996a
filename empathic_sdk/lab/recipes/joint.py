"""Recipe ``joint``: text encoder, utterance heads and dialogue model learn together.

A run folder holds ``text.safetensors`` (encoder and the heads of single utterances) and
``dialogue.safetensors`` (the dialogue model that reads its vectors).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ModelError
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.text import read
from empathic_sdk.lab.evaluation.dialogue_figures import (
    calibrate,
    measure,
    scored,
    write_predictions,
)
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.text import dev_score
from empathic_sdk.lab.recipes.dialogue import CHECKPOINT as DIALOGUE
from empathic_sdk.lab.recipes.dialogue import predictions, write_checkpoint
from empathic_sdk.lab.recipes.joint_numbers import JointRecipe
from empathic_sdk.lab.recipes.text import CHECKPOINT, TOKENIZER, finish_text
from empathic_sdk.lab.recipes.text_numbers import SCORED
from empathic_sdk.lab.records import (
    RunRecord,
    data_entry,
    predictions_of,
    recorded,
    weights_entry,
)
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import figures, folder
from empathic_sdk.lab.training.dialogue_batches import Prediction, with_text
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.lab.training.joint_fit import JointTrainer, ReadDialogues, joint_model, spoken
from empathic_sdk.lab.training.text_fit import Read
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.models.minilm import MiniLM, MiniLMConfig
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints


def run_name(recipe: JointRecipe) -> str:
    """Name a run; a trial has a name of its own."""
    return f"{'' if recipe.limit is None else 'trial-'}joint-seed{recipe.seed}"


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
) -> tuple[RunRecord, RunRecord]:
    """Train one run from the text checkpoint ``start`` and record what dev says of it.

    Args:
        recipe: Its numbers.
        start: Checkpoint of ``train text``. One that has seen MELD's labels knows the training
            dialogues by heart, and the dialogue model learns to trust it too much: leave MELD out
            there.
        data: Folder of the corpora.
        out: Folder of the run; one that was cut off there is continued.
        results: Folder of the run records.

    Returns:
        The records of the single utterances, and of the dialogues.
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
    about = {
        "recipe": "joint",
        "name": run_name(recipe),
        "configuration": recipe.as_dict(),
        "init": {"name": start.parent.name, "sha256": checkpoints.sha256(start)},
        "training_data": {c: data_entry(i) for some in (dialogues, texts) for c, i in some.items()},
        "run": {**trainer.run(), "loss_weights": model.loss.weights()},
    }
    # One of an earlier finish would be found beside the new text checkpoint, and not fit it.
    (out / DIALOGUE).unlink(missing_ok=True)
    record = finish_text(model, tokenizer_path, about, dev_texts, out, results)
    return record, finish_dialogue(model.dialogue, dev, first, about, out, results)


def finish_dialogue(
    network: MDGET,
    dev: DialogueSet,
    corpus: str,
    about: Mapping[str, Any],
    out: Path,
    results: Path,
) -> RunRecord:
    """Write the dialogue checkpoint beside its text checkpoint, calibrated as it will be read."""
    text, path = out / CHECKPOINT, out / DIALOGUE
    description = {
        "name": about["name"],
        "classes": list(dev.classes),
        "text_sha256": checkpoints.sha256(text),
    }
    whole = with_vectors_of(text, dev)
    network, calibration = write_checkpoint(
        path, network, description, lambda n: calibrate(dev, predictions(n, whole))
    )
    record = RunRecord(
        **about,
        data_set=corpus,
        features="joint",
        configuration_name=f"{corpus}-joint-mdget-causal-text",
        calibration=calibration.model_dump(),
        dev=measure(dev, scored(predictions(network, whole), calibration), calibration),
        checkpoint=weights_entry(path),
    )
    record.write(results)
    return record


def with_vectors_of(text: Path, data: DialogueSet) -> DialogueSet:
    """Return dialogues with the text vectors of a checkpoint."""
    texts = [t for d in data.dialogues for t in d.texts]
    return with_text(data, TextEncoder(text).encode(texts))


def predict_checkpoint(dialogue: Path, text: Path, data: DialogueSet) -> list[Prediction]:
    """Return what a pair of checkpoints says of dialogues, as they will be loaded at run time."""
    return predictions(load_checkpoint(dialogue)[0], with_vectors_of(text, data))


def score_joint(out: Path, *, data: Path, results: Path) -> RunRecord:
    """Store a recorded run's predictions of MELD's test split, as its checkpoints give them.

    Raises:
        DataError: The checkpoint is not the one that was recorded.
    """
    about = load_checkpoint(out / DIALOGUE)[1]
    path = results / "dialogue" / f"meld-{about['name']}.json"
    record = recorded(path, out / DIALOGUE)
    test = read_dialogues("meld", data, "test")
    found = predict_checkpoint(out / DIALOGUE, out / CHECKPOINT, test)
    calibration = Calibration(**about["calibration"])
    write_predictions(predictions_of(path), test, scored(found, calibration))
    return record


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    start: Annotated[
        Path,
        Option(
            "Text checkpoint to start from; one that has not seen MELD "
            "(`train text --without meld`).",
            folder=False,
        ),
    ] = Path("runs/text-without-meld-seed1/text.safetensors"),
    out: Path | None,
    test: Annotated[bool, Option("Store the finished run's test predictions.")] = False,
    results: Path,
) -> Outcome:
    """Fine-tune text encoder, utterance heads and dialogue model together.

    Dev data choose the step and calibrate. Test data are read by a second call, with --test, once
    that choice stands.
    """
    recipe = JointRecipe(**numbers)
    out = folder(run_name(recipe), out)
    if test:
        record = score_joint(out, data=data, results=results)
    else:
        record = train_joint(recipe, start=start, data=data, out=out, results=results)[1]
    lines = [
        figures(f"dev {record.data_set}", record.dev),
        f"weights: {out / CHECKPOINT}, {out / DIALOGUE}",
    ]
    return Outcome(record, lines)


COMMAND = Command(run=run, recipe=JointRecipe)
