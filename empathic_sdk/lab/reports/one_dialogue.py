"""One dialogue in depth: what is said of every utterance, and what the network does inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, further_dialogues
from empathic_sdk.lab.corpora.text_vectors import load, with_vectors
from empathic_sdk.lab.evaluation.dialogue_figures import calibrate, dev_score, scored
from empathic_sdk.lab.evaluation.dialogue_metrics import changed
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.reports.subject import Subject
from empathic_sdk.lab.training.dialogue_batches import (
    Example,
    Statistics,
    collate,
    example,
    predict,
    with_text,
)
from empathic_sdk.lab.training.dialogue_fit import fit, load_checkpoint
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.models.mdget.gue import Trace
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.recognizer import EmotionRecognizer

LONGEST = 26


@dataclass(frozen=True)
class Inside:
    """What a live network shows of one dialogue of ``n`` utterances.

    Attributes:
        gates: Mean of each gate an utterance, ``[gates, n]``.
        names: The gates' names.
        change: ``[n, n]`` raw probability that the emotion differs between two utterances, NaN
            where it does not look; ``None`` without a transfer module.
    """

    gates: np.ndarray
    names: list[str]
    change: np.ndarray | None


@dataclass(frozen=True)
class Depth:
    """One dialogue, and what is said of it.

    Attributes:
        dialogue: With gold labels.
        probabilities: ``[n, classes]``, calibrated.
        shift: ``[n]``, NaN where there is none.
        threshold: From this probability on a change is called one.
        source: Whose predictions these are.
        inside: Of a live network.
        absent: Why there is none, a sentence.
        picked: By :func:`pick`, not by who asked for the report.
    """

    dialogue: Dialogue
    probabilities: np.ndarray
    shift: np.ndarray
    threshold: float
    source: str
    inside: Inside | None = None
    absent: str = ""
    picked: bool = True


def pick(data: DialogueSet, name: str | None = None) -> int:
    """Return which dialogue to show: by gold labels alone, not by how well it went.

    The one of up to 26 utterances with the most changes of a speaker's emotion; the shortest
    where all are longer.

    Raises:
        ConfigurationError: ``name`` is not there.
    """
    names = [d.id for d in data.dialogues]
    if name is not None:
        if name not in names:
            raise ConfigurationError(
                f"no test dialogue of {data.corpus} is named {name!r}; the first are "
                f"{', '.join(names[:5])}"
            )
        return names.index(name)
    short = [i for i, d in enumerate(data.dialogues) if len(d) <= LONGEST]
    if not short:
        return int(np.argmin([len(d) for d in data.dialogues]))
    moves = [int((changed(d.labels, d.speakers) == 1).sum()) for d in data.dialogues]
    return max(short, key=lambda i: (moves[i], -i))


def depth(
    subject: Subject,
    *,
    name: str | None = None,
    data: Path,
    cache: Path,
    live: bool = False,
    recognizer: EmotionRecognizer | None = None,
) -> Depth:
    """Return one dialogue as the best network at hand sees it.

    Args:
        subject: What the report is about.
        name: Which dialogue; default: see :func:`pick`.
        data: Folder of the corpora.
        cache: Folder of text vectors, for ``live``.
        live: Train the configuration once more, so that there is a network to look into.
        recognizer: With the dialogue model that ships, for the configuration it belongs to.
    """
    at = pick(subject.runs.test, name)
    dialogue = subject.runs.test.dialogues[at]
    names = {r["name"] for r in subject.runs.records(subject.row.name)}
    path = None if recognizer is None else getattr(recognizer.dialogue, "path", None)
    if recognizer and path and recognizer.dialogue_about["name"] in names:
        return _shipped(dialogue, load_checkpoint(path)[0], recognizer)
    together = subject.row.features == "joint"
    if live and not together:
        return _trained(subject, at, data, cache)
    absent = "Gates and transfer matrix need a live network, and none of these runs is installed."
    if not together:
        absent += " With --live the configuration is trained once more and both are shown."
    return Depth(
        dialogue, subject.found.probabilities[at], subject.found.shift[at],
        Calibration(**subject.record["calibration"]).shift_threshold,
        f"run {subject.record['name']}, the one in the middle", absent=absent,
    )  # fmt: skip


def _shipped(dialogue: Dialogue, network: MDGET, recognizer: EmotionRecognizer) -> Depth:
    """Return the dialogue as the dialogue model that ships reads it."""
    alone = DialogueSet("meld", "test", (), [dialogue])
    whole = with_text(alone, recognizer.text.encode(dialogue.texts)).dialogues[0]
    return _live(
        whole, network, Statistics(), recognizer.calibration,
        f"the model that ships, {recognizer.dialogue_about['name']}",
    )  # fmt: skip


def _trained(subject: Subject, at: int, data: Path, cache: Path) -> Depth:
    """Train the configuration's first run once more and return the dialogue as it reads it."""
    first = subject.runs.records(subject.row.name)[0]
    numbers = first["configuration"]
    several = {k: tuple(numbers.get(k, ())) for k in ("modalities", "beside")}
    recipe, features = DialogueRecipe(**{**numbers, **several}), first["features"]
    train, dev, test = (
        load(subject.runs.data_set, s, data=data, features=features, cache=cache)
        for s in ("train", "dev", "test")
    )
    beside = [
        with_vectors(further_dialogues(c, data, recipe.beside_size), features, cache)
        for c in recipe.beside
    ]
    network, statistics, _ = fit(recipe, train, dev, dev_score(dev), beside)
    calibration = calibrate(dev, predict(network, [example(d, statistics) for d in dev.dialogues]))
    return _live(
        test.dialogues[at],
        network,
        statistics,
        calibration,
        f"seed {recipe.seed}, trained for this report",
    )


