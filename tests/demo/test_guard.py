"""What the guard lets through, with a small application behind it that says what reached it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from empathic_sdk.demo.guard import MOST_BODY, MOST_SMALL_BODY, SCOPE, RequestGuard
from empathic_sdk.demo.security import (
    LOCAL_NAMES,
    RateLimits,
    Security,
    content_policy,
    same_origin,
    script_hashes,
)
from empathic_sdk.errors import InputError

JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"
PAGE = b"<html><script>window.gradio_config = {}</script><script src=x.js></script></html>"


class Behind:
    """Takes every request for a while, and answers as Gradio does: any origin may read."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, Any, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.seen.append((scope["path"], scope["query_string"], scope.get(SCOPE), body))
        kind = b"text/html" if scope["path"] in ("/", "/talk/") else b"text/event-stream"
        headers = [
            (b"content-type", kind),
            (b"access-control-allow-origin", b"https://evil.example"),
            (b"access-control-allow-credentials", b"true"),
            (b"set-cookie", b"access-token=1; HttpOnly; SameSite=none; Secure"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
        await send({"type": "http.response.body", "body": PAGE[20:]})


@pytest.fixture
def behind() -> Behind:
    return Behind()


def client(app: Any, base: str = "http://127.0.0.1:7860", address: str = "192.0.2.1") -> Any:
    transport = httpx.ASGITransport(app=app, client=(address, 5))
    return httpx.AsyncClient(transport=transport, base_url=base)


def asked(app: Any, *requests: tuple[str, str, dict[str, Any]], **how: Any) -> list[httpx.Response]:
    """Send requests of one browser, which has opened the page before."""

    async def main() -> list[httpx.Response]:
        async with client(app, **how) as browser:
            assert (await browser.get("/")).status_code == 200
            return [await browser.request(m, path, **given) for m, path, given in requests]

    return asyncio.run(main())


def message(page: str = "p1", **more: Any) -> dict[str, Any]:
    return {"json": {"data": ["hi"], "fn_index": 0, "session_hash": page} | more}


# -- whose a request is --------------------------------------------------------------------------


def test_the_page_brings_a_signed_cookie_that_scripts_and_other_sites_do_not_get(
    behind: Behind,
) -> None:
    guard = RequestGuard(behind)

    async def main(base: str) -> httpx.Response:
        async with client(guard, base) as browser:
            return await browser.get("/")

    plain = asyncio.run(main("http://127.0.0.1:7860")).headers.get_list("set-cookie")[-1]
    assert plain.startswith("empathic_visit=") and "Secure" not in plain
    assert plain.endswith("; Path=/; HttpOnly; SameSite=Lax")
    tls = asyncio.run(main("https://localhost")).headers.get_list("set-cookie")[-1]
    assert tls.startswith("__Host-empathic_visit=") and tls.endswith("SameSite=Lax; Secure")


def test_cookies_of_the_page_behind_are_kept_from_other_sites(behind: Behind) -> None:
    (page,) = asked(RequestGuard(behind), ("GET", "/", {}))
    given = page.headers.get_list("set-cookie")
    assert given and all("samesite=none" not in cookie.lower() for cookie in given)


def test_without_the_cookie_nothing_but_the_page_answers(behind: Behind) -> None:
    guard = RequestGuard(behind)

    async def main() -> list[int]:
        async with client(guard) as stranger:
            return [
                (await stranger.post(JOIN, **message())).status_code,
                (await stranger.get(DATA, params={"session_hash": "p1"})).status_code,
                (await stranger.get("/gradio_api/heartbeat/p1")).status_code,
                (await stranger.post("/gradio_api/cancel", **message())).status_code,
            ]

    assert asyncio.run(main()) == [403] * 4
    assert behind.seen == []


@pytest.mark.parametrize(
    "cookie",
    [
        "empathic_visit=", "empathic_visit=x", "empathic_visit=" + "a" * 22,
        "empathic_visit=" + "a" * 22 + "." + "0" * 64, "other=1; empathic_visit=" + "a" * 22 + ".",
        "empathic_visit=" + "\u00e9" * 22 + ".x",
    ],
)  # fmt: skip
def test_cookies_that_this_server_did_not_make_are_none(behind: Behind, cookie: str) -> None:
    guard = RequestGuard(behind)

    async def main() -> int:
        async with client(guard) as stranger:
            headers = {"cookie": cookie.encode("utf-8")}
            answer = await stranger.post(JOIN, **message(), headers=headers)  # type: ignore[arg-type]
            return int(answer.status_code)

    assert asyncio.run(main()) == 403


def test_a_cookie_of_another_server_is_none(behind: Behind) -> None:
    other = RequestGuard(behind)
    mine = RequestGuard(behind)
    cookie = other.cookies.header(other.cookies.new(), https=False).partition(";")[0]

    async def main() -> int:
        async with client(mine) as stranger:
            answer = await stranger.post(JOIN, **message(), headers={"cookie": cookie})
            return int(answer.status_code)

    assert asyncio.run(main()) == 403


def test_two_visitors_with_the_same_session_hash_are_on_two_pages(behind: Behind) -> None:
    guard = RequestGuard(behind)
    for _ in range(2):
        asked(
            guard,
            ("POST", JOIN, message("same")),
            ("GET", DATA, {"params": {"session_hash": "same"}}),
            ("GET", "/gradio_api/heartbeat/same", {}),
            ("POST", "/gradio_api/cancel", message("same", event_id="e")),
        )
    pages = []
    for path, query, bound, body in behind.seen:
        if path == "/":
            continue
        named = json.loads(body)["session_hash"] if body else (query.decode() or path)
        assert named.endswith(bound.page) and "same" not in named
        pages.append(bound.page)
    assert pages[:4] == pages[:1] * 4 and pages[4:] == pages[4:5] * 4 and pages[0] != pages[4]


def test_a_message_carries_what_the_page_sends_and_nothing_else(behind: Behind) -> None:
    asked(
        RequestGuard(behind),
        ("POST", JOIN, message(event_id="x", oauth_token="t", batched=True, simple_format=True)),
    )
    found = json.loads(behind.seen[-1][3])
    assert set(found) == {"data", "event_data", "fn_index", "trigger_id", "session_hash"}
    assert found["data"] == ["hi"]


@pytest.mark.parametrize(
    "given",
    [
        {"content": b""}, {"content": b"["}, {"content": b"[]"}, {"content": b"[" * 7_000},
        {"content": b"\xff"}, message(fn_index="0"), message(fn_index=None), message(fn_index=True),
        message(page=""), message(page="a/b"), message(page="x" * 65), {"json": {"fn_index": 1}},
        {"json": {"fn_index": 1, "session_hash": ["p"]}},
    ],
)  # fmt: skip
def test_what_is_no_message_of_the_page_is_refused(behind: Behind, given: dict[str, Any]) -> None:
    (answer,) = asked(RequestGuard(behind), ("POST", JOIN, given))
    assert answer.status_code == 400 and len(behind.seen) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..", "%2e%2e", "x" * 65])
def test_streams_need_a_name_of_a_page(behind: Behind, name: str) -> None:
    data, beat = asked(
        RequestGuard(behind),
        ("GET", DATA, {"params": {"session_hash": name}}),
        ("GET", f"/gradio_api/heartbeat/{name}", {}),
    )
    assert data.status_code == 400 and beat.status_code in (400, 404)


# -- origins and hosts ---------------------------------------------------------------------------

FOREIGN = [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:7861"},
    {"origin": "http://localhost:7860"}, {"origin": "http://127.0.0.1.evil.example:7860"},
    {"origin": "file://"}, {"origin": "http://127.0.0.1:7860@evil.example"},
    {"referer": "https://evil.example/page"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "iframe"},
]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_other_sites_get_nothing_from_any_route(behind: Behind, headers: dict[str, str]) -> None:
    answers = asked(
        RequestGuard(behind),
        ("POST", JOIN, message() | {"headers": headers}),
        ("GET", DATA, {"params": {"session_hash": "p1"}, "headers": headers}),
        ("GET", "/gradio_api/heartbeat/p1", {"headers": headers}),
        ("POST", "/gradio_api/cancel", message() | {"headers": headers}),
        ("POST", "/gradio_api/upload", {"files": {"files": b"x"}, "headers": headers}),
        ("GET", "/config", {"headers": headers}),
        ("GET", "/assets/x.js", {"headers": headers}),
        ("POST", "/login", {"headers": headers}),
        ("POST", "/logout", {"headers": headers}),
        ("OPTIONS", JOIN, {"headers": headers | {"access-control-request-method": "POST"}}),
    )
    assert [a.status_code for a in answers] == [403] * len(answers)
    assert not [h for a in answers for h in a.headers if h.startswith("access-control")]
    assert len(behind.seen) == 1  # the page itself, before


def test_a_link_from_elsewhere_opens_the_page_and_a_frame_does_not(behind: Behind) -> None:
    visit = {
        "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document", "referer": "https://search.example/",
    }  # fmt: skip
    link, frame = asked(
        RequestGuard(behind),
        ("GET", "/", {"headers": visit}),
        ("GET", "/", {"headers": visit | {"sec-fetch-dest": "iframe"}}),
    )
    assert (link.status_code, frame.status_code) == (200, 403)


def test_its_own_page_may_ask_and_no_origin_is_told_that_it_may_read(behind: Behind) -> None:
    own = {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}
    (answer,) = asked(RequestGuard(behind), ("POST", JOIN, message() | {"headers": own}))
    assert answer.status_code == 200
    assert not [h for h in answer.headers if h.startswith("access-control")]


def test_same_origin() -> None:
    assert same_origin("https://demo.example.org", "demo.example.org", "http")
    assert same_origin("https://demo.example.org:443/a?b", "Demo.Example.org", "https")
    assert same_origin("http://[::1]:7860", "[::1]:7860", "http")
    assert not same_origin("http://demo.example.org", "demo.example.org", "https")
    assert not same_origin("https://demo.example.org", "demo.example.org:80", "http")
    for odd in ("", "null", "demo.example.org", "//demo.example.org", "http://", "http://x:99999"):
        assert not same_origin(odd, "demo.example.org", "http")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "a b", "127.0.0.2"]
)
def test_other_names_of_this_server_are_refused(behind: Behind, host: str) -> None:
    async def main() -> list[httpx.Response]:
        async with client(RequestGuard(behind)) as browser:
            headers = {"host": host}
            return [
                await browser.get("/", headers=headers),
                await browser.get("/config", headers=headers),
                await browser.post(JOIN, **message(), headers=headers),
            ]

    assert [a.status_code for a in asyncio.run(main())] == [400] * 3
    assert behind.seen == []


