"""Recipe ``text``: fine-tune the text encoder and its heads on several corpora at once.

A run record is one JSON file in the results folder, and beside it the test predictions of every
item, so that any figure can be computed again without the weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from safetensors.torch import load_file

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.lab.corpora.text import TextItems, read
from empathic_sdk.lab.corpora.text_vectors import find_minilm
from empathic_sdk.lab.evaluation.calibrate import fit_abstention, fit_temperature, fit_thresholds
from empathic_sdk.lab.evaluation.text import dev_score, measure, predict
from empathic_sdk.lab.recipes.text_numbers import (
    EMOTION_CORPORA,
    FREE,
    SCORED,
    TextRecipe,
    without_corpora,
)
from empathic_sdk.lab.records import (
    RunRecord,
    data_entry,
    environment,
    item_rows,
    recorded,
    weights_entry,
)
from empathic_sdk.lab.registry import Command, Option, Outcome, UsageError
from empathic_sdk.lab.runs.runner import (
    Test,
    complete,
    figures,
    folder,
    kept_test,
    save_calibrated,
)
from empathic_sdk.lab.training.heads import train_heads
from empathic_sdk.lab.training.text_fit import Arrays, Read, TextModel, TextTrainer
from empathic_sdk.models.minilm import pretrained
from empathic_sdk.recognition.calibration import Calibration, probabilities
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints

TOKENIZER = "text-tokenizer.json"
CHECKPOINT = "text.safetensors"
HEADS = "heads.safetensors"


def _start(folder: Path) -> dict[str, str]:
    weights = folder / "model.safetensors"
    return {"name": "all-MiniLM-L6-v2", "sha256": checkpoints.sha256(weights)}


def run_name(recipe: TextRecipe) -> str:
    """Name a run; trials and controls get names of their own, which ``runs`` does not count."""
    left_out = "" if "meld" in recipe.epochs else "-without-meld"
    if recipe.free:
        left_out = "-free"
    if recipe.limit is None and not recipe.shuffle_labels:
        return f"text{left_out}-seed{recipe.seed}"
    free, shuffled = "-free" * recipe.free, "-shuffled" * recipe.shuffle_labels
    return f"trial{free}-seed{recipe.seed}{shuffled}"


def heads_name(recipe: TextRecipe, encoder: str) -> str:
    """Name a run that trains only heads; a trial has a name of its own, too."""
    whole = recipe.limit is None and not recipe.shuffle_labels
    free = "-free" if recipe.free else ""
    return f"{'' if whole else 'trial-'}heads-{Path(encoder).name}{free}-seed{recipe.seed}"


def fresh_model(folder: Path, corpora: Sequence[str] = EMOTION_CORPORA) -> TextModel:
    """Return MiniLM with its pretrained weights, under heads that know nothing yet."""
    return TextModel(pretrained(folder), corpora)


def train_text(
    recipe: TextRecipe,
    *,
    data: Path,
    out: Path,
    results: Path,
    init: Path | None = None,
) -> RunRecord:
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
    start = find_minilm(init)
    train = {c: read(c, data, "train") for c in recipe.epochs}
    dev = {c: read(c, data, "dev") for c in recipe.scored}
    torch.manual_seed(recipe.seed)
    trainer = TextTrainer(
        recipe=recipe,
        model=fresh_model(start, recipe.emotion_corpora),
        tokenizer=TextTokenizer(start / "tokenizer.json"),
        data=train,
        score=dev_score(dev),
        folder=out,
    )
    about = {
        "recipe": "text",
        "name": run_name(recipe),
        "configuration": recipe.as_dict(),
        "init": _start(start),
        "training_data": {c: data_entry(i) for c, i in train.items()},
        "run": trainer.run(),
    }
    return finish_text(trainer.model, start / "tokenizer.json", about, dev, out, results)


def average_text(
    runs: Sequence[Path], *, data: Path, out: Path, results: Path, init: Path | None = None
) -> RunRecord:
    """Average the chosen weights of several runs from the same start (Wortsman et al. 2022)."""
    start = find_minilm(init)
    found = [load_file(run / "best.safetensors") for run in runs]
    model = fresh_model(start)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name in found[0]:
                p.copy_(torch.stack([weights[name] for weights in found]).mean(0))
    about = {
        "recipe": "text",
        "name": "text-average",
        "average_of": [run.name for run in runs],
        "init": _start(start),
    }
    dev = {c: read(c, data, "dev") for c in SCORED}
    return finish_text(model, start / "tokenizer.json", about, dev, out, results)


def train_encoder_heads(
    recipe: TextRecipe, *, encoder: str, data: Path, out: Path, results: Path
) -> RunRecord:
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
    dev = {c: read(c, data, "dev") for c in recipe.scored}
    heads, ran = train_heads(recipe, encode=text.encode, data=train, score=dev_score(dev))
    about = {
        "recipe": "text-heads",
        "name": heads_name(recipe, encoder),
        "configuration": recipe.as_dict(),
        "encoder": encoder,
        "training_data": {c: data_entry(i) for c, i in train.items()},
        "run": ran,
    }
    description = {"name": about["name"], "width": text.width, "corpora": list(heads.corpora)}
    tensors = {f"heads.{n}": t for n, t in heads.state_dict().items()}

    def load(path: Path) -> EmotionRecognizer:
        return EmotionRecognizer(text=text, heads=path, dialogue=False)

    return _finish(out / HEADS, tensors, description, about, dev, results, load)


def finish_text(
    model: TextModel,
    tokenizer: Path,
    about: Mapping[str, Any],
    dev: Mapping[str, TextItems],
    out: Path,
    results: Path,
) -> RunRecord:
    """Write encoder, heads and tokenizer as one checkpoint; see :func:`_finish`."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer, out / TOKENIZER)
    tensors = {f"encoder.{n}": t for n, t in model.encoder.state_dict().items()}
    tensors |= {f"heads.{n}": t for n, t in model.heads.state_dict().items()}
    description = {
        "name": about["name"],
        "width": model.encoder.config.width,
        "encoder": model.encoder.config._asdict(),
        "corpora": list(model.heads.corpora),
        "tokenizer": TOKENIZER,
    }

    def load(path: Path) -> EmotionRecognizer:
        return EmotionRecognizer(text=TextEncoder(path), dialogue=False)

    return _finish(out / CHECKPOINT, tensors, description, about, dev, results, load)


