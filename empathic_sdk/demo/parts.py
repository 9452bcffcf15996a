"""HTML pieces that several panels share. Text is escaped here, HTML is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple


class Bar(NamedTuple):
    """One row of bars.

    Attributes:
        name: What it is, as text.
        share: How much of the width, 0 to 1.
        value: The number, as text.
        colour: A CSS colour.
        strong: Whether it stands out (in weight, not in colour alone).
    """

    name: str
    share: float
    value: str
    colour: str = "var(--es-accent)"
    strong: bool = False


def card(title: str, inside: str) -> str:
    """Return ``inside`` (HTML) under a title (text)."""
    title = escape(title)
    return f'<section class="es-side" aria-label="{title}"><h2>{title}</h2>{inside}</section>'


def soft(text: str) -> str:
    """Return a quiet paragraph."""
    return f'<p class="es-soft">{escape(text)}</p>'


def bars(label: str, rows: Iterable[Bar]) -> str:
    """Return named bars; each says its number, so the bar itself is hidden from screen readers."""
    inside = "".join(
        f"<li{_now(row)}><span{_now(row)}>{escape(row.name)}</span>"
        f'<span class="es-bar" aria-hidden="true"><i style="width:{_within(row.share) * 100:.1f}%;'
        f'background:{row.colour}"></i></span>'
        f"<b{_now(row)}>{escape(row.value)}</b></li>"
        for row in rows
    )
    return f'<ul class="es-rows" aria-label="{escape(label)}">{inside}</ul>'


def pole(name: str, value: float) -> str:
    """Return a point between two ends, -1 to 1, as a row for :func:`poles`."""
    return (
        f'<li><span>{escape(name)}</span><span class="es-bar es-pole" aria-hidden="true">'
        f'<i style="left:{(value + 1) * 50:.1f}%"></i></span><b>{value:+.2f}</b></li>'
    )


def poles(label: str, rows: Iterable[str]) -> str:
    """Return rows of :func:`pole`."""
    return f'<ul class="es-rows" aria-label="{escape(label)}">{"".join(rows)}</ul>'


def facts(known: Mapping[str, str]) -> str:
    """Return pairs of text."""
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in known.items())
    return f'<dl class="es-facts">{rows}</dl>'


def percent(share: float) -> str:
    """Return ``62%`` for 0.62."""
    return f"{share * 100:.0f}%"


def count(n: int, what: str) -> str:
    """Return ``one message``-like counts: ``1 message``, ``2 messages``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _now(row: Bar) -> str:
    return " class=es-now" if row.strong else ""


def _within(share: float) -> float:
    return max(0.0, min(1.0, share))
