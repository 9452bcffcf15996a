"""People made of held-out real items, who say what they feel when the agent gets it wrong.

A simulated user takes 200 turns out of MELD's scenes, with voices of RAVDESS actors and faces of
FER2013 that no encoder and no dialogue model was trained on. How they differ from other people is
put in by hand, so this says whether a way of learning finds what is there, and nothing about how
often people are like that.

==========  ======================================================================================
plain       voice and face fit what they feel: nothing is to be learned
voice       the voice is that of another of their turns
face        the face is always a neutral one
sarcasm     they type; six in ten of their pleasant words are meant as anger (or, of every other
            user, disgust)
random      voice and face fit, but what they say they felt is drawn at random
==========  ======================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk.lab.corpora.dialogues import SEVEN, Dialogue, DialogueSet
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.training.dialogue_batches import numbered
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET

KINDS = ("plain", "voice", "face", "sarcasm", "random")
TURNS = 200
USERS = 24
# Fixed before anything was tuned. Tuning saw DEV_SEED and MELD's dev split, with the media that
# chose the encoders' epochs; what is reported is of SEED and the test split.
SEED, DEV_SEED = 20261, 7
# How often they say something: of a wrong label, and of a right one. The random one just speaks.
CORRECTS, CONFIRMS, SPEAKS = 0.7, 0.2, 0.3
SARCASTIC = 0.6
PLEASANT = re.compile(
    r"\b(great|good|love|lovely|nice|wonderful|perfect|amazing|awesome|fantastic|excellent|happy|"
    r"glad|beautiful|best|sweet|congratulations|thanks|thank|fun|excited|brilliant|terrific|cool|"
    r"fabulous)\b",
    re.IGNORECASE,
)
_BATCH = 48


@dataclass(frozen=True)
class SimulatedUser:
    """One simulated user over 200 turns, up to where their own weights act.

    Attributes:
        kind: One of ``KINDS``.
        name: Of the user.
        hidden: float32 ``[t, M, d]``: H of the dialogue model, before the modal fusion.
        present: bool ``[t, M]``.
        apart: int64 ``[t, M]``: the label each modality alone would give, -1 where absent.
        felt: int64 ``[t]``: what they feel.
        told: int64 ``[t]``: what they say when asked; differs from ``felt`` for ``random`` alone.
        speaks: float64 ``[t]`` in [0, 1): they speak up where it is below the chance to.
        scene: int64 ``[t]``: which dialogue.
    """

    kind: str
    name: str
    hidden: NDArray[np.float32]
    present: NDArray[np.bool_]
    apart: NDArray[np.int64]
    felt: NDArray[np.int64]
    told: NDArray[np.int64]
    speaks: NDArray[np.float64]
    scene: NDArray[np.int64]

    def comments(self, turn: int, shown: int) -> bool:
        """Say whether they tell what they felt after being shown a label."""
        if self.kind == "random":
            return bool(self.speaks[turn] < SPEAKS)
        chance = CONFIRMS if shown == self.felt[turn] else CORRECTS
        return bool(self.speaks[turn] < chance)


@dataclass(frozen=True)
class _Scene:
    vectors: Mapping[str, np.ndarray]
    speaker: list[int]
    present: Mapping[str, np.ndarray]


def simulate_users(
    network: MDGET,
    items: DialogueSet,
    pools: Mapping[str, MediaPool],
    *,
    seed: int,
    users: int = USERS,
    turns: int = TURNS,
    kinds: Sequence[str] = KINDS,
) -> list[SimulatedUser]:
    """Make ``users`` users of each kind.

    Args:
        network: Reads raw vectors; its modalities are those of the users.
        items: Labelled dialogues with text vectors.
        pools: Held-out ``speech`` and ``face`` signals.
        seed: Of every draw.
        users: Of each kind.
        turns: Of each user.
        kinds: Which kinds.
    """
    people = [
        _user(kind, number, items, pools, np.random.default_rng([seed, KINDS.index(kind), number]),
              turns)
        for kind in kinds for number in range(users)
    ]  # fmt: skip
    scenes = [scene for _, some in people for scene in some]
    read = _read(network, scenes)
    out, at = [], 0
    for about, some in people:
        mine = read[at : at + len(some)]
        at += len(some)
        hidden, present, apart = (np.concatenate(rows)[:turns] for rows in zip(*mine, strict=True))
        out.append(SimulatedUser(**about, hidden=hidden, present=present, apart=apart))
    return out


def _user(
    kind: str,
    number: int,
    items: DialogueSet,
    pools: Mapping[str, MediaPool],
    rng: np.random.Generator,
    turns: int,
) -> tuple[dict[str, Any], list[_Scene]]:
    chosen: list[Dialogue] = []
    for k in rng.permutation(len(items.dialogues)):
        if sum(map(len, chosen)) >= turns:
            break
        chosen.append(items.dialogues[int(k)])
    labels = np.concatenate([d.labels for d in chosen])
    felt = labels.copy()
    shown = {"speech": labels.copy(), "face": labels.copy()}
    if kind == "voice":
        shown["speech"] = rng.permutation(labels)
    if kind == "face":
        shown["face"][:] = SEVEN.index("neutral")
    if kind == "sarcasm":
        shown = {}
        texts = [t for d in chosen for t in d.texts]
        meant = SEVEN.index(("anger", "disgust")[number % 2])
        kindly = np.array([bool(PLEASANT.search(t)) for t in texts])
        felt[kindly & (rng.random(len(felt)) < SARCASTIC)] = meant
    told = rng.integers(len(SEVEN), size=len(felt)) if kind == "random" else felt
    rows = {m: _drawn(pools[m], wanted, rng) for m, wanted in shown.items()}
    scenes, start = [], 0
    for d in chosen:
        part = slice(start, start + len(d))
        start += len(d)
        scenes.append(
            _Scene(
                {"text": d.features["text"], **{m: r[part] for m, r in rows.items()}},
                numbered(d.speakers),
                {"text": d.present["text"], **{m: np.ones(len(d), bool) for m in rows}},
            )
        )
    scene = np.repeat(np.arange(len(chosen)), [len(d) for d in chosen])
    about: dict[str, Any] = {
        "kind": kind, "name": f"{kind}-{number}", "felt": felt[:turns], "told": told[:turns],
        "speaks": rng.random(len(felt))[:turns], "scene": scene[:turns],
    }  # fmt: skip
    return about, scenes


def _drawn(pool: MediaPool, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a signal of each label, of one person where they have some of it."""
    names = sorted(set(pool.people))
    mine = np.array(pool.people) == names[int(rng.integers(len(names)))]
    out = np.zeros((len(labels), pool.vectors.shape[1]), np.float32)
    for label in set(labels.tolist()):
        where = np.flatnonzero(labels == label)
        some = np.flatnonzero((pool.labels == label) & mine)
        some = some if len(some) else np.flatnonzero(pool.labels == label)
        out[where] = pool.vectors[rng.choice(some, len(where))]
    return out


