"""A language model of your own writes the replies: anything with a name and stream(messages)."""

from collections.abc import Iterator, Sequence

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.types import ChatMessage


class Parrot:
    """Stands in for a model server: gets the system prompt and streams an answer."""

    name = "own:parrot"

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the answer in pieces."""
        system, *_, last = messages
        guess = "sad" if "read as sadness" in system.text else "something"
        yield f"It sounds as if that may have felt {guess}. "
        yield f"What was the hardest part of it, {len(last.text.split())} words in? "
        yield "You have depression."  # refused: the check drops it


def main() -> None:
    with EmotionAwareAgent(Parrot()) as agent:
        for text in ("I failed the exam again.", "I don't want to live any more."):
            turn = agent.respond(text, user="ada")
            print(f"{turn.responder} {list(turn.fallbacks)}: {turn.reply}")


if __name__ == "__main__":
    main()
