"""Speed and memory, measured from outside through the public API.

Every text is different (numbers, names and clauses drawn anew), so that no cache can help.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_WHO = ["my sister", "my boss", "a friend of mine", "the teacher", "my neighbour", "nobody", "he"]
_DID = [
    "forgot my birthday", "called me today", "never answered", "said I was late again",
    "finally apologised", "laughed at my question", "helped me with the move",
]  # fmt: skip
_FELT = [
    "and I can't stop thinking about it", "and that made my whole week", "so now I'm scared",
    "and honestly I'm furious", "and I don't know what to say", "which was a lovely surprise",
    "and it makes me sick",
]  # fmt: skip


def texts(seed: int) -> Iterator[str]:
    """Yield endlessly many different one-sentence messages of 8 to 20 words."""
    rng = random.Random(seed)
    n = 0
    while True:
        n += 1
        yield (
            f"{rng.choice(_WHO)} {rng.choice(_DID)} on day {n * 7919 % 100003} "
            f"{rng.choice(_FELT)}, {rng.randrange(10**6)} times"
        )


def bench(*, turns: int = 200, users: int = 32, long_turns: int = 1000) -> dict[str, Any]:
    """Return the figures that ``empathic bench --json`` prints.

    Times are milliseconds where the key ends in ``_ms``, seconds where in ``_s``; ``rss_mb`` is
    the resident memory of a fresh process after its first ten turns. The store is a file, as in
    real use, and every turn is recorded in it.
    """
    from empathic_sdk import EmotionAwareAgent

    said = texts(1)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmotionAwareAgent(profiles=Path(folder) / "bench.db") as agent,
    ):
        for _ in range(20):
            agent.respond(next(said), user="warm-up")
        single = []
        began = time.perf_counter()
        for i in range(turns):
            start = time.perf_counter()
            agent.respond(next(said), user=f"single-{i % 10}")
            single.append((time.perf_counter() - start) * 1e3)
        alone = turns / (time.perf_counter() - began)
        lines = [next(said) for _ in range(max(turns, 4 * users))]

        def one(entry: tuple[int, str]) -> float:
            start = time.perf_counter()
            agent.respond(entry[1], user=f"crowd-{entry[0] % users}")
            return (time.perf_counter() - start) * 1e3

        with ThreadPoolExecutor(users) as pool:
            began = time.perf_counter()
            crowd = list(pool.map(one, enumerate(lines)))
            together = len(lines) / (time.perf_counter() - began)
        early, late = _long_talk(agent, said, long_turns)
        personal, feedback = _personal(agent, said, turns)
    fresh = _fresh_process()
    single.sort()
    crowd.sort()
    return {
        "text_turn_p50_ms": round(statistics.median(single), 3),
        "text_turn_p95_ms": round(single[int(0.95 * len(single))], 3),
        "turns_per_second": round(alone, 2),
        "concurrent_users": users,
        "turns_per_second_concurrent": round(together, 2),
        "concurrent_turn_p95_ms": round(crowd[int(0.95 * len(crowd))], 3),
        "late_over_early": round(late / early, 4),
        "long_talk_turns": long_turns,
        "personalisation_p50_ms": round(personal, 3),
        "feedback_p50_ms": round(feedback, 3),
        "import_s": fresh["import_s"],
        "first_reply_s": fresh["first_reply_s"],
        "rss_mb": fresh["rss_mb"],
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
    }


def _long_talk(agent: Any, said: Iterator[str], turns: int) -> tuple[float, float]:
    """Return the median milliseconds a turn around turn 10 and around the last of one talk."""
    took = []
    for _ in range(turns):
        text = next(said)
        start = time.perf_counter()
        agent.respond(text, user="long", conversation="long")
        took.append((time.perf_counter() - start) * 1e3)
    width = min(40, turns // 2 - 5)
    return statistics.median(took[5 : 5 + width]), statistics.median(took[-width:])


def _personal(agent: Any, said: Iterator[str], turns: int) -> tuple[float, float]:
    """Return the median milliseconds that a history of feedback adds to a turn, and of a feedback.

    Two people with as many turns, of whom one corrected all of theirs, say the same texts in turn;
    who goes first changes every time. The difference is one of processor time: what is added never
    waits, and what else runs on the machine would drown it.
    """
    told = []
    for _ in range(min(40, turns)):
        text = next(said)
        agent.respond(text, user="silent", conversation="c")
        turn = agent.respond(text, user="taught", conversation="c")
        start = time.perf_counter()
        agent.feedback(turn.id, user="taught", emotion="anger")
        told.append((time.perf_counter() - start) * 1e3)
    assert agent.profiles.get("taught").bias
    differences = []
    for i in range(turns):
        text = next(said)
        took = {}
        for user in ("silent", "taught") if i % 2 else ("taught", "silent"):
            start = time.process_time()
            agent.respond(text, user=user, conversation="c")
            took[user] = (time.process_time() - start) * 1e3
        differences.append(took["taught"] - took["silent"])
    return statistics.median(differences), statistics.median(told)


_FRESH = """
import time
start = time.perf_counter()
import empathic_sdk
imported = time.perf_counter()
agent = empathic_sdk.EmotionAwareAgent()
agent.respond("I failed the exam again.")
replied = time.perf_counter()
for i in range(9):
    agent.respond(f"and then it went wrong {i} more times, I am so tired of it")
import resource, sys
try:
    with open("/proc/self/status") as f:
        rss = next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmRSS"))
except OSError:  # not Linux: the peak, in bytes on macOS and kilobytes elsewhere
    scale = 2**20 if sys.platform == "darwin" else 2**10
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
print(imported - start, replied - start, rss)
"""


def _fresh_process(runs: int = 3) -> dict[str, float]:
    """Start Python anew and take the medians of import time, first reply and memory."""
    rows = []
    for _ in range(runs):
        out = subprocess.run(
            [sys.executable, "-c", _FRESH], capture_output=True, text=True, check=True
        ).stdout
        rows.append([float(x) for x in out.split()])
    imported, replied, rss = (statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "import_s": round(imported, 4),
        "first_reply_s": round(replied, 3),
        "rss_mb": round(rss, 1),
    }
