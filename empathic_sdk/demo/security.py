"""Security settings of the demo: host names, limits, response headers."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from empathic_sdk.types.base import Value

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Names that reach only the machine itself."""

_NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9._-]+")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class RateLimits(Value):
    """How much one visitor, and one address, may ask for. Rates are per second.

    Attributes:
        visit_burst: Requests of one visitor at once.
        visit_rate: Requests of one visitor that are granted anew each second.
        address_burst: Requests of one address at once (several people may share one).
        address_rate: The same, each second.
        arrivals_burst: New visitors of one address at once.
        arrivals_rate: The same, each second.
        visit_streams: Open event streams of one visitor; a page holds two.
        address_streams: Open event streams of one address.
        remembered: Visitors and addresses that are counted; the longest silent are dropped.
        uploading_bytes: Bytes of messages that may be in memory at once, of all visitors.
        body_seconds: How long a message may take to arrive.
    """

    visit_burst: int = Field(default=60, ge=1)
    visit_rate: float = Field(default=3.0, gt=0)
    address_burst: int = Field(default=600, ge=1)
    address_rate: float = Field(default=30.0, gt=0)
    arrivals_burst: int = Field(default=100, ge=1)
    arrivals_rate: float = Field(default=1.0, gt=0)
    visit_streams: int = Field(default=16, ge=2)
    address_streams: int = Field(default=256, ge=2)
    remembered: int = Field(default=20_000, ge=1)
    uploading_bytes: int = Field(default=200_000_000, ge=1)
    body_seconds: float = Field(default=60.0, gt=0)


class Security(Value):
    """Security settings of the demo.

    Attributes:
        hosts: Names under which the demo may be asked for, without ports.
        frame_ancestors: Origins that may show it inside a page of theirs.
        limits: How much one visitor and one address may ask for.
    """

    hosts: tuple[str, ...] = LOCAL_NAMES
    frame_ancestors: tuple[str, ...] = ()
    limits: RateLimits = RateLimits()

    @field_validator("hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(host.strip().lower().rstrip(".") for host in hosts)
        wrong = [name for name in names if not _NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no host name: write it without scheme and port")
        return names

    @field_validator("frame_ancestors")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [o for o in origins if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+", o)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no origin such as https://example.org")
        return origins

    def knows(self, host: str) -> bool:
        """Return whether a ``Host`` header names this server."""
        found = _HOST.fullmatch(host)
        return found is not None and found[1].lower().rstrip(".") in self.hosts


def same_origin(origin: str, host: str, scheme: str) -> bool:
    """Return whether an ``Origin`` or ``Referer`` is this server's own.

    Args:
        origin: The header.
        host: The request's ``Host`` header.
        scheme: The request's scheme as far as the server knows; behind a proxy that ends TLS it
            may be ``http``, so only ``https`` is held against the origin.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    found = _HOST.fullmatch(host)
    if found is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    if scheme == "https" and parts.scheme != "https":
        return False
    usual = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    mine = int(found[2]) if found[2] else usual
    return name == found[1].lower() and (port or usual) == mine


def script_hashes(page: bytes) -> list[str]:
    """Return the policy's sources for the scripts that stand in a page itself."""
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in dict.fromkeys(_INLINE_SCRIPT.findall(page))
    ]


def content_policy(
    *, scripts: Iterable[str] = (), frame_ancestors: Iterable[str] = (), gradio: bool = True
) -> str:
    """Return the content security policy.

    Args:
        scripts: Sources of scripts beside the server's own files.
        frame_ancestors: Origins that may frame the page.
        gradio: Whether Gradio draws the page. It compiles the events' own JavaScript with
            ``Function``, and sets style attributes; other pages do without both.
    """
    if not gradio:
        rules = {"default-src": "'none'", "style-src": "'unsafe-inline'", "form-action": "'self'"}
    else:
        rules = {
            "default-src": "'none'",
            "script-src": " ".join(["'self'", "'unsafe-eval'", *scripts]),
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob:",
            "font-src": "'self' data:",
            "media-src": "'self' blob: data:",
            "connect-src": "'self'",
            "manifest-src": "'self'",
            "form-action": "'self'",
        }
    rules |= {"base-uri": "'self'", "frame-ancestors": " ".join(frame_ancestors) or "'none'"}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def plain_headers(security: Security, *, https: bool) -> dict[str, str]:
    """Return the headers of every response."""
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": (
            "microphone=(self), camera=(self), geolocation=(), display-capture=(), payment=(), "
            "usb=(), serial=(), midi=(), browsing-topics=()"
        ),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if not security.frame_ancestors:
        headers["x-frame-options"] = "DENY"
    if https:
        headers["strict-transport-security"] = "max-age=31536000"
    return headers
