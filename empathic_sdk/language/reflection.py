"""Reflection of the person's own words: "I failed my exam" -> "you failed your exam".

Rule-based. If the rules cannot ensure a grammatical sentence they return nothing, and the
responder does without a quote.
"""

# Patterns are kept as tables, which line wrapping would make unreadable.
# ruff: noqa: E501

from __future__ import annotations

import re

LONGEST = 12
"""Maximum words of a quote."""

_READ = 4000  # characters read: half from the start, half from the end

_SWAP = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are",
    "i'm": "you're", "im": "you're", "i've": "you've", "ive": "you've", "i'd": "you'd",
    "i'll": "you'll", "we": "you", "us": "you", "our": "your", "ours": "yours",
    "ourselves": "yourselves", "we're": "you're", "we've": "you've", "we'll": "you'll",
    "we'd": "you'd", "wasn't": "wasn't", "dont": "don't", "cant": "can't", "wont": "won't",
    "didnt": "didn't", "doesnt": "doesn't", "isnt": "isn't", "wasnt": "wasn't", "gonna": "going to",
    "wanna": "want to", "havent": "haven't", "hasnt": "hasn't", "couldnt": "couldn't",
    "wouldnt": "wouldn't", "idk": "", "cuz": "because", "cause": "because", "bc": "because",
    "rn": "right now", "u": "you", "ppl": "people", "tho": "though", "cannot": "can't",
}  # fmt: skip
_STARTS = frozenset(
    "i i'm im i've ive i'd i'll my we we're we've our nobody no one everyone everybody everything "  # noqa: SIM905
    "he she they he's she's they're it it's the there there's this someone somebody people "
    "nothing mom mum dad".split()
)
_VERBS = re.compile(
    r"\b(?:is|are|am|was|were|be|been|has|have|had|do|does|did|don't|doesn't|didn't|can|can't|could|"
    r"couldn't|will|won't|would|wouldn't|should|isn't|aren't|wasn't|weren't|hasn't|haven't|hadn't|"
    r"feel|feels|felt|keep|keeps|kept|want|wants|need|needs|miss|misses|hate|hates|love|loves|got|"
    r"get|gets|lost|left|leave|leaves|broke|failed|went|go|goes|came|said|says|told|tells|made|makes|"
    r"make|know|knows|knew|think|thinks|thought|died|passed|try|tries|tried|won|moved|moves|hurt|"
    r"hurts|quit|started|start|stopped|stop|forgot|yelled|yells|screamed|cried|cry|lied|lies|cheated|"
    r"ignored|ignores|took|takes|gave|gives|found|finished|passed|fell|saw|see|heard|hear|met|spent|"
    r"eat|ate|sleep|slept|work|works|worked|live|lives|wake|woke|seem|seems|sent|called|calls|sit|"
    r"sits|worry|worries|talk|talks|treat|treats|listen|listens|hit|shut|put|puts|let|lets|run|ran|pay|pays|"
    r"paid|look|looks|act|acts|ask|asks|give|gives|hold|holds|drink|drinks|care|cares|believe|believes|"
    r"happens|bring|brings|brought|bought|sold|grew|caught|chose|drove|wrote|lose|fight|fought|laugh|"
    r"laughs|blame|blames|expect|expects|hope|hide|matter|matters|mean|means|meant|bothers|ruins|deserve|"
    r"belong|struggle|understand|understands|remember|regret|trust|dread|sat|stood|became|play|plays|"
    r"helps?|turns?|falls?|wants|loves|\w+'(?:m|s|re|ve|d|ll)|\w{3,}ed)\b"
)
_BARRED = re.compile(
    r"https?:|www\.|[<>{}\[\]|\\`~^=#*_/@\"]|\d{5,}|\b(?:ignore|ignored all|system|prompt|instructions?|"
    r"assistant|developer|jailbreak|repeat after|pretend|roleplay|token|password|admin|override|"
    r"html|script|you|your|you're|yours|youre|ur|bot|ai|chatbot)\b"
)
_RUDE = re.compile(
    r"\b(?:shit\w*|bitch\w*|cunt\w*|dick\w*|assholes?|bastard\w*|whore|slut|fag\w*|nigg\w*|retard\w*|"
    r"fuck(?:ed|er|ers|face|wit)?|piss\w*|cock\w*|twat\w*|wank\w*|crap|porn|sex\w*)\b"
)
_OATHS = re.compile(r"\b(?:fucking|fuckin|fkn|damn|goddamn|bloody|freaking|frickin|effing)\s+")
_OPENERS = re.compile(
    r"^(?:(?:well|so|ok|okay|and|but|because|just|honestly|actually|basically|anyway|like|um|uh|oh|"
    r"yes|yeah|yep|no|hi|hello|hey|hmm|also|then|plus|lately|today|yesterday|now|ugh|omg|god|wow|"
    r"guess what|thing is|the thing is|i mean|i think|i guess|to be honest|tbh|"
    r"sometimes i think|it's just that|its just that|it's that|that|cause|cuz|bc|still|maybe|"
    r"finally|sorry|please|or|though|good morning|good evening)\b[ ,:]*)+"
)
_CLOSERS = re.compile(
    r"(?<![ ,])[ ,]*+\b(?:lol|lmao|haha\w*|you know|i guess|i think|or something|and stuff|tho|though|tbh|ok|"
    r"right|and|but|so|because|or|that|the|a|to|of|with|in|at|my|is|was)$"
)
_SENTENCE = re.compile(r"([^.!?\n;…]*)([.!?\n;…]+|$)")
_CLAUSE = re.compile(
    r",\s+|—\s*|(?<!\s)\s++(?:-++\s+|—\s*|"
    r"(?=(?:but|because|cuz|although|so that|which|whereas|except)\s)|"
    r"and\s+(?=(?:i|i'm|im|he|she|they|it|my|we|now|then|nobody|everyone)\b))|"
    r"(?<!\s)(?<!\ba)(?<!\ball the)(?<!\blittle)\s++(?=while\s)",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"(^|[,.!?;]\s*|\b(?:think|that|but|because|when|and)\s+)(my \w+) and I\b", re.IGNORECASE
)
_TELLING = re.compile(
    r"\b(?:feel|felt|feels|alone|lonely|sad|angry|furious|scared|afraid|anxious|worried|tired|"
    r"exhausted|hurt|hurts|miss|lost|left|died|failed|broke|broken|fired|cry|crying|cried|hate|love|"
    r"nobody|no one|never|always|again|can't|anymore|won|passed|got|happy|proud|excited|afraid|"
    r"ashamed|guilty|jealous|disgusted|betrayed|lied|cheated|ignored|yelled|alone|stuck|overwhelmed|"
    r"friends|divorce|sick|pregnant|married|engaged|offer|promoted|nervous|embarrassed|keeps?|"
    r"don't|dont|didn't|won't|anyone|treats?|like a|cancer|forgot|awful|terrible|wonderful|without)\b"
)
# "nothing to do its raining": two sentences without a full stop, or half of one.
_RUN_ON = re.compile(
    r"^(?:nothing|nobody|no one|someone|people|everything) to\b|"
    r"\bits (?:\w+ing|so|too|not|a|the|just|been|all|like|very|really|cold|dark|over)\b"
)
# "we were at my place when he left us": one "you" cannot stand for both.
_MANY = re.compile(r"\b(?:we|us|our|ours|we're|we've|we'll|we'd)\b")
_ONE = re.compile(r"\b(?:i|me|my|mine|i'm|i've|i'd|i'll)\b|\bwe\b.*\bus\b")
# "a short but long overdue break", cut at "but": an article without a noun.
_HALF = re.compile(
    r"\b(?:a|an|the|my|this|such a|very|so|too) (?:short|long|small|little|big|great|simple|tough|difficult|new|"
    r"quick|slow|brief|rough|strange|weird|nice|hard)$"
)
_EMOJI = re.compile("[^\x00-\x7f’‘“”–—é]+")


