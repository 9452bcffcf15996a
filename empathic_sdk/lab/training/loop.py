"""The loop: runs a plan of batches, scores on dev, keeps the best, survives being cut off."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from torch import Tensor

from empathic_sdk.encoders.tokens import TextTokenizer, pad, truncate
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.text import TextItems
from empathic_sdk.lab.recipes.text import TextModel, TextRecipe, batch_loss, plan, prepare, targets
from empathic_sdk.models.utterance import UtteranceLogits

log = logging.getLogger("empathic_sdk")

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Read = Callable[[Sequence[str], str | None], Arrays]
Score = Callable[[Read], dict[str, float]]


class TextTrainer:
    """One run of the recipe ``text``.

    Args:
        recipe: Its numbers.
        model: Encoder and heads, freshly made.
        tokenizer: Of the encoder.
        data: Training items by corpus.
        score: Scores a reader on dev data; the higher its ``"objective"``, the better.
        folder: Where checkpoints go; a run found there under the same recipe is continued.
        checkpoint_every: Steps between two checkpoints.
    """

    def __init__(
        self,
        *,
        recipe: TextRecipe,
        model: TextModel,
        tokenizer: TextTokenizer,
        data: Mapping[str, TextItems],
        score: Score,
        folder: Path,
        checkpoint_every: int = 200,
    ) -> None:
        self.recipe, self.model, self.tokenizer, self.score = recipe, model, tokenizer, score
        self.folder, self.checkpoint_every = folder, checkpoint_every
        self.data = {c: prepare(recipe, data[c]) for c in recipe.epochs}
        self.ids = {
            c: [truncate(row, recipe.max_tokens) for row in tokenizer(items.texts)]
            for c, items in self.data.items()
        }
        lengths = {c: np.array([len(r) for r in rows]) for c, rows in self.ids.items()}
        self.batches = plan(recipe, self.data, lengths)
        self.trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
        groups: dict[float, list[torch.nn.Parameter]] = {}
        for name, p in self.trainable.items():
            groups.setdefault(self._peak(name), []).append(p)
        self.optimizer = torch.optim.AdamW(
            [{"params": ps, "lr": lr} for lr, ps in groups.items()],
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.peaks = [g["lr"] for g in self.optimizer.param_groups]
        self.average = {n: p.detach().clone() for n, p in self.trainable.items()}
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    def run(self, *, stop_after: int | None = None) -> dict[str, Any]:
        """Train to the end (or for ``stop_after`` steps) and return what was measured on dev.

        Afterwards the model holds the weights that scored best.
        """
        torch.manual_seed(self.recipe.seed)
        self._resume()
        total = len(self.batches)
        marks = {
            round(total * (k + 1) / self.recipe.evaluations) for k in range(self.recipe.evaluations)
        }
        end = total if stop_after is None else min(total, self.step + stop_after)
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        console = Console(stderr=True)
        running = 0.0
        with Progress(*columns, console=console, refresh_per_second=1) as progress:
            task = progress.add_task(
                f"seed {self.recipe.seed}", total=total, completed=self.step, note=""
            )
            while self.step < end:
                began = time.perf_counter()
                loss = self._one_step()
                self.seconds += time.perf_counter() - began
                running = loss if running == 0.0 else 0.98 * running + 0.02 * loss
                progress.update(task, completed=self.step, note=f"loss {running:.3f}")
                if self.step in marks:
                    scored = self._evaluate()
                    progress.console.print(
                        f"step {self.step}/{total}  "
                        + "  ".join(f"{k} {v:.4f}" for k, v in scored.items() if k != "step")
                    )
                if self.step in marks or self.step % self.checkpoint_every == 0:
                    self._checkpoint()
        if self.step < total:
            return {"steps": self.step, "finished": False}
        best = max(self.history, key=lambda h: h["objective"])
        self._load_weights(load_file(self.folder / "best.safetensors"))
        self.model.eval()
        return {
            "finished": True,
            "steps": total,
            "seconds": round(self.seconds, 1),
            "chosen_step": int(best["step"]),
            "history": self.history,
        }

    def read(self, texts: Sequence[str], corpus: str | None) -> Arrays:
        """Return the three heads' logits of ``texts`` under the weights as they are now."""
        rows = [truncate(r, self.recipe.max_tokens) for r in self.tokenizer(texts)]
        order = np.argsort([len(r) for r in rows], kind="stable")
        parts: list[UtteranceLogits] = []
        self.model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 128):
                ids, mask = pad([rows[i] for i in order[start : start + 128]])
                with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
                    parts.append(self.model(ids, mask, corpus or "")[0])
        back = np.argsort(order)
        emotion, present, affect = (
            torch.cat([p[k].float() for p in parts]).numpy()[back] for k in range(3)
        )
        return emotion, present, affect

    def _peak(self, name: str) -> float:
        """Return the highest learning rate of a parameter."""
        body = name.startswith("encoder.")
        return self.recipe.learning_rate if body else self.recipe.head_learning_rate

    def _loss(self, corpus: str, index: np.ndarray) -> Tensor:
        """Return the loss of one batch."""
        ids, mask = pad([self.ids[corpus][i] for i in index])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits, fine = self.model(ids, mask, corpus)
        loss = batch_loss(logits, fine, targets(self.data[corpus], index))
        return loss + self.recipe.offset_penalty * self.model.heads.offset.square().sum()

    def _measure(self) -> dict[str, float]:
        """Return what dev says of the weights as they are."""
        return dict(self.score(self.read))

    def _one_step(self) -> float:
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self._rate()
        self.model.train()
        loss = self._loss(*self.batches[self.step])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        # The average starts short, so that the first steps do not weigh on it for long.
        decay = min(self.recipe.average, self.step / (self.step + 9))
        with torch.no_grad():
            for name, slow in self.average.items():
                slow.lerp_(self.trainable[name], 1 - decay)
        return float(loss.detach())

    def _rate(self) -> float:
        total = len(self.batches)
        warm = max(1, round(self.recipe.warmup * total))
        return min((self.step + 1) / warm, (total - self.step) / max(1, total - warm))

    def _evaluate(self) -> dict[str, float]:
        live = {n: p.detach().clone() for n, p in self.trainable.items()}
        self._load_weights(self.average)
        scored = {"step": float(self.step), **self._measure()}
        if not self.history or scored["objective"] > max(h["objective"] for h in self.history):
            save_state(self.average, self.folder / "best.safetensors")
        self._load_weights(live)
        self.history.append(scored)
        return scored

    def _load_weights(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, p in self.trainable.items():
                p.copy_(weights[name])

    def _checkpoint(self) -> None:
        tensors = {f"live.{n}": p.detach() for n, p in self.trainable.items()}
        tensors |= {f"average.{n}": p for n, p in self.average.items()}
        for n, p in self.trainable.items():
            for key, value in self.optimizer.state[p].items():
                tensors[f"optimizer.{n}.{key}"] = value
        tensors["generator"] = torch.get_rng_state()
        about = {"step": self.step, "seconds": self.seconds, "history": self.history,
                 "recipe": self._numbers()}  # fmt: skip
        save_state(tensors, self.folder / "last.safetensors", about)

    def _numbers(self) -> dict[str, object]:
        """Return the numbers that a run must share to be continued."""
        return self.recipe.as_dict()

    def _resume(self) -> None:
        path = self.folder / "last.safetensors"
        if not path.is_file():
            return
        from safetensors import safe_open

        with safe_open(str(path), "pt") as f:
            about = json.loads(f.metadata()["about"])
        if about["recipe"] != json.loads(json.dumps(self._numbers())):
            raise ConfigurationError(
                f"{self.folder} holds a run with other numbers; give another --out, or remove it"
            )
        tensors = load_file(path)
        self._load_weights({n: tensors[f"live.{n}"] for n in self.trainable})
        self.average = {n: tensors[f"average.{n}"] for n in self.trainable}
        for n, p in self.trainable.items():
            prefix = f"optimizer.{n}."
            self.optimizer.state[p] = {
                k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
            }
        torch.set_rng_state(tensors["generator"])
        self.step, self.seconds, self.history = about["step"], about["seconds"], about["history"]
        log.info("continuing at step %d", self.step)


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
