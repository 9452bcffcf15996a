"""What ``empathic evaluate`` says of a text encoder on single utterances, and of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.lab.corpora.text import TextItems, read
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.evaluation.text import measure, predict
from empathic_sdk.lab.records import find_records, predictions_of, read_items, read_rows
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.recognizer import EmotionRecognizer


def rescore(results: Path, items: TextItems) -> dict[str, Any]:
    """Rescore every recorded run from its stored predictions: ``{n, METRIC: {mean, std}}``."""
    scored = []
    for path, record in find_records(results, "text-seed*.json"):
        stored = predictions_of(path)
        if record.test is None or not stored.is_file():
            continue
        if not any(row["c"] == items.corpus for row in read_rows(stored)):
            continue  # this run was not scored on this corpus
        what = f"the test items of {items.corpus}"
        predicted = read_items(stored, items.ids, what, c=items.corpus)
        scored.append(measure(items, predicted, Calibration(**record.calibration)))
    return summary(scored)


def evaluate_text(
    name: str, *, data: Path, split: str, checkpoint: Path | None, results: Path
) -> dict[str, Any]:
    """Measure a checkpoint on one corpus; the object that ``empathic evaluate`` prints."""
    items = read(name, data, split)
    recognizer = EmotionRecognizer(text=TextEncoder(checkpoint), dialogue=False)
    predicted = predict(recognizer.read, items, recognizer.calibration)
    return {
        "dataset": name,
        "model": recognizer.about["name"],
        "split": split,
        "n": len(items),
        "causal": True,
        **measure(items, predicted, recognizer.calibration),
        "runs": rescore(results, items) if split == "test" else {"n": 0},
    }
