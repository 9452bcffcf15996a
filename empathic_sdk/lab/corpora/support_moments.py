"""The moments before each utterance of a supporter in ESConv, as the support planner reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empathic_sdk.dialogue.planner import FEELING, features, feeling
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.esconv import SupportTalk, digest
from empathic_sdk.lab.corpora.opening import cached
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import UserContext, Utterance


class SupportMoments(NamedTuple):
    """SupportMoments before an utterance of a supporter.

    Attributes:
        features: float32 ``[n, inputs]``.
        strategies: int64 ``[n]``.
        forgettable: Columns of the supporter's text vector and of its flag, as two slices.
    """

    features: NDArray[np.float32]
    strategies: NDArray[np.int64]
    forgettable: tuple[slice, ...] = ()


class Observed(NamedTuple):
    """What the recogniser makes of talks, all their utterances one after another.

    Attributes:
        vectors: float16 ``[n, width]`` text vectors.
        feelings: float32 ``[n, 15]`` (:func:`~empathic_sdk.dialogue.planner.feeling`).
    """

    vectors: NDArray[np.float16]
    feelings: NDArray[np.float32]


class Scene(NamedTuple):
    """Every moment before an utterance of a supporter, in the order of the talks.

    Attributes:
        moments: What the planner reads, and the answers.
        last: float32 ``[n, width]``: the text vector of the last utterance, whoever spoke.
        talk: int64 ``[n]``: in which talk.
        reply: bool ``[n]``: whether the seeker spoke last, as always at run time.
    """

    moments: SupportMoments
    last: NDArray[np.float32]
    talk: NDArray[np.int64]
    reply: NDArray[np.bool_]


def observe(talks: Sequence[SupportTalk], recognizer: EmotionRecognizer) -> Observed:
    """Let the recogniser hear talks as it would at run time, each in a session of its own."""
    vectors, feelings = [], []
    for talk in talks:
        session = recognizer.session(UserContext())
        said = [
            Utterance(text if text.strip() else "...", speaker="user" if seeker else "agent")
            for text, seeker in zip(talk.texts, talk.seeker, strict=True)
        ]
        states = session.extend(said)
        assert session.text_vectors is not None
        vectors.append(session.text_vectors.astype(np.float16))
        feelings.append(np.stack([feeling(state) for state in states]))
    return Observed(np.concatenate(vectors), np.concatenate(feelings))


def observed(
    talks: Sequence[SupportTalk], recognizer: EmotionRecognizer, cache: Path | None
) -> Observed:
    """Return :func:`observe`, kept between runs in a file named by talks and weights."""
    if cache is None:
        return observe(talks, recognizer)
    mark = hashlib.sha256((digest(talks) + text_mark(recognizer)).encode()).hexdigest()[:16]
    path = cache / f"esconv-{mark}.safetensors"
    kept = cached(path, lambda: observe(talks, recognizer)._asdict())
    if sum(len(talk.texts) for talk in talks) != len(kept["vectors"]):
        raise DataError(f"{path} is not of these talks; remove it")
    return Observed(kept["vectors"], kept["feelings"])


def text_mark(recognizer: EmotionRecognizer) -> str:
    """Return the SHA-256 of the recogniser's text weights: a planner reads their vectors."""
    path = recognizer.text.path
    if path is None:
        raise DataError("a support planner needs a text encoder with weights of ours")
    return checkpoints.sha256(path)


def scene(talks: Sequence[SupportTalk], seen: Observed) -> Scene:
    """Lay out the moments before each utterance of a supporter.

    A talk that the supporter opens has moments with nothing before them; they count, too.
    """
    width = seen.vectors.shape[1]
    rows, gold, last, owner, reply = [], [], [], [], []
    start = 0
    for number, talk in enumerate(talks):
        vectors = seen.vectors[start : start + len(talk.texts)].astype(np.float32)
        moods = seen.feelings[start : start + len(talk.texts)]
        start += len(talk.texts)
        used: list[int] = []
        heard: list[int] = []
        replied: int | None = None
        for i, (seeker, strategy) in enumerate(zip(talk.seeker, talk.strategies, strict=True)):
            if seeker:
                heard.append(i)
                continue
            again = i > 0 and not talk.seeker[i - 1]
            rows.append(
                features(
                    said=vectors[heard[-1]] if heard else None,
                    replied=None if replied is None else vectors[replied],
                    feelings=moods[heard] if heard else np.zeros((0, FEELING), np.float32),
                    used=used,
                    turn=len(used),
                    again=again,
                    width=width,
                )
            )
            gold.append(strategy)
            last.append(vectors[i - 1] if i else np.zeros(width, np.float32))
            owner.append(number)
            reply.append(not again and bool(heard))
            used.append(strategy)
            replied = i
    forget = (slice(width, 2 * width), slice(2 * width + 1, 2 * width + 2))
    return Scene(
        SupportMoments(np.stack(rows), np.array(gold, np.int64), forget),
        np.stack(last),
        np.array(owner, np.int64),
        np.array(reply, bool),
    )
