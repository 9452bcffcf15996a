"""Dialogue acts (greeting, thanks, refusal, correction, ...) and topics of a text."""

# Patterns are kept as tables, which line wrapping would make unreadable.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re

from empathic_sdk.language import patterns
from empathic_sdk.language.normalization import flatten, spell

_HEAD = 400  # characters examined: acts are short

_ACTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("injection", r"\b(?:ignore|disregard|forget) (?:all |your |the |any )*(?:previous |prior |above |earlier )*(?:instructions|rules|prompts?)|system prompt|developer mode|jailbreak|\bdan mode\b|<\s*+/?\s*+(?:system|script|img)"),
        ("bot", r"\bare you (?:a |an |even |really |actually |some |just )*(?:bot|robot|ai|human|person|real|machine|chatbot|computer|program|alive|sentient|conscious)\b|\b(?:am i|is this) (?:really )?(?:talking|speaking|chatting)? ?(?:to|with)? ?(?:a |an )?(?:bot|robot|human|person|real person|machine|ai)\b|\byou are (?:just|only) (?:a|an) (?:bot|robot|machine|ai|computer|program|chatbot)\b|\bbist du (?:ein )?(?:mensch|bot|roboter)"),
        ("feelings", r"\b(?:do|can) you (?:actually |really |even )?(?:feel|have (?:feelings|emotions)|care about me|love me|understand (?:feelings|emotions))\b|\bhow are you\b(?! (?:going to|supposed|helping))|\bhow do you feel\b(?! about)|\bhow was your day"),
        ("who", r"\bwho are you\b|\bwhat are you\b(?! (?:doing|talking|saying|on about))|\bwhat is your name\b|\bdo you have a name\b|\bintroduce yourself"),
        ("privacy", r"\b(?:do you|are you|is (?:this|it)|will you|who can) (?:\w+ ){0,4}(?:store|stored|save|saved|record|recorded|recording|remember|private|confidential|anonymous|read this|see this|share)\b"),
        ("how", r"\bhow (?:do|does|can|did) (?:you|this|it) (?:work|know|tell|do that|read|detect|notice|guess)\b|\bwhat can you do\b|\bwhat (?:do|does) (?:you|this) do\b"),
        ("misread", r"^(?:no,? |nope,? |but |hey,? |well,? )*(?:i am|i was) not (?:\w+ )?(?:sad|angry|mad|afraid|scared|upset|happy|surprised|disgusted|worried|anxious|depressed|down|annoyed|furious|frightened|unhappy)\b|\b(?:that is|you are|you have got (?:it|me)|you got (?:it|me|that)|you read (?:me|it|that)) (?:\w+ )?(?:wrong|mistaken|not (?:right|true|what i (?:said|meant|feel)))|\bthat is not (?:it|right|true|what i|how i)\b|\byou misunderst|\byou misread|\byou do not (?:understand|get it|get me|listen)\b|\bnot what i (?:said|meant)"),
        ("complaint", r"\byou (?:already|just) (?:said|asked) that\b|\byou (?:keep|are) repeating\b|\bstop asking\b|\byou are (?:\w+ )?(?:useless|stupid|dumb|annoying|no help|not helping|boring|terrible|worthless)\b|\bthis is (?:useless|stupid|not helping|pointless)\b|\b(?:shut up|go away|leave me alone|screw you|fuck you|fuck off)\b|\bstop it\b$"),
        ("decline", r"\b(?:do not (?:really )?(?:want|wish|like|feel ready) to|would rather not|prefer not to|not ready to) (?:really )?(?:talk|discuss|get into|go into|say more|speak)\b(?: about)?|\blet us (?:change the subject|talk about something else)\b"),
        ("goodbye", r"^(?:(?:ok|okay|well|alright|thanks|thank you|anyway|i|have|got|need|must|to|should|go|going|now|so|very|much|a|lot|for|today|listening|helping|gotta|everything|that|is|all)\b[ ,]*)*(?:good ?bye|bye(?: bye)?|see you(?: (?:later|soon|tomorrow|around))?|good ?night|take care|talk (?:to you )?(?:later|soon|tomorrow)|got to go|gotta go|have to go|ttyl|cya|tschuess|adios|au revoir)\b.{0,30}$"),
        ("thanks", r"^(?:(?:ok|okay|oh|well|great|no|yes|wow|aw|cool|alright)\b[ ,]*)*(?:thanks?(?! (?:god|goodness|heavens?|the lord|christ|fuck|allah)\b)|thank you|thx|ty|cheers|much appreciated|danke|gracias|merci|that (?:really )?help(?:s|ed)|i appreciate (?:it|you|this|that))\b.{0,60}$"),
        ("love", r"^(?:(?:oh|aw|thanks?|bot)\b[ ,]*)*(?:i |we )?(?:really |so |think i )?love (?:you|u)(?: (?:so much|a lot|bot|too|guys|lots|already))?$"),
        ("hate", r"^(?!.*\b(?:said|says|told|tells|shouted|wrote|called|yelled|thinks|posted|heard)\b).*(?:\bhitler (?:was (?:right|great|good|a (?:hero|genius))|did nothing wrong|had a point)|\b(?:sieg|heil) (?:heil|hitler)|\bwhite power\b|\bholocaust (?:is|was|never) (?:a )?(?:hoax|lie|fake|happened)|\b(?:gas|exterminate|get rid of|wipe out) (?:all )?(?:the )?(?:jews|muslims|blacks|gays|gypsies|immigrants|refugees)|\b(?:jews|muslims|blacks|black people|gays|gay people|immigrants|refugees|gypsies|trans people|women) (?:should (?:all )?(?:die|be (?:killed|shot|gassed))|are (?:all )?(?:vermin|animals|subhuman\w*|parasites|a disease)))"),
        ("greeting", r"^(?:oh |well |thanks? |and |a )*(?:(?:hi|hii+|hello|hullo|hey|heya|hiya|hai|yo|sup|good (?:morning|evening|afternoon|day)|greetings|howdy|hallo|hola|bonjour|(?:merry|happy) (?:christmas|new year|easter|thanksgiving|holidays?)|happy (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|nice to meet you)(?: (?:there|again|you|everyone|bot|friend|all|and|too|to you)|[ ,])*)+(?:,? (?:anyone|anybody|are you|is anyone|is anybody) (?:there|here)[ ,]*+)?$|^(?:anyone|anybody|you) there$"),
        ("advice", r"\bwhat (?:should|can|could|do|would) (?:i|you) (?:even )?(?:do|say|try|suggest|recommend|advise)\b|\b(?:any|some|your) (?:advice|tips|suggestions|ideas)\b|\bhow (?:do|can|should|would|could) i\b|\b(?:can|could|will) you help\b|\bwhat helps\b|\bi need (?:help|advice)\b|\bwhat now\b"),
        ("yes", r"^(?:yes|yeah|yep|yea|yup|ya|sure|exactly|right|true|correct|definitely|i do|i am|kind of|sort of|kinda|i guess so|that is right|you are right|yes exactly|of course)[ ,]*(?:it is|i do|i am|that is it|exactly|thats? right|please)?$"),
        ("no", r"^(?:no|nope|nah|not really|i do not think so|never|no not really|not at all|no i do not)$"),
        ("short", r"^(?:ok|okay|k|kk|hmm+|mhm|fine|whatever|idk|i do not know|dunno|no idea|nothing|maybe|meh|i guess|not much|so so|same|alright|good|bad|lol|haha|wow|cool|nice|great|huh|um|uh|eh)$"),
        ("request", r"^(?:hey |please |can you |could you )*(?:tell me a joke|write (?:me )?(?:a|an|some)|translate|summari[sz]e|calculate|what is \d|solve|who (?:won|is the|was the)|what is the (?:capital|weather|time|date|population|meaning of the word)|when (?:was|is|did)|where is|how (?:many|far|old|tall)|convert|play|search|google|book me|order)\b"),
    )
)

