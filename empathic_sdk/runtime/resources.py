"""Locations of the files that ship with the package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def prompts_dir() -> Path:
    """Return the folder of the templates, in an installed wheel or beside a checkout."""
    inside = PACKAGE / "prompts"
    return inside if inside.is_dir() else PACKAGE.parent / "prompts"


def weights_dir() -> Path:
    """Return the folder of the trained parameters."""
    return PACKAGE / "weights"
