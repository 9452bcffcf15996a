"""Recipe ``safety``: tune the sentence network to notice danger in an utterance and its dialogue.

Labelled lines and dialogues (``lab/data/risk``) beside everyday conversation of public corpora,
drawn anew each epoch. Dev lines, whole neighbourhoods of the file so that a contrast is never torn
apart, choose the epoch and the limits.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's usual alias)
from numpy.typing import NDArray
from torch import Tensor

from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.risk_lines import CORPORA, Entry, Moment, moments, talks
from empathic_sdk.models.risk import RiskNetwork
from empathic_sdk.safety.decision import judge
from empathic_sdk.safety.detector import MARKS, RiskFindings
from empathic_sdk.safety.risk_model import (
    HEADS,
    Before,
    Row,
    batch,
    reading,
    rows,
)
from empathic_sdk.types import SafetyLevel

Floats = NDArray[np.float32]
LEVELS = list(SafetyLevel)
NO_MARKS = (0.0,) * MARKS


@dataclass(frozen=True)
class SafetyRecipe:
    """The numbers of a run.

    Attributes:
        seed: Of everything that is drawn. The dev lines do not depend on it.
        epochs: Passes over the labelled lines; the best on dev is kept.
        batch_size: Utterances a step.
        rate: Peak step size of the network; it warms up and falls linearly to zero.
        head_rate: Peak of the head's.
        decay: Weight decay.
        warmup: Share of the steps.
        average: Decay of the moving average of the weights that is scored and kept.
        smoothing: Of the labels.
        background: Utterances of everyday conversation an epoch.
        context: Share of single lines that are given somebody else's everyday conversation before
            them.
        joined: Share of single lines that are put beside a harmless sentence.
        signless: Share of lines whose marks are hidden, so that the words are read as well.
        background_alarms: Share of everyday conversation of dev that may be alarmed.
        bfloat16: Multiply matrices in bfloat16.
    """

    seed: int = 1
    epochs: int = 6
    batch_size: int = 32
    rate: float = 6e-5
    head_rate: float = 6e-4
    decay: float = 0.01
    warmup: float = 0.1
    average: float = 0.998
    smoothing: float = 0.02
    background: int = 1500
    context: float = 0.3
    joined: float = 0.15
    signless: float = 0.3
    background_alarms: float = 0.006
    bfloat16: bool = True

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.epochs, self.batch_size) < 1 or min(self.seed, self.background) < 0:
            raise ConfigurationError("epochs and batch_size must be at least 1, the others 0")

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


class Item(NamedTuple):
    """A labelled moment: level 0 to 3, whether it is of somebody else or of the past, marks."""

    moment: Moment
    level: int
    other: bool = False
    past: bool = False
    marks: tuple[float, ...] = ()


def is_dev(entry: Entry) -> bool:
    """Say whether an entry chooses instead of teaching: one neighbourhood of twelve in seven."""
    writer, _, number = entry.id.partition("-")
    return zlib.crc32(f"{writer} {int(number) // 12}".encode()) % 7 == 0


def item(entry: Entry) -> Item:
    """Return an entry as the network learns it."""
    return Item(
        entry.moment,
        LEVELS.index(entry.level),
        entry.category == "friend",
        entry.category == "past",
        RiskFindings.of(entry.moment.text).marks(),
    )


def everyday(data: Path, split: str, most: int, seed: int) -> list[Item]:
    """Take up to ``most`` utterances of each corpus as harmless.

    Nobody labelled them: those in which the patterns find anything are left out. Which they are
    follows from corpus, split and seed alone, so a run can be repeated.
    """
    found = []
    for corpus in CORPORA:
        part = "validation" if (corpus, split) == ("dailydialog", "dev") else split
        pool = [m for talk in talks(data, corpus, part) for m in moments(talk)]
        random.Random(f"{seed} {corpus}").shuffle(pool)
        calm = (m for m in pool if not RiskFindings.of(m.text).alone.reasons)
        found += [Item(m, 0, marks=NO_MARKS) for m in islice(calm, most)]
    return found


def own_everyday(entries: Sequence[Entry]) -> list[Item]:
    """Return the everyday lines among labelled ones, in place of :func:`everyday`."""
    return [Item(e.moment, 0, marks=NO_MARKS) for e in entries if e.category == "everyday"]


class SafetyTrainer:
    """One run.

    Args:
        recipe: Its numbers.
        network: Freshly made; word vectors are left as they are.
        tokenizer: Its word pieces.
        train: Labelled entries to learn from.
        dev: Labelled entries that choose.
        background: Everyday talk of training parts.
        background_dev: Everyday talk of dev parts.
        note: Called with a line of text after each epoch.
    """

    def __init__(
        self,
        recipe: SafetyRecipe,
        network: RiskNetwork,
        tokenizer: TextTokenizer,
        *,
        train: Sequence[Entry],
        dev: Sequence[Entry],
        background: Sequence[Item],
        background_dev: Sequence[Item],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        if not train or not dev:
            raise ConfigurationError("there must be labelled lines to learn from and to choose by")
        self.recipe, self.network, self.tokenizer, self.note = recipe, network, tokenizer, note
        self.train = [item(e) for e in train]
        self.dev, self.dev_items = list(dev), [item(e) for e in dev]
        self.background, self.background_dev = list(background), list(background_dev)
        network.body.word.weight.requires_grad_(False)
        head = [p for n, p in network.named_parameters() if not n.startswith("body")]
        body = [p for n, p in network.body.named_parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}],
            weight_decay=recipe.decay,
        )
        self.peaks = [g["lr"] for g in self.optimizer.param_groups]
        self.average = {
            n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad
        }

    def run(self) -> dict[str, Any]:
        """Train; afterwards the network holds the weights of the best epoch."""
        r = self.recipe
        torch.manual_seed(r.seed)
        share = min(r.background, len(self.background))
        self.total = r.epochs * -(-(len(self.train) + share) // r.batch_size)
        self.step, began = 0, time.perf_counter()
        history: list[dict[str, float]] = []
        best: dict[str, Tensor] = {}
        for epoch in range(r.epochs):
            loss = self._epoch(random.Random(f"{r.seed} {epoch}"), share)
            live = self._swap(self.average)
            scored = {"epoch": epoch + 1, "loss": loss, **self._score()}
            if not history or scored["objective"] > max(h["objective"] for h in history):
                best = {n: t.clone() for n, t in self.average.items()}
            self._swap(live)
            history.append(scored)
            self.note("  ".join(f"{k} {v:.4f}" for k, v in scored.items()))
        self._swap(best)
        self.network.eval()
        return {
            "history": history,
            "chosen_epoch": max(history, key=lambda h: h["objective"])["epoch"],
            "seconds": round(time.perf_counter() - began, 1),
        }

    def logits(self, items: Sequence[Item]) -> Floats:
        """Return float32 ``[n, 5]``: of the window that worries most where a text has several."""
        made = [rows(self.tokenizer, i.moment.text, i.moment.before) for i in items]
        flat = [(n, row) for n, windows in enumerate(made) for row in windows]
        order = sorted(range(len(flat)), key=lambda k: len(flat[k][1].ids))
        out = np.full((len(items), len(HEADS)), -np.inf, np.float32)
        self.network.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                part = [flat[k] for k in order[start : start + 64]]
                found = self._forward([row for _, row in part], [items[n] for n, _ in part])
                for (n, _), values in zip(part, found.numpy(), strict=True):
                    if values[0] > out[n, 0]:
                        out[n] = values
        return out

    def _epoch(self, rng: random.Random, share: int) -> float:
        r = self.recipe
        calm = [i for i in self.train if not i.level and not i.moment.before]
        lines = [self._changed(i, calm, rng) for i in self.train]
        lines += rng.sample(self.background, share)
        rng.shuffle(lines)
        # Alike lengths together, in an order that is drawn: padding costs as much as words do.
        chunks = [lines[k : k + 16 * r.batch_size] for k in range(0, len(lines), 16 * r.batch_size)]
        batches: list[list[tuple[Item, Row]]] = []
        for chunk in chunks:
            made = [(i, rows(self.tokenizer, i.moment.text, i.moment.before)[0]) for i in chunk]
            made.sort(key=lambda pair: len(pair[1].ids))
            cut = [made[k : k + r.batch_size] for k in range(0, len(made), r.batch_size)]
            rng.shuffle(cut)
            batches += cut
        self.network.train()
        losses = [self._one_step(b) for b in batches]
        return float(np.mean(losses))

    def _changed(self, line: Item, calm: Sequence[Item], rng: random.Random) -> Item:
        """Put a line into other surroundings that do not change what it means."""
        r, moment = self.recipe, line.moment
        if not moment.before and self.background and rng.random() < r.context:
            other = rng.choice(self.background).moment
            moment = Moment(moment.text, (*other.before, Before(False, other.text))[-4:])
        if not line.moment.before and calm and rng.random() < r.joined:
            beside = rng.choice(calm).moment.text
            pair = [moment.text, beside] if rng.random() < 0.5 else [beside, moment.text]
            moment = Moment(
                " ".join(t if t[-1:] in ".!?" else t + "." for t in pair), moment.before
            )
        marks = NO_MARKS if rng.random() < r.signless else line.marks
        return line._replace(moment=moment, marks=marks)

    def _forward(self, made: Sequence[Row], items: Sequence[Item]) -> Tensor:
        ids, mask, roles = (torch.from_numpy(a) for a in batch(made))
        marks = torch.tensor([i.marks or NO_MARKS for i in items])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            found: Tensor = self.network(ids, mask, roles, marks).float()
        return found

    def _one_step(self, pairs: Sequence[tuple[Item, Row]]) -> float:
        r = self.recipe
        items = [i for i, _ in pairs]
        logits = self._forward([row for _, row in pairs], items)
        level = torch.tensor([i.level for i in items])
        truth = torch.stack(
            [level >= 1, level >= 2, level >= 3, *(torch.tensor(x) for x in zip(
                *((i.other, i.past) for i in items), strict=True))], 1).float()  # fmt: skip
        truth = truth * (1 - 2 * r.smoothing) + r.smoothing
        # Of whom it is, and when, is asked of lines with a risk alone.
        asked = torch.ones_like(truth)
        asked[:, 3:] = (level >= 1).float()[:, None]
        weight = asked * torch.tensor([1.0, 0.5, 0.5, 0.3, 0.3])
        each = F.binary_cross_entropy_with_logits(logits, truth, weight, reduction="none")
        loss = each.sum() / len(items)
        warm = max(1.0, r.warmup * self.total)
        scale = min((self.step + 1) / warm, (self.total - self.step) / max(1.0, self.total - warm))
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * scale
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        decay = min(r.average, (1 + self.step) / (10 + self.step))
        for name, p in self.network.named_parameters():
            if name in self.average:
                self.average[name].lerp_(p.detach(), 1 - decay)
        self.step += 1
        return float(loss.detach())

    def _score(self) -> dict[str, float]:
        found = self.logits(self.dev_items)[:, 0]
        risk = np.array([e.risk for e in self.dev])
        shares = (0.02, 0.04, 0.06, 0.08)
        recalls = [float((found[risk] > np.quantile(found[~risk], 1 - s)).mean()) for s in shares]
        order = found.argsort().argsort()
        above = (order[risk].sum() - risk.sum() * (risk.sum() - 1) / 2) / (
            risk.sum() * (~risk).sum()
        )
        return {
            "auc": float(above),
            "recall_at_4_percent": recalls[1],
            "objective": float(np.mean(recalls)),
        }

    def _swap(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Put ``weights`` in and return those that were there."""
        out = {}
        with torch.no_grad():
            for name, p in self.network.named_parameters():
                if name in weights:
                    out[name] = p.detach().clone()
                    p.copy_(weights[name])
        return out


