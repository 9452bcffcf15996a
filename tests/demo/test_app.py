from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk import Emotion, ProfileStore  # noqa: E402
from empathic_sdk import demo as demo_room  # noqa: E402
from empathic_sdk.demo import app as app_module  # noqa: E402
from empathic_sdk.demo import build, launch, page_options  # noqa: E402
from empathic_sdk.demo.app import EMPTY, FAILED, LONGEST_MESSAGE, NOT_YET, _Page  # noqa: E402
from empathic_sdk.demo.visits import IDLE_S, Visits  # noqa: E402
from empathic_sdk.errors import InputError, StoreError  # noqa: E402
from tests.demo.fakes import FakeAgent  # noqa: E402


@dataclass
class Request:
    session_hash: str
    username: str | None = None


ADA, BOB = Request("ada"), Request("bob")


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
def page(agent: FakeAgent) -> _Page:
    return _Page(agent)  # type: ignore[arg-type]


async def said(page: _Page, text: str, request: Request) -> list[dict[Any, Any]]:
    return [shown async for shown in page._say(text, request)]


def merged(steps: list[dict[Any, Any]]) -> dict[Any, Any]:
    return {k: v for step in steps for k, v in step.items()}


def test_build_makes_blocks_that_offer_no_api(agent: FakeAgent) -> None:
    blocks = build(agent)  # type: ignore[arg-type]
    assert isinstance(blocks, gr.Blocks)
    assert blocks.get_api_info()["named_endpoints"] == {}
    assert blocks.analytics_enabled is False
    kinds = {type(block).__name__ for block in blocks.blocks.values()}
    assert not kinds & {"State", "File", "UploadButton", "DownloadButton", "Image", "Audio"}


def test_page_options_are_understood_by_both_ways_to_serve() -> None:
    for serve in (gr.Blocks.launch, gr.mount_gradio_app):
        assert set(page_options()) <= set(inspect.signature(serve).parameters)
    assert page_options()["run_history"] is False
    theme = page_options()["theme"]
    assert theme._stylesheets == []


def test_launch_has_the_agreed_arguments() -> None:
    assert list(inspect.signature(launch).parameters) == [
        "host", "port", "open_browser", "share", "auth", "profiles",
    ]  # fmt: skip


def test_an_answer_comes_piece_by_piece(page: _Page) -> None:
    steps = asyncio.run(said(page, "I failed <b>again</b>", ADA))
    assert len(steps) == 5
    first, felt, one, two, done = (step[page.chat] for step in steps)
    assert "I failed &lt;b&gt;again&lt;/b&gt;" in first and "is writing" in first
    assert steps[0][page.box] == ""
    assert page.box not in merged(steps[1:])  # what is typed meanwhile stays
    assert "One." not in felt and "One." in one and "Two." not in one and "Two." in two
    assert "is writing" not in done
    assert "Sad" in steps[1][page.noticed] and "Gentle" in steps[1][page.answering]
    assert steps[1][page.colours].startswith("<style>body{--es-bg:")
    assert steps[1][page.live] == "You seem sad."


def test_empty_and_endless_messages_are_refused_calmly(page: _Page, agent: FakeAgent) -> None:
    for text, why in ((" \n\u200b", EMPTY), ("", EMPTY), ("x" * (LONGEST_MESSAGE + 1), "100,000")):
        (shown,) = asyncio.run(said(page, text, ADA))
        assert why in shown[page.problem] and shown[page.box] == text
    assert agent.profiles.users() == []
    assert len(asyncio.run(said(page, "x" * LONGEST_MESSAGE, ADA))) == 5


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (InputError("too odd to read"), "too odd to read"),
        (StoreError("/srv/people.db is locked"), FAILED),
        (KeyError(1), FAILED),
    ],
)
def test_errors_give_the_words_back(
    page: _Page, agent: FakeAgent, error: Exception, shown: str
) -> None:
    agent.fail = error
    last = asyncio.run(said(page, "hello there", ADA))[-1]
    assert shown in last[page.problem] and last[page.box] == "hello there"
    assert "hello there" not in last[page.chat]
    agent.fail = None
    again = merged(asyncio.run(said(page, "hello there", ADA)))
    assert again[page.problem] == "" and "Two." in again[page.chat]


def test_help_lines_stay(page: _Page) -> None:
    assert "988" not in merged(asyncio.run(said(page, "hi", ADA)))[page.help]
    assert "988" in merged(asyncio.run(said(page, "danger", ADA)))[page.help]
    assert "988" in merged(asyncio.run(said(page, "better", ADA)))[page.help]
    assert merged(asyncio.run(said(page, "hi", BOB)))[page.help] == ""


