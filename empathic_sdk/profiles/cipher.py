"""Encryption of the store with SQLCipher: choice of driver, unlocking of connections."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from empathic_sdk.errors import ConfigurationError, MissingExtraError

VARIABLE = "EMPATHIC_PROFILES_KEY"
"""Environment variable with the passphrase of every store that this process opens."""

SHORTEST = 8


def key_from_environment() -> str | None:
    """Return the passphrase, ``None`` where the environment has none.

    Raises:
        ConfigurationError: It cannot be a passphrase.
    """
    key = os.environ.get(VARIABLE)
    if key is None:
        return None
    if len(key) < SHORTEST or not key.isprintable():
        raise ConfigurationError(
            f"{VARIABLE} must hold a passphrase of at least {SHORTEST} printable characters; "
            "unset it to keep people's data unencrypted"
        )
    return key


def driver(key: str | None) -> Any:
    """Return the DB-API module: Python's own, or SQLCipher's where there is a key.

    Raises:
        MissingExtraError: There is a key, and SQLCipher is not installed.
    """
    if key is None:
        return sqlite3
    try:
        from sqlcipher3 import dbapi2
    except ImportError as error:
        raise MissingExtraError("encryption", f"a profile store with a key ({VARIABLE})") from error
    return dbapi2


def unlock(connection: Any, key: str) -> None:
    """Set the key of a new connection; a wrong one is noticed on the first read."""
    # Otherwise it writes to standard error.
    connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
    quoted = key.replace("'", "''")
    connection.execute(f"PRAGMA key = '{quoted}'").fetchall()
