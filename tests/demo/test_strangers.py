"""What a stranger can do who knows everything about a visit but its cookie: nothing.

The page runs as it is put online, on a real server, with agents that answer at once.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk.demo import application  # noqa: E402
from empathic_sdk.demo.app import Page  # noqa: E402
from empathic_sdk.demo.serve import running  # noqa: E402
from empathic_sdk.demo.visits import MOST_PAGES, VisitError, Visits  # noqa: E402
from tests.demo.fakes import FakeAgent, Request  # noqa: E402

SECRET = "canary-of-ada"
ADA_PAGE = "adaspage01"

# Every route of the page and of Gradio that the guard passes on; all others answer 404 or 405.
OPEN_ROUTES = {
    "/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/login",
    "/login/", "/logout", "/static/{path:path}", "/svelte/{path:path}", "/assets/{path:path}",
    "/gradio_api/startup-events", "/gradio_api/app_id",
}  # fmt: skip
VISIT_ROUTES = {
    "/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/cancel",
    "/gradio_api/heartbeat/{session_hash}",
}  # fmt: skip


@pytest.fixture(scope="module")
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture(scope="module")
def url(agent: FakeAgent) -> Iterator[str]:
    app = application(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]
    with running(app) as address:
        yield address


@pytest.fixture(scope="module")
def config(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}config").json()
    return found


def handlers(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return everything on the page that the server does something for."""
    return [d for d in config["dependencies"] if d["backend_fn"]]


def press(config: dict[str, Any], name: str) -> int:
    """Return the number of the event of a button or box."""
    ids = {c["id"] for c in config["components"] if c["props"].get("elem_id") == name}
    return next(d["id"] for d in config["dependencies"] if ids & {t for t, _ in d["targets"]})


