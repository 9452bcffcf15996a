"""Lines that were written for this project: what a speaker feels now, in many frames.

They lie in ``lab/data/frames``: ``*.tsv`` with six columns (see :func:`read_frames`), of which
``groups.tsv`` has a slot for a person, ``{G}`` for one named by a group of ``group-terms.txt`` and
``{N}`` for a given name; what is felt does not depend on who stands there.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from empathic_sdk.lab.corpora.in_context import ReaderItems, read_frames
from empathic_sdk.language.given_names import given_names

FOLDER = Path(__file__).resolve().parents[1] / "data" / "frames"
COPIES = 5
_DEV = 12


@lru_cache(maxsize=2)
def read_written(split: str) -> ReaderItems:
    """Return the lines of ``train`` or ``dev``: one line in twelve is kept for dev."""
    files = sorted(FOLDER.glob("*.tsv"))
    plain = read_frames(p for p in files if p.stem != "groups")
    carriers = read_frames(p for p in files if p.stem == "groups")
    kept = [
        (items, [i for i, name in enumerate(items.ids) if _in(name, split)])
        for items in (plain, carriers)
    ]
    plain, carriers = (items.take(index) for items, index in kept)
    return _join(plain, _filled(carriers, COPIES if split == "train" else 1))


def _in(name: str, split: str) -> bool:
    bucket = int(hashlib.sha256(name.encode()).hexdigest(), 16) % _DEV
    return (bucket == 0) == (split == "dev")


def group_terms() -> list[str]:
    """Return the noun phrases that name a person by a group, with their articles."""
    return (FOLDER / "group-terms.txt").read_text(encoding="utf-8").split("\n")[:-1]


def _filled(items: ReaderItems, copies: int) -> ReaderItems:
    rng = np.random.default_rng(5)
    groups, names = group_terms(), sorted(given_names())
    made = items.take(np.repeat(np.arange(len(items)), copies))
    texts = [
        text.replace("{G}", str(rng.choice(groups))).replace("{N}", str(rng.choice(names)).title())
        for text in made.texts
    ]
    texts = [t[:1].upper() + t[1:] if o.startswith("{") else t
             for t, o in zip(texts, made.texts, strict=True)]  # fmt: skip
    return replace(made, texts=texts, ids=[f"{n}#{i}" for i, n in enumerate(made.ids)])


def _join(a: ReaderItems, b: ReaderItems) -> ReaderItems:
    return ReaderItems(
        a.corpus, a.ids + b.ids, a.texts + b.texts, a.before + b.before,
        {k: np.concatenate([v, b.targets[k]]) for k, v in a.targets.items()},
    )  # fmt: skip
