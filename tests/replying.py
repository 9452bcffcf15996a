"""States and whole conversations for tests of replies."""

from __future__ import annotations

from empathic_sdk import testing
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.safety.detector import assess
from empathic_sdk.style import decide
from empathic_sdk.types import Emotion, HookContext, Pacing, UserContext
from empathic_sdk.types.reply import ReplyContext, ResponderMemory


def make_state(
    label=Emotion.NEUTRAL,
    intensity=0.6,
    uncertain=False,
    shift=None,
    trend="steady",
    confidence=None,
    valence=None,
):
    """The state of a label; its confidence does not follow its probability, as in real ones."""
    fields = {} if valence is None else {"valence": valence}
    fields |= {"intensity": intensity, "uncertain": uncertain, "shift": shift, "trend": trend}
    made = testing.state(label, confidence=0.7, **fields)
    return made.model_copy(update={"confidence": confidence or (0.3 if uncertain else 0.8)})


class Talk:
    """Holds one talk as the pipeline would: assess, decide, reply, remember."""

    def __init__(self, name="talk", scenario="counselling", user=None, max_sentences=None):
        self.name = name
        self.scenario = scenario
        self.user = user or UserContext()
        self.max_sentences = max_sentences
        self.memory = ResponderMemory()
        self.history = []
        self.replies = []

    def context(self, text, state=None):
        state = state or make_state()
        safety = assess(text, state, previous=self.memory.level)
        turn = len(self.history)
        style, _ = decide(
            HookContext(
                state=state,
                history=tuple(self.history[-20:]),
                user=self.user,
                safety=safety,
                scenario=self.scenario,
                turn=turn,
            )
        )
        if self.max_sentences is not None:
            pacing = Pacing(delay_s=0, words_per_minute=200, max_sentences=self.max_sentences)
            style = style.model_copy(update={"pacing": pacing})
        return ReplyContext(
            text=text,
            state=state,
            history=tuple(self.history),
            style=style,
            safety=safety,
            user=self.user,
            scenario=self.scenario,
            turn=turn,
            conversation=self.name,
            memory=self.memory,
        )

    def say(self, text, label=Emotion.NEUTRAL, **kinds):
        context = self.context(text, make_state(label, **kinds))
        reply = EmbeddedResponder().reply(context)
        self.memory = reply.memory
        self.history.append(context.state)
        self.replies.append(reply)
        return reply
