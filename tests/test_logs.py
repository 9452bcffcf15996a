"""No word of a person stands in any log, at any level, whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import (
    Deployment,
    EmotionAwareAgent,
    EmotionRecognizer,
    Modality,
    ProfileStore,
    TextEncoder,
    Utterance,
)
from empathic_sdk.errors import InputError, StoreError, outline
from empathic_sdk.options import Retention
from empathic_sdk.turn.stateless import StatelessTurns
from tests.profiles.direct import writing
from tests.recognition.test_modalities import SOUND, Fake, Words, encoder, weights  # noqa: F401

WORD = "Qsecretword-7731"
SAID = f"I failed {WORD} again and I am so afraid of it."
CRISIS = f"I want to kill myself because of {WORD}."
USER = "Qname-7732-ada"


class Log(logging.Handler):
    """Keeps every record of every logger as it would be written, traceback and all."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(levelname)s %(message)s").format(record))

    def ours(self) -> list[str]:
        return [line for line in self.lines if line.startswith("empathic_sdk")]


@pytest.fixture
def log() -> Iterator[Log]:
    root, ours, handler = logging.getLogger(), logging.getLogger("empathic_sdk"), Log()
    levels = root.level, ours.level
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.NOTSET)  # a command that ran in this process may have raised it
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    everything = "\n".join(handler.lines)
    assert WORD not in everything and USER not in everything


def broken(*_: Any, **__: Any) -> Any:
    raise ValueError(f"cannot cope with: {SAID}")


async def abroken(_: Any) -> Any:
    raise KeyError(SAID) from ValueError(SAID)


def wrong(_: Any) -> str:
    return SAID


class Speaks:
    """A language model that quotes, fails with a quotation, or says what must not be said."""

    name = "speaks"

    def __init__(self, *does: str) -> None:
        self.does = list(does)

    def stream(self, messages: Any, **_: Any) -> Iterator[str]:
        does = self.does.pop(0) if self.does else "raise"
        if does == "raise":
            raise ConnectionError(f"400: {messages[-1]}")
        if does == "halfway":
            yield f"You said {SAID} "
            raise TimeoutError(SAID)
        yield {"quote": f"You said: {SAID}", "nothing": "", "unsafe": f"You have {WORD}."}[does]


def test_the_log_of_this_test_would_show_it(log: Log) -> None:
    logging.getLogger("empathic_sdk.somewhere").debug("x %s", "harmless-word-1")
    try:
        raise ValueError("harmless-word-2")
    except ValueError:
        logging.getLogger("empathic_sdk").exception("y")
    assert [w for w in ("harmless-word-1", "harmless-word-2") if w in "\n".join(log.ours())] == [
        "harmless-word-1", "harmless-word-2",
    ]  # fmt: skip


def test_hooks_and_alarms_that_raise(recognizer: EmotionRecognizer, log: Log) -> None:
    with EmotionAwareAgent(
        recognizer=recognizer, tone=broken, pacing=abroken, theme=wrong, on_alert=broken,
        retention=Retention(keep_text=True),
    ) as agent:  # fmt: skip
        turn = agent.respond(SAID, user=USER, conversation="c")
        assert len(turn.fallbacks) == 3
        list(agent.stream(CRISIS, user=USER, conversation="c"))
        asyncio.run(agent.arespond(CRISIS, user=USER, conversation="c"))
        agent.feedback(turn.id, user=USER, emotion="fear")
        agent.profiles.erase(USER)
    told = "\n".join(log.ours())
    for part in ("tone hook", "pacing hook", "theme hook", "on_alert raised: ValueError from"):
        assert part in told
    assert "KeyError from" in told and "; after ValueError" in told


@pytest.mark.parametrize("does", ["raise", "halfway", "quote", "nothing", "unsafe"])
def test_language_models(recognizer: EmotionRecognizer, log: Log, does: str) -> None:
    with EmotionAwareAgent(Speaks(does, does), recognizer=recognizer) as agent:
        agent.respond(SAID, user=USER)
        list(agent.stream(SAID, user=USER))


def test_stores_that_fail(recognizer: EmotionRecognizer, log: Log, tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    with EmotionAwareAgent(
        recognizer=recognizer, profiles=path, retention=Retention(keep_text=True)
    ) as agent:
        agent.respond(SAID, user=USER, conversation="c")
        with writing(agent.profiles) as db:  # what was kept of the talk is damaged
            db.execute("UPDATE conversations SET session = ?", [SAID.encode()])
        agent.respond(SAID, user=USER, conversation="c")
        with writing(agent.profiles) as db:
            db.execute("DROP TABLE turns")
        with pytest.raises(StoreError):
            agent.respond(SAID, user=USER, conversation="c")
    assert "unreadable" in "\n".join(log.ours())


def test_a_purge_that_fails(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.profiles.factory import make_turn
    from tests.profiles.test_retention import Clock

    def locked(self: ProfileStore) -> int:
        raise StoreError("no room")

    clock = Clock()
    with ProfileStore(tmp_path / "p.db", keep_days=1, clock=clock) as store:
        monkeypatch.setattr(ProfileStore, "purge", locked)
        clock.ahead = timedelta(hours=25)  # a day later it is looked at again
        store.record(make_turn(user=USER), text=SAID, keep_text=True)
        assert store.get(USER).turns == 1
    assert "could not be purged" in "\n".join(log.ours())


def test_senses_that_fail(
    encoder: TextEncoder,  # noqa: F811
    weights: Path,  # noqa: F811
    log: Log,
) -> None:
    recognizer = EmotionRecognizer(
        text=encoder, deployment=Deployment(context="personal"), dialogue=weights,
        speech=Fake(Modality.SPEECH, 6, ValueError(SAID)), behaviour=False,
        face=Fake(Modality.FACE, 4, InputError(SAID)), transcriber=Words(RuntimeError(SAID)),
    )  # fmt: skip
    with EmotionAwareAgent(recognizer=recognizer) as agent:
        for modality in Modality:
            agent.profiles.consent(USER, modality, True)
        with pytest.raises(InputError):
            agent.respond(Utterance(audio=SOUND), user=USER)
        agent.respond(Utterance(SAID, audio=SOUND), user=USER)
    told = "\n".join(log.ours())
    assert "the transcriber failed: RuntimeError" in told
    assert "the speech encoder failed: ValueError" in told


def test_the_other_rooms(recognizer: EmotionRecognizer, log: Log) -> None:
    turns = StatelessTurns(recognizer, tone=broken)
    turn = turns.take([("user", SAID)], state=SAID.encode())
    assert turn is not None
    turns.prompt(turn)
    with EmotionAwareAgent(recognizer=recognizer, scenario="tutoring") as tutor:
        for text in ("hi", SAID, "1/2", "I give up", CRISIS):
            tutor.respond(text, user=USER)
    assert "tone hook" in "\n".join(log.ours())


def test_an_outline_says_where_and_not_what() -> None:
    try:
        try:
            broken()
        except ValueError as error:
            raise RuntimeError(SAID) from error
    except RuntimeError as error:
        said = outline(error)
        error.__cause__.__cause__ = error  # type: ignore[union-attr]
        assert outline(error) == said  # a circle ends
    name = Path(__file__).name
    assert said.startswith(f"RuntimeError from {name}:") and "; after ValueError from" in said
    assert (
        f" in {test_an_outline_says_where_and_not_what.__name__}" in said and " in broken" in said
    )
    assert WORD not in said
