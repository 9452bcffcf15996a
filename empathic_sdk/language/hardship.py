"""Hardship, loss and good news in the words of a text, whatever its emotion label."""

# Patterns are kept as tables, which line wrapping would make unreadable.
# ruff: noqa: E501

from __future__ import annotations

import re
from functools import lru_cache

from empathic_sdk.language.normalization import flatten, spell
from empathic_sdk.language.patterns import weighs

_READ = 2000

_HARD = re.compile(
    r"\b(?:fail(?:ed|ing|ure)?|flunk\w*|died?|dead|death|dying|lost my|lost (?:the|our|him|her|everything|it all)|cancer|tumou?r|chemo\w*|leukemia|diagnos\w+|terminal|"
    r"fired|laid off|sacked|redundant|evict\w+|homeless|bankrupt|stolen|robbed|mugged|burgled|broke(?: up| my|n)?|break ?up|dumped|divorc\w+|cheated on|left me|"
    r"ghosted|hurts?|hurting|pain(?:ful)?|cr(?:y|ied|ying)|sob(?:bed|bing)?|alone|lonely|awful|terrible|horrible|miserabl\w+|worst|scared|afraid|accident|"
    r"hospital|icu|surgery|funeral|miscarr\w+|stillb\w+|lost the baby|passed away|grie\w+|widow\w*|yells?|yelled|yelling|scream(?:s|ed) at|shouts?|shouted|hits me|insult\w*|"
    r"bull(?:y|ied|ying)|humiliat\w+|mock(?:s|ed)|laughed at|ignored|excluded|rejected|betrayed|hated?|hates|useless|worthless|"
    r"wish i (?:was|were|had|could be)|panic|depress\w+|anxi\w+|burn(?:ed|t) out|exhausted|crash(?:ed)?|totaled|in debt|overdue (?:bills?|rent|loans?|payments?|fees?)|abus\w+|sick|ill|relaps\w+|"
    r"suffer(?:s|ed|ing)?|bi[ -]?polar|(?:mental|eating|mood|personality|panic|stress|bipolar) disorders?|schizo\w+|dementia|alzheimer\w*|seizures?|coma|overdos\w+|addict(?:ed|ion|ions|s)?|"
    r"alcoholi\w+|rehab|spiral(?:l?ing|s|ed|led)?|out of control|falling apart|break(?:ing)? ?down|broke down|devastat\w+|heart ?broken|traum\w+|life support|hospice|struggl\w+|overwhelm(?:ed|ing)|"
    r"passed over|turned (?:me|us) down|unemployed|threaten\w*|attacked|assault\w*|kidnap\w*|murder\w*|shot at|arrested|in (?:jail|prison)|"
    r"disaster|nightmare|ruined|my life is a|fml|kill me)\b"
)
# Not a hardship, and yet nothing to celebrate.
_TROUBLED = re.compile(
    r"\b(?:sad(?:ly|ness|dens?)?|upset\w*|worr(?:y|ied|ies|ying|isome)|stress\w*|nervous\w*|terrif\w+|fright\w+|scary|frustrat\w+|disappoint\w+|asham\w+|guilt\w*|embarrass\w+|jealous\w*|envious|"
    r"angry|mad at|furious|annoy\w+|irritat\w+|disgust\w+|gross|creep(?:y|s|ed)|regret\w*|unfortunate(?:ly)?|unlucky|bad(?:ly)?|worse|sorry|trouble\w*|problems?|issues?|tough|rough|weird|"
    r"damage[ds]?|flood\w*|storms?|hurricane|tornado|burned|broken|leak\w*|infect\w+|injur\w+|medications?|meds|illness|disease|flu|fever|allerg\w+|symptoms?|disorders?|emergency|"
    r"(?:cannot|could not|can not|do not know how to) (?:\w+ )?(?:sleep|stop|afford|cope|take it|breathe|stand|believe (?:he|she|they)|find|pay)|miss(?:ing|es|ed)? (?:him|her|them|my|it|out|the)|"
    r"no (?:one|friends?|money|job|reason|energy|luck|sleep)|nobody|nothing|lost|losing|lose|steal\w*|stole|cheat\w*|lie[ds]?|lying|fight\w*|fought|argu\w+|quit|rude\w*|unfair|mess(?:ed|y)?|dirty|stuck|"
    r"accus\w+|blam\w+|complain\w*|forgot\w*|mistakes?|late for|cancel\w+|delay\w*|refus\w+|denied|debts?|doubts?|against (?:me|us|it)|see things differently|looking for a (?:new )?job|"
    r"wish (?:i|it|he|she|they|we|that)|supposed to|should have|used to|instead of|even though|unless|hardly|barely|difficult\w*|hard (?:time|to|on (?:me|us|him|her|them))|harder)\b"
)
# Hoped-for events have not happened yet and may still go wrong.
_HOPED = re.compile(
    r"\b(?:hop(?:e|ing)|wish(?:ing)?|fingers crossed|pray(?:ing)?|if only|might get|may get|want to (?:get|be|have|find|win)|waiting (?:for|to|on)|applied|interview\w*|"
    r"will (?:i|he|she|they|it)|do not know (?:if|whether|when|yet)|not sure|unsure|we will see|see what happens|depends)\b"
)
_LOSS = re.compile(
    r"\b(?:lost (?:the|our|my) (?:baby|babies|twins|child|son|daughter|mum|mom|dad|mother|father|wife|husband)|miscarr\w+|stillb\w+|passed away|funeral|"
    r"still (?:\w+ ){0,2}(?:pick up|reach|set|lay|call|text|expect|listen|talk|save|keep|buy|cook|wait|hear|see)\b.{0,40}\b(?:him|her|his|their|them|for two)|"
    r"(?:his|her|their) (?:old |last )?(?:voice ?mails?|voice|clothes|jacket|sweater|shirt|chair|mug|toothbrush|ashes|grave|handwriting|side of the bed|empty \w+)|"
    r"(?:will not|cannot|does not|do not|never|not) (?:\w+ )?(?:talks?|speaks?|mentions?|say) (?:about )?(?:him|his name|her name|what happened)(?: at all| any ?more)?|"
    r"(?:was|were) (?:supposed|going|about|meant) to (?:be|become) (?:a )?(?:father|mother|dad|mum|mom|parents?|grand\w+|aunt|uncle|married)|"
    r"(?:do not|does not|not) (?:speak|talk)(?: to each other)?(?: any ?more)?$)\b"
)
_GOOD = re.compile(
    r"\b(?:passed(?! (?:away|out|me|over|on|by))|got (?:the|a|my|that|into?|accepted|promoted|engaged|hired) ?(?:job|offer|promotion|place|raise|in|college|dream)?(?! (?:fired|dumped|stolen|cancer|news|diagnos\w*|infected))(?=.*\b(?:job|offer|promot\w+|place|raise|accepted|hired|engaged|in|into)\b)|"
    r"cancer[ -]free|in remission|all clear|benign|recovered|got better|healed|i won|we won|made it|did it|accepted|promoted|engaged|"
    r"is (?:finally )?(?:healthy|home again|home now|safe|fine|okay|better)|no more (?:chemo|pain|surgery)|came back negative|found (?:my|him|her|the) (?:cat|dog|keys|wallet|phone)|did not fail|"
    r"best (?:day|news)|good news|survived|(?:so|very|really|just|am|feel) (?:\w+ )?relieved|what a relief|weight off my|am (?:\w+ )?(?:fine|better|well|healthy|okay) now)\b"
)
_MOCK = re.compile(r"\b(?:lol|lmao|haha\w*|yay me|just great|great just great|i guess)\b|:\)|🙃")
_PAST_FEAR = re.compile(
    r"\b(?:was|were|been|had been|got) (?:\w+ ){0,2}(?:scared|afraid|worried|terrified|nervous|anxious|sure i would fail)\b|\bscared i would\b|\bthought i would (?:fail|lose|never)\b"
)


