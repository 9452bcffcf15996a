"""A lasting profile that the person corrects, exports and erases."""

import json
import tempfile
from pathlib import Path

from empathic_sdk import EmotionAwareAgent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.db"
        with EmotionAwareAgent(profiles=path) as agent:
            turn = agent.respond("I'm fine.", user="ada")
            agent.feedback(turn.id, user="ada", emotion="sadness", rating=1)
        with EmotionAwareAgent(profiles=path) as agent:
            agent.respond("Hello again!", user="ada")
            known = agent.profiles.get("ada")
            print(f"{known.turns} turns in {known.conversations} talks, last {known.last_emotion}")
            print(len(json.dumps(agent.profiles.export("ada"))), "characters exported")
            print(agent.profiles.erase("ada"), "turns erased,", agent.profiles.users(), "left")


if __name__ == "__main__":
    main()
