"""Whatever llm= takes becomes something that streams text, or an error that says what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableField, RunnableGenerator, RunnableLambda
from langgraph.graph import START, StateGraph
from pydantic import BaseModel

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.errors import ConfigurationError, MissingExtraError
from empathic_sdk.integrations.langchain import AgentRunnable, emotion_tool
from empathic_sdk.llm.adapters import LangChainModel, language_model, text_of
from empathic_sdk.types import ChatMessage, LanguageModel

SENT = [
    ChatMessage("system", "rules"),
    ChatMessage("user", "hi"),
    ChatMessage("assistant", "hello"),
    ChatMessage("user", "{braces} stay"),
]


def fake(*answers: Any) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter(answers))


def test_a_chat_model_gets_proper_messages() -> None:
    seen: list[Any] = []

    def answer(messages: Any) -> AIMessage:
        seen.extend(messages)
        return AIMessage("Fine.")

    model = language_model(RunnableLambda(answer))
    assert "".join(model.stream(SENT)) == "Fine."
    assert [(type(m), m.text) for m in seen] == [
        (SystemMessage, "rules"),
        (HumanMessage, "hi"),
        (AIMessage, "hello"),
        (HumanMessage, "{braces} stay"),
    ]


def test_names() -> None:
    assert language_model(fake("x")).name == "generic-fake-chat-model"
    bound = fake("x").bind(stop=["y"]).with_fallbacks([fake("z")])
    model = language_model(bound)
    assert model.name == "generic-fake-chat-model"
    assert "".join(model.stream(SENT)) == "x"


def test_a_named_model_is_made_by_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def init(name: str) -> Any:
        asked.append(name)
        return fake("Fine.")

    monkeypatch.setattr("langchain.chat_models.init_chat_model", init)
    model = language_model("openai:gpt-4o-mini")
    assert (asked, model.name) == (["openai:gpt-4o-mini"], "openai:gpt-4o-mini")
    assert isinstance(model, LanguageModel)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ollama:llama3.2", "pip install langchain-ollama"),
        ("openai:gpt-4o-mini", "pip install langchain-openai"),
        ("gpt-4o-mini", "pip install langchain-openai"),
        ("nobody:knows", "write 'provider:model'"),
        (" ", "must name a model"),
    ],
)
def test_what_is_missing_is_named(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    with pytest.raises(ConfigurationError, match=words):
        language_model(name)


def test_a_provider_without_its_key_does_not_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(name: str) -> Any:
        raise RuntimeError("bad key sk-secret")

    monkeypatch.setattr("langchain.chat_models.init_chat_model", init)
    with pytest.raises(ConfigurationError, match="RuntimeError") as error:
        language_model("openai:x")
    assert "sk-secret" not in str(error.value)


def test_without_langchain_a_name_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(MissingExtraError, match=r"empathic-sdk\[langchain\]"):
        language_model("openai:gpt-4o-mini")


def test_one_of_your_own() -> None:
    class Own:
        name = "own"

        def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
            yield messages[-1].text

    own = Own()
    assert language_model(own) is own
    Own.name = ""
    with pytest.raises(ConfigurationError, match="needs a name"):
        language_model(own)
    with pytest.raises(ConfigurationError, match="llm= must be"):
        language_model(Own)


class Answer(BaseModel):
    """An answer."""

    text: str


class Structured(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[])


def graph() -> Any:
    made = StateGraph(dict)
    made.add_node("a", lambda state: state)
    made.add_edge(START, "a")
    return made.compile()


async def awaited(messages: Any) -> str:
    return "x"


async def yielded(pieces: Any) -> Any:
    yield "x"


class Awaited:
    name = "own"

    async def stream(self, messages: Any) -> Any:
        return "x"


class Yielded:
    name = "own"

    async def stream(self, messages: Any) -> Any:
        yield "x"


class Astream:
    name = "own"

    async def astream(self, messages: Any) -> Any:
        yield "x"


class WithoutTemplate(GenericFakeChatModel):
    """As a chat model around a local pipeline is made."""

    pipeline: Any = None


def pipeline(template: str | None) -> Any:
    tokenizer = SimpleNamespace(chat_template=template)
    return SimpleNamespace(task="text-generation", tokenizer=tokenizer)


def base() -> Any:
    return WithoutTemplate(messages=iter(["x"]), pipeline=pipeline(None))


class Said:
    async def __call__(self, messages: Any) -> Any:
        return "x"


class AsyncCallable:
    name = "own"
    stream = Said()


class NoMessages:
    name = "own"

    def stream(self) -> Iterator[str]:
        yield "x"


class Agent:
    name = "own"

    def respond(self, utterance: Any) -> Any: ...

    def stream(self, utterance: Any) -> Any: ...

    feedback = notice = respond


def agent_runnable() -> Any:
    return AgentRunnable(Agent())  # type: ignore[arg-type]


def changeable(model: Any) -> Any:
    return model.configurable_fields(name=ConfigurableField(id="name"))


def of_class(package: str, name: str) -> Any:
    """An object as that package's class would make it."""
    made = type(name, (), {"__module__": f"{package}.somewhere", "stream": lambda self, m: "x"})
    return made()