def choose(trainer: SafetyTrainer) -> dict[str, float]:
    """Return the limits that dev asks for, as logits by head.

    ``concern``: where the lesser of what recall has above 0.95 and what false alarms have below
    0.05 is greatest, of those limits that alarm no more everyday conversation than the recipe
    allows. The others: where F1 over the lines with a risk is best.
    """
    found = trainer.logits(trainer.dev_items)
    levels = np.array([i.level for i in trainer.dev_items])
    truths = {
        "high": levels >= 2, "imminent": levels >= 3,
        "other": np.array([i.other for i in trainer.dev_items]),
        "past": np.array([i.past for i in trainer.dev_items]),
    }  # fmt: skip
    risk = levels > 0
    limits = {"concern": 0.0}
    for head, truth in truths.items():
        limits[head] = _best_f1(found[risk, HEADS.index(head)], truth[risk])
    calm = trainer.logits(trainer.background_dev)
    findings = [RiskFindings.of(i.moment.text) for i in trainer.dev_items]
    best = (-np.inf, 0.0)
    floor = (
        float(np.quantile(calm[:, 0], 1 - trainer.recipe.background_alarms)) if len(calm) else -9.0
    )
    for limit in np.unique(np.round(found[:, 0], 2)):
        if limit < floor:
            continue
        tried = {**limits, "concern": float(limit)}
        alarms = np.array([
            judge(s, reading=reading(x, tried)).level != SafetyLevel.NONE
            for s, x in zip(findings, found, strict=True)
        ])  # fmt: skip
        slack = min(alarms[risk].mean() - 0.95, 0.05 - alarms[~risk].mean())
        best = max(best, (float(slack), float(limit)))
    return {**limits, "concern": best[1] if best[0] > -np.inf else floor}


def _best_f1(scores: Floats, truth: NDArray[np.bool_]) -> float:
    order = np.sort(np.unique(scores))
    middles = (order[1:] + order[:-1]) / 2 if len(order) > 1 else order
    if not truth.any() or not len(middles):
        return 0.0

    def f1(limit: float) -> float:
        said = scores > limit
        return float(2 * (said & truth).sum() / (said.sum() + truth.sum()))

    return float(max(middles, key=f1))
