"""Who is on the page: one visit a browser page, forgotten when the page is closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from empathic_sdk import (
    EmotionAwareAgent,
    EmpathicError,
    HelpLine,
    SafetyLevel,
    SentenceEvent,
    StateEvent,
    TurnEvent,
)
from empathic_sdk.demo.chart import Point
from empathic_sdk.demo.panels import WORDS, Bubble
from empathic_sdk.errors import outline
from empathic_sdk.types import StreamEvent

IDLE_S = 2 * 3600.0
"""A page of which nothing was heard for so long counts as closed."""

_log = logging.getLogger(__name__)


@dataclass
class Visit:
    """What one page shows.

    Attributes:
        user: The person's name in the agent's store.
        conversation: The talk's name there.
        kept: Whether the person outlasts the page (they logged in, and the store is a file).
        bubbles: Both sides' messages.
        points: What each of the person's messages showed.
        help_lines: Every line shown in this talk.
        turn_id: The last finished turn, which corrections are about.
        gone: Forgotten; nothing of it may be shown any more.
        recording: The agent's work on a message that may not be recorded yet.
    """

    user: str
    conversation: str
    kept: bool = False
    bubbles: list[Bubble] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    help_lines: list[HelpLine] = field(default_factory=list)
    turn_id: str | None = None
    gone: bool = False
    recording: asyncio.Future[StreamEvent] | None = None
    used: float = field(default_factory=time.monotonic)

    def take(self, event: StreamEvent) -> None:
        """Add what an event of the answer to the last message brought."""
        answer = self.bubbles[-1]
        if isinstance(event, StateEvent):
            state = event.emotion
            point = Point(WORDS[state.label], state.label, state.valence, state.uncertain)
            self.points.append(point)
            if event.safety.level is not SafetyLevel.NONE:
                new = [line for line in event.safety.help_lines if line not in self.help_lines]
                self.help_lines += new
        elif isinstance(event, SentenceEvent):
            answer.sentences.append(event.text)
        elif isinstance(event, TurnEvent):
            answer.writing = False
            self.turn_id = event.turn.id


class Visits:
    """The visits to one app.

    Args:
        agent: Who the visitors talk with.
    """

    def __init__(self, agent: EmotionAwareAgent) -> None:
        self._agent = agent
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def of(self, request: Any) -> Visit:
        """Return the visit of the page that a Gradio request came from."""
        page = str(request.session_hash)
        visit = self._visits.get(page)
        if visit is None:
            login = getattr(request, "username", None)
            kept = bool(login) and self._agent.profiles.path is not None
            user = f"login-{login}" if kept else f"visitor-{page}"
            visit = self._visits[page] = Visit(user, page, kept)
        self._visits.move_to_end(page)
        visit.used = time.monotonic()
        return visit

    async def answer(self, visit: Visit, text: str) -> AsyncIterator[StreamEvent]:
        """Stream the agent's events into the visit, and pass each on.

        Closing the page meanwhile does not tear a turn: it is recorded, then erased as a whole.
        """
        if visit.gone:
            return
        events = self._agent.astream(text, user=visit.user, conversation=visit.conversation)
        async with aclosing(events) as stream:  # type: ignore[type-var]
            visit.recording = asyncio.ensure_future(anext(stream))
            first = await asyncio.shield(visit.recording)
            visit.take(first)
            yield first
            async for event in stream:
                visit.take(event)
                yield event

    async def forget(self, request: Any) -> tuple[Visit, int]:
        """Erase the person and start the page afresh; return the new visit and erased turns."""
        old = self.of(request)
        removed = await self._erase(old)
        self._visits.pop(str(request.session_hash), None)
        return self.of(request), removed

    async def leave(self, request: Any) -> None:
        """End the visit of a page that was closed; only who logged in may be kept."""
        await self._end(str(request.session_hash))
        for page, visit in list(self._visits.items()):
            if time.monotonic() - visit.used <= IDLE_S:
                break
            await self._end(page)

    async def _end(self, page: str) -> None:
        visit = self._visits.pop(page, None)
        if visit is None:
            return
        visit.gone = True
        if not visit.kept:
            try:
                await self._erase(visit)
            except EmpathicError as error:
                _log.error("a visitor who left could not be erased: %s", outline(error))

    async def _erase(self, visit: Visit) -> int:
        visit.gone = True
        if visit.recording is not None and not visit.recording.done():
            await asyncio.wait([visit.recording])
        return await asyncio.to_thread(self._agent.profiles.erase, visit.user)
