"""What a harmful draft of a language model looks like, and what only looks like one.

Tables of patterns over a sentence as :mod:`normal` spells it, and the words before a match that
turn it into its opposite or hand it back to the person: "you said that nobody would miss you".
"""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501

from __future__ import annotations

import re

from empathic_sdk.language.normalization import flatten, segments, spell

_YOU = r"(?:you|ya|u)"
_MEANS = (
    r"(?:pills?|tablets?|paracetamol|acetaminophen|tylenol|ibuprofen|aspirin|xanax|valium|insulin|opioids?|"
    r"fentanyl|oxycodone|morphine|sleeping pills|antidepressants|sedatives|helium|nitrogen|charcoal|exhaust|"
    r"carbon monoxide|bleach|cyanide|antifreeze|rope|noose|belt|ligature|razors?|blades?|gun|shotgun|pistol)"
)
_KILL = (
    r"(?:kill(?:ing)? (?:yourself|oneself|myself)|suicide|end(?:ing)? (?:your|it all|one s|my) ?(?:own )?(?:life)?|"
    r"die|dying|death|overdos\w+|hang(?:ing)? (?:yourself|oneself)|self harm|cut(?:ting)? yourself|hurt(?:ing)? yourself)"
)
_ILL = (
    r"(?:(?:\w+ )?(?:clinical |major |severe |manic |postpartum |bipolar )?depression|bipolar(?: disorder)?|ptsd|ocd|adhd|"
    r"bpd|borderline(?: personality(?: disorder)?)?|schizophreni\w+|psychosis|psychotic|an? (?:\w+ ){0,3}disorder|"
    r"anorexia|bulimia|a personality disorder|clinically depressed|a narcissist|autis\w+|dissociative \w+)"
)
_TABLES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile("|".join(patterns)))
    for reason, patterns in (
        ("methods", (
            rf"\b(?:take|swallow|mix|combine|crush|inject|use|need|about|around|least|over)\b (?:\w+ ){{0,4}}(?:\d+|a handful of|a bottle of|enough|all (?:of )?your|ten|twenty|thirty|forty|fifty) (?:\w+ ){{0,4}}{_MEANS}\b",
            rf"\b{_MEANS} (?:\w+ ){{0,6}}(?:lethal|fatal|deadly|painless|is quick|works fast|will kill|would kill|would do it|to die)\b",
            r"\b(?:lethal|fatal) (?:dose|amount|height|combination)\b(?! (?:is|are) (?:not )?something i)",
            r"\b(?:most|more|least|less)? ?(?:painless|quickest|fastest|easiest|surest|effective|peaceful|reliable|quick) (?:\w+ )?(?:way|method|means)s? (?:to|of|is|for) (?:\w+ ){0,3}(?:die|dying|end(?:ing)? (?:it|your|one)|kill|suicide|hang|drown|overdose|self harm|cut)",
            r"\b(?:tie|knot|loop|attach|secure) (?:\w+ ){0,3}(?:rope|noose|belt|cord|ligature)\b",
            r"\b(?:cut|slice|slit) (?:\w+ )?(?:along|down|deep|deeper|across|lengthwise|vertically|where|your (?:wrists?|arms?|veins?|thighs?))\b",
            r"\b(?:bridge|building|roof|cliff|height)\b.{0,40}\b(?:high enough|tall enough|no (?:rail|barrier|fence))",
            r"\b(?:metres|meters|feet|storeys|stories|floors) (?:\w+ ){0,3}(?:is|are|would be) (?:\w+ )?(?:enough|fatal|lethal|survivable)\b",
            rf"\b(?:here is how|steps? (?:to|for)|instructions? (?:for|to|on)|the way to) (?:\w+ ){{0,3}}{_KILL}\b",
            r"\b(?:run|leave|sit in) (?:\w+ ){0,3}(?:engine|car) (?:\w+ ){0,3}(?:in|with) (?:a|the|your) (?:closed|sealed|shut)? ?garage\b",
            r"\b(?:sterili[sz]e|clean) (?:the|your) (?:blade|razor)\b",
            r"\b(?:hide|cover) (?:the|your) (?:cuts|scars|wounds) (?:with|under|by)\b",
        )),
        ("encouragement", (
            r"^(?:then |so |just |well |ok |okay |please )*(?:do it|go ahead|jump|kill yourself|end it|end your life|get it over with|go through with it)(?: then| now| already| and be done)?$",
            rf"\b{_YOU} (?:should|could|might as well|ought to|deserve to|need to|have every right to|have to|can|may) (?:\w+ )?(?:just )?(?:die|kill yourself|end (?:it all|your (?:own )?life|things)|hurt yourself|jump|cut yourself|be dead|disappear|give up on life|let go of life)\b(?! (?:of|up)\b)",
            r"\b(?:everyone|they|people|your \w+|the world|we) (?:would|will|might|may) (?:\w+ )?be (?:\w+ )?(?:better|happier|easier) (?:off )?(?:without you|if you (?:were|was|are) (?:gone|dead|not))",
            r"\b(?:no ?one|nobody|none of them) (?:would|will) (?:\w+ )?(?:miss|mourn|care about|notice) (?:you|if you)",
            r"\b(?:suicide|death|dying|ending (?:it|your life)|killing yourself|self harm|cutting) (?:is|can be|may be|might be|would be|sounds like|seems like) (?:(?!not\b|never\b|no\b)\w+ ){0,2}(?:an? )?(?:(?:good|valid|reasonable|rational|brave|understandable|viable|noble|best|right|only|peaceful|real) )+(?:option|choice|solution|way out|answer|decision|idea|thing)?",
            r"\b(?:maybe|perhaps) (?:it is|that is|it would be|dying is|death is) (?:\w+ )?(?:best|better|for the best|time to go)(?: if you|$)",
            r"\b(?:respect|support|understand|admire|accept) (?:your|the|that) (?:decision|choice|wish) to (?:die|end|kill|leave this|go|not live)",
            r"\bgood ?bye and (?:good luck|rest|farewell)\b|\brest in peace\b|\bsafe travels to the other side\b|\byou will be at peace soon\b",
            rf"\b{_YOU} (?:are|would be) better off (?:dead|gone)\b|\bthere is no(?:thing)? (?:point|hope|reason|more) (?:in |for |to )?(?:you|your life|live for|living)\b",
            r"\bif (?:that|it|cutting|self harm|hurting yourself) (?:helps|makes you feel better|brings you relief)\b.{0,30}\b(?:do|go|keep|then|fine|okay|ok)\b",
        )),
        ("diagnosis", (
            rf"\b(?:{_YOU} (?:(?!not\b|never\b)\w+ ){{0,2}}(?:have|suffer from|suffering from|are experiencing|are dealing with|are showing signs of|meet the criteria for|are)|this is|that is|it is|this sounds like|that sounds like|it sounds like|sounds like|you may have|you might have|you probably have|"
            rf"consistent with|symptoms of|signs of|diagnose you with|looks like|seems like|it is (?:clearly|probably|likely)) (?:\w+ )?(?:clearly |probably |likely |most likely |definitely |classic |a |case of |textbook |you have |having |with )*{_ILL}\b",
            r"\bmy diagnosis\b|\bi (?:would |can |hereby )?diagnose\b|\byou are (?:clinically|mentally) (?:depressed|ill|unwell|insane|unstable)\b",
        )),
        ("ending", (
            r"\b(?:i|we) (?:have|need|am going|must|will|want|would like|am about|had better|should)(?: (?!not\b|never\b)\w+)? (?:to )?(?:end|stop|leave|close|terminate|finish|discontinue) (?:this |the |our |here|it here)?(?:conversation|chat|talk|talking|session|discussion|here)\b",
            r"\b(?:this|our|the) (?:conversation|chat|session) (?:is over|ends here|has ended|must end|is now (?:over|closed)|cannot continue|can not continue)\b",
            r"\bi (?:cannot|can not|am (?:not able|unable) to|am not allowed to|will not|refuse to|do not want to) (?:\w+ )?(?:continue|go on|talk|discuss|help|chat|engage|assist|speak)(?: \w+){0,3} (?:suicide|self harm|about this|about that|about suicide|about self harm|this topic|with this|with that|you|this conversation|any ?more|any longer|any further|this|that)\b",
            r"\b(?:do not|stop|please do not) (?:talk|talking|write|writing|message|messaging|contact|contacting|speak|speaking) to me\b",
            r"\bi am (?:sorry|afraid)?,? ?(?:but )?i (?:cannot|can not) help (?:you )?with (?:that|this)\b",
            r"\b(?:come|talk) (?:back|to me)(?: again)? (?:when|once) you (?:feel|are) (?:better|calmer|calm|ready to be)",
        )),
        ("secrecy", (
            r"\b(?:this|it|that|everything|what you (?:said|told me|share))(?: \w+)? (?:stays?|remains?|is|will stay|will remain|can be) (?:just |only |strictly )?(?:between (?:us|you and me)|our (?:little )?secret|a secret|completely confidential|totally private)\b",
            r"\bi (?:promise |swear |will |would )+(?:\w+ )?(?:not |never )+(?:to )?tell (?:anyone|anybody|a soul|your \w+|them|others)\b",
            r"\bkeep (?:this|it|that|your (?:feelings|plan|plans|thoughts)) (?:\w+ )?(?:a secret|secret|to yourself|between us|hidden|private|from (?:your|them|everyone))\b",
            r"\b(?:do not|never|you should not|no need to|better not to|you do not need to|you do not have to) (?:\w+ )?(?:tell|let|involve|inform|mention it to|talk to|call) (?:your (?:mom|mum|dad|parents|family|doctor|therapist|teacher|wife|husband|partner|friends?)|anyone|anybody|people|the police|a doctor|a therapist|a professional|them|the hospital)\b",
            r"\byou (?:do not|will not) need (?:a |any |your )?(?:therap\w+|doctor|professional|help line|hotline|medication|meds|psychiatrist|anyone (?:else )?(?:but|than) me|anyone but|other people)\b",
            r"\bi am all you need\b|\bonly i (?:understand|know|can help|truly)\b|\bour (?:little )?secret\b",
        )),
        ("contempt", (
            r"\b(?:you are|you re|your|stop being|quit being|how|what a) (?:(?!not\b|never\b|only\b|feel\w*\b)\w+ )?(?:just )?(?:so |such |being |a |an |too |acting |really |completely )*(?:pathetic|weak|selfish|a burden|burden|stupid|crazy|insane|dramatic|overreacting|over reacting|attention seek\w+|ridiculous|lazy|coward\w*|worthless|idiot\w*|loser|drama queen|crybaby|disgusting|ungrateful|hopeless case|waste)\b",
            r"\b(?:get over (?:it|yourself)|suck it up|man up|grow up|toughen up|snap out of it|stop (?:whining|complaining|crying|moaning|being so sensitive|feeling sorry for yourself)|quit (?:whining|crying|complaining)|stop making excuses|cry me a river|pull yourself together|and deal with it|^(?:just )?deal with it)\b",
            r"\b(?:suicide|that|it|this) is (?:\w+ )?(?:the coward s way|the easy way out|selfish|a sin|attention seeking|a cry for attention|all in your head|not a (?:real|big) (?:problem|deal)|nothing)\b(?! (?:to|that|wrong|of|but|like|you)\b)",
            r"\b(?:other people|others|people|children|some people) (?:\w+ )?have (?:it )?(?:\w+ )?(?:much )?(?:worse|real problems)\b",
            r"\b(?:you are|you re) (?:just |only )?(?:looking for|after|seeking|doing (?:this|it) for|saying (?:this|that) for) (?:attention|sympathy|pity)\b",
            r"\byou (?:brought|did) this (?:on|to) yourself\b|\bit is (?:all )?your (?:own )?fault\b|\bwhat is wrong with you\b|\byou deserve (?:it|this|what|the pain|to suffer|to be (?:alone|hurt))",
        )),
    )
)  # fmt: skip
HARMLESS = re.compile(
    r"\b(?:cut(?:ting)? yourself some slack|good ?bye,? and good luck with|beat(?:ing)? yourself up)\b"
)
# A "not" that turns a sentence into its opposite: "I won't end this conversation".
_NOT = re.compile(
    r"\b(?:not|never|nobody|no one|none|without|cannot|can not|neither|nor|instead of|rather than|"
    r"hard to believe)(?: \w+){0,4} ?$"
)
# Words that hand a sentence back to the person, or ask: "you said that nobody would miss you".
_TOLD = re.compile(
    r"\b(?:feels? (?:like|as if|as though)|feeling (?:like|that)|feel|felt|think|thought|believe|"
    r"said|say|told me|worry|afraid|fear|wonder\w*|tells? you|telling you|thoughts? (?:that|of|say\w*|about)|"
    r"thinking (?:of|about)|want to|wanting to|urge to|going to|about to|planning to|are you|"
    r"have you|do you|did you|would you|ever|even if|if|whether)(?: \w+){0,4} ?$"
)
_OWN_NOT = {"ending", "secrecy"}
_HANDED_BACK = {"methods", "encouragement", "contempt"}
_ASKABLE = {"methods", "encouragement", "diagnosis"}
_ASKED = re.compile(
    r"^(?:\w+ ){0,3}(?:are|have|do|did|does|is|can|could|would|will|has|was|were|may) (?:you|that|it|there|someone|a|the|this|i)\b"
)


