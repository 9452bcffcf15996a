"""Serving the page: options that keep it private and self-contained, and the server itself."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.middleware import Middleware

from empathic_sdk import EmotionAwareAgent, ProfileStore
from empathic_sdk.demo.app import HOME, Page, tutor_of
from empathic_sdk.demo.guard import RequestGuard
from empathic_sdk.demo.login import Accounts, add_login
from empathic_sdk.demo.security import LOCAL_NAMES, Security
from empathic_sdk.demo.style import CSS, SCRIPT
from empathic_sdk.errors import ConfigurationError

SWEEP_S = 60.0
"""Seconds between two checks for idle pages."""
PORTS = range(7860, 7960)
"""Ports that are tried where none is asked for."""

_HEAD = (
    '<meta name="referrer" content="same-origin">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f"<style>{CSS}</style><script>{SCRIPT}</script>"
)


def page_options(security: Security | None = None) -> dict[str, Any]:
    """Return what ``Blocks.launch`` and ``gradio.mount_gradio_app`` need for this page.

    System fonts only, no footer, no run history (Gradio would keep every message in the
    browser), no file uploads, no server-side rendering, and a :class:`RequestGuard` before every
    route, without which the page answers nobody.

    Args:
        security: What is let in; by default what comes to this machine's own names.
    """
    font = ["ui-sans-serif", "system-ui", "sans-serif"]
    theme = gr.themes.Base(font=font, font_mono=["ui-monospace", "monospace"])
    return {
        "theme": theme,
        "head": _HEAD,
        "footer_links": [],
        "run_history": False,
        "max_file_size": 1,
        "app_kwargs": {"middleware": [Middleware(RequestGuard, security=security)]},
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
    }


def application(
    agent: EmotionAwareAgent,
    tutor: EmotionAwareAgent | None = None,
    *,
    security: Security | None = None,
    accounts: Mapping[str, str] | None = None,
) -> RequestGuard:
    """Return the whole demo as an ASGI application, ready to be put online.

    It adds to the page ``/healthz``, and with ``accounts`` a login. Run it in one process: visits
    live in the process that opened them.

    Args:
        agent: The agent for counselling; the caller closes it.
        tutor: The agent for tutoring; ``None`` makes one with the same store and text network.
        security: Security settings; by default only this machine's own names are accepted.
        accounts: Passwords of those who may log in, by name; ``None`` lets everybody in.

    Raises:
        ConfigurationError: A name or a password of an account is empty.
    """
    page = Page(agent, tutor or tutor_of(agent), log_out="logout" if accounts else None)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_S)
                await page.visits.end_idle()

        sweeping = asyncio.create_task(sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            await page.visits.end_all()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)

    @app.get("/healthz")
    async def healthy() -> PlainTextResponse:
        return PlainTextResponse("ok")

    guard = RequestGuard(app, security)
    who = None
    if accounts is not None:
        known = Accounts(accounts, guard.cookies)
        add_login(app, known, guard.cookies, ended=page.visits.end_of)
        who = known.of
    gr.mount_gradio_app(app, page.blocks, path="/", auth_dependency=who, **page_options())
    return guard


def launch(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    share: bool = False,
    auth: tuple[str, str] | list[tuple[str, str]] | None = None,
    profiles: ProfileStore | str | Path | None = None,
    host_names: Sequence[str] = (),
    proxies: Sequence[str] = (),
) -> None:
    """Serve the demo until it is interrupted.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one from 7860 upwards.
        open_browser: Open a browser window on it.
        share: Publish it through Gradio's tunnel, which runs on other people's machines.
        auth: ``(name, password)``, or several, that visitors must log in with.
        profiles: A file to remember people in who logged in; ``None`` keeps nothing.
        host_names: Names under which visitors reach it, beside this machine's own.
        proxies: Addresses of proxies in front of it, which are believed when they say who asks
            (``X-Forwarded-For``) and that TLS was spoken (``X-Forwarded-Proto``).

    Raises:
        EmpathicError: The weights or the store cannot be opened.
        ConfigurationError: The port is taken, or the tunnel cannot be had.
    """
    listening = _listen(host, port)
    with (
        listening,
        EmotionAwareAgent(profiles=profiles, deployment=HOME) as agent,
        tutor_of(agent) as tutor,
    ):
        number = listening.getsockname()[1]
        own = {*LOCAL_NAMES, *host_names} | ({_name(host)} - {"0.0.0.0", "[::]"})
        public = _tunnel(number) if share else None
        if public is not None:
            own.add(public.removeprefix("https://").removeprefix("http://"))
        pairs = [auth] if isinstance(auth, tuple) else auth
        accounts = dict(pairs) if pairs is not None else None
        app = application(
            agent, tutor, security=Security(hosts=tuple(sorted(own))), accounts=accounts
        )
        reached = "127.0.0.1" if host in ("0.0.0.0", "::", "[::]") else _name(host)
        address = f"http://{reached}:{number}"
        print(f"The demo runs on {address} (Ctrl+C ends it)", flush=True)
        if public is not None:
            print(f"and, through Gradio's tunnel, on {public}", flush=True)
        if open_browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when all is closed
            _server(app, proxies).run(sockets=[listening])


@contextlib.contextmanager
def running(app: RequestGuard, *, proxies: Sequence[str] = ()) -> Iterator[str]:
    """Serve an application from a thread on a free port of this machine, and yield its address.

    Args:
        app: What :func:`application` returned.
        proxies: As for :func:`launch`.
    """
    with _listen("127.0.0.1", 0) as listening:
        server = _server(app, proxies)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(20)


class _Server(uvicorn.Server):
    """Ends the pages' streams when it stops, instead of waiting for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if isinstance(self.config.app, RequestGuard):
            self.config.app.close()
        await super().shutdown(sockets)


def _server(app: RequestGuard, proxies: Sequence[str]) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses and times of visitors are nobody's business
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            timeout_graceful_shutdown=2,
            limit_concurrency=2_000,
            h11_max_incomplete_event_size=64_000,
            ws="none",
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, before anything slow is loaded."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    for number in [port] if port else PORTS:
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((bare, number))
            made.listen(256)
        except OSError as error:
            made.close()
            if port:
                why = error.strerror or str(error)
                raise ConfigurationError(
                    f"cannot listen on {host}, port {port} ({why}): choose another with --port, "
                    "or 0 for a free one"
                ) from error
        else:
            return made
    raise ConfigurationError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free on {host}")


def _name(host: str) -> str:
    bare = host.strip("[]").lower()
    return f"[{bare}]" if ":" in bare else bare


def _tunnel(port: int) -> str:
    from gradio.networking import setup_tunnel

    try:
        return str(setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None))
    except Exception as error:  # whatever a download, a program and a foreign server can raise
        raise ConfigurationError(f"the tunnel cannot be had: {error}") from error
