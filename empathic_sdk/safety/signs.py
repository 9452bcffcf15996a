"""Signs that a person may end or hurt themselves, as tables of patterns.

Patterns run on normalised text (lower case, straight quotes, no accents, contractions written
out) and on one clause of bounded length at a time. None of them nests one repetition in another.
"""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re
from dataclasses import dataclass

from empathic_sdk.types import SafetyLevel

_C, _H, _I = (
    SafetyLevel.CONCERN,
    SafetyLevel.HIGH,
    SafetyLevel.IMMINENT,
)


@dataclass(frozen=True)
class Sign:
    """One pattern.

    Attributes:
        reason: Name that goes into ``SafetyAssessment.reasons``.
        level: How worrying it is when said plainly, in the present, about oneself.
        pattern: What to look for.
        literal: ``True`` where a "not" before the match does not undo it (it is part of the
            meaning, or the subject is someone else).
        joke: ``True`` where a joke marker ("lol") beside it lowers it to a concern.
    """

    reason: str
    level: SafetyLevel
    pattern: re.Pattern[str]
    literal: bool = False
    joke: bool = False


def sign(reason: str, level: SafetyLevel, *patterns: str, **kinds: bool) -> Sign:
    """Make a sign of alternative patterns, bounded by words."""
    return Sign(reason, level, re.compile(rf"\b(?:{'|'.join(patterns)})\b"), **kinds)


WANT = r"(?:wants?|wanted|wanting|wish|wishes|ready|desire|desires|prefer|rather|going)"
SELF = r"(?:myself|my self|me self|meself|myslef)"
FUTURE = r"(?:am going to|am gonna|gonna|going to|will|am about to|about to|plan to|am planning to)"
NOT_WANT = r"(?:do not|dont|no longer|never|not) (?:really |even |just )?(?:want|wanna|wish)(?: to)?"
_LIFE = r"(?:my life|my own life|it all|everything|my pain|my suffering|my existence)"

# Between a wish and death at most five words, none of them another subject or a denial.
_GAP = (
    r"(?:(?!(?:he|she|it|they|you|my|the|his|her|their|this|that|these|people|someone|not|never|"
    r"anyone|who|him|them|if)\b)[a-z0-9]+ ){0,5}"
)
_AWAY = r"(?! (?:on|for|by|from|when|until|at|to|in|before|of|with|into|end|line|set|last|tired|my|a)\b)"
_DEATH = (
    rf"(?:(?:die|dying|dead|(?:be|being) (?:dead|gone)|stop (?:living|existing)|cease to exist){_AWAY}|"
    r"not (?:be|being|to be) (?:alive|around|here any ?more|here any longer)|not (?:alive|exist|existing)|"
    r"not wake up(?! (?:at|so|early|late|for|in time))|never wake up(?! (?:at|so|early|late))|"
    r"(?:end|ending|over|finish) my (?:own )?life)"
)

# Anything a person says of their own death, however vague, is worth a gentle question.
_SELF_GAP = (
    r"(?:(?!(?:he|she|it|they|you|my|the|a|an|his|her|their|this|that|these|love|glad|happy|feel|feels|"
    r"grateful|lucky|thankful|afraid|scared|hear|heard|saw|read|who|anyone|someone|people|him|them|we|had)\b)"
    r"[a-z0-9]+ ){0,7}"
)