class LlamaCpp(WithoutTemplate):
    """As LangChain's chat model around llama_cpp is made."""

    client: Any = None

    def __init__(self, **given: Any) -> None:
        super().__init__(messages=iter(["x"]), **given)


def llama(metadata: dict[str, str], chat_format: str | None) -> Any:
    made = of_class("llama_cpp", "Llama")
    made.metadata, made.chat_format, made.chat_handler = metadata, chat_format, None
    return made


ASKED = ChatPromptTemplate.from_messages([("system", "You sell boats."), ("human", "{text}")])
HANDED_ON = ChatPromptTemplate.from_messages(
    [("system", "You sell boats."), MessagesPlaceholder("messages")]
)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (graph, "a graph takes and gives a state"),
        (lambda: graph().with_config(tags=["x"]), "a graph takes and gives a state"),
        (lambda: create_agent(fake("x")), "a graph takes and gives a state"),
        (lambda: StateGraph(dict), "a graph is no model"),
        (lambda: ASKED, "begins with a prompt"),
        (lambda: ASKED | fake("x"), "begins with a prompt"),
        (lambda: (ASKED | fake("x")).with_retry(), "begins with a prompt"),
        (lambda: fake("x").with_fallbacks([ASKED | fake("x")]), "begins with a prompt"),
        (lambda: fake("x") | JsonOutputParser(), "structured output"),
        (lambda: Structured(messages=iter([])).with_structured_output(Answer), "structured output"),
        (lambda: RunnableLambda(awaited), "can only be awaited"),
        (lambda: fake("x") | RunnableLambda(awaited), "can only be awaited"),
        (lambda: RunnableGenerator(yielded), "can only be awaited"),
        (Awaited, "can only be awaited"),
        (Yielded, "can only be awaited"),
        (Astream, "can only be awaited"),
        (base, "no chat template"),
        (lambda: base().bind(stop=["x"]), "no chat template"),
        (lambda: emotion_tool(), "writes no replies"),
        (lambda: FakeListLLM(responses=["x"]), "completes a text and knows no roles"),
        (lambda: FakeListLLM(responses=["x"]).bind(stop=["y"]), "completes a text"),
        (lambda: fake("x").with_fallbacks([FakeListLLM(responses=["x"])]), "completes a text"),
        (lambda: RunnableLambda(lambda m: "x") | FakeListLLM(responses=["x"]), "completes a text"),
        (lambda: init_chat_model(), "names no model yet"),
        (lambda: changeable(FakeListLLM(responses=["x"])), "completes a text"),
        (lambda: agent_runnable(), "an agent is no model"),
        (lambda: Agent(), "an agent is no model"),
        (lambda: LlamaCpp(client=llama({}, None)), "its file has no chat template"),
        (lambda: LlamaCpp(client=llama({}, "llama-2")), "its file has no chat template"),
        (AsyncCallable, "can only be awaited"),
        (NoMessages, "one argument, the messages"),
        (lambda: of_class("transformers", "PreTrainedModel"), "with its tokenizer"),
        (lambda: of_class("openai", "OpenAI"), "langchain_openai.ChatOpenAI"),
    ],
)
def test_what_cannot_work_is_refused_at_once(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        language_model(make())
    with pytest.raises(ConfigurationError, match=words):
        EmotionAwareAgent(make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: fake("x").with_retry(),
        lambda: fake("x") | StrOutputParser(),
        lambda: HANDED_ON | fake("x"),
        lambda: RunnableLambda(lambda messages: messages[-1:]) | fake("x"),
        lambda: RunnableLambda(lambda messages: "x", afunc=awaited),
        lambda: WithoutTemplate(messages=iter(["x"]), pipeline=pipeline("{{ messages }}")),
        lambda: LlamaCpp(client=llama({"tokenizer.chat_template": "{{ messages }}"}, None)),
        lambda: LlamaCpp(client=llama({}, "chatml")),
        lambda: changeable(fake("x")),
    ],
)
def test_what_works_is_taken(make: Any) -> None:
    assert "".join(language_model(make()).stream(SENT)) == "x"


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("a", "a"),
        (AIMessage("a"), "a"),
        (AIMessage([{"type": "text", "text": "a"}, "b", {"type": "image", "url": "x"}]), "ab"),
        (AIMessage([{"type": "reasoning", "reasoning": "hm"}]), ""),
        (AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]), ""),
        (AIMessage([{"type": "text", "text": None}]), ""),
        (None, ""),
    ],
)
def test_text_of(piece: Any, text: str) -> None:
    assert text_of(piece) == text


def test_text_of_something_else() -> None:
    with pytest.raises(TypeError):
        text_of(5)


def test_closing_the_stream_closes_the_models() -> None:
    closed: list[bool] = []

    def pieces(given: Iterator[Any]) -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            closed.append(True)

    from langchain_core.runnables import RunnableGenerator

    stream = LangChainModel(RunnableGenerator(pieces)).stream(SENT)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_importing_the_door_does_not_import_langchain() -> None:
    code = (
        "import sys, empathic_sdk.integrations.langchain, empathic_sdk.llm.adapters, "
        "empathic_sdk.responders; print([m for m in sys.modules if m.startswith('langchain')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
