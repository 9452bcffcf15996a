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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from empathic_sdk.lab.benchmarks.harness import once, quantile, timed

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
        single = timed(
            lambda i: agent.respond(next(said), user=f"single-{i % 10}"), turns, warm_up=20
        )
        lines = [next(said) for _ in range(max(turns, 4 * users))]

        def one(entry: tuple[int, str]) -> float:
            return once(agent.respond, entry[1], user=f"crowd-{entry[0] % users}").wall[0]

        with ThreadPoolExecutor(users) as pool:
            crowd: list[float] = []
            together = once(lambda: crowd.extend(pool.map(one, enumerate(lines))))
        long = timed(
            lambda _: agent.respond(next(said), user="long", conversation="long"), long_turns
        ).wall
        width = min(40, long_turns // 2 - 5)  # around turn 10, and around the last
        late_over_early = quantile(long[-width:], 50) / quantile(long[5 : 5 + width], 50)
        personal, feedback = _personal(agent, said, turns)
    return {
        "text_turn_p50_ms": single.p50,
        "text_turn_p95_ms": single.p95,
        "turns_per_second": round(single.per_second, 2),
        "concurrent_users": users,
        "turns_per_second_concurrent": round(len(lines) / together.seconds, 2),
        "concurrent_turn_p95_ms": quantile(crowd, 95),
        "late_over_early": round(late_over_early, 4),
        "long_talk_turns": long_turns,
        "personalisation_p50_ms": personal,
        "feedback_p50_ms": feedback,
        **_fresh_process(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
    }


def _personal(agent: Any, said: Iterator[str], turns: int) -> tuple[float, float]:
    """Return the median milliseconds that a history of feedback adds to a turn, and of a feedback.

    Two people with as many turns, of whom one corrected all of theirs, say the same texts in turn;
    who goes first changes every time. The difference is one of processor time: what is added never
    waits, and what else runs on the machine would drown it.
    """
    told: list[float] = []
    for _ in range(min(40, turns)):
        text = next(said)
        agent.respond(text, user="silent", conversation="c")
        turn = agent.respond(text, user="taught", conversation="c")
        told += once(agent.feedback, turn.id, user="taught", emotion="anger").wall
    assert agent.profiles.get("taught").bias
    differences = []
    for i in range(turns):
        text = next(said)
        took = {
            user: once(agent.respond, text, user=user, conversation="c").cpu[0]
            for user in (("silent", "taught") if i % 2 else ("taught", "silent"))
        }
        differences.append(took["taught"] - took["silent"])
    return quantile(differences, 50), quantile(told, 50)


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
