"""Many visitors at once, over HTTP as a browser would: ``python -m tests.demo.crowd URL``.

Each holds a talk of its own with a canary word in every message, and listens for the canaries of
all others. Prints one JSON object: counts, leaks, and milliseconds to the first sign of an answer
and to its first sentence (with and without the pause that the pacing wants before it).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

LINES = (
    "I failed the exam again and I feel awful, {}.",
    "I'm scared I'll lose my place, says {}.",
    "Nobody called me back today. {}",
    "My flatmate shouted at me, I am so angry! {}",
    "My sister came over and we laughed, {} too!",
    "I feel a little better now, thank you. {}",
)
FIRST_SENTENCE = 'class=\\"es-new\\"'
FELT = "How probable each feeling is"
PAUSE = re.compile(r"I wait ([\d.]+) s, then write")


@dataclass
class Heard:
    """What one visitor got."""

    canary: str
    everything: list[str] = field(default_factory=list)
    felt_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    unpaced_ms: list[float] = field(default_factory=list)
    answered: int = 0


def canary(i: int) -> str:
    """Return a word that nobody else says."""
    return f"canary{i:03d}x"


async def what_to_press(client: httpx.AsyncClient, url: str) -> tuple[int, int]:
    """Return the numbers of the event that sends a message, and of its trigger."""
    config = (await client.get(f"{url}config")).json()
    boxes = {c["id"] for c in config["components"] if c["props"].get("elem_id") == "es-box"}
    for event in config["dependencies"]:
        for target, kind in event["targets"]:
            if target in boxes and kind == "submit":
                return event["id"], target
    raise LookupError("the page has no input")


class Visitor:
    """One page."""

    def __init__(self, client: httpx.AsyncClient, url: str, i: int, press: tuple[int, int]) -> None:
        self.client, self.url, self.press = client, url, press
        self.page = f"crowd{i:04d}{random.Random(i).getrandbits(40):x}"
        self.heard = Heard(canary(i))

    async def open(self) -> asyncio.Task[None]:
        """Open the page; it stays open until the task is cancelled."""
        (await self.client.get(self.url)).raise_for_status()  # brings the visit's cookie
        ready = asyncio.Event()

        async def beat() -> None:
            beats = f"{self.url}gradio_api/heartbeat/{self.page}"
            async with self.client.stream("GET", beats, timeout=None) as response:
                ready.set()
                async for _ in response.aiter_raw():
                    pass

        task = asyncio.create_task(beat())
        await ready.wait()
        return task

    async def say(self, text: str) -> None:
        """Send a message and take in the whole answer."""
        fn, trigger = self.press
        began = time.perf_counter()
        body = {
            "data": [text, ""], "fn_index": fn, "trigger_id": trigger,
            "session_hash": self.page, "event_data": None,
        }  # fmt: skip
        joined = await self.client.post(f"{self.url}gradio_api/queue/join", json=body)
        joined.raise_for_status()
        felt = first = None
        pause = 0.0
        data = f"{self.url}gradio_api/queue/data?session_hash={self.page}"
        async with self.client.stream("GET", data, timeout=120) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                now = (time.perf_counter() - began) * 1e3
                self.heard.everything.append(line)
                if felt is None and FELT in line:
                    felt = now
                    waits = PAUSE.search(line)
                    pause = float(waits[1]) * 1e3 if waits else 0.0
                if first is None and FIRST_SENTENCE in line:
                    first = now
                message = json.loads(line[5:])
                if message.get("msg") == "process_completed":
                    assert message["success"], line[:500]
                    break
        assert felt is not None and first is not None, "no answer came"
        self.heard.felt_ms.append(felt)
        self.heard.first_ms.append(first)
        self.heard.unpaced_ms.append(first - pause)
        self.heard.answered += 1


async def crowd(
    url: str, *, visitors: int, turns: int, arrive_s: float, think_s: tuple[float, float]
) -> list[Heard]:
    """Let visitors come within ``arrive_s`` seconds and hold talks of ``turns`` messages."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=60) as client:
        press = await what_to_press(client, url)

    async def visit(i: int) -> Heard:
        chance = random.Random(1000 + i)
        await asyncio.sleep(arrive_s * chance.random())
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:  # cookies of its own
            visitor = Visitor(client, url, i, press)
            page = await visitor.open()
            try:
                for k in range(turns):
                    line = LINES[(i + k) % len(LINES)]
                    await visitor.say(line.format(visitor.heard.canary))
                    await asyncio.sleep(chance.uniform(*think_s))
            finally:
                page.cancel()
                await asyncio.wait([page])
        return visitor.heard

    return await asyncio.gather(*(visit(i) for i in range(visitors)))


def leaks(heard: list[Heard]) -> list[str]:
    """Name who got whose canary."""
    found = []
    for mine in heard:
        said = "".join(mine.everything)
        assert mine.canary in said, "a canary that does not sing proves nothing"
        found += [f"{mine.canary} got {c}" for c in set(re.findall(r"canary\d{3}x", said))
                  if c != mine.canary]  # fmt: skip
    return found


def summary(heard: list[Heard]) -> dict[str, Any]:
    """Return the figures."""

    def at(share: float, values: list[float]) -> float:
        return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)

    felt = [ms for h in heard for ms in h.felt_ms]
    first = [ms for h in heard for ms in h.first_ms]
    unpaced = [ms for h in heard for ms in h.unpaced_ms]
    return {
        "visitors": len(heard),
        "answers": sum(h.answered for h in heard),
        "leaks": leaks(heard),
        "felt_p50_ms": at(0.5, felt),
        "felt_p95_ms": at(0.95, felt),
        "first_sentence_p50_ms": at(0.5, unpaced),
        "first_sentence_p95_ms": at(0.95, unpaced),
        "first_sentence_with_pause_p95_ms": at(0.95, first),
    }


def main() -> None:
    """Run from the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--arrive-s", type=float, default=10.0)
    parser.add_argument("--think-s", type=float, nargs=2, default=(2.0, 6.0))
    given = parser.parse_args()
    heard = asyncio.run(
        crowd(
            given.url.rstrip("/") + "/", visitors=given.visitors, turns=given.turns,
            arrive_s=given.arrive_s, think_s=tuple(given.think_s),
        )
    )  # fmt: skip
    print(json.dumps(summary(heard)))


if __name__ == "__main__":
    main()
