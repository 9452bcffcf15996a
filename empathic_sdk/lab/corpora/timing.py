"""What the times of a dialogue say alone: turn length, gap, duration, how often somebody answers.

The part of interaction behaviour that corpora of dialogues hold (PED section 4.1 names the same
four). Every feature is causal: an utterance's features need nothing after its own end.
"""

from __future__ import annotations

import numpy as np

from empathic_sdk.lab.corpora.dialogues import Dialogue, timing

FEATURES = (
    "gap", "duration", "words", "known", "words_a_second", "same_speaker", "gap_before",
    "duration_to_own", "words_to_own", "own_a_minute", "own_share", "place",
)  # fmt: skip


def timing_features(dialogue: Dialogue) -> np.ndarray:
    """Return float32 ``[n, 12]``, in the order of ``FEATURES``.

    The first four are those of ``timing``: signed ``log1p`` of the gap (negative where people
    talk over each other), ``log1p`` of duration and of words, and whether times are known. Then:
    ``log1p`` of words a second; 1 where the speaker goes on; the gap one utterance earlier;
    duration and words (both ``log1p``) minus this speaker's mean so far, 0 on their first;
    ``log1p`` of this speaker's utterances a minute so far (the response frequency), counted from
    the dialogue's beginning to this utterance's own end; their share of the utterances so far; and
    ``log1p`` of how many came before.
    """
    base = timing(dialogue)
    n = len(dialogue)
    out = np.zeros((n, len(FEATURES)), np.float32)
    out[:, :4] = base
    seconds, words = np.expm1(base[:, 1]), np.expm1(base[:, 2])
    out[:, 4] = np.log1p(np.where(seconds > 0, words / np.maximum(seconds, 0.1), 0.0))
    out[1:, 6] = base[:-1, 0]
    said: dict[str, list[int]] = {}
    begun = np.nan
    for i, who in enumerate(dialogue.speakers):
        mine = said.setdefault(who, [])
        start, end = dialogue.times[i]
        begun = start if np.isnan(begun) else begun
        out[i, 5] = float(i > 0 and dialogue.speakers[i - 1] == who)
        if mine:
            out[i, 7:9] = base[i, 1:3] - base[mine, 1:3].mean(0)
        mine.append(i)
        if end > begun:  # False where unknown
            out[i, 9] = np.log1p(60 * len(mine) / max(end - begun, 1.0))
        out[i, 10] = len(mine) / (i + 1)
        out[i, 11] = np.log1p(i)
    return out
