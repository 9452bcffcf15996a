"""The request guard: checks every request before Gradio receives it.

Gradio answers every origin and every host, trusts the session's name that a browser chooses, and
offers its handlers by many routes. Behind the guard there are the few routes that the page uses,
and each of them belongs to a visitor with a signed cookie.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode

from empathic_sdk.demo.asgi import (
    App,
    HttpRequest,
    Message,
    Receive,
    RefusedError,
    Send,
    answer,
    at_most,
    once,
)
from empathic_sdk.demo.cookies import SESSION_HASH, VisitCookies
from empathic_sdk.demo.media import MOST_PAYLOAD
from empathic_sdk.demo.rates import OpenStreams, RateLimiter, address_key
from empathic_sdk.demo.security import (
    Security,
    content_policy,
    plain_headers,
    same_origin,
    script_hashes,
)
from empathic_sdk.demo.style import SCRIPT

MOST_BODY = MOST_PAYLOAD + 1_000_000
"""Bytes of a message's request: a minute of sound, a picture, the words."""
MOST_SMALL_BODY = 8_000
"""Bytes of any other request."""
SCOPE = "empathic.visit"
"""Where a request's scope holds its :class:`Bound`; nothing that a client sends gets there."""

_API = "/gradio_api"
_ASSET_COST = 0.02
_OWN_SCRIPT = script_hashes(f"<script>{SCRIPT}</script>".encode())  # Gradio puts it in later
_LARGE = 100_000
_LAX = re.compile(rb"samesite=none", re.IGNORECASE)


class Bound(NamedTuple):
    """Whom the guard found a request to belong to.

    Attributes:
        visitor: The signed cookie's name.
        page: The page, by the server's own name; empty where the request is about none.
    """

    visitor: str
    page: str = ""


@dataclass(frozen=True)
class _Route:
    """How a request is treated."""

    kind: Literal["document", "asset", "open", "login", "join", "cancel", "data", "heartbeat"]
    method: Literal["GET", "POST"]


_EXACT = {
    "/": _Route("document", "GET"),
    "/healthz": _Route("open", "GET"),
    "/login": _Route("login", "GET"),
    "/logout": _Route("login", "POST"),
    "/config": _Route("open", "GET"),
    "/theme.css": _Route("asset", "GET"),
    "/favicon.ico": _Route("asset", "GET"),
    "/robots.txt": _Route("asset", "GET"),
    "/manifest.json": _Route("asset", "GET"),
    f"{_API}/startup-events": _Route("open", "GET"),
    f"{_API}/app_id": _Route("open", "GET"),
    f"{_API}/queue/join": _Route("join", "POST"),
    f"{_API}/queue/data": _Route("data", "GET"),
    f"{_API}/cancel": _Route("cancel", "POST"),
}
_FOLDERS = {
    "/assets/": _Route("asset", "GET"),
    "/static/": _Route("asset", "GET"),
    "/svelte/": _Route("asset", "GET"),
    f"{_API}/heartbeat/": _Route("heartbeat", "GET"),
}