def call(client: httpx.Client, fn: int, page: str, data: Any = ()) -> str:
    """Let the page do something, and return all that comes back."""
    body = {"data": list(data), "fn_index": fn, "session_hash": page, "event_data": None}
    joined = client.post("gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return f"refused {joined.status_code}"
    said = []
    params = {"session_hash": page}
    with client.stream("GET", "gradio_api/queue/data", params=params) as response:
        for line in response.iter_lines():
            said.append(line)
            if '"process_completed"' in line or '"unexpected_error"' in line:
                break
    return "\n".join(said)


@contextmanager
def visit(url: str, page: str) -> Iterator[httpx.Client]:
    """Open the page, and keep it open."""
    with httpx.Client(base_url=url, timeout=20) as client:
        client.get("")
        closed = threading.Event()

        def beat() -> None:
            with client.stream("GET", f"gradio_api/heartbeat/{page}", timeout=None) as response:
                for _ in response.iter_raw():
                    if closed.is_set():
                        return

        threading.Thread(target=beat, daemon=True).start()
        yield client
        closed.set()


@pytest.fixture(scope="module")
def ada(url: str, agent: FakeAgent, config: dict[str, Any]) -> Iterator[httpx.Client]:
    """A visitor in the middle of a conversation."""
    with visit(url, ADA_PAGE) as client:
        assert "Two." in call(client, press(config, "es-box"), ADA_PAGE, [SECRET, ""])
        yield client


@pytest.fixture
def stranger(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        client.get("")
        yield client


def of_ada(agent: FakeAgent, ada: httpx.Client, config: dict[str, Any]) -> str:
    """Return what the store holds of Ada, as she sees it; it must be there."""
    known = call(ada, press(config, "es-ask"), ADA_PAGE)
    (user,) = set(re.findall(r"visitor-[0-9a-f]{32}", known))
    assert agent.profiles.export(user)["turns"]
    return user


def known_of(agent: FakeAgent, user: str) -> dict[str, Any]:
    """Return what the store holds of somebody, but for when it was asked."""
    return {k: v for k, v in agent.profiles.export(user).items() if k != "exported_at"}


def routes() -> Iterator[tuple[str, str, str]]:
    """Yield pattern, method and a path of every route that Gradio has for this page."""
    agent = FakeAgent()
    page = Page(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]
    app = gr.routes.App.create_app(page.blocks)
    found = []

    def walk(all_routes: Any) -> None:
        for route in all_routes:
            if hasattr(route, "path") and getattr(route, "methods", None):
                found.extend((route.path, method) for method in route.methods)
            elif hasattr(route, "routes"):
                walk(route.routes)

    walk(app.routes)
    for pattern in app.openapi()["paths"]:  # what a router keeps to itself is listed there
        found.extend((pattern, method.upper()) for method in app.openapi()["paths"][pattern])
    fill = {
        "session_hash": ADA_PAGE,
        "path": "x",
        "component_id": "1",
        "path_or_url": "/etc/passwd",
    }
    for pattern, method in sorted(set(found)):
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: fill.get(m[1], "predict"), pattern)
        yield pattern, method, path


def test_only_what_the_page_needs_is_there(url: str) -> None:
    seen = set()
    with httpx.Client(base_url=url, timeout=20) as client:
        for pattern, method, path in routes():
            seen.add(pattern)
            plain = pattern.replace("{path}", "{path:path}")
            if plain in OPEN_ROUTES | VISIT_ROUTES:
                continue
            for where in (path, f"{path}?session_hash={ADA_PAGE}"):
                answer = client.request(method, where, json={} if method == "POST" else None)
                assert answer.status_code in (404, 405), (method, where, answer.status_code)
    assert len(seen) > 50  # Gradio has that many
    assert seen >= VISIT_ROUTES
    for dangerous in ("call/{api_name}", "upload", "component_server", "run/{api_name}"):
        assert f"/gradio_api/{dangerous}" in seen


def test_routes_of_a_visit_need_its_cookie(url: str, ada: httpx.Client) -> None:
    with httpx.Client(base_url=url, timeout=20) as client:
        for pattern, method, path in routes():
            if pattern in VISIT_ROUTES:
                body = {"data": [], "fn_index": 0, "session_hash": ADA_PAGE}
                answer = client.request(
                    method,
                    f"{path}?session_hash={ADA_PAGE}",
                    json=body if method == "POST" else None,
                )
                assert answer.status_code == 403, (method, path)


def test_handlers_cannot_be_called_by_name(
    ada: httpx.Client, stranger: httpx.Client, agent: FakeAgent, config: dict[str, Any]
) -> None:
    user = of_ada(agent, ada, config)
    names = {d["api_name"] for d in config["dependencies"] if d["api_name"]}
    names |= {
        "_forget",
        "forget",
        "_know",
        "know",
        "arrive",
        "left",
        "say",
        "predict",
        "lambda",
        "_left",
        "erase",
        "export",
    }
    for name in names:
        for path in (f"call/{name}", f"call/v2/{name}", f"run/{name}", f"api/{name}"):
            body = {"data": [], "session_hash": ADA_PAGE}
            for client in (stranger, ada):
                assert client.post(f"gradio_api/{path}", json=body).status_code == 404
    assert user in agent.profiles.users()


def test_no_handler_does_anything_to_another_s_visit_over_the_queue(
    ada: httpx.Client, stranger: httpx.Client, agent: FakeAgent, config: dict[str, Any]
) -> None:
    user = of_ada(agent, ada, config)
    pressed = handlers(config)
    names = {d["api_name"] for d in pressed}
    assert {"forget", "know", "arrive", "_look", "left", "say"} <= {
        re.sub(r"_\d+$", "", str(name)) for name in names
    }
    before = known_of(agent, user)
    for handler in pressed:
        time.sleep(0.4)  # slower than the limit of one visitor
        data = ["mine", ""][: len(handler["inputs"])] if len(handler["inputs"]) != 1 else [False]
        back = call(stranger, handler["id"], ADA_PAGE, data)
        assert SECRET not in back and user not in back, handler["api_name"]
    assert known_of(agent, user) == before
    assert SECRET in call(ada, press(config, "es-box"), ADA_PAGE, ["still here", ""])


def test_a_stranger_hears_nothing_of_another_s_stream(
    url: str, ada: httpx.Client, stranger: httpx.Client, agent: FakeAgent, config: dict[str, Any]
) -> None:
    heard: list[str] = []

    async def listen(cookies: Any) -> None:
        async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=20) as client:
            params = {"session_hash": ADA_PAGE}
            async with client.stream("GET", "gradio_api/queue/data", params=params) as response:
                heard.append(str(response.status_code))
                async for line in response.aiter_lines():
                    heard.append(line)

    async def main() -> None:
        listening = asyncio.create_task(listen(dict(stranger.cookies)))
        await asyncio.sleep(0.2)
        said = await asyncio.to_thread(
            call, ada, press(config, "es-box"), ADA_PAGE, ["hello again", ""]
        )
        assert "hello again" in said
        await asyncio.wait([listening], timeout=2)
        listening.cancel()

    asyncio.run(main())
    assert heard and "hello again" not in "".join(heard)


def test_a_stranger_does_not_close_another_s_page(
    ada: httpx.Client, stranger: httpx.Client, agent: FakeAgent, config: dict[str, Any]
) -> None:
    before = set(agent.profiles.users())
    with stranger.stream("GET", f"gradio_api/heartbeat/{ADA_PAGE}") as response:
        next(response.iter_raw())
    cancel = {"session_hash": ADA_PAGE, "fn_index": press(config, "es-box"), "event_id": "x"}
    assert stranger.post("gradio_api/cancel", json=cancel).status_code == 200
    time.sleep(0.5)
    assert before <= set(agent.profiles.users())
    assert SECRET in call(ada, press(config, "es-box"), ADA_PAGE, ["still here", ""])