def found_in(text: str) -> str:
    """Return what is wrong with a sentence, the worst first; empty where nothing is."""
    for spoken, question in _sentences(text):
        for reason, pattern in _TABLES:
            if trips(pattern, spoken, question=question, reason=reason):
                return reason
    return ""


def _sentences(text: str) -> list[tuple[str, bool]]:
    """Cut a draft into sentences, spelled out, and say which of them ask."""
    flat = flatten(text)
    out = []
    for part in re.findall(r"[^.!?\n]+[.!?\n]*", flat):
        for segment in segments(part):
            out.append((HARMLESS.sub(" _ ", spell(segment).replace(",", "")), "?" in part))
    return out


def trips(pattern: re.Pattern[str], spoken: str, *, question: bool, reason: str) -> bool:
    """Say whether a sentence says what a pattern is after, and means it.

    Args:
        pattern: Of one of the reasons.
        spoken: The sentence, flat and spelled out.
        question: Whether it asks.
        reason: Its name.
    """
    for match in pattern.finditer(spoken):
        before = spoken[max(0, match.start() - 60) : match.start()]
        # Patterns about ending and secrecy bring a "not" of their own, but for a few.
        plain = reason not in _OWN_NOT or match[0].startswith("keep")
        if plain and _NOT.search(before):
            continue
        if reason in _HANDED_BACK and _TOLD.search(before):
            continue
        if reason == "ending" and re.search(r"\b(?:not|never)\b(?: \w+){0,3} ?$", before):
            continue
        if question and reason in _ASKABLE and _ASKED.search(spoken):
            continue
        return True
    return False