class RequestGuard:
    """Lets through what the page needs, from its own origin, to the visitor it belongs to.

    Args:
        app: The ASGI application behind it.
        security: What is let in.
        path: Where the page is mounted in ``app``; other paths are passed on untouched.
    """

    def __init__(self, app: App, security: Security | None = None, *, path: str = "") -> None:
        self._app, self._path = app, path.rstrip("/")
        self.security = security or Security()
        self.cookies = VisitCookies()
        limits = self.security.limits
        kept = limits.remembered
        self._visits = RateLimiter(
            burst=limits.visit_burst, rate=limits.visit_rate, remembered=kept
        )
        self._addresses = RateLimiter(
            burst=limits.address_burst, rate=limits.address_rate, remembered=kept
        )
        self._arrivals = RateLimiter(
            burst=limits.arrivals_burst, rate=limits.arrivals_rate, remembered=kept
        )
        self._streams_of_visits = OpenStreams(limits.visit_streams)
        self._streams_of_addresses = OpenStreams(limits.address_streams)
        self._uploading = 0
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every open stream, as if its page was closed: the server is about to stop."""
        self._closing.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        kind = scope["type"]
        if kind == "websocket" and self._inside(scope) is not None:
            await send({"type": "websocket.close", "code": 1008})  # the page uses none
            return
        if kind != "http" or SCOPE in scope or self._inside(scope) is None:
            await self._app(scope, receive, send)
            return
        request = HttpRequest(scope)
        send = self._with_headers(request, send)
        try:
            await self._handle(request, receive, send)
        except RefusedError as refused:
            await answer(send, refused)

    # -- one request -----------------------------------------------------------------------------

    async def _handle(self, request: HttpRequest, receive: Receive, send: Send) -> None:
        path = self._inside(request.scope) or "/"
        address = address_key(request.address)
        if path == "/healthz" and request.method in ("GET", "HEAD"):
            request.scope[SCOPE] = Bound("")
            await self._app(request.scope, receive, send)  # asked by address, not by name
            return
        route = _route(path)
        self._check_origin(request, route)
        self._take(self._addresses, address, _ASSET_COST if route and route.kind == "asset" else 1)
        most = MOST_BODY if route and route.kind == "join" else MOST_SMALL_BODY
        if not request.announced.isdigit() or int(request.announced) > most:
            raise RefusedError(413, "This is larger than the page can take.")
        if route is None:
            raise RefusedError(404, "There is nothing here.")
        if request.method not in _methods(route, path):
            raise RefusedError(405, "This cannot be done here.")
        visitor = self.cookies.visitor(request.header(b"cookie"), https=request.https)
        if route.kind in ("document", "login"):
            if visitor is None:
                self._take(self._arrivals, address, 1)
                visitor = self.cookies.new()
                request.set_cookie = self.cookies.header(visitor, https=request.https)
            self._take(self._visits, visitor, 1)
        elif route.kind in ("join", "cancel", "data", "heartbeat"):
            if visitor is None:
                raise RefusedError(403, "Open the page first: this visit has no cookie.")
            self._take(self._visits, visitor, 1)
        request.scope[SCOPE] = Bound(visitor or "")
        request.drop(b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix")
        await self._pass_on(request, route, path, visitor or "", receive, send)

    async def _pass_on(
        self, request: HttpRequest, route: _Route, path: str, visitor: str,
        receive: Receive, send: Send,
    ) -> None:  # fmt: skip
        if route.kind in ("join", "cancel"):
            await self._with_body(request, route, visitor, receive, send)
        elif route.kind == "data":
            query = dict(parse_qsl(request.scope["query_string"].decode("latin-1")))
            page = self._page(visitor, query.get("session_hash"))
            request.scope["query_string"] = urlencode({"session_hash": page}).encode()
            request.scope[SCOPE] = Bound(visitor, page)
            await self._stream(request, visitor, receive, send)
        elif route.kind == "heartbeat":
            asked = path.removeprefix(f"{_API}/heartbeat/")
            page = self._page(visitor, asked)
            whole = request.scope["path"].removesuffix(asked) + page
            request.scope |= {"path": whole, "raw_path": whole.encode(), "query_string": b""}
            request.scope[SCOPE] = Bound(visitor, page)
            await self._stream(request, visitor, receive, send)
        else:
            if route.kind == "document":  # its scripts are read below, so it must not be packed
                request.drop(b"accept-encoding")
            await self._app(request.scope, at_most(receive, MOST_SMALL_BODY), send)

    async def _with_body(
        self, request: HttpRequest, route: _Route, visitor: str, receive: Receive, send: Send
    ) -> None:
        most = MOST_BODY if route.kind == "join" else MOST_SMALL_BODY
        room = self.security.limits.uploading_bytes
        held = 0
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self.security.limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    pieces.append(message.get("body", b""))
                    more = message.get("more_body", False)
                    held += len(pieces[-1])
                    self._uploading += len(pieces[-1])
                    if held > most:
                        raise RefusedError(413, "This is larger than the page can take.")
                    if self._uploading > room:
                        raise RefusedError(503, "Too many messages are on their way.", retry=5.0)
            body = b"".join(pieces)
            pieces.clear()
            if len(body) > _LARGE:  # a recording: other visitors are answered meanwhile
                page, body = await asyncio.to_thread(self._bind_body, route, visitor, body)
            else:
                page, body = self._bind_body(route, visitor, body)
        except TimeoutError as error:
            raise RefusedError(408, "This took too long to arrive.") from error
        finally:
            self._uploading -= held
        request.scope[SCOPE] = Bound(visitor, page)
        request.drop(b"content-length", b"transfer-encoding", b"content-type")
        request.scope["headers"] += [
            (b"content-length", str(len(body)).encode()), (b"content-type", b"application/json"),
        ]  # fmt: skip
        await self._app(request.scope, once(body, receive), send)

    def _bind_body(self, route: _Route, visitor: str, body: bytes) -> tuple[str, bytes]:
        """Return the page and the body, with what the page sends and nothing else in it."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, "This is no message of the page.") from error
        names = {
            "join": ("data", "event_data", "fn_index", "trigger_id"),
            "cancel": ("fn_index", "event_id"),
        }[route.kind]
        if not isinstance(found, dict) or type(found.get("fn_index")) is not int:
            raise RefusedError(400, "This is no message of the page.")
        page = self._page(visitor, found.get("session_hash"))
        clean = {name: found.get(name) for name in names} | {"session_hash": page}
        return page, json.dumps(clean).encode()

    def _page(self, visitor: str, session_hash: Any) -> str:
        if not isinstance(session_hash, str) or not SESSION_HASH.fullmatch(session_hash):
            raise RefusedError(400, "This page has no name.")
        return self.cookies.page(visitor, session_hash)

    async def _stream(
        self, request: HttpRequest, visitor: str, receive: Receive, send: Send
    ) -> None:
        address = address_key(request.address)
        if not self._streams_of_visits.begin(visitor):
            raise RefusedError(429, "Too many pages are open.", retry=10.0)
        try:
            if not self._streams_of_addresses.begin(address):
                raise RefusedError(429, "Too many pages are open.", retry=10.0)
            try:
                await self._app(request.scope, self._until_closed(receive), send)
            finally:
                self._streams_of_addresses.end(address)
        finally:
            self._streams_of_visits.end(visitor)

    def _until_closed(self, receive: Receive) -> Receive:
        async def receiving() -> Message:
            hearing = asyncio.ensure_future(receive())
            closing = asyncio.ensure_future(self._closing.wait())
            try:
                await asyncio.wait({hearing, closing}, return_when=asyncio.FIRST_COMPLETED)
                return hearing.result() if hearing.done() else {"type": "http.disconnect"}
            finally:
                hearing.cancel()
                closing.cancel()

        return receiving

    # -- checks ----------------------------------------------------------------------------------

    def _check_origin(self, request: HttpRequest, route: _Route | None) -> None:
        """Refuse other names of this server, and what other sites' pages ask for."""
        if len(request.headers(b"host")) != 1 or not self.security.knows(request.host):
            raise RefusedError(400, "This server does not answer to that name.")
        origins = request.headers(b"origin")
        if any(not same_origin(o, request.host, request.scheme) for o in origins):
            raise RefusedError(403, "Another site's page may not ask for this.")
        # Somebody may follow a link to the page itself: it holds nothing of a visitor's.
        if route is not None and route.kind in ("document", "login") and route.method == "GET":
            mode, target = request.header(b"sec-fetch-mode"), request.header(b"sec-fetch-dest")
            if request.method != "POST" and (mode, target) in (("", ""), ("navigate", "document")):
                return
        referers = request.headers(b"referer")
        site = request.header(b"sec-fetch-site")
        if site not in ("", "same-origin", "none") or any(
            not same_origin(r, request.host, request.scheme) for r in referers
        ):
            raise RefusedError(403, "Another site's page may not ask for this.")

    @staticmethod
    def _take(limiter: RateLimiter, key: str, cost: float) -> None:
        wait = limiter.take(key, cost)
        if wait:
            raise RefusedError(429, "That is too much at once. Please wait a moment.", retry=wait)

    def _inside(self, scope: Message) -> str | None:
        """Return the path below where the page is mounted; ``None`` outside of it."""
        path = str(scope.get("path", "/"))
        root = self._path or str(scope.get("root_path", ""))
        if path == root:
            return "/"
        if path.startswith(f"{root}/"):
            return path.removeprefix(root)
        return None if self._path else path

    def _with_headers(self, request: HttpRequest, send: Send) -> Send:
        """Return a ``send`` that sets the headers, and Gradio's reflected origins aside."""
        started: Message | None = None
        page: list[bytes] = []

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                kind = _finish(message, request, self.security)
                if kind.startswith("text/html"):
                    started = message  # its policy names the scripts, which are yet to come
                    return
            elif started is not None and message["type"] == "http.response.body":
                page.append(message.get("body", b""))
                if message.get("more_body", False):
                    return
                body = b"".join(page)
                policy = content_policy(
                    scripts=[*script_hashes(body), *_OWN_SCRIPT],
                    frame_ancestors=self.security.frame_ancestors,
                    gradio=b"gradio_config" in body,
                )
                started["headers"] += [(b"content-security-policy", policy.encode())]
                await send(started)
                started = None
                message = {"type": "http.response.body", "body": body}
            await send(message)

        return sending


