"""What the tests run as another process: ``python worker.py ACTION PATH ...``."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

from factory import make_turn

from empathic_sdk.errors import ConflictError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import Emotion


def say(line: str) -> None:
    print(line, flush=True)


def forever(path: str, prefix: str) -> None:
    """Record until killed; name each turn once it is said to be stored."""
    with ProfileStore(path) as store:
        number = 0
        while True:
            label = list(Emotion)[number % 7]
            turn = make_turn(
                f"{prefix}-{number}", conversation=f"c{number % 3}", label=label, valence=0.25
            )
            store.record(turn, session=f"{prefix}-{number}".encode())
            say(turn.id)
            number += 1


def some(path: str, prefix: str, count: str) -> None:
    """Wait for the starting shot, open the store, record so many turns of one shared user."""
    say("ready")
    sys.stdin.readline()
    with ProfileStore(path) as store:
        for number in range(int(count)):
            store.record(make_turn(f"{prefix}-{number}", conversation=prefix, valence=0.5))


def opened(path: str) -> None:
    """Keep a store open, idle, after having read from it."""
    with ProfileStore(path) as store:
        say(str(store.users()))
        sys.stdin.readline()


def reading(path: str) -> None:
    """Keep an old state of the file in view: a read transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    say(str(connection.execute("SELECT count(*) FROM turns").fetchone()[0]))
    sys.stdin.readline()
    connection.execute("COMMIT")
    connection.close()


def writing(path: str) -> None:
    """Hold the write lock."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    say("held")
    sys.stdin.readline()
    connection.execute("ROLLBACK")
    connection.close()


def erasing(path: str, user: str) -> None:
    """Die between the deletion of the rows and the compaction of the file."""
    from empathic_sdk.profiles.file import StoreFile

    def hang(self: StoreFile, timeout_s: float) -> None:
        say("deleted")
        time.sleep(60)

    store = ProfileStore(path)
    StoreFile.compact = hang  # type: ignore[method-assign]
    store.erase(user)


def counting(path: str, prefix: str, turns: str) -> None:
    """Count in one conversation's state, which another process counts in, too."""
    say("ready")
    sys.stdin.readline()
    number = 0
    with ProfileStore(path, timeout_s=30.0) as store:
        while number < int(turns):
            before = store.session("ada", "c1")
            time.sleep(0.002)  # a turn takes a while
            after = str(int(before or b"0") + 1).encode()
            try:
                store.record(make_turn(f"{prefix}-{number}"), session=after, expected=before)
                number += 1
            except ConflictError:
                continue


def overlapping(path: str) -> None:
    """Take a harmless turn that begins before another process records one, and ends after."""
    with ProfileStore(path) as store:
        before = store.session("ada", "c1")
        say("began")
        sys.stdin.readline()
        try:
            store.record(make_turn("harmless"), session=b"calm", expected=before)
        except ConflictError as error:
            say(type(error).__name__)


def backing_up(path: str, dest: str) -> None:
    """Die when the copy is written and not yet in its place."""
    from empathic_sdk.profiles.file import StoreFile

    whole = StoreFile.copy

    def hang(self: StoreFile, part: Path) -> None:
        whole(self, part)
        say("copied")
        time.sleep(60)

    StoreFile.copy = hang  # type: ignore[method-assign]
    ProfileStore(path).backup(dest)


def leaving(path: str, user: str) -> None:
    """Die when a person with many turns is forgotten by name, and their rows are still there."""
    from empathic_sdk.profiles import upkeep

    def hang(*_: object) -> None:
        say("begun")
        time.sleep(60)

    upkeep.finish_erasures = hang  # type: ignore[assignment]
    ProfileStore(path).erase(user)


def filling(path: str, most_bytes: str) -> None:
    """Record until no file may grow any more; tell what was acknowledged, and what came then."""
    if int(most_bytes):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), int(most_bytes)))
    with ProfileStore(path) as store:
        number = 0
        try:
            while number < 100_000:
                store.record(make_turn(f"t{number}"), session=b"s" * 2000)
                number += 1
        except Exception as error:
            say(f"{number} {type(error).__name__} {error}")
        # What was recorded can be read, and is all there is.
        say(f"{store.get('ada').turns} {len(store.turns('ada'))}")


if __name__ == "__main__":
    known = (
        forever, some, opened, reading, writing, erasing, counting, overlapping,
        backing_up, leaving, filling,
    )  # fmt: skip
    actions = {f.__name__: f for f in known}
    actions[sys.argv[1]](*sys.argv[2:])
