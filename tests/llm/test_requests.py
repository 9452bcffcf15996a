"""What a language model is sent: the product's prompt first, the state last, all by its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, takewhile
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Pacing
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.llm.adapters import language_model
from empathic_sdk.llm.late import folded
from empathic_sdk.llm.sizes import parameters_in, prompt_for
from empathic_sdk.options import LLMOptions
from empathic_sdk.types import ChatMessage

PRODUCT = "You are Mira, who helps the customers of a bicycle shop. {braces} stay."
FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)
TURNS = ("I won the race!", "My bicycle was stolen.", "I am so angry.", "It was a gift.", "Thanks.")


class Model:
    """Answers the same to everything, and keeps what it was sent."""

    def __init__(self, name: str = "fake:model", **more: Any) -> None:
        self.name = name
        self.asked: list[list[ChatMessage]] = []
        for key, value in more.items():
            setattr(self, key, value)

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        self.asked.append(list(messages))
        yield "That sounds like a lot. What happened then?"


@pytest.fixture
def made(recognizer: EmotionRecognizer) -> Iterator[Callable[..., EmotionAwareAgent]]:
    agents: list[EmotionAwareAgent] = []

    def make(model: Any, **options: Any) -> EmotionAwareAgent:
        given = {"llm_options": LLMOptions(**options)} if options else {}
        agents.append(
            EmotionAwareAgent(model, recognizer=recognizer, pacing=lambda _: FAST, **given)
        )
        return agents[-1]

    yield make
    for agent in agents:
        agent.close()


def written(messages: list[ChatMessage]) -> str:
    return "".join(f"<{m.role}>{m.text}" for m in messages)


def shared(one: list[ChatMessage], two: list[ChatMessage]) -> str:
    return prefix(written(one), written(two))


def prefix(one: str, two: str) -> str:
    """The characters with which both begin."""
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two)))  # noqa: B905


def test_a_request_begins_like_the_one_before(made: Callable[..., EmotionAwareAgent]) -> None:
    model = Model()
    agent = made(model, system=PRODUCT)
    for text in TURNS:
        agent.respond(text, user="ada")
    for number, (one, two) in enumerate(pairwise(model.asked)):
        same = shared(one, two)
        assert same.startswith(f"<system>{PRODUCT}\nYou are an AI")
        for policy in ("never an instruction", "Never diagnose", "no lists, no headings"):
            assert policy in same
        for text in TURNS[:number]:  # all that was said before the first of the two
            assert f"<user>{text}<assistant>That sounds" in same
        assert "was read as" not in same  # the state of each turn comes after that
        assert [m.role for m in two[-2:]] == ["system", "user"]
        assert "was read as" in two[-2].text or "could not be read" in two[-2].text
        assert "at most 3 sentences" in two[-2].text


def test_a_long_conversation_mostly_begins_alike(made: Callable[..., EmotionAwareAgent]) -> None:
    model = Model()
    agent = made(model, history=8)
    for number in range(24):
        agent.respond(f"This is thing number {number}.", user="ada")
    kept = [sum(m.role == "user" for m in asked) - 1 for asked in model.asked]
    assert max(kept) == 8 and min(kept[8:]) >= 5
    hits = sum("<assistant>" in shared(one, two) for one, two in pairwise(model.asked))
    assert hits >= 17  # of 23: not where the oldest turns go, nor at the first two
    newest = [[m.text for m in asked if m.role == "user"][-2] for asked in model.asked[1:]]
    assert newest == [f"This is thing number {n}." for n in range(23)]


def test_the_products_prompt_takes_the_roles_place(
    made: Callable[..., EmotionAwareAgent],
) -> None:
    model = Model()
    made(model, system=PRODUCT).respond("hello", user="ada")
    made(model).respond("hello", user="ada")
    own, shipped = (asked[0].text for asked in model.asked)
    assert own.startswith(PRODUCT) and "supportive talk" not in own
    assert "You are the voice" in shipped and "supportive talk" in shipped
    assert own[own.index("You are an AI") :].split("\n\n")[1:] == shipped.split("\n\n")[2:]


def test_options_for_a_model_that_is_not_there(recognizer: EmotionRecognizer) -> None:
    for options in ({"system": PRODUCT}, {"tools": [len]}, {"prompt": "short"}):
        with pytest.raises(ConfigurationError, match="there is no llm="):
            EmotionAwareAgent(recognizer=recognizer, llm_options=LLMOptions(**options))
    for wrong in ({"prompt": "long"}, {"system": None}, {"tool_rounds": 0}, {"tools": "x"}):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            LLMOptions(**wrong)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ollama:smollm2:135m", 135e6),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", 135e6),
        ("huggingface:Qwen/Qwen2.5-0.5B-Instruct", 0.5e9),
        ("llama3.2:1b", 1e9),
        ("llama-3.1-8b-instant", 8e9),
        ("openai:gpt-4o-mini", None),
        ("claude-3-5-haiku-latest", None),
        ("model-4bit", None),
        ("gemma-3-270m-it", 270e6),
        ("5mb", None),
    ],
)
def test_the_size_that_a_name_gives(name: str, parameters: float | None) -> None:
    assert parameters_in(name) == parameters
    small = parameters is not None and parameters < 1.5e9
    assert prompt_for(Model(name)) == ("short" if small else "full")


def test_a_small_model_is_told_little(made: Callable[..., EmotionAwareAgent]) -> None:
    for model, options in (
        (Model("smollm2:135m"), {}),
        (Model(parameters=3e8), {}),
        (Model(context_tokens=2048), {}),
        (Model(), {"prompt": "short"}),
    ):
        agent = made(model, **options)
        agent.respond("I won the race!", user="ada")
        agent.respond("And a cup.", user="ada")
        one, two = model.asked
        assert [m.role for m in two] == ["system", "user", "assistant", "user"]
        assert one[0] == two[0] and len(one[0].text) < 200
        assert "at most 3 short sentences" in one[0].text and "an AI" in one[0].text
        assert "read as" not in one[0].text
    for model, options in ((Model(), {}), (Model("smollm2:135m"), {"prompt": "full"})):
        made(model, **options).respond("I won the race!", user="ada")
        assert "Never diagnose" in model.asked[0][0].text
    own = Model("smollm2:135m")
    made(own, system=PRODUCT).respond("hello", user="ada")
    assert own.asked[0][0].text.startswith(f"{PRODUCT}\nAnswer what")


def test_a_request_fits_into_a_narrow_context(made: Callable[..., EmotionAwareAgent]) -> None:
    model = Model(context_tokens=1000)
    agent = made(model)
    for number in range(6):
        agent.respond(f"{number} " + "Then we went on for a while. " * 15, user="ada")
    for asked in model.asked:
        assert sum(len(m.text) for m in asked) <= (1000 - 400) * 3
    assert [m.role for m in model.asked[-1]][-3:] == ["user", "assistant", "user"]


class TestASystemMessageThatComesLate:
    """Some models take one at the beginning alone."""

    @pytest.fixture
    def strict(self) -> Any:
        pytest.importorskip("langchain_core")
        from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

        class Strict(GenericFakeChatModel):
            asked: list[list[str]] = []  # noqa: RUF012
            kind: str = "generic"

            @property
            def _llm_type(self) -> str:
                return self.kind

            def _generate(self, messages: Any, *given: Any, **kwargs: Any) -> Any:
                roles = [m.type for m in messages]
                self.asked.append(roles)
                if "system" in roles[1:]:
                    raise ValueError("System message must be at the beginning.")
                return super()._generate(messages, *given, **kwargs)

        return lambda **kinds: Strict(
            messages=iter(["That sounds like a lot."] * 9), asked=[], **kinds
        )

    def test_it_is_found_out_once(
        self, strict: Any, made: Callable[..., EmotionAwareAgent]
    ) -> None:
        model = strict()
        agent = made(model)
        for text in TURNS[:4]:
            assert agent.respond(text, user="ada").fallbacks == ()
        late = ["system" in roles[1:] for roles in model.asked]
        assert late == [False, True, False, False, False]

    def test_it_is_known_of_some(self, strict: Any, made: Callable[..., EmotionAwareAgent]) -> None:
        model = strict(kind="anthropic-chat")
        agent = made(model)
        for text in TURNS:
            assert agent.respond(text, user="ada").fallbacks == ()
        assert not any("system" in roles[1:] for roles in model.asked)

    def test_other_errors_are_not_taken_for_it(
        self, made: Callable[..., EmotionAwareAgent]
    ) -> None:
        pytest.importorskip("langchain_core")
        from langchain_core.runnables import RunnableLambda

        calls: list[int] = []

        def answer(messages: Any) -> str:
            calls.append(len(messages))
            if len(calls) > 1:
                raise PermissionError
            return "That sounds like a lot."

        agent = made(RunnableLambda(answer))
        agent.respond(TURNS[0], user="ada")
        assert agent.respond(TURNS[1], user="ada").fallbacks == ("llm:PermissionError",)
        assert len(calls) == 2

    def test_folding(self) -> None:
        messages = [
            ChatMessage("system", "a"), ChatMessage("user", "b"), ChatMessage("system", "c"),
            ChatMessage("user", "d"),
        ]  # fmt: skip
        assert folded(messages) == [
            ChatMessage("system", "a\n\nc"), ChatMessage("user", "b"), ChatMessage("user", "d")
        ]  # fmt: skip


def test_the_middleware_puts_the_state_last(recognizer: EmotionRecognizer) -> None:
    agents = pytest.importorskip("langchain.agents")
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langgraph.checkpoint.memory import InMemorySaver

    from empathic_sdk.integrations.langchain import EmotionMiddleware

    told: list[str] = []

    class Listens(GenericFakeChatModel):
        def _generate(self, messages: Any, *given: Any, **kwargs: Any) -> Any:
            told.append(messages[0].text)
            return super()._generate(messages, *given, **kwargs)

    agent = agents.create_agent(
        Listens(messages=iter(["That sounds like a lot."] * 9)),
        system_prompt=PRODUCT,
        middleware=[EmotionMiddleware(recognizer=recognizer)],
        checkpointer=InMemorySaver(),
    )
    for text in TURNS[:3]:
        agent.invoke({"messages": [("human", text)]}, {"configurable": {"thread_id": "a"}})
    for one, two in pairwise(told):
        same = prefix(one, two)
        assert same.startswith(PRODUCT) and "Never diagnose" in same and "no lists" in same
        assert two.index("Their last message") > two.index("no lists")


def test_a_name_of_no_model_takes_no_tools() -> None:
    with pytest.raises(ConfigurationError, match="chat model of LangChain"):
        language_model(Model(), tools=[len])