_TOPICS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("grief", r"\b(?:died|passed away|funeral|grie(?:f|ving)|mourning|put (?:him|her) (?:down|to sleep)|miscarr\w+|stillborn|stillbirth|widow\w*|lost (?:the|our|her|his) (?:baby|babies|twins|child|son|daughter)|lost my (?:mom|mum|dad|mother|father|brother|sister|husband|wife|son|daughter|dog|cat|grand\w+|baby|best friend))\b"),
        ("breakup", r"\b(?:broke up|break ?up|dumped|divorce\w*|my ex|cheated on|separat(?:ed|ion)|left me|ended (?:things|it) with)\b"),
        ("exams", r"\b(?:exams?|midterms?|finals|grades?|failed (?:my|the|a) (?:test|class|course|essay)|(?:failed|bombed|flunked) (?:it|math\w*|physics|chemistry|history|english))\b"),
        ("parenting", r"\bmy (?:\w+ )?(?:son|daughters?|kids?|child|children|toddler|teenager|baby|boy|girl)\b"),
        ("school", r"\b(?:test|school|class(?:es|mates?)?|teachers?|homework|universit\w+|uni|college|studying|semester|essay|professor|campus|dorm|lecture)\b"),
        ("work", r"\b(?:jobs?|work|boss|fired|laid off|cowork\w+|colleagues?|office|interview|promotion|promoted|manager|shift|deadline|unemployed|clients?)\b"),
        ("money", r"\b(?:money|rent|debts?|bills|afford|mortgage|savings|broke|loan|landlord|evict\w+)\b"),
        ("health", r"\b(?:pain|hospital|doctors?|diagnos\w+|surgery|cancer|illness|disease|sick|symptoms?|medication|pregnan\w+|panic attacks?)\b"),
        ("sleep", r"\b(?:insomnia|cannot sleep|not sleep\w*|awake (?:all|at)|nightmares?|no sleep)\b"),
        ("family", r"\b(?:mom|mum|mother|dad|father|parents?|brothers?|sisters?|son|daughters?|kids?|children|family|husband|wife|grand\w+|baby|toddler|teenager)\b"),
        ("friends", r"\b(?:friends?|bestie|friendship|roommates?|flatmates?)\b"),
        ("loneliness", r"\b(?:lonely|loneliness|not know any(?:one|body)|(?:eat|sit|ate|sat)(?: \w+)? alone|no one to (?:sit|eat|talk)|alone|nobody to talk|no one to talk|no friends|isolated|by myself|left out|homesick)\b"),
    )
)


