"""A person corrects the agent several times; see how it reads the same words afterwards."""

from empathic_sdk import EmotionAwareAgent

WORDS = "I'm fine."


def main() -> None:
    with EmotionAwareAgent() as agent:

        def sadness(talk: str) -> float:
            turn = agent.respond(WORDS, user="ada", conversation=talk)
            agent.feedback(turn.id, user="ada", emotion="sadness", rating=1)
            return turn.emotion.probabilities["sadness"]

        first = sadness("monday")
        for day in range(5):
            sadness(f"day {day}")
        last = sadness("sunday")
        kept = len(agent.profiles.export("ada")["feedback"])
        print(f"{kept} corrections kept")
        print(f"sadness in {WORDS!r}: {first:.0%} at first, {last:.0%} after them")


if __name__ == "__main__":
    main()
