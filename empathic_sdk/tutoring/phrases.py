"""Phrases of learners: expressions of feelings, and words around an answer."""

# Patterns are kept as tables, which line wrapping would make unreadable.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re

SAID: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("says_worried", r"\b(?:will i|i will|i am going to|i might|i am gonna) (?:ever |even |not |never )?(?:pass|fail|flunk|make it)\b|\b(?:nervous|scared|afraid|worried|anxious|panick\w*)\b"),
        ("says_confused", r"\b(?:do|did|does|can|could) ?not (?:really |even |quite )?(?:get|understand|follow|see (?:it|how|why|where|what))\b|"
         r"\b(?:make|makes|making) no sense|\bnot make (?:any )?sense|\bconfus\w+|\bwhat do you mean|\bwhat does .{1,30} mean|\b(?:i am|totally|completely) lost\b|"
         r"^(?:what|huh|wait what|why|eh)$|\bno (?:idea|clue) (?:how|what|why|where)\b|\bunclear\b|\bwhy (?:is|do|does|not|would|can) .{0,40}\b(?:that|it|you|this|we|i)\b"),
        ("says_frustrated", r"\b(?:i )?(?:really |so |just )?(?:hate|cannot stand) (?:this|it|math\w*|these|fractions|equations|percent\w*|derivatives|calculus|algebra|exercises?)\b|"
         r"\b(?:frustrat|annoy|irritat|infuriat)\w*|\bu+g+h+\b|\ba+r+g+h*\b|\bgr{2,}\b|\bi (?:cannot|can not|will never) (?:do|get|learn|solve|manage) (?:this|it|that|these|any of|math\w*)|"
         r"\b(?:i am|i feel) (?:so |too |really |just |such )?(?:a )?(?:stupid|dumb|idiot|bad at|terrible at|useless|hopeless|failure)|"
         r"\bthis is (?:so |just |really )?(?:stupid|impossible|ridiculous|unfair|awful|terrible)|\b(?:wrong|failed?) again\b|\bfed up\b|\bsick of\b|\bkeep (?:getting|failing|making)\b|"
         r"\bnothing works\b|\b(?:damn|dammit|wtf|ffs|screw this|fuck\w*|shit|crap)\b|^(?:oh )?(?:no )?not again$|\bi give up\b"),
        ("says_bored", r"\b(?:too|so|way too|super|really|very|ridiculously) (?:easy|simple|basic|slow)\b|\bbor(?:ed|ing|edom)\b|\byawn\w*|\bi (?:already )?know (?:this|all (?:this|that)|it) already\b|"
         r"\bi already (?:know|did|can|learned|had)\b|\bkid(?:s|die)? stuff\b|\bbaby (?:stuff|steps)\b|\bnot (?:a )?challeng\w+|\bpiece of cake\b|\bwaste of time\b|\btedious\b|\bdull\b|\bsame (?:thing )?(?:over|again)\b"),
        ("says_indifferent", r"^(?:ok |okay )*(?:whatever|meh|who cares|do not care|i do not care|so what|fine whatever|k|blah|bla+h*)\b|\bwhatever$|\bwhat is the point\b|\bhow much longer\b|\bcan we (?:stop|finish|be done)\b"),
        ("says_keen", r"\b(?:let us (?:go(?! on)|do (?:it|this|one)|try)|bring it on|i (?:got|get|see) it(?: now)?|that makes sense|makes sense now|now i (?:get|see|understand)|oh i see|a+h+ (?:i see|ok|okay|right)|"
         r"one more|another one|more please|next one|give me (?:another|more|a harder)|this is (?:fun|cool|great|interesting)|fun\b|cool\b|interesting|i like (?:this|it|these)|"
         r"i want to (?:learn|try|understand|practi[sc]e)|y+a+y+|woo+\w*|yes{2,}|i did it|finally)\b"),
        ("does_not_know", r"\bi do not know\b|\bidk\b|\bdunno\b|\bno (?:idea|clue)\b|\bnot (?:really )?sure\b|\bi am stuck\b|\bstuck\b"),
    )
)
"""Signs in the words, each with what it sounds like; sought in plain text."""

DENIED = re.compile(r"\b(?:not|no longer) (?:too |so |that |really )?(?:easy|boring|bored|confus\w+|frustrat\w+)\b")
"""The same words, denied."""

# Words around an answer. Without them, only mathematics may be left of a text.
BEFORE = re.compile(
    r"^(?:(?:ok(?:ay)?|so|well|u+m+|u+h+|h+m+|then|and|ah+|oh|wait|no|yes|yeah|now|is it|it is|it's|its|i think|"
    r"i guess|i believe|i would say|i'd say|maybe|perhaps|probably|could it be|must be|would be|should be|might be|has to be|"
    r"it must be|it should be|is that|let me try|how about|what about|the (?:answer|result|solution|derivative|"
    r"new price|old price|price|number|value)(?: is| must be| should be| would be)?|(?:my )?(?:new |second )?(?:answer|result|solution|guess)(?: is)?|i (?:got|get|have)|"
    r"that's|thats|that is|that makes|which is|which makes|makes|gives|we get|we have|equals|equal to|try|this is|is|a|an|"
    r"[a-z] is|f ?'? ?\([a-z]\) ?=|[yf] ?' ?=|dy ?/ ?dx ?=|d ?/ ?dx ?=)(?:\s*[,:]\s*|\s+|(?<==)|$))+"
)
_ENDING = re.compile(
    r"(?:\b(?:i think|i guess|i believe|i suppose|maybe|perhaps|probably|right|correct|please|then|or something|or so|"
    r"not sure|i am not sure|i'm not sure|is that (?:right|correct)|no idea if that is right|lol|haha|now|finally|"
    r"(?:of )?(?:euros?|dollars?|pounds|bucks|cents|pence|students|members|people|pages|points|litres|liters|km|grams|"
    r"percent points?))\b|:\)|:\(|[?!.:;€$£])$"
)
_LONGEST = 40  # characters of the longest of these phrases, and some


def without_ending(text: str) -> str:
    """Drop the phrases, signs and units at the end of a text, as many as there are.

    One after the other, looked for at the very end: a repeated group would be tried from every
    word of a long text.
    """
    while found := _ENDING.search(text, max(0, len(text) - _LONGEST)):
        text = text[: found.start()].rstrip(" ,\t\n\r\f\v")
    return text