def test_corrections_and_ratings_reach_the_agent(page: _Page, agent: FakeAgent) -> None:
    correct = page._correction(emotion=Emotion.FEAR)
    assert NOT_YET in asyncio.run(correct(ADA))  # type: ignore[arg-type]
    asyncio.run(said(page, "hi", ADA))
    assert "you felt afraid" in asyncio.run(correct(ADA))  # type: ignore[arg-type]
    rate = page._correction(rating=-1)
    assert "did not help" in asyncio.run(rate(ADA))  # type: ignore[arg-type]
    assert agent.told == [
        {"turn": "t0", "user": "visitor-ada", "emotion": Emotion.FEAR, "rating": None},
        {"turn": "t0", "user": "visitor-ada", "emotion": None, "rating": -1},
    ]
    assert NOT_YET in asyncio.run(correct(BOB))  # type: ignore[arg-type]


def test_visitors_do_not_see_each_other(page: _Page) -> None:
    async def both() -> list[list[dict[Any, Any]]]:
        return await asyncio.gather(said(page, "canary-a", ADA), said(page, "canary-b", BOB))

    ours, theirs = asyncio.run(both())
    assert "canary-b" not in str(ours) and "canary-a" not in str(theirs)
    known, _ = asyncio.run(page._know(ADA))  # type: ignore[arg-type]
    assert "visitor-ada" in known and "visitor-bob" not in known


def test_forget_me(page: _Page, agent: FakeAgent) -> None:
    asyncio.run(said(page, "canary", ADA))
    asyncio.run(said(page, "hi", BOB))
    shown = asyncio.run(page._forget(ADA))  # type: ignore[arg-type]
    assert "canary" not in str(shown) and "one message is erased" in shown[page.erased]
    assert agent.profiles.users() == ["visitor-bob"]
    assert page.visits.of(ADA).bubbles == []


def test_closing_the_page_erases(page: _Page, agent: FakeAgent) -> None:
    asyncio.run(said(page, "hi", ADA))
    asyncio.run(page._left(ADA))  # type: ignore[arg-type]
    assert agent.profiles.users() == []


def test_closing_the_page_in_the_middle_of_a_turn_erases_it_whole(
    page: _Page, agent: FakeAgent
) -> None:
    async def main() -> None:
        agent.hold.clear()
        talking = asyncio.create_task(said(page, "hi", ADA))
        await asyncio.sleep(0.05)
        talking.cancel()
        leaving = asyncio.create_task(page._left(ADA))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        assert not leaving.done()
        agent.hold.set()
        await leaving
        assert agent.profiles.users() == []

    asyncio.run(main())


def test_pages_of_which_nothing_was_heard_are_closed(agent: FakeAgent) -> None:
    async def main() -> None:
        visits = Visits(agent)  # type: ignore[arg-type]
        async for _ in visits.answer(_with_answer(visits, ADA), "hi"):
            pass
        visits.of(ADA).used -= IDLE_S + 1
        visits.of(BOB)
        await visits.leave(Request("eve"))
        assert agent.profiles.users() == []

    asyncio.run(main())


def _with_answer(visits: Visits, request: Request) -> Any:
    visit = visits.of(request)
    visit.bubbles.append(app_module.panels.Bubble(False, [], writing=True))
    return visit


def test_who_logs_in_to_a_lasting_store_is_kept(tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "people.db") as store:
        page = _Page(FakeAgent(store))  # type: ignore[arg-type]
        for request in (Request("p1", "ada"), Request("p2")):
            asyncio.run(said(page, "hi", request))
            asyncio.run(page._left(request))  # type: ignore[arg-type]
        assert store.users() == ["login-ada"]
        asyncio.run(page._forget(Request("p3", "ada")))  # type: ignore[arg-type]
        assert store.users() == []


def test_a_login_without_a_lasting_store_is_forgotten(page: _Page, agent: FakeAgent) -> None:
    asyncio.run(said(page, "hi", Request("p1", "ada")))
    assert agent.profiles.users() == ["visitor-p1"]


def test_without_gradio_the_install_line_is_shown() -> None:
    code = (
        "import sys; sys.modules['gradio'] = None\n"
        "from empathic_sdk.errors import MissingExtraError\n"
        "import empathic_sdk.demo as d\n"
        "try: d.build\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        'the demo needs the extra "demo": pip install "empathic-sdk[demo]"'
    )


def test_the_room_offers_three_names() -> None:
    assert demo_room.__all__ == ["build", "launch", "page_options"]
    assert set(demo_room.__all__) <= set(dir(demo_room))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        demo_room.nothing  # noqa: B018
