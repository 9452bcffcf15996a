"""Runs of the recipe ``face``: training, dev's choice, the record, and FER2013's figures.

A run writes ``NAME.json`` (what was run, and what dev says) and, once asked to score the test
split, ``NAME.predictions.jsonl.gz`` (calibrated probabilities of every face of it).
"""

from __future__ import annotations

import gzip
import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from empathic_sdk.encoders.face import FaceEncoder
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.faces import Faces, read_faces
from empathic_sdk.lab.evaluation.calibrate import fit_temperature
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    per_class_f1,
)
from empathic_sdk.lab.recipes.face import FaceRecipe, recipe_for
from empathic_sdk.lab.recipes.face_pool import fit_pool
from empathic_sdk.lab.records import spreads
from empathic_sdk.lab.runs.dialogue import write_json
from empathic_sdk.lab.training.face_loop import FaceTrainer
from empathic_sdk.models.face import build
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import Emotion

FOLDER = "face"
CHECKPOINT = "face.safetensors"
NAMES = tuple(str(e) for e in Emotion)
POOL_FACES, POOL_STEPS = 4000, 1500


def run_name(recipe: FaceRecipe) -> str:
    """Name a run; trials and controls get names that ``runs`` does not count."""
    part = "" if recipe.model == "net" else f"-{recipe.model}"
    whole = recipe_for(recipe.model, seed=recipe.seed)
    if recipe == whole:
        return f"face{part}-seed{recipe.seed}"
    return f"trial{part}-seed{recipe.seed}" + ("-shuffled" if recipe.shuffle_labels else "")


def train_face(recipe: FaceRecipe, *, data: Path, out: Path, results: Path) -> dict[str, Any]:
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
    name = run_name(recipe)
    about: dict[str, Any] = {
        "name": name,
        "width": trainer.net.width,
        "face": recipe.config(),
        "calibration": {"temperature": 1.0},
    }
    path = out / CHECKPOINT
    checkpoints.save(path, tensors, about)
    raw = predict(FaceEncoder(path), dev)
    temperature = fit_temperature(np.log(np.maximum(raw, 1e-12)), dev.labels)
    about["calibration"] = {"temperature": temperature}
    checkpoints.save(path, tensors, about)
    record = {
        "recipe": "face",
        "name": name,
        "configuration": recipe.as_dict(),
        "parameters": sum(p.numel() for p in build(recipe.config()).parameters()),
        "data": {s: {"n": len(f), "sha256": f.digest()} for s, f in
                 (("train", train), ("dev", dev))},
        "environment": {"python": platform.python_version(), "torch": torch.__version__,
                        "processor": platform.machine(), "threads": torch.get_num_threads()},
        "run": ran,
        "pool": pooled,
        "calibration": about["calibration"],
        "dev": measure(dev, predict(FaceEncoder(path), dev)),
        "checkpoint": {"bytes": path.stat().st_size, "sha256": checkpoints.sha256(path)},
        "test": None,
    }  # fmt: skip
    write_json(results / FOLDER / f"{name}.json", record)
    return record


def score_test(checkpoint: Path, *, data: Path, results: Path) -> dict[str, Any]:
    """Score a recorded checkpoint on the test split; completes its run record.

    Raises:
        DataError: The checkpoint has no run record, or is not the one that was recorded.
    """
    encoder = FaceEncoder(checkpoint)
    name = _about(encoder)["name"]
    path = results / FOLDER / f"{name}.json"
    if not path.is_file():
        raise DataError(f"there is no run record {path}: the choice on dev comes before any test")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["checkpoint"]["sha256"] != checkpoints.sha256(checkpoint):
        raise DataError(f"{checkpoint} is not the checkpoint that {path} records")
    test = read_faces(data, "test")
    p = np.round(predict(encoder, test).astype(float), 5)
    record["test"] = {"n": len(test), "sha256": test.digest(), **measure(test, p)}
    lines = [
        json.dumps({"row": row, "p": [round(v, 5) for v in values]})
        for row, values in zip(test.rows.tolist(), p.tolist(), strict=True)
    ]
    stored = path.with_name(f"{name}.predictions.jsonl.gz")
    with gzip.GzipFile(stored, "wb", mtime=0) as f:
        f.write("\n".join(lines).encode() + b"\n")
    write_json(path, record)
    return record


def predict(encoder: FaceEncoder, faces: Faces) -> np.ndarray:
    """Return calibrated probabilities ``[n, 7]``, by the public API.

    A crop in which nothing is to be seen gets a seventh for each emotion.
    """
    even = np.full(len(Emotion), 1 / len(Emotion), np.float32)
    out = [even if e.probabilities is None else e.probabilities
           for e in encoder.encode_crops(list(faces.images))]  # fmt: skip
    return np.stack(out)


