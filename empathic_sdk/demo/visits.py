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
    Modality,
    ProfileStore,
    SafetyLevel,
    SentenceEvent,
    StateEvent,
    Turn,
    TurnEvent,
    Utterance,
)
from empathic_sdk.demo.chart import Point
from empathic_sdk.demo.panels import Bubble
from empathic_sdk.demo.wording import WORDS
from empathic_sdk.errors import outline
from empathic_sdk.types import StreamEvent

IDLE_S = 2 * 3600.0
"""A page of which nothing was heard for so long counts as closed."""

_log = logging.getLogger(__name__)


@dataclass
class Talk:
    """What one room of one page shows.

    Attributes:
        conversation: The talk's name in the agent's store.
        bubbles: Both sides' messages.
        points: What each of the person's messages showed.
        help_lines: Every line shown in this talk.
        turn: The last finished turn, which corrections are about.
        busy: An answer is under way.
        began: When it began, for how long an answer took (``time.monotonic``).
    """

    conversation: str
    bubbles: list[Bubble] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    help_lines: list[HelpLine] = field(default_factory=list)
    turn: Turn | None = None
    busy: bool = False
    began: float = field(default_factory=time.monotonic)

    def take(self, event: StreamEvent, answer: Bubble) -> None:
        """Add what an event of an answer brought."""
        if isinstance(event, StateEvent):
            state = event.emotion
            self.points.append(
                Point(
                    WORDS[state.label], state.label, state.valence, state.arousal,
                    state.uncertain, state.shift,
                )
            )  # fmt: skip
            if event.safety.level is not SafetyLevel.NONE:
                new = [line for line in event.safety.help_lines if line not in self.help_lines]
                self.help_lines += new
        elif isinstance(event, SentenceEvent):
            answer.sentences.append(event.text)
        elif isinstance(event, TurnEvent):
            answer.writing = False
            self.turn = event.turn


@dataclass
class Visit:
    """One page.

    Attributes:
        user: The person's name in the store.
        page: Gradio's name of the page.
        kept: Whether the person outlasts the page (they logged in, and the store is a file).
        talks: What each room shows, by the room's name.
        last: Name of the room that answered last.
        gone: Forgotten; nothing of it may be shown any more.
        recording: Agents' work on messages that may not be recorded yet.
    """

    user: str
    page: str
    kept: bool = False
    talks: dict[str, Talk] = field(default_factory=dict)
    last: str | None = None
    gone: bool = False
    recording: set[asyncio.Future[StreamEvent]] = field(default_factory=set)
    used: float = field(default_factory=time.monotonic)

    def talk(self, room: str) -> Talk:
        """Return what a room shows."""
        if room not in self.talks:
            self.talks[room] = Talk(f"{room}-{self.page}")
        return self.talks[room]


class Visits:
    """The visits to one app.

    Args:
        profiles: Where the agents remember people.
    """

    def __init__(self, profiles: ProfileStore) -> None:
        self._profiles = profiles
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def of(self, request: Any) -> Visit:
        """Return the visit of the page that a Gradio request came from."""
        page = str(request.session_hash)
        visit = self._visits.get(page)
        if visit is None:
            login = getattr(request, "username", None)
            kept = bool(login) and self._profiles.path is not None
            user = f"login-{login}" if kept else f"visitor-{page}"
            visit = self._visits[page] = Visit(user, page, kept)
        self._visits.move_to_end(page)
        visit.used = time.monotonic()
        return visit

    def consents(self, visit: Visit) -> frozenset[Modality]:
        """Return what the person lets be processed."""
        return self._profiles.get(visit.user).consents

    async def answer(
        self, agent: EmotionAwareAgent, visit: Visit, room: str, said: Utterance, answer: Bubble
    ) -> AsyncIterator[StreamEvent]:
        """Stream the agent's events into the visit, and pass each on.

        Closing the page meanwhile does not tear a turn: it is recorded, then erased as a whole.
        """
        if visit.gone:
            return
        talk = visit.talk(room)
        visit.last = room
        events = agent.astream(said, user=visit.user, conversation=talk.conversation)
        async with aclosing(events) as stream:  # type: ignore[type-var]
            recording = asyncio.ensure_future(anext(stream))
            visit.recording.add(recording)
            recording.add_done_callback(visit.recording.discard)
            first = await asyncio.shield(recording)
            talk.take(first, answer)
            yield first
            async for event in stream:
                talk.take(event, answer)
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
        if visit.recording:
            await asyncio.wait(visit.recording)
        return await asyncio.to_thread(self._profiles.erase, visit.user)
