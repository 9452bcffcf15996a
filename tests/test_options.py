"""Option values, and the keywords of the first release that became their fields."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.errors import ClosedError, ConfigurationError, ReentrancyError, UnknownTurnError
from empathic_sdk.options import MOVED, LLMOptions, ReplyOptions, Retention
from tests.turn.fakes import CountingRecognizer


@pytest.mark.parametrize("kind", [LLMOptions, ReplyOptions, Retention])
def test_every_option_is_frozen_and_described(kind: Any) -> None:
    made = kind()
    for name, field in kind.model_fields.items():
        assert field.description and field.description.endswith(".")
        with pytest.raises(ValueError, match="frozen"):
            setattr(made, name, getattr(made, name))
    with pytest.raises(ConfigurationError, match="Extra inputs are not permitted"):
        kind(colour="red")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (LLMOptions, {"timeout_s": 0}), (LLMOptions, {"timeout_s": True}),
        (LLMOptions, {"timeout_s": float("nan")}), (LLMOptions, {"history": -1}),
        (LLMOptions, {"history": 1.5}), (Retention, {"keep_text": "yes"}),
        (Retention, {"keep_days": 0}), (Retention, {"keep_days": True}), (Retention, {"live": 0}),
        (Retention, {"idle_s": -1.0}), (ReplyOptions, {"language": " "}),
        (ReplyOptions, {"planner": "stars"}),
    ],
)  # fmt: skip
def test_wrong_values_name_the_field(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        kind(**wrong)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"keep_text": True}, {"retention": Retention(keep_text=True)}),
        ({"keep_days": 3}, {"retention": Retention(keep_days=3)}),
        ({"language": "de"}, {"replies": ReplyOptions(language="de")}),
    ],
)
def test_the_first_releases_keywords_still_work(old: dict[str, Any], new: dict[str, Any]) -> None:
    (keyword,) = old
    with pytest.warns(DeprecationWarning, match=rf"{keyword}= is now {next(iter(new))}=") as seen:
        before = EmotionAwareAgent(recognizer=CountingRecognizer(), **old)
    assert seen[0].filename == __file__
    with before, EmotionAwareAgent(recognizer=CountingRecognizer(), **new) as after:
        assert before.notice() == after.notice()
        assert before.keep_text is after.keep_text
    with EmotionAwareAgent(recognizer=CountingRecognizer()) as plain:
        assert plain.notice() != after.notice()


def test_moved_keywords_are_checked_and_not_mixed() -> None:
    assert set(MOVED) == {
        "keep_text", "keep_days", "language", "planner", "llm_timeout_s", "llm_history",
    }  # fmt: skip
    with pytest.warns(DeprecationWarning), pytest.raises(ConfigurationError, match="llm_history= "):
        EmotionAwareAgent(recognizer=CountingRecognizer(), llm_history=-1)
    with pytest.raises(ConfigurationError, match="give keep_text= or retention=, not both"):
        EmotionAwareAgent(keep_text=True, retention=Retention())
    with pytest.raises(ConfigurationError, match=r"retention= must be Retention\("):
        EmotionAwareAgent(retention={"keep_text": True})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        EmotionAwareAgent(colour="red")


def test_the_constructor_is_parts_and_options() -> None:
    names = list(inspect.signature(EmotionAwareAgent).parameters)
    assert names == [
        "llm", "profiles", "store", "recognizer", "responder", "safety", "scenario", "tone",
        "pacing", "theme", "deployment", "on_alert", "replies", "llm_options", "retention",
        "weights", "debug", "moved",
    ]  # fmt: skip


def test_errors_of_closed_agents_and_of_hooks_that_would_wait_for_themselves() -> None:
    assert issubclass(ClosedError, ConfigurationError)
    assert issubclass(ReentrancyError, ConfigurationError)
    said: list[Exception] = []

    def meddle(alert: Any) -> None:
        try:
            agent.close()
        except ConfigurationError as error:
            said.append(error)

    agent = EmotionAwareAgent(recognizer=CountingRecognizer(), on_alert=meddle)
    agent.respond("I want to kill myself.")
    agent.close()
    assert [type(error) for error in said] == [ReentrancyError]
    with pytest.raises(ClosedError):
        list(agent.stream("hello"))


def test_every_call_has_an_async_twin(recognizer: EmotionRecognizer) -> None:
    for name in (
        "respond",
        "stream",
        "feedback",
        "transfers",
        "accept",
        "decline",
        "watch",
        "close",
    ):
        one, twin = (getattr(EmotionAwareAgent, n) for n in (name, f"a{name}"))
        assert list(inspect.signature(one).parameters) == list(inspect.signature(twin).parameters)

    async def main() -> None:
        text = "I am so happy today!"
        assert await recognizer.arecognize(text) == recognizer.recognize(text)
        both = [text, "I feel awful."]
        states = await recognizer.arecognize_dialogue(both)
        assert states == recognizer.recognize_dialogue(both)
        session = recognizer.session()
        assert await session.aadd(text) == recognizer.session().add(text)
        async with EmotionAwareAgent(recognizer=recognizer) as agent:
            turn = await agent.arespond("please be blunt", user="ada", conversation="c")
            assert await agent.aaccept(turn.id, user="ada") == turn.proposals
            assert agent.profiles.get("ada").preferences == {"tone": "blunt"}
            with pytest.raises(UnknownTurnError):
                await agent.adecline(turn.id, user="ada")
            again = await agent.arespond("please be gentle", user="ada", conversation="c")
            assert await agent.adecline(again.id, user="ada") == again.proposals
            found = await agent.atransfers(user="ada", conversation="c")
            assert found is not None and found.speakers == ("user", "agent", "user")

    asyncio.run(main())
