"""The guard of language models' drafts: fitting its second opinion, and what it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.lab.corpora.risk_lines import shipped_lines
from empathic_sdk.lab.evaluation.safety import wilson
from empathic_sdk.lab.recipes.guard import Draft, GuardRecipe, fit_guard, read_drafts
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.safety.draft_model import REASONS, DraftReader, draft_features
from empathic_sdk.safety.output_guard import check_sentence
from empathic_sdk.safety.risk_model import RiskReader
from empathic_sdk.turn.stateless import StatelessTurns


def train_guard(
    recipe: GuardRecipe,
    *,
    out: Path,
    lines: Path | None = None,
    text_path: Path | None = None,
    risk_path: Path | None = None,
) -> dict[str, Any]:
    """Fit the second opinion on labelled sentences; write ``guard.safetensors``.

    Args:
        recipe: The numbers.
        out: Folder for the checkpoint.
        lines: The sentences; by default those of the package.
        text_path: The text checkpoint that it reads with; by default the one that ships.
        risk_path: The risk model that it reads with; by default the one that ships.
    """
    lines = lines or shipped_lines("drafts-train")
    drafts = read_drafts(lines)
    text = TextEncoder(text_path)
    risk = RiskReader(risk_path, text)
    found = fit_guard(
        recipe, draft_features(risk, text, [d.text for d in drafts]), [d.reason for d in drafts]
    )
    about = {
        "recipe": asdict(recipe),
        "lines": {"sha256": checkpoints.sha256(lines), "n": len(drafts)},
        "risk_sha256": checkpoints.sha256(risk.path),
        "limit": found.limit,
        "chosen": dict(found.chosen),
    }
    path = out / "guard.safetensors"
    tensors = {"weight": torch.from_numpy(found.weight), "bias": torch.from_numpy(found.bias)}
    checkpoints.save(path, tensors, about)
    return about | {"out_of_fold": dict(found.chosen)}


def evaluate_guard(*, lines: Path | None = None, checkpoint: Path | None = None) -> dict[str, Any]:
    """Measure patterns and second opinion, apart and together, on labelled sentences."""
    drafts = read_drafts(lines or shipped_lines("drafts-heldout"))
    recognizer = EmotionRecognizer()
    reader = DraftReader(RiskReader(text=recognizer.text), recognizer.text, checkpoint)
    heard = StatelessTurns(recognizer).take([("user", "I feel awful today.")])
    assert heard is not None
    context = heard.context
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
    return report | parts["both"] | {name: parts[name] for name in ("patterns", "model")}


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
