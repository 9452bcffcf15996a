"""How large a language model is, as far as that can be known without asking it."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Literal

Prompt = Literal["short", "full"]

SMALL = 1.5e9
"""Parameters below which a model gets the short prompt."""

NARROW = 3000
"""Tokens of context below which a model gets the short prompt."""

_SIZE = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d{1,2})?)\s?([bm])(?![a-z0-9])", re.IGNORECASE)


def parameters_in(name: str) -> float | None:
    """Return the number of parameters that a model's name gives, as ``"smollm2:135m"`` does.

    ``None`` where it gives none. Of several the largest counts: in a mixture of experts, ``"8x7b"``
    is read as nothing.
    """
    found = [
        float(number) * (1e9 if unit.lower() == "b" else 1e6)
        for number, unit in _SIZE.findall(re.sub(r"[-_:/@]", " ", name))
    ]
    return max(found, default=None)


def parameters_of(model: Any) -> float | None:
    """Return the number of parameters of a model of transformers; ``None`` if it does not tell."""
    count = getattr(model, "num_parameters", None)
    with contextlib.suppress(Exception):  # models count in ways of their own
        return float(count()) if callable(count) else None
    return None


def prompt_for(model: Any) -> Prompt:
    """Return which prompt suits a language model: ``"full"`` where its size is not known.

    Args:
        model: A language model. Its ``parameters`` and ``context_tokens`` count where it has them,
            else the size that its name gives.
    """
    size, context = getattr(model, "parameters", None), getattr(model, "context_tokens", None)
    if not isinstance(size, int | float):
        size = parameters_in(str(getattr(model, "name", "")))
    if isinstance(context, int) and 0 < context < NARROW:
        return "short"
    return "short" if size is not None and size < SMALL else "full"
