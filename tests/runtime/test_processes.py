"""What was made before a fork, in the child: it works or says so, and never hangs."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer
from empathic_sdk.errors import ProcessError
from empathic_sdk.testing import FakeRecognizer, MemoryStore

ROOT = Path(__file__).resolve().parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

START = """
import asyncio, os, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, ProfileStore
from empathic_sdk.errors import ProcessError, StoreError

def wait_for(children, within_s):
    left, end = set(children), time.monotonic() + within_s
    while left and time.monotonic() < end:
        for pid in list(left):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                left.discard(pid)
                assert status == 0, f"a child failed: {status}"
        time.sleep(0.01)
    for pid in left:
        os.kill(pid, 9)
    assert not left, "a child hangs"

def forked(count, act):
    children = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                act()
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(pid)
    return children
"""


def run(script: str, *, within_s: float, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + script],
        capture_output=True, text=True, timeout=within_s, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


AGENT = """
SAID = "I am so sad about everything that happened today at work. " * 10
recognizer = EmotionRecognizer()
free = threading.Event()
inside = threading.Event()
def slow(context):
    inside.set()
    free.wait(60)
agent = EmotionAwareAgent(recognizer=recognizer, tone=slow)
store = ProfileStore()
before = recognizer.recognize(SAID)
# While a thread reads and another one is inside a turn:
stop = False
def reading():
    while not stop:
        recognizer.recognize(SAID)
threading.Thread(target=reading, daemon=True).start()
threading.Thread(target=agent.respond, args=("Hello.",), daemon=True).start()
assert inside.wait(20)

def child():
    state = recognizer.recognize(SAID)
    assert state.label is before.label and abs(state.confidence - before.confidence) < 1e-3
    asyncio.run(recognizer.arecognize(SAID))
    calls = [
        lambda: agent.respond("Hello.", user="ada"),
        lambda: asyncio.run(agent.arespond("Hello.", user="ada")),
        lambda: next(agent.stream("Hello.", user="ada")),
        lambda: agent.feedback("t", user="ada", rating=1),
        lambda: asyncio.run(agent.afeedback("t", user="ada", rating=1)),
        lambda: agent.transfers(user="ada"),
        lambda: agent.watch("ada"),
    ]
    for call in calls:
        try:
            call()
        except ProcessError as error:
            assert "before this process was forked" in str(error), error
        else:
            raise AssertionError("the agent worked in a child")
    agent.close()
    try:
        store.get("ada")
    except StoreError:
        pass
    else:
        raise AssertionError("the store worked in a child")
    with EmotionAwareAgent(recognizer=recognizer) as own:
        assert own.respond("I want to kill myself.", user="ada").safety.help_lines
        assert asyncio.run(own.arespond("Hello.", user="bob")).reply

wait_for(forked(2, child), 90)
stop = True
free.set()
assert recognizer.recognize(SAID).label is before.label
agent.close()
"""


@forks
def test_a_recogniser_works_in_forked_children_and_an_agent_says_that_it_does_not() -> None:
    run(AGENT, within_s=150)


MANY = """
import numpy as np, sys
which = sys.argv[1] if len(sys.argv) > 1 else os.environ["WHICH"]
if which == "text":
    recognizer = EmotionRecognizer()
    act = lambda: recognizer.recognize("I am so sad about all of it. " * 20)
elif which == "face":
    from empathic_sdk import FaceEncoder
    encoder = FaceEncoder()
    frame = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    act = lambda: (encoder.encode([[frame]]), encoder.encode_crops([frame[:100, :100]]))
else:
    from empathic_sdk import SpeechEncoder
    encoder = SpeechEncoder()
    t = np.arange(32000) / 16000
    sound = (0.3 * np.sin(2 * np.pi * 150 * t) * (1 + np.sin(8 * np.pi * t))).astype(np.float32)
    act = lambda: encoder.encode([(sound, 16000)])
act()
def reading():
    while True:
        act()
for _ in range(2):
    threading.Thread(target=reading, daemon=True).start()
for i in range(int(os.environ["TIMES"])):
    time.sleep(0.01 * (i % 7))
    wait_for(forked(2, act), 40)
os._exit(0)
"""


@forks
@pytest.mark.slow
@pytest.mark.parametrize(("which", "times"), [("text", 20), ("face", 10), ("speech", 10)])
def test_forks_while_threads_are_inside_a_network(which: str, times: int) -> None:
    if which == "face":
        pytest.importorskip("cv2")
    if which == "speech":
        pytest.importorskip("faster_whisper")
    run(MANY, within_s=160, WHICH=which, TIMES=str(times))


STORES = """
import tempfile
from pathlib import Path
folder = Path(tempfile.mkdtemp())
def opening():
    i = 0
    while True:
        with ProfileStore(folder / f"parent{i % 3}.db") as store:
            store.get("ada")
        i += 1
threading.Thread(target=opening, daemon=True).start()
def child():
    with ProfileStore(folder / f"child{os.getpid()}.db") as own:
        own.prefer("ada", name="Ada")
        assert list(own.users()) == ["ada"]
for i in range(30):
    time.sleep(0.003 * (i % 5))
    wait_for(forked(1, child), 20)
os._exit(0)
"""


@forks
def test_forks_while_a_thread_opens_a_store() -> None:
    run(STORES, within_s=60)


def spawned(ours: Any) -> None:
    raise AssertionError("this is not reached")


def test_what_stays_in_its_process_says_so(recognizer: EmotionRecognizer) -> None:
    import multiprocessing

    with EmotionAwareAgent(recognizer=FakeRecognizer()) as agent, MemoryStore() as store:
        for thing, clue in (
            (agent, "make one in each process"),
            (recognizer, "make one in each process"),
            (store, "open the same file"),
        ):
            with pytest.raises(ProcessError, match=clue):
                pickle.dumps(thing)
        spawn = multiprocessing.get_context("spawn")
        with pytest.raises(ProcessError, match="EmotionAwareAgent cannot be pickled"):
            spawn.Process(target=spawned, args=(agent,)).start()


APP = """
from fastapi import FastAPI
from empathic_sdk import EmotionAwareAgent
import os

agent = EmotionAwareAgent()
app = FastAPI()

@app.get("/")
async def root() -> dict[str, object]:
    turn = await agent.arespond("I am sad.", user=f"u{os.getpid()}")
    return {"reply": turn.reply, "pid": os.getpid()}
"""


@pytest.mark.slow
def test_workers_of_uvicorn(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    import json
    import signal
    import socket
    import time
    import urllib.request

    (tmp_path / "served.py").write_text(APP, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "served:app", "--workers", "2", "--port", str(port)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        seen: set[int] = set()
        end = time.monotonic() + 90
        while len(seen) < 2 and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                    found = json.load(answer)
            except OSError:
                time.sleep(0.5)
                continue
            assert found["reply"]
            seen.add(found["pid"])
        assert len(seen) == 2
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
