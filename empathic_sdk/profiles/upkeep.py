"""Maintenance of a store: erasure, retention, checks, backups, counts over all people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

from empathic_sdk.errors import (
    ConfigurationError,
    InputError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
)
from empathic_sdk.profiles.backup import placed
from empathic_sdk.profiles.checks import check_name, check_path, check_type
from empathic_sdk.profiles.clock import trusted_time
from empathic_sdk.profiles.copies import left_over, note_copy, tidy_copies
from empathic_sdk.profiles.counts import (
    BINS,
    budget,
    noise,
    set_budget,
    spend,
    true_counts,
    whole,
    within,
)
from empathic_sdk.profiles.erasure import begin_erasure, finish_erasures, purge
from empathic_sdk.profiles.file import StoreFile
from empathic_sdk.profiles.referrals import read_referrals
from empathic_sdk.profiles.retention import RetentionSchedule
from empathic_sdk.profiles.soundness import problems
from empathic_sdk.profiles.writes import add_override
from empathic_sdk.types import OverrideUse

MOST_PROBLEMS = 100
log = logging.getLogger("empathic_sdk")


class StoreUpkeep:
    """The part of a store that concerns the whole file, not one person.

    Args:
        file: The file, open.
        retention: How long turns are kept.
        clock: Returns the time for retention.
    """

    def __init__(
        self, file: StoreFile, retention: RetentionSchedule, clock: Callable[[], datetime]
    ) -> None:
        self._file = file
        self._retention = retention
        self._clock = clock
        self._forgetters: list[Callable[[str], object]] = []
        try:
            tidy_copies(file)
            self._keep_tidy(at_open=True)
        except BaseException:
            file.close()
            raise

    @property
    def path(self) -> Path | None:
        """The file, absolute; ``None`` for a store in memory."""
        return self._file.path

    @property
    def keep_days(self) -> float | None:
        """Days that a turn is kept; ``None`` keeps it until it is erased."""
        return self._retention.keep_days

    def erase(self, user: str) -> int:
        """Erase ``user``: no byte about them is left in the file or the files beside it.

        They are unknown at once; their rows follow a few at a time, then the bytes that those
        leave (docs/profiles.md), while others read and write. Other users stay as they are, other
        processes may keep the file open.

        Returns:
            How many turns were removed; 0 for somebody unknown.

        Raises:
            StoreLockedError: Another process held the file for longer than ``timeout_s``. Where
                the message says that the rows are gone, only bytes in the file remain: call
                again (or open the store again later) to be rid of those too.
        """
        check_name(user, "user")
        removed = 0
        # Twice: what is alive in memory lets its last turn be recorded before the rows go, and
        # whatever came to life again from those rows meanwhile goes the second time.
        for _ in range(2 if self._forgetters else 1):
            for forget in list(self._forgetters):
                forget(user)
            with self._file.writing() as db:
                removed += begin_erasure(db, user)
        try:
            # Also without rows: this may be the second call, after the file was held.
            finish_erasures(self._file)
            tidy_copies(self._file)
            self._file.compact(self._file.timeout_s)
        except StoreError as error:
            raise type(error)(
                "the rows of this user are gone, but bytes of them may still lie in the file, "
                f"which could not be compacted: {error}. Call erase again"
            ) from error
        return removed

    def purge(self) -> int:
        """Delete the turns older than ``keep_days`` now, rows and bytes; return how many.

        The store does this by itself (see ``keep_days``), a little at a time as :meth:`erase` does.
        A clock that has jumped ahead deletes nothing early: time counts as far as there is other
        evidence for it, or once the clock has said so for a day (docs/profiles.md).

        Raises:
            StoreLockedError: As in :meth:`erase`.
        """
        if self._retention.keep_days is None:
            return 0
        with self._file.writing() as db:
            now = trusted_time(db, self._now())
        removed = purge(self._file, self._retention.cutoff(now))
        if removed:
            self._file.compact(self._file.timeout_s)
        return removed

    def _now(self) -> datetime:
        now = self._clock()
        if not isinstance(now, datetime) or now.tzinfo is None:
            raise ConfigurationError("the clock of a store must give a datetime with a time zone")
        return now

    def _keep_tidy(self, *, at_open: bool = False) -> None:
        """Enforce the retention if it is time to; what was just recorded stands in any case."""
        if self._retention.keep_days is None or not self._retention.due(self._now()):
            return
        try:
            self.purge()
        except (StoreLockedError, StoreReadOnlyError, StoreFullError) as error:
            # Rows that are gone leave a debt which the next one to open the file pays.
            log.warning("turns past their days could not all be purged: %s", error)
        except StoreError as error:
            if at_open:
                raise
            log.warning("turns past their days could not be purged: %s", error)

    def check(self) -> list[str]:
        """Check everything and return the problems in words; ``[]`` if there are none.

        The file itself and its log, references between its rows, every value, that the running
        totals of every user are those of their turns, and that no copy was left unfinished.
        Changes nothing.
        """
        found: list[str] = []
        log = self._file.log_state()
        if log is not None and log.lost:
            found.append(
                f"{log.lost} recorded changes in the log cannot be read: it is damaged, or the "
                "power failed in the middle of a write"
            )
        try:
            with self._file.reading() as db:
                found.extend(islice(problems(db), MOST_PROBLEMS))
            found.extend(left_over(self._file))
        except StoreCorruptError as error:  # so bad that even looking fails
            found.append(str(error))
        return found

    def backup(self, dest: str | Path, *, overwrite: bool = False) -> Path:
        """Write a snapshot of the store to a file, while others go on reading and writing.

        The copy is for its owner alone, holds nothing that was deleted, and is a store itself. It
        keeps those who are erased later: let backups expire.

        Args:
            dest: The file; its folder must be there.
            overwrite: Replace an existing file.

        Returns:
            Where it is, absolute.

        Raises:
            StoreError: It exists and ``overwrite`` is not given, it is in use, or it cannot be
                written; what was there before is left. :class:`StoreFullError` without room.
        """
        place = check_path(dest, "the path of a backup")
        if not isinstance(overwrite, bool):
            raise InputError(f"overwrite must be a bool, not {type(overwrite).__name__}")
        tidy_copies(self._file)
        try:
            with placed(self.path, place, overwrite, partial(note_copy, self._file)) as part:
                self._file.copy(part)
        finally:
            tidy_copies(self._file)
        return place

    def on_erase(self, forget: Callable[[str], object]) -> Callable[[], None]:
        """Call ``forget(user)`` on every :meth:`erase` through this store.

        For code that keeps data about users in memory. It is called outside the store's lock
        before the rows go, and again after; it may wait for work under way that still uses the
        store. If it raises, the erasure stops there and the error reaches its caller.

        Returns:
            A function that ends this.
        """
        if not callable(forget):
            raise InputError(f"forget must be callable, not {type(forget).__name__}")
        self._forgetters.append(forget)
        return lambda: self._forgetters.remove(forget)

    def counts(self, what: str = "emotions", *, epsilon: float) -> dict[str, Any]:
        """Count people with noise, so that the answer tells next to nothing about any one of them.

        Each question spends its ``epsilon`` of the store's :meth:`privacy_budget`, for good.

        Args:
            what: ``emotions``: people by the emotion they showed most often; ``safety``: people by
                the highest safety level of their turns.
            epsilon: From 0.001 (very noisy) to 10 (hardly); 0.1 is off by 30 at most, 19 times
                out of 20.

        Returns:
            ``what``, ``epsilon``, ``counts`` (never below 0), ``off_by_95``: how far a count is off
            at most with probability 0.95, and what is ``left`` of the budget.

        Raises:
            InputError: There is no such count, or ``epsilon`` is out of range.
            PrivacyBudgetError: The budget left is smaller; then nothing is spent.
        """
        if not isinstance(what, str) or what not in BINS:
            raise InputError(f"there is no count {what!r}; there are: {', '.join(BINS)}")
        share = whole(epsilon)
        with self._file.writing() as db:
            spend(db, what, share)
            true = true_counts(db, what)
            total, spent = budget(db)
        rng = SystemRandom()
        return {
            "what": what,
            "epsilon": float(share),
            "counts": {b: max(0, true[b] + noise(share, rng)) for b in BINS[what]},
            "off_by_95": within(share),
            "left": float(total - spent),
        }

    def privacy_budget(self, total: float | None = None) -> dict[str, float]:
        """Return ``total``, ``spent`` and ``left`` of what :meth:`counts` may tell; or set it.

        Args:
            total: A new budget, 0.001 to 10; 1 in a new store. Raising it is a decision about
                everybody in the store. What was spent stays spent.

        Raises:
            InputError: ``total`` is out of range.
        """
        if total is not None:
            share = whole(total)
            with self._file.writing() as db:
                set_budget(db, share)
        with self._file.reading() as db:
            whole_of_it, spent = budget(db)
        left = max(0.0, float(whole_of_it - spent))
        return {"total": float(whole_of_it), "spent": float(spent), "left": left}

    def referrals(self, *, by: str = "month") -> list[dict[str, Any]]:
        """Return how often the safety protocol acted, as anonymous counts.

        Args:
            by: How long a period is: ``day``, ``month`` or ``year``.

        Returns:
            Rows of ``period level step locale count``, oldest first; ``step`` is ``turn`` or an
            action of the protocol, ``count`` is ``None`` where it is under 5.

        Raises:
            InputError: ``by`` is something else.
        """
        if by not in ("day", "month", "year"):
            raise InputError(f"by must be day, month or year, not {by!r}")
        with self._file.reading() as db:
            return read_referrals(db, by)

    def declare(self, override: OverrideUse) -> None:
        """Put on record that an override is in force, whether or not it is ever used."""
        check_type(override, OverrideUse, "override")
        with self._file.writing() as db:
            add_override(db, override)

    def overrides(self) -> list[dict[str, Any]]:
        """Return every override that was ever declared, the first one first.

        Returns:
            One dict each: ``context purpose reason by at``; and ``users`` and ``turns``, about
            whom and how often it was used, of those who were not erased since.
        """
        with self._file.reading() as db:
            return list(
                db.query(
                    "SELECT context, purpose, reason, by, at, count(DISTINCT user_id) AS users, "
                    "coalesce(sum(turns), 0) AS turns FROM overrides "
                    "LEFT JOIN override_uses ON override_id = overrides.id "
                    "GROUP BY overrides.id ORDER BY overrides.id"
                )
            )

    def close(self) -> None:
        """Close the file; closing twice is fine, any other use afterwards a StoreError."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
