"""Runs concurrent turns: blocking, asynchronous and streamed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from empathic_sdk.errors import debugging
from empathic_sdk.monitoring.alerts import AlertHook, alert_of, tell
from empathic_sdk.monitoring.longitudinal import Watch
from empathic_sdk.profiles.checks import check_name
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.runtime.lanes import Lane, Workers
from empathic_sdk.turn.conversations import Conversations
from empathic_sdk.turn.engine import Hooks
from empathic_sdk.turn.lifecycle import Lifecycle, closed
from empathic_sdk.turn.loops import PendingHooks, on_loop
from empathic_sdk.turn.proposals import Proposals
from empathic_sdk.turn.sharing import UnnamedUser
from empathic_sdk.turn.stateful import FinishedTurn, StatefulTurns
from empathic_sdk.turn.streaming import (
    astream_finished,
    astream_live,
    stream_finished,
    stream_live,
)
from empathic_sdk.types import StreamEvent, Utterance
from empathic_sdk.types.protocols import Store

Result = TypeVar("Result")


class TurnService:
    """Runs the turns of an agent, and what follows each: proposals and alerts.

    Args:
        turns: Processes the turns.
        store: Remembers people.
        conversations: The live conversations.
        proposals: Receives the proposals of turns.
        watch: Monitors people's days.
        hooks: The caller's hooks.
        on_alert: The caller's alert function.
        live: Whether sentences can be shown while the rest is still being written.
        idle_s: Seconds of silence after which a conversation counts as over.
        debug: Whether errors of the caller's own parts are logged in full.
    """

    def __init__(
        self,
        *,
        turns: StatefulTurns,
        store: Store,
        conversations: Conversations,
        proposals: Proposals,
        watch: Watch,
        hooks: Hooks,
        on_alert: AlertHook | None,
        live: bool,
        idle_s: float = 1800.0,
        debug: bool = False,
    ) -> None:
        self._turns = turns
        self._store = store
        self._conversations = conversations
        self._proposals = proposals
        self._watch = watch
        self._hooks = hooks
        self._on_alert = on_alert
        self._live = live
        self._debug = debug
        self._unnamed = UnnamedUser(idle_s=idle_s)
        self._lifecycle = Lifecycle()
        self._workers = Workers("empathic-turn")
        self._alert_lane = Lane()

    def busy(self) -> contextlib.AbstractContextManager[None]:
        """Delay closing until the block is done; errors as ``Lifecycle.busy``."""
        return self._lifecycle.busy()

    async def in_thread(self, call: Callable[[], Result]) -> Result:
        """Return the result of a blocking call; errors as ``Lifecycle.busy``."""
        self._lifecycle.check_process()
        try:
            return await self._workers.run(call)
        except RuntimeError as error:
            if self._lifecycle.closed:  # the pool's own message would not help
                raise closed() from error
            raise

    def run(
        self,
        utterance: Utterance | str,
        user: str,
        conversation: str | None,
        live: Live | None = None,
    ) -> FinishedTurn:
        """Take one turn on this thread."""
        return self._run(utterance, user, conversation, self._hooks, self._on_alert, live)

    async def arun(
        self,
        utterance: Utterance | str,
        user: str,
        conversation: str | None,
        live: Live | None = None,
    ) -> FinishedTurn:
        """Take one turn on a worker thread; coroutine hooks run on the caller's loop."""
        live = live or Live()
        loop = asyncio.get_running_loop()
        pending = PendingHooks()
        hooks = Hooks(
            tone=on_loop(self._hooks.tone, loop, pending),
            pacing=on_loop(self._hooks.pacing, loop, pending),
            theme=on_loop(self._hooks.theme, loop, pending),
        )
        alert = on_loop(self._on_alert, loop, pending)
        call = functools.partial(self._run, utterance, user, conversation, hooks, alert, live)
        try:
            return await self.in_thread(call)
        except asyncio.CancelledError:
            live.give_up()
            pending.cancel()  # or the worker would wait for hooks in vain
            raise

    def stream(
        self, utterance: Utterance | str, user: str, conversation: str | None
    ) -> Iterator[StreamEvent]:
        """Yield the events of one turn; it starts when the first is requested."""
        if self._live and not self._lifecycle.inside:
            yield from stream_live(lambda live: self._submit(utterance, user, conversation, live))
        else:
            yield from stream_finished(self.run(utterance, user, conversation))

    async def astream(
        self, utterance: Utterance | str, user: str, conversation: str | None
    ) -> AsyncGenerator[StreamEvent, None]:
        """:meth:`stream` for event loops."""
        if self._live:
            events = astream_live(lambda live: self.arun(utterance, user, conversation, live))
        else:
            events = astream_finished(await self.arun(utterance, user, conversation))
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    def close(self) -> bool:
        """Wait for turns under way; return whether this call is the one that closes.

        Raises:
            ReentrancyError: The caller is part of a turn: it would wait for itself.
        """
        if not self._lifecycle.begin_closing():
            return False
        self._workers.shutdown()
        self._lifecycle.wait()
        return True

    def _run(
        self,
        utterance: Utterance | str,
        user: str,
        conversation: str | None,
        hooks: Hooks,
        on_alert: AlertHook | None,
        live: Live | None,
    ) -> FinishedTurn:
        with self._lifecycle.busy(), debugging(self._debug):
            said = Utterance.of(utterance)
            check_name(user, "user")  # before anything is kept under it
            name = self._conversations.name(user, conversation, self._store.session)
            with self._unnamed.turn(user, name, live):
                outcome = self._turns.take(
                    said, user=user, conversation=name, hooks=hooks, live=live
                )
            self._proposals.note(outcome.turn)
            if on_alert is not None:
                if (alert := alert_of(outcome.turn.safety)) is not None:
                    tell(on_alert, alert, self._alert_lane)
                if (warning := self._watch.due(user)) is not None:
                    tell(on_alert, warning, self._alert_lane)
            return outcome

    def _submit(
        self, utterance: Utterance | str, user: str, conversation: str | None, live: Live
    ) -> Future[FinishedTurn]:
        self._lifecycle.check_process()
        try:
            return self._workers.submit(
                functools.partial(self.run, utterance, user, conversation, live)
            )
        except RuntimeError as error:
            raise closed() from error
