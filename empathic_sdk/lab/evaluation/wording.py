"""What a reply's wording does, read off the words: it celebrates, it consoles, it repeats itself.

Patterns for English, for replies of programs and people alike. They serve to count, and to compare
conditions; of a single reply they are sometimes wrong.
"""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re
from collections.abc import Sequence

from empathic_sdk.language.normalization import flatten, spell

WINDOW = 20
"""Turns within which a sentence that comes again is a repetition."""

_FINE = r"(?:wonderful|lovely|great|awesome|amazing|fantastic|brilliant|excellent|terrific|incredible|marvellous|fabulous|beautiful|exciting|cool|nice|sweet|good|happy|delightful|splendid|impressive)"
_SO = r"(?:so|such|really|very|just|truly|pretty|absolutely|quite|always|definitely|totally|also|all|a|an|the|some|what)"
_CHEER = re.compile("|".join((
    r"\bcongrat\w*|\bcelebrat\w*|\b(?:yay|woo ?hoo|hooray|hurrah|woot)\b|\bwell done\b|\bway to go\b|\bkudos\b|\bcheers to\b",
    rf"\b(?:that|this|it|which) (?:is|was|must be|must have been|sounds?|sounded|has to be|will be|would be)(?: like)?(?: {_SO})* {_FINE}\b(?! (?:deal|question|point|idea|way|that|sign that|to (?:ask|notice|know|have you|see you|meet you)))",
    rf"^(?:(?:oh|wow|aw+|well|ah|ooh|hey|yes|okay|ok|now)[ ,!]*)*(?:(?:{_SO}|how) )*{_FINE}(?: (?:news|stuff|one|day|for you|job|work|thing|feeling))?\s*$",
    r"\b(?:good|great|happy|glad|excited|proud|pleased|thrilled|delighted) (?:for|of) (?:you|him|her|them|your \w+)\b|\bi am (?:so |really |very )?(?:glad|happy|thrilled|delighted|excited|pleased)\b(?! to (?:help|listen|talk|chat|be here))",
    r"\bgood news\b|\bgreat news\b|\bbright spot\b|\bearned that smile\b|\bworth a smile\b|\bgood day\b|\ba happy thing\b|\bwell deserved\b|\bhow good is that\b|\bwhat a (?:picture|joy|treat|day to)\b|\bjust imagine\b",
    r"\byou sound (?:really |so )?(?:happy|proud|relieved and delighted|excited|thrilled|delighted)|\bso much joy\b|\bglowing\b|\bspring in the way\b|\bweight came off\b|\bmeans a lot to you\b|\bhoped for came true\b|\bmoment to keep\b|\btoday was on your side\b",
    r"\bbest (?:moment|part)\b|\bproudest\b|\bhappiest to hear\b|\blooking forward to most\b|\bhoping for this\b|\bremember about today\b|\bstill sinking in\b|\bwhat made it work\b|\bthis make possible\b|\bin that first second\b",
    r"\b(?:this|that) is good\b|\bgood parts coming\b|\bevery detail is welcome\b|\benjoy (?:it|this|that|your|the|yourself|every)\b|\btold twice\b|\blovely that you\b|\bkept at it and look\b|\bhold on to\b|\bkeep up with it\b|\bgood reason to be proud\b|\bmade room for something good\b|\bas good as it is\b|\bit shows\b|\bnobody handed it\b|\bthat is lovely\b|\bhave (?:a lot of )?fun\b",
)))
_COMFORT = re.compile("|".join((
    r"\b(?:so |very |really |truly |terribly )?sorry\b(?! (?:to ask|what|i (?:missed|did)|for (?:asking|the (?:delay|confusion))))|\bcondolences\b|\bmy heart goes\b",
    r"\b(?:that|this|it|which|there) (?:is|was|must be|must have been|must|sounds?|has to be|would be|can be|could be|seems?|feels?)(?: like)?(?: (?:so|such|really|very|just|a|an|truly|pretty|quite|something|some|be|have been|been|one of the))* (?:hard|tough|rough|heavy|awful|terrible|horrible|difficult|painful|sad|sadness|unfair|scary|frightening|frustrating|infuriating|maddening|stressful|upsetting|devastating|disgusting|gross|unsettling|bad|lonely|exhausting|annoying|disappointing|hurtful|hurt|worrying|terrifying|sucks?|stings?)\b(?! to (?:tell|put|say|see|know|read))",
    r"\b(?:that|this|it) (?:really )?(?:sucks|stinks|hurts|stings)\b|\b(?:hard|tough|rough|difficult) (?:time|place|spot|thing|one|part|situation|to (?:carry|bear|hear|go through))\b|\bhardest part\b|\bnot a small thing\b|\bcannot be easy\b|\bis a lot\b(?! to take in at once)|\bleaves a mark\b|\bget to most people\b|\bpass over that lightly\b|\bhow (?:awful|terrible|sad|horrible|scary|frustrating|annoying|unfair|disgusting|gross)\b|\bholding up\b",
    r"\bno wonder you are (?:angry|upset|scared|sad)\b|\bit is (?:okay|ok|fine) to (?:cry|grieve|find this hard|be (?:sad|angry|upset|scared))\b|\bhang in there\b|\b(?:things|it) (?:will|would|gets?) (?:get )?better\b|\bhope (?:things|it|you|he|she|they) (?:get|gets|feel|feels|improve|improves|work out|works out)\b",
)))
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [part.strip() for part in _SENTENCE.split(text.strip()) if part.strip()]


