"""A learner in a script: talks with the responder, and knows the answers."""

from __future__ import annotations

from empathic_sdk.tutoring import Problem, judge, make
from empathic_sdk.types import Emotion, UserContext
from empathic_sdk.types.reply import Reply
from tests.conftest import Talk, make_state


class Learner(Talk):
    """``RIGHT``, ``WRONG`` and ``MISTAKE`` in a text stand for such an answer."""

    def __init__(self, name: str = "lesson", *, limit: int | None = None) -> None:
        super().__init__(name, scenario="tutoring", max_sentences=limit)
        self.clock: float | None = None

    @property
    def problem(self) -> Problem:
        exercise = self.replies[-1].exercise
        assert exercise is not None
        return make(exercise.skill, exercise.level, int(exercise.id.rsplit("-", 1)[1]))

    def say(  # type: ignore[override]
        self,
        text: str,
        label: Emotion = Emotion.NEUTRAL,
        at: float | None = None,
        after: float | None = None,
        uncertain: bool = False,
    ) -> Reply:
        """Say a line ``at`` a time or ``after`` some seconds."""
        from empathic_sdk.responders.embedded import EmbeddedResponder

        for word in ("RIGHT", "WRONG", "MISTAKE"):
            if word in text:
                text = text.replace(word, self.answer(word))
        if after is not None:
            at = (self.clock or 0.0) + after
        self.clock = at
        context = self.context(text, make_state(label, uncertain=uncertain))
        context = context.model_copy(update={"at": at})
        reply = EmbeddedResponder().reply(context)
        self.memory = reply.memory
        known = {**self.user.mastery, **reply.mastery}
        self.user = UserContext(user="ada", turns=len(self.replies) + 1, mastery=known)
        self.history.append(context.state)
        self.replies.append(reply)
        return reply

    def answer(self, kind: str) -> str:
        problem = self.problem
        if kind == "RIGHT":
            return problem.steps[-1].math
        if kind == "MISTAKE":
            return str(next(iter(problem.mistakes.values()))).replace("**", "^")
        wrong = str(problem.answer + 17).replace("**", "^")
        assert judge(problem, wrong).outcome == "wrong"
        return wrong
