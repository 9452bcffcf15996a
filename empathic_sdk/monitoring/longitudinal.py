"""Longitudinal monitoring of people: reads days from the store and warns at most once."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from empathic_sdk.errors import ConfigurationError, MissingExtraError, log_in_full, outline
from empathic_sdk.language.templates import watch_message
from empathic_sdk.monitoring.days import BASELINE, DAYS, QUIET_DAYS, detector, report, standing
from empathic_sdk.policy import PROHIBITED, Deployment
from empathic_sdk.types import DaySummary, LongitudinalWarning, MonitorReport
from empathic_sdk.types.protocols import DayStore, Store

log = logging.getLogger("empathic_sdk")

_REMEMBERED = 10_000


class Watch:
    """Examines a person's days, on request and automatically once per day and person.

    Args:
        profiles: The store with the days; if it keeps none, nobody is monitored.
        deployment: At work and in education there are no automatic warnings: over weeks they
            would tell superiors how people feel.
        language: Language of the messages.
    """

    def __init__(self, profiles: Store, *, deployment: Deployment, language: str = "en") -> None:
        self._store = profiles if isinstance(profiles, DayStore) else None
        self._language = language
        self._off = deployment.context in PROHIBITED or self._store is None
        self._seen: OrderedDict[str, date] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None
        self._loaded = False

    def report(self, user: str, *, today: date | None = None) -> MonitorReport:
        """Report on the last days of ``user``, without today.

        Raises:
            MissingExtraError: There are enough days to look for changes, and ``river`` is missing.
            ConfigurationError: The store keeps no days.
            StoreError: The days cannot be read.
        """
        today = today or _today()
        if self._store is None:
            raise ConfigurationError("this store keeps no days: it has no days and claim_warning")
        found = self._report(self._store.days(user, before=today, limit=DAYS), today)
        if found.change_points:
            self._loaded = True  # finding them imported the test for changes
        return found

    def _report(self, days: Sequence[DaySummary], today: date) -> MonitorReport:
        found = report(days)
        last = standing(found.change_points, today)
        if last is None:
            return found
        since = (today - last.since).days
        message = watch_message(last.kind, since, self._language)
        warning = LongitudinalWarning(kind=last.kind, since_days=since, message=message)
        return found.model_copy(update={"warning": warning})

    def due(self, user: str, *, today: date | None = None) -> LongitudinalWarning | None:
        """Return a new warning, if there is one; checks once a day, at the first turn.

        Warnings are recorded in the store, so neither a restart nor another process repeats one.
        Never raises: a turn must not fail because of it.
        """
        today = today or _today()
        with self._lock:
            store = self._store
            if store is None or self._off or self._seen.get(user) == today:
                return None
        try:
            days = store.days(user, before=today, limit=DAYS)
            if len(days) > BASELINE:
                if not self._ready():
                    return None  # the next turn will ask again
                found = self._report(days, today)
                change = standing(found.change_points, today)
                apart = timedelta(days=QUIET_DAYS)
                told = change is None or not store.claim_warning(user, change.found, apart=apart)
                self._note(user, today)
                return None if told else found.warning
        except Exception as error:
            log.error("examining a person's days failed: %s", outline(error))
            log_in_full(error, "the examination of a person's days")
        self._note(user, today)
        return None

    def forget(self, user: str) -> None:
        """Forget that ``user`` was examined."""
        with self._lock:
            self._seen.pop(user, None)

    def load(self) -> None:
        """Import the test for changes now; without the extra, log that once."""
        try:
            detector()
            self._loaded = True
        except MissingExtraError as error:
            self._off = True
            log.warning("nobody will be warned of changes over days: %s", error)

    def _ready(self) -> bool:
        """Say whether the test for changes is imported; the first call starts the import.

        It takes a second or two, which no turn should wait for.
        """
        with self._lock:
            if not self._loaded and self._loading is None:
                self._loading = threading.Thread(
                    target=self.load, name="empathic-watch", daemon=True
                )
                self._loading.start()
            return self._loaded

    def _note(self, user: str, today: date) -> None:
        with self._lock:
            self._seen[user] = today
            self._seen.move_to_end(user)
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)


def _today() -> date:
    return datetime.now(UTC).date()