def _live(
    dialogue: Dialogue,
    network: nn.Module,
    statistics: Statistics,
    calibration: Calibration,
    source: str,
) -> Depth:
    read = example(dialogue, statistics)
    found = scored(predict(network, [read]), calibration)
    inside, absent = None, "This model has neither gates nor a transfer module to look into."
    if isinstance(network, MDGET):
        inside, absent = look(network, read), ""
    return Depth(
        dialogue, found.probabilities[0], found.shift[0], calibration.shift_threshold, source,
        inside, absent,
    )  # fmt: skip


def look(network: MDGET, read: Example) -> Inside:
    """Return what the network does inside while it reads one dialogue."""
    trace: dict[str, Trace] = {}
    batch, _ = collate([read])
    with torch.no_grad():
        out = network(batch, pairs=True, trace=trace)
    config, n = network.config, len(read)
    several = len(config.modalities) > 1
    names: list[str] = []
    rows: list[np.ndarray] = []

    def add(name: str, gate: torch.Tensor, modality: str) -> None:
        there = read.present[modality].numpy()
        names.append(f"{name}, {modality}" if several else name)
        rows.append(np.where(there, gate[0, :n].float().mean(-1).numpy(), np.nan))

    for layer, note in trace.items():
        kind, number = layer.split(".")
        deep = (config.gue_layers if kind == "gue" else config.acme_layers) > 1
        title = kind.upper() + (f" {int(number) + 1}" if deep else "")
        for gate, values in note.items():
            role, _, modality = gate.partition(".")
            if kind == "gue":
                for m, each in zip(config.modalities, values, strict=True):
                    add(f"{title} {gate.replace('_', ' ')}", each, m)
            else:
                roles = {"to_hub": "into the hub from", "from_hub": "from the hub into"}
                add(f"{title} {roles.get(role, 'selection')}", values, modality)
    if "fusion" in config.gates:
        for k, m in enumerate(config.modalities):
            add("Fusion", out.fusion_gates[..., k, None], m)
    change = None
    if out.pairs is not None:
        valid = out.pairs.valid[0, :n, :n].numpy()
        raw = torch.softmax(out.pairs.logits[0, :n, :n].float(), -1)[..., 1].numpy()
        change = np.where(valid, raw, np.nan)
        if "eetm" in config.gates:
            kept = out.pairs.gate[0, :n, :n].float().numpy()
            names.append("EETM, mean over pairs")
            rows.append(kept.sum(1) / np.maximum(valid.sum(1), 1))
    return Inside(np.stack(rows) if rows else np.zeros((0, n)), names, change)
