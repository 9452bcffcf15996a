"""Visits: one per browser page, erased when the page is closed."""

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
from empathic_sdk.demo.guard import SCOPE, Bound
from empathic_sdk.demo.panels import Bubble
from empathic_sdk.demo.wording import WORDS
from empathic_sdk.errors import outline
from empathic_sdk.types import StreamEvent

IDLE_S = 2 * 3600.0
"""Seconds without a request after which a page counts as closed."""

MOST_VISITS = 5_000
"""Pages at once."""
MOST_PAGES = 16
"""Pages of one visitor at once."""

_log = logging.getLogger(__name__)


@dataclass
class ShownConversation:
    """What one tab of one page shows.

    Attributes:
        conversation: The conversation's name in the agent's store.
        bubbles: Both sides' messages.
        points: What each of the person's messages showed.
        help_lines: Every line shown in this conversation.
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


class VisitError(EmpathicError):
    """A request that belongs to no visit, or to somebody else's."""


@dataclass
class Visit:
    """One page.

    Attributes:
        user: The person's name in the store.
        page: The server's name of the page.
        visitor: The signed cookie's name; several pages of one browser have the same.
        login: Who logged in, if anybody did.
        kept: Whether the person outlasts the page (they logged in, and the store is a file).
        conversations: What each tab shows, by the tab's name.
        last: Name of the tab that answered last.
        gone: Forgotten; nothing of it may be shown any more.
        recording: Agents' work on messages that may not be recorded yet.
    """

    user: str
    page: str
    visitor: str
    login: str | None = None
    kept: bool = False
    conversations: dict[str, ShownConversation] = field(default_factory=dict)
    last: str | None = None
    gone: bool = False
    recording: set[asyncio.Future[StreamEvent]] = field(default_factory=set)
    used: float = field(default_factory=time.monotonic)

    def conversation(self, tab: str) -> ShownConversation:
        """Return what a tab shows."""
        if tab not in self.conversations:
            self.conversations[tab] = ShownConversation(f"{tab}-{self.page}")
        return self.conversations[tab]


class Visits:
    """The visits to one app.

    Args:
        profiles: Where the agents remember people.
        most: Visits at once; beyond it newcomers are asked to come back later.
    """

    def __init__(self, profiles: ProfileStore, *, most: int = MOST_VISITS) -> None:
        self._profiles, self._most = profiles, most
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def of(self, request: Any) -> Visit:
        """Return the visit of the page that a Gradio request came from.

        The name that the browser gave its page opens nothing: the guard must have found the
        request's cookie to be one of this server's, and the page to be that visitor's.

        Raises:
            VisitError: The request did not come through the guard, is about a page of somebody
                else, or comes from another login than the page; or there are too many visits.
        """
        bound = bound_of(request)
        login = getattr(request, "username", None) or None
        visit = self._visits.get(bound.page)
        if visit is None:
            visit = self._begin(bound, login)
        if (visit.visitor, visit.login) != (bound.visitor, login):
            raise VisitError("This page belongs to somebody else. Please open it anew.")
        self._visits.move_to_end(bound.page)
        visit.used = time.monotonic()
        return visit

    def _begin(self, bound: Bound, login: str | None) -> Visit:
        mine = [page for page, v in self._visits.items() if v.visitor == bound.visitor]
        if len(self._visits) >= self._most or len(mine) >= MOST_PAGES:
            raise VisitError("There are too many visitors at the moment. Please come back later.")
        kept = login is not None and self._profiles.path is not None
        user = f"login-{login}" if kept else f"visitor-{bound.page}"
        visit = Visit(user, bound.page, bound.visitor, login, kept)
        self._visits[bound.page] = visit
        return visit

    def consents(self, visit: Visit) -> frozenset[Modality]:
        """Return what the person lets be processed."""
        return self._profiles.get(visit.user).consents

    async def answer(
        self, agent: EmotionAwareAgent, visit: Visit, tab: str, said: Utterance, answer: Bubble
    ) -> AsyncIterator[StreamEvent]:
        """Stream the agent's events into the visit, and pass each on.

        Closing the page meanwhile does not tear a turn: it is recorded, then erased as a whole.
        """
        if visit.gone:
            return
        shown = visit.conversation(tab)
        visit.last = tab
        events = agent.astream(said, user=visit.user, conversation=shown.conversation)
        async with aclosing(events) as stream:  # type: ignore[type-var]
            recording = asyncio.ensure_future(anext(stream))
            visit.recording.add(recording)
            recording.add_done_callback(visit.recording.discard)
            first = await asyncio.shield(recording)
            shown.take(first, answer)
            yield first
            async for event in stream:
                shown.take(event, answer)
                yield event

    async def forget(self, request: Any) -> tuple[Visit, int]:
        """Erase the person and start the page afresh; return the new visit and erased turns."""
        old = self.of(request)
        removed = await self._erase(old)
        self._visits.pop(old.page, None)
        return self.of(request), removed

    async def leave(self, request: Any) -> None:
        """End the visit of a page that was closed; only who logged in may be kept."""
        bound = bound_of(request)
        visit = self._visits.get(bound.page)
        if visit is not None and visit.visitor == bound.visitor:
            await self._end(bound.page)
        await self.end_idle()

    async def end_idle(self) -> None:
        """End the visits of idle pages."""
        for page, visit in list(self._visits.items()):
            if time.monotonic() - visit.used <= IDLE_S:
                break
            await self._end(page)

    async def end_of(self, visitor: str) -> None:
        """End every visit of somebody who logs out."""
        for page in [page for page, v in self._visits.items() if v.visitor == visitor]:
            await self._end(page)

    async def end_all(self) -> None:
        """End every visit: the server stops."""
        for page in list(self._visits):
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


def bound_of(request: Any) -> Bound:
    """Return whom the guard found a Gradio request to belong to.

    Raises:
        VisitError: It did not come through the guard, or names another page than the guard saw.
    """
    inner = getattr(request, "request", None)
    bound = getattr(inner, "scope", {}).get(SCOPE)
    if not isinstance(bound, Bound) or not bound.visitor or bound.page != request.session_hash:
        raise VisitError("This request belongs to no visit. Please open the page anew.")
    return bound