def test_the_cookie_alone_decides_and_closing_erases(
    url: str, agent: FakeAgent, config: dict[str, Any]
) -> None:
    before = set(agent.profiles.users())
    with visit(url, "bobspage") as bob:
        call(bob, press(config, "es-box"), "bobspage", ["hi", ""])
        (mine,) = set(agent.profiles.users()) - before
        forgot = call(bob, press(config, "es-sure"), "bobspage")
        assert "Forgotten" in forgot and mine not in agent.profiles.users()


def test_nobody_reads_files_or_uploads_any(stranger: httpx.Client, url: str) -> None:
    for path in (
        "file=/etc/passwd",
        "file/etc/passwd",
        "proxy=https://x.hf.space/",
        "upload_progress",
    ):
        assert stranger.get(f"gradio_api/{path}").status_code == 404
    assert stranger.post("gradio_api/upload", files={"files": b"RIFF"}).status_code == 404


def test_it_reports_its_health_to_whoever_asks(url: str) -> None:
    for headers in ({}, {"host": "10.1.2.3:7860"}):
        answer = httpx.get(f"{url}healthz", headers=headers)
        assert (answer.status_code, answer.text) == (200, "ok")
        assert "set-cookie" not in answer.headers


def test_every_answer_of_the_server_carries_the_headers(url: str, stranger: httpx.Client) -> None:
    for path in ("", "config", "theme.css", "nothing", "healthz", "gradio_api/upload"):
        answer = stranger.get(path)
        if path != "healthz":
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
    with stranger.stream("GET", "gradio_api/heartbeat/strangers") as response:
        assert response.headers["x-content-type-options"] == "nosniff"


# -- without the guard ---------------------------------------------------------------------------


def test_served_without_the_guard_the_page_answers_nobody() -> None:
    agent = FakeAgent()
    page = Page(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]
    _, url, _ = page.blocks.launch(prevent_thread_lock=True, quiet=True, show_error=False)
    try:
        with httpx.Client(base_url=url, timeout=20) as client:
            config = client.get("config").json()
            for handler in handlers(config):
                data = (
                    [False] if len(handler["inputs"]) == 1 else ["hi", ""][: len(handler["inputs"])]
                )
                back = call(client, handler["id"], "anypage", data)
                assert "Two." not in back, handler["api_name"]
        assert agent.profiles.users() == [] and len(page.visits) == 0 and agent.heard == []
    finally:
        page.blocks.close(verbose=False)


# -- the visits themselves -----------------------------------------------------------------------


def test_a_request_that_the_guard_has_not_seen_opens_no_visit() -> None:
    visits = Visits(FakeAgent().profiles)
    bare = SimpleNamespace(session_hash="ada", username=None)
    other = SimpleNamespace(session_hash="bob", username=None, request=Request("ada").request)
    for request in (bare, other):
        with pytest.raises(VisitError, match="belongs to no visit"):
            visits.of(request)
    assert len(visits) == 0


def test_a_page_belongs_to_the_cookie_and_the_login_that_opened_it() -> None:
    visits = Visits(FakeAgent().profiles)
    visits.of(Request("page", "ada", visitor="a"))
    for request in (
        Request("page", "ada", visitor="b"), Request("page", "bob", visitor="a"),
        Request("page", None, visitor="a"),
    ):  # fmt: skip
        with pytest.raises(VisitError, match="somebody else"):
            visits.of(request)
    assert visits.of(Request("page", "ada", visitor="a")).login == "ada"


def test_a_stranger_s_leaving_ends_nobody_s_visit() -> None:
    async def main() -> None:
        agent = FakeAgent()
        visits = Visits(agent.profiles)
        visits.of(Request("page", visitor="a"))
        await visits.leave(Request("page", visitor="b"))
        assert len(visits) == 1
        await visits.leave(Request("page", visitor="a"))
        assert len(visits) == 0

    asyncio.run(main())


def test_visits_are_limited_for_one_visitor_and_in_all() -> None:
    visits = Visits(FakeAgent().profiles, most=MOST_PAGES + 2)
    for i in range(MOST_PAGES):
        visits.of(Request(f"a{i}", visitor="a"))
    with pytest.raises(VisitError, match="too many"):
        visits.of(Request("one more", visitor="a"))
    visits.of(Request("b", visitor="b"))
    visits.of(Request("c", visitor="c"))
    with pytest.raises(VisitError, match="too many"):
        visits.of(Request("d", visitor="d"))
    assert visits.of(Request("b", visitor="b")).page == "b"


def test_when_the_server_stops_every_visit_is_erased() -> None:
    agent = FakeAgent()
    app = application(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]
    with running(app) as address, httpx.Client(base_url=address, timeout=20) as client:
        client.get("")
        config = client.get("config").json()
        call(client, press(config, "es-box"), "page", ["hi", ""])
        assert len(agent.profiles.users()) == 1
    assert agent.profiles.users() == []
