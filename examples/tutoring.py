"""A lesson: answers are judged, hints come step by step, the learner's mood is considered."""

from empathic_sdk import EmotionAwareAgent

# The exercises of a talk follow from its name, so these answers fit what is asked.
LINES = (
    "hi",
    "7/12",
    "I don't get it",
    "7/6",
    "(2 + 5)/12",
    "7/12",
    "this is too easy",
    "1",
    "ugh, I hate this",
    "1/5",
    "another topic: equations",
    "show me an example",
    "x = 4",
    "I give up",
    "thanks, bye",
)


def main() -> None:
    with EmotionAwareAgent(scenario="tutoring") as agent:
        for line in LINES:
            turn = agent.respond(line, user="ada", conversation="monday")
            print(f"ada    {line}")
            if turn.answer is not None:
                print(f"       [{turn.answer.outcome}: {turn.answer.remark or '-'}]")
            print(f"tutor  {turn.reply}\n")
        for skill, mastery in agent.profiles.get("ada").mastery.items():
            print(f"{skill}: {mastery.known:.2f} after {mastery.seen}")


if __name__ == "__main__":
    main()
