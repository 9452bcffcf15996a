"""Trains a speech network from nothing on acted clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from empathic_sdk.lab.corpora.clips import CLASSES, Clips
from empathic_sdk.lab.recipes.speech_numbers import SpeechRecipe
from empathic_sdk.lab.training.sound_augmentation import (
    SPEEDS,
    add_noise,
    at_speed,
    blank,
    stretch,
    tilt,
    uniform,
)
from empathic_sdk.lab.training.trainer import Trainer, adamw, cosine
from empathic_sdk.models.acoustics import level
from empathic_sdk.models.speech import MfccLstm, PedSpeech, PedSpeechConfig, SpeechClassifier
from empathic_sdk.models.speech_features import Front, pad
from empathic_sdk.runtime.checkpoints import part

Score = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Voices:
    """Clips with the voice in them.

    Attributes:
        clips: Names, labels, speakers.
        samples: ``[n]`` of int16 ``[m]`` at 16 kHz.
    """

    clips: Clips
    samples: Sequence[np.ndarray]

    def of(self, speakers: Sequence[int]) -> Voices:
        """Return those of these speakers."""
        index = np.flatnonzero(np.isin(self.clips.speakers, list(speakers)))
        return Voices(self.clips.only(index), [self.samples[int(i)] for i in index])


class SpeechModel(nn.Module):
    """Network and heads, together with what stands before them."""

    def __init__(self, recipe: SpeechRecipe, corpora: Sequence[str]) -> None:
        super().__init__()
        self.front = Front(kind="log-mel", bands=recipe.bands)
        if recipe.model == "lstm":
            self.front = Front(kind="mfcc")
            self.network: PedSpeech | MfccLstm = MfccLstm()
        else:
            self.network = PedSpeech(
                PedSpeechConfig(recipe.bands, recipe.channels, recipe.hidden, recipe.dropout)
            )
        self.heads = SpeechClassifier(
            width=self.network.width,
            classes={c: len(CLASSES[c]) for c in corpora},
            dropout=recipe.dropout if recipe.model == "ped" else 0.0,
        )


def train_speech(
    recipe: SpeechRecipe,
    train: Mapping[str, Voices],
    dev: Voices,
    score: Score,
    *,
    begin: Mapping[str, Tensor] | None = None,
) -> tuple[SpeechModel, dict[str, Any]]:
    """Train on ``train`` and keep the weights (their moving average) that score best on ``dev``.

    Args:
        recipe: Its numbers.
        train: Voices by corpus.
        dev: Voices of the corpus that chooses.
        score: Dev logits ``[n, classes]`` to one figure; higher is better.
        begin: State of a :class:`SpeechModel` of the same sizes whose network (and the statistics
            of its input), but not its heads, this one starts from.

    Returns:
        The model in evaluation mode, and what was measured on the way.
    """
    torch.manual_seed(recipe.seed)
    draw = torch.Generator().manual_seed(recipe.seed)
    model = SpeechModel(recipe, tuple(train))
    versions = {c: [[at_speed(s, v) for v in SPEEDS] for s in t.samples] for c, t in train.items()}
    if begin is not None:
        model.front.load_state_dict(part(begin, "front"))
        model.network.load_state_dict(part(begin, "network"))
    elif model.front.kind == "log-mel":
        plain = [_samples(s) for t in train.values() for s in t.samples]
        model.front.fit([model.front.raw(level(x)) for x in plain])
    model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    items = [(c, i) for c, t in train.items() for i in range(len(t.clips))]
    per_epoch = math.ceil(len(items) / recipe.batch_size)
    steps = recipe.epochs * per_epoch

    def drawn(_: int) -> Iterator[list[tuple[str, int]]]:
        order = torch.randperm(len(items), generator=draw).tolist()
        for start in range(0, len(order), recipe.batch_size):
            yield [items[i] for i in order[start : start + recipe.batch_size]]

    ran = Trainer(
        module=model,
        optimizer=adamw(
            model.parameters(), rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        ),
        batches=drawn,
        loss=lambda batch: _loss(recipe, model, batch, train, versions, draw),
        score=lambda: {"objective": score(predict(model, dev))},
        told_loss=True,
        per_epoch=per_epoch,
        epochs=recipe.epochs,
        rate=lambda step: cosine(step, steps, warm=max(1, steps // 10), after=True),
        clip=2.0,
        average=recipe.average,
        averaged=dict(model.named_parameters()),
        beside=dict(model.named_buffers()),  # batch-norm's statistics are averages already
        marks={
            epoch * per_epoch
            for epoch in range(1, recipe.epochs + 1)
            if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs
        },
        tells=("steps", "seconds", "chosen"),
        name=f"seed {recipe.seed}",
    ).run()
    return model, ran


def predict(model: SpeechModel, voices: Voices, *, batch_size: int = 32) -> np.ndarray:
    """Return the logits ``[n, classes]`` of clips by the head of their corpus, in float32."""
    model.eval()
    order = np.argsort([len(s) for s in voices.samples], kind="stable")
    out: dict[int, np.ndarray] = {}
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            index = order[start : start + batch_size]
            rows = [model.front(_samples(voices.samples[i])) for i in index]
            vector = model.network(*pad(rows)).vector
            logits = model.heads(vector, voices.clips.corpus).numpy()
            out |= dict(zip(index.tolist(), logits, strict=True))
    return np.stack([out[i] for i in range(len(order))])


def _samples(stored: np.ndarray) -> Tensor:
    return torch.from_numpy(stored.astype(np.float32) / 32768.0)


def _loss(
    recipe: SpeechRecipe,
    model: SpeechModel,
    batch: Sequence[tuple[str, int]],
    train: Mapping[str, Voices],
    versions: Mapping[str, Sequence[Sequence[np.ndarray]]],
    draw: torch.Generator,
) -> Tensor:
    """Return the mean cross-entropy of a batch, each clip changed anew, pairs of clips mixed."""
    rows = [
        _changed(recipe, model.front, versions[c][i][_choice(len(SPEEDS), draw)], draw)
        for c, i in batch
    ]
    x, mask = pad(rows)
    share, partner = 1.0, list(range(len(batch)))
    if recipe.mixup > 0:
        a = np.random.default_rng(_choice(2**31, draw)).beta(recipe.mixup, recipe.mixup)
        share = float(max(a, 1 - a))
        partner = torch.randperm(len(batch), generator=draw).tolist()
        x, mask = share * x + (1 - share) * x[partner], mask | mask[partner]
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
        vector = model.network(x, mask).vector
        logits = {c: model.heads(vector, c).float() for c in train}
    loss = x.new_zeros(())
    for names, weight in ((range(len(batch)), share), (partner, 1 - share)):
        if weight == 0:
            continue
        for corpus in train:
            here = [k for k, other in enumerate(names) if batch[other][0] == corpus]
            if here:
                target = [int(train[corpus].clips.labels[batch[names[k]][1]]) for k in here]
                loss = loss + weight * F.cross_entropy(
                    logits[corpus][here],
                    torch.tensor(target),
                    label_smoothing=recipe.smoothing,
                    reduction="sum",
                )
    return loss / len(batch)


def _changed(
    recipe: SpeechRecipe, front: Front, stored: np.ndarray, draw: torch.Generator
) -> Tensor:
    """Return the features of one clip, ``[time, width]``, as this time's chance would have it."""
    x = level(_samples(stored))
    if uniform(0, 1, draw) < recipe.noise:
        x = level(add_noise(x, draw, snr_db=(5.0, 30.0)))
    features = front.raw(x)
    if front.kind == "log-mel":
        features = stretch(features, uniform(0.85, 1.15, draw), uniform(0.92, 1.08, draw))
        features = tilt(features, draw, most=0.7)
        features = blank(features, draw, times=24, bands=11)
    features = front.normalised(features)
    spare = len(features) - recipe.most_frames
    if spare > 0:
        start = _choice(spare + 1, draw)
        features = features[start : start + recipe.most_frames]
    return features


def _choice(n: int, draw: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=draw))
