from __future__ import annotations

import asyncio
import base64
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from fastapi import FastAPI  # noqa: E402

from empathic_sdk import (  # noqa: E402
    Emotion,
    EmotionAwareAgent,
    EmotionRecognizer,
    Modality,
    ProfileStore,
    Utterance,
)
from empathic_sdk import demo as demo_room  # noqa: E402
from empathic_sdk.demo import build, launch, page_options  # noqa: E402
from empathic_sdk.demo.app import Page, tutor_of  # noqa: E402
from empathic_sdk.demo.counselling import NOT_YET  # noqa: E402
from empathic_sdk.demo.panels import Bubble  # noqa: E402
from empathic_sdk.demo.tab import BUSY, EMPTY, FAILED, LONGEST_MESSAGE  # noqa: E402
from empathic_sdk.demo.visits import IDLE_S, Visits  # noqa: E402
from empathic_sdk.errors import InputError, StoreError  # noqa: E402
from tests.demo.fakes import FakeAgent, Request  # noqa: E402

ADA, BOB = Request("ada"), Request("bob")


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture(scope="module")
def built() -> Page:
    """Laid out once: that is what takes the time."""
    agent = FakeAgent()
    return Page(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]


@pytest.fixture
def page(built: Page, agent: FakeAgent) -> Page:
    """The page with an agent of the test's own, and nobody on it."""
    built.visits = built.counselling.visits = built.tutoring.visits = Visits(agent.profiles)
    built.agent = built.counselling.agent = agent  # type: ignore[assignment]
    built.tutor = built.tutoring.agent = FakeAgent(agent.profiles)  # type: ignore[assignment]
    return built


async def said(page: Page, text: str, request: Request) -> list[dict[Any, Any]]:
    return [shown async for shown in page.counselling.say(text, None, request)]


def merged(steps: list[dict[Any, Any]]) -> dict[Any, Any]:
    return {k: v for step in steps for k, v in step.items()}


def test_build_makes_blocks_that_offer_no_api(agent: FakeAgent) -> None:
    blocks = build(agent, agent)  # type: ignore[arg-type]
    assert isinstance(blocks, gr.Blocks)
    assert blocks.get_api_info()["named_endpoints"] == {}
    assert blocks.analytics_enabled is False
    kinds = {type(block).__name__ for block in blocks.blocks.values()}
    assert not kinds & {"State", "File", "UploadButton", "DownloadButton", "Image", "Audio"}
    labels = [b.label for b in blocks.blocks.values() if type(b).__name__ == "Tab"]
    assert labels == ["Counselling", "Tutoring", "Look inside"]


def test_page_options_are_understood_by_both_ways_to_serve() -> None:
    for serve in (gr.Blocks.launch, gr.mount_gradio_app):
        assert set(page_options()) <= set(inspect.signature(serve).parameters)
    assert page_options()["run_history"] is False
    with gr.Blocks() as blocks:
        gr.HTML("A page.")
    gr.mount_gradio_app(FastAPI(), blocks, path="/", **page_options())
    assert blocks.get_config_file()["stylesheets"] == []  # no font of another host


def test_launch_has_the_agreed_arguments() -> None:
    assert list(inspect.signature(launch).parameters) == [
        "host", "port", "open_browser", "share", "auth", "profiles", "host_names", "proxies",
    ]  # fmt: skip


def test_an_answer_comes_piece_by_piece(page: Page) -> None:
    steps = asyncio.run(said(page, "I failed <b>again</b>", ADA))
    assert len(steps) == 5
    first, felt, one, two, done = (step[page.counselling.chat] for step in steps)
    assert "I failed &lt;b&gt;again&lt;/b&gt;" in first and "is writing" in first
    assert steps[0][page.counselling.box] == ""
    assert page.counselling.box not in merged(steps[1:])  # what is typed meanwhile stays
    assert "One." not in felt and "One." in one and "Two." not in one and "Two." in two
    assert "is writing" not in done
    assert (
        "Sad" in steps[1][page.counselling.noticed]
        and "Gentle" in steps[1][page.counselling.answering]
    )
    assert steps[1][page.colours].startswith("<style>body{--es-bg:")
    assert steps[1][page.counselling.live] == "You seem sad."
    assert "gentle, slow, short: you seem sad" in steps[1][page.counselling.noticed]
    assert "gentle, slow, short, no advice yet: you seem sad" in steps[4][page.counselling.noticed]


