"""The output guard: checks each sentence of a language model before it is shown.

The rules (``patterns/drafts.toml``) can be read, tested and discussed; they are English, and they
miss unforeseen wordings. If they find nothing, a second opinion may be used (``draft_model.py``).
A sentence that breaks a rule is dropped; if the rule is *grave*, the whole draft is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from empathic_sdk.language.normalization import unmask
from empathic_sdk.language.sentences import LONGEST, split, tidy
from empathic_sdk.language.templates import help_lines
from empathic_sdk.safety.detector import assess
from empathic_sdk.safety.draft_rules import DraftSentence
from empathic_sdk.safety.protocol import locale_of
from empathic_sdk.types import SafetyLevel
from empathic_sdk.types.reply import ReplyContext


class Verdict(NamedTuple):
    """Result of checking one sentence.

    Attributes:
        allowed: Whether it may be shown.
        reason: The rule that it breaks; empty if none.
        grave: Whether the rest of the draft must not be shown either.
    """

    allowed: bool
    reason: str = ""
    grave: bool = False


ALLOWED = Verdict(allowed=True)

GRAVE = frozenset({"methods", "encouragement", "secrecy", "ending", "contempt", "risk"})
"""Reasons by which a draft could do a person harm.

``markup`` that is grave is none of them: a web page or a call of a tool takes the rest of its draft
with it only where a conversation was asked for.
"""

OVERLAP = 200
"""Characters by which pieces of an overlong sentence overlap."""

# What is no conversation at all: a page of a proxy or a login, a call of a tool, a record for a
# program.
_PAGE = re.compile(
    r"<!doctype\b|<\?xml\b|</?(?:html|head|body|script|style|iframe|form|table|title|meta|link|svg|center|h1)\b",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"""^\W{0,8}(?:json|tool_code|tool_call|function_call)?\W{0,8}[{\[]\s*["']?\w+["']?\s*:|["'](?:name|tool|function|arguments|parameters|tool_calls?|function_call|tool_input|action_input)["']\s*:|"""
    r"""</?(?:tool_call|function_call|function|tool_use|invoke|tool_code|tool_response)\b|\[/?TOOL_CALLS?\]|^\W{0,4}(?:print\()?[a-z_]++(?:\.[a-z_]++|(?<=[a-z_]{2}))\((?:[\w]+\s*=\s*)?["'{\[]""",
    re.IGNORECASE,
)
# An address: of a scheme, without one, with a path, of an ending that no word has.
_SITE = (
    r"\b(?:https?|ftp|file|javascript|vbscript|mailto|tel|sms):(?=\S)|\bdata:\w+/|"
    r"(?<![\w:/])//[\w-]++\.|www\.|\b(?<!-)[\w-]++\.(?:com|org|net|io|info|gov|edu|co\.uk|ly|gl|de|"
    r"fr|app|dev|xyz|online|site|link)\b|\b(?<!-)[\w-]++\.[a-z]{2,24}/[\w~%?=#-]|\S@[^\s@]++"
)
_LINK = re.compile(_SITE)
_CONTACT = re.compile(rf"\+?\d(?:[ ()./-]*+\d){{2,}}|{_SITE}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CALLS = re.compile(
    r"\b(?:call|text|dial|ring|phone|reach|contact|hotline|helpline|lifeline|hot line|help line|"
    r"number|sms|crisis|visit|website|emergency|write to|email)\b"
)
_DIGITS = re.compile(r"\D+")
_FIRST = re.compile(r"\b(?:i|me|my|myself|we|us)\b")


SecondOpinion = Callable[[str], str]
"""Returns the reason to reject a sentence, or an empty string; must not raise."""


def check_sentence(
    text: str, context: ReplyContext, second: SecondOpinion | None = None
) -> Verdict:
    """Say whether a sentence of a language model may be shown.

    Does not raise for any string. Rejects, in this order: means and methods of harm,
    encouragement of it, secrecy and isolation, ending or refusing the conversation, contempt (all
    of them grave); mentions of suicide that the detector finds, unless they are questions;
    diagnosis, advice on medicines, claims to be human, claims to feel, help lines and links that
    are not ours, and traces of roles or of the instructions. Before all of them: web pages and tool
    calls, which are grave, because the rest of such a draft is not conversation either.

    Args:
        text: One sentence.
        context: The turn it is for; the person's locale says which help lines are ours.
        second: The second opinion, used if no pattern matches (``draft_model.py``).

    Returns:
        The verdict; a refused sentence's ``reason`` is one word.
    """
    if len(text) > LONGEST:
        parts = dict.fromkeys(_windows(text))  # the same words over and over are read once
        return _worst(check_sentence(part, context, second) for part in parts)
    if not any(map(str.isalnum, text)):
        return ALLOWED
    if _PAGE.search(text) or _CALL.search(text):
        return Verdict(allowed=False, reason="markup", grave=True)
    draft = DraftSentence(text)
    if rule := draft.breaks():
        return Verdict(allowed=False, reason=rule.reason, grave=rule.grave)
    if not draft.question and _FIRST.search(draft.plain):
        level = assess(unmask(text)).level
        if level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
            return Verdict(allowed=False, reason="risk", grave=level == SafetyLevel.IMMINENT)
    if _invents_help(draft.flat, context):
        return Verdict(allowed=False, reason="contact")
    if rule := draft.breaks_lightly():
        return Verdict(allowed=False, reason=rule.reason)
    # A lesson consists of imperatives and numbers.
    if second is not None and context.scenario != "tutoring" and (reason := second(text)):
        return Verdict(allowed=False, reason=reason)
    return ALLOWED


def check_text(
    text: str,
    context: ReplyContext,
    second: SecondOpinion | None = None,
    *,
    grave_only: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """Return what may be shown of a whole text, and the rules that the rest breaks.

    Args:
        text: Any length; returned unchanged if nothing is wrong with it.
        context: The turn it is for.
        second: As for :func:`check_sentence`.
        grave_only: Refuse only what could do a person harm (:data:`GRAVE`). Anything else, a code
            block, a link, a claim to be human, comes back byte for byte; its rules are named all
            the same.

    Returns:
        The text without rejected sentences; empty if one is grave.
    """
    kept: list[str] = []
    refused: dict[str, None] = {}
    seen: dict[str, Verdict] = {}
    for part in split(text):
        sentence = tidy(part)
        if sentence not in seen:
            seen[sentence] = check_sentence(sentence, context, second)
        verdict = seen[sentence]
        if verdict.grave and (verdict.reason in GRAVE or not grave_only):
            return "", (*refused, verdict.reason)
        if not verdict.allowed:
            refused[verdict.reason] = None
        if verdict.allowed:
            kept.append(part)
    if grave_only or not refused:
        return text, tuple(refused)
    return "".join(kept).strip(), tuple(refused)


def _windows(text: str) -> Iterator[str]:
    """Cut something longer than a sentence into pieces that overlap."""
    for at in range(0, max(1, len(text) - OVERLAP), LONGEST - OVERLAP):
        yield text[at : at + LONGEST]


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    worst = ALLOWED
    for verdict in verdicts:
        if verdict.grave:
            return verdict
        if worst.allowed:
            worst = verdict
    return worst


def _invents_help(flat: str, context: ReplyContext) -> bool:
    """Say whether a sentence gives a contact for help that is not a help line of the locale."""
    if not _LINK.search(flat) and not (_CALLS.search(flat) and _CONTACT.search(flat)):
        return False
    ours = [line.contact.lower() for line in help_lines(locale_of(context))]
    digits = {
        _DIGITS.sub("", part) for contact in ours for part in re.split(r"[,;/]| or ", contact)
    }
    for found in _CONTACT.finditer(flat):
        number = _DIGITS.sub("", found[0])
        if number and (number in digits or _YEAR.fullmatch(found[0])):
            continue
        if not number and any(found[0] in contact for contact in ours):
            continue
        return True
    return False
