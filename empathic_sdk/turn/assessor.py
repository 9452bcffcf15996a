"""The safety assessment that ships, as something that can be plugged in, wrapped or replaced."""

from __future__ import annotations

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.safety.assessment import assess_turn, shipped_reader
from empathic_sdk.safety.judgement import RiskContext
from empathic_sdk.types import SafetyAssessment
from empathic_sdk.types.reply import TurnContext


class RiskAssessor:
    """Patterns and risk model over a conversation; fits ``SafetyAssessor``.

    Args:
        text: The encoder that the risk model shares; ``None``: the patterns judge alone.
    """

    def __init__(self, text: TextEncoder | None) -> None:
        self._reader = None if text is None else shipped_reader(text)

    def assess(self, context: TurnContext, /) -> SafetyAssessment:
        """Return how worrying ``context.text`` is in its conversation."""
        return assess_turn(
            context.text,
            # "I give up" of an exercise is no weak sign for a low mood to turn into a strong one.
            None if context.gives_up else context.state,
            before=context.before,
            context=RiskContext(level=context.previous, asked=context.asked),
            reader=self._reader,
        )
