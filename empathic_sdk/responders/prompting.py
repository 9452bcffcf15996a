"""Prompts for language models: system prompt and messages.

Nothing that a person typed reaches a system message: not their text, not their name, not a
preference in their own words. It consists of the template lines of ``prompts/llm``, estimates,
names from this package's own lists, the product's own prompt, and the tone's instructions, which
the developer's hook chooses. So no text of a person can change it.
"""

from __future__ import annotations

import re

from empathic_sdk.dialogue.strategy import SHIFT
from empathic_sdk.language.templates import load_bank
from empathic_sdk.types import ChatMessage, Emotion, SafetyLevel, Strategy
from empathic_sdk.types.reply import ReplyContext

LONGEST_TEXT = 8000
"""Maximum characters of a person's message in a prompt; a longer one is cut in the middle."""

LONGEST_PAST = 2000
"""The same for a message of an earlier turn."""

HISTORY_CHARS = 6000
"""Maximum characters of earlier turns in a prompt, the newest first."""

ANSWER_TOKENS = 400
"""Tokens of a model's context that are left for its answer."""

CHARS_PER_TOKEN = 3
"""Characters of a token, at the least that is usual for European languages."""

_VALENCE = (
    (-0.5, "very unpleasant"),
    (-0.15, "unpleasant"),
    (0.15, "neither pleasant nor unpleasant"),
    (0.5, "pleasant"),
    (2.0, "very pleasant"),
)
_AROUSAL = ((-0.33, "calm"), (0.33, "neither calm nor agitated"), (2.0, "agitated or excited"))
_INTENSITY = ((0.33, "faintly felt"), (0.66, "clearly felt"), (2.0, "strongly felt"))
_DEGREE = ((0.34, "low"), (0.67, "middling"), (2.0, "high"))
# Languages a person may ask for, by the first part of a BCP 47 tag. A closed list, so that a
# preference cannot carry a sentence.
_LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
# Tokens that chat templates read as the end of a message or the start of another role. A model
# server that does not escape them would let a text leave its role.
_MARKERS = re.compile(
    r"<[|｜]|[|｜]>|\[/?INST\]|<</?SYS>>|</?s>"
    r"|</?(?:start_of_turn|end_of_turn|bos|eos|pad|unk|system|user|assistant|im_start|im_end)>"
    r"|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e007f\ud800-\udfff]"
)


def system_prompt(
    context: ReplyContext,
    strategy: Strategy,
    *,
    language: str = "en",
    role: bool = True,
    line_follows: bool = False,
) -> str:
    """Write the system prompt of one reply: what is the same in every turn, then the state.

    Args:
        context: The turn. Its text and names are not used.
        strategy: The planned strategy.
        language: Language of the templates.
        role: Whether to describe the model's role; ``False`` if the developer's prompt does.
        line_follows: The program adds a help line below the reply.

    Returns:
        Sections of sentences.

    Raises:
        ConfigurationError: A template is missing or broken.
    """
    rules = _rules(context.scenario, language, role=role)
    state = state_prompt(context, strategy, language=language, line_follows=line_follows)
    return f"{rules}\n\n{state}"


def state_prompt(
    context: ReplyContext, strategy: Strategy, *, language: str = "en", line_follows: bool = False
) -> str:
    """Write the part of a system prompt that changes with the turn: state, manner and length."""
    return _sections(
        _state(context, language),
        _manner(context, strategy, language, line_follows=line_follows),
        _length(context, language),
    )