def _route(path: str) -> _Route | None:
    found = _EXACT.get(path)
    if found is None:
        found = next((r for folder, r in _FOLDERS.items() if path.startswith(folder)), None)
    return found


def _methods(route: _Route, path: str) -> set[str]:
    if path == "/login":
        return {"GET", "HEAD", "POST"}
    if route.method == "GET" and route.kind not in ("data", "heartbeat"):
        return {"GET", "HEAD"}
    return {route.method}


def _finish(message: Message, request: HttpRequest, security: Security) -> str:
    """Set an answer's headers; return its content type."""
    given_headers = message.get("headers", ())
    headers = [
        (k, _LAX.sub(b"SameSite=Lax", v) if k.lower() == b"set-cookie" else v)
        for k, v in given_headers
        if not k.lower().startswith(b"access-control-")
    ]
    fixed = plain_headers(security, https=request.https)
    kind = next((v.decode("latin-1") for k, v in headers if k.lower() == b"content-type"), "")
    if not kind.startswith("text/html"):
        fixed["content-security-policy"] = content_policy(
            frame_ancestors=security.frame_ancestors, gradio=False
        )
    if not any(k.lower() == b"cache-control" for k, _ in headers):
        asset = "/assets/" in request.scope["path"] and message["status"] == HTTPStatus.OK
        fixed["cache-control"] = "public, max-age=86400" if asset else "no-store"
    taken = {name.encode() for name in fixed}
    headers = [(k, v) for k, v in headers if k.lower() not in taken]
    headers += [(name.encode(), value.encode()) for name, value in fixed.items()]
    named = (request.set_cookie or "").partition("=")[0].encode()
    given = any(k.lower() == b"set-cookie" and v.startswith(named + b"=") for k, v in headers)
    if request.set_cookie is not None and not given:
        headers.append((b"set-cookie", request.set_cookie.encode()))
    message["headers"] = headers
    return kind
