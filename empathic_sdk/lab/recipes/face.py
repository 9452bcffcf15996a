"""Recipe ``face``: train the face network on FER2013.

A run writes ``NAME.json`` (what was run, and what dev says) and, once asked to score the test
split, ``NAME.predictions.jsonl.gz`` (calibrated probabilities of every face of it).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from empathic_sdk.encoders.face import FaceEncoder
from empathic_sdk.lab.corpora.faces import read_faces
from empathic_sdk.lab.evaluation.face_figures import measure, predict
from empathic_sdk.lab.recipes.face_numbers import FaceRecipe, recipe_for
from empathic_sdk.lab.records import (
    FOLDERS,
    RunRecord,
    data_entry,
    recorded,
)
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import (
    Test,
    complete,
    folder,
    outcome,
    record_run,
    save_calibrated,
    temperature_on,
)
from empathic_sdk.lab.training.face_fit import FaceTrainer
from empathic_sdk.lab.training.frame_pool import fit_pool
from empathic_sdk.models.face import build

CHECKPOINT = "face.safetensors"
POOL_FACES, POOL_STEPS = 4000, 1500


def run_name(recipe: FaceRecipe) -> str:
    """Name a run; trials and controls get names that ``runs`` does not count."""
    part = "" if recipe.model == "net" else f"-{recipe.model}"
    whole = recipe_for(recipe.model, seed=recipe.seed)
    if recipe == whole:
        return f"face{part}-seed{recipe.seed}"
    return f"trial{part}-seed{recipe.seed}" + ("-shuffled" if recipe.shuffle_labels else "")


def train_face(recipe: FaceRecipe, *, data: Path, out: Path, results: Path) -> RunRecord:
    """Train one run and record what dev says of it; no test figure is computed here.

    Args:
        recipe: Its numbers.
        data: Folder of the corpora.
        out: Folder of the run: checkpoints, and ``face.safetensors`` at the end, which
            :class:`FaceEncoder` reads. A run that was cut off there is continued.
        results: Folder of the run records, which go to ``face/`` in it.

    Returns:
        The run record.
    """
    train, dev = (read_faces(data, split) for split in ("train", "dev"))
    trainer = FaceTrainer(recipe, train, dev, out)
    ran = trainer.run()
    train, dev = trainer.train, trainer.dev
    rng = np.random.default_rng([recipe.seed, 12])
    some = train.take(np.sort(rng.permutation(len(train))[:POOL_FACES]))
    pool, pooled = fit_pool(trainer.net, some, dev, seed=recipe.seed, steps=POOL_STEPS)
    tensors = {f"net.{n}": t for n, t in trainer.weights_of().items()}
    tensors |= {f"pool.{n}": t for n, t in pool.state_dict().items()}
    path, name = out / CHECKPOINT, run_name(recipe)
    about = {"name": name, "width": trainer.net.width, "face": recipe.config()}

    fix = temperature_on(dev.labels, lambda p: predict(FaceEncoder(p), dev))
    calibration = save_calibrated(path, tensors, about, fix, start={"temperature": 1.0})
    return record_run(
        results, recipe, weights=path, recipe="face", name=name,
        parameters=sum(p.numel() for p in build(recipe.config()).parameters()),
        data={"train": data_entry(train), "dev": data_entry(dev)}, run=ran, pool=pooled,
        calibration=calibration, dev=measure(dev, predict(FaceEncoder(path), dev)), test=None,
    )  # fmt: skip


def score_face(checkpoint: Path, *, data: Path, results: Path) -> RunRecord:
    """Score a recorded checkpoint on the test split; completes its run record.

    Raises:
        DataError: The checkpoint has no run record, or is not the one that was recorded.
    """
    encoder = FaceEncoder(checkpoint)
    path = results / FOLDERS["face"] / f"{encoder.about['name']}.json"
    recorded(path, checkpoint)
    test = read_faces(data, "test")
    p = np.round(predict(encoder, test).astype(float), 5)
    rows = (
        {"row": row, "p": [round(v, 5) for v in values]}
        for row, values in zip(test.rows.tolist(), p.tolist(), strict=True)
    )
    return complete(path, checkpoint, {**data_entry(test), **measure(test, p)}, rows)


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    out: Path | None,
    results: Path,
    epochs: Annotated[int | None, Option("How many, at 40 pixels (for trials).", low=1)] = None,
    test: Test = False,
) -> Outcome:
    """Train the face network on FER2013.

    The public test split chooses the epoch, calibrates, and is what the record holds. The private
    test split is read by a second call, with --test, once that choice stands.
    """
    sizes = {"sizes": ((40, epochs),)} if epochs else {}
    recipe = recipe_for(**{"model": "net", **numbers, **sizes})
    out = folder(run_name(recipe), out)
    split = "test" if test else "dev"
    if test:
        record = score_face(out / CHECKPOINT, data=data, results=results)
    else:
        record = train_face(recipe, data=data, out=out, results=results)
    return outcome(record, results, f"{split} fer2013", weights=out / CHECKPOINT, split=split)


COMMAND = Command(run=run, recipe=FaceRecipe)
