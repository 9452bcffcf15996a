"""Reader of ESConv (Liu et al. 2021): emotional-support talks with the supporter's strategies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.opening import SPLITS, chosen, open_lines
from empathic_sdk.types import Strategy

NAMES = {
    "Question": Strategy.QUESTION,
    "Restatement or Paraphrasing": Strategy.RESTATEMENT,
    "Reflection of feelings": Strategy.REFLECTION,
    "Self-disclosure": Strategy.SELF_DISCLOSURE,
    "Affirmation and Reassurance": Strategy.AFFIRMATION,
    "Providing Suggestions": Strategy.SUGGESTIONS,
    "Information": Strategy.INFORMATION,
    "Others": Strategy.OTHERS,
}
"""The corpus's names of the eight strategies."""

_SPEAKERS = {"usr": True, "sys": False}
_INDEX = {strategy: number for number, strategy in enumerate(Strategy)}


class SupportTalk(NamedTuple):
    """One talk.

    Attributes:
        id: Its line in the file, from 0.
        texts: What was said, ``n`` utterances.
        seeker: Whether the one who seeks support said it.
        strategies: Index into ``Strategy`` of a supporter's utterance; -1 for a seeker's.
    """

    id: str
    texts: tuple[str, ...]
    seeker: tuple[bool, ...]
    strategies: tuple[int, ...]


def read_esconv(data: Path | None, split: str, own: Path | None = None) -> list[SupportTalk]:
    """Read ``split`` (train, dev or test) of ESConv, or of dialogues of your own.

    Problem, situation and survey are left out: nobody knows them when a talk begins.

    Args:
        data: Folder of the corpora; not needed with ``own``.
        split: Which part.
        own: A file of JSON lines like ESConv's (it may be compressed, ``.gz``): ``{"split",
            "dialog": [{"speaker": "usr" or "sys", "text", "strategy"}]}``.

    Raises:
        DataError: The file is missing, a talk in it is broken, or there is no such split.
    """
    chosen("split", split, SPLITS)
    if own is None and data is None:
        raise DataError("give the folder of the corpora, or dialogues of your own")
    path = own or Path(data or "") / "esconv" / "esconv.jsonl.gz"
    talks = []
    for number, line in enumerate(open_lines(path)):
        try:
            talk = json.loads(line)
            if talk["split"] != {"dev": "valid"}.get(split, split):
                continue
            seeker = tuple(_SPEAKERS[u["speaker"]] for u in talk["dialog"])
            strategies = tuple(
                -1 if theirs else _INDEX[NAMES[u["strategy"]]]
                for u, theirs in zip(talk["dialog"], seeker, strict=True)
            )
            texts = tuple(str(u["text"]) for u in talk["dialog"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number + 1}: {error!r}") from error
        talks.append(SupportTalk(str(number), texts, seeker, strategies))
    if not talks:
        raise DataError(f"{path} holds no talk of the split {split!r}")
    return talks


def digest(talks: Sequence[SupportTalk]) -> str:
    """Return the SHA-256 over texts, speakers and strategies: names the data a run saw."""
    return hashlib.sha256(json.dumps(talks).encode()).hexdigest()
