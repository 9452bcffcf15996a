"""ASGI requests and responses, as the guard reads, changes and sends them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class HttpRequest:
    """A request's scope, and what the answer has to carry."""

    def __init__(self, scope: Message) -> None:
        self.scope: dict[str, Any] = dict(scope)
        self.scope["headers"] = list(scope["headers"])
        self.method = str(scope["method"])
        self.scheme = str(scope.get("scheme", "http"))
        self.https = self.scheme == "https"
        self.host = self.header(b"host")
        self.announced = self.header(b"content-length") or "0"
        client = scope.get("client")
        self.address: str | None = str(client[0]) if client else None
        self.set_cookie: str | None = None

    def headers(self, name: bytes) -> list[str]:
        """Return every value of a header."""
        return [v.decode("latin-1") for k, v in self.scope["headers"] if k == name]

    def header(self, name: bytes) -> str:
        """Return the first value of a header, of cookies all; an empty string without one."""
        return "; ".join(self.headers(name)) if name == b"cookie" else self._first(name)

    def _first(self, name: bytes) -> str:
        found = self.headers(name)
        return found[0] if found else ""

    def drop(self, *names: bytes) -> None:
        """Take headers out of what is passed on."""
        self.scope["headers"] = [(k, v) for k, v in self.scope["headers"] if k not in names]


class RefusedError(Exception):
    """A request that is not passed on."""

    def __init__(self, status: int, why: str, *, retry: float = 0.0) -> None:
        super().__init__(why)
        self.status, self.why, self.retry = status, why, retry


def at_most(receive: Receive, most: int) -> Receive:
    """Return a ``receive`` that ends the connection where a body is larger than announced."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > most else message

    return counted


def once(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read already, then waits for the end."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


async def answer(send: Send, refused: RefusedError) -> None:
    """Say why a request is not passed on."""
    text = refused.why.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()), (b"connection", b"close"),
    ]  # fmt: skip
    if refused.retry:
        headers.append((b"retry-after", str(max(1, round(refused.retry + 0.5))).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
