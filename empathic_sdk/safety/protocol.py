"""The safety protocol: the reply to a worrying turn.

It acknowledges, asks directly and calmly, names human help, recommends both a professional and
someone they trust, and stays in the conversation. It never names methods, diagnoses, or ends the
conversation. The full list of help lines is shown first and then every :data:`SHOW_EVERY` turns,
one line on the turns in between.
"""

from __future__ import annotations

from empathic_sdk.language.realization import Voice
from empathic_sdk.language.templates import help_lines
from empathic_sdk.safety.kinds import SUICIDE_REASONS
from empathic_sdk.types import HelpLine, SafetyAssessment, SafetyLevel
from empathic_sdk.types.reply import ReplyContext, ResponderMemory

SHOW_EVERY = 5
"""Turns after which the full list of help lines is shown again."""

MINIMUM = 5
"""Sentences that a reply to a high or imminent turn may have at any pacing: the style must not
remove the question, the help line or the encouragement."""

_ACTION = {
    "acknowledge": "acknowledged",
    "confirmed": "acknowledged",
    "safe": "acknowledged",
    "follow": "acknowledged",
    "ask": "asked_directly",
    "follow_ask": "asked_follow_up",
    "lines": "showed_help_lines",
    "near": "showed_help_lines",
    "remind": "kept_help_line_in_sight",
    "distance": "urged_distance_from_means",
    "support": "encouraged_support",
    "stay": "stayed_in_conversation",
}
# Sentences by importance; a reply takes as many as it may, in their spoken order.
_FIRST = ("ask", "lines", "support", "acknowledge", "stay")
_FIRST_URGENT = ("lines", "ask", "support", "distance", "acknowledge", "stay")
_NEXT = ("remind", "follow", "follow_ask")
_GENTLE = ("ask", "acknowledge", "remind", "support")
_SPOKEN = (
    "acknowledge", "confirmed", "safe", "follow", "ask", "follow_ask", "lines", "remind",
    "distance", "support", "stay",
)  # fmt: skip


def answer(context: ReplyContext, voice: Voice) -> tuple[SafetyAssessment, ResponderMemory]:
    """Write the protocol's reply.

    Args:
        context: A turn whose safety level is ``concern`` or above.
        voice: Receives the sentences.

    Returns:
        The assessment with ``actions`` and ``help_lines``, and the memory with the protocol's
        fields updated.
    """
    safety, memory = context.safety, context.memory
    risk = risk_of(safety.reasons, memory.risk)
    lines = help_lines(locale_of(context), about=risk)
    acute = safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
    since = None if memory.since_lines is None else memory.since_lines + 1
    limit = context.style.pacing.max_sentences
    if acute:
        # A turn that is more urgent than the last one restarts the protocol.
        rising = safety.level == SafetyLevel.IMMINENT != memory.level
        full = since is None or since >= SHOW_EVERY or rising
        urgent = safety.level == SafetyLevel.IMMINENT
        bank = voice.bank("imminent" if urgent and risk in ("suicide", "self_harm") else risk,
                          "safety")  # fmt: skip
        order: tuple[str, ...] = (_FIRST_URGENT if urgent else _FIRST) if full else _NEXT
        if "confirmed" in safety.reasons and "confirmed" in bank:
            order = tuple(
                "confirmed" if part in ("follow", "acknowledge") else part for part in order
            )
        limit = max(limit, MINIMUM)
    else:
        full = False
        order = _GENTLE
        bank = voice.bank(_gentle_bank(safety.reasons), "safety")
        if "reached_out" in safety.reasons and "safe" in bank:
            order = tuple("safe" if part == "acknowledge" else part for part in order)
    parts = [part for part in order if part in bank][:limit]
    actions = [] if acute else ["checked_in"]
    for part in sorted(parts, key=_SPOKEN.index):
        if voice.say(bank[part], line=_list(lines), number=_short(lines[0])):
            if acute or part in ("remind", "support"):
                actions.append(_ACTION[part])
            elif part == "ask" and "suicide" in voice.sentences[-1]:
                actions.append("asked_directly")
    shown = lines if full else lines[:1] if "remind" in parts else ()
    done = safety.model_copy(update={"actions": tuple(actions), "help_lines": tuple(shown)})
    kept = memory.model_copy(
        update={
            "level": safety.level,
            "risk": risk if acute else memory.risk,
            "since_lines": 0 if full else since,
        }
    )
    return done, kept


