from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import (
    Alert,
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    HookContext,
    Pacing,
    ProfileStore,
    SafetyLevel,
    SentenceEvent,
    StateEvent,
    Tone,
    Turn,
    TurnEvent,
)
from empathic_sdk.errors import (
    ClosedError,
    ConfigurationError,
    EmptyUtteranceError,
    InputError,
    ReentrancyError,
    StoreError,
    UnknownTurnError,
)
from empathic_sdk.options import LLMOptions, ReplyOptions, Retention

FAST = Pacing(delay_s=0.0, words_per_minute=2000, max_sentences=3)


def test_one_turn(agent: EmotionAwareAgent) -> None:
    turn = agent.respond("I failed the exam again.", user="ada")
    assert turn.emotion.label == "sadness"
    assert turn.reply.strip()
    assert turn.responder == "embedded"
    assert turn.fallbacks == ()
    assert turn.safety.level is SafetyLevel.NONE
    assert turn.user == "ada"
    assert {"recognize", "safety", "hooks", "respond", "record", "total"} == set(turn.timings)
    assert Turn.model_validate_json(turn.model_dump_json()) == turn


def test_a_talk_has_a_past_and_others_do_not_share_it(agent: EmotionAwareAgent) -> None:
    agent.respond("I am so happy today!", user="ada")
    second = agent.respond("And then everything went wrong, I feel awful.", user="ada")
    stranger = agent.respond("And then everything went wrong, I feel awful.", user="bob")
    assert second.emotion.shift is not None and second.emotion.shift > 0.5
    assert stranger.emotion.shift is None
    other_talk = agent.respond("Hello again", user="ada", conversation="another")
    assert other_talk.emotion.shift is None
    assert agent.profiles.get("ada").turns == 3
    assert agent.profiles.get("ada").conversations == 2


