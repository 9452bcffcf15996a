"""How the talk went: pleasantness over the person's messages, as a drawing that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from empathic_sdk import Emotion

SHOWN = 10
"""Points drawn at most, the newest."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 16.0, 344.0, 20.0, 96.0


@dataclass(frozen=True)
class Point:
    """What one message showed.

    Attributes:
        word: The emotion in a plain word.
        emotion: Its name, for the colour.
        valence: Unpleasant (-1) to pleasant (1).
        uncertain: Drawn hollow.
    """

    word: str
    emotion: Emotion
    valence: float
    uncertain: bool


def chart(points: Sequence[Point]) -> str:
    """Draw the talk so far as inline SVG; one sentence before there is anything to draw."""
    if not points:
        return '<p class="es-soft">After your first message, a line will grow here.</p>'
    shown = list(points)[-SHOWN:]
    first = len(points) - len(shown) + 1
    places = [(_x(i, len(shown)), _y(p.valence)) for i, p in enumerate(shown)]
    spoken = "; ".join(
        f"message {first + i}: {_word(p)}, {p.valence:+.2f}" for i, p in enumerate(shown)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        f'<svg class="es-chart" viewBox="0 0 360 146" role="img" '
        f'aria-label="Pleasantness from -1 to 1. {escape(spoken)}">',
        _rule(_y(0.0), "2 4"),
        '<text x="0" y="10">pleasant</text><text x="0" y="112">unpleasant</text>',
        f'<polyline points="{line}" fill="none" stroke="var(--es-edge)" stroke-width="1.5"/>',
    ]
    for i, (p, (x, y)) in enumerate(zip(shown, places, strict=True)):
        colour = f"var(--es-e-{p.emotion})"
        fill = "var(--es-panel)" if p.uncertain else colour
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{fill}" stroke="{colour}" '
            'stroke-width="2.5"/>'
        )
        row = 129 if i % 2 == 0 or len(shown) < 6 else 143
        side = "start" if i == 0 else "end" if i == len(shown) - 1 > 0 else "middle"
        at = 0.0 if side == "start" else 360.0 if side == "end" else x
        parts.append(
            f'<text class="es-word" x="{at:.1f}" y="{row}" text-anchor="{side}">'
            f"{escape(_word(p))}</text>"
        )
    parts.append("</svg>")
    if first > 1:
        parts.append(f'<p class="es-soft">The last {len(shown)} of {len(points)} messages.</p>')
    return "".join(parts)


def _x(i: int, n: int) -> float:
    return _LEFT if n == 1 else _LEFT + (_RIGHT - _LEFT) * i / (n - 1)


def _y(valence: float) -> float:
    return _TOP + (_BOTTOM - _TOP) * (1.0 - max(-1.0, min(1.0, valence))) / 2.0


def _rule(y: float, dashes: str) -> str:
    return (
        f'<line x1="0" x2="360" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--es-edge)" '
        f'stroke-width="1" stroke-dasharray="{dashes}"/>'
    )


def _word(point: Point) -> str:
    return f"{point.word}?" if point.uncertain else point.word
