"""Looking for a text in every byte of every file of a store."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def searching(path: Path) -> Iterator[Searcher]:
    """Give a searcher; close what it opened at the end, when the stores should be closed.

    Closing a descriptor of a file drops this process's POSIX locks on it, so nothing may be
    closed while a store is open in this process.
    """
    searcher = Searcher(path)
    try:
        yield searcher
    finally:
        for descriptor in searcher.descriptors:
            os.close(descriptor)


class Searcher:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptors: list[int] = []

    def finds(self, text: str) -> bool:
        everything = b"\0".join(self._read(file) for file in self._files())
        return any(form in everything for form in forms(text))

    def _files(self) -> list[Path]:
        found = sorted(self.path.parent.glob(self.path.name + "*"))
        assert self.path in found
        return found

    def _read(self, file: Path) -> bytes:
        descriptor = os.open(file, os.O_RDONLY)
        self.descriptors.append(descriptor)
        return os.pread(descriptor, 1 << 26, 0)


def forms(text: str) -> list[bytes]:
    """How a text may lie in a file: UTF-8, escaped JSON, UTF-16, base64 at each alignment."""
    plain = text.encode()
    found = [plain, text.encode("unicode_escape"), text.encode("utf-16-le")]
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + plain)
        # The first group mixes with what stands before, the last with what comes after.
        end = len(encoded) if (offset + len(plain)) % 3 == 0 else -4
        found.append(encoded[4 if offset else 0 : end])
    assert min(map(len, found)) >= 8, f"{text} is too short to be found only where it is"
    return found