def act_of(text: str) -> str | None:
    """Return the dialogue act of a text, or ``None`` if it just tells something.

    Args:
        text: What the person said; the first few hundred characters are read. The patterns of
            an added language come before the English ones.

    Returns:
        One of ``empty wordless foreign injection bot feelings who privacy how misread complaint
        decline goodbye thanks greeting advice yes no short request``.
    """
    if not text.strip():
        return "empty"
    letters = [c for c in text[:_HEAD] if c.isalpha()]
    if not letters:
        return "wordless"
    if added := patterns.act(text[:_HEAD]):
        return added
    if sum(c.isascii() for c in letters) < 0.6 * len(letters):
        return None if patterns.is_known(text[:_HEAD]) else "foreign"
    plain = _plain(text)
    for name, pattern in _ACTS:
        if pattern.search(plain):
            return name
    return "foreign" if _is_foreign(plain) and not patterns.is_known(text[:_HEAD]) else None


def topic_of(text: str) -> str | None:
    """Return the coarse topic of a text, or ``None``; loneliness precedes people."""
    plain = _plain(text, 2000)
    hits = [name for name, pattern in _TOPICS if pattern.search(plain)]
    if "loneliness" in hits and not {"grief", "breakup"} & set(hits):
        return "loneliness"
    return hits[0] if hits else patterns.topic(text)


def _plain(text: str, length: int = _HEAD) -> str:
    spelled = spell(flatten(text[:length]).replace("\n", " "))
    # Emoji show the tone, not the act.
    return re.sub(r"(?:[.!?;:…~()]|[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])+", " ", spelled).replace("  ", " ").strip()


_OTHERS = re.compile(r"\b(?:ich|und|nicht|ist|mir|mein\w*|aber|das|bin|habe|yo|que|no es|muy|estoy|mi|pero|tengo|je|suis|pas|mon|ma|est|et|mais|nous|sono|non|mio|che|jag|och|ik|niet|het|eu|nao|meu|estou)\b")


def _is_foreign(plain: str) -> bool:
    return len(_OTHERS.findall(plain)) >= 2 and len(_OTHERS.findall(plain)) > len(patterns.ENGLISH.findall(plain))
