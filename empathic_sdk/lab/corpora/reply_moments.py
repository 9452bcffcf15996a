"""Talks cut at the moments when somebody answered: what was said, and what a person replied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.esconv import read_esconv
from empathic_sdk.lab.corpora.text import empathetic_talks
from empathic_sdk.types import Emotion

UNPLEASANT = (Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST)
OPENING = 3
"""Of an ESConv talk, how many of the seeker's turns are taken as unpleasant for certain: they came
because of a problem, but a talk that helps ends on another note."""


class ReplyTalk(NamedTuple):
    """One talk, ``n`` moments at which the person had spoken and was answered.

    Attributes:
        corpus: ``empathetic`` or ``esconv``.
        id: Its name in the corpus.
        said: What the person said at each moment, utterances in a row joined.
        replies: What the other person then said, joined in the same way.
        strategies: Indices into ``Strategy`` of that reply's parts; empty where none are known.
        reference: Of each moment -1 where the corpus says that the person feels something
            unpleasant, 1 pleasant, 0 where it does not say.
    """

    corpus: str
    id: str
    said: tuple[str, ...]
    replies: tuple[str, ...]
    strategies: tuple[tuple[int, ...], ...]
    reference: tuple[int, ...]


def reply_talks(corpus: str, data: Path, split: str) -> list[ReplyTalk]:
    """Read the talks of ``empathetic`` or ``esconv``.

    EmpatheticDialogues: only the situations that name one of the seven emotions, split as
    :func:`~empathic_sdk.lab.corpora.text.read_empathetic` does; surprise is neither pleasant nor
    unpleasant.

    Raises:
        DataError: The corpus is missing or broken, or there is no such corpus or split.
    """
    if corpus == "esconv":
        return list(_esconv(data, split))
    if corpus == "empathetic":
        return list(_empathetic(data, split))
    raise DataError(f"there are no reply talks of {corpus!r}, only of esconv and empathetic")


def moments(turns: Sequence[tuple[bool, str, int]]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield what was said, what was answered, and by which strategies, from the turns of a talk.

    Args:
        turns: Whether the person spoke, the words, and the strategy (-1: none).
    """
    said: list[str] = []
    replies: list[str] = []
    used: list[int] = []
    for theirs, text, strategy in turns:
        if theirs and replies:
            if said:
                yield " ".join(said), " ".join(replies), tuple(used)
            said, replies, used = [], [], []
        if theirs:
            said += [text.strip()] if text.strip() else []
        elif said and text.strip():  # what is said before the person has spoken answers nothing
            replies.append(text.strip())
            used += [strategy] if strategy >= 0 else []
    if said and replies:
        yield " ".join(said), " ".join(replies), tuple(used)


def _esconv(data: Path, split: str) -> Iterator[ReplyTalk]:
    for talk in read_esconv(data, split):
        cut = list(moments(list(zip(talk.seeker, talk.texts, talk.strategies, strict=True))))
        if cut:
            said, replies, used = zip(*cut, strict=True)
            signs = tuple(-1 if i < OPENING else 0 for i in range(len(cut)))
            yield ReplyTalk("esconv", talk.id, said, replies, used, signs)


def _empathetic(data: Path, split: str) -> Iterator[ReplyTalk]:
    for talk in empathetic_talks(data, split):
        turns = [(t["speaker"] == "speaker", t["text"], -1) for t in talk["turns"]]
        cut = list(moments(turns))
        if cut:
            said, replies, used = zip(*cut, strict=True)
            emotion = Emotion(talk["emotion"])
            sign = -1 if emotion in UNPLEASANT else int(emotion is Emotion.JOY)
            yield ReplyTalk("empathetic", talk["id"], said, replies, used, (sign,) * len(cut))
