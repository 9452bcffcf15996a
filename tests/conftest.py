from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from tests.replying import Talk, make_state

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches beyond this machine."""
    if request.node.get_closest_marker("browser"):
        return
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def recognizer() -> EmotionRecognizer:
    """The one that ships, loaded once."""
    return EmotionRecognizer()


@pytest.fixture
def agent(recognizer: EmotionRecognizer) -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=recognizer) as made:
        yield made


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def new_talk() -> type[Talk]:
    return Talk


@pytest.fixture
def state() -> Any:
    return make_state
