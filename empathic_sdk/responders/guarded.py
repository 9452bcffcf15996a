"""Wraps a plugged-in responder with the safety protocol and the output guard."""

from __future__ import annotations

import logging

from empathic_sdk.errors import HookError, log_in_full
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.llm import TIMEOUT_S
from empathic_sdk.runtime.lanes import Lane
from empathic_sdk.safety.output_guard import SecondOpinion, check_sentence
from empathic_sdk.style import call, told
from empathic_sdk.types import SafetyLevel
from empathic_sdk.types.protocols import Responder
from empathic_sdk.types.reply import STRATEGIES, Reply, ReplyContext

log = logging.getLogger("empathic_sdk")


class GuardedResponder:
    """Lets a responder answer quiet turns; the safety protocol answers the others.

    The embedded reply is made first, as for a language model: it provides strategy, memory, the
    protocol's part, and the fallback if the responder fails.

    Args:
        inner: The responder; it gets a copy of the context.
        fallback: Answers in a crisis, and if ``inner`` fails.
        timeout_s: Time limit of ``inner`` in seconds.
    """

    def __init__(
        self,
        inner: Responder,
        *,
        fallback: EmbeddedResponder | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.inner = inner
        self.name = str(getattr(inner, "name", type(inner).__name__))
        self.second: SecondOpinion | None = None
        self._embedded = fallback or EmbeddedResponder()
        self._timeout_s = timeout_s
        self._lane = Lane()

    def reply(self, context: ReplyContext) -> Reply:
        """Answer one turn.

        Returns:
            ``responder`` says who answered; ``fallbacks`` what went wrong, such as
            ``"responder:ValueError"`` or ``"responder:unsafe:diagnosis"``.
        """
        base = self._embedded.reply(context)
        kept = tuple(
            s for s in base.sentences if any(h.contact in s for h in base.safety.help_lines)
        )
        limit = context.style.pacing.max_sentences - len(kept)
        if base.safety.level != SafetyLevel.NONE or (base.safety.actions and not kept) or limit < 1:
            return base
        try:
            given = context.model_copy(deep=True)
            draft = call(self.inner.reply, given, limit=self._timeout_s, lane=self._lane)
            if not isinstance(draft, Reply):
                raise HookError(f"a responder must return a Reply, not {type(draft).__name__}")
            chose = "strategy" in draft.model_fields_set
            draft = Reply(**{name: getattr(draft, name) for name in Reply.model_fields})
        except Exception as error:
            log_in_full(error, "the responder")
            log.warning("the responder failed; the embedded one answers: %s", told(error))
            return _noting(base, f"responder:{type(error).__name__}")
        said, refused = [], []
        for sentence in draft.sentences[:limit]:
            verdict = check_sentence(sentence, context, self.second)
            if verdict.allowed:
                said.append(sentence)
                continue
            refused.append(f"responder:unsafe:{verdict.reason}")
            if verdict.grave:
                said.clear()
                break
        fallbacks = (*draft.fallbacks, *dict.fromkeys(refused))
        if not said:
            return _noting(base, *fallbacks)
        strategy = draft.strategy if chose else base.strategy
        remembered: dict[str, object] = {
            "profile_used": context.memory.profile_used,
            "strategies": (*context.memory.strategies, strategy)[-STRATEGIES:],
        }
        if not kept:
            remembered["recent"] = context.memory.recent
        return base.model_copy(
            update={
                "sentences": (*said, *(s for s in kept if s not in said)),
                "strategy": strategy,
                "memory": base.memory.model_copy(update=remembered),
                "responder": self.name if draft.responder == "embedded" else draft.responder,
                "fallbacks": fallbacks,
            }
        )


def _noting(reply: Reply, *fallbacks: str) -> Reply:
    return reply.model_copy(update={"fallbacks": fallbacks})
