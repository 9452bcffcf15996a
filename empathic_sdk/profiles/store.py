"""The profile store: what is remembered about each user, and how it is forgotten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from empathic_sdk.errors import ConfigurationError, InputError, StoreError, UnknownTurnError
from empathic_sdk.profiles.checks import check_name, check_text, member
from empathic_sdk.profiles.export import export_user
from empathic_sdk.profiles.file import StoreFile
from empathic_sdk.profiles.learned import relearn, reset
from empathic_sdk.profiles.person import check_attributes, profile_of
from empathic_sdk.profiles.rows import context_of, row_of, turn_rows
from empathic_sdk.profiles.writes import (
    add_consent,
    add_turn,
    delete_user,
    set_attributes,
    set_feedback,
    set_preferences,
)
from empathic_sdk.types import (
    Emotion,
    Mastery,
    Modality,
    Profile,
    Proposal,
    Turn,
    UserContext,
)


class ProfileStore:
    """What is remembered about each user, in one SQLite file.

    Safe to share between threads; several processes may open the same file, each with a store of
    its own. Every method that writes is one transaction that is on the disk when it returns.

    Args:
        path: The file; it and its parent folders are made if they are missing, the file readable
            by its owner alone. ``None`` keeps everything in memory.
        timeout_s: Seconds to wait for other processes before :class:`StoreLockedError`.

    Raises:
        StoreCorruptError: The file is damaged, or belongs to another application.
        StoreVersionError: It was written by a newer version of this package.
        StoreReadOnlyError: It is not there and cannot be made, or an old one cannot be updated.
        StoreLockedError: Another process held it for too long.
        StoreError: The path is a folder, or cannot be opened. All of these are StoreErrors, and
            every method may raise them; a closed store raises StoreError.
        ConfigurationError: ``timeout_s`` is no finite number of at least 0.
    """

    def __init__(self, path: str | Path | None = None, *, timeout_s: float = 5.0) -> None:
        """Open the file, or make it."""
        if not (math.isfinite(timeout_s) and timeout_s >= 0):
            raise ConfigurationError(f"timeout_s must be at least 0 seconds, not {timeout_s!r}")
        if path is not None:
            check_text(str(path), "the path of a store")
            if not str(path).strip() or "\0" in str(path):
                raise ConfigurationError("the path of a store must name a file")
        in_memory = path is None or str(path) == ":memory:"
        place = None if in_memory else Path(str(path)).expanduser().absolute()
        self._forgetters: list[Callable[[str], object]] = []
        self._file = StoreFile(place, float(timeout_s))

    @property
    def path(self) -> Path | None:
        """The file, absolute; ``None`` for a store in memory."""
        return self._file.path

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
            add_turn(db, turn, row, session, mastery or {})

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
        version: str = "1",
    ) -> bool:
        """Record, or read, whether ``user`` lets this modality be processed.

        Args:
            user: Who decides.
            modality: What about.
            granted: ``True`` grants, ``False`` revokes, ``None`` only reads.
            version: Which wording of the notice they decided on; kept beside the date.

        Returns:
            What stands now: their last decision, whatever its version; ``False`` without one.

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
