"""The page as a server: visitors apart, requests of limited size, nothing on the disk."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk import EmotionAwareAgent  # noqa: E402
from empathic_sdk.demo import page_options, serve  # noqa: E402
from empathic_sdk.demo.app import HOME, Page, tutor_of  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.demo.crowd import Visitor, canary, crowd, leaks, what_to_press  # noqa: E402
from tests.demo.fakes import FakeAgent  # noqa: E402
from tests.demo.test_media import JPEG  # noqa: E402

PICTURE = base64.b64encode(JPEG).decode()


def until(done: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.05)
    return done()


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("gradio")
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(folder))
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def page(temp: Path) -> Page:
    agent = FakeAgent()
    return Page(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def url(page: Page) -> Iterator[str]:
    _, address, _ = page.blocks.launch(
        prevent_thread_lock=True, quiet=True, inbrowser=False, **page_options()
    )
    yield address
    page.blocks.close(verbose=False)


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_visitors_are_apart_and_leave_nothing(page: Page, url: str) -> None:
    heard = asyncio.run(crowd(url, visitors=8, turns=3, arrive_s=0.2, think_s=(0.0, 0.1)))
    assert [h.answered for h in heard] == [3] * 8
    assert leaks(heard) == []
    assert until(lambda: page.agent.profiles.users() == [] and len(page.visits) == 0)


def test_the_crowd_hears_a_leak() -> None:
    from tests.demo.crowd import Heard

    one, other = Heard(canary(1), [canary(1)]), Heard(canary(2), [canary(2), canary(1)])
    assert leaks([one, other]) == ["canary002x got canary001x"]


def send(url: str, page_name: str, payload: str) -> str:
    """Send a message with something along, and return all that comes back."""

    async def main() -> str:
        async with httpx.AsyncClient(timeout=30) as client:
            visitor = Visitor(client, url, 7, await what_to_press(client, url))
            visitor.page = page_name
            await client.get(url)
            fn, trigger = visitor.press
            body = {"data": ["hi", payload], "fn_index": fn, "trigger_id": trigger,
                    "session_hash": page_name, "event_data": None}  # fmt: skip
            await client.post(f"{url}gradio_api/queue/join", json=body)
            said = []
            data = f"{url}gradio_api/queue/data?session_hash={page_name}"
            async with client.stream("GET", data) as response:
                async for line in response.aiter_lines():
                    said.append(line)
                    if '"process_completed"' in line:
                        break
            return "\n".join(said)

    return asyncio.run(main())


def test_what_is_recorded_never_becomes_a_file(page: Page, url: str, temp: Path) -> None:
    before = len(page.agent.heard)  # type: ignore[attr-defined]
    payload = json.dumps({"sound": "UklGRg==", "seconds": 2, "picture": PICTURE})
    assert "Two." in send(url, "recorder", payload)
    said = page.agent.heard[before]  # type: ignore[attr-defined]
    assert said.audio == b"RIFF" and said.frames[0][:3] == b"\xff\xd8\xff"
    assert files(temp) == []


def test_files_cannot_be_uploaded(url: str, temp: Path) -> None:
    given = {"files": ("voice.wav", b"RIFF" + b"x" * 1000, "audio/wav")}
    with httpx.Client() as client:
        client.get(url)
        assert client.post(f"{url}gradio_api/upload", files=given).status_code == 404
    assert files(temp) == []


def test_half_a_gigabyte_is_refused_at_once(url: str, temp: Path) -> None:
    read = 0

    def pieces() -> Iterator[bytes]:
        nonlocal read
        while read < 500_000_000:
            read += 1_000_000
            yield b"x" * 1_000_000

    for where in ("gradio_api/upload", "gradio_api/queue/join"):
        announced = {"content-length": "500000000"}
        try:
            answer = httpx.post(f"{url}{where}", content=pieces(), headers=announced)
            assert answer.status_code == 413
        except httpx.WriteError:  # the server has closed the connection
            pass
        assert read < 100_000_000, where
        read = 0
    assert files(temp) == []


def test_a_giant_that_hides_its_size_is_refused(url: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 1_000_000

    cookies = httpx.get(url).cookies
    try:
        join = f"{url}gradio_api/queue/join"
        answer = httpx.post(join, content=pieces(), timeout=30, cookies=cookies)
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        pass
    assert httpx.get(f"{url}config").status_code == 200


def test_nothing_of_the_server_s_disk_can_be_read(url: str) -> None:
    for path in ("/etc/passwd", str(ROOT / "README.md"), str(Path(serve.__file__))):
        answer = httpx.get(f"{url}gradio_api/file={path}")
        assert answer.status_code in (403, 404), path


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_visitors_at_once() -> None:
    """The real agent, its pacing on; the crowd is a process of its own on the same cores."""
    with (
        EmotionAwareAgent(deployment=HOME) as agent,
        tutor_of(agent) as tutor,
        serve.running(serve.application(agent, tutor)) as url,
    ):
        agent.respond("warm up", user="nobody")
        agent.profiles.erase("nobody")
        done = subprocess.run(
            [sys.executable, "-m", "tests.demo.crowd", url],
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        found = json.loads(done.stdout.splitlines()[-1])
        print(json.dumps(found))
        assert found["visitors"] == 50 and found["answers"] == 250
        assert found["leaks"] == []
        assert found["first_sentence_p95_ms"] < 1000
        assert until(lambda: agent.profiles.users() == [])
