"""A copy of a store while others write to it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from empathic_sdk.errors import StoreError


@contextmanager
def placed(source: Path | None, dest: Path, overwrite: bool) -> Iterator[Path]:
    """Give an empty file for its owner alone, and put it at ``dest`` when the block is done.

    Nothing is at ``dest`` before the copy is whole and on the disk; where the block raises, what
    was there before is left.

    Raises:
        StoreError: ``dest`` is there and ``overwrite`` is not given; it is the store itself, or
            one that is in use; or it cannot be written.
    """
    if source is not None and dest.exists() and dest.samefile(source):
        raise StoreError(f"{dest} is the store itself; give another path to the backup")
    for companion in ("-wal", "-shm", "-journal"):
        if dest.with_name(dest.name + companion).exists():
            raise StoreError(f"{dest} is a store in use ({dest.name}{companion} lies beside it)")
    claimed = False
    part = dest.with_name(f"{dest.name}.{secrets.token_hex(4)}.part")
    try:
        if not overwrite:
            _empty(dest)  # fails if it is there, also where somebody makes it just now
            claimed = True
        _empty(part)
        yield part
        _to_disk(part, os.O_RDWR)
        part.replace(dest)
        claimed = False
        _to_disk(dest.parent, os.O_RDONLY)
    except FileExistsError as error:
        raise StoreError(
            f"{error.filename} is there already; give another path, or overwrite it (--force)"
        ) from error
    except OSError as error:
        raise StoreError(f"no backup can be made at {dest}: {error.strerror}") from error
    finally:
        _quietly(part.unlink)
        if claimed:
            _quietly(dest.unlink)


def _empty(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _to_disk(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quietly(act: Callable[[], object]) -> None:
    with suppress(OSError):
        act()
