from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empathic_sdk import Deployment, EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.monitoring.longitudinal import Watch
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.types import ChangeKind, LongitudinalWarning
from tests.profiles.direct import writing
from tests.profiles.factory import make_turn

NAME = "ada.lovelace@example.org"


def today() -> date:
    return datetime.now(UTC).date()


def fill(store: ProfileStore, *, user: str = NAME, drop: int | None = 12, days: int = 60) -> None:
    """Give ``user`` quiet weeks up to yesterday, the last ``drop`` days much lower."""
    store.record(make_turn("seed-" + user, user=user))
    noise = np.random.default_rng(0).normal(0, 0.1, days)
    with writing(store) as db:
        (who,) = db.execute("SELECT id FROM users WHERE name = ?", [user]).fetchone()
        db.execute("DELETE FROM days WHERE user_id = ?", [who])
        for k in range(1, days + 1):
            level = (0.2 if drop is None or k > drop else -0.6) + float(noise[k - 1])
            then = (today() - timedelta(days=k)).isoformat()
            squares = 4 * (level**2 + 0.04)
            db.execute(
                "INSERT INTO days VALUES (?, ?, 4, ?, ?, 1)", [who, then, 4 * level, squares]
            )


def told(alerts: list[Any]) -> list[LongitudinalWarning]:
    return [a for a in alerts if isinstance(a, LongitudinalWarning)]


def test_a_drop_is_told_once_and_names_nobody(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "profiles.db"
    alerts: list[Any] = []
    with ProfileStore(path) as store:
        fill(store)
        fill(store, user="bo", drop=None)
        with EmotionAwareAgent(
            recognizer=recognizer, profiles=store, on_alert=alerts.append
        ) as agent:
            agent.watch(NAME)  # imports the test, so that no turn has to wait for it
            agent.respond("The train was late.", user="bo")
            assert told(alerts) == []
            for _ in range(3):
                agent.respond("The quince jam is on the table.", user=NAME)
            (warning,) = told(alerts)
            assert warning.kind is ChangeKind.DECLINE
            assert 9 <= warning.since_days <= 15
            words = warning.model_dump_json()
            assert str(warning.since_days) in warning.message
            assert NAME not in words and "ada" not in words and "quince" not in words
            report = agent.watch(NAME)
            assert report.warning == warning and len(report.days) == 60
            assert report.change_points[-1].kind is ChangeKind.DECLINE
    with (
        ProfileStore(path) as store,
        EmotionAwareAgent(recognizer=recognizer, profiles=store, on_alert=alerts.append) as agent,
    ):
        agent.watch(NAME)
        agent.respond("Hello again.", user=NAME)
        assert len(told(alerts)) == 1, "a restart repeats nothing"
        assert agent.watch(NAME).warning is not None, "but whoever asks is told"


def test_a_coroutine_is_told_too(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    import asyncio

    alerts: list[Any] = []

    async def on_alert(what: Any) -> None:
        alerts.append(what)

    async def main() -> None:
        with ProfileStore(tmp_path / "profiles.db") as store:
            fill(store)
            async with EmotionAwareAgent(
                recognizer=recognizer, profiles=store, on_alert=on_alert
            ) as agent:
                await agent.awatch(NAME)  # imports the test, so that the turn needs no import
                await agent.arespond("Good morning.", user=NAME)
                assert (await agent.awatch(NAME)).warning is not None

    asyncio.run(main())
    assert len(told(alerts)) == 1


def test_without_on_alert_nobody_looks(
    recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watch, "due", lambda *_: pytest.fail("looked"))
    with EmotionAwareAgent(recognizer=recognizer) as agent:
        agent.respond("Good morning.", user=NAME)


def watch(store: ProfileStore, context: Any = None) -> Watch:
    made = Watch(store, deployment=Deployment(context=context))
    made.load()
    return made


@pytest.mark.parametrize("context", ["education", "workplace"])
def test_where_people_work_or_learn_nobody_is_told_unasked(context: str, tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store)
        assert watch(store, context).due(NAME) is None
        assert watch(store, "personal").due(NAME) is not None


def test_it_looks_once_a_day_and_again_tomorrow(tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store, drop=None)
        looking = watch(store)
        reads: list[str] = []
        real = store.days
        store.days = lambda *a, **k: (reads.append(a[0]), real(*a, **k))[1]  # type: ignore
        for _ in range(5):
            assert looking.due(NAME) is None
        assert len(reads) == 1
        looking.due(NAME, today=today() + timedelta(days=1))
        assert len(reads) == 2
        looking.forget(NAME)
        looking.due(NAME, today=today() + timedelta(days=1))
        assert len(reads) == 3


def test_erasing_forgets_that_somebody_was_looked_at(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    alerts: list[Any] = []
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store)
        with EmotionAwareAgent(
            recognizer=recognizer, profiles=store, on_alert=alerts.append
        ) as agent:
            agent.watch(NAME)
            for _ in range(2):
                agent.respond("Good morning.", user=NAME)
            assert len(told(alerts)) == 1
            store.erase(NAME)
            assert agent.watch(NAME).days == ()
            fill(store)  # somebody new, under the same name and on the same day
            agent.respond("Good morning.", user=NAME)
            assert len(told(alerts)) == 2


def test_a_broken_store_breaks_no_turn(caplog: pytest.LogCaptureFixture) -> None:
    store = ProfileStore()
    looking = watch(store)
    store.close()
    with caplog.at_level(logging.ERROR, "empathic_sdk"):
        assert looking.due(NAME) is None
    assert "days failed" in caplog.text and NAME not in caplog.text


def test_without_the_extra_it_says_so_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "river.drift", None)
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store)
        looking = Watch(store, deployment=Deployment())
        with caplog.at_level(logging.WARNING, "empathic_sdk"):
            deadline = time.monotonic() + 5
            while "monitor" not in caplog.text and time.monotonic() < deadline:
                assert looking.due(NAME) is None
                time.sleep(0.01)
            looking.due(NAME)
    assert caplog.text.count("empathic-sdk[monitor]") == 1


def test_strangers_never_import_the_detector(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "empathic_sdk.monitoring.longitudinal.detector", lambda: pytest.fail("imported")
    )
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store, days=14)
        assert Watch(store, deployment=Deployment()).due(NAME) is None


def test_a_turn_costs_nearly_nothing_more(tmp_path: Path) -> None:
    with ProfileStore(tmp_path / "profiles.db") as store:
        fill(store, drop=None, days=180)
        looking = watch(store)
        looking.due(NAME)
        start = time.perf_counter()
        for _ in range(100):
            looking.due(NAME)
        assert (time.perf_counter() - start) / 100 < 0.002