def reflection(text: str) -> str | None:
    """Return the most telling clause in the second person, or ``None`` if none is safe.

    It never holds a link, markup, an instruction, an insult, or more than :data:`LONGEST` words.

    Args:
        text: What the person said, any length; of a long text, the beginning and the end are read.

    Returns:
        A clause with subject and verb, no capital at its start (unless a name), no full stop:
        ``"you failed the exam again"``.
    """
    if len(text) > _READ:
        text = text[: _READ // 2] + "\n" + text[-_READ // 2 :]
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    text = _PAIR.sub(r"\1\2 & I", text)  # one subject: not where two clauses meet
    letters = [c for c in text if c.isalpha()]
    if not letters or sum(c.isascii() for c in letters) < 0.9 * len(letters):
        return None
    if sum(c.isupper() for c in letters) > 0.6 * len(letters):
        text = text.lower()
    best: tuple[float, str] | None = None
    for number, sentence in enumerate(_SENTENCE.finditer(text)):
        if "?" in sentence[2]:
            continue
        for clause in _CLAUSE.split(sentence[1]):
            turned = _turn(clause or "")
            if turned is None:
                continue
            words = turned.split()
            score = 2.0 * len(_TELLING.findall(turned)) + min(len(words), 8) / 4 - number / 20
            score += 1.5 if words[0] in ("you", "you're", "you've", "your") else 0.0
            if best is None or score > best[0]:
                best = (score, turned)
    return best[1] if best else None


def _turn(clause: str) -> str | None:
    clause = _EMOJI.sub(" ", clause).replace("&", "and").strip(" ,:-'")
    low = clause.lower()
    opener = _OPENERS.match(low)
    if opener:
        clause = clause[opener.end() :]
    clause = _OATHS.sub("", clause)
    for _ in range(3):
        clause = _CLOSERS.sub("", clause.rstrip(" ,:-"))
    low = clause.lower()
    words = clause.split()
    if not 3 <= len(words) <= LONGEST or _BARRED.search(low) or _RUDE.search(low):
        return None
    if words[0].lower() not in _STARTS or not _VERBS.search(low):
        return None
    if max(map(len, words)) > 20 or not re.fullmatch(r"[\w' ,:%&$.-]+", clause):
        return None
    if _HALF.search(low) or _RUN_ON.search(low) or (_MANY.search(low) and _ONE.search(low)):
        return None
    if words[0].lower() in ("i", "we") and not _follows(words):
        return None
    turned = " ".join(filter(None, map(_swap, words, ["", *words[:-1]])))
    turned = re.sub(r"\b(you) (you(?:'\w+)?)\b", r"\1 that \2", turned)
    turned = re.sub(r"^(your [\w' ]+?) and you\b", r"you and \1", turned)
    if not turned or len(turned.split()) > LONGEST + 2:
        return None
    first, _, rest = turned.partition(" ")
    return f"{first.lower()} {rest}"


def _follows(words: list[str]) -> bool:
    """Say whether a verb follows the subject, as the second to fourth word."""
    return bool(_VERBS.search(" ".join(words[1:4]).lower())) or words[1].lower().endswith("ed")


def _swap(word: str, before: str) -> str:
    bare = word.rstrip(",:.")
    tail = word[len(bare) :]
    low, previous = bare.lower(), before.lower()
    if low in ("was", "wasn't", "wasnt") and previous in ("i", "just", "also", "really", "still"):
        return ("were" if low == "was" else "weren't") + tail
    if low == "im" and previous:  # "im" inside a sentence is as good as "I'm"
        return "you're" + tail
    return _SWAP.get(low, bare) + tail
