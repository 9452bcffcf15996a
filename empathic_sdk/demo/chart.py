"""Chart of a conversation: valence and arousal per message, with changes marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from empathic_sdk import Emotion

SHOWN = 8
"""Maximum number of points; the newest are drawn."""
SHIFTED = 0.5
"""From this probability of a change on, a message is marked."""

_LEFT, _RIGHT, _TOP, _BOTTOM, _FOOT = 14.0, 346.0, 34.0, 134.0, 152.0


@dataclass(frozen=True)
class Point:
    """The emotion of one message.

    Attributes:
        word: The emotion in a plain word.
        emotion: Its name, for the colour.
        valence: Unpleasant (-1) to pleasant (1).
        arousal: Calm (-1) to excited (1).
        uncertain: Drawn hollow, with a question mark.
        shift: Probability that the emotion changed since the message before, if there was one.
    """

    word: str
    emotion: Emotion
    valence: float
    arousal: float
    uncertain: bool
    shift: float | None = None

    @property
    def shifted(self) -> bool:
        """Whether it is marked as a change."""
        return self.shift is not None and self.shift >= SHIFTED


def chart(points: Sequence[Point]) -> str:
    """Draw the conversation so far as inline SVG, with its table.

    Valence is a solid line with round points, arousal a dashed one with diamonds; a change is a
    dotted line with the word.
    """
    if not points:
        return '<p class="es-soft">After your first message, two lines will grow here.</p>'
    shown = list(points)[-SHOWN:]
    first = len(points) - len(shown) + 1
    xs = [_x(i, len(shown)) for i in range(len(shown))]
    parts = [
        f'<svg class="es-chart" viewBox="0 0 360 192" role="img" aria-label="{_spoken(shown)}">',
        f'<line x1="0" x2="360" y1="{_y(0.0):.1f}" y2="{_y(0.0):.1f}" class="es-zero"/>',
    ]
    for i, (p, x) in enumerate(zip(shown, xs, strict=True)):
        if p.shifted and i:
            at = (x + xs[i - 1]) / 2
            parts.append(
                f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP - 8}" y2="{_BOTTOM}" '
                'class="es-mark"/>'
                f'<text x="{at:.1f}" y="{_TOP - 13}" text-anchor="middle">shift</text>'
            )
    valence = " ".join(f"{x:.1f},{_y(p.valence):.1f}" for p, x in zip(shown, xs, strict=True))
    arousal = " ".join(f"{x:.1f},{_y(p.arousal):.1f}" for p, x in zip(shown, xs, strict=True))
    parts.append(f'<polyline points="{arousal}" class="es-arousal"/>')
    parts.append(f'<polyline points="{valence}" class="es-valence"/>')
    for p, x in zip(shown, xs, strict=True):
        y = _y(p.arousal)
        parts.append(f'<path d="M{x:.1f} {y - 5:.1f}l5 5-5 5-5-5z" class="es-diamond"/>')
    for i, (p, x) in enumerate(zip(shown, xs, strict=True)):
        colour = f"var(--es-e-{p.emotion})"
        fill = "var(--es-panel)" if p.uncertain else colour
        parts.append(
            f'<circle cx="{x:.1f}" cy="{_y(p.valence):.1f}" r="6" fill="{fill}" '
            f'stroke="{colour}" stroke-width="2.5"/>'
        )
        row = _FOOT if i % 2 == 0 or len(shown) < 5 else _FOOT + 15
        side = "start" if i == 0 else "end" if i == len(shown) - 1 > 0 else "middle"
        at = 0.0 if side == "start" else 360.0 if side == "end" else x
        parts.append(
            f'<text class="es-word" x="{at:.1f}" y="{row}" text-anchor="{side}">'
            f"{escape(_word(p))}</text>"
        )
    parts.append(
        f'<g transform="translate(0 {_FOOT + 34})"><line x1="0" x2="26" y1="-4" y2="-4" '
        'class="es-valence"/><circle cx="13" cy="-4" r="4.5" fill="var(--es-accent)"/>'
        '<text x="32" y="0">pleasant (up) or not</text>'
        '<line x1="176" x2="202" y1="-4" y2="-4" class="es-arousal"/>'
        '<path d="M189 -9l5 5-5 5-5-5z" class="es-diamond"/>'
        '<text x="208" y="0">excited (up) or calm</text></g></svg>'
    )
    if first > 1:
        parts.append(f'<p class="es-soft">The last {len(shown)} of {len(points)} messages.</p>')
    parts.append(_table(shown, first))
    return "".join(parts)


def _table(points: Sequence[Point], first: int) -> str:
    rows = "".join(
        f"<tr><th scope=row>{first + i}</th><td>{escape(_word(p))}</td><td>{p.valence:+.2f}</td>"
        f"<td>{p.arousal:+.2f}</td><td>{'–' if p.shift is None else f'{p.shift:.0%}'}</td></tr>"
        for i, p in enumerate(points)
    )
    return (
        '<details class="es-more"><summary>The same as a table</summary><table class="es-table">'
        "<thead><tr><th scope=col>message</th><th scope=col>feeling</th>"
        "<th scope=col>pleasant</th><th scope=col>excited</th><th scope=col>changed</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></details>"
    )


def _spoken(points: Sequence[Point]) -> str:
    """Say in one sentence what the drawing shows; the table beside it has the numbers."""
    marks = [p.word for p in points if p.shifted]
    way = "" if len(points) == 1 else f" The last: {_word(points[-1])}."
    changes = f" Changes towards: {', '.join(marks)}." if marks else ""
    return escape(
        f"How pleasant and how excited your last {len(points)} messages seemed. "
        f"The first: {_word(points[0])}.{way}{changes}"
    )


def _x(i: int, n: int) -> float:
    return _LEFT if n == 1 else _LEFT + (_RIGHT - _LEFT) * i / (n - 1)


def _y(value: float) -> float:
    return _TOP + (_BOTTOM - _TOP) * (1.0 - max(-1.0, min(1.0, value))) / 2.0


def _word(point: Point) -> str:
    return f"{point.word}?" if point.uncertain else point.word
