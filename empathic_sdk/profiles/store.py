"""The profile store."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from numbers import Real
from pathlib import Path
from types import EllipsisType
from typing import Any

from empathic_sdk.errors import ConfigurationError, InputError, UnknownTurnError
from empathic_sdk.profiles.checks import (
    check_day,
    check_limit,
    check_mastery,
    check_name,
    check_path,
    check_span,
    check_text,
    check_type,
    is_number,
    member,
)
from empathic_sdk.profiles.damage import reading_from
from empathic_sdk.profiles.export import export_user
from empathic_sdk.profiles.file import StoreFile
from empathic_sdk.profiles.learned import relearn, reset
from empathic_sdk.profiles.leaving import STAYING
from empathic_sdk.profiles.person import check_attributes, profile_of
from empathic_sdk.profiles.retention import RetentionSchedule
from empathic_sdk.profiles.rows import context_of, day_rows, row_of, turn_rows
from empathic_sdk.profiles.upkeep import StoreUpkeep
from empathic_sdk.profiles.writes import (
    add_consent,
    add_turn,
    set_attributes,
    set_feedback,
    set_preferences,
    set_warned,
)
from empathic_sdk.runtime.processes import StaysHere
from empathic_sdk.types import (
    CONSENT_VERSION,
    DaySummary,
    Emotion,
    Mastery,
    Modality,
    OverrideUse,
    Profile,
    Proposal,
    Turn,
    UserContext,
)

MOST_DAYS = 36_500
MOST_SECONDS = 1_000_000.0


class ProfileStore(StaysHere, StoreUpkeep):
    """Stores what is remembered about each user in one SQLite file.

    Thread-safe; several processes may open the same file, each with its own store.
    Every method that writes is one transaction that is on the disk when it returns.

    Args:
        path: The file; it and its parent folders are made if they are missing, the file readable
            by its owner alone. ``None`` keeps everything in memory.
        timeout_s: Seconds to wait for other processes before :class:`StoreLockedError`.
        keep_days: Days that a turn is kept; ``None`` keeps it until it is erased. Older ones are
            purged when the store is opened and then, on a call that records, once a day.
        clock: Returns the time for ``keep_days``; the system clock by default.

    Raises:
        StoreCorruptError: The file is damaged, or belongs to another application.
        StoreVersionError: It was written by a newer version of this package.
        StoreReadOnlyError: It is not there and cannot be made, or an old one cannot be updated.
        StoreLockedError: Another process held it for too long.
        StoreError: The path is a folder, or cannot be opened. All of these are StoreErrors, and
            every method may raise them; a closed store raises StoreError.
        ConfigurationError: ``timeout_s`` is not a finite number of at least 0, or ``keep_days``
            is not above 0.
    """

    _instead = "open the same file in each process"

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        timeout_s: float = 5.0,
        keep_days: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the file, or make it."""
        if keep_days is not None and not (is_number(keep_days) and 0 < keep_days <= MOST_DAYS):
            raise ConfigurationError(
                f"keep_days must be a number of days above 0, or None, not {keep_days!r}"
            )
        if not (is_number(timeout_s) and math.isfinite(timeout_s) and timeout_s >= 0):
            raise ConfigurationError(f"timeout_s must be at least 0 seconds, not {timeout_s!r}")
        if not callable(clock):
            raise ConfigurationError("clock must be a function that gives a datetime")
        place = None if path is None else check_path(path, "the path of a store")
        if path is not None and str(path) == ":memory:":
            place = None
        file = StoreFile(place, min(float(timeout_s), MOST_SECONDS))
        super().__init__(file, RetentionSchedule(keep_days), clock)

    def get(self, user: str) -> UserContext:
        """Return what is known of ``user``, at a cost that does not grow with their turns.

        An unknown user is ``UserContext(user=user)``.
        """
        check_name(user, "user")
        with self._file.reading() as db:
            return context_of(db, user)

    def record(
        self,
        turn: Turn,
        *,
        text: str | None = None,
        keep_text: bool = False,
        session: bytes | None = None,
        mastery: Mapping[str, Mastery] | None = None,
        since: datetime | None = None,
        override: OverrideUse | None = None,
        expected: bytes | EllipsisType | None = ...,
    ) -> None:
        """Store a finished turn, the user's aggregates and the session, all or nothing.

        A turn is known by its user and id. Recording it again changes nothing at all, so a
        caller that does not know whether it went through simply repeats it.

        Args:
            turn: What happened. Only derived values are kept of it.
            text: What the person said; dropped unless ``keep_text``.
            keep_text: Store ``text`` and ``turn.reply``, which may quote it.
            session: State of the conversation after this turn; ``None`` leaves the last one.
            mastery: What was learned or not, by skill; each replaces the estimate before it.
            since: ``UserContext.since`` of the user when the turn began. If they were erased
                since then, by whichever process, nothing is recorded: the turn came of what
                was to be forgotten. Turns that were purged for their age are no erasure.
            override: What was processed in this turn that an override alone allows.
            expected: State of the conversation before this turn, as :meth:`session` gave it
                (``None``: there was none). Compared with what is stored, in the transaction that
                records; without it, the last writer wins.

        Raises:
            ConflictError: Another turn of the conversation was recorded since ``expected``.
                Nothing is recorded: take the turn again on the state that stands.
            InputError: The name of user, conversation or turn is empty or too long, or an
                argument is of another type.
        """
        check_type(turn, Turn, "turn")
        check_name(turn.user, "user")
        check_name(turn.conversation, "conversation")
        check_name(turn.id, "turn id")
        for what, state in (("session", session), ("expected", expected)):
            if state is not None and state is not ... and not isinstance(state, bytes):
                raise InputError(f"{what} must be bytes, not {type(state).__name__}")
        if text is not None:
            check_type(text, str, "text")
        check_type(keep_text, bool, "keep_text")
        if since is not None and check_type(since, datetime, "since").tzinfo is None:
            raise InputError("since must have a time zone, as UserContext.since has")
        if override is not None:
            check_type(override, OverrideUse, "override")
        check_mastery(mastery)
        row = row_of(turn, text=text, keep_text=keep_text)
        with self._file.writing() as db:
            add_turn(
                db,
                turn,
                row,
                session,
                mastery or {},
                override=override,
                since=since,
                expected=expected,
            )
        self._keep_tidy()

    def session(self, user: str, conversation: str) -> bytes | None:
        """Return the last session stored for this conversation, ``None`` if there is none."""
        check_name(user, "user")
        check_name(conversation, "conversation")
        with self._file.reading() as db:
            row = db.execute(
                "SELECT session FROM conversations WHERE name = ? "
                "AND user_id = (SELECT id FROM users WHERE name = ?)",
                [conversation, user],
            ).fetchone()
            if row is None or row[0] is None:
                return None
            with reading_from("conversations.session"):
                return check_type(row[0], bytes, "session")

    def feedback(
        self,
        turn_id: str,
        *,
        user: str,
        emotion: Emotion | str | None = None,
        rating: int | None = None,
    ) -> None:
        """Store what ``user`` says about one of their turns, and learn from it.

        A turn has one correction and one rating: each is replaced by a later one, and stays
        where only the other is given.

        Args:
            turn_id: Which turn.
            user: Whose.
            emotion: What they really felt.
            rating: How the reply was: -1 bad, 0 neither, 1 good.

        Raises:
            InputError: Neither is given, or one of them is not such a value.
            UnknownTurnError: ``user`` has no such turn.
        """
        check_name(user, "user")
        check_name(turn_id, "turn id")
        if emotion is None and rating is None:
            raise InputError("feedback needs an emotion, a rating, or both")
        number = isinstance(rating, Real) and not isinstance(rating, bool)
        if rating is not None and not (number and rating in (-1, 0, 1)):
            raise InputError(f"rating must be -1, 0 or 1, not {rating!r}")
        felt = None if emotion is None else member(Emotion, emotion)
        with self._file.writing() as db:
            if not set_feedback(db, turn_id, user, felt, None if rating is None else int(rating)):
                raise UnknownTurnError(
                    f"{user!r} has no turn {turn_id!r}; give the id of a recorded turn of theirs"
                )
            relearn(db, user)

    def reset_learning(self, user: str) -> bool:
        """Forget what the feedback of ``user`` taught; the feedback itself stays.

        From now on only later turns are learned from.

        Returns:
            Whether there was anything to forget.
        """
        check_name(user, "user")
        with self._file.writing() as db:
            return reset(db, user)

    def consent(
        self,
        user: str,
        modality: Modality | str,
        granted: bool | None = None,
        *,
        version: str = CONSENT_VERSION,
    ) -> bool:
        """Record, or read, whether ``user`` lets this modality be processed.

        Args:
            user: Who decides.
            modality: What about.
            granted: ``True`` grants, ``False`` revokes, ``None`` only reads.
            version: Which wording of the notice they decided on; kept beside the date.

        Returns:
            What stands now: their last decision, whatever its version; ``False`` without one.
            Whether it still counts is for ``policy.agreed`` to say: a consent to another major
            version of the notice does not.

        Raises:
            InputError: An argument is not such a value.
        """
        check_name(user, "user")
        channel = member(Modality, modality)
        if granted is None:
            with self._file.reading() as db:
                row = db.execute(
                    "SELECT granted FROM consents WHERE modality = ? AND user_id = "
                    "(SELECT id FROM users WHERE name = ?) ORDER BY id DESC LIMIT 1",
                    [channel, user],
                ).fetchone()
                return row is not None and bool(row[0])
        if not isinstance(granted, bool):
            raise InputError(f"granted must be True, False or None, not {granted!r}")
        check_name(version, "version")
        with self._file.writing() as db:
            add_consent(db, user, channel, granted, version)
        return granted

    def prefer(self, user: str, **preferences: str | None) -> None:
        """Set what ``user`` asked for (``tone="gentle"``); ``None`` removes it.

        Raises:
            InputError: A value is neither a string nor ``None``, or cannot be stored.
        """
        check_name(user, "user")
        for name, value in preferences.items():
            check_name(name, "preference")
            if value is not None:
                check_text(value, f"preference {name}")
        with self._file.writing() as db:
            set_preferences(db, user, preferences)

    def describe(self, user: str, **attributes: str | None) -> None:
        """Set what ``user`` says about themselves; ``None`` removes it.

        There are ``name pronouns age_group timezone``, each with a limit.

        Raises:
            InputError: A name is not one of these, or a value empty, too long or unprintable.
        """
        check_name(user, "user")
        check_attributes(attributes)
        with self._file.writing() as db:
            set_attributes(db, user, attributes)

    def adopt(self, user: str, proposals: Iterable[Proposal]) -> None:
        """Keep what ``user`` agreed to, all of it or nothing."""
        check_name(user, "user")
        if not isinstance(proposals, Iterable):
            raise InputError(f"proposals must be a list, not {type(proposals).__name__}")
        some = [check_type(p, Proposal, "a proposal") for p in proposals]
        preferences = {p.name: p.value for p in some if p.kind == "preference"}
        attributes = {p.name: p.value for p in some if p.kind == "attribute"}
        check_attributes(attributes)
        with self._file.writing() as db:
            set_preferences(db, user, preferences)
            set_attributes(db, user, attributes)

    def profile(self, user: str) -> Profile:
        """Return all that is known of ``user`` as one value; more than a turn needs."""
        check_name(user, "user")
        with self._file.reading() as db:
            return profile_of(db, user)

    def export(self, user: str) -> dict[str, Any]:
        """Return everything stored about ``user`` as one dict that ``json.dumps`` takes.

        Times are ISO 8601 in UTC. A session that is JSON is shown as such, any other in base64.
        An unknown user has ``profile`` ``None`` and empty lists.
        """
        check_name(user, "user")
        with self._file.reading() as db:
            return export_user(db, user)

    @staticmethod
    def schema() -> dict[str, Any]:
        """Return the published JSON schema of what :meth:`export` gives."""
        from empathic_sdk.profiles.schema import export_schema  # only who asks pays for it

        return export_schema()

    def users(self) -> list[str]:
        """Return the names of all about whom anything is stored, sorted."""
        with self._file.reading() as db:
            rows = db.execute(f"SELECT name FROM users WHERE {STAYING} ORDER BY name")
            return [row[0] for row in rows]

    def turns(
        self, user: str, *, conversation: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return recorded turns, newest last; ``[]`` for somebody unknown.

        Args:
            user: Whose.
            conversation: Of this conversation only.
            limit: At most so many, the newest.

        Returns:
            One dict per turn. Its ``emotion`` holds the fields of an :class:`EmotionState`.

        Raises:
            InputError: ``limit`` is negative, or a name is empty or too long.
        """
        check_name(user, "user")
        if conversation is not None:
            check_name(conversation, "conversation")
        most = None if limit is None else check_limit(limit)
        with self._file.reading() as db:
            return turn_rows(db, user, conversation=conversation, limit=most)

    def days(self, user: str, *, before: date | None = None, limit: int = 180) -> list[DaySummary]:
        """Return the last days (UTC) on which ``user`` spoke, oldest first.

        One row per day is kept, so the cost follows ``limit`` and not the number of turns.

        Args:
            user: Whose.
            before: Only days before this one; default: up to today.
            limit: At most so many, the newest.

        Raises:
            InputError: ``limit`` is negative, or the name is empty or too long.
        """
        check_name(user, "user")
        end = date.max if before is None else check_day(before, "before")
        most = check_limit(limit)
        with self._file.reading() as db:
            return day_rows(db, user, before=end, limit=most)

    def claim_warning(self, user: str, found: date, *, apart: timedelta) -> bool:
        """Note that ``user`` is warned of, for a change found on that day.

        Returns:
            Whether to warn: ``False`` where that was noted before for a change less than
            ``apart`` earlier, by this process or another, and for somebody unknown.
        """
        check_name(user, "user")
        day = check_day(found, "found")
        span = check_span(day, apart)
        with self._file.writing() as db:
            return set_warned(db, user, day, span)
