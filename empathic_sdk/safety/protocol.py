"""The safety protocol: what is said when a turn is worrying.

Acknowledge; ask directly and calmly; name human help; urge both a professional and someone they
trust; stay. Never methods, never a diagnosis, never an end of the conversation. The full list of
lines is shown at first and every :data:`SHOW_EVERY` turns; in between one line stays in sight.
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
"""Sentences that a high or imminent turn may take whatever the pacing says: a style must not cut
the question, the help line or the encouragement."""

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
# What is said, most needed first; a reply takes as many as it may and keeps their spoken order.
_FIRST = ("ask", "lines", "support", "acknowledge", "stay")
_FIRST_URGENT = ("lines", "ask", "support", "distance", "acknowledge", "stay")
_NEXT = ("remind", "follow", "follow_ask")
_GENTLE = ("ask", "acknowledge", "remind", "support")
_SPOKEN = (
    "acknowledge", "confirmed", "safe", "follow", "ask", "follow_ask", "lines", "remind",
    "distance", "support", "stay",
)  # fmt: skip


def answer(context: ReplyContext, voice: Voice) -> tuple[SafetyAssessment, ResponderMemory]:
    """Say what the protocol asks for.

    Args:
        context: A turn whose safety level is ``concern`` or above.
        voice: Takes the sentences.

    Returns:
        The assessment with ``actions`` and ``help_lines``, and the memory with the protocol's
        own fields brought up to date.
    """
    safety, memory = context.safety, context.memory
    risk = risk_of(safety.reasons, memory.risk)
    lines = help_lines(locale_of(context), about=risk)
    acute = safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
    since = None if memory.since_lines is None else memory.since_lines + 1
    limit = context.style.pacing.max_sentences
    if acute:
        # A turn that is more urgent than the last one starts the protocol afresh.
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
    """Say whether an acute turn is recent enough that a help line stays in sight."""
    return (
        memory.risk is not None
        and memory.since_lines is not None
        and memory.since_lines <= SHOW_EVERY
    )


def aftercare(
    context: ReplyContext, voice: Voice, *, alone: bool, always: bool = False
) -> SafetyAssessment:
    """Keep a help line in sight on a quiet turn that follows an acute one.

    Args:
        context: The turn.
        voice: Takes the sentences.
        alone: Whether nothing else is said, so that an acknowledgement and a question go before.
        always: Whether the line is shown even where the pacing has no room left.

    Returns:
        The assessment with what was done.
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
    """Name a help line beside a text that cannot be read, if the pacing leaves room for it.

    Args:
        context: The turn.
        voice: Takes the sentence.

    Returns:
        The assessment with what was done.
    """
    if len(voice.sentences) >= context.style.pacing.max_sentences:
        return context.safety
    lines = help_lines(locale_of(context))
    voice.say(voice.bank("foreign", "safety")["remind"], number=_short(lines[0]))
    return context.safety.model_copy(
        update={"actions": ("kept_help_line_in_sight",), "help_lines": lines[:1]}
    )


def risk_of(reasons: tuple[str, ...], before: str | None = None) -> str:
    """Name what the risk is about: ``suicide self_harm abuse harm harm_done``, in this order.

    Args:
        reasons: Of the assessment.
        before: What it was about last time, for a turn that only carries on.
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
    """Return the region whose help lines are shown: a preference of the person, or ``None``."""
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
