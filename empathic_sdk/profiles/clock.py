"""Trusted time for retention, which deletes for good: the system clock may be wrong.

A clock that jumps ahead would make everything too old at once. So the store keeps its own time,
which advances only as far as there is evidence that time has passed: the monotonic
clock of this process and, between processes, the time since the machine was started. What the
clock says beyond that counts once it has said so for a day.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from empathic_sdk.profiles.damage import reading_from

PROOF = timedelta(days=1)
"""How long the clock must claim a time before it is trusted without other evidence."""

_UNNOTICED = timedelta(minutes=5)
log = logging.getLogger("empathic_sdk")


def trusted_time(db: Database, said: datetime) -> datetime:
    """Return the trusted time, at most ``said``, and record it; call it in a transaction.

    Args:
        db: The store.
        said: What the clock says, with its time zone.
    """
    with reading_from("upkeep.clock"):
        kept: dict[str, Any] = json.loads(db.execute("SELECT clock FROM upkeep").fetchone()[0])
        at = _first(db, said)
        claim = None
        if kept:
            known = datetime.fromisoformat(kept["at"])
            at = max(known, min(said, known + _elapsed(kept)))
            claim = kept["claim"]
        if said - at < _UNNOTICED:
            claim = None
        elif claim is None or not _is_consistent(claim, said):
            claim = {"at": said.isoformat(), **_evidence()}
        elif said - datetime.fromisoformat(claim["at"]) >= PROOF:
            # In one run of the machine all of it is proven now, else what was said a day ago.
            at = said if claim["boot"] == _boot() else datetime.fromisoformat(claim["at"])
            claim = {"at": said.isoformat(), **_evidence()}
    now = {"at": at.isoformat(), **_evidence(), "claim": claim}
    db.execute("UPDATE upkeep SET clock = ?", [json.dumps(now)])
    if kept and said - at >= _UNNOTICED:
        log.warning(
            "the clock says %s, and there is evidence for no later than %s: turns are purged as "
            "of then until the clock has said so for a day", said.isoformat(), at.isoformat(),
        )  # fmt: skip
    return min(at, said)  # a clock that was set back deletes less, never more


def _first(db: Database, said: datetime) -> datetime:
    """Return the initial time: that of the newest turn, or ``said`` in an empty store."""
    newest = db.execute("SELECT max(at) FROM turns").fetchone()[0]
    try:
        at = datetime.fromisoformat(newest or "")
    except ValueError:
        return said
    return min(said, at if at.tzinfo else at.replace(tzinfo=UTC))


def _is_consistent(claim: dict[str, Any], said: datetime) -> bool:
    """Say whether the clock has advanced plausibly since its claim."""
    went_by = said - datetime.fromisoformat(claim["at"])
    if claim["boot"] != _boot():
        return went_by >= timedelta()
    return abs(went_by - _elapsed(claim)) < _UNNOTICED


def _elapsed(before: dict[str, Any]) -> timedelta:
    """Return the time that has certainly passed; zero if the machine was restarted."""
    if not before or before["boot"] != _boot():
        return timedelta()
    return timedelta(seconds=1.001 * max(0.0, _uptime() - before["uptime"]))


def _evidence() -> dict[str, Any]:
    return {"boot": _boot(), "uptime": _uptime()}


def _uptime() -> float:
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)  # it counts while the machine sleeps, too
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@cache
def _boot() -> str:
    """Return a name of this run of the machine; of this process where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return f"process started {datetime.now(UTC).isoformat()}"