def in_aftercare(memory: ResponderMemory) -> bool:
    """Say whether an acute turn is so recent that a help line is still shown."""
    return (
        memory.risk is not None
        and memory.since_lines is not None
        and memory.since_lines <= SHOW_EVERY
    )


def aftercare(
    context: ReplyContext, voice: Voice, *, alone: bool, always: bool = False
) -> SafetyAssessment:
    """Show a help line on a quiet turn after an acute one.

    Args:
        context: The turn.
        voice: Receives the sentences.
        alone: Whether nothing else is said, so that an acknowledgement and a question come first.
        always: Whether to show the line even if the pacing leaves no room.

    Returns:
        The assessment with the actions taken.
    """
    bank = voice.bank("aftercare", "safety")
    lines = help_lines(locale_of(context), about=context.memory.risk or "")
    if alone and context.style.pacing.max_sentences > 2:
        voice.say(bank["acknowledge"])
    if alone and context.style.pacing.max_sentences > 1:
        voice.say(bank["ask"])
    if len(voice.sentences) >= context.style.pacing.max_sentences and not always:
        return context.safety
    voice.say(bank["remind"], number=_short(lines[0]))
    return context.safety.model_copy(
        update={"actions": ("kept_help_line_in_sight",), "help_lines": lines[:1]}
    )


def offer(context: ReplyContext, voice: Voice) -> SafetyAssessment:
    """Name a help line after an unreadable text, if the pacing leaves room for it.

    Args:
        context: The turn.
        voice: Receives the sentence.

    Returns:
        The assessment with the actions taken.
    """
    if len(voice.sentences) >= context.style.pacing.max_sentences:
        return context.safety
    lines = help_lines(locale_of(context))
    voice.say(voice.bank("foreign", "safety")["remind"], number=_short(lines[0]))
    return context.safety.model_copy(
        update={"actions": ("kept_help_line_in_sight",), "help_lines": lines[:1]}
    )


def risk_of(reasons: tuple[str, ...], before: str | None = None) -> str:
    """Return the subject of the risk: ``suicide self_harm abuse harm harm_done``, in this order.

    Args:
        reasons: Reasons of the assessment.
        before: The subject of the last turn, for a turn that only continues it.
    """
    found = set(reasons)
    if found & SUICIDE_REASONS:
        return "suicide"
    for risk, about in (
        ("self_harm", {"self_harm"}),
        ("abuse", {"abuse", "unsafe_home"}),
        ("harm", {"harm_to_others"}),
        ("harm_done", {"harm_done"}),
    ):
        if found & about:
            return risk
    return before or "suicide"


def locale_of(context: ReplyContext) -> str | None:
    """Return the region for help lines from the person's preferences, or ``None``."""
    preferences = context.user.preferences
    return preferences.get("locale") or preferences.get("language")


def _gentle_bank(reasons: tuple[str, ...]) -> str:
    found = set(reasons)
    for reason, bank in (
        ("bereavement", "bereavement"),
        ("past", "past"),
        ("other_person", "other_person"),
    ):
        if reason in found:
            return bank
    if found & {"abuse", "unsafe_home"}:
        return "abuse"
    if "left_danger" in found:
        return "left_danger"
    if "harm_done" in found:
        return "harm_done"
    if "harm_to_others" in found:
        return "harm"
    if found == {"denied"}:
        return "denied"
    return "recent" if found <= {"recent_risk", "reached_out"} else "concern"


def _list(lines: tuple[HelpLine, ...]) -> str:
    return "; ".join(f"{line.name} ({line.contact}, {line.hours})" for line in lines)


def _short(line: HelpLine) -> str:
    return f"{line.name} ({line.contact})"
