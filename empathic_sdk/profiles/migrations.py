"""The schema, as an append-only list of migrations.

A migration that was ever released is never edited: what must change is changed by a new one at
the end, and ``VERSION`` counts them. sqlite-utils keeps the names of those applied in
``_sqlite_migrations``; ``user_version`` repeats their number in the header of the file, where it
can be read before anything is opened for writing.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

APPLICATION_ID = 0x456D7061  # "Empa": tells our files from those of other applications

MIGRATIONS = Migrations("empathic_sdk.profiles")


@MIGRATIONS()
def m001_profiles(db: Database) -> None:
    """Users with running aggregates; their conversations, turns, feedback and consents."""
    for statement in (
        """CREATE TABLE users (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            created TEXT NOT NULL,
            turns INTEGER NOT NULL DEFAULT 0,
            conversations INTEGER NOT NULL DEFAULT 0,
            valence_sum REAL NOT NULL DEFAULT 0,
            emotions TEXT NOT NULL DEFAULT '{}',
            last_emotion TEXT,
            last_seen TEXT,
            preferences TEXT NOT NULL DEFAULT '{}'
        )""",
        """CREATE TABLE conversations (
            id INTEGER PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            started TEXT NOT NULL,
            updated TEXT NOT NULL,
            session BLOB,
            UNIQUE (user_id, name)
        )""",
        """CREATE TABLE turns (
            seq INTEGER PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
            id TEXT NOT NULL,
            at TEXT NOT NULL,
            label TEXT NOT NULL,
            probabilities TEXT NOT NULL,
            confidence REAL NOT NULL,
            uncertain INTEGER NOT NULL,
            valence REAL NOT NULL,
            arousal REAL NOT NULL,
            intensity REAL NOT NULL,
            shift REAL,
            change TEXT,
            trend TEXT NOT NULL,
            contributions TEXT NOT NULL,
            missing TEXT NOT NULL,
            tone TEXT NOT NULL,
            pacing TEXT NOT NULL,
            theme TEXT NOT NULL,
            strategy TEXT NOT NULL,
            safety_level TEXT NOT NULL,
            safety_reasons TEXT NOT NULL,
            responder TEXT NOT NULL,
            timings TEXT NOT NULL,
            text TEXT,
            reply TEXT,
            UNIQUE (user_id, id)
        )""",
        # The rowid ends every index, so these two give a user's or a conversation's turns in order.
        "CREATE INDEX turns_of_user ON turns(user_id)",
        "CREATE INDEX turns_of_conversation ON turns(conversation_id)",
        """CREATE TABLE feedback (
            turn_seq INTEGER PRIMARY KEY REFERENCES turns(seq) ON DELETE CASCADE,
            emotion TEXT,
            rating INTEGER,
            at TEXT NOT NULL
        )""",
        """CREATE TABLE consents (
            id INTEGER PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            modality TEXT NOT NULL,
            granted INTEGER NOT NULL,
            version TEXT NOT NULL,
            at TEXT NOT NULL
        )""",
        "CREATE INDEX consents_of_user ON consents(user_id, modality)",
        # Erasures begun, and the last one after which the file was compacted: a process that
        # dies in between leaves a debt that the next one to open the file can see and pay.
        "CREATE TABLE upkeep (erasures INTEGER NOT NULL, compacted INTEGER NOT NULL)",
        "INSERT INTO upkeep VALUES (0, 0)",
    ):
        db.execute(statement)


@MIGRATIONS()
def m002_mastery(db: Database) -> None:
    """What tutoring believes a user has learned: one row a skill at a level."""
    db.execute(
        """CREATE TABLE mastery (
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            skill TEXT NOT NULL,
            known REAL NOT NULL,
            seen INTEGER NOT NULL,
            version INTEGER NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (user_id, skill)
        )"""
    )


@MIGRATIONS()
def m003_referrals(db: Database) -> None:
    """How often the safety protocol acted: counts alone, nothing that leads to a person."""
    db.execute(
        """CREATE TABLE referrals (
            day TEXT NOT NULL,
            level TEXT NOT NULL,
            step TEXT NOT NULL,
            locale TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (day, level, step, locale)
        ) WITHOUT ROWID"""
    )


@MIGRATIONS()
def m004_days(db: Database) -> None:
    """One row for each day of a user, and the change that was last warned of."""
    db.execute(
        """CREATE TABLE days (
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            day TEXT NOT NULL,
            turns INTEGER NOT NULL,
            mood_sum REAL NOT NULL,
            mood_squares REAL NOT NULL,
            distressed INTEGER NOT NULL,
            PRIMARY KEY (user_id, day)
        ) WITHOUT ROWID"""
    )
    # Mood as EmotionState.mood has it, written out: a migration never changes.
    db.execute(
        """INSERT INTO days
            SELECT user_id, day, count(*), sum(mood), sum(mood * mood), sum(bad) FROM (
                SELECT user_id, substr(at, 1, 10) AS day,
                    json_extract(probabilities, '$.joy')
                    - json_extract(probabilities, '$.sadness')
                    - json_extract(probabilities, '$.anger')
                    - json_extract(probabilities, '$.fear')
                    - json_extract(probabilities, '$.disgust') AS mood,
                    label IN ('sadness', 'anger', 'fear', 'disgust') AS bad
                FROM turns
            ) GROUP BY user_id, day"""
    )
    db.execute("ALTER TABLE users ADD COLUMN warned TEXT")


@MIGRATIONS()
def m005_overrides(db: Database) -> None:
    """Who declared an exception to the prohibition, and whose data were processed under it."""
    db.execute(
        """CREATE TABLE overrides (
            id INTEGER PRIMARY KEY,
            context TEXT NOT NULL,
            purpose TEXT NOT NULL,
            reason TEXT NOT NULL,
            by TEXT NOT NULL,
            at TEXT NOT NULL,
            UNIQUE (context, purpose, reason, by)
        )"""
    )
    db.execute(
        """CREATE TABLE override_uses (
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            override_id INTEGER NOT NULL REFERENCES overrides(id),
            modality TEXT NOT NULL,
            turns INTEGER NOT NULL,
            first TEXT NOT NULL,
            last TEXT NOT NULL,
            PRIMARY KEY (user_id, override_id, modality)
        )"""
    )


@MIGRATIONS()
def m006_privacy_budget(db: Database) -> None:
    """What may be told about everybody together, and what was told; nothing about a person."""
    db.execute("ALTER TABLE upkeep ADD COLUMN privacy_millionths INTEGER NOT NULL DEFAULT 1000000")
    db.execute(
        """CREATE TABLE privacy_spent (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            what TEXT NOT NULL,
            millionths INTEGER NOT NULL
        )"""
    )


@MIGRATIONS()
def m007_retention(db: Database) -> None:
    """Find old turns without reading all of them."""
    db.execute("CREATE INDEX turns_at ON turns(at)")


@MIGRATIONS()
def m008_learning(db: Database) -> None:
    """What a user's feedback taught, and what a turn must keep so that it can be learned from."""
    for statement in (
        "ALTER TABLE turns ADD COLUMN general TEXT",
        "ALTER TABLE turns ADD COLUMN apart TEXT",
        "ALTER TABLE users ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE users ADD COLUMN transitions TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE users ADD COLUMN arousal_sum REAL NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN valence_squares REAL NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD COLUMN arousal_squares REAL NOT NULL DEFAULT 0",
        """UPDATE users SET (arousal_sum, valence_squares, arousal_squares) = (
            SELECT total(arousal), total(valence * valence), total(arousal * arousal)
            FROM turns WHERE turns.user_id = users.id
        )""",
        # Only turns after `since` are learned from: a reset moves it to the last one there is.
        """CREATE TABLE learning (
            user_id INTEGER PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            since INTEGER NOT NULL DEFAULT 0,
            bias TEXT NOT NULL,
            threshold REAL NOT NULL,
            weights TEXT NOT NULL,
            learned TEXT NOT NULL,
            at TEXT NOT NULL
        )""",
    ):
        db.execute(statement)


