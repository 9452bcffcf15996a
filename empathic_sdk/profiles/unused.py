"""Overwrites unused bytes of the file in place, while others read and write.

SQLite zeroes what it deletes (``secure_delete``), but not everything: when it moves rows from a
page to its neighbours, a copy of them stays behind in the middle of the page, and outlives the
rows. Rewriting the whole file (``VACUUM``) removes such copies and holds every writer up for as
long as that takes. This zeroes them where they are.

It writes to the database file without SQLite, so two conditions must hold: the write lock is held,
so nobody commits; and everything committed is in the file and no longer in the log, so nobody
copies pages from there. Then nothing else changes the file, and nobody reads the changed bytes:
unused bytes have no meaning, even after a crash half-way. Each step ends
with a commit, so that no process keeps a page in memory from before and writes old bytes back with
it.

(The format: https://sqlite.org/fileformat2.html#b_tree_pages)
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from types import TracebackType
from typing import TypeVar

from sqlite_utils import Database

from empathic_sdk.profiles.explained import is_kind

_STEP_S = 0.03  # how long the turn to write is held
_BLOCK = 1 << 20
_LOCKED_PAGE_AT = 1 << 30  # SQLite keeps its locks there, and nothing else
_PAGE_KINDS = {2: 12, 5: 12, 10: 8, 13: 8}  # first byte of a b-tree page: length of its header
_HEAD = Struct(">BHHHB")  # kind, first free block, cells, where their content starts, fragments
_PAIR = Struct(">HH")
_LIST = Struct(">II")
_Span = tuple[int, int]
_Found = TypeVar("_Found")


class Scrubber:
    """Zeroes the unused bytes of one file.

    Args:
        connect: Makes a connection that may write.
        descriptor: Of the database file, to read and write at an offset.
    """

    def __init__(self, connect: Callable[[], Database], descriptor: int) -> None:
        self._file = descriptor
        self._writer, self._checkpointer = connect(), connect()
        for db in (self._writer, self._checkpointer):
            db.execute("PRAGMA busy_timeout = 50").fetchall()
        self._size: int = self._writer.execute("PRAGMA page_size").fetchone()[0]
        reserved = os.pread(descriptor, 21, 0)[20]
        self._usable = self._size - reserved

    def scrub(self, timeout_s: float, refusal: Callable[[float], Exception]) -> None:
        """Zero what is unused now; call it when what was deleted is in the file.

        Args:
            timeout_s: Seconds to wait for readers of an older state.
            refusal: Makes the error for one that reads for longer.
        """
        free = self._step(self._free_pages, timeout_s, refusal)
        left = list(self._unclean(free))
        while left:
            done = self._step(lambda: self._zero(left), timeout_s, refusal)
            del left[:done]
        os.fsync(self._file)

    def _step(
        self,
        work: Callable[[], _Found],
        timeout_s: float,
        refusal: Callable[[float], Exception],
    ) -> _Found:
        """Do a little while the file is at rest."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._checkpoint()  # first without holding anybody up
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_kind(error, sqlite3.SQLITE_BUSY) or time.monotonic() >= deadline:
                    raise
                continue
            try:
                if self._checkpoint():
                    found = work()
                    self._writer.execute("UPDATE upkeep SET scrubs = scrubs + 1")
                    self._writer.execute("COMMIT")
                    return found
            finally:
                if self._writer.conn.in_transaction:
                    self._writer.execute("ROLLBACK")
            if time.monotonic() >= deadline:
                raise refusal(timeout_s)
            time.sleep(0.01)

    def _checkpoint(self) -> bool:
        """Copy what is committed into the file; return whether that is all of it."""
        found = self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        busy, in_log, copied = found
        return not busy and in_log == copied

    def _unclean(self, free: dict[int, int]) -> Iterator[int]:
        """Give the numbers of pages with unused bytes that are not zero, without any lock.

        What was deleted before stays where it was until it is zeroed, and later writers only make
        copies of what is there: so a page that is clean now needs no second look.
        """
        size = os.fstat(self._file).st_size
        per_block = max(1, _BLOCK // self._size)
        for start in range(0, size, per_block * self._size):
            block = os.pread(self._file, per_block * self._size, start)
            for offset in range(0, len(block) - self._size + 1, self._size):
                page = block[offset : offset + self._size]
                number = (start + offset) // self._size + 1
                if any(_is_dirty(page, span) for span in self._unused(number, page, free)):
                    yield number

    def _zero(self, numbers: list[int]) -> int:
        """Zero the unused bytes of the first so many pages; return of how many."""
        end = time.monotonic() + _STEP_S
        free = self._free_pages()
        for done, number in enumerate(numbers, 1):
            at = (number - 1) * self._size
            page = os.pread(self._file, self._size, at)
            if len(page) == self._size:
                for span in self._unused(number, page, free):
                    if _is_dirty(page, span):
                        os.pwrite(self._file, bytes(span[1] - span[0]), at + span[0])
            if time.monotonic() >= end:
                return done
        return len(numbers)

    def _unused(self, number: int, page: bytes, free: dict[int, int]) -> Iterable[_Span]:
        """Return where a page holds nothing."""
        if number in free:
            return [(free[number], self._size)]
        start = 100 if number == 1 else 0
        length = _PAGE_KINDS.get(page[start])
        if length is None or (number - 1) * self._size == _LOCKED_PAGE_AT:
            return []  # content of a value that fills pages of its own
        _, block, cells, content, _ = _HEAD.unpack_from(page, start)
        pointers_end = start + length + 2 * cells
        content = content or 65536
        if not pointers_end <= content <= self._usable:
            return []
        spans = [(pointers_end, content)]
        while block:  # the place of a deleted cell, linked to the next; in rising order
            if not content <= block <= self._usable - 4:
                return []
            following, size = _PAIR.unpack_from(page, block)
            if block + size > self._usable or (following and following < block + size):
                return []
            spans.append((block + 4, block + size))
            block = following
        return spans

    def _free_pages(self) -> dict[int, int]:
        """Return the pages in which nothing is, and from which byte on."""
        free: dict[int, int] = {}
        trunk = int.from_bytes(os.pread(self._file, 4, 32), "big")
        while trunk and trunk not in free:  # a page that lists others, and the next such page
            page = os.pread(self._file, self._usable, (trunk - 1) * self._size)
            following, count = _LIST.unpack_from(page)
            count = min(count, self._usable // 4 - 2)
            free[trunk] = _LIST.size + 4 * count
            free |= dict.fromkeys(struct.unpack_from(f">{count}I", page, _LIST.size), 0)
            trunk = following
        return free

    def __enter__(self) -> Scrubber:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._checkpointer.close()


def _is_dirty(page: bytes, span: _Span) -> bool:
    part = page[span[0] : span[1]]
    return part.count(0) != len(part)
