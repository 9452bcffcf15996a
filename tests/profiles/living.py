"""Two agents in a process of their own, told what to do: ``python living.py STORE LOG``.

One JSON object a line comes in, one goes out. Everything that the process writes goes below HOME
and TMPDIR, which the test looks through.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.tutoring import make


def main(store: str, log: str) -> None:
    logging.basicConfig(filename=log, level=logging.DEBUG)
    assert Path(tempfile.gettempdir()) == Path(log).parent / "tmp"
    with (
        EmotionAwareAgent(profiles=store, keep_text=True) as agent,
        EmotionAwareAgent(
            profiles=agent.profiles, recognizer=agent.recognizer, keep_text=True,
            scenario="tutoring",
        ) as tutor,
    ):  # fmt: skip
        agents = {"counselling": agent, "tutoring": tutor}
        for line in sys.stdin:
            print(json.dumps(obey(agents, json.loads(line))), flush=True)


def obey(agents: dict[str, EmotionAwareAgent], order: dict[str, Any]) -> Any:
    agent = agents[order.get("scenario", "counselling")]
    user, what = order["user"], order["do"]
    if what == "say":
        turn = agent.respond(order["text"], user=user, conversation=order.get("conversation"))
        answer = None
        if turn.exercise is not None:
            _, _, seed = turn.exercise.id.split("-")
            answer = make(turn.exercise.skill, turn.exercise.level, int(seed)).steps[-1].math
        return {
            "id": turn.id, "shift": turn.emotion.shift, "conversation": turn.conversation,
            "change": turn.emotion.change, "solution": answer,
        }  # fmt: skip
    if what == "note":
        agent.feedback(order["turn"], user=user, emotion="fear", rating=-1)
        agent.profiles.consent(user, "face", True)
        agent.profiles.prefer(user, nickname=order["nickname"])
        return None
    if what == "know":
        return agent.profiles.get(user).model_dump(mode="json")
    return agent.profiles.erase(user)


if __name__ == "__main__":
    main(*sys.argv[1:])