@MIGRATIONS()
def m009_upkeep(db: Database) -> None:
    """What keeping a store in order needs to know; nothing about anybody."""
    for statement in (
        # How often unused bytes were zeroed: a change, so that every process reads pages anew.
        "ALTER TABLE upkeep ADD COLUMN scrubs INTEGER NOT NULL DEFAULT 0",
        # Copies under way: a process that dies leaves a file, which must not outlive an erasure.
        "ALTER TABLE upkeep ADD COLUMN copies TEXT NOT NULL DEFAULT '[]'",
        # What time it is for sure, and on what evidence (retention).
        "ALTER TABLE upkeep ADD COLUMN clock TEXT NOT NULL DEFAULT '{}'",
        # When those were first known who were lately forgotten for age, not erased.
        "ALTER TABLE upkeep ADD COLUMN purged TEXT NOT NULL DEFAULT '{}'",
        # Users whose rows are being erased, and who have lost their names already.
        "ALTER TABLE upkeep ADD COLUMN leaving TEXT NOT NULL DEFAULT '[]'",
    ):
        db.execute(statement)


KNOWN = (
    "m001_profiles", "m002_mastery", "m003_referrals", "m004_days", "m005_overrides",
    "m006_privacy_budget", "m007_retention", "m008_learning", "m009_upkeep",
)  # fmt: skip
VERSION = len(KNOWN)


def application_id(db: Database) -> int:
    """Return the number that names the application a file belongs to, 0 = nobody's."""
    return int(db.execute("PRAGMA application_id").fetchone()[0])


def user_version(db: Database) -> int:
    """Return how many migrations the header of the file speaks of."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def is_blank(db: Database) -> bool:
    """Say whether nobody has put anything into this database yet."""
    return application_id(db) == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone()


def is_newer(db: Database) -> bool:
    """Say whether migrations were applied that this version of the package does not know."""
    return user_version(db) > VERSION or any(m.name not in KNOWN for m in MIGRATIONS.applied(db))


def is_current(db: Database) -> bool:
    """Say whether the file is ours and nothing is left to apply."""
    return application_id(db) == APPLICATION_ID and not MIGRATIONS.pending(db)


def migrate(db: Database) -> None:
    """Apply what is pending. Call it inside a transaction: all of it happens, or nothing."""
    MIGRATIONS.apply(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")
