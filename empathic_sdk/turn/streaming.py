"""Streams the events of a turn: paced if finished, live if a model is still writing."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any

from empathic_sdk.responders.cancellable import Live
from empathic_sdk.turn.pacing import PaceClock, paced
from empathic_sdk.turn.stateful import FinishedTurn
from empathic_sdk.types import StreamEvent, TurnEvent


def stream_finished(outcome: FinishedTurn) -> Iterator[StreamEvent]:
    """Yield the events of a finished turn at its style's pace."""
    for wait, event in paced(outcome):
        time.sleep(wait)
        yield event


async def astream_finished(outcome: FinishedTurn) -> AsyncGenerator[StreamEvent, None]:
    """:func:`stream_finished` for event loops."""
    for wait, event in paced(outcome):
        await asyncio.sleep(wait)
        yield event


def stream_live(start: Callable[[Live], Future[FinishedTurn]]) -> Iterator[StreamEvent]:
    """Yield what a language model writes while it writes.

    Args:
        start: Starts the turn on another thread. If the consumer stops, it is cancelled.
    """
    events: queue.SimpleQueue[StreamEvent | None] = queue.SimpleQueue()
    live = Live(events.put)
    done = start(live)
    done.add_done_callback(lambda _: events.put(None))
    clock = PaceClock()
    try:
        while (event := events.get()) is not None:
            time.sleep(clock.wait(event))
            yield event
        yield TurnEvent(turn=done.result().turn)
    finally:
        live.give_up()


async def astream_live(
    start: Callable[[Live], Coroutine[Any, Any, FinishedTurn]],
) -> AsyncGenerator[StreamEvent, None]:
    """:func:`stream_live` for event loops."""
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()

    def put(event: StreamEvent) -> None:
        with contextlib.suppress(RuntimeError):  # the caller's loop has ended
            loop.call_soon_threadsafe(events.put_nowait, event)

    live = Live(put)
    run = asyncio.ensure_future(start(live))

    def ended(task: asyncio.Future[FinishedTurn]) -> None:
        if not task.cancelled():
            task.exception()  # retrieved, in case nobody awaits it
        events.put_nowait(None)

    run.add_done_callback(ended)
    clock = PaceClock()
    try:
        while (event := await events.get()) is not None:
            await asyncio.sleep(clock.wait(event))
            yield event
        yield TurnEvent(turn=(await run).turn)
    finally:
        live.give_up()
        run.cancel()
