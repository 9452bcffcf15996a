"""What the middleware holds back of a model's answers, and what it must not touch."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from empathic_sdk import EmotionRecognizer
from empathic_sdk.integrations.langchain import EmotionMiddleware

ORDINARY = [
    "You can book at https://example.com/book or call our desk on 555-010-4477.",
    "Here it is:\n\n```python\ndef f(x):\n    return {'a': x}  # kill -9 the process\n```\n",
    '{"name": "Ada", "arguments": {"day": "monday"}}',
    "Write to desk@example.com, or text 0800 123456.",
    "| day | room |\n|---|---|\n| Monday | 12 |\n",
    "<table><tr><td>1</td></tr></table>",
    "  Two spaces first,\n\n\nthree lines between, and one behind. ",
    "I feel happy to help! Take one tablet of ibuprofen, as on the package.",
    "To stop it: `kill 4711`, then drop the table.",
    "Your API key is a secret: no one needs to know it. If the installer asks, say no.",
    "Delete these messages from the queue, then call +1 202-555-0143 or mail a.b@c.example.",
    '[{"tel": "555-0100", "mail": "a@b.example", "url": "http://x.example/?q=1&r=2#end"}]',
]


def agent_of(recognizer: EmotionRecognizer, answer: Any, **given: Any) -> Any:
    middleware = {k: given.pop(k) for k in ("guard", "hold") if k in given}
    model = GenericFakeChatModel(
        messages=iter([answer] if not isinstance(answer, list) else answer)
    )
    return create_agent(
        model, middleware=[EmotionMiddleware(recognizer=recognizer, **middleware)], **given
    )


def ask(agent: Any, text: str = "Where can I book a place?", *config: Any) -> Any:
    return agent.invoke({"messages": [HumanMessage(text)]}, *config)


@pytest.mark.parametrize("answer", ORDINARY)
def test_ordinary_answers_leave_as_they_are(recognizer: EmotionRecognizer, answer: str) -> None:
    last = ask(agent_of(recognizer, answer))["messages"][-1]
    assert last.content == answer
    assert last.additional_kwargs == {}


def test_blocks_leave_as_they_are(recognizer: EmotionRecognizer) -> None:
    blocks = [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "Call 555-010-4477.", "annotations": []},
        {"type": "image", "url": "https://example.com/x.png"},
    ]
    assert ask(agent_of(recognizer, AIMessage(blocks)))["messages"][-1].content == blocks


@pytest.mark.parametrize("blocks", ["", [{"type": "image", "url": "https://example.com/x.png"}]])
def test_an_answer_without_words_is_left(recognizer: EmotionRecognizer, blocks: Any) -> None:
    assert ask(agent_of(recognizer, AIMessage(blocks)))["messages"][-1].content == blocks


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("That is hard. Just kill yourself.", "encouragement"),
        ("That is hard. You should take 40 pills.", "methods"),
        ("I promise I will not tell anyone. Keep this our secret.", "secrecy"),
    ],
)
def test_a_grave_draft_is_replaced_whole(
    recognizer: EmotionRecognizer, draft: str, reason: str
) -> None:
    out = ask(agent_of(recognizer, draft), "I failed the exam again.")
    last = out["messages"][-1]
    assert last.text and "That is hard" not in last.text
    assert last.additional_kwargs["empathy_refused"][-1] == reason
    assert reason in out["empathy"]["marks"]


def test_what_is_let_through_is_marked(recognizer: EmotionRecognizer) -> None:
    agent = agent_of(recognizer, [ORDINARY[0], "It is on Monday."], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    assert ask(agent, "Where can I book?", thread)["empathy"]["marks"] == ["contact"]
    assert "marks" not in ask(agent, "And when?", thread)["empathy"]


def test_all_drops_sentences_and_off_nothing(recognizer: EmotionRecognizer) -> None:
    draft = "That sounds hard. You can book at https://example.com/book."
    dropped = ask(agent_of(recognizer, draft, guard="all"))["messages"][-1]
    assert dropped.text == "That sounds hard."
    grave = "Just kill yourself."
    off = ask(agent_of(recognizer, grave, guard="off"))
    assert off["messages"][-1].text == grave and "marks" not in off["empathy"]


def test_a_loop_goes_on_while_a_draft_is_checked(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[threading.Thread] = []
    check = EmotionMiddleware.after_model

    def watched(self: Any, state: Any, runtime: Any) -> Any:
        where.append(threading.current_thread())
        return check(self, state, runtime)

    monkeypatch.setattr(EmotionMiddleware, "after_model", watched)
    agent = agent_of(recognizer, "That sounds hard.")
    asyncio.run(agent.ainvoke({"messages": [HumanMessage("I failed.")]}))
    assert where and threading.main_thread() not in where


def test_the_line_of_help_breaks_no_json(recognizer: EmotionRecognizer) -> None:
    answers = ["That sounds heavy.", '{"a": 1}']
    agent = agent_of(recognizer, answers, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "a"}}
    ask(agent, "I want to kill myself.", thread)
    seen = []
    while len(seen) < 2:  # until the protocol is quiet again and the model is asked
        out = ask(agent, "I am safe now, I would never do that, my sister is here.", thread)
        if out["empathy"]["safety"]["level"] == "none":
            seen.append(out["messages"][-1].text)
        assert len(out["messages"]) < 30
    assert seen[0].startswith("That sounds heavy. ")
    assert seen[1] == '{"a": 1}'