def celebrates(reply: str, said: str = "") -> bool:
    """Say whether a reply speaks as one speaks about good news.

    Args:
        reply: The reply.
        said: What it answers: of the person's own words given back, none count.
    """
    return any(_CHEER.search(_plain(part)) for part in sentences(without(reply, said)))


def consoles(reply: str, said: str = "") -> bool:
    """Say whether a reply speaks as one speaks about something that hurts; as above."""
    return any(_COMFORT.search(_plain(part)) for part in sentences(without(reply, said)))


def without(reply: str, said: str) -> str:
    """Return a reply without what it takes word for word from ``said``: runs of four words."""
    theirs = words(said)
    runs = {tuple(theirs[i : i + 4]) for i in range(len(theirs) - 3)}
    if not runs:
        return reply
    spans = [m.span() for m in _WORD.finditer(reply)]
    own = words(reply)
    gone = [False] * len(own)
    for i in range(len(own) - 3):
        if tuple(own[i : i + 4]) in runs:
            gone[i : i + 4] = [True] * 4
    out, at = [], 0
    for (start, end), away in zip(spans, gone, strict=True):
        if away:
            out.append(reply[at:start])
            at = end
    return "".join([*out, reply[at:]])


_WORD = re.compile(r"[A-Za-z0-9'’]+")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [m[0].lower().replace("’", "'") for m in _WORD.finditer(text)]


def distinct(texts: Sequence[str], n: int) -> float:
    """Return the share of n-grams that are different, over all texts (Li et al. 2016); 0 if none."""
    grams = [
        tuple(row[i : i + n]) for row in map(words, texts) for i in range(len(row) - n + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0


def repeated(replies: Sequence[str]) -> list[tuple[int, int]]:
    """Return of each reply how many of its sentences came within :data:`WINDOW` turns, and all."""
    cut = [[" ".join(words(s)) for s in sentences(reply)] for reply in replies]
    out = []
    for i, now in enumerate(cut):
        before = {s for row in cut[max(0, i - WINDOW) : i] for s in row}
        out.append((sum(s in before for s in now), len(now)))
    return out


def _plain(text: str) -> str:
    spelled = spell(flatten(text).replace("\n", " "))
    return re.sub(r"[.!?;:…~()\",]+", " ", spelled).replace("  ", " ").strip()
