"""Speed and memory of the dialogue model, and how they grow with the length of the dialogue.

Features and labels are drawn at random: neither time nor memory depends on what was said.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.autograd.profiler import profile

from empathic_sdk.lab.benchmarks.harness import once, quantile, timed
from empathic_sdk.lab.training.transfer_loss import JointLoss
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET, MDGETConfig, PairOutput
from empathic_sdk.models.mdget.transfer import EmotionTransfer

LENGTHS = (10, 50, 200, 800)
INPUTS: Mapping[str, int] = {"text": 384, "speech": 768}
CLASSES = 7
BATCH = 16

Figures = dict[str, float]


def measure_dialogue(
    *,
    lengths: Sequence[int] = LENGTHS,
    width: int = 128,
    seed: int = 0,
    modalities: Mapping[str, int] = INPUTS,
    dialogues: int = 108,
    runs: int = 60,
) -> dict[str, Any]:
    """Return the figures that ``empathic bench dialogue --json`` prints.

    Keys ending in ``_n{n}`` belong to one dialogue of ``n`` utterances. ``_ms`` are medians in
    milliseconds, ``_mb`` is 2^20 bytes: the peak of what the measured call allocates on top of
    what was there before it (weights, the optimizer's moments, inputs), see :func:`peak_bytes`.

    Args:
        lengths: In utterances.
        width: d of the network.
        seed: Of weights, features and dropout.
        modalities: Feature width by modality, hub first.
        dialogues: How many make up the epoch.
        runs: How often each time is taken at most.
    """
    config = MDGETConfig(inputs=modalities, classes=CLASSES, width=width)
    lengths = sorted(set(lengths))
    jobs: list[Callable[[], Figures]] = []
    for n in lengths:
        jobs += [partial(_step, config, n, seed, runs), partial(_transfer, config, n, seed, runs)]
    jobs.append(partial(_stream, config, lengths, seed, runs))
    jobs.append(partial(_epoch, config, dialogues, seed))
    report: dict[str, Any] = {}
    with torch.random.fork_rng(devices=[]):
        for job in track(jobs, "dialogue bench", console=Console(stderr=True)):
            report |= job()
        parameters = sum(p.numel() for p in MDGET(config).parameters())
    return {
        **report,
        "width": width,
        "window": config.window,
        "parameters": parameters,
        "threads": torch.get_num_threads(),
    }


def peak_bytes(run: Callable[[], object]) -> int:
    """Return the most bytes that ``run`` held in tensors at once, beyond those held before it.

    Exact, and the same each time: torch's profiler records every block that its allocator hands
    out and takes back, in order, also those that never leave an operator; their running sum is
    followed here. What a library takes for itself within one call (MKL's work space) is not in
    it. On a GPU this would not do: only the CPU's allocator is followed.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it would write to standard error
    gc.collect()
    with profile(profile_memory=True) as record:
        run()
    events = [e for e in record.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda e: e.start_ns())
    held = np.cumsum([0] + [e.nbytes() for e in events])
    return int(held.max())


def _measured(run: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median milliseconds of as many runs as two seconds hold, and the peak in MB.

    The run that counts memory is the warm-up.
    """
    peak = round(peak_bytes(run) / 2**20, 3)
    return timed(lambda _: run(), runs, seconds=2).p50, peak


def draw(
    lengths: Sequence[int], modalities: Mapping[str, int], seed: int
) -> tuple[DialogueBatch, Tensor]:
    """Return a padded batch of dialogues of two speakers, and labels (-1 in the padding)."""
    rng = torch.Generator().manual_seed(seed)
    b, n = len(lengths), max(lengths)
    mask = torch.arange(n)[None] < torch.tensor(lengths)[:, None]
    batch = DialogueBatch(
        features={m: torch.randn(b, n, w, generator=rng) for m, w in modalities.items()},
        present=dict.fromkeys(modalities, mask),
        mask=mask,
        speaker=(torch.arange(n) % 2).expand(b, -1).contiguous(),
    )
    labels = torch.randint(CLASSES, (b, n), generator=rng)
    return batch, labels.masked_fill(~mask, -1)


def _trainer(config: MDGETConfig, seed: int) -> Callable[[DialogueBatch, Tensor], None]:
    """Return one step of training: forward, loss with pairs, backward, AdamW."""
    torch.manual_seed(seed)
    network, loss = MDGET(config).train(), JointLoss()
    optimizer = torch.optim.AdamW(network.parameters())

    def step(batch: DialogueBatch, labels: Tensor) -> None:
        out = network(batch, pairs=True)
        parts = loss(out.logits, labels, out.pairs, network.gate_parameters())
        parts.total.backward()
        optimizer.step()
        optimizer.zero_grad()

    step(*draw([2], config.inputs, seed))  # makes the optimizer's moments
    return step


def _step(config: MDGETConfig, n: int, seed: int, runs: int) -> Figures:
    batch, labels = draw([n], config.inputs, seed)
    causal = _trainer(config, seed)
    took, peak = _measured(lambda: causal(batch, labels), runs)
    both = _trainer(MDGETConfig.from_dict({**config.as_dict(), "causal": False}), seed)
    took_both, peak_both = _measured(lambda: both(batch, labels), runs)
    return {
        f"step_ms_n{n}": took,
        f"step_peak_mb_n{n}": peak,
        f"utterances_per_second_n{n}": round(n / took * 1e3, 1),
        f"step_ms_bidirectional_n{n}": took_both,
        f"step_peak_mb_bidirectional_n{n}": peak_both,
    }


def transfer_run(form: str, n: int, *, width: int, window: int, seed: int) -> Callable[[], None]:
    """Return one run of the transfer module alone: forward, its loss, backward.

    Args:
        form: ``"tiled"`` or ``"naive"``, over all pairs; ``"windowed"``, over those of a causal
            network.
        n: Utterances of the one dialogue.
        width: d of the network.
        window: Of the windowed form.
        seed: Of weights, inputs and dropout.
    """
    torch.manual_seed(seed)
    module = EmotionTransfer(width=width, dropout=0.3, gated=True).train()
    h = torch.randn(1, n, width, requires_grad=True)
    other = torch.randn(1, n, width, requires_grad=True)
    labels, logits = torch.randint(CLASSES, (1, n)), torch.zeros(1, n, CLASSES)
    valid, loss = torch.ones(1, n, n, dtype=torch.bool), JointLoss(balance=1.0)
    if form == "windowed":
        valid = valid.tril() & ~valid.tril(-window)

    def run() -> None:
        pairs: PairOutput
        if form == "naive":
            pairs = module.naive(h, other, valid)
        else:
            pairs = module(h, other, valid, window if form == "windowed" else None)
        loss(logits, labels, pairs).total.backward()
        for tensor in (h, other, *module.parameters()):
            tensor.grad = None

    return run


def _transfer(config: MDGETConfig, n: int, seed: int, runs: int) -> Figures:
    out: Figures = {}
    for form in ("tiled", "windowed", "naive"):
        run = transfer_run(form, n, width=config.width, window=config.window, seed=seed)
        out[f"eetm_{form}_ms_n{n}"], out[f"eetm_{form}_peak_mb_n{n}"] = _measured(run, runs)
    ratio = out[f"eetm_naive_peak_mb_n{n}"] / out[f"eetm_tiled_peak_mb_n{n}"]
    return {**out, f"eetm_memory_ratio_n{n}": round(ratio, 2)}


def _stream(config: MDGETConfig, lengths: Sequence[int], seed: int, runs: int) -> Figures:
    """Time the n-th utterance of a streamed dialogue, from the state that the others left."""
    torch.manual_seed(seed)
    network = MDGET(config).eval()
    batch, _ = draw([lengths[-1]], config.inputs, seed)
    said = [_piece(batch, i) for i in range(lengths[-1])]
    states: dict[int, dict[str, Tensor]] = {}
    with torch.inference_mode():
        state: dict[str, Tensor] = {}
        for i, utterance in enumerate(said):
            if i + 1 in lengths:
                states[i + 1] = state
            state = network(utterance, state).state
        in_turn = [lengths[k % len(lengths)] for k in range(runs * len(lengths))]
        # In turn, so that a busy moment meets all of them.
        took = timed(lambda k: network(said[in_turn[k] - 1], states[in_turn[k]]), len(in_turn)).wall
    median = {n: quantile(took[k :: len(lengths)], 50) for k, n in enumerate(lengths)}
    # What is held, not what is looked at: a slice keeps all of its storage.
    held = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in state.values()}
    return {
        **{f"stream_ms_n{n}": t for n, t in median.items()},
        "stream_late_over_early": round(median[lengths[-1]] / median[lengths[0]], 4),
        "stream_state_kb": round(sum(held.values()) / 2**10, 1),
    }


def _piece(batch: DialogueBatch, i: int) -> DialogueBatch:
    """Return the ``i``-th utterance alone."""
    return DialogueBatch(
        features={m: x[:, i : i + 1] for m, x in batch.features.items()},
        present={m: x[:, i : i + 1] for m, x in batch.present.items()},
        mask=batch.mask[:, i : i + 1],
        speaker=batch.speaker[:, i : i + 1],
    )


def _epoch(config: MDGETConfig, dialogues: int, seed: int) -> Figures:
    """Train one epoch on as many dialogues of such lengths as IEMOCAP has for training."""
    rng = np.random.default_rng(seed)
    lengths = np.sort(rng.normal(49, 17, dialogues).clip(8, 110).round().astype(int)).tolist()
    batches = [
        draw(lengths[i : i + BATCH], config.inputs, seed + i) for i in range(0, dialogues, BATCH)
    ]
    step = _trainer(config, seed)
    return {
        "epoch_s": round(once(lambda: [step(*batch) for batch in batches]).seconds, 3),
        "epoch_dialogues": dialogues,
        "epoch_utterances": sum(lengths),
    }