def test_it_remembers_across_agents(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as one:
        one.respond("I am so happy today!", user="ada", conversation="c")
    with EmotionAwareAgent(recognizer=recognizer, profiles=path) as two:
        turn = two.respond("I feel awful and I can't stop crying.", user="ada", conversation="c")
        assert turn.emotion.shift is not None and turn.emotion.shift > 0.5
        assert two.profiles.get("ada").turns == 2


def test_conversations_leave_memory_and_come_back(recognizer: EmotionRecognizer) -> None:
    few = Retention(live=5)
    with EmotionAwareAgent(recognizer=recognizer, retention=few) as agent:
        for i in range(12):
            agent.respond("I am so happy today!", user=f"user {i}", conversation="c")
        live = [agent.transfers(user=f"user {i}", conversation="c") for i in range(12)]
        assert sum(found is not None for found in live) <= 5
        turn = agent.respond("I feel awful, I can't stop crying.", user="user 0", conversation="c")
        assert turn.emotion.shift is not None


def test_replies_never_repeat_a_sentence_twice_running(recognizer: EmotionRecognizer) -> None:
    agent = EmotionAwareAgent(recognizer=recognizer, pacing=lambda _: FAST)
    before: set[str] = set()
    for text in ["I feel so lonely."] * 8:
        said = {e.text for e in agent.stream(text, user="ada") if isinstance(e, SentenceEvent)}
        assert said and not before & said
        before = said
    agent.close()


def test_words_are_not_kept_unless_asked(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    for keep in (False, True):
        path = tmp_path / f"{keep}.db"
        with EmotionAwareAgent(
            recognizer=recognizer, profiles=path, retention=Retention(keep_text=keep)
        ) as agent:
            turn = agent.respond("My xylophone broke and I am sad.", user="ada")
            exported = str(agent.profiles.export("ada"))
            assert ("xylophone" in exported) is keep
            assert (turn.reply in exported) is keep
        bytes_on_disk = b"".join(p.read_bytes() for p in tmp_path.glob(f"{keep}.db*"))
        assert (b"xylophone" in bytes_on_disk) is keep


def test_own_hooks_in_their_order(recognizer: EmotionRecognizer) -> None:
    called: list[str] = []

    def tone(context: HookContext) -> Tone:
        called.append("tone")
        return Tone(name="mine", warmth=1, energy=0, formality=0, instructions="be mine")

    async def pacing(context: HookContext) -> Pacing:
        called.append("pacing")
        await asyncio.sleep(0)
        return FAST

    def theme(context: HookContext) -> Any:
        called.append("theme")
        raise RuntimeError("no paint left")

    with EmotionAwareAgent(recognizer=recognizer, tone=tone, pacing=pacing, theme=theme) as agent:
        turn = agent.respond("hello there")
        assert called == ["tone", "pacing", "theme"]
        assert turn.style.tone.name == "mine"
        assert turn.style.pacing == FAST
        assert turn.style.theme.name  # the default stepped in
        assert turn.fallbacks == ("hook:theme:RuntimeError",)


def test_a_coroutine_hook_runs_on_the_callers_loop(recognizer: EmotionRecognizer) -> None:
    seen: list[Any] = []

    async def pacing(context: HookContext) -> Pacing:
        seen.append(asyncio.get_running_loop())
        return FAST

    async def main() -> Turn:
        async with EmotionAwareAgent(recognizer=recognizer, pacing=pacing) as agent:
            turn = await agent.arespond("hello there")
            assert seen == [asyncio.get_running_loop()]
            return turn

    assert asyncio.run(main()).style.pacing == FAST


def test_stream_gives_state_sentences_turn(recognizer: EmotionRecognizer) -> None:
    with EmotionAwareAgent(recognizer=recognizer, pacing=lambda _: FAST) as agent:
        events = list(agent.stream("I failed the exam again."))
        assert isinstance(events[0], StateEvent)
        assert isinstance(events[-1], TurnEvent)
        sentences = [e.text for e in events[1:-1] if isinstance(e, SentenceEvent)]
        assert len(sentences) == len(events) - 2 >= 1
        assert " ".join(sentences) == events[-1].turn.reply

        async def collect() -> list[Any]:
            return [e async for e in agent.astream("And again!")]

        assert next(e.kind for e in asyncio.run(collect())) == "state"


def test_stream_paces_and_respond_does_not(recognizer: EmotionRecognizer) -> None:
    slow = Pacing(delay_s=0.4, words_per_minute=2000, max_sentences=1)
    with EmotionAwareAgent(recognizer=recognizer, pacing=lambda _: slow) as agent:
        agent.respond("warm up")
        start = time.perf_counter()
        arrived = {e.kind: time.perf_counter() - start for e in agent.stream("hello there")}
        assert arrived["sentence"] - arrived["state"] >= 0.39
        assert agent.respond("hello again").timings["total"] < 400


def test_feedback(agent: EmotionAwareAgent) -> None:
    turn = agent.respond("I'm fine.", user="ada")
    agent.feedback(turn.id, user="ada", emotion="sadness", rating=1)
    asyncio.run(agent.afeedback(turn.id, user="ada", rating=-1))
    with pytest.raises(UnknownTurnError, match=r"no turn|has no"):
        agent.feedback(turn.id, user="bob", emotion="joy")
    with pytest.raises(InputError):
        agent.feedback(turn.id, user="ada")
    with pytest.raises(InputError):
        agent.feedback(turn.id, user="ada", emotion="hangry")


def test_erasing_forgets_the_live_talk_too(agent: EmotionAwareAgent) -> None:
    agent.respond("I am so happy today!", user="ada", conversation="c")
    agent.profiles.erase("ada")
    assert agent.profiles.users() == []
    turn = agent.respond("I feel awful, I can't stop crying.", user="ada", conversation="c")
    assert turn.emotion.shift is None
    assert agent.profiles.get("ada").turns == 1


def test_a_turn_that_cannot_be_recorded_leaves_no_trace(
    agent: EmotionAwareAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.respond("I am so happy today!", user="ada", conversation="c")
    with monkeypatch.context() as broken:

        def fail(*_: Any, **__: Any) -> None:
            raise StoreError("the disk is full")

        broken.setattr(agent.profiles, "record", fail)
        with pytest.raises(StoreError, match="disk is full"):
            agent.respond("I am terrified!", user="ada", conversation="c")
    turn = agent.respond("We won, hooray!", user="ada", conversation="c")
    assert agent.profiles.get("ada").turns == 2
    assert turn.emotion.shift is not None and turn.emotion.shift < 0.6  # joy to joy


def test_thirty_two_people_at_once(agent: EmotionAwareAgent) -> None:
    def talk(i: int) -> list[Turn]:
        return [agent.respond(f"message {k} of person {i}", user=f"u{i}") for k in range(4)]

    with ThreadPoolExecutor(32) as pool:
        turns = list(pool.map(talk, range(32)))
    assert len({t.id for row in turns for t in row}) == 128
    for i, row in enumerate(turns):
        assert {t.user for t in row} == {f"u{i}"}
        assert len({t.conversation for t in row}) == 1
        assert row[0].emotion.shift is None
        assert all(t.emotion.shift is not None for t in row[1:])
        assert agent.profiles.get(f"u{i}").turns == 4


def test_many_turns_of_one_talk_at_once_follow_each_other(agent: EmotionAwareAgent) -> None:
    async def main() -> list[Turn]:
        calls = [agent.arespond(f"line {i}", user="ada", conversation="c") for i in range(60)]
        return await asyncio.gather(*calls)

    turns = asyncio.run(main())
    assert len({t.id for t in turns}) == 60
    assert sum(t.emotion.shift is None for t in turns) == 1
    assert agent.profiles.get("ada").turns == 60


def test_a_cancelled_turn_is_whole_or_not_there(recognizer: EmotionRecognizer) -> None:
    async def slow(context: HookContext) -> Pacing:
        await asyncio.sleep(0.05)
        return FAST

    async def main(agent: EmotionAwareAgent) -> None:
        for wait in (0.0, 0.02, 0.04, 0.06):
            task = asyncio.create_task(agent.arespond("hello there", user="ada", conversation="c"))
            await asyncio.sleep(wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.sleep(0.5)
        await agent.arespond("still there?", user="ada", conversation="c")

    with EmotionAwareAgent(recognizer=recognizer, pacing=slow) as agent:
        asyncio.run(main(agent))
        rows = agent.profiles.turns("ada")
        assert agent.profiles.get("ada").turns == len(rows)
        assert 1 <= len(rows) <= 5


def test_alerts(recognizer: EmotionRecognizer) -> None:
    heard: list[Alert] = []

    def alarm(alert: Alert) -> None:
        heard.append(alert)
        raise RuntimeError("the pager is broken")

    with EmotionAwareAgent(recognizer=recognizer, on_alert=alarm) as agent:
        agent.respond("The weather is nice.")
        assert heard == []
        turn = agent.respond("I want to kill myself.")
        assert turn.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
        assert turn.safety.help_lines
        (alert,) = heard
        assert (alert.kind, alert.level) == ("safety", turn.safety.level)
        assert alert.reasons == turn.safety.reasons != ()
        assert (alert.at.second, alert.at.microsecond) == (0, 0)
        # It says that something is wrong, and nothing of whom, where or in which words.
        assert set(alert.model_dump()) == {"kind", "level", "at", "reasons"}
        told = alert.model_dump_json()
        for word in (turn.id, turn.conversation, "default", "kill", turn.reply[:20]):
            assert word not in told


@pytest.mark.parametrize("nothing", ["", " \n ", "\x00"])
def test_nothing_said(agent: EmotionAwareAgent, nothing: str) -> None:
    with pytest.raises(EmptyUtteranceError):
        agent.respond(nothing, user="ada")
    assert agent.profiles.users() == []


@pytest.mark.parametrize("text", ["a" * 100_000, "😭" * 50, "שלום, אני עצוב", "x\x00y\x07z"])
def test_strange_texts_get_an_answer(agent: EmotionAwareAgent, text: str) -> None:
    turn = agent.respond(text, user="ada")
    assert turn.reply
    assert len(turn.reply) < 2000
    assert "\x00" not in turn.reply and "\x07" not in turn.reply


def test_bad_arguments(recognizer: EmotionRecognizer, agent: EmotionAwareAgent) -> None:
    with pytest.raises(ConfigurationError, match="scenario must be one of"):
        EmotionAwareAgent(recognizer=recognizer, scenario="sales")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="tone= must be a callable"):
        EmotionAwareAgent(recognizer=recognizer, tone="gentle")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="on_alert= must be a callable"):
        EmotionAwareAgent(recognizer=recognizer, on_alert="pager")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="deployment= must be a Deployment"):
        EmotionAwareAgent(recognizer=recognizer, deployment="personal")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="already has a deployment"):
        EmotionAwareAgent(recognizer=recognizer, deployment=Deployment(context="personal"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="recognizer= must be"):
        EmotionAwareAgent(recognizer="x")  # type: ignore[arg-type]
    for wrong in (5, "", "a\0b.db", " "):
        with pytest.raises(ConfigurationError, match=r"profiles= must be|must name a file"):
            EmotionAwareAgent(recognizer=recognizer, profiles=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="language: String should match"):
        ReplyOptions(language="")
    for model in (5, "", object(), dict):
        with pytest.raises(ConfigurationError, match="llm= must"):
            EmotionAwareAgent(model, recognizer=recognizer)
    with pytest.raises(ConfigurationError, match="history: Input should be greater"):
        LLMOptions(history=-1)
    with pytest.raises(InputError):
        agent.respond("hello", user="")
    with pytest.raises(InputError):
        agent.respond("hello", conversation=" ")
    with pytest.raises(InputError):
        agent.respond(None)  # type: ignore[arg-type]


def test_a_closed_agent_says_so(recognizer: EmotionRecognizer) -> None:
    agent = EmotionAwareAgent(recognizer=recognizer)
    agent.close()
    agent.close()
    with pytest.raises(ClosedError, match="this agent is closed"):
        agent.respond("hello")
    with pytest.raises(ClosedError, match="this agent is closed"):
        asyncio.run(agent.arespond("hello"))
    with pytest.raises(ClosedError, match="this agent is closed"):
        agent.accept("t", user="ada")


def test_a_store_of_yours_stays_open(recognizer: EmotionRecognizer) -> None:
    with ProfileStore() as store:
        with EmotionAwareAgent(recognizer=recognizer, profiles=store) as agent:
            agent.respond("hello", user="ada")
        assert store.users() == ["ada"]


def test_notice(agent: EmotionAwareAgent) -> None:
    text = agent.notice()
    assert "AI" in text
    assert "estimates" in text


def test_as_runnable(agent: EmotionAwareAgent) -> None:
    pytest.importorskip("langchain_core")
    runnable = agent.as_runnable()
    assert runnable.invoke("hello").user != "default"  # each call is a person of its own
    turn = asyncio.run(runnable.ainvoke({"input": "hello", "user": "ada", "conversation": "c"}))
    assert (turn.user, turn.conversation) == ("ada", "c")
    with pytest.raises(InputError, match="has the key 'input'"):
        runnable.invoke({"text": "hello"})


def test_no_thread_is_left_behind(recognizer: EmotionRecognizer) -> None:
    recognizer.recognize("warm up")
    before = threading.active_count()
    for _ in range(3):
        with EmotionAwareAgent(recognizer=recognizer) as agent:
            asyncio.run(agent.arespond("hello"))
    gc.collect()
    assert threading.active_count() <= before


def test_an_alarm_may_be_a_coroutine(recognizer: EmotionRecognizer) -> None:
    loops: list[Any] = []

    async def alarm(alert: Alert) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    async def main(agent: EmotionAwareAgent) -> None:
        await agent.arespond("I want to kill myself.")
        assert loops[-1] is asyncio.get_running_loop()

    with EmotionAwareAgent(recognizer=recognizer, on_alert=alarm) as agent:
        agent.respond("I want to kill myself.")
        assert len(loops) == 1
        asyncio.run(main(agent))
        assert len(loops) == 2


def test_closing_waits_for_turns_under_way(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    started = threading.Event()

    def slow(context: HookContext) -> Pacing:
        started.set()
        time.sleep(0.3)
        return FAST

    agent = EmotionAwareAgent(recognizer=recognizer, profiles=tmp_path / "p.db", pacing=slow)
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(agent.respond, "hello there", user="ada")
        assert started.wait(10)
        agent.close()
        assert turn.result().user == "ada"
    with ProfileStore(tmp_path / "p.db") as store:
        assert store.get("ada").turns == 1
    with pytest.raises(ClosedError, match="closed"):
        asyncio.run(agent.arespond("hello"))


def test_the_notice_says_when_words_are_kept(recognizer: EmotionRecognizer) -> None:
    with EmotionAwareAgent(recognizer=recognizer, retention=Retention(keep_text=True)) as agent:
        assert "the words you type" in agent.notice()
        assert "not the words you type" not in agent.notice()


CRISIS = "I want to kill myself."


def test_a_crisis_stays_in_mind(agent: EmotionAwareAgent) -> None:
    agent.respond(CRISIS, user="ada")
    assert agent.respond("ok", user="ada").safety.level is not SafetyLevel.NONE
    assert agent.respond("ok", user="bob").safety.level is SafetyLevel.NONE


@pytest.mark.parametrize("conversation", ["c", None])
def test_a_crisis_stays_in_mind_after_a_restart(
    recognizer: EmotionRecognizer, tmp_path: Path, conversation: str | None
) -> None:
    for text in (CRISIS, "yes"):
        with EmotionAwareAgent(recognizer=recognizer, profiles=tmp_path / "p.db") as agent:
            turn = agent.respond(text, user="ada", conversation=conversation)
            assert turn.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT), text


def test_two_agents_on_one_store_follow_each_other(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "p.db"
    with (
        EmotionAwareAgent(recognizer=recognizer, profiles=path) as one,
        EmotionAwareAgent(recognizer=recognizer, profiles=path) as other,
    ):
        one.respond("Hello there", user="ada", conversation="c")
        other.respond(CRISIS, user="ada", conversation="c")
        turn = one.respond("yes", user="ada", conversation="c")
        assert turn.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
        with ProfileStore(path) as store:
            store.erase("ada")
        fresh = one.respond("I am sad and lonely.", user="ada", conversation="c")
        assert fresh.emotion.shift is None
        assert one.profiles.get("ada").turns == 1


def test_a_user_without_a_name_gets_a_new_conversation_after_a_silence(
    recognizer: EmotionRecognizer,
) -> None:
    with EmotionAwareAgent(recognizer=recognizer, retention=Retention(idle_s=1.0)) as agent:
        first = agent.respond("I am so happy!", user="ada")
        assert agent.respond("I am so happy!", user="ada").conversation == first.conversation
        time.sleep(1.05)
        later = agent.respond("I am so happy!", user="ada")
        assert later.conversation != first.conversation
        assert later.emotion.shift is None


def test_what_hooks_do_to_their_context_stays_with_them(recognizer: EmotionRecognizer) -> None:
    def vandal(context: HookContext) -> Pacing:
        for state in (context.state, *context.history):
            state.probabilities.clear()
        return FAST

    with EmotionAwareAgent(recognizer=recognizer, pacing=vandal) as agent:
        for _ in range(3):
            turn = agent.respond("I am so happy!")
            assert turn.fallbacks == ()
            assert len(turn.emotion.probabilities) == 7


def test_a_hook_that_hangs_is_left_behind(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["empathic_sdk.style.calls"], "HOOK_TIMEOUT_S", 0.1)

    async def hangs(context: HookContext) -> Pacing:
        await asyncio.sleep(3600)
        return FAST

    with EmotionAwareAgent(recognizer=recognizer, pacing=hangs) as agent:
        assert agent.respond("hello").fallbacks == ("hook:pacing:TimeoutError",)
        turn = asyncio.run(agent.arespond("hello"))
        assert turn.fallbacks == ("hook:pacing:TimeoutError",)


def test_cancelling_a_call_lets_go_of_its_hook(recognizer: EmotionRecognizer) -> None:
    async def hangs(context: HookContext) -> Pacing:
        await asyncio.sleep(3600)
        return FAST

    async def main() -> None:
        async with EmotionAwareAgent(recognizer=recognizer, pacing=hangs) as agent:
            for _ in range(40):  # more than there are workers
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(agent.arespond("hello", user="ada"), 0.05)

    start = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - start < 9


def test_a_hook_that_a_cancelled_call_comes_to_late_is_not_waited_for(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    perceive = recognizer.perceive

    def slowly(*args: Any) -> Any:  # so that the call is gone before its hook begins
        time.sleep(0.15)
        return perceive(*args)

    monkeypatch.setattr(recognizer, "perceive", slowly)

    async def hangs(context: HookContext) -> Pacing:
        await asyncio.sleep(3600)
        return FAST

    async def main() -> None:
        async with EmotionAwareAgent(recognizer=recognizer, pacing=hangs) as agent:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(agent.arespond("hello", user="ada"), 0.05)

    start = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - start < 9  # a hook may take ten seconds


def test_what_would_wait_for_itself_is_refused(recognizer: EmotionRecognizer) -> None:
    said: list[str] = []

    def meddle(context: HookContext) -> Pacing:
        for call in (
            lambda: agent.respond("again", user="ada", conversation="c"),
            lambda: agent.profiles.erase("ada"),
            agent.close,
        ):
            try:
                call()
            except ReentrancyError as error:
                said.append(str(error))
        return FAST

    with EmotionAwareAgent(recognizer=recognizer, pacing=meddle) as agent:
        assert agent.respond("hello", user="ada", conversation="c").fallbacks == ()
        assert agent.respond("hello", user="ada", conversation="c").emotion.shift is not None
    assert [s.split()[0:2] for s in said] == [["a", "hook"]] * 6


def test_a_speakers_name_is_not_kept(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    from empathic_sdk import Utterance

    with EmotionAwareAgent(recognizer=recognizer, profiles=tmp_path / "p.db") as agent:
        agent.respond(Utterance("hello", speaker="Xanthippe"), user="ada")
        assert "Xanthippe" not in str(agent.profiles.export("ada"))


def test_which_turns_of_a_talk_differ(agent: EmotionAwareAgent) -> None:
    assert agent.transfers(user="ada", conversation="c") is None
    agent.respond("I failed the exam again, I am so sad.", user="ada", conversation="c")
    agent.respond("My sister came and we laughed for hours!", user="ada", conversation="c")
    agent.respond("We laughed so much, I am so happy!", user="ada", conversation="c")
    found = agent.transfers(user="ada", conversation="c")
    assert found is not None and found.speakers == ("user", "agent", "user", "agent", "user")
    assert found.changed[2, 0] > 0.5 > found.changed[4, 2]
    assert agent.transfers(user="bob", conversation="c") is None
    agent.profiles.erase("ada")
    assert agent.transfers(user="ada", conversation="c") is None
