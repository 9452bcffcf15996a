"""The one switch of ``empathic evaluate replies``: the agent as it is, or one that notices nothing.

Both are :class:`~empathic_sdk.EmotionAwareAgent` with the embedded responder. *Off*, the
recogniser reports the same state on every turn: neutral, certain, calm, nothing changed. The
default hooks then give the default style, the planner and the templates those of a neutral turn.
What reads the words and not the state stays on in both: conversational acts, subjects, words of
hardship, the safety protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.lab.corpora.reply_moments import ReplyTalk
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.types import Emotion, EmotionState, Turn, UserContext, Utterance

FLAT = EmotionState(
    label=Emotion.NEUTRAL,
    probabilities={e: float(e is Emotion.NEUTRAL) for e in Emotion},
    confidence=1.0,
    uncertain=False,
    valence=0.0,
    arousal=0.0,
    intensity=0.0,
    contributions={},
)
"""What the recogniser says of everything where adaptation is off."""


class Unmoved:
    """A recogniser that stands for the one it is given, and always reports :data:`FLAT`."""

    def __init__(self, recognizer: EmotionRecognizer) -> None:
        """Keep the other one: what reads words for safety asks it for its text encoder."""
        self._recognizer = recognizer

    def __getattr__(self, name: str) -> Any:
        """Be the other in all else."""
        return getattr(self._recognizer, name)

    def session(self, user: UserContext | None = None) -> _Session:
        """Start a dialogue."""
        return _Session(user or UserContext())


class _Session:
    """Nothing is made of what is said, so it need not be read."""

    def __init__(self, user: UserContext) -> None:
        self.user = user

    def add(self, utterance: Utterance | str) -> EmotionState:
        return FLAT

    def state(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        pass


class Answered(NamedTuple):
    """One talk as the agent answered it, a turn for each of its moments."""

    talk: ReplyTalk
    turns: tuple[Turn, ...]


def answered(
    talks: Sequence[ReplyTalk], recognizer: EmotionRecognizer, *, adapt: bool = True
) -> Iterator[Answered]:
    """Let an agent answer every moment of the talks, each talk as a person of its own.

    The agent hears what the person of the corpus said, and its own replies: not what the other
    person answered. So from the second moment on, what is said answers somebody else.

    Args:
        talks: The talks.
        recognizer: What reads emotion.
        adapt: ``False``: the switch is off.
    """
    with EmotionAwareAgent(recognizer=recognizer if adapt else Unmoved(recognizer)) as agent:
        for talk in talks:
            name = f"{talk.corpus}-{talk.id}"
            yield Answered(
                talk,
                tuple(agent.respond(text, user=name, conversation=name) for text in talk.said),
            )
            agent.profiles.erase(name)
