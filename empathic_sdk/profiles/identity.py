"""Checks that the file at a path is still the one that was opened, and complete.

SQLite goes on writing to a file that was deleted, moved away or replaced: every commit succeeds,
and its data are lost. So each transaction checks, before it begins and before it reports success,
whether the path and its log still lead to the files that are open.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from empathic_sdk.errors import StoreCorruptError, StoreError
from empathic_sdk.profiles.wal import pages_in
from empathic_sdk.runtime.processes import ForkLock

_PATIENCE_S = 1.0  # a checkpoint of another process that makes the file grow takes less
_Key = tuple[int, int]  # device and inode

# Closing any descriptor of a file drops every POSIX lock that this process has on it, so that each
# file has one, which is closed with the last store on it.
_DESCRIPTORS: dict[_Key, list[int]] = {}  # descriptor, how many stores use it
_GUARD = ForkLock()


class FileIdentity:
    """A descriptor of a store's file beside SQLite's own, and what must not change about it.

    Args:
        path: The file, which is there.
        encrypted: Whether SQLCipher wrote it; its header begins with a random salt then.

    Attributes:
        descriptor: Of the file, for ``os.pread`` and, where it may be written, ``os.pwrite``.
    """

    def __init__(self, path: Path, *, encrypted: bool) -> None:
        self.path = path
        self._encrypted = encrypted
        self._key, self.descriptor = _borrow(path)
        self._beside: dict[Path, _Key] = {}
        self._start = b""
        self._changes = 0
        self._whole = (0, 0)  # pages in the file and in all that were found complete
        self._closed = False

    def settle(self) -> None:
        """Record header and log once the store is open."""
        header = self._header()
        self._start = header[:16]
        self._changes = _number(header, 24, 28)
        for ending in ("-wal", "-shm"):
            companion = self.path.with_name(self.path.name + ending)
            key = _key(companion)
            if key is not None:
                self._beside[companion] = key

    def check(self) -> None:
        """Raise if the file or its log is no longer the open one.

        Raises:
            StoreCorruptError: It was deleted, moved away, replaced, cut short or overwritten.
        """
        for path, known in ((self.path, self._key), *self._beside.items()):
            found = _key(path)
            if found != known:
                what = "the profile store" if path == self.path else "the log of the profile store"
                raise StoreCorruptError(
                    f"{what} {path} was "
                    f"{'deleted or moved away' if found is None else 'replaced by another file'} "
                    "while it was open, and what is recorded would be lost: nothing was "
                    "acknowledged. Put the files back or restore a backup, and open the store anew"
                )
        wrong = self._wrong()
        deadline = time.monotonic() + _PATIENCE_S
        while wrong is not None:  # or a checkpoint of another process is half-way
            if time.monotonic() >= deadline:
                raise StoreCorruptError(
                    f"the profile store {self.path} was {wrong} by other means while it was open; "
                    "close it everywhere and restore it from a backup"
                )
            time.sleep(0.005)
            wrong = self._wrong()

    def close(self) -> None:
        """Give the descriptor back; call it when SQLite has closed its own."""
        if not self._closed:
            self._closed = True
            _give_back(self._key)

    def _wrong(self) -> str | None:
        header = self._header()
        if header[:16] != self._start:
            return "cut short" if len(header) < 100 else "overwritten"
        if self._encrypted:
            return None
        if self._is_short(_number(header, 16, 18), _number(header, 28, 32)):
            return "cut short"
        changes = _number(header, 24, 28)
        if changes < self._changes:  # it counts up with every checkpoint
            return "overwritten"
        self._changes = changes
        return None

    def _is_short(self, page: int, pages: int) -> bool:
        """Say whether pages are neither in the file nor in its log.

        A checkpoint that had to stop for a reader may have brought over what comes before them.
        """
        page = 65536 if page == 1 else page
        there = os.fstat(self.descriptor).st_size // max(1, page)
        if there >= pages or (there, pages) == self._whole:
            return False
        found = pages_in(self.path.with_name(f"{self.path.name}-wal"))
        if not found.issuperset(range(there + 1, pages + 1)):
            return True
        self._whole = (there, pages)
        return False

    def _header(self) -> bytes:
        return os.pread(self.descriptor, 100, 0)


def _key(path: Path) -> _Key | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _number(header: bytes, start: int, end: int) -> int:
    return int.from_bytes(header[start:end], "big")


def _borrow(path: Path) -> tuple[_Key, int]:
    with _GUARD:
        key = _key(path)
        if key is None:
            raise StoreError(f"the profile store {path} was deleted while it was being opened")
        held = _DESCRIPTORS.get(key)
        if held is None:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:  # it can be read at most
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            held = _DESCRIPTORS[key] = [descriptor, 0]
        held[1] += 1
        return key, held[0]


def _give_back(key: _Key) -> None:
    with _GUARD:
        held = _DESCRIPTORS[key]
        held[1] -= 1
        if held[1] == 0:
            del _DESCRIPTORS[key]
            os.close(held[0])
