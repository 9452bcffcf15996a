"""Resolves ``profiles=`` and ``store=``: a path, a URL, or a store of your own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import OverrideUse
from empathic_sdk.types.protocols import Store

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_KINDS = "a path, sqlite:///path, a ProfileStore, or store=, an object that fits Store"


def store_of(
    profiles: ProfileStore | str | Path | None, store: Store | None, keep_days: float | None
) -> tuple[Store, bool]:
    """Return the store that an agent was given, and whether the agent is to close it.

    Raises:
        ConfigurationError: It is not a store, two are given, or its kind is not available.
        StoreError: It cannot be opened.
    """
    if store is not None:
        if profiles is not None:
            raise ConfigurationError("give profiles= or store=, not both")
        if isinstance(store, type) or not isinstance(store, Store):
            raise ConfigurationError(
                "store= must be an object with get, record, session, turns, feedback, adopt and "
                "on_erase, or None"
            )
        profiles_or_store: object = store
    else:
        profiles_or_store = profiles
    if isinstance(profiles_or_store, Store):
        if keep_days is not None:
            raise ConfigurationError("keep_days= belongs to the ProfileStore that you made")
        return profiles_or_store, False
    if not isinstance(profiles, str | Path | None) or profiles == "":
        raise ConfigurationError(f"profiles= must be a path, a ProfileStore, or None ({_KINDS})")
    return ProfileStore(place_of(profiles), keep_days=keep_days), True


def place_of(profiles: str | Path | None) -> str | Path | None:
    """Return the file that a path or URL names; ``None`` for a store in memory.

    ``sqlite:///people.db`` is relative, ``sqlite:////var/people.db`` absolute.

    Raises:
        ConfigurationError: The URL names an unknown kind of store.
    """
    url = _SCHEME.fullmatch(profiles) if isinstance(profiles, str) else None
    if url is None:
        return profiles
    scheme, rest = url[1].lower(), url[2]
    if scheme != "sqlite":
        raise ConfigurationError(
            f"profiles= names a store of kind {scheme!r}, which is not available yet; there are: "
            f"{_KINDS}"
        )
    if rest in ("", "/", "/:memory:"):
        return None
    if not rest.startswith("/"):
        raise ConfigurationError(
            f"profiles={profiles!r} names a server; SQLite has none: write sqlite:///{rest}"
        )
    return unquote(rest[1:])


def recorder_of(store: Store) -> Callable[[OverrideUse], object]:
    """Return a function that records an override of the policy.

    It raises ConfigurationError if the store cannot record one.
    """

    def refuse(override: OverrideUse) -> object:
        raise ConfigurationError(
            "an override of the policy must be put on record, and this store has no declare()"
        )

    found: Callable[[OverrideUse], object] = getattr(store, "declare", refuse)
    return found
