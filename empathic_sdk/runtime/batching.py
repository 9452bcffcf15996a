"""Batching: joins simultaneous calls from several threads into one call of the network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from empathic_sdk.runtime.processes import renew_in_children

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Runs ``work`` in its own thread, on all items waiting at that moment.

    It uses one thread because PyTorch keeps a thread pool for every thread that calls it: thirty
    threads calling at once on two cores slow each other down. A single caller does not wait.

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
        """Start afresh, in a forked child: the thread of the parent does not exist here."""
        self._queue: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._serving = False

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """Return the results of ``items``, in their order."""
        self._ensure_thread()
        futures: list[Future[Result]] = [Future() for _ in items]
        for entry in zip(items, futures, strict=True):
            self._queue.put(entry)
        return [f.result() for f in futures]

    def _ensure_thread(self) -> None:
        if self._serving:
            return
        with self._lock:
            if not self._serving:
                threading.Thread(
                    target=self._serve, args=(self._queue,), name="empathic-encoder", daemon=True
                ).start()
                self._serving = True

    def _serve(self, queue: SimpleQueue[tuple[Item, Future[Result]]]) -> None:
        while True:
            waiting = [queue.get()]
            while len(waiting) < self._largest:
                try:
                    waiting.append(queue.get_nowait())
                except Empty:
                    break
            try:
                results = self._work([item for item, _ in waiting])
            except Exception as error:  # handed to every caller, raised in their threads
                for _, future in waiting:
                    future.set_exception(error)
                continue
            for (_, future), result in zip(waiting, results, strict=True):
                future.set_result(result)
