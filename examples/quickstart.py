"""A first conversation: the recognised emotion, the chosen tone, and the reply."""

from empathic_sdk import EmotionAwareAgent

LINES = (
    "I failed the exam again.",
    "I'm scared I'll lose my place.",
    "But then my sister came over and we laughed for an hour!",
)


def main() -> None:
    with EmotionAwareAgent() as agent:
        print(agent.notice(), end="\n\n")
        for line in LINES:
            turn = agent.respond(line, user="ada")
            feeling = turn.emotion
            sure = "perhaps " if feeling.uncertain else ""
            print(f"ada    {line}")
            print(
                f"       [{sure}{feeling.label} {feeling.confidence:.0%}, {turn.style.tone.name}]"
            )
            print(f"agent  {turn.reply}\n")


if __name__ == "__main__":
    main()