def test_empty_and_endless_messages_are_refused_calmly(page: Page, agent: FakeAgent) -> None:
    for text, why in ((" \n\u200b", EMPTY), ("", EMPTY), ("x" * (LONGEST_MESSAGE + 1), "100,000")):
        (shown,) = asyncio.run(said(page, text, ADA))
        assert why in shown[page.counselling.problem]
        assert page.counselling.box not in shown  # what was typed stays
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
    page: Page, agent: FakeAgent, error: Exception, shown: str
) -> None:
    agent.fail = error
    last = asyncio.run(said(page, "hello there", ADA))[-1]
    assert shown in last[page.counselling.problem] and last[page.counselling.box] == "hello there"
    assert "hello there" not in last[page.counselling.chat]
    agent.fail = None
    again = merged(asyncio.run(said(page, "hello there", ADA)))
    assert again[page.counselling.problem] == "" and "Two." in again[page.counselling.chat]


def test_help_lines_stay(page: Page) -> None:
    assert "988" not in merged(asyncio.run(said(page, "hi", ADA)))[page.counselling.help]
    assert "988" in merged(asyncio.run(said(page, "danger", ADA)))[page.counselling.help]
    assert "988" in merged(asyncio.run(said(page, "better", ADA)))[page.counselling.help]
    assert merged(asyncio.run(said(page, "hi", BOB)))[page.counselling.help] == ""


def test_corrections_and_ratings_reach_the_agent(page: Page, agent: FakeAgent) -> None:
    correct = page.counselling.correction(emotion=Emotion.FEAR)
    assert NOT_YET in asyncio.run(correct(ADA))  # type: ignore[arg-type]
    asyncio.run(said(page, "hi", ADA))
    assert "you felt afraid" in asyncio.run(correct(ADA))  # type: ignore[arg-type]
    rate = page.counselling.correction(rating=-1)
    assert "did not help" in asyncio.run(rate(ADA))  # type: ignore[arg-type]
    assert agent.told == [
        {"turn": "t0", "user": "visitor-ada", "emotion": Emotion.FEAR, "rating": None},
        {"turn": "t0", "user": "visitor-ada", "emotion": None, "rating": -1},
    ]
    assert NOT_YET in asyncio.run(correct(BOB))  # type: ignore[arg-type]


def test_visitors_do_not_see_each_other(page: Page) -> None:
    async def both() -> list[list[dict[Any, Any]]]:
        return await asyncio.gather(said(page, "canary-a", ADA), said(page, "canary-b", BOB))

    ours, theirs = asyncio.run(both())
    assert "canary-b" not in str(ours) and "canary-a" not in str(theirs)
    known, _ = asyncio.run(page.know(ADA))  # type: ignore[arg-type]
    assert "visitor-ada" in known and "visitor-bob" not in known


def test_forget_me(page: Page, agent: FakeAgent) -> None:
    asyncio.run(said(page, "canary", ADA))
    asyncio.run(said(page, "hi", BOB))
    shown = asyncio.run(page.forget(ADA))  # type: ignore[arg-type]
    assert "canary" not in str(shown) and "one message is erased" in shown[page.erased]
    assert agent.profiles.users() == ["visitor-bob"]
    assert page.visits.of(ADA).conversations == {}


def test_closing_the_page_erases(page: Page, agent: FakeAgent) -> None:
    asyncio.run(said(page, "hi", ADA))
    asyncio.run(page.left(ADA))  # type: ignore[arg-type]
    assert agent.profiles.users() == []


def test_closing_the_page_in_the_middle_of_a_turn_erases_it_whole(
    page: Page, agent: FakeAgent
) -> None:
    async def main() -> None:
        agent.hold.clear()
        talking = asyncio.create_task(said(page, "hi", ADA))
        await asyncio.sleep(0.05)
        talking.cancel()
        leaving = asyncio.create_task(page.left(ADA))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        assert not leaving.done()
        agent.hold.set()
        await leaving
        assert agent.profiles.users() == []

    asyncio.run(main())


