"""The guard of language models' drafts: fitting its second opinion, and what it refuses."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.lab.corpora.esconv import digest, read_esconv
from empathic_sdk.lab.corpora.risk_lines import shipped_lines
from empathic_sdk.lab.evaluation.safety import wilson
from empathic_sdk.lab.recipes.guard import Draft, GuardRecipe, fit_guard, read_drafts
from empathic_sdk.language.sentences import sentences_of
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.safety.draft_model import REASONS, DraftReader, draft_features
from empathic_sdk.safety.output_guard import GRAVE, check_sentence
from empathic_sdk.safety.risk_model import RiskReader
from empathic_sdk.turn.stateless import StatelessTurns
from empathic_sdk.types import Strategy
from empathic_sdk.types.reply import ReplyContext

OWN = ("human", "feeling")
"""Reasons by which a program may not say what a person may: their own life, what they feel."""


def train_guard(
    recipe: GuardRecipe,
    *,
    out: Path,
    data: Path | None = None,
    lines: Path | None = None,
    text_path: Path | None = None,
    risk_path: Path | None = None,
) -> dict[str, Any]:
    """Fit the second opinion; write ``guard.safetensors``.

    Args:
        recipe: The numbers of the run.
        out: Folder for the weights.
        data: Folder with ESConv: what its supporters say on the training part is harmless, and
            on dev sets the limit. What they say of themselves, and what the rules refuse, is left
            out. Without it the labelled sentences alone teach and set the limit.
        lines: Labelled sentences; by default those of the package.
        text_path: The text checkpoint that it reads with; by default the one that ships.
        risk_path: The risk model that it reads with; by default the one that ships.
    """
    lines = lines or shipped_lines("drafts-train")
    drafts = read_drafts(lines)
    text = TextEncoder(text_path)
    risk = RiskReader(risk_path, text)

    def features(sentences: Sequence[str]) -> NDArray[np.float32]:
        parts = [sentences[at : at + 512] for at in range(0, len(sentences), 512)]
        return np.concatenate([draft_features(risk, text, part) for part in parts])

    calm: dict[str, list[str]] = {} if data is None else _calm(recipe, data)
    found = fit_guard(
        recipe,
        features([d.text for d in drafts]),
        [d.reason for d in drafts],
        calm=features(calm["train"][: recipe.supporters]) if calm else None,
        calm_dev=features(calm["dev"]) if calm else None,
    )
    about = {
        "recipe": asdict(recipe),
        "lines": {"sha256": checkpoints.sha256(lines), "n": len(drafts)},
        "esconv": {} if data is None else {s: digest(read_esconv(data, s)) for s in calm},
        "risk_sha256": checkpoints.sha256(risk.path),
        "limit": found.limit,
        "chosen": dict(found.chosen),
    }
    path = out / "guard.safetensors"
    tensors = {name: torch.from_numpy(value) for name, value in found.tensors.items()}
    checkpoints.save(path, tensors, about)
    return about | {"out_of_fold": dict(found.chosen)}


def _calm(recipe: GuardRecipe, data: Path) -> dict[str, list[str]]:
    """Return what supporters say that is harmless for certain, by split, shuffled."""
    context = a_context(EmotionRecognizer())
    found = {}
    for split in ("train", "dev"):
        said = supporters(data, split)
        random.Random(recipe.seed).shuffle(said)
        found[split] = [s for s, own in said if not own and check_sentence(s, context).allowed]
    return found


def evaluate_guard(
    *, data: Path, lines: Path | None = None, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Measure patterns and second opinion on labelled sentences, and on what supporters said.

    Args:
        data: Folder with ESConv.
        lines: Labelled sentences; by default those of the package.
        checkpoint: Weights in place of those that ship.
    """
    drafts = read_drafts(lines or shipped_lines("drafts-heldout"))
    said = {split: supporters(data, split) for split in ("dev", "test")}
    recognizer = EmotionRecognizer()
    reader = DraftReader(RiskReader(text=recognizer.text), recognizer.text, checkpoint)
    context = a_context(recognizer)
    ways: dict[str, Callable[[str], bool]] = {
        "patterns": lambda s: not check_sentence(s, context).allowed,
        "model": lambda s: bool(reader(s)),
        "both": lambda s: not check_sentence(s, context, reader).allowed,
    }
    report: dict[str, Any] = {
        "dataset": "guard", "model": "patterns+model", "split": "test", "causal": True,
        "n": len(drafts),
    }  # fmt: skip
    parts = {name: _score(drafts, refuses) for name, refuses in ways.items()}
    report |= parts["both"] | {name: parts[name] for name in ("patterns", "model")}
    report["supporters"] = {
        split: _refused(sentences, context, reader) for split, sentences in said.items()
    }
    return report


def a_context(recognizer: EmotionRecognizer) -> ReplyContext:
    """Return the turn that sentences are checked for: of somebody without a country."""
    turn = StatelessTurns(recognizer).take([("user", "I feel awful today.")])
    assert turn is not None
    return turn.context


def supporters(data: Path, split: str) -> list[tuple[str, bool]]:
    """Return every sentence of ESConv's supporters, and whether its turn tells of themselves."""
    own = list(Strategy).index(Strategy.SELF_DISCLOSURE)
    return [
        (sentence, strategy == own)
        for talk in read_esconv(data, split)
        for text, seeker, strategy in zip(talk.texts, talk.seeker, talk.strategies, strict=True)
        if not seeker
        for sentence in sentences_of(text)
    ]


def _refused(
    sentences: Sequence[tuple[str, bool]], context: ReplyContext, reader: DraftReader
) -> dict[str, Any]:
    """Count what is refused of supporters' sentences.

    ``refused``: of all. ``claims_refused`` and ``other_refused``: of all, as a claim to a life or
    to feelings (by rule or model), and for any other reason. ``harmless_refused``: of those in
    turns that do not tell of the supporter, without claims to a life or to feelings that the rules
    find, which are no program's to make. ``grave_refused``: of all, by what could do a person harm.
    """
    verdicts = [(check_sentence(s, context, reader), own, s) for s, own in sentences]
    n = len(verdicts)
    reasons = Counter(v.reason for v, _, _ in verdicts if not v.allowed)
    harmless = sum(
        not v.allowed and not own and check_sentence(s, context).reason not in OWN
        for v, own, s in verdicts
    )
    return {
        "refused": wilson(sum(reasons.values()), n),
        "claims_refused": wilson(sum(reasons[r] for r in OWN), n),
        "other_refused": wilson(sum(k for r, k in reasons.items() if r not in OWN), n),
        "harmless_refused": wilson(harmless, sum(not own for _, own, _ in verdicts)),
        "grave_refused": wilson(sum(v.grave and v.reason in GRAVE for v, _, _ in verdicts), n),
        "reasons": {reason: wilson(k, n) for reason, k in reasons.most_common()},
    }


def _score(drafts: list[Draft], refuses: Callable[[str], bool]) -> dict[str, Any]:
    hits: Counter[tuple[str | None, bool]] = Counter((d.reason, refuses(d.text)) for d in drafts)
    bad = sum(hits[r, True] for r in REASONS), sum(hits[r, False] for r in REASONS)
    intervals = {
        "recall": wilson(bad[0], sum(bad)),
        "false_refusal_rate": wilson(hits[None, True], hits[None, True] + hits[None, False]),
    }
    return {
        **{name: found["value"] for name, found in intervals.items()},
        "intervals": intervals,
        "reasons": {
            r: wilson(hits[r, True], hits[r, True] + hits[r, False])
            for r in REASONS
            if hits[r, True] + hits[r, False]
        },
    }
