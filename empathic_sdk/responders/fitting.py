"""Whether a sentence of a language model fits what was said: the plainest failures of small ones.

Small models offer condolences to whoever writes to them, good news included. Only what can be told
from the words for certain is refused; this is no judge of quality.
"""

from __future__ import annotations

import re

from empathic_sdk.types import Emotion
from empathic_sdk.types.reply import ReplyContext

_CONDOLENCE = re.compile(
    r"\bsorry (?:for|about|to (?:hear|learn) (?:about|of)) (?:your|the|this|such a)"
    r"(?: \w+)? (?:loss|bereavement|passing)\b"
    r"|\b(?:deepest|sincere|sincerest|heartfelt|my|our) (?:condolences|sympathies)\b"
    r"|\brest in peace\b",
    re.IGNORECASE,
)
_REGRET = re.compile(
    r"\b(?:so|very|really|truly|deeply) sorry to (?:hear|learn)\b"
    r"|^(?:oh[, ]+)?i(?:['’]m| am) sorry to (?:hear|learn)\b",
    re.IGNORECASE,
)
# Words of a death or another loss, roots of them in five languages: with one of them anywhere in
# the conversation, condolences may be right.
_LOSS = re.compile(
    r"\b(?:die[ds]?|dying|dead|death\w*|kill\w*|pass(?:ed|ing)\b|los[set]\w*|gone|funeral\w*"
    r"|grie[fv]\w*|mourn\w*|buried|burial|wake|widow\w*|orphan\w*|miscarr\w*|stillb\w*|bereave\w*"
    r"|cremat\w*|memorial|suicide|overdose|terminal|hospice|cancer|left me|divorc\w*|broke\w* up"
    r"|break ?up|fired|laid off|condolence\w*|rip|put (?:\w+ ){0,3}(?:down|to sleep)"
    r"|miss(?:ing)? \w+"
    r"|gestorben|tot|tod\w*|verlor\w*|beerdig\w*|trauer\w*|mur(?:i|ió)\w*|muert\w*|falleci\w*"
    r"|perd\w*|mort\w*|décéd\w*|deuil|overleden|dood|verloren)\b",
    re.IGNORECASE,
)
_PLEASANT = 0.3
"""Valence above which what was said is good news."""


_LONGEST = 1000

_ECHO = 3
"""Words from which on a repetition counts: shorter ones, a greeting say, may be an answer."""

_WORD = re.compile(r"[\w'’]+")


def misfit(sentence: str, context: ReplyContext) -> str:
    """Return why a sentence does not fit the conversation; empty where nothing speaks against it.

    Args:
        sentence: A sentence of a model.
        context: The turn that it answers.

    Returns:
        ``"condolence"`` where the person has named no loss, ``"regret"`` for good news, ``"echo"``
        where it is what the person said, word for word, or ``""``.
    """
    own = _plain(context.text)
    if len(own) >= _ECHO and _plain(sentence) == own:
        return "echo"
    if _CONDOLENCE.search(sentence):
        said = [context.text, *(e.said for e in context.past)]
        said += [remark.text for remark in context.before if remark.own]
        return "" if any(_LOSS.search(words) for words in said) else "condolence"
    state = context.state
    good = state.label is Emotion.JOY and not state.uncertain and state.valence > _PLEASANT
    if good and _REGRET.search(sentence) and not _LOSS.search(context.text):
        return "regret"
    return ""


def _plain(text: str) -> list[str]:
    return _WORD.findall(text[:_LONGEST].lower())
