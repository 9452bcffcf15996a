from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from empathic_sdk.profiles import ProfileStore

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.db"


@pytest.fixture
def store(path: Path) -> Iterator[ProfileStore]:
    with ProfileStore(path) as opened:
        yield opened


@pytest.fixture
def start() -> Iterator[Start]:
    """Start worker.py with these arguments; whatever is left of it ends with the test."""
    running: list[subprocess.Popen[str]] = []
    found = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

    def run(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(WORKER), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": found},
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def release(process: subprocess.Popen[str]) -> None:
    """Let a worker that waits for a line go on and end."""
    process.communicate("\n", timeout=20)
    assert process.returncode == 0
