"""The loop of every recipe: steps, dev's choice, averaged weights; survives being cut off.

A recipe says what an epoch's batches are, what the loss of one is, how fast to learn at a step and
what dev says; the rest is the same for all.
"""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError

log = logging.getLogger("empathic_sdk")

Figures = Mapping[str, float]
BEST, LAST = "best.safetensors", "last.safetensors"


class Trainer:
    """One run: ``epochs`` times ``per_epoch`` steps, of which dev keeps the best.

    Args:
        module: What learns; in training mode at each step.
        optimizer: Over its parameters, each group with its own peak rate.
        batches: Of an epoch (from 0); called when it begins, in order. Everything that is drawn may
            be drawn there; to be continued after being cut off inside an epoch, a run must give the
            same batches again.
        loss: Of one batch; has a gradient.
        score: What dev says; called with the weights that would be kept in place, after each mark.
            Its ``objective`` chooses.
        per_epoch: Steps of an epoch.
        epochs: How many.
        rate: Factor of the peak rates at a step (from 0).
        clip: Greatest norm of all gradients; ``None``: any.
        average: Decay of the moving average of the weights, which is what dev scores and what is
            kept; it starts with a short memory. ``None``: the weights as they are.
        averaged: The tensors of the module that the average (or what is kept) holds; default: all
            trainable parameters.
        beside: Further tensors that belong to what is kept, as they are when dev is asked.
        marks: Steps after which dev is asked; default: the end of each epoch.
        counter: What the history counts: ``epoch`` or ``step``.
        objective: The figure that chooses, the higher the better.
        told_loss: Whether the history holds the mean loss since the epoch began.
        later: Whether the later one of two equal marks is kept.
        from_start: Ask dev before the first step, too: weights that never learnt compete.
        patience: Marks without a better one after which the run ends; ``None``: never.
        folder: Where checkpoints go; a run found there under the same ``numbers`` is continued.
        numbers: What a run must share to be continued, as JSON.
        checkpoint_every: Steps between two checkpoints besides those at marks.
        tells: What :meth:`run` returns beside the history: some of ``finished steps epochs
            chosen seconds parameters``.
        name: Of the bar that is shown.
    """

    def __init__(
        self,
        *,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        batches: Callable[[int], Iterable[Any]],
        loss: Callable[[Any], Tensor],
        score: Callable[[], Figures],
        per_epoch: int,
        epochs: int = 1,
        rate: Callable[[int], float] = lambda step: 1.0,
        clip: float | None = None,
        average: float | None = None,
        averaged: Mapping[str, Tensor] | None = None,
        beside: Mapping[str, Tensor] | None = None,
        marks: Collection[int] | None = None,
        counter: Literal["epoch", "step"] = "epoch",
        objective: str = "objective",
        told_loss: bool = False,
        later: bool = False,
        from_start: bool = False,
        patience: int | None = None,
        folder: Path | None = None,
        numbers: Mapping[str, Any] | None = None,
        checkpoint_every: int | None = None,
        tells: Sequence[str] = ("finished", "steps", "seconds", "chosen"),
        name: str = "",
    ) -> None:
        if per_epoch < 1 or epochs < 1:
            raise ConfigurationError(
                "there is nothing to learn from: a run needs at least one step"
            )
        self.module, self.optimizer = module, optimizer
        self._batches, self._loss_of, self._dev = batches, loss, score
        self.per_epoch, self.total = per_epoch, per_epoch * epochs
        self.rate, self.clip, self.decay, self.beside = rate, clip, average, beside or {}
        self.trainable = {n: p for n, p in module.named_parameters() if p.requires_grad}
        self.live = dict(self.trainable if averaged is None else averaged)
        self.marks = marks or range(per_epoch, self.total + 1, per_epoch)
        self.counter, self.objective, self.later = counter, objective, later
        self.told_loss, self.losses = told_loss, list[float]()
        self.from_start, self.patience = from_start, patience
        self.folder, self.checkpoint_every = folder, checkpoint_every
        self.tells, self.name = tells, name
        self.numbers = json.loads(json.dumps(numbers or {}))
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        self.average = (
            self.live if average is None else {n: t.detach().clone() for n, t in self.live.items()}
        )
        self.step, self.seconds, self._began = 0, 0.0, 0.0
        self.history: list[dict[str, float]] = []
        self.kept: dict[str, Tensor] = {}

    def run(self, *, stop_after: int | None = None) -> dict[str, Any]:
        """Train to the end, or for ``stop_after`` steps (epochs, where those are counted).

        Returns:
            How it went, for the record. The module then holds the weights that scored best, in
            evaluation mode, unless ``finished`` is false.
        """
        self._resume()
        self._began = time.perf_counter() - self.seconds
        if self.from_start and not self.history:
            self._mark()
        unit = self.per_epoch if self.counter == "epoch" else 1
        end = self.total if stop_after is None else min(self.total, self.step + stop_after * unit)
        over = self._patience_is_out()
        with self._shown() as tell:
            while self.step < end and not over:
                over = self._part_of_epoch(end, tell)
        if self.step < self.total and not over:
            return {f"{self.counter}s": self._count(), "finished": False}
        if self.folder is not None:
            self.kept = load_file(self.folder / BEST)
        put({**self.live, **self.beside}, self.kept)
        self.module.eval()
        said = {
            "finished": True,
            "steps": self.step,
            "epochs": self._count(),
            "seconds": round(self.seconds, 1),
            "chosen": int(self.history[self._choice()][self.counter]),
            "parameters": sum(p.numel() for p in self.module.parameters()),
        }
        named = {f"chosen_{self.counter}" if k == "chosen" else k: said[k] for k in self.tells}
        return {**named, "history": self.history}

    def _part_of_epoch(self, end: int, tell: Callable[[float], None]) -> bool:
        """Take the steps that are left of this epoch; return whether dev's patience is out."""
        epoch, done = divmod(self.step, self.per_epoch)
        before, running = self.step, 0.0
        self.losses = []
        for batch in islice(self._batches(epoch), done, None):
            loss = self._one_step(batch)
            self.losses.append(loss)
            running = loss if running == 0.0 else 0.98 * running + 0.02 * loss
            tell(running)
            if self.step in self.marks:
                self._mark()
            if self.step in self.marks or (
                self.checkpoint_every and not self.step % self.checkpoint_every
            ):
                self._checkpoint()
            if self.step >= end or self._patience_is_out():
                return self._patience_is_out()
        if self.step == before:
            raise ConfigurationError(f"epoch {epoch + 1} has fewer than {self.per_epoch} batches")
        return False

    def _count(self) -> int:
        return self.step if self.counter == "step" else self.step // self.per_epoch

    def _one_step(self, batch: Any) -> float:
        factor = self.rate(self.step)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        self.module.train()
        loss = self._loss_of(batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        self.optimizer.step()
        self.step += 1
        if self.decay is not None:
            # The average starts short, so that the first steps do not weigh on it for long.
            decay = min(self.decay, self.step / (self.step + 9))
            with torch.no_grad():
                for name, slow in self.average.items():
                    slow.lerp_(self.live[name], 1 - decay)
        return float(loss.detach())

    def _mark(self) -> None:
        """Ask dev, and keep the weights if they are the best so far."""
        with swapped(self.live, self.average):
            self.module.eval()
            found: dict[str, float] = {self.counter: self._count()}
            if self.told_loss:
                found["loss"] = sum(self.losses) / len(self.losses)
            self.history.append(found | dict(self._dev()))
            if self._choice() == len(self.history) - 1:
                kept = {**self.live, **self.beside}
                if self.folder is None:
                    self.kept = {n: t.detach().clone() for n, t in kept.items()}
                else:
                    save_state(kept, self.folder / BEST)
        log.info("  ".join(
            f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}"
            for k, v in self.history[-1].items()
        ))  # fmt: skip

    def _choice(self) -> int:
        """Return the place of the best mark, the first one of equals unless ``later``."""
        sign = 1 if self.later else -1
        return max(
            range(len(self.history)), key=lambda i: (self.history[i][self.objective], sign * i)
        )

    def _patience_is_out(self) -> bool:
        return (
            self.patience is not None
            and bool(self.history)
            and len(self.history) - 1 - self._choice() >= self.patience
        )

    @contextmanager
    def _shown(self) -> Iterator[Callable[[float], None]]:
        """Show a bar on a terminal, unless this is one of several processes."""
        console = Console(stderr=True)
        alone = multiprocessing.parent_process() is None and console.is_terminal
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        with Progress(*columns, console=console, refresh_per_second=1, disable=not alone) as bar:
            task = bar.add_task(self.name, total=self.total, completed=self.step, note="")
            yield lambda loss: bar.update(task, completed=self.step, note=f"loss {loss:.3f}")

    def _checkpoint(self) -> None:
        self.seconds = time.perf_counter() - self._began
        if self.folder is None:
            return
        tensors = {f"live.{n}": t for n, t in self.live.items()}
        if self.decay is not None:
            tensors |= {f"average.{n}": t for n, t in self.average.items()}
        for name, p in self.trainable.items():
            for key, value in self.optimizer.state[p].items():
                tensors[f"optimizer.{name}.{key}"] = value
        tensors["generator"] = torch.get_rng_state()
        about = {"step": self.step, "seconds": self.seconds, "history": self.history,
                 "recipe": self.numbers}  # fmt: skip
        save_state(tensors, self.folder / LAST, about)

    def _resume(self) -> None:
        if self.folder is None or not (self.folder / LAST).is_file():
            return
        with safe_open(str(self.folder / LAST), "pt") as f:
            about = json.loads(f.metadata()["about"])
        if about["recipe"] != self.numbers or "step" not in about:
            raise ConfigurationError(
                f"{self.folder} holds a run with other numbers; give another --out, or remove it"
            )
        tensors = load_file(self.folder / LAST)
        put(self.live, {n: tensors[f"live.{n}"] for n in self.live})
        if self.decay is not None:
            put(self.average, {n: tensors[f"average.{n}"] for n in self.average})
        for name, p in self.trainable.items():
            prefix = f"optimizer.{name}."
            self.optimizer.state[p] = {
                # In the layout of the parameter, channels last or not.
                k.removeprefix(prefix): torch.empty_like(p).copy_(v) if v.shape == p.shape else v
                for k, v in tensors.items()
                if k.startswith(prefix)
            }
        torch.set_rng_state(tensors["generator"])
        self.step, self.seconds, self.history = about["step"], about["seconds"], about["history"]
        log.info("continuing at step %d", self.step)


