"""Signed cookies that bind a visit to a browser."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

NAME = "empathic_visit"
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
SESSION_HASH = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What Gradio's page may call itself."""


class VisitCookies:
    """Makes and checks the cookies of one server.

    Args:
        key: What they are signed with; by default a new one, so that none outlasts the process,
            as no visit does.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def new(self) -> str:
        """Return the name of a new visitor, which nobody can guess."""
        return secrets.token_urlsafe(16)

    def header(self, visitor: str, *, https: bool) -> str:
        """Return the ``Set-Cookie`` header for a visitor.

        A cookie of the browser's session, out of reach of scripts, not sent along when another
        site asks; with TLS also bound to this very host.
        """
        value = f"{visitor}.{self._signed('visitor', visitor)}"
        ending = "; Secure" if https else ""
        return f"{self._name(https)}={value}; Path=/; HttpOnly; SameSite=Lax{ending}"

    def gone(self, *, https: bool) -> str:
        """Return the ``Set-Cookie`` header that removes the cookie."""
        ending = "; Secure" if https else ""
        return f"{self._name(https)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{ending}"

    def visitor(self, header: str, *, https: bool) -> str | None:
        """Return whose a ``Cookie`` header is; ``None`` where there is none of ours in it."""
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        value = next((value for name, _, value in pairs if name == self._name(https)), "")
        visitor, dot, signature = value.partition(".")
        if not dot or not _ID.fullmatch(visitor):
            return None
        right = self._signed("visitor", visitor)
        return visitor if hmac.compare_digest(signature.encode(), right.encode()) else None

    def page(self, visitor: str, session_hash: str) -> str:
        """Return the server's own name of a visitor's page.

        The browser chooses ``session_hash``; what is made of it here is the visitor's alone, so
        that another visitor with the same one is on another page.
        """
        return self._signed("page", f"{visitor} {session_hash}")[:32]

    def _name(self, https: bool) -> str:
        return f"__Host-{NAME}" if https else NAME

    def _signed(self, purpose: str, what: str) -> str:
        message = f"{purpose} {what}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
