"""The profile store: one SQLite file, exportable and erasable to the last byte."""

from empathic_sdk.profiles.store import ProfileStore

__all__ = ["ProfileStore"]
