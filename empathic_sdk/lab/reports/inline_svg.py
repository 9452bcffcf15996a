"""Charts of matplotlib as SVG that stands inside a page and follows its style sheet.

Colours are those of the style sheet: a chart is drawn in stand-in colours (:data:`COLOURS`), which
give way to ``var(--name)``, so that it follows the light and the dark scheme.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.artist import Artist
from matplotlib.figure import Figure

COLOURS = {
    name: f"#0000{number:02x}"
    for number, name in enumerate(
        ("ink", "soft", "line", "rule", "accent", "panel", "heat", "bad", "good", "on", "dark",
         *(f"k{k}" for k in range(7))), 1,
    )
}  # fmt: skip
"""Names of the style sheet's colours, and what stands for each while a chart is drawn."""

_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "empathic",  # the same chart, the same bytes
    "font.size": 12,
    "text.color": COLOURS["soft"],
    "axes.edgecolor": COLOURS["rule"],
    "axes.facecolor": "none",
    "axes.labelcolor": COLOURS["soft"],
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "grid.color": COLOURS["line"],
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
}


class Chart:
    """A figure that is being drawn.

    Attributes:
        figure: Of matplotlib; a unit is a pixel of the page.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        """Start a drawing of this size in pixels; a screen reader says ``title``."""
        self.title = title
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self._told: dict[str, str] = {}

    def tell(self, artist: Artist, text: str) -> None:
        """Let ``text`` appear where the pointer rests on ``artist``."""
        name = f"told{len(self._told)}"
        artist.set_gid(name)
        self._told[name] = text

    def svg(self, *, least: float = 0.0) -> Markup:
        """Return the drawing, which scales to its column, but not below ``least`` pixels."""
        out = io.BytesIO()
        self.figure.savefig(out, format="svg", metadata={"Date": None})
        root = ElementTree.fromstring(out.getvalue())
        named = {node.get("id", ""): node for node in root.iter()}
        drawn = "".join(_markup(child, named, self._told) for child in root)
        width, height = (72 * size for size in self.figure.get_size_inches())
        title = escape(self.title)
        style = f"max-width:{width:g}px" + (f";min-width:{least:g}px" if least else "")
        whole = Markup(
            f'<svg role="img" aria-label="{title}" class="chart" viewBox="0 0 {width:g} {height:g}"'
            f' style="{style}"><title>{title}</title>{drawn}</svg>'
        )
        if not least:
            return whole
        return Markup(
            f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">{whole}</div>'
        )


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of the page."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def _markup(
    node: ElementTree.Element, named: Mapping[str, ElementTree.Element], told: Mapping[str, str]
) -> str:
    """Write an element without names: what it refers to stands in its place."""
    tag = node.tag.rpartition("}")[2]
    if tag in ("metadata", "defs"):
        return ""
    given = {k.rpartition("}")[2]: v for k, v in node.attrib.items()}
    name = given.pop("id", "")
    given.pop("clip-path", None)
    inside = "".join(_markup(child, named, told) for child in node)
    if tag == "use":
        tag, inside = "g", _markup(named[given.pop("href")[1:]], named, told)
        given["transform"] = f"translate({given.pop('x', 0)} {given.pop('y', 0)})"
    if name in told:
        inside = f"<title>{escape(told[name])}</title>{inside}"
    text = escape((node.text or "").strip())
    attributes = "".join(f' {key}="{escape(_coloured(value))}"' for key, value in given.items())
    return f"<{tag}{attributes}>{text}{inside}</{tag}>"


def _coloured(value: str) -> str:
    """Return an attribute with the page's colours, and in the page's font."""
    value = re.sub(r"font-family:[^;]*+; ?", "", value)
    return re.sub(r"#[0-9a-f]{6}", lambda found: _VARIABLES.get(found[0], found[0]), value)
