"""How large a request may be: a message with a minute of sound and a picture, no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from empathic_sdk.demo.media import MOST_PAYLOAD

MOST_BODY = MOST_PAYLOAD + 1_000_000
"""Bytes of a request."""

_TEXT = b"This is larger than the page can take."

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class BodyLimit:
    """Refuses requests with a body of more than ``most`` bytes (413), whatever they announce.

    Args:
        app: The ASGI application behind it.
        most: Bytes.
    """

    def __init__(self, app: App, *, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._most:
            await _refuse(send)
            return
        seen, begun = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLargeError:
            if not begun:
                await _refuse(send)


class _TooLargeError(HTTPException):
    """The body grew past the limit; web frameworks hand this kind of error on."""

    def __init__(self) -> None:
        super().__init__(413, _TEXT.decode())


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_TEXT)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TEXT})
