"""Logging in and out: accounts of one server, kept in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from urllib.parse import parse_qsl

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from empathic_sdk.demo.cookies import VisitCookies
from empathic_sdk.demo.guard import SCOPE
from empathic_sdk.demo.rates import Clock, LoginThrottle
from empathic_sdk.errors import ConfigurationError

LOGGED_IN_S = 12 * 3600.0
"""Seconds after which somebody has to log in again."""
MOST_LOGINS = 10_000
"""Visitors that are logged in at once; beyond it the oldest login ends."""

_FORM = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:22rem;margin:12vh auto;padding:0 1rem}}
label{{display:block;margin:1rem 0}}input{{display:block;width:100%;font:inherit;padding:.5rem;
box-sizing:border-box}}button{{font:inherit;padding:.5rem 1.2rem}}</style></head>
<body><main><h1>Empathic</h1><form method="post" action="login">{problem}
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password"
required></label><button>Log in</button></form></main></body></html>"""
_WRONG = "That name and password do not belong together."
_WAIT = "Too many wrong passwords. Please wait {} seconds, then try again."


class Accounts:
    """Who may log in, and who has.

    Args:
        passwords: Password of each account.
        cookies: The guard's cookies, which a login is bound to.
        throttle: Slows down guessing.
        clock: Seconds that never go back.

    Raises:
        ConfigurationError: A name or a password is empty.
    """

    def __init__(
        self,
        passwords: Mapping[str, str],
        cookies: VisitCookies,
        *,
        throttle: LoginThrottle | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        if not passwords or not all(name and word for name, word in passwords.items()):
            raise ConfigurationError("an account needs a name and a password")
        self._key = secrets.token_bytes(32)
        self._passwords = {name: self._digest(word) for name, word in passwords.items()}
        self._cookies, self._clock = cookies, clock
        self.throttle = throttle or LoginThrottle(passwords)
        self._logins: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def of(self, request: Request) -> str:
        """Return the account of a request; Gradio asks for it at every route.

        Raises:
            HTTPException: Nobody is logged in: 401, or for the page itself the way to the form.
        """
        account = self.account(request)
        if account is not None:
            return account
        root = request.scope.get("root_path", "")
        if request.method == "GET" and request.url.path in (f"{root}/", root):
            raise HTTPException(303, headers={"location": f"{root}/login"})
        raise HTTPException(401, "Log in first.")

    def account(self, request: Request) -> str | None:
        """Return the account of a request, if somebody is logged in."""
        bound = request.scope.get(SCOPE)
        found = None if bound is None else self._logins.get(bound.visitor)
        if bound is None or found is None:
            return None
        if self._clock() - found[1] > LOGGED_IN_S:
            del self._logins[bound.visitor]
            return None
        return found[0]

    def log_in(self, address: str, name: str, password: str) -> tuple[str | None, float]:
        """Return the new visitor, or ``None`` and the seconds to wait.

        A login makes a new visitor: a cookie that somebody planted before it is worth nothing.
        """
        wait = self.throttle.wait(address, name)
        if wait:
            return None, wait
        right = self._passwords.get(name, self._key)
        if not hmac.compare_digest(self._digest(password), right):
            self.throttle.failed(address, name)
            return None, self.throttle.wait(address, name)
        self.throttle.succeeded(address, name)
        visitor = self._cookies.new()
        self._logins[visitor] = (name, self._clock())
        while len(self._logins) > MOST_LOGINS:
            self._logins.popitem(last=False)
        return visitor, 0.0

    def log_out(self, visitor: str) -> None:
        """End a login."""
        self._logins.pop(visitor, None)

    def _digest(self, password: str) -> bytes:
        return hmac.new(self._key, password.encode("utf-8", "replace"), hashlib.sha256).digest()


def add_login(
    app: FastAPI,
    accounts: Accounts,
    cookies: VisitCookies,
    *,
    ended: Callable[[str], Awaitable[None]],
) -> None:
    """Add ``/login`` and ``/logout``.

    Args:
        app: The application, behind a ``RequestGuard``.
        accounts: Who may log in.
        cookies: The guard's cookies.
        ended: Called with a visitor who logs out, to end the visit.
    """

    @app.get("/login", response_model=None)
    async def form(request: Request) -> Response:
        if accounts.account(request) is not None:
            return RedirectResponse(f"{request.scope.get('root_path', '')}/", status_code=303)
        return _form()

    @app.post("/login", response_model=None)
    async def log_in(request: Request) -> Response:
        said = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        address = request.client.host if request.client else ""
        before = request.scope[SCOPE].visitor
        visitor, wait = accounts.log_in(
            address, said.get("username", "").strip(), said.get("password", "")
        )
        if visitor is None and wait:
            seconds = max(1, round(wait + 0.5))
            return _form(429, _WAIT.format(seconds), headers={"retry-after": str(seconds)})
        if visitor is None:
            return _form(400, _WRONG)
        accounts.log_out(before)
        await ended(before)
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/", status_code=303)
        https = request.scope["scheme"] == "https"
        answer.headers["set-cookie"] = cookies.header(visitor, https=https)
        return answer

    @app.post("/logout", response_model=None)
    async def log_out(request: Request) -> Response:
        visitor = request.scope[SCOPE].visitor
        accounts.log_out(visitor)
        await ended(visitor)
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/login", status_code=303)
        answer.headers["set-cookie"] = cookies.gone(https=request.scope["scheme"] == "https")
        return answer


def _form(status: int = 200, problem: str = "", headers: dict[str, str] | None = None) -> Response:
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return HTMLResponse(_FORM.format(problem=said), status_code=status, headers=headers)
