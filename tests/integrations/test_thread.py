"""What the middleware keeps with a thread, and whose words it reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, SummarizationMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver

from empathic_sdk import EmotionRecognizer
from empathic_sdk.integrations.langchain import EmotionMiddleware
from empathic_sdk.turn.stateless import StatelessTurns

FIRST_RELEASE = Path(__file__).parent.parent / "data" / "first_release" / "turn.json"
CRISIS = "I want to kill myself."
THREAD: Any = {"configurable": {"thread_id": "a"}}
SAID = [
    "I failed the exam again.",
    "My mother was angry with me.",
    "We won, I am so happy!",
    "I do not know what to do now.",
    "It was a long day at work.",
]


class Answering(GenericFakeChatModel):
    """Says the same each time, and remembers what it was sent."""

    messages: Any = iter(())
    text: str = "That sounds heavy. What happened then?"
    seen: list[Any] = []  # noqa: RUF012

    def _generate(self, messages: Any, *given: Any, **kwargs: Any) -> Any:
        self.seen.append(list(messages))
        self.messages = iter([self.text])
        return super()._generate(messages, *given, **kwargs)


def agent_of(
    recognizer: EmotionRecognizer, *also: Any, model: Any = None, saver: Any = None, **given: Any
) -> Any:
    return create_agent(
        model or Answering(seen=[]),
        middleware=[EmotionMiddleware(recognizer=recognizer, **given), *also],
        checkpointer=saver or InMemorySaver(),
    )


def ask(agent: Any, *messages: Any) -> Any:
    given = [HumanMessage(m) if isinstance(m, str) else m for m in messages]
    return agent.invoke({"messages": given}, THREAD)


def size(agent: Any, saver: Any) -> int:
    values = agent.get_state(THREAD).values
    kept = {name: value for name, value in values.items() if name.startswith("empathy")}
    assert set(kept) == {"empathy", "empathy_heard", "empathy_seen"}
    return len(saver.serde.dumps_typed(kept)[1])


def test_a_thread_stays_small(recognizer: EmotionRecognizer) -> None:
    saver = InMemorySaver()
    agent = agent_of(recognizer, saver=saver)
    sizes = []
    for number in range(26):
        ask(agent, f"{SAID[number % len(SAID)]} {number}")
        sizes.append(size(agent, saver))
    assert max(sizes) <= 8000
    assert sizes[-1] - sizes[-6] < 250  # what is remembered is full
    assert max(sizes) - sizes[0] < 4000


def test_what_was_left_out_is_read_anew(recognizer: EmotionRecognizer) -> None:
    saver = InMemorySaver()
    one = agent_of(recognizer, saver=saver)
    for text in SAID[:3]:
        ask(one, text)
    here = ask(agent_of(recognizer, saver=saver), SAID[3])["empathy"]["emotion"]  # elsewhere
    alone = agent_of(recognizer)
    for text in SAID[:4]:
        whole = ask(alone, text)["empathy"]["emotion"]
    assert here["probabilities"] == pytest.approx(whole["probabilities"], abs=0.02)
    assert here["shift"] == pytest.approx(whole["shift"], abs=0.02)
    fresh = ask(agent_of(recognizer), SAID[3])["empathy"]["emotion"]
    assert fresh["shift"] is None


def test_other_recognisers_sessions_are_kept() -> None:
    class Counting:
        """Its session's state is small, and not to be had from the messages."""

        def __init__(self) -> None:
            self.real = EmotionRecognizer()
            self.restored: list[bytes] = []

        def recognize(self, said: Any) -> Any:
            return self.real.recognize(said)

        def recognize_dialogue(self, said: Any) -> Any:
            return self.real.recognize_dialogue(said)

        def session(self, user: Any = None) -> Any:
            outer = self

            class Session:
                count = 0

                def __init__(self) -> None:
                    self.user = user

                def add(self, said: Any) -> Any:
                    self.count += 1
                    return outer.real.recognize(said)

                def state(self) -> bytes:
                    return f"heard {self.count}".encode()

                def restore(self, state: bytes) -> None:
                    outer.restored.append(state)
                    self.count = int(state.split()[1])

            return Session()

    recognizer, saver = Counting(), InMemorySaver()
    for text in SAID[:3]:
        ask(agent_of(recognizer, saver=saver), text)  # type: ignore[arg-type]
    assert recognizer.restored[-1] == b"heard 2"


def old_state(recognizer: EmotionRecognizer, text: str, mark: str) -> dict[str, Any]:
    turn = StatelessTurns(recognizer).take([("user", text)])
    assert turn is not None
    return {"id": mark, "heard": turn.dump()}


def test_threads_of_earlier_releases_go_on(recognizer: EmotionRecognizer) -> None:
    agent = agent_of(recognizer)
    before = [HumanMessage(CRISIS, id="h1"), AIMessage("I am with you.", id="a1")]
    values = {"messages": before, "empathy_heard": old_state(recognizer, CRISIS, "h1")}
    agent.update_state(THREAD, values, as_node="EmotionMiddleware.after_model")
    out = ask(agent, "ok")
    assert out["empathy"]["emotion"]["shift"] is not None  # as it goes on, and the danger with it
    assert out["empathy"]["safety"]["level"] != "none"
    assert agent.get_state(THREAD).values["empathy_heard"].keys() == {"turn"}


