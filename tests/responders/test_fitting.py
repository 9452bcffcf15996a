"""Condolences to people who lost nobody, and regret at good news, are not let through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Pacing, SentenceEvent
from empathic_sdk.responders.fitting import misfit
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.types import ChatMessage, Emotion, Exchange
from empathic_sdk.types.reply import ReplyContext
from empathic_sdk.types.safety import Remark
from tests.replying import Talk, make_state

LOSS = "I'm so sorry for your loss."
GOOD = "That is wonderful. What was it like?"


def context_of(text: str, label: Emotion = Emotion.NEUTRAL, **kinds: Any) -> ReplyContext:
    made: ReplyContext = Talk().context(text, make_state(label, **kinds))
    return made


@pytest.mark.parametrize(
    "sentence",
    [
        LOSS, "I am sorry for your loss and pain.", "Sorry to hear about your recent loss.",
        "My deepest condolences.", "Please accept my condolences.", "I'm sorry about the loss.",
    ],
)  # fmt: skip
def test_condolences(sentence: str) -> None:
    for text in ("I had pancakes for breakfast.", "I got the job!", "I failed the exam again."):
        assert misfit(sentence, context_of(text)) == "condolence"
    for text in (
        "My cat died this morning.", "We lost Grandma.", "It was the funeral.", "She passed away.",
        "Mein Hund ist gestorben.", "Mi abuela murió ayer.", "He has been gone a year now.",
        "I had a miscarriage.", "We put our dog down.", "I miss her.",
    ):  # fmt: skip
        assert misfit(sentence, context_of(text)) == ""
    earlier = context_of("Thank you.").model_copy(update={"past": (Exchange("Dad died.", "Oh."),)})
    assert misfit(sentence, earlier) == ""
    earlier = context_of("Thank you.").model_copy(update={"before": (Remark(True, "Dad died."),)})
    assert misfit(sentence, earlier) == ""
    own = context_of("Thank you.").model_copy(update={"before": (Remark(False, "Sorry, loss"),)})
    assert misfit(sentence, own) == "condolence"  # the model's own words are no loss


@pytest.mark.parametrize(
    "sentence",
    [
        "That sounds heavy.", "You are at a loss for words.", "I'm sorry that it went like this.",
        "Losing is part of the game.", "I'm sorry to hear that.", "A loss of sleep can do that.",
    ],
)  # fmt: skip
def test_other_sentences_pass(sentence: str) -> None:
    assert misfit(sentence, context_of("I failed the exam again.", Emotion.SADNESS)) == ""


def test_regret_at_good_news() -> None:
    joy = context_of("I'm getting married!", Emotion.JOY, valence=0.8)
    for sentence in ("I'm so sorry to hear about your wedding.", "I am sorry to hear that."):
        assert misfit(sentence, joy) == "regret"
    assert misfit("I'm sorry if I misread that.", joy) == ""
    for other in (
        context_of("I'm getting married!", Emotion.JOY, valence=0.8, uncertain=True),
        context_of("I'm getting married!", Emotion.JOY, valence=0.1),
        context_of("I'm getting married, and Mum has died.", Emotion.JOY, valence=0.8),
        context_of("I failed.", Emotion.SADNESS),
    ):
        assert misfit("I'm so sorry to hear that.", other) == ""


def test_echoes() -> None:
    joy = context_of("I'm getting married in June!", Emotion.JOY)
    for sentence in ("I'm getting married in June!", "i'm getting married in june."):
        assert misfit(sentence, joy) == "echo"
    for sentence in (
        "You are getting married in June!",
        "In June!",
        "I'm getting married in June? Wow!",
    ):
        assert misfit(sentence, joy) == ""
    assert misfit("Good morning!", context_of("good morning")) == ""


class Model:
    name = "fake:model"

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.asked: list[list[ChatMessage]] = []

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        self.asked.append(list(messages))
        yield self.script.pop(0) if len(self.script) > 1 else self.script[0]


def answered(*script: str, text: str = "I had pancakes.") -> tuple[Any, Model]:
    model = Model(*script)
    return LLMResponder(model).reply(context_of(text)), model


def test_a_second_try_is_told_why() -> None:
    reply, model = answered(f"{LOSS} I am here.", GOOD)
    assert reply.text == GOOD
    assert (reply.responder, reply.fallbacks) == ("fake:model", ("llm:misfit:condolence",))
    first, second = model.asked
    assert "do not say that you are sorry for a loss" not in first[0].text
    assert second[0].text.startswith(first[0].text)
    assert "do not say that you are sorry for a loss" in second[0].text
    assert second[1:] == first[1:]


def test_each_kind_has_its_line() -> None:
    reply, model = answered("I had pancakes. What else?", GOOD)
    assert reply.text == GOOD and reply.fallbacks == ("llm:misfit:echo",)
    assert "Do not repeat their words" in model.asked[1][0].text
    made = LLMResponder(model := Model("I am so sorry to hear that.", GOOD))
    reply = made.reply(context_of("I'm getting married!", Emotion.JOY, valence=0.8))
    assert reply.text == GOOD and reply.fallbacks == ("llm:misfit:regret",)
    assert "be glad with them" in model.asked[1][0].text


def test_after_two_the_embedded_responder_answers() -> None:
    reply, model = answered(LOSS)
    assert len(model.asked) == 2 and LOSS not in reply.text
    assert (reply.responder, reply.fallbacks) == ("embedded", ("llm:misfit:condolence",))


def test_what_came_before_it_is_kept() -> None:
    reply, model = answered(f"Pancakes are nice. {LOSS} More.")
    assert reply.text == "Pancakes are nice." and len(model.asked) == 1
    assert reply.fallbacks == ("llm:misfit:condolence",)


def test_a_real_loss_is_answered() -> None:
    reply, model = answered(f"{LOSS} What was she like?", text="My grandmother died.")
    assert reply.text == f"{LOSS} What was she like?" and len(model.asked) == 1


def test_streams(recognizer: EmotionRecognizer) -> None:
    fast = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)
    model = Model(f"{LOSS} I am here.", GOOD)
    with EmotionAwareAgent(model, recognizer=recognizer, pacing=lambda _: fast) as agent:
        events = list(agent.stream("I had pancakes for breakfast.", user="ada"))
    assert [e.text for e in events if isinstance(e, SentenceEvent)] == [
        "That is wonderful.", "What was it like?"
    ]  # fmt: skip