def put(live: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Write values into live tensors of the same names, where there are any."""
    with torch.no_grad():
        for name, tensor in live.items():
            if name in values:
                tensor.copy_(values[name])


@contextmanager
def swapped(live: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> Iterator[None]:
    """Let live tensors have other values for a while."""
    if values is live:
        yield
        return
    kept = {n: t.detach().clone() for n, t in live.items()}
    put(live, values)
    try:
        yield
    finally:
        put(live, kept)


def save_state(
    tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, Any] | None = None
) -> None:
    """Write ``tensors`` as they are, with a JSON-able ``about``, in one atomic step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(
        {k: v.detach().contiguous() for k, v in tensors.items()}, part,
        {"about": json.dumps(about or {})},
    )  # fmt: skip
    part.replace(path)


def adamw(
    groups: Mapping[float, Iterable[nn.Parameter]] | Iterable[nn.Parameter],
    *,
    weight_decay: float,
    rate: float = 0.0,
    fused: bool | None = None,
) -> torch.optim.AdamW:
    """Return AdamW over parameters at one peak ``rate``, or over groups by their peak rate."""
    if not isinstance(groups, Mapping):
        groups = {rate: groups}
    return torch.optim.AdamW(
        [{"params": list(some), "lr": peak} for peak, some in groups.items()],
        weight_decay=weight_decay, fused=fused,
    )  # fmt: skip


def cosine(step: int, steps: int, *, warm: int, end: float = 0.0, after: bool = False) -> float:
    """Return the factor of the rate at ``step`` of ``steps``: a linear warm-up, then a cosine.

    Args:
        step: From 0.
        steps: Of the whole run.
        warm: Steps of the warm-up.
        end: Where the cosine ends.
        after: Whether it begins after the warm-up, not with it.
    """
    if after:
        if step < warm:
            return (step + 1) / warm
        step, steps, warm = step - warm, max(1, steps - warm), 1
    rising = min(1.0, (step + 1) / max(1, warm))
    return rising * ((1 + end) / 2 + (1 - end) / 2 * math.cos(math.pi * step / steps))


def linear(step: int, steps: int, *, warm: int) -> float:
    """Return the factor of the rate: a linear warm-up, then linearly to zero at the end."""
    return min((step + 1) / max(1, warm), (steps - step) / max(1, steps - warm))
