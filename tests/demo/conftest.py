from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from tests.demo import signals
from tests.demo.browsing import CHROMIUM, FLAGS, Visitor


@pytest.fixture(scope="session")
def deployed() -> EmotionRecognizer:
    """As at somebody's home, where consent decides."""
    from empathic_sdk.demo.app import HOME

    return EmotionRecognizer(deployment=HOME)


@pytest.fixture(scope="session")
def served(deployed: EmotionRecognizer) -> Iterator[tuple[str, EmotionAwareAgent]]:
    """The real page with the real agents; its address, and the agent for counselling."""
    from empathic_sdk.demo import application
    from empathic_sdk.demo.app import tutor_of
    from empathic_sdk.demo.serve import running

    with (
        EmotionAwareAgent(recognizer=deployed) as agent,
        tutor_of(agent) as tutor,
        running(application(agent, tutor)) as address,
    ):
        yield address, agent


@pytest.fixture(scope="session")
def url(served: tuple[str, EmotionAwareAgent]) -> str:
    return served[0]


@pytest.fixture(scope="session")
def here(served: tuple[str, EmotionAwareAgent]) -> EmotionAwareAgent:
    return served[1]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_api.sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def browser(playwright: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose microphone plays a buzz like a voice, and whose camera shows a drawn face."""
    cv2 = pytest.importorskip("cv2", reason="the extra face is not installed")
    folder: Path = tmp_path_factory.mktemp("devices")
    sound = signals.wav(folder / "voice.wav")
    film = signals.film(folder / "face.mjpeg", signals.face(cv2))
    made = playwright.chromium.launch(
        executable_path=str(CHROMIUM),
        args=[
            *FLAGS, "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={sound}",
            f"--use-file-for-fake-video-capture={film}",
        ],
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture(scope="session")
def bare(playwright: Any) -> Iterator[Any]:
    """A browser on a machine without a microphone and a camera."""
    made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield made
    made.close()


@pytest.fixture
def visitor(browser: Any, url: str) -> Iterator[Visitor]:
    made = Visitor(browser, url)
    yield made
    made.leave()