def chat(
    context: ReplyContext,
    strategy: Strategy,
    *,
    language: str = "en",
    line_follows: bool = False,
    product: str = "",
    short: bool = False,
    context_tokens: int | None = None,
) -> list[ChatMessage]:
    """Return the messages for one reply.

    First what is the same in every request of a conversation: the product's prompt and the rules as
    a system message, then the earlier turns. Then the state, as a system message of its own, and
    the new utterance. Without earlier turns, and in the short form, there is one system message.

    Args:
        context: The turn.
        strategy: The planned strategy.
        language: Language of the templates.
        line_follows: The program adds a help line below the reply.
        product: The product's own system prompt, in place of the shipped role.
        short: Tell only the role and the length.
        context_tokens: Tokens that the model takes in; earlier turns that do not fit are left out.
    """
    if short:
        stable = product.strip() or _sections(
            load_bank("llm", "short", language)[_kind_of(context.scenario)]
        )
        state = _sections(_length(context, language, bank="short"))
        stable, state = f"{stable}\n{state}", ""
    else:
        stable = _rules(context.scenario, language, role=True, product=product)
        state = state_prompt(context, strategy, language=language, line_follows=line_follows)
    room, longest = HISTORY_CHARS, LONGEST_TEXT
    if context_tokens is not None:
        free = max(0, context_tokens - ANSWER_TOKENS) * CHARS_PER_TOKEN - len(stable) - len(state)
        longest = min(longest, max(LONGEST_PAST // 4, free))
        room = max(0, min(room, free - min(len(context.text), longest)))
    past: list[ChatMessage] = []
    for exchange in reversed(context.past):
        said, reply = (safe_text(words, LONGEST_PAST) for words in exchange)
        room -= len(said) + len(reply)
        if room < 0:
            break
        past[:0] = [ChatMessage("user", said), ChatMessage("assistant", reply)]
    new = ChatMessage("user", safe_text(context.text, longest))
    if not state or not past:
        told = f"{stable}\n\n{state}" if state else stable
        return [ChatMessage("system", told), *past, new]
    return [ChatMessage("system", stable), *past, ChatMessage("system", state), new]


def told_so(messages: list[ChatMessage], misfit: str, language: str = "en") -> list[ChatMessage]:
    """Return the messages of a second try: the last system message says what did not fit.

    Args:
        messages: Those of the first try.
        misfit: What :func:`~empathic_sdk.responders.fitting.misfit` said of its draft.
        language: Language of the templates.
    """
    at = max(i for i, m in enumerate(messages) if m.role == "system")
    lines = "\n".join(load_bank("llm", "again", language)[misfit])
    return [m._replace(text=f"{m.text}\n{lines}") if i == at else m for i, m in enumerate(messages)]


def safe_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a person's words for the user role: bounded, no unseen characters, no role markers.

    Markers of chat templates (``<|im_start|>``, ``[INST]``, ``</s>``, ...) get a space inside, so
    that no tokenizer takes them for the end of the message.
    """
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} … {text[-half:]}"
    # Remove invisible characters first: one may be inside a marker.
    text = _UNSEEN.sub("", text)
    return _MARKERS.sub(lambda m: f"{m[0][0]} {m[0][1:]}", text)


def _sections(*sections: tuple[str, ...]) -> str:
    return "\n\n".join("\n".join(lines) for lines in sections)


def _kind_of(scenario: str) -> str:
    return "tutoring" if scenario == "tutoring" else "counselling"


def _rules(scenario: str, language: str, *, role: bool, product: str = "") -> str:
    """Write what a model is told in every turn."""
    bank = load_bank("llm", "system", language)
    own = (product.strip(), *bank["ai"]) if product.strip() else (*bank["role"], *bank["ai"])
    sections = [own] if role else []
    if role and not product.strip():
        sections.append(bank[_kind_of(scenario)])
    return _sections(*sections, bank["untrusted"], bank["never"], bank["form"])


def _state(context: ReplyContext, language: str) -> tuple[str, ...]:
    bank = load_bank("llm", "state", language)
    state = context.state
    lines: list[str] = []
    ranked = sorted(state.probabilities.items(), key=lambda item: -item[1])
    lines += _fill(
        bank["unsure" if state.uncertain else "sure"],
        emotion=state.label.value,
        number=_percent(state.confidence),
    )
    others = [(e, p) for e, p in ranked if e != state.label and p >= 0.15]
    if others:
        lines += _fill(bank["second"], emotion=others[0][0].value, number=_percent(others[0][1]))
    felt = (
        _word(_VALENCE, state.valence),
        _word(_AROUSAL, state.arousal),
        _word(_INTENSITY, state.intensity),
    )
    lines += _fill(bank["affect"], value=", ".join(felt))
    if state.shift is None:
        lines += bank["first"]
    else:
        before = context.history[-1].label if context.history else Emotion.NEUTRAL
        moved = state.shift >= SHIFT
        lines += _fill(
            bank["shifted" if moved else "unshifted"],
            number=_percent(state.shift),
            emotion=before.value,
        )
        lines += bank[state.trend.value]
    return tuple(lines)


def _manner(
    context: ReplyContext, strategy: Strategy, language: str, *, line_follows: bool
) -> tuple[str, ...]:
    bank = load_bank("llm", "state", language)
    tone = context.style.tone
    level = context.safety.level
    lines = [*_fill(bank["tone"], value=tone.instructions.strip().rstrip("."))]
    degrees = (("warmth", tone.warmth), ("energy", tone.energy), ("formality", tone.formality))
    lines += _fill(
        bank["degrees"], value=", ".join(f"{name} {_word(_DEGREE, x)}" for name, x in degrees)
    )
    lines += bank[strategy.value]
    recent = level == SafetyLevel.NONE and context.memory.since_lines is not None
    lines += bank["aftercare" if recent and line_follows else f"safety_{level.value}"]
    if line_follows:
        lines += bank["line_follows"]
    return tuple(lines)


def _length(context: ReplyContext, language: str, *, bank: str = "system") -> tuple[str, ...]:
    lines_of = load_bank("llm", bank, language)
    limit = context.style.pacing.max_sentences
    lines = lines_of["length_one"] if limit == 1 else _fill(lines_of["length"], number=str(limit))
    asked = context.user.preferences.get("language", "")
    name = _LANGUAGES.get(asked.strip().replace("_", "-").split("-")[0].lower())
    spoken = (
        lines_of.get("language", ())
        if name is None
        else _fill(lines_of["language_asked"], value=name)
    )
    return (*lines, *spoken)


def _fill(lines: tuple[str, ...], **slots: str) -> tuple[str, ...]:
    # format() interprets braces only in the template, not in values.
    return tuple(line.format(**slots) for line in lines)


def _word(scale: tuple[tuple[float, str], ...], value: float) -> str:
    return next(word for limit, word in scale if value <= limit)


def _percent(probability: float) -> str:
    return f"{probability:.0%}"
