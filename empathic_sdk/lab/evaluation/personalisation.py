"""``empathic evaluate personalisation``: what learning from feedback gains, by simulated people.

Every simulated user takes their turns four times: with nothing learned, with the bias alone, with
the weights of Q-learning alone, and with both. The same person speaks up at the same moments; what
they correct depends on what they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk.errors import ModelError
from empathic_sdk.lab.corpora.encoded_media import pools
from empathic_sdk.lab.corpora.text_vectors import load
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.spread import interval
from empathic_sdk.lab.recipes.fusion import embedded
from empathic_sdk.lab.simulation.users import (
    DEV_SEED,
    KINDS,
    SEED,
    USERS,
    SimulatedUser,
    simulate_users,
)
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.profiles.learning import Learned, Seen, advance
from empathic_sdk.recognition.calibration import Calibration, personal, probabilities
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import Modality

ARMS: Mapping[str, tuple[bool, bool]] = {
    "nothing": (False, False),
    "bias": (True, False),
    "q": (False, True),
    "both": (True, True),
}
HARM = 0.005


def replay(
    network: MDGET, calibration: Calibration, some: Sequence[SimulatedUser], arm: str
) -> NDArray[np.int64]:
    """Return the labels shown to each user turn by turn, ``[users, turns]``, learning as they go.

    The same functions learn as in the profile store; what they give is applied as a session
    applies it: weights in the modal fusion, then calibration, then the bias.
    """
    with_bias, with_weights = ARMS[arm]
    names = network.config.modalities
    own = np.array([network.config.weights.get(m, 1.0) for m in names], np.float32)
    turns = min(len(c.felt) for c in some)
    learned = [Learned() for _ in some]
    shown = np.zeros((len(some), turns), np.int64)
    for t in range(turns):
        hidden = torch.from_numpy(np.stack([c.hidden[t] for c in some]))[:, None]
        present = np.stack([c.present[t] for c in some])
        weights = np.tile(own, (len(some), 1))
        if with_weights:
            for i, person in enumerate(learned):
                mine = person.weights()
                weights[i] *= [mine.get(Modality(m), 1.0) for m in names]
        with torch.inference_mode():
            fused, _ = network.fusion(
                hidden, torch.from_numpy(present)[:, None], torch.from_numpy(weights)[:, None]
            )
            logits = network.classifier(fused)[:, 0].numpy()
        for i, user in enumerate(some):
            several = int(present[i].sum()) > 1
            numbers = calibration.fused() if several else calibration
            general = probabilities(logits[i], numbers.temperature)
            bias = learned[i].bias() if with_bias else ()
            p = personal(general, bias) if bias else general
            label = int(p.argmax())
            shown[i, t] = label
            if arm == "nothing":
                continue
            threshold = numbers.threshold + learned[i].threshold()
            learned[i] = advance(
                learned[i],
                Seen(
                    conversation=str(user.scene[t]),
                    general=tuple(general.tolist()),
                    shown=label,
                    uncertain=bool(p[label] < threshold),
                    apart={m: int(user.apart[t, k]) for k, m in enumerate(names)
                           if several and present[i, k]},
                    felt=int(user.told[t]) if user.comments(t, label) else None,
                ),
                user.name,
            )  # fmt: skip
    return shown


def evaluate_personalisation(
    *, data: Path, split: str, cache: Path, checkpoint: Path | None = None, users: int = USERS
) -> dict[str, Any]:
    """Return what ``empathic evaluate personalisation`` prints.

    ``macro_f1_ARM_KIND`` is the mean over the users of a kind, of each one's macro F1 over all
    200 turns, the first included; ``gain_ARM_KIND`` is what an arm adds to ``nothing``, with its
    spread and a 95 % bootstrap interval over users (each compared with themselves) in ``users``.
    """
    path = checkpoint or shipped("dialogue")
    network, about = load_checkpoint(path)
    if not {"text", "speech", "face"} <= set(network.config.inputs):
        raise ModelError(f"{path} does not read voices and faces: nothing to weigh")
    calibration = Calibration(**about["calibration"])
    drawn = pools(split, data, embedded(), cache)
    items = load("meld", split, data=data, features="shipped", cache=cache)
    seed = SEED if split == "test" else DEV_SEED
    some = simulate_users(network, items, drawn, seed=seed, users=users)
    turns = min(len(c.felt) for c in some)
    shown = {arm: replay(network, calibration, some, arm) for arm in ARMS}
    score = {
        arm: np.array([macro_f1(c.felt[:turns], row) for c, row in zip(some, rows, strict=True)])
        for arm, rows in shown.items()
    }
    report: dict[str, Any] = {
        "dataset": "personalisation", "model": about["name"], "split": split,
        "n": len(some) * turns, "causal": True, "turns": turns, "users_per_kind": users,
    }  # fmt: skip
    details: dict[str, Any] = {}
    for kind in KINDS:
        mine = np.array([c.kind == kind for c in some])
        for arm in ARMS:
            report[f"macro_f1_{arm}_{kind}"] = float(score[arm][mine].mean())
            gain = score[arm][mine] - score["nothing"][mine]
            details[f"{arm}_{kind}"] = {
                "mean": float(score[arm][mine].mean()), "std": float(score[arm][mine].std(ddof=1)),
                "gain": float(gain.mean()), "gain_std": float(gain.std(ddof=1)),
                **gain_interval(gain), "worse": int((gain < -HARM).sum()),
            }  # fmt: skip
            if arm != "nothing":
                report[f"gain_{arm}_{kind}"] = float(gain.mean())
    worst = min(report[f"gain_{arm}_random"] for arm in ARMS if arm != "nothing")
    report["harm_of_random"] = max(0.0, -worst)
    report["harmless"] = report["harm_of_random"] <= HARM
    report["users"] = details
    report["runs"] = {"n": 0}
    return report


def macro_f1(felt: NDArray[np.int64], shown: NDArray[np.int64]) -> float:
    """Return the mean F1 of the emotions that one person felt or was shown."""
    return classification(felt, shown)["macro_f1"]


def gain_interval(gain: NDArray[np.float64], draws: int = 2000) -> dict[str, float]:
    """Return a 95 % bootstrap interval of a mean over users."""
    rng = np.random.default_rng(0)
    return interval(gain[rng.integers(len(gain), size=(draws, len(gain)))].mean(1))
