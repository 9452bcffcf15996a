"""The fakes that ship for users' tests do what they say, and fit where the real parts fit."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from empathic_sdk import (
    Emotion,
    EmotionAwareAgent,
    Modality,
    ProfileStore,
    Strategy,
    Turn,
    Utterance,
)
from empathic_sdk.errors import ConfigurationError, InputError, ModelError, StoreError
from empathic_sdk.options import LLMOptions
from empathic_sdk.testing import HANG, FakeRecognizer, MemoryStore, ScriptedModel, state, turn
from empathic_sdk.types import ChatMessage, LanguageModel, Mastery, Proposal
from empathic_sdk.types.protocols import DayStore, Recognizer, Store


def test_importing_them_is_light() -> None:
    code = "import sys, empathic_sdk.testing; print([m for m in ('torch', 'transformers', 'pytest') if m in sys.modules])"  # noqa: E501
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- values ---------------------------------------------------------------------------------


def test_a_state_from_its_label() -> None:
    sad = state("sadness")
    assert sad.label is Emotion.SADNESS and sad.valence < 0 < state("joy").valence
    assert sad.probabilities[Emotion.SADNESS] == sad.confidence == 0.8
    assert sum(sad.probabilities.values()) == pytest.approx(1.0)
    unsure = state("fear", confidence=0.3, uncertain=True, missing=(Modality.FACE,))
    assert unsure.uncertain and unsure.missing == ("face",)
    with pytest.raises(InputError, match="'envy' is no emotion"):
        state("envy")
    with pytest.raises(InputError, match="valence"):
        state("joy", valence=3)


def test_a_turn_from_its_reply() -> None:
    made = turn("Go on.", emotion="anger", strategy=Strategy.REFLECTION)
    assert (made.reply, made.emotion.label, made.user) == ("Go on.", "anger", "ada")
    assert made.strategy is Strategy.REFLECTION
    assert Turn.model_validate_json(made.model_dump_json()) == made
    assert turn(emotion=state("joy", arousal=0.5)).emotion.arousal == 0.5


# -- the recogniser -------------------------------------------------------------------------


def test_it_shows_what_is_said_of_words() -> None:
    fake = FakeRecognizer(
        {"exam": "sadness", "dog": state("joy", intensity=1.0)}, default="surprise"
    )
    assert isinstance(fake, Recognizer)
    found = fake.recognize_dialogue(["My EXAM!", "my dog came", Utterance("what?")])
    assert [s.label for s in found] == ["sadness", "joy", "surprise"]
    assert found[1].intensity == 1.0
    assert [u.text for u in fake.said] == ["My EXAM!", "my dog came", "what?"]


def test_it_shows_one_after_the_other_in_each_dialogue() -> None:
    fake = FakeRecognizer(["joy", "anger"])
    first, second = fake.session(), fake.session()
    assert [first.add(t).label for t in ("a", "b", "c")] == ["joy", "anger", "anger"]
    assert second.add("a").label == "joy" == fake.recognize("b").label
    third = fake.session()
    third.restore(second.state())
    assert third.add("b").label == "anger"
    for broken in (b"", b"{}", b'{"fake": -1}', b"[]"):
        with pytest.raises(InputError, match="not the state of a fake session"):
            third.restore(broken)


@pytest.mark.parametrize(
    ("script", "words"),
    [("joy", "mapping or a sequence"), ([], "something in it"), (["envy"], "envy")],
)
def test_a_script_that_says_nothing_is_refused(script: object, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        FakeRecognizer(script)  # type: ignore[arg-type]


def test_an_agent_with_it_goes_on_after_a_restart() -> None:
    store = MemoryStore()
    for place, label in enumerate(("joy", "anger", "fear")):
        with EmotionAwareAgent(
            recognizer=FakeRecognizer(["joy", "anger", "fear"]), store=store
        ) as agent:
            found = agent.respond("hello there", user="ada", conversation="main")
            assert found.emotion.label == label, place
    assert [t.emotion.label for t in store.recorded] == ["joy", "anger", "fear"]


# -- the language model ---------------------------------------------------------------------

ASKED = (ChatMessage("user", "I failed."),)


def test_it_says_its_script_and_keeps_what_it_was_sent() -> None:
    model = ScriptedModel("One two.", lambda messages: messages[-1].text.upper(), name="mine")
    assert isinstance(model, LanguageModel) and model.name == "mine"
    assert list(model.stream(ASKED)) == ["One", " two."]
    assert ["".join(model.stream(ASKED)) for _ in range(2)] == ["I FAILED.", "I FAILED."]
    assert model.sent == [ASKED] * 3


def test_it_fails_and_hangs_when_told_to() -> None:
    model = ScriptedModel(ModelError("no memory"), HANG, patience_s=0.05)
    with pytest.raises(ModelError, match="no memory"):
        list(model.stream(ASKED))
    began = time.perf_counter()
    assert list(model.stream(ASKED)) == []
    assert time.perf_counter() - began >= 0.05
    endless = ScriptedModel(HANG)
    endless.release()
    assert list(endless.stream(ASKED)) == []
    for script in ((), (7,)):
        with pytest.raises(ConfigurationError):
            ScriptedModel(*script)


def test_an_agent_answers_with_it_and_without_it() -> None:
    model = ScriptedModel("That was a hard day for you.", ModelError("gone"), HANG)
    quick = LLMOptions(timeout_s=0.3)
    with EmotionAwareAgent(
        model, recognizer=FakeRecognizer(["sadness"]), store=MemoryStore(), llm_options=quick
    ) as agent:
        said = [agent.respond("I failed my exam.", user="ada") for _ in range(3)]
        assert said[0].reply == "That was a hard day for you." and said[0].responder == "scripted"
        assert [bool(t.fallbacks) for t in said] == [False, True, True]
        assert said[1].responder == said[2].responder == "embedded"
        model.release()
    assert any("I failed my exam." in m.text for m in model.sent[0] if m.role == "user")


# -- the store ------------------------------------------------------------------------------


@pytest.fixture(params=[lambda: ProfileStore(None), MemoryStore], ids=["real", "fake"])
def store(request: pytest.FixtureRequest) -> Iterator[ProfileStore]:
    make: Callable[[], ProfileStore] = request.param
    with make() as made:
        yield made


def test_what_any_store_does(store: ProfileStore) -> None:
    assert isinstance(store, Store) and isinstance(store, DayStore)
    assert store.get("ada").turns == 0 and store.session("ada", "main") is None
    first = turn("One.", emotion="sadness", id="t1")
    store.record(first, text="hi", session=b"{}", mastery={"fractions.1": Mastery(known=0.5)})
    store.record(first)
    store.record(turn("Two.", id="t2", conversation="other"), text="hi", keep_text=True)
    ada = store.get("ada")
    assert (ada.turns, ada.conversations) == (2, 2) and ada.mastery["fractions.1"].known == 0.5
    assert store.session("ada", "main") == b"{}"
    rows = store.turns("ada")
    assert [(r["id"], r["text"]) for r in rows] == [("t1", None), ("t2", "hi")]
    assert [r["id"] for r in store.turns("ada", conversation="other")] == ["t2"]
    store.feedback("t1", user="ada", emotion="fear", rating=-1)
    store.adopt("ada", [Proposal(kind="preference", name="tone", value="blunt")])
    assert store.get("ada").preferences == {"tone": "blunt"}
    assert store.days("ada")[-1].turns == 2 and store.days("ada", before=date(2000, 1, 1)) == []
    forgotten: list[str] = []
    stop = store.on_erase(forgotten.append)
    since = store.get("ada").since
    store.erase("ada")
    assert set(forgotten) == {"ada"} and store.get("ada").turns == 0
    stop()
    store.record(turn("Three.", id="t3"), since=since)  # begun before the erasure
    assert store.turns("ada") == [] and store.users() == []


def test_it_remembers_what_it_was_given() -> None:
    with MemoryStore() as store:
        first, other = turn(id="t1"), turn(id="t2", user="bob")
        for one in (first, first, other):
            store.record(one)
        assert store.recorded == [first, other]
        since = store.get("ada").since
        store.erase("ada")
        store.record(turn(id="t3"), since=since)
        assert store.recorded == [other]


def test_it_fails_when_told_to() -> None:
    with (
        MemoryStore() as store,
        EmotionAwareAgent(recognizer=FakeRecognizer(), store=store) as agent,
    ):
        store.fail = StoreError("the disk is full")
        with pytest.raises(StoreError, match="disk is full"):
            agent.respond("hello", user="ada")
        store.fail = None
        assert agent.respond("hello", user="ada").reply
        assert len(store.recorded) == 1