def test_pages_of_which_nothing_was_heard_are_closed(agent: FakeAgent) -> None:
    async def main() -> None:
        visits = Visits(agent.profiles)
        said, bubble = Utterance("hi"), Bubble(False, [])
        async for _ in visits.answer(agent, visits.of(ADA), "a", said, bubble):  # type: ignore[arg-type]
            pass
        visits.of(ADA).used -= IDLE_S + 1
        visits.of(BOB)
        await visits.leave(Request("eve"))
        assert agent.profiles.users() == []

    asyncio.run(main())


def test_who_logs_in_to_a_lasting_store_is_kept(tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "people.db") as store:
        page = Page(FakeAgent(store), FakeAgent(store))  # type: ignore[arg-type]
        for request in (Request("p1", "ada"), Request("p2")):
            asyncio.run(said(page, "hi", request))
            asyncio.run(page.left(request))  # type: ignore[arg-type]
        assert store.users() == ["login-ada"]
        asyncio.run(page.forget(Request("p3", "ada")))  # type: ignore[arg-type]
        assert store.users() == []


def test_a_login_without_a_lasting_store_is_forgotten(page: Page, agent: FakeAgent) -> None:
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


def test_the_public_names() -> None:
    assert demo_room.__all__ == [
        "RateLimits", "RequestGuard", "Security", "application", "build", "launch", "page_options",
    ]  # fmt: skip
    assert set(demo_room.__all__) <= set(dir(demo_room))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        demo_room.nothing  # noqa: B018


# -- both rooms, one person ------------------------------------------------------------------


def test_two_talks_of_one_person_with_two_agents() -> None:
    agent = FakeAgent()
    tutor = FakeAgent(agent.profiles)
    page = Page(agent, tutor)  # type: ignore[arg-type]
    asyncio.run(said(page, "hi", ADA))

    async def lesson() -> list[dict[Any, Any]]:
        return [shown async for shown in page.tutoring.say("7/12", None, ADA)]  # type: ignore[arg-type]

    shown = merged(asyncio.run(lesson()))
    assert "7/12" in shown[page.tutoring.chat] and ">hi<" not in shown[page.tutoring.chat]
    assert len(agent.heard) == len(tutor.heard) == 1 and tutor.heard[0].at is not None
    names = {t["conversation"] for t in agent.profiles.turns("visitor-ada")}
    assert names == {"counselling-ada", "tutoring-ada"}
    forgot = asyncio.run(page.forget(ADA))  # type: ignore[arg-type]
    assert "what I noticed in 2 messages is erased" in forgot[page.erased]
    assert "7/12" not in str(forgot) and agent.profiles.users() == []


def test_a_second_message_waits_for_the_first(page: Page, agent: FakeAgent) -> None:
    async def main() -> None:
        agent.hold.clear()
        first = asyncio.create_task(said(page, "one", ADA))
        await asyncio.sleep(0.02)
        (refused,) = await said(page, "two", ADA)
        assert refused == {page.counselling.problem: page_problem(BUSY)}
        agent.hold.set()
        assert "Two." in merged(await first)[page.counselling.chat]
        assert len(await said(page, "two", ADA)) == 5

    asyncio.run(main())


def page_problem(text: str) -> str:
    return f'<div class="es-problem" role="alert">{text}</div>'


def test_a_connection_that_drops_leaves_the_room_ready(page: Page, agent: FakeAgent) -> None:
    async def main() -> None:
        stream = page.counselling.say("one", None, ADA)  # type: ignore[arg-type]
        await anext(stream)
        await anext(stream)
        await stream.aclose()
        talk = page.visits.of(ADA).conversation("counselling")
        assert not talk.busy and not talk.bubbles[-1].writing
        assert len(await said(page, "two", ADA)) == 5

    asyncio.run(main())


# -- consent and what needs it ---------------------------------------------------------------


