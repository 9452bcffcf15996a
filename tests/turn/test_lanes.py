"""Hung calls of some people slow nobody else, and never a crisis turn or an alert."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from empathic_sdk import Alert, EmotionAwareAgent, HookContext, StateEvent, Tone, Turn
from empathic_sdk.errors import ConflictError
from empathic_sdk.options import LLMOptions
from empathic_sdk.style import TONES
from empathic_sdk.testing import HANG, FakeRecognizer, ScriptedModel
from empathic_sdk.types import SafetyLevel

CRISIS = "I want to kill myself."
PROMPTLY_S = 3.0


class Hanging:
    """A hook that hangs until it is released; it counts how many do."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = threading.Semaphore(0)
        self.count = 0

    def __call__(self, context: HookContext) -> Tone:
        self.count += 1
        self.begun.release()
        self.free.wait(60)
        return TONES["steady"]

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=30)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.free.set()


def timed(call: Callable[[], Turn]) -> tuple[Turn, float]:
    start = time.monotonic()
    turn = call()
    return turn, time.monotonic() - start


def test_hung_hooks_of_one_agent_leave_other_agents_and_its_own_alerts_alone(
    hanging: Hanging,
) -> None:
    mine: list[Alert] = []
    theirs: list[Alert] = []
    with (
        EmotionAwareAgent(recognizer=FakeRecognizer(), tone=hanging, on_alert=mine.append) as hung,
        EmotionAwareAgent(
            recognizer=FakeRecognizer(), tone=lambda _: TONES["steady"], on_alert=theirs.append
        ) as other,
        ThreadPoolExecutor(64) as people,
    ):
        turns = [people.submit(hung.respond, "Hello there.", user=f"u{i}") for i in range(64)]
        hanging.wait_for(64)

        turn, seconds = timed(lambda: other.respond("Hello there.", user="ada"))
        assert seconds < PROMPTLY_S and turn.fallbacks == ()
        turn, seconds = timed(lambda: other.respond(CRISIS, user="ada"))
        assert seconds < PROMPTLY_S and [a.level for a in theirs] == [turn.safety.level]

        # The agent's own lane is full: the default steps in at once, and its alert is its own.
        turn, seconds = timed(lambda: hung.respond(CRISIS, user="ada"))
        assert seconds < PROMPTLY_S and turn.fallbacks == ("hook:tone:TimeoutError",)
        assert turn.safety.help_lines and [a.level for a in mine] == [turn.safety.level]
        assert hanging.count == 64
        hanging.free.set()
        assert all(t.result(30).reply for t in turns)


def test_a_crisis_turn_does_not_wait_for_models_that_hang() -> None:
    model = ScriptedModel(HANG, patience_s=60)
    rung: list[Alert] = []

    async def main() -> None:
        options = LLMOptions(timeout_s=60)
        async with EmotionAwareAgent(
            model, recognizer=FakeRecognizer(), llm_options=options, on_alert=rung.append
        ) as agent:
            talks = [
                asyncio.ensure_future(agent.arespond("Hello there.", user=f"u{i}"))
                for i in range(140)
            ]
            try:
                while len(model.sent) < 64 or sum(t.done() for t in talks) < 12:
                    await asyncio.sleep(0.01)
                start = time.monotonic()
                turn = await agent.arespond(CRISIS, user="ada")
                assert time.monotonic() - start < PROMPTLY_S
                start = time.monotonic()
                async for event in agent.astream(CRISIS, user="eve"):
                    assert isinstance(event, StateEvent) and event.safety.help_lines
                    break
                assert time.monotonic() - start < PROMPTLY_S
                assert turn.safety.level is not SafetyLevel.NONE and turn.safety.help_lines
                assert turn.fallbacks == () and rung[0].level is turn.safety.level
                # 64 hang, 64 wait for their place; whoever comes then is answered for at once.
                early = [t.result() for t in talks if t.done()]
                assert len(early) == 12 and len(model.sent) == 64
                assert {t.fallbacks for t in early} == {("llm:TimeoutError",)}
            finally:
                model.release()
            assert all(turn.reply for turn in await asyncio.gather(*talks))

    asyncio.run(main())


def test_turns_that_wait_for_their_own_conversation_keep_nobody_waiting(hanging: Hanging) -> None:
    async def main() -> None:
        async with EmotionAwareAgent(recognizer=FakeRecognizer(), tone=hanging) as agent:
            where = {"user": "ada", "conversation": "c"}
            talks = [
                asyncio.ensure_future(agent.arespond(f"Hello {i}.", **where)) for i in range(60)
            ]
            await asyncio.to_thread(hanging.wait_for, 1)
            start = time.monotonic()
            turn = await agent.arespond(CRISIS, user="eve")
            assert turn.safety.help_lines and time.monotonic() - start < PROMPTLY_S + 2
            hanging.free.set()
            assert len({turn.id for turn in await asyncio.gather(*talks)}) == 60

    asyncio.run(main())


def test_only_so_many_turns_wait_for_one_conversation(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("empathic_sdk.turn.conversation.WAITING", 2)
    monkeypatch.setattr("empathic_sdk.turn.conversations.WAITING", 2)

    async def main() -> list[Any]:
        async with EmotionAwareAgent(recognizer=FakeRecognizer(), tone=hanging) as agent:
            where = {"user": "ada", "conversation": "c"}
            talks = [
                asyncio.ensure_future(agent.arespond(f"Hello {i}.", **where)) for i in range(4)
            ]
            await asyncio.to_thread(hanging.wait_for, 1)
            while not any(t.done() for t in talks):
                await asyncio.sleep(0.01)
            hanging.free.set()
            return await asyncio.gather(*talks, return_exceptions=True)

    outcomes = asyncio.run(main())
    (refused,) = [o for o in outcomes if isinstance(o, Exception)]
    assert isinstance(refused, ConflictError) and "2 turns" in str(refused)


def test_a_crisis_turn_gives_its_own_hung_hooks_little_time(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("empathic_sdk.turn.engine.URGENT_HOOKS_S", 0.3)
    hooks: dict[str, Any] = {"tone": hanging, "pacing": hanging, "theme": hanging}
    with EmotionAwareAgent(recognizer=FakeRecognizer(), **hooks) as agent:
        turn, seconds = timed(lambda: agent.respond(CRISIS, user="ada"))
        hanging.free.set()
    assert seconds < PROMPTLY_S and turn.safety.help_lines
    assert turn.fallbacks == tuple(f"hook:{h}:TimeoutError" for h in ("tone", "pacing", "theme"))
    assert hanging.count == 1  # the others were not asked any more


def test_a_loop_whose_threads_all_hang_still_has_turns() -> None:
    """Slow models of other libraries fill the loop's own threads; an agent has its own."""
    free = threading.Event()

    async def main() -> None:
        others = [asyncio.ensure_future(asyncio.to_thread(free.wait, 60)) for _ in range(64)]
        await asyncio.sleep(0.1)
        agent = EmotionAwareAgent(recognizer=FakeRecognizer())
        start = time.monotonic()
        turn = await agent.arespond("Hello there.", user="ada")
        await agent.afeedback(turn.id, user="ada", rating=1)
        assert time.monotonic() - start < PROMPTLY_S
        free.set()
        await asyncio.gather(*others)
        await agent.aclose()

    try:
        asyncio.run(main())
    finally:
        free.set()
