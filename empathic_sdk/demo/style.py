"""The page's style sheet and script. Colours come as variables from the palette and glide."""

from __future__ import annotations

from importlib.resources import files

from empathic_sdk.demo.palette import START, colours, sheet

_GLIDING = [name for name in colours(START) if not name.startswith("e-")]
_REGISTERED = "".join(
    f"@property --es-{name}{{syntax:'<color>';inherits:true;initial-value:{value}}}"
    for name, value in colours(START).items()
    if name in _GLIDING
)
_GLIDE = ",".join(f"--es-{name} 1.1s ease" for name in _GLIDING)
_PAGE = files("empathic_sdk.demo").joinpath("page.css").read_text(encoding="utf-8")

CSS = _REGISTERED + sheet(START) + _PAGE.replace("GLIDE;", f"{_GLIDE};")
"""Everything but the colours of the moment, which come as a block of their own."""

SCRIPT = files("empathic_sdk.demo").joinpath("page.js").read_text(encoding="utf-8")
"""What only a browser can do."""
