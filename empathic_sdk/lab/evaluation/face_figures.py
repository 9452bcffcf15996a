"""What is measured of a face network on FER2013, and what ``empathic evaluate`` says of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.encoders.face import FaceEncoder
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.faces import Faces, read_faces
from empathic_sdk.lab.evaluation.metrics import confusion, labelled
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.records import FOLDERS, RunRecord, find_records, predictions_of, read_rows
from empathic_sdk.types import Emotion

NAMES = tuple(str(e) for e in Emotion)


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
    found = labelled(faces.labels, p, NAMES)
    return {**found, "confusion": confusion(faces.labels, p.argmax(1), len(NAMES))}


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
        name = str(encoder.about["name"])
        measured = {**measure(faces, predict(encoder, faces)), **in_scenes(encoder, faces)}
    else:
        if not runs:
            raise DataError(
                f"{results / FOLDERS['face']} holds no tested run of cnn: train one first"
            )
        record = max(runs, key=lambda r: float(r.dev["accuracy"]))
        name = record.name
        measured = rescored(results, record, faces) if split == "test" else record.dev
    report = {
        "dataset": "fer2013", "model": name, "split": split, "n": len(faces), "causal": True,
        **measured,
    }  # fmt: skip
    if split != "test":
        return {**report, "runs": {"n": 0}}
    return {**report, "runs": summary([rescored(results, r, faces) for r in runs])}


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


def recorded(results: Path, model: str) -> list[RunRecord]:
    """Return the records of tested runs of ``net`` or ``cnn``; no trials, no controls."""
    pattern = "face-seed*.json" if model == "net" else f"face-{model}-seed*.json"
    found = find_records(results / FOLDERS["face"], pattern)
    return [record for _, record in found if record.test is not None]


def rescored(results: Path, record: RunRecord, faces: Faces) -> dict[str, Any]:
    """Measure the stored test predictions of one run."""
    stored = predictions_of(record.path(results))
    rows = read_rows(stored)
    if [r["row"] for r in rows] != faces.rows.tolist():
        raise DataError(f"{stored} does not hold the test faces of FER2013")
    return measure(faces, np.array([r["p"] for r in rows]))