def _finish(
    path: Path,
    tensors: Mapping[str, torch.Tensor],
    description: Mapping[str, Any],
    about: Mapping[str, Any],
    dev: Mapping[str, TextItems],
    results: Path,
    load: Callable[[Path], EmotionRecognizer],
) -> RunRecord:
    """Write the checkpoint, fix its calibration on dev as it will be loaded, record it."""
    readers: list[Read] = []

    def fix(written: Path) -> dict[str, Any]:
        readers.append(_once(load(written).read))
        return calibrate(readers[0], dev).model_dump()

    fixed = save_calibrated(path, tensors, description, fix, start=Calibration().model_dump())
    calibration = Calibration(**fixed)
    record = RunRecord(
        **about,
        environment=environment(),
        calibration=fixed,
        dev={
            c: measure(i, predict(readers[0], i, calibration), calibration) for c, i in dev.items()
        },
        dev_data={c: data_entry(i) for c, i in dev.items()},
        checkpoint=weights_entry(path),
        test=kept_test(results / f"{about['name']}.json", path),
    )
    record.write(results)
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
    """Fix temperature, abstention and multi-label thresholds on dev data.

    The first two on MELD; without it, on the texts of GoEmotions that have one emotion.
    """
    several = dev["goemotions"]
    one = dev.get("meld") or several.take(np.flatnonzero(several.emotion >= 0))
    emotion, _, _ = read(one.texts, one.corpus)
    temperature = fit_temperature(emotion, one.emotion)
    p = probabilities(emotion, temperature)
    assert several.present is not None
    present = predict(read, several, Calibration())
    return Calibration(
        temperature=temperature,
        threshold=fit_abstention(p, one.emotion),
        present=tuple(fit_thresholds(several.present, present)),
    )


def score_text(
    checkpoint: Path, *, data: Path, results: Path, corpora: Sequence[str] | None = None
) -> RunRecord:
    """Score a recorded checkpoint on the test splits; completes its run record.

    Args:
        checkpoint: ``text.safetensors`` of the run.
        data: Folder of the corpora.
        results: Folder of the run records.
        corpora: Which; by default those that its run was scored on.

    Raises:
        DataError: The checkpoint has no run record, or is not the one that was recorded.
    """
    recognizer = EmotionRecognizer(text=TextEncoder(checkpoint), dialogue=False)
    path = results / f"{recognizer.about['name']}.json"
    recorded(path, checkpoint)
    if corpora is None:
        corpora = SCORED if SCORED[0] in recognizer.about["corpora"] else FREE
    measured: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for corpus in corpora:
        items = read(corpus, data, "test")
        predicted = predict(recognizer.read, items, recognizer.calibration)
        found = measure(items, np.round(predicted, 5), recognizer.calibration)
        measured[corpus] = {**data_entry(items), **found}
        rows += item_rows(items.ids, predicted, 5, c=corpus)
    return complete(path, checkpoint, measured, rows)


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    out: Path | None,
    results: Path,
    init: Annotated[
        Path | None,
        Option(
            "Folder of the pretrained network.",
            exists=True,
            default="the installed all-MiniLM-L6-v2",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        Option(
            "Train only heads, for this sentence-transformers model as it is.",
            metavar="NAME|FOLDER",
        ),
    ] = None,
    without: Annotated[
        tuple[str, ...],
        Option("Leave it out of training: a start for `train joint`.", choices=("meld",)),
    ] = (),
    average: Annotated[
        tuple[Path, ...],
        Option(
            "Do not train: average the finished runs in these folders (give it once a run).",
            exists=True,
        ),
    ] = (),
    test: Test = False,
) -> Outcome:
    """Fine-tune the text encoder and its heads on several corpora at once.

    Dev data choose the epoch, the temperature and the thresholds; the choice is written to the
    run record. Test data are read by a second call, with --test, once that choice stands.
    """
    if numbers.get("free") and (without or average):
        raise UsageError("--free does not go with --without or --average")
    if without and (encoder or average):
        raise UsageError("--without does not go with --encoder or --average")
    recipe = without_corpora(TextRecipe(**numbers), without)
    name = "text-average" if average else run_name(recipe)
    out = folder(heads_name(recipe, encoder) if encoder else name, out)
    if test:
        record = score_text(out / CHECKPOINT, data=data, results=results)
    elif encoder:
        record = train_encoder_heads(recipe, encoder=encoder, data=data, out=out, results=results)
    elif average:
        record = average_text(average, data=data, out=out, results=results, init=init)
    else:
        record = train_text(recipe, data=data, out=out, results=results, init=init)
    split = "test" if test else "dev"
    measured = (record.test or {}) if test else record.dev
    lines = [figures(f"{split} {corpus}", found) for corpus, found in measured.items()]
    weights = out / (HEADS if encoder else CHECKPOINT)
    return Outcome(record, [*lines, f"weights: {weights}   record: {record.path(results)}"])


COMMAND = Command(run=run, recipe=TextRecipe)