SIGNS: tuple[Sign, ...] = (
    sign("own_death", _C,
          rf"(?:i|myself|me) (?!(?:do |did |really |just |still )*not (?:\w+ )?(?:want|wish|plan|intend|going) to "
          rf"(?:die|be dead)){_SELF_GAP}(?:die|should have died|if i died|appreciate if i died|(?:be|am|was|were|myself|better) dead(?= (?:than|by|and|or|"
          rf"soon|already|inside|right|now)|$)|be alive|dead$|death(?= (?:a lot|all|every|constantly|and)|$)|"
          rf"suicide|stop existing|existing$)(?! (?:my|the|a|laughing|of|hair|for|on|when|here|in the game)\b)",
          literal=True, joke=True),
    sign("own_death", _C,
          r"(?:want|going|thinking (?:of|about)|about|ready|time) (?:to )?end(?:ing)? it$",
          r"(?:cannot|can not) promise (?:that )?i (?:will|am going to) be (?:ok|okay|safe|alive|here)",
          r"(?:if i died|i should have died)(?! my)", r"said (?:my )?good ?bye to (?:my|everyone|all|them)", r"make it to my (?:next )?birthday",
          r"nothing (?:is )?(?:keeping|holding|tying) me here(?! (?:except|but|besides|apart from) (?:for )?(?:the |this |that |my )?(?:\w+ )?"
          r"(?:food|job|weather|beach|salary|lease|contract|pay|coffee|work|view|wifi|rent|internet|money)\b)", literal=True),
    sign("wish_not_to_live", _H,
          r"(?:wish|hope|pray) (?:that )?i (?:was|were|am|will) not (?:here|around|alive)(?! (?:at|in|for|when))",
          r"(?:wish|hope|pray) (?:that )?i (?:had |have |would )?(?:never|not) (?:woken|woke|wake) up",
          r"done living(?! (?:in|with|at|like|here))", r"(?:fall|be|stay) asleep forever",
          literal=True),
    sign("wish_not_to_live", _H,
          r"(?:had|have had) enough of (?:living|life|being alive)", r"(?:want|wish) (?:for )?my heart to stop",
          r"(?:dying|death|being dead) (?:would|will|might) be (?:a |such a |the |my )?(?:\w+ )?(?:relief|release|"
          r"easier|better|answer|escape)", r"easier if i (?:just |simply )?(?:was|were|am) not (?:here|around|alive)",
          r"if i do not wake up", r"(?:do|give) anything to not (?:exist|be alive|be here)",
          r"go dark forever", r"not want to be a person", r"will not (?:see|be here for|make it to) (?:christmas|my birthday|"
          r"next year|summer|the end of)", r"not (?:going to )?be a (?:problem|burden) (?:\w+ ){0,3}much longer",
          literal=True),
    sign("hopelessness", _C,
          r"(?:come|cry|be) (?:to|at) my (?:own )?funeral", r"at the end of my rope", r"cannot do life",
          r"wish (?:the|my) (?:surgery|operation|accident|crash|overdose) (?:had|would have) ", literal=True),
    sign("preparation", _H, r"(?:have|keep|got) (?:a |my |the )?(?:gun|rope|pills|razor\w*) (?:\w+ ){0,4}and i (?:keep )?"
          r"think", r"tying (?:knots|a noose)", literal=True),
    sign("self_harm", _H, r"(?:would not|will not|not|never) cut again but", literal=True),
    sign("self_harm", _H, r"until (?:they|it|i|my \w+) bleeds?", literal=True),
    sign("preparation", _I,
          rf"{FUTURE} (?:swallow|take|down|eat) (?:all|every|a bunch|a lot|a whole|too many) (?:\w+ ){{0,3}}(?:pills?|meds|"
          r"tablets|medication|bottle(?! of (?:\w+ )?(?:wine|beer|water|whiske?y|vodka|champagne|juice|milk|gin|rum|soda|cider|prosecco)\b))"),
    sign("suicidal_statement", _H, r"tried to (?:overdose|hang myself|end it all|end my life|od)", literal=True),
    # -- a wish and death, in any words ----------------------------------------------------------
    sign("wish_to_die", _H,
          rf"(?:want|wish|hope|hoping|pray|praying|thinking (?:of|about)|fantasi[sz]ing (?:of|about)|"
          rf"dream(?:ing)? (?:of|about)|imagin(?:e|ing)|long(?:ing)? (?:for|to)|easier|better off|rather|"
          rf"ready|looking forward|planning|deserve|might as well) {_GAP}{_DEATH}",
          r"feel(?:ing)? like (?:i should |i want to |i could )?(?:just )?(?:dying|die|be dead|ending (?:it|everything))"
          r"(?! (?:of|from|my|out)\b)", r"(?:death|dying|being dead) (?:sounds|seems|feels|looks|would be) "
          r"(?:\w+ )?(?:peaceful|nice|good|easier|better|like (?:a )?relief|comforting|tempting)",
          r"(?:want|need) out of (?:this|my) life", r"(?:want|going|ready) to leave (?:it|this world|this life|"
          r"this earth)(?! (?:to|at|with|alone|in))", r"(?:god|lord|someone|something) (?:would |could |to )?"
          r"(?:just )?(?:take me(?! (?:to|out|with|on|for|back|home|away for))|kill me|end me)",
          r"(?:my|the) last (?:night|day|hours?)(?: (?:on earth|alive|here))$", r"is my last night$",
          r"(?:research\w*|google\w*|look(?:ed|ing) up|search\w*) (?:how to|ways to|about) (?:die|kill|end|"
          r"overdose|suicide|hang)(?! (?:a |the |weeds|process|it with))",
          r"i (?:almost|nearly) (?:jumped(?! (?:off|out of|from) (?:my|the|a) (?:chair|seat|sofa|couch|bed|skin|shoes|desk|boots)| (?:for|with) joy| out of (?:my|the) (?:skin|seat)| up and down| at (?:the|this|that))|did it|killed myself|ended it|went through with it)",
          r"(?:living|life|being alive|existing) is (?:just )?(?:too|so) (?:hard|painful|much|exhausting)",
          r"want my life to (?:end|be over)", r"(?:wish|hope|want) (?:i|to) (?:get|got|would get|could get|"
          r"was|were) (?:just )?(?:hit by|run over|struck by|killed|shot)", joke=True),
    sign("wish_not_to_live", _H,
          rf"(?:tired of|sick of|done with|over with|exhausted (?:of|from|by)|no (?:reason|point|use|sense)|"
          rf"not (?:see|know|understand|get) why|why (?:should|do|would|am) i|what for|hate|cannot stand) "
          rf"{_GAP}(?:alive|living(?! (?:with|in|at|near|like|here|out|on|together)\b)|exist|existing)",
          literal=True),
    sign("burden", _H,
          r"(?:if|when|once) i (?:just |simply )?(?:stopped|stop|ceased) existing", r"(?:nothing|no one|nobody) "
          r"would (?:\w+ )?(?:change|miss|care|notice|cry) if i (?:died|was|were)",
          r"better off (?:when|once|if) i am (?:not|gone|dead)",
          r"(?:imagine|see|picture) (?:myself )?being alive", r"(?:do not|does not) belong in this world",
          r"if i (?:died|were dead|was dead|was gone|were gone|disappeared|killed myself)"
          r"(?: [a-z]+){0,3} (?:no one|nobody|would any|who would|they would|everyone would)",
          r"(?:better|happier|easier)(?: [a-z]+){0,3} (?:without me|if i (?:was|were|am) not|if i did not)",
          literal=True),
    sign("suicidal_statement", _H,
          r"(?:knife|blade|razor|gun|belt|rope|pistol) (?:against|to|on|at|around|in|up to) my "
          r"(?:arm|arms|wrist|wrists|head|neck|throat|mouth|skin|chest|leg)",
          r"star(?:e|ing) at (?:the|my|a) (?:\w+ )?(?:pills|tracks|bridge|rope|edge|knife|blade|gun|meds)",
          r"(?:am|i m|will be|be) ending it(?! with)", r"ending it (?:all|tonight|soon|for good)",
          literal=True),
    sign("farewell", _H,
          r"(?:written|wrote|writing|write) (?:letters?|notes?) (?:to|for) (?:everyone|everybody|all|my "
          r"(?:kids|family|parents|wife|husband|mom|mum|dad|friends|children|loved))", literal=True),
    sign("self_harm", _H, r"want to bleed", r"(?:burned|burnt|cut|hit|scratched|hurt) my (?:arms?|legs?|"
          r"hands?|wrists?|thighs?) (?:\w+ ){0,4}on purpose", r"hurt(?:ing)? myself on purpose", literal=True),
    sign("self_harm", _H, r"(?:keep|been|started|stop|kept|am|back to) cutting(?: again| every \w+)?$",
          literal=True),
    sign("hopelessness", _C,
          r"only (?:one )?way out", r"my life is (?:over|ruined|pointless|meaningless)",
          r"life has no (?:meaning|point|purpose|sense)", r"(?:nothing|no one) is (?:left )?(?:left )?for me "
          r"(?:here|any ?more)", literal=True),
    # -- suicide, said plainly ------------------------------------------------------------------
    sign("suicide_intent", _I,
          rf"{FUTURE} (?:just |probably )?(?:kill {SELF}|end {_LIFE}|take my (?:own )?life|"
          rf"commit suicide|unalive {SELF}|kms|do suicide|suicide|hang {SELF}|overdose|od tonight)",
          rf"(?:decided|deciding|chosen|going) to (?:kill {SELF}|die tonight|end {_LIFE})",
          joke=True),
    sign("suicidal_statement", _H,
          rf"(?:kill|killed|killing|unalive|unaliving|unalived|hang|hanging|shoot|shooting|drown|drowning)"
          rf" {SELF}", r"kms", r"commit(?:ting)? suicide", r"suicidal", r"feel(?:ing)? suicide",
          r"(?:thoughts?|thinking|think|thought) (?:of|about) suicide", r"tak(?:e|ing) my own life",
          r"(?:sewer|sui) ?slide", r"catch the bus", r"self delete", r"my (?:own )?suicide",
          rf"(?:end|ending) {_LIFE}", r"take my life", r"suicide (?:is|seems|feels|looks|sounds) ",
          r"(?:just )?jump(?:ing)? off (?:a|the|this) (?:\w+ )?(?:bridge|roof|building|cliff)",
          joke=True),
    sign("wish_to_die", _H,
          rf"{WANT} (?:to|2) (?:just |really |be )?(?:die|be dead|dead)(?! (?:my|the|a|when|of) )", r"i wanna die", r"wanna be dead",
          r"(?:wish|hope) (?:that )?i (?:was|were|would|could|will|could just|would just|am)"
          r" (?:just )?(?:dead|die|not wake up|disappear forever|stop existing|cease to exist)",
          r"(?:better|best) off dead", r"would rather be dead", r"wish i did not exist",
          r"i should (?:just )?(?:die|be dead)", r"let me die", r"i deserve to die",
          r"(?:would not|wouldnt) mind if i (?:died|did not wake up|got hit|never woke up)",
          r"(?:want|wish|rather|hope|need) (?:to |i could )?(?:just )?(?:sleep|be asleep) forever", r"thoughts? (?:of|about) (?:death|dying)",
          r"thinking (?:of|about) (?:death|dying|ending)", joke=True),
    sign("suicidal_statement", _H,
          r"(?:to|will|should|might|could|just|gonna) off (?:myself|my self)", r"offing (?:myself|my self)", r"want to unalive", r"unalive",
          r"(?:thinking|think|thought|thoughts|fantasi[sz]\w+|daydream\w*|imagin\w+) (?:about|of) "
          r"(?:ways (?:to (?:go|die|end)|out)|not being (?:here|alive|around)|being dead|ending|"
          r"driving (?:my car |the car )?(?:into|off)|jumping|stepping in front|crashing|overdosing|"
          r"(?:my own )?(?:death|funeral))(?! credits| up)",
          r"(?:drive|driving|crash|steer) (?:my car |the car )?(?:into (?:a|the|oncoming) (?:tree|wall|"
          r"traffic|river)|off (?:a|the) (?:bridge|cliff|road))",
          r"(?:jump|step|walk|throw myself) in front of (?:a|the) (?:train|bus|car|truck|traffic)",
          r"(?:should|could|might|will|want to|going to|maybe i|ready to) (?:just )?(?:end things|end "
          r"everything|end this life|finish it all)(?! (?:with|between))",
          r"(?:at|made (?:my )?) ?peace with (?:dying|death|the idea of dying)", r"ready to die",
          r"(?:not|no longer) (?:scared|afraid) (?:of|to) (?:die|dying|death)(?: any ?more)?$",
          r"(?:dont|do not|did not) deserve to (?:live|be alive|exist)", literal=True),
    sign("wish_not_to_live", _H,
          r"(?:go to sleep|fall asleep|sleep) and (?:just )?(?:never|not) wake up",
          r"(?:not|will not|do not|never) (?:to )?wake up (?:any ?more|again|in the morning|ever)(?! (?:at|so))",
          r"(?:see|have|find|got) (?:a|any|no|much) (?:reasons?|point|use|sense) (?:to|in|of) (?:be(?:ing)? alive|be here|live|exist|keep(?:ing)? "
          r"(?:going|on|living|trying)|go(?:ing)? on|stay(?:ing)?(?: alive)?)",
          r"(?:not|never) (?:think |know if |sure )?(?:that )?i (?:can|want to) (?:keep going|go on|make it "
          r"(?:through|to) (?:the night|tonight|tomorrow))", r"(?:cannot|can not) keep going",
          r"do not want to (?:keep going|go on|carry on)(?: living| any ?more| like this| any longer)?$",
          r"no (?:place|room) for me in (?:this|the) world", r"hate (?:living|being alive)(?! (?:in|with|at|here))",
          r"want (?:to be|to go) (?:with|join) (?:my|him|her) (?:dead|late) \w+",
          r"(?:join|be with) (?:him|her|them|my \w+) in (?:heaven|the afterlife|death)", literal=True),
    sign("preparation", _I,
          r"(?:i )?(?:just )?(?:took|swallowed|have taken|downed) (?:\d{2,}|twenty|thirty|forty|fifty|"
          r"a handful of|so many|a whole (?:box|pack) of) (?:of )?(?:my |the )?(?:\w+ )?(?:pills|tablets|"
          r"meds|capsules|tylenol|paracetamol|ibuprofen|xanax)", literal=True),
    sign("suspicious_purchase", _C,
          r"(?:bought|got|ordered|found) (?:a |some |the |my dads |his )?(?:rope|noose|razor blades?|gun|"
          r"pistol)(?! for (?!me\b|myself|tonight|it\b|this\b|that\b|later|when|the end)| to (?:tie|climb|pull|tow|secure|make|fix|dry|hold|hang (?:the|a|my|our|up))\b| in the game)"),
    sign("farewell", _H,
          r"(?:(?:it|everything) will (?:all |soon )+be over(?: soon)?|soon it will (?:all )?be over)"
          r"(?!.*\b(?:exams?|finals|tests?|papers?|shifts?|class(?:es)?|semester|school year|renovations?|construction|chemo|treatment|surgery|deadline|project|winter|tax season|wedding|election|sessions?|meetings?)\b)",
          r"you will not (?:hear from|see) me (?:again|any ?more)", r"by the time you read this",
          r"take care of my (?:dog|cat|kids?|children|mom|family)(?: when| after| for me| once)",
          literal=True),
    # -- suicide, said sideways -----------------------------------------------------------------
    sign("wish_not_to_live", _H,
          rf"{NOT_WANT} (?:be here|be alive|live|exist|be on this earth|go on living|keep living|"
          r"be around|wake up|be in this world)(?: any ?more| any longer| at all| tomorrow)?"
          r"(?! with (?:my|him|her|them)| in (?:constant|fear|a)| in (?:this|the) (?:city|town|house|flat|country)|"
          r" near| at (?:\d|this|the|my)| when| early| for (?:work|school)| so early|"
          r" a (?:lie|quiet|boring)| like (?:a|my|the))",
          r"(?:hope|wish|pray) (?:that )?i (?:do not|never|did not) wake up",
          r"not (?:be|gonna be|going to be) (?:here|around) (?:much longer|tomorrow|anymore|any more)"
          r"(?!.*\b(?:leave|vacation|holiday|off|work|class|trip|travel\w*|meeting|appointment|office)\b)",
          r"wish i (?:was|were|had|had been) never (?:been )?born", r"wish i had never been born",
          r"(?:tired|sick) of (?:living(?! (?:with|in|at|near|like|here|out|on))|being alive|life(?! (?:in|at|as|on|here))|existing)", r"done with (?:life|living)",
          r"(?:no|not any|lost (?:my|the|all)) (?:reasons?|will) to (?:live|be alive|keep living|go on)",
          r"nothing (?:left )?to live for", r"life is not worth (?:living|it)", r"not worth living", r"(?:can ?not|cant) (?:live|go on) (?:any ?more|like this|any longer)",
          r"cannot go on(?! (?:\w+day|the|a|vacation|holiday|stage|that|this|my|strike|trips?|dates?|rides?))", r"not see (?:myself|me) (?:alive|living|being here)",
          r"(?:point|use|purpose) (?:of|in) (?:going on|living|being alive|existing|life|staying alive|"
          r"waking up)(?! rooms?| together| with| in| at)", r"no point (?:in |of |to )?(?:going on|living|life|being here|being alive)",
          r"why (?:do i|should i|am i|even) (?:even |still |bother )?(?:live|living|alive|going on|"
          r"exist)", r"give up on (?:life|living)", r"giving up on (?:life|living)",
          literal=True),
    sign("burden", _H,
          r"(?:better|happier|easier) (?:off )?(?:without me|if i (?:was|were|am) (?:gone|dead|not "
          r"(?:here|around))|if i (?:died|disappeared|never existed|did not exist))",
          r"(?:no one|nobody|noone|not one person) (?:would|will) (?:even |ever |really )?"
          r"(?:miss me|notice if i|care if i (?:died|die|was gone|were gone|disappeared))",
          r"would (?:any ?one|anybody|they|people) (?:even |really )?(?:miss me|notice if i (?:was|were|"
          r"died|disappeared)|care if i (?:died|was|were|disappeared))",
          r"world (?:without me|does not need me)", r"when i am (?:gone|dead)(?! (?:on|for|from|to|at|shopping))",
          r"after i am (?:gone|dead)", literal=True),
    sign("farewell", _H,
          r"(?:cannot|can not|cant|could not) (?:do|take|handle|stand|bear) (?:this|it)"
          r"(?: any ?more| any longer)?,? ?(?:so )?(?:good ?bye|farewell|bye)",
          r"this is (?:my )?(?:good ?bye|farewell|last (?:message|goodbye|time you))",
          r"good ?bye (?:forever|everyone|cruel world|world|for good|for ever|to everyone)",
          r"(?:writing|wrote|written|write) (?:my |a |the |some )?(?:\w+ )?"
          r"(?:goodbye|suicide|farewell) (?:letters?|notes?)",
          r"(?:writing|wrote|written|left) (?:my|a) (?:last|final) (?:note|letter|words|will)",
          r"saying (?:my )?(?:final |last )?goodbyes", r"said (?:all )?my goodbyes", literal=True),
    sign("preparation", _I,
          r"(?:saving|saved|hoarding|hoarded|stockpiling|stockpiled|collecting|collected|stashing|"
          r"stashed|counting|counted)(?: up)? (?:\w+ )?(?:my |the |all my )?(?:\w+ )?(?:pills|meds|"
          r"medication|tablets|painkillers|insulin)",
          r"(?:bought|got|found|have|loaded|holding) (?:a |the |my |his |some |dads )?(?:\w+ )?"
          r"(?:rope|noose|razor|gun|pistol|pills) (?:and i am |and |to |so i can |for )?"
          r"(?:ready|end|do it|kill|use it on|in my hand|next to me|here with me|loaded)",
          r"(?:wrote|written|left|finished) (?:my|a|the) (?:suicide|goodbye) (?:note|letter)",
          r"(?:i )?(?:took|swallowed|have taken|just took|have swallowed) (?:all |a whole |the whole |"
          r"a bunch of |a lot of |a bottle of |too many )(?:of )?(?:my |the )?(?:\w+ )?(?:pills|meds|"
          r"bottle|tablets|painkillers|medication|tylenol|paracetamol|sleeping pills)",
          r"i (?:have )?(?:overdosed(?! on (?:\w+ ){0,2}(?:chocolates?|sugar|coffee|tv|netflix|cakes?|cheese|food|memes|candy|caffeine|cookies|pizza|sweets|pie|turkey|ice|snacks|content|news|sun|sunshine|carbs|pasta|bread|tea|shows?|series|podcasts?|nostalgia|cuteness)\b)|od ed|slit my wrists?|cut my wrists?)",
          r"(?:standing|sitting|am|i am) (?:here )?(?:on|at) (?:the|a) (?:edge of the |edge of a )?"
          r"(?:bridge|ledge|roof|tracks|train tracks|cliff)(?!,? (?:and )?(?:where|fixing|with|waiting|repairing|cleaning|working|taking|painting|watching|club|was|were|is|bar|"
          r"terrace|to (?:fix|clean|repair|watch|see)|for (?:the|a|lunch|work|drinks|sunset)|having|enjoying|near|replacing|installing)\b)",
          literal=True),
    sign("plan", _H,
          r"(?:have|made|got|had) (?:a |my |the )?(?:suicide plan|plan to (?:die|end|kill)|"
          r"plan for (?:my death|ending))", r"know (?:exactly )?how i (?:would|will|am going to) (?:do "
          r"it|die|end it)", r"(?:picked|chose|chosen|set) (?:a|the|my) (?:date|day|night) (?:to|for) "
          r"(?:die|do it|end|my death)"),
    sign("giving_away", _C,
          r"(?:giving|gave|given) away (?:all (?:of )?)?(?:my |everything )(?:things|stuff|belongings|"
          r"possessions|pets?|dogs?|cats?|valuables|money|i own)",
          r"(?:giving|gave|given|give) (?:all (?:of )?)?(?:my |everything )(?:things|stuff|belongings|"
          r"possessions|pets?|dogs?|cats?|valuables|i own)(?: all)? away",
          r"giving (?:things|everything|it all) away", r"(?:will|wo|would) not (?:be )?need(?:ing)? "
          r"(?:them|it|my things|this|anything) any ?more", literal=True),
    sign("method_request", _I,
          r"(?:how many|what dose|how much) (?:\w+ ){0,4}(?:to (?:die|kill (?:me|myself|someone)|overdose"
          r"|od)|(?:is|are|would be) (?:lethal|fatal))",
          r"(?:painless|quick|quickest|easiest|easy|best|fastest|peaceful|least painful) "
          r"(?:ways?|methods?) (?:to|of|for me to) (?:die|dying|kill(?:ing)? (?:me|myself|my self|yourself|oneself)|"
          r"suicide|commit|end(?:ing)? (?:it|my life)|go)",
          r"how (?:to|do i|can i|could i|would i) (?:best |painlessly |quickly )?(?:kill myself|"
          r"commit suicide|end my life|die painlessly|hang myself|overdose|unalive)",
          r"(?:lethal|fatal) dose"),
    # -- self-harm ------------------------------------------------------------------------------
    sign("self_harm", _H,
          r"self ?harm(?:ing|ed)?", r"(?:cut|cutting|burn|burning|burned|hurt|hurting|harm|harming|"
          r"injure|punish|punishing|starve|starving|scratching|punching|hitting) (?:my arms|my "
          r"legs|my wrists|my thighs|myself|my self|my skin|myslef)", r"started cutting(?: again)?",
          r"slit(?:ting)? my wrists?", r"(?:relapsed|started) and (?:cut|burned)(?: again)?",
          r"i cut (?:again|last night)", r"(?:cut|cutting) (?:to feel|so i feel|makes me feel)", r"been cutting again", r"urges? to cut"),
    # -- somebody else --------------------------------------------------------------------------
    sign("bereavement", _C,
          r"(?:killed|hanged|shot) (?:himself|herself|themselves|themself|itself)",
          r"(?:he|she|they|my (?:\w+ )?\w+) (?:died by|committed) suicide",
          r"took (?:his|her|their) own life", r"lost (?:\w+ ){0,5}to suicide", literal=True),
    sign("other_person", _C,
          r"(?:kill|killing|hurt|hurting|hurts|harm|harming|cut|cutting|cuts|unalive|unaliving) "
          r"(?:himself|herself|themselves|themself)", r"end (?:his|her|their) (?:own )?life",
          r"(?:tried|attempt|attempted|attempting) (?:to commit )?suicide"),
    # -- hopelessness ---------------------------------------------------------------------------
    sign("hopelessness", _C,
          r"(?:cannot|can not) (?:do|take|handle|stand|bear) (?:this|it|life) (?:any ?more|any longer)",
          r"what is (?:even )?the point(?: of (?:it all|anything|trying|all this|any of (?:this|it)))?"
          r"(?: any ?more)?$",
          r"(?:no|not any|lost all|without|run out of|given up) hope", r"(?<!as )(?<!all )(?<!so )(?<!not )hopeless(?! (?:with|at|romantic))",
          r"no way out(?! of (?:the|this|that) [a-z]+)", r"there is no future for me", r"(?:do not|cannot) see (?:a|any) (?:future|way"
          r" out|way forward)", r"want to (?:just )?(?:disappear|vanish|stop existing)(?! (?:into|in|for|with))",
          r"(?:wish i could|want it (?:all )?to) (?:just )?(?:disappear|vanish|stop|be over)",
          r"nothing (?:matters|has any meaning) any ?more", r"want (?:everything|the pain) to (?:stop|end)",
          r"i am (?:just |only |such )?a (?:burden|waste of (?:space|air|oxygen))",
          r"(?:nobody|no one) needs me", r"what am i (?:even )?(?:living|here) for",
          r"(?:wish|want) i (?:could|would) (?:just )?(?:never come back|not be here)",
          r"(?:stopped|stop|quit) (?:taking care of|caring about) (?:myself|anything|everything)",
          r"(?:fine|okay|ok) with (?:\w+ ){0,3}(?:meteor|asteroid|bus|truck)",
          r"(?:ready to be done|ready to go for good|rather not be here)",
          r"(?:life|everything) (?:is|feels|seems) (?:so |just |completely )?(?:meaningless|pointless)",
          literal=True),
)

SUICIDE_REASONS = frozenset({
    "suicide_intent", "suicidal_statement", "wish_to_die", "wish_not_to_live", "burden", "farewell",
    "preparation", "plan", "giving_away", "method_request", "suspicious_purchase", "own_death",
    "contextual_risk",
})
"""Reasons that are about suicide, so that it is asked about directly."""