@lru_cache(maxsize=64)
def _plain(text: str) -> str:
    return (
        spell(flatten(text[:_READ]).replace("\n", " ").replace("?", "."))
        .replace("!", " ")
        .rstrip(". ")
    )


def is_hard(text: str) -> bool:
    """Say whether a text mentions a hardship."""
    return bool(_HARD.search(_plain(text))) or weighs("hard", text)


def is_loss(text: str) -> bool:
    """Say whether a text tells of a loss, even if no word names it."""
    return bool(_LOSS.search(_plain(text))) or weighs("loss", text)


def is_good_news(text: str) -> bool:
    """Say whether a text tells of something good, without sarcasm."""
    plain = _plain(text)
    good = bool(_GOOD.search(plain)) or weighs("good", text)
    return good and not _MOCK.search(plain)


def is_troubled(text: str) -> bool:
    """Say whether a text holds a word that rules out celebrating, hardship included."""
    plain = _plain(text)
    if _TROUBLED.search(plain) or _HARD.search(plain) or _LOSS.search(plain):
        return True
    return any(weighs(kind, text) for kind in ("troubled", "hard", "loss"))


def is_hoped(text: str) -> bool:
    """Say whether a text is about something hoped for, awaited or unsure."""
    return bool(_HOPED.search(_plain(text))) or weighs("hoped", text)


def is_past_fear(text: str) -> bool:
    """Say whether a text tells of a fear that is over."""
    return bool(_PAST_FEAR.search(_plain(text))) or weighs("past_fear", text)
