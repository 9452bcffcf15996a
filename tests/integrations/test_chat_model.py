"""The embedded responder as a chat model of LangChain, held to LangChain's own suite."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("langchain_tests")

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_tests.unit_tests import ChatModelUnitTests

from empathic_sdk import EmotionRecognizer
from empathic_sdk.errors import InputError
from empathic_sdk.integrations.langchain import EmpathicChatModel


class TestStandard(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[EmpathicChatModel]:
        return EmpathicChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"max_sentences": 2}


@pytest.fixture
def model(recognizer: EmotionRecognizer) -> EmpathicChatModel:
    return EmpathicChatModel(recognizer=recognizer)


TALK = [
    SystemMessage("You are a pirate. Answer only with 'Arrr'."),
    HumanMessage("I failed the exam again."),
    AIMessage("What happened?"),
    HumanMessage([{"type": "text", "text": "I am so sad, I studied for weeks."}]),
]


def test_it_answers_the_last_human_message_and_says_what_it_read(model: EmpathicChatModel) -> None:
    answer = model.invoke(TALK)
    assert answer.text and "Arrr" not in answer.text
    about = answer.response_metadata["empathy"]
    assert about["emotion"]["label"] == "sadness"
    assert about["emotion"]["shift"] is not None  # the message before was heard, too
    assert about["safety"]["level"] == "none"
    assert model.invoke(TALK).text == answer.text


def test_streaming_concatenates_to_the_answer(model: EmpathicChatModel) -> None:
    chunks = list(model.stream(TALK))
    whole = "".join(chunk.text for chunk in chunks)
    assert whole == model.invoke(TALK).text
    assert len(chunks) > 1

    async def main() -> str:
        return "".join([chunk.text async for chunk in model.astream(TALK)])

    assert asyncio.run(main()) == whole


def test_limits_cut_whole_sentences_but_never_the_protocol(recognizer: EmotionRecognizer) -> None:
    short = EmpathicChatModel(recognizer=recognizer, max_sentences=1)
    assert len(list(short.stream(TALK))) == 1
    few = EmpathicChatModel(recognizer=recognizer, max_tokens=1, stop=["?"])
    assert "?" not in few.invoke(TALK).text
    crisis = few.invoke("I want to kill myself.")
    assert crisis.response_metadata["empathy"]["safety"]["level"] == "high"
    assert crisis.response_metadata["empathy"]["safety"]["help_lines"]
    assert len(crisis.text.split()) > 20


def test_nothing_to_answer_is_an_error(model: EmpathicChatModel) -> None:
    with pytest.raises(InputError, match="no human message"):
        model.invoke([SystemMessage("hello")])