def measure(faces: Faces, p: np.ndarray) -> dict[str, Any]:
    """Return the metrics of probabilities ``[n, 7]``; rows of the confusion are what was so."""
    said = p.argmax(1)
    confusion = np.zeros((len(NAMES), len(NAMES)), int)
    np.add.at(confusion, (faces.labels, said), 1)
    return {
        **classification(faces.labels, said),
        "ece": expected_calibration_error(p, faces.labels),
        "f1": per_class_f1(faces.labels, said, NAMES),
        "confusion": confusion.tolist(),
    }


def evaluate_fer2013(
    *, data: Path, split: str, results: Path, checkpoint: Path | None = None, model: str = "net"
) -> dict[str, Any]:
    """Measure a face network on FER2013; the object that ``empathic evaluate`` prints.

    ``net`` is measured anew through the public API (what ships, or ``checkpoint``). Of ``cnn`` no
    weights ship: without a checkpoint, its figures are those of the recorded run with the best
    dev accuracy, from its stored predictions.

    Raises:
        DataError: There is no recorded run of ``cnn``.
    """
    faces = read_faces(data, split)
    runs = recorded(results, model)
    if model == "net" or checkpoint is not None:
        encoder = FaceEncoder(checkpoint)
        name = str(_about(encoder)["name"])
        measured = {**measure(faces, predict(encoder, faces)), **in_scenes(encoder, faces)}
    else:
        if not runs:
            raise DataError(f"{results / FOLDER} holds no tested run of cnn: train one first")
        record = max(runs, key=lambda r: r["dev"]["accuracy"])
        name = str(record["name"])
        measured = rescored(results, record, faces) if split == "test" else record["dev"]
    report = {
        "dataset": "fer2013", "model": name, "split": split, "n": len(faces), "causal": True,
        **measured,
    }  # fmt: skip
    if split != "test":
        return {**report, "runs": {"n": 0}}
    every = [rescored(results, r, faces) for r in runs]
    return {**report, "runs": spreads(every)}


def in_scenes(encoder: FaceEncoder, faces: Faces, *, most: int = 200) -> dict[str, float]:
    """Measure some faces pasted into pictures of 640 x 480 pixels, detection and all.

    Returns:
        ``scene_found``: the share in which a face was found; ``scene_accuracy``: how many of those
        were named right; ``scene_p50_ms`` and ``scene_p95_ms`` of one picture where a face was
        found, of processor time: a busy machine does not count against it.
    """
    some = faces.take(np.linspace(0, len(faces) - 1, min(most, len(faces))).round().astype(int))
    rng = np.random.default_rng(0)
    times, right = [], []
    encoder.encode([[scene(some.images[0], rng)]])  # the first one also loads things
    for image, label in zip(some.images, some.labels, strict=True):
        picture = scene(image, rng)
        began = time.process_time()
        (found,) = encoder.encode([[picture]])
        if found.probabilities is not None:
            times.append(1000 * (time.process_time() - began))
            right.append(found.probabilities.argmax() == label)
    if not right:
        return {"scene_found": 0.0}
    return {
        "scene_found": len(right) / len(some),
        "scene_accuracy": float(np.mean(right)),
        "scene_p50_ms": float(np.percentile(times, 50)),
        "scene_p95_ms": float(np.percentile(times, 95)),
    }


def scene(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 ``[480, 640, 3]``: a face 240 pixels wide before a soft grey pattern."""
    import cv2

    pattern = rng.integers(80, 165, (30, 40)).astype(np.uint8)
    picture = np.asarray(cv2.resize(pattern, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    large = cv2.resize(face, (240, 240), interpolation=cv2.INTER_CUBIC)
    picture[120:360, 200:440] = large
    return np.repeat(picture[:, :, None], 3, axis=2)


def recorded(results: Path, model: str) -> list[dict[str, Any]]:
    """Return the records of tested runs of ``net`` or ``cnn``; no trials, no controls."""
    pattern = "face-seed*.json" if model == "net" else f"face-{model}-seed*.json"
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((results / FOLDER).glob(pattern))
    ]
    return [r for r in records if r["test"] is not None]


def rescored(results: Path, record: Mapping[str, Any], faces: Faces) -> dict[str, Any]:
    """Measure the stored test predictions of one run."""
    stored = results / FOLDER / f"{record['name']}.predictions.jsonl.gz"
    with gzip.open(stored, "rt", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    if [r["row"] for r in rows] != faces.rows.tolist():
        raise DataError(f"{stored} does not hold the test faces of FER2013")
    return measure(faces, np.array([r["p"] for r in rows]))


def _about(encoder: FaceEncoder) -> dict[str, Any]:
    assert encoder.path is not None
    return checkpoints.load(encoder.path)[1]