def test_two_hosts_are_none(behind: Behind) -> None:
    answers: list[Any] = []

    async def send(sent: Any) -> None:
        answers.append(sent)

    headers = [(b"host", b"localhost"), (b"host", b"evil.example")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    asyncio.run(RequestGuard(behind)(scope, None, send))  # type: ignore[arg-type]
    assert answers[0]["status"] == 400


def test_hosts_can_be_named(behind: Behind) -> None:
    guard = RequestGuard(behind, Security(hosts=(*LOCAL_NAMES, "Demo.Example.org")))
    for base in ("https://demo.example.org", "http://demo.example.org:7860", "http://localhost:1"):
        assert asked(guard, ("GET", "/", {}), base=base)[0].status_code == 200
    with pytest.raises(InputError, match="without scheme and port"):
        Security(hosts=("https://demo.example.org",))
    with pytest.raises(InputError, match="is no origin"):
        Security(frame_ancestors=("* ; script-src *",))


def test_forwarded_hosts_are_not_passed_on() -> None:
    seen: list[list[bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([name for name, _ in scope["headers"]])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    asked(RequestGuard(app), ("GET", "/", {"headers": {"x-forwarded-host": "evil.example"}}))
    assert len(seen) == 2 and not any(b"x-forwarded-host" in names for names in seen)


# -- headers -------------------------------------------------------------------------------------


def test_every_answer_carries_the_headers(behind: Behind) -> None:
    answers = asked(
        RequestGuard(behind),
        ("GET", "/", {}),
        ("GET", "/assets/x.js", {}),
        ("GET", "/nothing", {}),
        ("PUT", "/", {}),
        ("POST", JOIN, message() | {"headers": {"origin": "https://evil.example"}}),
    )
    assert [a.status_code for a in answers] == [200, 200, 404, 405, 403]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "microphone=(self), camera=(self)" in answer.headers["permissions-policy"]
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers
    assert answers[0].content == PAGE and answers[0].headers["cache-control"] == "no-store"
    tls = asked(RequestGuard(behind), ("GET", "/", {}), base="https://localhost")[0]
    assert "strict-transport-security" in tls.headers


def test_the_policy_names_the_page_s_own_scripts_alone(behind: Behind) -> None:
    (page,) = asked(RequestGuard(behind), ("GET", "/", {}))
    policy = page.headers["content-security-policy"]
    (script,) = script_hashes(PAGE)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert script in rules["script-src"] and "unsafe-inline" not in rules["script-src"]
    assert "http" not in policy and "*" not in policy
    assert rules["connect-src"] == "'self'" and rules["form-action"] == "'self'"


def test_other_pages_get_a_policy_without_scripts() -> None:
    policy = content_policy(gradio=False)
    assert "script-src" not in policy and "default-src 'none'" in policy


def test_frames_can_be_allowed(behind: Behind) -> None:
    guard = RequestGuard(behind, Security(frame_ancestors=("https://intra.example.org",)))
    (page,) = asked(guard, ("GET", "/", {}))
    policy = page.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://intra.example.org")
    assert "x-frame-options" not in page.headers


# -- how much ------------------------------------------------------------------------------------


def test_a_visitor_who_asks_too_often_waits_and_others_do_not(behind: Behind) -> None:
    limits = RateLimits(visit_burst=5, visit_rate=0.01)
    guard = RequestGuard(behind, Security(limits=limits))
    answers = asked(guard, *[("POST", JOIN, message())] * 8)
    assert [a.status_code for a in answers] == [200] * 4 + [429] * 4
    assert 90 <= int(answers[-1].headers["retry-after"]) <= 101
    assert asked(guard, ("POST", JOIN, message()))[0].status_code == 200


def test_new_cookies_do_not_help_an_address_that_asks_too_often(behind: Behind) -> None:
    limits = RateLimits(address_burst=4, address_rate=0.01)
    guard = RequestGuard(behind, Security(limits=limits))
    codes = [asked(guard, ("POST", JOIN, message()))[0].status_code for _ in range(2)]

    async def main(address: str) -> int:
        async with client(guard, address=address) as browser:
            return int((await browser.get("/")).status_code)

    assert codes == [200, 200]
    assert asyncio.run(main("192.0.2.1")) == 429
    assert asyncio.run(main("192.0.2.2")) == 200


def test_an_address_gets_so_many_cookies(behind: Behind) -> None:
    guard = RequestGuard(behind, Security(limits=RateLimits(arrivals_burst=3, arrivals_rate=0.01)))

    async def main() -> list[int]:
        codes = []
        for _ in range(5):
            async with client(guard) as browser:
                codes.append(int((await browser.get("/")).status_code))
        return codes

    assert asyncio.run(main()) == [200, 200, 200, 429, 429]


def test_a_visitor_has_so_many_open_streams() -> None:
    held = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/":
            await held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main() -> tuple[list[int], int]:
        guard = RequestGuard(app, Security(limits=RateLimits(visit_streams=2)))
        async with client(guard) as browser:
            await browser.get("/")
            beats = [
                asyncio.create_task(browser.get(f"/gradio_api/heartbeat/p{i}")) for i in range(3)
            ]
            await asyncio.sleep(0.05)
            assert [b.done() for b in beats] == [False, False, True]
            held.set()
            codes = [int((await beat).status_code) for beat in beats]
            return codes, int((await browser.get("/gradio_api/heartbeat/p9")).status_code)

    assert asyncio.run(main()) == ([200, 200, 429], 200)


def sent(pieces: list[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[int, int, int]:
    """Send a message in pieces; return the status, the pieces taken, and what got through."""
    behind = Behind()
    guard = RequestGuard(behind)
    cookie = guard.cookies.header(guard.cookies.new(), https=False).partition(";")[0].encode()
    answers: list[dict[str, Any]] = []
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": JOIN, "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie), *headers],
    }  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    return answers[0]["status"], len(pieces) - len(left), len(behind.seen)


def test_a_message_within_the_limit_passes() -> None:
    body = json.dumps({"data": ["x" * 9_000_000], "fn_index": 1, "session_hash": "p"}).encode()
    assert sent([body[:5_000_000], body[5_000_000:]], []) == (200, 2, 1)


def test_an_announced_giant_is_refused_unread() -> None:
    assert sent([b"x"], [(b"content-length", b"500000000")]) == (413, 0, 0)
    assert sent([b"x"], [(b"content-length", b"-1")]) == (413, 0, 0)


def test_a_giant_that_announces_nothing_is_cut_off() -> None:
    assert sent([b"x" * 1_000_000] * 1000, []) == (413, MOST_BODY // 1_000_000 + 1, 0)
    assert MOST_BODY < 20_000_000


def test_requests_that_need_no_body_may_have_a_small_one(behind: Behind) -> None:
    small, large = asked(
        RequestGuard(behind),
        ("POST", "/login", {"content": b"x" * MOST_SMALL_BODY}),
        ("POST", "/login", {"content": b"x" * (MOST_SMALL_BODY + 1)}),
    )
    assert (small.status_code, large.status_code) == (200, 413)


def test_messages_of_all_visitors_together_are_limited(behind: Behind) -> None:
    guard = RequestGuard(behind, Security(limits=RateLimits(uploading_bytes=1000)))
    small, large, again = asked(
        guard,
        ("POST", JOIN, message()),
        ("POST", JOIN, message(data=["x" * 2000])),
        ("POST", JOIN, message()),
    )
    assert [a.status_code for a in (small, large, again)] == [200, 503, 200]


def test_a_message_that_never_ends_is_given_up() -> None:
    guard = RequestGuard(Behind(), Security(limits=RateLimits(body_seconds=0.05)))

    async def main() -> int:
        async def slowly() -> Any:
            yield b"{"
            await asyncio.sleep(5)

        async with client(guard) as browser:
            await browser.get("/")
            return int((await browser.post(JOIN, content=slowly())).status_code)

    assert asyncio.run(main()) == 408


# -- mounted in another application --------------------------------------------------------------


def test_other_paths_of_an_application_are_its_own(behind: Behind) -> None:
    guard = RequestGuard(behind, path="/talk")

    async def main() -> list[int]:
        async with client(guard) as browser:
            evil = {"origin": "https://evil.example"}
            return [
                int((await browser.get(path, headers=headers)).status_code)
                for path, headers in (
                    ("/api", evil), ("/talkative", evil), ("/talk/", {}), ("/talk", {}),
                    ("/talk/config", evil), ("/talk/gradio_api/info", {}),
                )
            ]  # fmt: skip

    assert asyncio.run(main()) == [200, 200, 200, 200, 403, 404]


def test_connections_of_other_kinds() -> None:
    seen, answers = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def send(message: Any) -> None:
        answers.append(message)

    guard = RequestGuard(app)
    asyncio.run(guard({"type": "lifespan"}, None, send))  # type: ignore[arg-type]
    asyncio.run(guard({"type": "websocket", "path": "/"}, None, send))  # type: ignore[arg-type]
    assert seen == ["lifespan"] and answers == [{"type": "websocket.close", "code": 1008}]
