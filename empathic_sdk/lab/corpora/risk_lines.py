"""The labelled lines of the risk model and of the guard, and public corpora beside them.

The lines ship with the package (``lab/data/risk``); the corpora are their owners'.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from empathic_sdk.errors import DataError
from empathic_sdk.safety.risk_model import Before
from empathic_sdk.types import SafetyLevel

RISK = ("explicit", "coded", "past", "friend")
"""Categories whose last line deserves a look at least."""

CALM = ("idiom", "fiction", "quoting", "negated", "everyday")
"""Categories whose last line is no risk."""

CORPORA = ("esconv", "dailydialog", "empathetic")
"""Everyday conversation. Its owners' data: nothing of it is in this repository."""

FOLDER = Path(__file__).parents[1] / "data" / "risk"
"""Where the labelled lines lie: ``train heldout drafts drafts-train drafts-heldout``."""


def shipped_lines(name: str) -> Path:
    """Return the file of labelled lines of that name."""
    return FOLDER / f"{name}.jsonl"


class Moment(NamedTuple):
    """One utterance to be judged, and what was said before it, oldest first."""

    text: str
    before: tuple[Before, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A labelled line or dialogue; its last turn is the one that its label is about.

    Attributes:
        id: Its name.
        category: One of :data:`RISK` or :data:`CALM`.
        level: Of the last turn.
        moment: The last turn in its dialogue.
    """

    id: str
    category: str
    level: SafetyLevel
    moment: Moment

    @property
    def dialogue(self) -> bool:
        """Whether anything was said before it."""
        return bool(self.moment.before)

    @property
    def risk(self) -> bool:
        """Whether it deserves a look at least."""
        return self.level != SafetyLevel.NONE

    @staticmethod
    def read(path: Path) -> list[Entry]:
        """Read JSON lines: ``{"id", "category", "level", "turns": [{"speaker", "text"}]}``.

        Raises:
            DataError: There is no such file, or a line of it is broken (named by its number).
        """
        if not path.is_file():
            raise DataError(f"{path} is not there: give the labelled lines (--lines)")
        found = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                found.append(_entry(json.loads(line), number))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}, line {number}: no labelled entry ({error!r})") from error
        return found


def _entry(row: Mapping[str, Any], number: int) -> Entry:
    turns = [Before(t["speaker"] == "user", t["text"]) for t in row["turns"]]
    if not turns or not turns[-1].own or not all(t.text.strip() for t in turns):
        raise ValueError("turns must be texts, the last one the user's")
    if row["category"] not in RISK + CALM:
        raise ValueError("the category must be a known one")
    return Entry(
        id=str(row.get("id", number)),
        category=row["category"],
        level=SafetyLevel(row["level"]),
        moment=Moment(turns[-1].text, tuple(turns[:-1])),
    )


def talks(data: Path, corpus: str, split: str) -> list[list[tuple[bool, str]]]:
    """Return dialogues of one of :data:`CORPORA`: (whether the helped one spoke, text).

    ``empathetic`` has no split of its own: nine tenths of its situations are ``train``.

    Raises:
        DataError: The corpus is not there.
    """
    if corpus == "esconv":
        rows = _rows(data / "esconv" / "esconv.jsonl.gz")
        return [
            [(t["speaker"] == "usr", t["text"]) for t in d["dialog"]]
            for d in rows
            if d["split"] == split
        ]
    if corpus == "dailydialog":
        rows = _rows(data / "dailydialog" / "dailydialog.jsonl.gz")
        return [
            [(t["speaker"] == "user", t["text"]) for t in d["turns"]]
            for d in rows
            if d["split"] == split
        ]
    found = []
    for talk in _rows(data / "empatheticdialogues" / "empatheticdialogues.jsonl.gz"):
        hit = talk["id"].split("_")[0]
        train = int(hashlib.sha256(hit.encode()).hexdigest(), 16) % 20 < 18  # as corpora.py
        if train == (split == "train"):
            turns = [t["text"].replace("_comma_", ",") for t in talk["turns"]]
            found.append([(n % 2 == 0, text) for n, text in enumerate(turns)])
    return found


def moments(talk: Sequence[tuple[bool, str]]) -> Iterator[Moment]:
    """Give every utterance of a dialogue in its turn, as if its speaker were the helped one."""
    said = [(helped, text) for helped, text in talk if text.strip()]
    for n, (helped, text) in enumerate(said):
        yield Moment(text, tuple(Before(h == helped, t) for h, t in said[max(0, n - 4) : n]))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise DataError(
            f"{path} is not there; docs/data.md says where to get each corpus, --data or "
            "EMPATHIC_DATA where they lie"
        )
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)