def test_a_state_that_cannot_be_read_begins_anew(recognizer: EmotionRecognizer) -> None:
    for broken in ({"turn": "no turn"}, {"turn": 3}, {}, {"id": "h1", "heard": {"x": 1}}):
        agent = agent_of(recognizer)
        values = {"messages": [HumanMessage("hi"), AIMessage("Hello.")], "empathy_heard": broken}
        agent.update_state(THREAD, values, as_node="EmotionMiddleware.after_model")
        assert ask(agent, SAID[0])["empathy"]["emotion"]["label"] == "sadness"


# -- whose words --------------------------------------------------------------------------------


def test_an_edited_message_is_read_again(recognizer: EmotionRecognizer) -> None:
    model = Answering(seen=[])
    agent = agent_of(recognizer, model=model)
    first = ask(agent, HumanMessage("We won, I am so happy!", id="h1"))
    assert first["empathy"]["emotion"]["label"] == "joy"
    edited = ask(agent, HumanMessage(CRISIS, id="h1"))
    assert edited["empathy"]["safety"]["level"] == "high"
    assert len(model.seen) == 1


def test_the_same_words_said_again_are_new(recognizer: EmotionRecognizer) -> None:
    agent = agent_of(recognizer)
    assert ask(agent, SAID[0])["empathy"]["emotion"]["shift"] is None
    assert ask(agent, SAID[0])["empathy"]["emotion"]["shift"] is not None


def test_a_message_that_stands_there_already_is_not_read_again(
    recognizer: EmotionRecognizer,
) -> None:
    agent = agent_of(recognizer)
    first = ask(agent, HumanMessage(SAID[0], id="h1"))["empathy"]
    assert ask(agent, HumanMessage(SAID[0], id="h1"))["empathy"] == first


def test_a_crisis_that_is_asked_about_again_stays_one(recognizer: EmotionRecognizer) -> None:
    model = Answering(seen=[])
    agent = agent_of(recognizer, model=model)
    out = ask(agent, HumanMessage(CRISIS, id="h1"))
    agent.update_state(
        THREAD, {"messages": [RemoveMessage(out["messages"][-1].id)]}, as_node="__start__"
    )
    again = ask(agent, HumanMessage(CRISIS, id="h1"))
    assert again["messages"][-1].text == out["messages"][-1].text
    assert model.seen == []


def test_a_summary_is_not_the_persons(recognizer: EmotionRecognizer) -> None:
    model = Answering(seen=[])
    told = Answering(seen=[], text=f"The user said: {CRISIS}")
    summary = SummarizationMiddleware(told, trigger=("messages", 4), keep=("messages", 2))
    agent = agent_of(recognizer, summary, model=model)
    for number, text in enumerate([*SAID[:3], "And then we went home.", SAID[4]]):
        out = ask(agent, text)
        assert out["empathy"]["safety"]["level"] == "none"
        assert len(model.seen) == number + 1
    assert told.seen and any(CRISIS in m.text for m in out["messages"])


class Inserting(AgentMiddleware):  # type: ignore[type-arg]
    """Puts context in front of the model, as a human message without a mark."""

    def __init__(self, hook: str) -> None:
        super().__init__()
        self.hook, self.times = hook, 0

    def _context(self, hook: str) -> dict[str, Any] | None:
        self.times += 1
        if hook != self.hook:
            return None
        return {"messages": [HumanMessage(f"From the library, {self.times}: {CRISIS}")]}

    def before_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        return self._context("before_agent")

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        return self._context("before_model")


@pytest.mark.parametrize("hook", ["before_agent", "before_model"])
def test_inserted_context_is_not_the_persons(recognizer: EmotionRecognizer, hook: str) -> None:
    model = Answering(seen=[])
    agent = agent_of(recognizer, Inserting(hook), model=model)
    for number, text in enumerate(SAID[:4]):
        out = ask(agent, text)
        assert out["empathy"]["safety"]["level"] == "none"
        assert len(model.seen) == number + 1
    assert sum(CRISIS in m.text for m in out["messages"]) == 4
    assert ask(agent, CRISIS)["empathy"]["safety"]["level"] == "high"


def test_words_that_other_middleware_masks_stay_read(recognizer: EmotionRecognizer) -> None:
    class Masking(AgentMiddleware):  # type: ignore[type-arg]
        def before_model(self, state: Any, runtime: Any) -> dict[str, Any]:
            masked: Sequence[Any] = [
                m.model_copy(update={"content": m.text.replace("exam", "[thing]")})
                for m in state["messages"]
                if isinstance(m, HumanMessage)
            ]
            return {"messages": masked}

    agent = agent_of(recognizer, Masking())
    first = ask(agent, SAID[0])
    assert "[thing]" in first["messages"][0].text
    assert first["empathy"]["emotion"]["shift"] is None
    second = ask(agent, SAID[2])["empathy"]
    assert second["emotion"]["label"] == "joy"
    seen = agent.get_state(THREAD).values["empathy_seen"]
    assert seen["own"] and not seen["other"]


def test_the_first_releases_form_is_read() -> None:
    alone = EmotionRecognizer(dialogue=False)  # what wrote the file
    heard = json.loads(FIRST_RELEASE.read_text(encoding="utf-8"))
    agent = agent_of(alone)
    asked = AIMessage(" ".join(heard["reply"]["sentences"]))
    values = {
        "messages": [HumanMessage(CRISIS, id="h1"), asked],
        "empathy_heard": {"id": "h1", "heard": heard},
    }
    agent.update_state(THREAD, values, as_node="EmotionMiddleware.after_model")
    assert "confirmed" in ask(agent, "yes")["empathy"]["safety"]["reasons"]
