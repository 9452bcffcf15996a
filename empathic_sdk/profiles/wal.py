"""Finds damage in a write-ahead log, after which SQLite would silently drop the rest.

After a crash SQLite replays the log up to the first frame whose checksum is wrong and takes that
for its end: one damaged bit, and every transaction from there on is gone, or worse, older pages
cover newer ones that a checkpoint had brought over. But frames are written one after the other and
reach the disk with every commit, so that whole transactions *behind* a wrong frame say that it was
not the end. (The format: https://sqlite.org/fileformat2.html#walformat)
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from operator import mul
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MAGIC = 0x377F0682  # the last bit says that checksums read big-endian words
_HEADER, _FRAME = 32, 24
_MASK = 0xFFFFFFFF
_LOOKS, _PAUSE_S = 3, 0.03
_Sums = tuple[int, int]


class LogState(NamedTuple):
    """What follows the first frame that SQLite would not read.

    Attributes:
        lost: Whole transactions there: 0 where the log is sound.
        certain: Whether this is damage. A single transaction, and more than one bit of it wrong,
            may also be the last one, which was being written when the power failed.
        frame: Which frame is wrong, -1 for the header.
    """

    lost: int = 0
    certain: bool = False
    frame: int = 0


SOUND = LogState()


def inspect(log: Path) -> LogState:
    """Look through a log; it may be in use, and need not be there."""
    found = _inspected(log)
    for _ in range(_LOOKS - 1):
        if found == SOUND:
            return SOUND
        # What another process is writing looks wrong, too, but not thrice in the same place.
        time.sleep(_PAUSE_S)
        again = _inspected(log)
        if again.frame != found.frame or again == SOUND:
            return SOUND
        found = again
    return found


def pages_in(log: Path) -> set[int]:
    """Return the numbers of the pages of which a log holds a newer form."""
    found: set[int] = set()
    with suppress(OSError), log.open("rb", buffering=0) as file:
        header = file.read(_HEADER)
        if len(header) == _HEADER:
            _, _, page, _, *salts = struct.unpack(">6I", header[:24])
            for at in range(_HEADER, log.stat().st_size - page, _FRAME + page):
                file.seek(at)
                number, _, *own = struct.unpack(">4I", file.read(16))
                if own != salts:
                    break
                found.add(number)
    return found


def _inspected(log: Path) -> LogState:
    try:
        with log.open("rb") as file:
            header = file.read(_HEADER)
            if len(header) < _HEADER:
                return SOUND
            return _walk(file, header, log.stat().st_size)
    except OSError:
        return SOUND  # deleted meanwhile, by whoever closed the store last


def _walk(file: BinaryIO, header: bytes, size: int) -> LogState:
    magic, _, page, _, *salts = struct.unpack(">6I", header[:24])
    order = ">" if magic & 1 else "<"
    seed = struct.unpack(">2I", header[24:])
    own = _summed(header[:24], (0, 0), order)
    if magic & ~1 == _MAGIC and own == seed and _is_page_size(page):
        return _tail(file, (salts[0], salts[1]), page, seed, order, size)
    return _behind_header(file, size, seed)


def _behind_header(file: BinaryIO, size: int, seed: _Sums) -> LogState:
    """A header that is wrong hides everything: say how much, if the first frame proves itself."""
    for page in (4096, 1024, 2048, 8192, 16384, 32768, 65536, 512):
        if size < _HEADER + _FRAME + page:
            continue
        file.seek(_HEADER)
        first, content = file.read(_FRAME), file.read(page)
        sums = struct.unpack(">2I", first[16:])
        starts = [seed, *(_summed(_rest(file), (0, 0), order) for order in "<>")]
        for order in "<>":
            if any(_frame_sums(first, content, s, order) == sums for s in starts):
                salts = struct.unpack(">2I", first[8:16])
                commits = sum(c for _, c in _commits(file, 0, (salts[0], salts[1]), page, size))
                return LogState(commits, True, -1) if commits else SOUND
    return SOUND


def _rest(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(24)


def _tail(file: BinaryIO, salts: _Sums, page: int, sums: _Sums, order: str, size: int) -> LogState:
    count = (size - _HEADER) // (_FRAME + page)
    file.seek(_HEADER)
    for index in range(count):
        head, content = file.read(_FRAME), file.read(page)
        sums = _frame_sums(head, content, sums, order)
        if struct.unpack(">2I", head[8:16]) != salts or struct.unpack(">2I", head[16:]) != sums:
            commits = sum(c for _, c in _commits(file, index, salts, page, size))
            off = _bits_between(struct.unpack(">2I", head[8:16]), salts)
            stored = struct.unpack(">2I", head[16:])
            one_bit = off == 1 if stored == sums else off == 0 and _is_one_bit(stored, sums, page)
            lost = max(commits, int(one_bit))
            return LogState(lost, one_bit or commits > 1, index) if lost else SOUND
    return SOUND


def _is_one_bit(stored: _Sums, found: _Sums, page: int) -> bool:
    """Say whether one flipped bit explains a wrong checksum: no write that was cut short does."""
    off = tuple((s - f) & _MASK for s, f in zip(stored, found, strict=True))
    if _bits_between(stored, found) == 1:
        return True  # in the checksum itself
    first, second = _weights(page // 4 + 2)  # the frame's own two words, then the page
    for one, two in zip(first[2:], second[2:], strict=True):
        for bit in range(32):
            change = ((one << bit) & _MASK, (two << bit) & _MASK)
            if off == change or off == ((-change[0]) & _MASK, (-change[1]) & _MASK):
                return True
    return False


def _commits(
    file: BinaryIO, start: int, salts: _Sums, page: int, size: int
) -> Iterator[tuple[int, bool]]:
    """Give the frames of this log from ``start`` on, and of each whether it ends a transaction."""
    for index in range(start, (size - _HEADER) // (_FRAME + page)):
        file.seek(_HEADER + index * (_FRAME + page))
        _, commit, *found = struct.unpack(">4I", file.read(16))
        # Frames that a log of before left behind have other salts; one bit may be the damage.
        if _bits_between(found, salts) <= 1:
            yield index, commit != 0


def _bits_between(one: Iterable[int], other: Iterable[int]) -> int:
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def _frame_sums(head: bytes, content: bytes, sums: _Sums, order: str) -> _Sums:
    return _summed(content, _summed(head[:8], sums, order), order)


def _summed(data: bytes, sums: _Sums, order: str) -> _Sums:
    """Return SQLite's running checksum over ``data``, whose length is a multiple of 8.

    For each pair of words: s1 += x0 + s2, s2 += x1 + s1, modulo 2^32. Written out, the end is a
    sum of the words weighted with Fibonacci numbers, which is far quicker here than a loop.
    """
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    first, second = _weights(len(words))
    a, b = sums
    start = (a * first[0] + b * first[1], a * second[0] + b * second[1])
    return (
        (start[0] + sum(map(mul, words, first[2:]))) & _MASK,
        (start[1] + sum(map(mul, words, second[2:]))) & _MASK,
    )


@cache
def _weights(words: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return how much of s1 and s2 at the start, and then of each word, is in s1 and s2 at the end.

    One tuple for s1 at the end, one for s2. A word counts like the sum that it is added to.
    """
    first, second = [], []
    one, two = (1, 0), (0, 1)  # how much of s1 and of s2 is in (s1, s2) at the end
    for _ in range(words // 2):  # from the end backwards
        x1 = two
        s1 = (one[0] + two[0] & _MASK, one[1] + two[1] & _MASK)
        x0 = s1
        s2 = (two[0] + s1[0] & _MASK, two[1] + s1[1] & _MASK)
        first += [x1[0], x0[0]]
        second += [x1[1], x0[1]]
        one, two = s1, s2
    return (
        (one[0], two[0], *reversed(first)),
        (one[1], two[1], *reversed(second)),
    )


def _is_page_size(page: int) -> bool:
    return 512 <= page <= 65536 and page & (page - 1) == 0
