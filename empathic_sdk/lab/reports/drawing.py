"""Charts as inline SVG: frames with axes, bars, lines, points and heat maps.

Colours are classes of the style sheet (``report.css``), so that a chart follows the light and the
dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from empathic_sdk.lab.reports.markup import Html, Piece, join, tag


def svg(title: str, width: float, height: float, *parts: Piece, least: float = 0.0) -> Html:
    """Return a drawing that scales to its column, but not below ``least`` pixels."""
    drawn = tag(
        "svg", tag("title", title), *parts, role="img", aria_label=title, class_="chart",
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"max-width:{width:g}px" + (f";min-width:{least:g}px" if least else ""),
    )  # fmt: skip
    if not least:
        return drawn
    return tag("div", drawn, class_="scroll", role="region", aria_label=title, tabindex="0")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers within ``low`` to ``high``."""
    span = high - low
    if span <= 0:
        return [low]
    step = 10 ** math.floor(math.log10(span / about))
    step = next((step * k for k in (1, 2, 5, 10) if span / (step * k) <= about), step * 10)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A plot's place in a drawing, and what its edges stand for.

    Attributes:
        left: Pixels.
        top: Pixels.
        width: Pixels.
        height: Pixels.
        x: Values at the left and right edge.
        y: Values at the bottom and top edge.
    """

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at_x(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.left + self.width * (value - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)

    def at_y(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0)
        return self.top + self.height * (1.0 - share)

    def axes(
        self,
        *,
        xs: Sequence[float] = (),
        ys: Sequence[float] = (),
        x_name: str = "",
        y_name: str = "",
        label: Callable[[float], str] = "{:g}".format,
    ) -> Html:
        """Return hairlines at ``ys``, numbers at both axes, and the axes' names."""
        bottom = self.top + self.height
        right = self.left + self.width
        parts = [line(self.left, self.at_y(y), right, self.at_y(y), "grid") for y in ys]
        parts.append(line(self.left, bottom, right, bottom, "axis"))
        for y in ys:
            parts.append(words(self.left - 8, self.at_y(y) + 4, label(y), anchor="end"))
        for x in xs:
            parts.append(words(self.at_x(x), bottom + 17, label(x)))
        if x_name:
            parts.append(words(self.left + self.width / 2, bottom + 36, x_name, "name"))
        if y_name:
            parts.append(words(self.left - 34, self.top - 12, y_name, "name", anchor="start"))
        return join(*parts)

    def line(self, xs: Sequence[float], ys: Sequence[float], style: str) -> Html:
        """Return a line through points."""
        return polyline([(self.at_x(x), self.at_y(y)) for x, y in zip(xs, ys, strict=True)], style)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> Html:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=style)


def polyline(points: Sequence[tuple[float, float]], style: str) -> Html:
    """Return a line through pixels."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=style)


def words(
    x: float, y: float, text: str, style: str | None = None, *, anchor: str = "middle"
) -> Html:
    """Return a text."""
    return tag("text", text, x=x, y=y, text_anchor=anchor, class_=style)


def dot(x: float, y: float, radius: float, style: str, title: str | None = None) -> Html:
    """Return a disc."""
    inside = tag("title", title) if title else None
    return tag("circle", inside, cx=x, cy=y, r=radius, class_=style)


def box(
    x: float, y: float, width: float, height: float, style: str, *,
    title: str | None = None, share: float | None = None, radius: float = 0.0,
) -> Html:  # fmt: skip
    """Return a rectangle; ``share`` (0 to 1) is how strongly it is coloured."""
    return tag(
        "rect", tag("title", title) if title else None, x=x, y=y, width=max(width, 0.0),
        height=max(height, 0.0), class_=style, rx=radius or None,
        style=None if share is None else f"fill-opacity:{min(max(share, 0.0), 1.0):.3f}",
    )  # fmt: skip


def whisker(frame: Frame, mean: float, std: float, y: float, style: str, title: str) -> Html:
    """Return a point with its spread, lying."""
    low, high = frame.at_x(mean - std), frame.at_x(mean + std)
    return join(line(low, y, high, y, f"whisker {style}"),
                dot(frame.at_x(mean), y, 4.5, style, title))  # fmt: skip


def heat(
    values: np.ndarray, *, left: float, top: float, cell: tuple[float, float],
    low: float, high: float, title: Callable[[int, int], str], gap: float = 1.5,
) -> Html:  # fmt: skip
    """Return a heat map of ``values`` ``[rows, columns]``; NaN is left empty."""
    across, down = cell
    span = (high - low) or 1.0
    return join(
        *(
            box(left + k * across, top + i * down, across - gap, down - gap, "heat",
                share=0.04 + 0.96 * float((values[i, k] - low) / span), title=title(i, k))
            for i in range(values.shape[0])
            for k in range(values.shape[1])
            if not math.isnan(values[i, k])
        )
    )  # fmt: skip


def scale(left: float, top: float, low: str, high: str, name: str = "") -> Html:
    """Return the legend of a heat map."""
    steps = [box(left + 14 * k, top, 14.5, 9, "heat", share=0.04 + 0.96 * k / 9) for k in range(10)]
    return join(
        *steps, words(left - 6, top + 9, low, anchor="end"),
        words(left + 146, top + 9, high + (f"  {name}" if name else ""), anchor="start"),
    )  # fmt: skip
