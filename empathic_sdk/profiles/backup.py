"""Backups of a store in use, and clean-up of unfinished ones."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from empathic_sdk.errors import StoreError
from empathic_sdk.profiles.migrations import APPLICATION_ID

try:
    import fcntl
except ImportError:  # without such locks (Windows), an open file cannot be deleted
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"^.+\.[0-9a-f]{8}\.part")
_ID_AT = 68  # of an SQLite file's header: the application that it belongs to


@contextmanager
def placed(
    source: Path | None, dest: Path, overwrite: bool, note: Callable[[Path], None]
) -> Iterator[Path]:
    """Yield an empty private file, and move it to ``dest`` when the block is done.

    ``dest`` changes only when the copy is complete and on the disk; if the block raises, it stays
    as it was.

    Args:
        source: The store's own file, if it has one.
        dest: Path of the copy.
        overwrite: Replace an existing file.
        note: Called with the path of the unfinished file while it is still empty.

    Raises:
        StoreError: ``dest`` exists and ``overwrite`` is not given; it is the store itself or a
            store in use; or it cannot be written.
    """
    part = dest.with_name(f"{dest.name}.{secrets.token_hex(4)}.part")
    lock = -1
    try:
        _refuse(source, dest, overwrite)
        for stale in dest.parent.glob(f"{_escaped(dest.name)}.*.part"):
            remove_stale(stale)
        note(part)
        lock = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)  # as long as this process lives, it is not stale
        yield part
        os.fsync(lock)
        _move(part, dest, overwrite)
        _folder_to_disk(dest.parent)
    except FileExistsError as error:
        raise StoreError(
            f"{error.filename2 or error.filename} is there already; give another path, or "
            "overwrite it (--force)"
        ) from error
    except OSError as error:
        raise StoreError(f"no backup can be made at {dest}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()
        if lock >= 0:
            os.close(lock)


def unfinished(folder: Path) -> list[Path]:
    """Return the files of unfinished copies of a store in a folder."""
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            if _PART.fullmatch(path.name) and _is_ours(path):
                found.append(path)
    return found


def remove_stale(part: Path) -> bool:
    """Delete an unfinished copy unless its process is running; return whether it is gone."""
    if not _PART.fullmatch(part.name):
        return True  # not our file
    try:
        descriptor = os.open(part, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _refuse(source: Path | None, dest: Path, overwrite: bool) -> None:
    there = dest.exists()
    if source is not None and there and dest.samefile(source):
        raise StoreError(f"{dest} is the store itself; give another path to the backup")
    for companion in ("-wal", "-shm", "-journal"):
        if dest.with_name(dest.name + companion).exists():
            raise StoreError(f"{dest} is a store in use ({dest.name}{companion} lies beside it)")
    if there and not overwrite:
        raise FileExistsError(17, "it is there", str(dest))


def _move(part: Path, dest: Path, overwrite: bool) -> None:
    if overwrite:
        part.replace(dest)
        return
    try:
        os.link(part, dest)  # fails if somebody made one just now
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(dest, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        part.replace(dest)


def _folder_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(_ID_AT + 4)
    except OSError:
        return False
    # The first page may come last.
    return header[_ID_AT:] == APPLICATION_ID.to_bytes(4, "big") or not any(header)


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)
