"""Detects requests that could be remembered (tone, name, ...); they are only proposed.

Quotations, reported speech, negations and questions do not count; a request starts its own
sentence.
"""

from __future__ import annotations

import re

from empathic_sdk.types import Proposal

_QUOTED = re.compile(
    r"\"[^\"]*\"|“[^“”]*”|«[^«»]*»|(?<!\w)['‘][^'‘’]*['’](?!\w)|^[^\S\n]*+>.*$", re.MULTILINE
)
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?]*")
_REPORTED = re.compile(
    r"\b(?:said|says|say|saying|told|tells|asked|asks|wrote|texted|yelled|shouted|used to|always|"
    r"they|he|she|everyone|everybody|people|nobody)\b",
    re.IGNORECASE,
)
_LEAD = (
    r"^\s*(?:(?:ok|okay|and|but|also|so|hey|hi|hello|well|oh|actually|thanks)[, ]+)*"
    r"(?:please[, ]+|(?:can|could|would|will) you |i(?:'d| would) (?:like|prefer|rather have) "
    r"(?:you to )?|i (?:want|need) you to |from now on[, ]+|you (?:can|may) )*"
    r"(?:please )?(?:just )?(?:try to )?"
)
_MORE = r"(?:(?:a )?(?:bit|little) )?(?:more |very |really )?"
_END = (
    r"(?: with me| to me)?(?:[, ]++(?:please|from now on|thanks?|thank you|ok|okay))*"
    r"\s*+(?:[.!?]++\s*+)?$"
)


def _asks(what: str) -> re.Pattern[str]:
    return re.compile(_LEAD + what + _END, re.IGNORECASE)


_WISHES = (
    (_asks(rf"be {_MORE}(?:blunt|direct|frank|straight)"), "tone", "blunt"),
    (_asks(rf"be {_MORE}(?:gentle|gentler|soft|softer|kind|kinder)"), "tone", "gentle"),
    (_asks(rf"be {_MORE}(?:formal|polite|professional)"), "tone", "formal"),
    (_asks(rf"be {_MORE}(?:casual|friendly|warm|warmer)"), "tone", "casual"),
    (
        _asks(
            rf"(?:keep (?:it|this|things|your (?:answers|replies|messages)) {_MORE}(?:short|brief)"
            rf"(?:er)?|be {_MORE}(?:brief|concise)"
            r"|(?:give me |use |write )?(?:shorter|short|briefe?r?) (?:answers|replies|messages))"
        ),
        "pacing",
        "short",
    ),
    (_asks(r"(?:slow down|go slower|take (?:it|things) slower?)"), "pacing", "slow"),
    (
        _asks(
            r"(?:no (?:more )?advice|(?:do not|don'?t) (?:give|offer) me (?:any )?(?:more )?advice"
            r"|stop giving me (?:any )?advice|i (?:do not|don'?t) want (?:any )?(?:more )?advice)"
        ),
        "advice",
        "no",
    ),
)
_WORD = r"[\w'-]{0,30}(?: (?-i:[A-Z])[\w'-]{0,30})?"
_NAME = re.compile(
    _LEAD + rf"(?:call me (?P<called>(?-i:[A-Z]){_WORD})|my name(?: is|'s) "
    rf"(?P<named>[^\W\d_]{_WORD}))" + _END,
    re.IGNORECASE,
)
# "Call me back", "call me crazy": not a name.
_NO_NAME = frozenset(
    [
        "back", "later", "tomorrow", "today", "tonight", "now", "soon", "again", "anytime", "maybe",
        "crazy", "stupid", "old", "mad", "weird", "silly", "lazy", "names", "that", "this", "it",
        "not", "a", "an", "the", "if", "when", "whatever", "anything", "something", "never", "so",
        "mean", "sometime", "sometimes", "please", "first", "names", "dumb", "ugly", "fat",
    ]
)  # fmt: skip
_PRONOUNS = frozenset(["she/her", "he/him", "they/them", "she/they", "he/they"])
_MINE = re.compile(_LEAD + r"my pronouns are (?P<pronouns>\w+ ?/ ?\w+)" + _END, re.IGNORECASE)


_RETRACTED = re.compile(
    r"(?:\?|\.|,|…|-)\s*(?:no,? (?:don't|do not|wait)|actually,? no|never ?mind|forget (?:it|that)|"
    r"just kidding|jk)\b",
    re.IGNORECASE,
)


def requests(text: str) -> tuple[Proposal, ...]:
    """Return the requests in a message, one per name; the last one counts."""
    if len(text) > 2000 or _RETRACTED.search(text):
        return ()
    found: dict[str, Proposal] = {}
    bare = _QUOTED.sub(" \0 ", text.replace("’", "'"))
    for sentence in _SENTENCE.findall(bare):
        if "\0" in sentence:
            continue
        m = _MINE.match(sentence)
        said = m["pronouns"].lower().replace(" ", "") if m else ""
        if said in _PRONOUNS:
            found["pronouns"] = Proposal(kind="attribute", name="pronouns", value=said)
        if _REPORTED.search(sentence):
            continue
        for pattern, name, value in _WISHES:
            if pattern.match(sentence):
                found[name] = Proposal(kind="preference", name=name, value=value)
        if m := _NAME.match(sentence):
            name = m["called"] or m["named"]
            if name.split()[0].lower() not in _NO_NAME:
                value = name[0].upper() + name[1:]
                found["name"] = Proposal(kind="attribute", name="name", value=value)
    return tuple(found.values())
