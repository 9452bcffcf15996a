"""What erasing people from a large store costs those who read and write meanwhile."""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from empathic_sdk.lab.benchmarks.harness import quantile, timed
from empathic_sdk.lab.benchmarks.store import SESSION, a_turn, fill


def bench_erasure(
    *, users: int, turns: int, erased: int = 5, folder: Path | None = None, seed: int = 1
) -> dict[str, Any]:
    """Return what erasing people costs those who read and write meanwhile.

    One thread looks somebody up and another records, both without pause but for a millisecond.

    Args:
        users: People.
        turns: Of all of them together.
        erased: How many people are erased, one after the other.
        folder: Where the file goes, and is deleted from afterwards; a temporary one.
        seed: Of the file.

    Returns:
        ``file_mb``; ``erase_p50_s erase_max_s``: how long the call takes; milliseconds of the
        others meanwhile: ``get_p50_ms get_p95_ms``, ``blocked_ms`` (the longest
        look-up; ``quiet_ms`` in the three seconds before), ``record_p50_ms record_max_ms``;
        ``memory_mb``: what the process grew by at most; ``left_bytes``: how often the names of
        those erased are still anywhere in the files.
    """
    from empathic_sdk import ProfileStore

    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "profiles.db"
        # In a process of its own: filling takes memory that would hide what erasing takes.
        filling = multiprocessing.get_context("spawn").Process(
            target=fill, args=(path,), kwargs={"users": users, "turns": turns, "seed": seed}
        )
        filling.start()
        filling.join()
        gone = [f"user-{n}" for n in range(users - erased, users)]
        with ProfileStore(path, timeout_s=60.0) as store:
            stop = threading.Event()
            session = b"s" * SESSION
            reads: list[float] = []
            writes: list[float] = []
            threads = [
                threading.Thread(target=_until, args=(stop, reads, lambda n: store.get("user-1"))),
                threading.Thread(
                    target=_until,
                    args=(
                        stop,
                        writes,
                        lambda n: store.record(a_turn(f"new-{n}", "user-2", n), session=session),
                    ),
                ),
            ]
            for thread in threads:
                thread.start()
            time.sleep(3.0)
            quiet = max(reads)
            memory = _memory_mb()
            reads.clear()
            writes.clear()
            try:
                taken = timed(lambda n: store.erase(gone[n]), erased)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            grown = _memory_mb() - memory
            size = path.stat().st_size
        # A name stands in an index between numbers, so that none is the beginning of another.
        left = sum(
            content.count(f"{name}2024-01-01T".encode())
            for content in (p.read_bytes() for p in Path(place).iterdir())
            for name in gone
        )
    return {
        "users": users, "turns": turns, "erased": erased, "file_mb": size / 1e6,
        "erase_p50_s": taken.p50 / 1e3, "erase_max_s": max(taken.wall) / 1e3,
        "get_p50_ms": quantile(reads, 50), "get_p95_ms": quantile(reads, 95),
        "blocked_ms": max(reads), "record_p50_ms": quantile(writes, 50),
        "record_max_ms": max(writes), "quiet_ms": quiet, "memory_mb": grown, "left_bytes": left,
    }  # fmt: skip


def _until(stop: threading.Event, taken: list[float], call: Callable[[int], object]) -> None:
    for n in itertools.count():
        if stop.is_set():
            return
        start = time.perf_counter()
        call(n)
        taken.append((time.perf_counter() - start) * 1e3)
        time.sleep(0.001)


def _memory_mb() -> float:
    """Return the most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