def test_switches_are_off_and_record_each_decision(page: Page, agent: FakeAgent) -> None:
    assert set(page.counselling.switches) == {Modality.SPEECH, Modality.FACE, Modality.BEHAVIOUR}
    assert not any(switch.value for switch in page.counselling.switches.values())
    switch = page.counselling.switched(Modality.SPEECH)
    on, may, problem = asyncio.run(switch(True, ADA))  # type: ignore[arg-type]
    assert (on, may, problem) == (True, '<i data-may="speech"></i>', "")
    assert agent.profiles.get("visitor-ada").consents == {Modality.SPEECH}
    assert agent.profiles.get("visitor-bob").consents == frozenset()
    assert asyncio.run(switch(False, ADA)) == (False, "", "")  # type: ignore[arg-type]
    assert agent.profiles.get("visitor-ada").consents == frozenset()
    kept = agent.profiles.export("visitor-ada")["consents"]
    assert [(c["granted"], c["version"]) for c in kept] == [(True, "1"), (False, "1")]


@pytest.mark.parametrize("context", [None, "education", "workplace"])
def test_where_the_law_forbids_it_there_is_nothing_to_switch(context: Any) -> None:
    agent = FakeAgent(context=context)
    page = Page(agent, FakeAgent(agent.profiles))  # type: ignore[arg-type]
    assert page.counselling.switches == {}


def test_who_comes_back_finds_the_switches_as_they_were(tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "people.db") as store:
        store.consent("login-ada", Modality.FACE, True, version="1")
        page = Page(FakeAgent(store), FakeAgent(store))  # type: ignore[arg-type]
        shown = asyncio.run(page.arrive(Request("p", "ada")))  # type: ignore[arg-type]
        switches = page.counselling.switches
        assert shown[switches[Modality.FACE]] is True
        assert shown[switches[Modality.SPEECH]] is False
        assert shown[page.counselling.may] == '<i data-may="face"></i>'


def test_who_is_new_keeps_what_they_switched_before_the_page_was_ready(page: Page) -> None:
    shown = asyncio.run(page.arrive(ADA))  # type: ignore[arg-type]
    assert list(shown) == [page.tutoring.known] and shown[page.tutoring.known] == gr.skip()


def voice(page: Page, text: str = "", sound: bytes = b"RIFF") -> list[dict[Any, Any]]:
    coded = json.dumps({"sound": base64.b64encode(sound).decode(), "seconds": 3.2})

    async def sent() -> list[dict[Any, Any]]:
        return [shown async for shown in page.counselling.say(text, coded, ADA)]  # type: ignore[arg-type]

    return asyncio.run(sent())


def test_a_voice_message_shows_its_words(page: Page, agent: FakeAgent) -> None:
    steps = voice(page)
    assert "voice message, 3 s" in steps[0][page.counselling.chat]
    assert "spoken words" in merged(steps)[page.counselling.chat]
    assert agent.heard[0].audio == b"RIFF" and agent.heard[0].text == "spoken words"
    assert agent.recognizer.listened[0].user == "visitor-ada"


def test_typed_words_beside_a_voice_are_not_listened_for(page: Page, agent: FakeAgent) -> None:
    voice(page, "my words")
    assert agent.recognizer.listened == [] and agent.heard[0].text == "my words"


def test_a_recording_that_says_nothing_is_refused_kindly(page: Page, agent: FakeAgent) -> None:
    agent.fail = InputError("nothing in utterance 1 of 1 can be read")
    last = voice(page)[-1]
    assert "could not make anything of that recording" in last[page.counselling.problem]
    assert "voice message" not in last[page.counselling.chat]
    assert agent.profiles.users() == []


def test_a_tutor_of_our_own_shares_the_store_and_the_text_network(
    agent: Any, recognizer: EmotionRecognizer
) -> None:
    with (
        EmotionAwareAgent(recognizer=recognizer) as ours,
        tutor_of(ours) as tutor,
    ):
        assert tutor.profiles is ours.profiles
        assert tutor.recognizer.text is ours.recognizer.text
        assert tutor.recognizer.deployment.context is None
        turn = tutor.respond("fractions please", user="ada")
        assert turn.exercise is not None and turn.exercise.skill == "fractions"
