"""Computes when the next event of a stream is due."""

from __future__ import annotations

import time
from collections.abc import Iterator

from empathic_sdk.turn.stateful import FinishedTurn
from empathic_sdk.types import Pacing, SentenceEvent, StateEvent, StreamEvent, TurnEvent


def paced(outcome: FinishedTurn) -> Iterator[tuple[float, StreamEvent]]:
    """Pair each event of a finished turn with the seconds to wait before it."""
    turn = outcome.turn
    pacing: Pacing = turn.style.pacing
    yield 0.0, StateEvent(emotion=turn.emotion, style=turn.style, safety=turn.safety)
    wait = pacing.delay_s
    for sentence in outcome.sentences:
        yield wait, SentenceEvent(text=sentence)
        wait = len(sentence.split()) * 60.0 / pacing.words_per_minute
    yield 0.0, TurnEvent(turn=turn)


class PaceClock:
    """Paces a turn that is still being written; writing time counts as waiting."""

    def __init__(self) -> None:
        """Start the clock, before the first event."""
        self._due = 0.0
        self._words_per_minute = 2000.0

    def wait(self, event: StreamEvent) -> float:
        """Return the seconds to wait before ``event`` is shown, at least 0.

        Call it when the event arrives; the sentence counts as shown after that wait.
        """
        now = time.monotonic()
        if isinstance(event, StateEvent):
            pacing = event.style.pacing
            self._due = now + pacing.delay_s
            self._words_per_minute = pacing.words_per_minute
            return 0.0
        if not isinstance(event, SentenceEvent):
            return 0.0
        shown = max(now, self._due)
        self._due = shown + len(event.text.split()) * 60.0 / self._words_per_minute
        return shown - now
