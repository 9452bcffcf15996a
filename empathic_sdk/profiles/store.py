"""The profile store: what is remembered about each user, and how it is forgotten."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any

from empathic_sdk.errors import (
    ConfigurationError,
    InputError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
    UnknownTurnError,
)
from empathic_sdk.profiles.backup import placed
from empathic_sdk.profiles.checks import check_name, check_text, member
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
from empathic_sdk.profiles.export import export_user
from empathic_sdk.profiles.file import StoreFile
from empathic_sdk.profiles.learned import relearn, reset
from empathic_sdk.profiles.person import check_attributes, profile_of
from empathic_sdk.profiles.referrals import read_referrals
from empathic_sdk.profiles.retention import Retention, purge_before
from empathic_sdk.profiles.rows import context_of, day_rows, row_of, turn_rows
from empathic_sdk.profiles.soundness import problems
from empathic_sdk.profiles.writes import (
    add_consent,
    add_override,
    add_turn,
    delete_user,
    is_same_person,
    set_attributes,
    set_feedback,
    set_preferences,
    set_warned,
)
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
MOST_PROBLEMS = 100
log = logging.getLogger("empathic_sdk")


class ProfileStore:
    """What is remembered about each user, in one SQLite file.

    Safe to share between threads; several processes may open the same file, each with a store of
    its own. Every method that writes is one transaction that is on the disk when it returns.

    Args:
        path: The file; it and its parent folders are made if they are missing, the file readable
            by its owner alone. ``None`` keeps everything in memory.
        timeout_s: Seconds to wait for other processes before :class:`StoreLockedError`.
        keep_days: Days that a turn is kept; ``None`` keeps it until it is erased. Older ones are
            purged when the store is opened and then, on a call that records, once a day.
        clock: Tells the time for ``keep_days``; the system's by default.

    Raises:
        StoreCorruptError: The file is damaged, or belongs to another application.
        StoreVersionError: It was written by a newer version of this package.
        StoreReadOnlyError: It is not there and cannot be made, or an old one cannot be updated.
        StoreLockedError: Another process held it for too long.
        StoreError: The path is a folder, or cannot be opened. All of these are StoreErrors, and
            every method may raise them; a closed store raises StoreError.
        ConfigurationError: ``timeout_s`` is no finite number of at least 0, or ``keep_days`` none
            above 0.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        timeout_s: float = 5.0,
        keep_days: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the file, or make it."""
        if keep_days is not None and not 0 < keep_days <= MOST_DAYS:
            raise ConfigurationError(
                f"keep_days must be a number of days above 0, or None, not {keep_days!r}"
            )
        if not (math.isfinite(timeout_s) and timeout_s >= 0):
            raise ConfigurationError(f"timeout_s must be at least 0 seconds, not {timeout_s!r}")
        if path is not None:
            check_text(str(path), "the path of a store")
            if not str(path).strip() or "\0" in str(path):
                raise ConfigurationError("the path of a store must name a file")
        in_memory = path is None or str(path) == ":memory:"
        place = None if in_memory else Path(str(path)).expanduser().absolute()
        self._forgetters: list[Callable[[str], object]] = []
        self._retention = Retention(keep_days)
        self._clock = clock
        self._file = StoreFile(place, float(timeout_s))
        try:
            self._keep_tidy(at_open=True)
        except BaseException:
            self._file.close()
            raise

    @property
    def path(self) -> Path | None:
        """The file, absolute; ``None`` for a store in memory."""
        return self._file.path

    @property
    def keep_days(self) -> float | None:
        """Days that a turn is kept; ``None`` keeps it until it is erased."""
        return self._retention.keep_days

    def get(self, user: str) -> UserContext:
        """Return what is known of ``user``, at a cost that does not grow with their turns.

        Somebody without a record is a stranger: ``UserContext(user=user)``.
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
                was to be forgotten.
            override: What was processed in this turn that an override alone allows.

        Raises:
            InputError: The name of user, conversation or turn is empty or too long, or
                ``session`` is not bytes.
        """
        check_name(turn.user, "user")
        check_name(turn.conversation, "conversation")
        check_name(turn.id, "turn id")
        if session is not None and not isinstance(session, bytes):
            raise InputError(f"session must be bytes, not {type(session).__name__}")
        for skill in mastery or {}:
            check_name(skill, "skill")
        row = row_of(turn, text=text, keep_text=keep_text)
        with self._file.writing() as db:
            if since is None or is_same_person(db, turn.user, since):
                add_turn(db, turn, row, session, mastery or {}, override)
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
            return None if row is None or row[0] is None else bytes(row[0])

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
        if rating is not None and (isinstance(rating, bool) or rating not in (-1, 0, 1)):
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

    def referrals(self, *, by: str = "month") -> list[dict[str, Any]]:
        """Return how often the safety protocol acted: counts, and nothing about anybody.

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
        some = list(proposals)
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

    def erase(self, user: str) -> int:
        """Forget ``user``: no byte about them is left in the file or the files beside it.

        The rows go in one transaction; then the file is rewritten and its log emptied. Other
        users stay as they are, other processes may keep the file open.

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
                removed += delete_user(db, user)
        try:
            # Also without rows: this may be the second call, after the file was held.
            self._file.compact(self._file.timeout_s)
        except StoreError as error:
            raise type(error)(
                "the rows of this user are gone, but bytes of them may still lie in the file, "
                f"which could not be compacted: {error}. Call erase again"
            ) from error
        return removed

    def purge(self) -> int:
        """Delete the turns older than ``keep_days`` now, rows and bytes; return how many.

        The store does this by itself (see ``keep_days``); a service with a large file may want to
        choose the hour, for the file is rewritten as in :meth:`erase`.

        Raises:
            StoreLockedError: As in :meth:`erase`.
        """
        if self._retention.keep_days is None:
            return 0
        with self._file.writing() as db:
            removed = purge_before(db, self._retention.cutoff(self._clock()))
        if removed:
            self._file.compact(self._file.timeout_s)
        return removed

    def _keep_tidy(self, *, at_open: bool = False) -> None:
        """Enforce the retention if it is time to; what was just recorded stands in any case."""
        if not self._retention.due(self._clock()):
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
            PrivacyBudgetError: So much is not left; then nothing is spent and nothing told.
        """
        if what not in BINS:
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

    def check(self) -> list[str]:
        """Look through everything and return what is wrong, in words; ``[]`` where it is sound.

        The file itself, references between its rows, and that the running totals of every user
        are those of their turns. Changes nothing.
        """
        found: list[str] = []
        try:
            with self._file.reading() as db:
                found.extend(islice(problems(db), MOST_PROBLEMS))
        except StoreCorruptError as error:  # so bad that even looking fails
            found.append(str(error))
        return found

    def backup(self, dest: str | Path, *, overwrite: bool = False) -> Path:
        """Copy the store, as it is at one moment, while others go on reading and writing.

        The copy is for its owner alone, holds nothing that was deleted, and is a store itself. It
        keeps those who are erased later: let backups expire.

        Args:
            dest: The file; its folder must be there.
            overwrite: Take the place of a file that is there.

        Returns:
            Where it is, absolute.

        Raises:
            StoreError: It is there and ``overwrite`` is not given, it is in use, or it cannot be
                written; what was there before is left. :class:`StoreFullError` without room.
        """
        place = Path(dest).expanduser().absolute()
        with placed(self.path, place, overwrite) as part:
            self._file.copy(part)
        return place

    def on_erase(self, forget: Callable[[str], object]) -> Callable[[], None]:
        """Have ``forget(user)`` called by every :meth:`erase` through this store.

        For whoever keeps something about users in memory. It is called outside the store's lock
        before the rows go, and again after; it may wait for work under way that still uses the
        store. If it raises, the erasure stops there and the error reaches its caller.

        Returns:
            A function that ends this.
        """
        self._forgetters.append(forget)
        return lambda: self._forgetters.remove(forget)

    def users(self) -> list[str]:
        """Return the names of all about whom anything is stored, sorted."""
        with self._file.reading() as db:
            return [row[0] for row in db.execute("SELECT name FROM users ORDER BY name")]

    def turns(
        self, user: str, *, conversation: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return recorded turns, newest last; ``[]`` for somebody unknown.

        Args:
            user: Whose.
            conversation: Of this talk only.
            limit: At most so many, the newest.

        Returns:
            One dict a turn. Its ``emotion`` holds the fields of an :class:`EmotionState`.

        Raises:
            InputError: ``limit`` is negative, or a name is empty or too long.
        """
        check_name(user, "user")
        if conversation is not None:
            check_name(conversation, "conversation")
        if limit is not None and limit < 0:
            raise InputError(f"limit must be at least 0, not {limit}")
        with self._file.reading() as db:
            return turn_rows(db, user, conversation=conversation, limit=limit)

    def days(self, user: str, *, before: date | None = None, limit: int = 180) -> list[DaySummary]:
        """Return the last days (UTC) on which ``user`` spoke, oldest first.

        One row a day is kept, so the cost follows ``limit`` and not the number of turns.

        Args:
            user: Whose.
            before: Only days before this one; default: up to today.
            limit: At most so many, the newest.

        Raises:
            InputError: ``limit`` is negative, or the name is empty or too long.
        """
        check_name(user, "user")
        if limit < 0:
            raise InputError(f"limit must be at least 0, not {limit}")
        with self._file.reading() as db:
            return day_rows(db, user, before=before or date.max, limit=limit)

    def claim_warning(self, user: str, found: date, *, apart: timedelta) -> bool:
        """Note that ``user`` is warned of, for a change found on that day.

        Returns:
            Whether to warn: ``False`` where that was noted before for a change less than
            ``apart`` earlier, by this process or another, and for somebody unknown.
        """
        check_name(user, "user")
        with self._file.writing() as db:
            return set_warned(db, user, found, apart)

    def close(self) -> None:
        """Close the file; closing twice is fine, any other use afterwards a StoreError."""
        self._file.close()

    def __enter__(self) -> ProfileStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
