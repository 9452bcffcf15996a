"""Batching: joins simultaneous calls from several threads into one call of the network."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from empathic_sdk.runtime.processes import renew_in_children

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Runs ``work`` for one caller at a time, on all items waiting at that moment.

    One of the callers computes for all who wait; it has no thread of its own that would keep the
    network alive. A single caller does not wait.

    Args:
        work: Maps a list of items to a list of results of the same length.
        largest: Maximum number of items per call.
    """

    def __init__(
        self, work: Callable[[list[Item]], Sequence[Result]], *, largest: int = 64
    ) -> None:
        self._work = work
        self._largest = largest
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Start afresh, in a forked child: whoever computed in the parent does not exist here."""
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._lock = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """Return the results of ``items``, in their order."""
        entries: list[tuple[Item, Future[Result]]] = [(item, Future()) for item in items]
        self._waiting.extend(entries)
        with self._lock:
            while not all(future.done() for _, future in entries):
                self._compute()
        return [future.result() for _, future in entries]

    def _compute(self) -> None:
        """Compute what waits; each caller gets an error of the batch that its items were in."""
        batch = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
        try:
            results = self._work([item for item, _ in batch])
        except Exception as error:
            for _, future in batch:
                future.set_exception(error)
            return
        except BaseException:  # this caller is interrupted; the others must not wait for ever
            for _, future in batch:
                future.set_exception(RuntimeError("the call that computed for all was interrupted"))
            raise
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