def _read(
    network: MDGET, scenes: Sequence[_Scene]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return ``hidden``, ``present`` and ``apart`` of every scene.

    One utterance at a time, as an agent hears them; scenes of alike length side by side. The
    weights of a person act after what is read here.
    """
    names = network.config.modalities
    order = sorted(range(len(scenes)), key=lambda k: len(scenes[k].speaker))
    found: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        some = [scenes[k] for k in rows]
        longest = max(len(s.speaker) for s in some)
        width, size = network.config.width, len(some)
        hidden = np.zeros((size, longest, len(names), width), np.float32)
        present = np.zeros((size, longest, len(names)), bool)
        apart = np.full((size, longest, len(names)), -1)
        state = None
        with torch.inference_mode():
            for t in range(longest):
                batch = _step(network, some, t)
                out = network(batch, state)
                hidden[:, t] = _unweighted(network, out.fused[:, 0], batch)
                for m, name in enumerate(names):
                    there = batch.present[name][:, 0].numpy()
                    present[:, t, m] = there
                    if there.any():
                        alone = network(batch.only((name,)), state).logits[:, 0].argmax(-1)
                        apart[there, t, m] = alone.numpy()[there]
                state = out.state
        for i, k in enumerate(rows):
            n = len(some[i].speaker)
            found[k] = (hidden[i, :n], present[i, :n], apart[i, :n])
    return [found[k] for k in range(len(scenes))]


def _step(network: MDGET, scenes: Sequence[_Scene], t: int) -> DialogueBatch:
    """Return utterance ``t`` of each scene; of a shorter one its last again, which nobody reads."""
    at = [min(t, len(s.speaker) - 1) for s in scenes]
    features, present = {}, {}
    for m, width in network.config.inputs.items():
        rows = np.zeros((len(scenes), 1, width), np.float32)
        there = np.zeros((len(scenes), 1), bool)
        for i, (s, k) in enumerate(zip(scenes, at, strict=True)):
            if m in s.vectors:
                rows[i, 0], there[i, 0] = s.vectors[m][k], s.present[m][k]
        features[m], present[m] = torch.from_numpy(rows), torch.from_numpy(there)
    return DialogueBatch(
        features=features,
        present=present,
        mask=torch.ones(len(scenes), 1, dtype=torch.bool),
        speaker=torch.tensor([[s.speaker[k]] for s, k in zip(scenes, at, strict=True)]),
    )


def _unweighted(network: MDGET, fused: torch.Tensor, batch: DialogueBatch) -> np.ndarray:
    """Return H ``[b, M, d]`` out of eq 25's vector, where the model's own weights are still in."""
    c = network.config
    flat = fused[:, : len(c.inputs) * c.width].reshape(-1, len(c.inputs), c.width)
    there = torch.stack([batch.present[m][:, 0] for m in c.inputs], 1).float()
    w = torch.tensor([c.weights.get(m, 1.0) for m in c.inputs]) * there
    w = w / w.amax(-1, keepdim=True)
    return np.asarray((flat / torch.where(there > 0, w, 1.0)[..., None]).numpy())
