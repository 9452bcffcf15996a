"""HTML and SVG as nested calls: whatever is not markup already is text, and is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

# What XML and HTML have no place for, whatever a corpus holds.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Finished markup."""

    __slots__ = ()


Piece = str | float | None


def _text(value: Piece) -> str:
    if value is None:
        return ""
    if isinstance(value, float | int):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _NO_TEXT.sub("\ufffd", value)


def join(*inside: Piece) -> Html:
    """Return the pieces as one; strings that are no :class:`Html` are escaped."""
    return Html("".join(p if isinstance(p, Html) else escape(_text(p)) for p in inside))


def tag(name: str, *inside: Piece, **attributes: Piece) -> Html:
    """Return one element; ``class_`` is ``class``, ``aria_label`` is ``aria-label``.

    Attributes that are ``None`` are left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{join(*inside)}</{name}>")


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Return a share of 1 in percent, a dash for ``None``; a true minus sign."""
    if value is None:
        return "–"
    return f"{100 * value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def with_spread(mean: float, std: float | None, digits: int = 1) -> Html:
    """Return ``mean ± std`` (shares of 1) in percent."""
    if std is None:
        return join(percent(mean, digits))
    return join(percent(mean, digits), tag("span", f" ± {percent(std, digits)}", class_="sd"))


class Group(NamedTuple):
    """Rows of a table under one heading ("" for none)."""

    title: str
    rows: Sequence[Sequence[Piece]]
    marked: frozenset[int] = frozenset()


def table(
    caption: Piece, head: Sequence[Piece], groups: Sequence[Group], *, words: int = 1, label: str
) -> Html:
    """Return a table whose first column names its rows.

    Args:
        caption: Above it.
        head: One heading a column.
        groups: The rows, in bodies.
        words: How many columns from the left hold words; the others are aligned right.
        label: What a screen reader calls the region that scrolls.
    """

    def kind(column: int) -> str | None:
        return None if column < words else "num"

    top = tag("tr", *(tag("th", h, scope="col", class_=kind(k)) for k, h in enumerate(head)))
    bodies = []
    for group in groups:
        rows = []
        if group.title:
            title = tag("th", group.title, scope="rowgroup", colspan=float(len(head)))
            rows.append(tag("tr", title, class_="group"))
        for i, (first, *rest) in enumerate(group.rows):
            cells = [tag("th", first, scope="row")]
            cells += [tag("td", cell, class_=kind(k)) for k, cell in enumerate(rest, 1)]
            rows.append(tag("tr", *cells, class_="ours" if i in group.marked else None))
        bodies.append(tag("tbody", *rows))
    whole = tag("table", tag("caption", tag("span", caption)), tag("thead", top), *bodies)
    return tag("div", whole, class_="scroll", role="region", aria_label=label, tabindex="0")


def details(summary: str, *inside: Piece, opened: bool = False) -> Html:
    """Return something that opens on a click."""
    name = "details open" if opened else "details"
    return Html(f"<{name}>{tag('summary', summary)}{join(*inside)}</details>")
