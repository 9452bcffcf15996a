"""Words around a sign that turn it: an idiom, a denial, the past, somebody else, a story, means."""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re

from empathic_sdk.safety.signs import FUTURE

NEGATED = re.compile(
    r"\b(?:not|never|no|without|neither|nor|nothing|none|hardly|kein\w*|nicht|nie|no|nunca|pas|"
    r"jamais|cannot|stopped|stop)(?: [a-z]+){0,4} ?$"
)
# "I can't stop thinking about ...", "not sure I won't": a not that denies nothing.
NO_DENIAL = re.compile(
    r"\b(?:cannot|can not|could not|not) (?:really |seem to )?(?:stop|help|shake|resist|quit|wait|"
    r"promise|escape|sure|control|get|say i|lie|only|know)\b|\bno (?:reason|idea|way) |"
    r"\b(?:why|how|surprised) (?:\w+ ){0,2}have not\b|\bnot .{0,40}\bbut\b|\bno one\b|\bnot afraid\b|"
    r"\bno, |\bno i |\bstopped (?:caring|hoping|eating|taking)\b"
)
STILL = re.compile(
    r"\b(?:now|again|lately|today|tonight|still|these days|recently|this (?:week|morning|month)|back)\b"
)
PAST = re.compile(
    r"\b(?:used to|years? ago|months ago|in the past|back then|back when|when i was|as a (?:kid|teen|"
    r"teenager|child)|last year|a long time ago|long ago|once (?:tried|wanted|felt|thought)|"
    r"in (?:high school|college|my teens|my twenties|19\d\d|20\d\d)|previously|at one point)\b"
)
SUBJECT = re.compile(
    r"\b(?:he|she|they|someone(?: i know)?|somebody(?: i know)?|(?:friend|guy|girl|woman|man|person)"
    r" (?:of mine|i know)|my (?:\w+ )?(?:friend|bestie|sister|brother|mom|mum|mother|dad|father|son|"
    r"daughter|kid|child|wife|husband|boyfriend|girlfriend|partner|cousin|student|roommate|neighbou?r|"
    r"patient|client|aunt|uncle|grand\w+|niece|nephew|colleague|coworker|classmate|ex|teen\w*|gf|bf)s?"
    r"|a (?:friend|student|colleague)|people|students)\b"
)
FIRST = re.compile(r"\b(?:i|me|my|myself|we)\b")
SAYS_I = re.compile(r"\bi\b")
FICTION = re.compile(
    r"\b(?:movie|film|song|lyrics|novel|book|character|series|episode|essay|thesis|research|paper|"
    r"article|game|documentary|poem|play|show)\b"
)
YES = re.compile(
    r"^(?:yes|yeah|yep|yea|ye|yup|kind of|sort of|kinda|maybe|i think so|i guess|a little|a bit|"
    r"sometimes|i (?:do|am|have)(?=$|,| thinking| suicidal| thought)|often|all the time|every day|both|ja|si|oui|probably)\b"
)
NO = re.compile(r"^(?:no|nope|nah|not really|i am not|i do not(?! know)|never|not at all|nein|non)\b")
SAFE = re.compile(
    r"\b(?:i am (?:\w+ )?safe|i (?:have )?called|i (?:have )?texted|i will call|i (?:have )?talked to|"
    r"i (?:have )?told (?:my|a|her|him|them)|feel(?:ing)? (?:\w+ )?(?:better|safer|calmer)|"
    r"(?:is|are) (?:here )?with me|i did not mean (?:it|that)|i do not want to die)\b"
)
BYE = re.compile(r"\b(?:good ?bye|farewell|bye(?: everyone)?)\b")

IDIOMS = re.compile(
    r"\b(?:"
    r"would rather (?:die|be dead) than (?:eat|watch|listen|wear|sit|drink|work|read|cook|attend|admit|lose to|date|kiss|support|clean|dance|sing|play|pay|shop|"
    r"run|vote|camp|share|queue|use|buy|do (?:that|my|the|homework|math\w*|chores|karaoke))\b|"
    r"my (?:\w+ )?(?:plants?|phone|laptop|car|battery|printer|computer|pc|wifi|orchids?|succulents?|cactus|garden|bike|fish) (?:just |all |always |really |"
    r"seems? to |clearly )*(?:wants?|decided|is trying|are trying|is going|are going|is about|are about) to die|"
    r"(?:kill|murder|strangle) (?:him|her|them|you|my \w+) if (?:[a-z]+ ){1,9}(?:lol|lmao|haha\w*|jk|xd)|"
    r"(?:scared|afraid|terrified|fear|worried|anxious|panicking) (?:that )?(?:i am |i will |of |i might )?(?:going to )?"
    r"(?:die|dying|be dead)(?: from| of)?|(?:scared|bored|worried|starved|frozen|hated|loved?|tickled|thrilled|sick|scares|worries|bores) (?:me |him |her |us |them |you )?(?:half )?to death|suicide (?:squad|prevention|hotline|hot line|line|awareness|bomber|bombing|doors?|mission|"
    r"run|burns?|pact movie|girls|king|note in the)|political suicide|career suicide|"
    r"kill(?:s|ed|ing)? (?:two birds|time|the (?:mood|vibe|lights?|engine|process|job|server|"
    r"app|switch|music|dragon|boss fight)|it (?:at|on|in|with))|"
    r"(?:is|are|was|were|been) (?:literally |absolutely |just |really |totally )?killing (?:me|it|my "
    r"(?:back|feet|head|knees?|vibe|mood))|killing (?:me|it)|kills me (?:that|when|how|to)|"
    r"(?<!says )(?<!said )(?<!swore )(?<!swears )(?:mom|mum|dad|boss|wife|husband|parents|teacher|she|he|they)"
    r" (?:is|are|will|would)? ?(?:going to|gonna)? ?kill me(?! if i (?:ever )?(?:leave|left|tell|call|report|try to leave)(?! early| work| now| late| it| the))(?: if| when| for)?|"
    r"(?:hungry|tired|bored|embarrassed|cute|good|happy|hot|thirsty|starving) (?:that )?i (?:could|might|would) "
    r"(?:just )?die|(?:could|would|might|nearly|almost|about) (?:have )?(?:just )?(?:die|died) (?:of|from|"
    r"laughing) ?(?:embarrassment|shame|laughter|boredom|laughing|happiness|joy|cringe|cuteness|heat)?|"
    r"di(?:e|ed|es) (?:of|from) (?:embarrassment|shame|laughter|boredom|laughing|happiness|joy|"
    r"cringe|cuteness|hunger|thirst)|(?:die|died|dying|dead) (?:laughing|of laughter|inside laughing)|"
    r"dying (?:to|for) (?:\w+)|to die for|die hard|"
    r"(?:phone|battery|laptop|car|plant|plants|engine|internet|wifi|signal|tablet|computer)"
    r" (?:just |has |is |has just )?(?:died|dead|dying)|"
    r"dead (?:tired|serious|on|last|end|weight|heat|silence|battery|line|drunk|sure|right|wrong|"
    r"ringer|inside)|drop dead gorgeous|over my dead body|dead ?lines?|die on (?:this|that|the|a|my) hill|"
    r"shoot (?:me|you|us|him|her|them|my \w+|over)?\s?(?:an?|the|your) (?:e ?mail|text|message|dm|line|"
    r"note|mail|question)|shoot (?:hoops|some hoops|a (?:film|video|movie|scene))|photo ?shoot|"
    r"murder mystery|murder(?:ed)? (?:a|the|that) (?:song|burger|sandwich|pizza)|"
    r"hit me (?:up|with (?:it|your|a))|it (?:really |just |finally )?hit me|beat me to it|pick(?:ed)? me up|"
    r"cut(?:ting)? myself (?:some slack|off|a (?:slice|piece|deal)|shaving|while|when|on|chopping|"
    r"cooking|by accident|accidentally|short)|hurt myself (?:at|playing|lifting|running|skiing|while|"
    r"working|training|falling|on the|in the gym|by accident|accidentally|climbing)|"
    r"burn(?:ed|ing|t)? myself (?:on|out|while|cooking|with (?:the|hot|coffee|tea))|"
    r"(?:accidentally|by accident) (?:cut|hurt|burned|hit) (?:myself|my \w+)|"
    r"kick(?:ing|ed)? myself|beat(?:ing)? myself up|"
    r"(?:game|boss|level|raid|quest|character|npc|player)\w* (?:to |and )?kill\w*|"
    r"kill (?:the|a|this|that|all the|some|more) (?:boss|enem\w+|monsters?|zombies?|dragon|npc\w*|"
    r"process|bugs?|weeds?|spiders?|mosquito\w*|germs|bacteria|player)|"
    r"(?:killer|killing) (?:app|feature|workout|deal|spree in|joke|outfit|floor)|"
    r"life (?:of|after) death|death (?:metal|star|note|valley|stranding|grip|by chocolate)|"
    r"i will kill (?:for|this (?:exam|interview|test|presentation))|"
    r"(?:i )?could (?:just |really )?(?:kill|murder|strangle) (?:him|her|them|my \w+|you|for|a \w+)|"
    r"(?:hope|wish|want)\w* (?:it|that|the (?:meeting|lecture|movie|week)) (?:to )?(?:just )?(?:end|be over)"
    r")\b"
)
"""Turns of phrase that only look like a sign. They are blanked out before signs are sought."""

MEANS = re.compile(
    r"\b(?:pills|tablets|overdose|gun|pistol|shotgun|rifle|rope|noose|bridge|razor|blades?|knife|"
    r"knives|train tracks|jump in front|cliff|roof|exhaust|poison|bleach|insulin)\b"
)
DEADLY = re.compile(r"\b(?:pills|overdose|gun|pistol|noose|rope|razor blades?)\b")
TIME = re.compile(
    r"\b(?:tonight|this (?:evening|weekend|afternoon)|tomorrow|in an hour|in a few (?:minutes|hours)|"
    r"by (?:morning|midnight|the end of (?:the day|this week))|before (?:morning|midnight|they)|"
    r"when (?:they|everyone|he|she|my \w+) (?:leaves?|sleeps?|(?:is|are) (?:asleep|gone|out))|"
    r"after (?:everyone|they) (?:leave|sleep|go)|(?:on|this|after|until|next) (?:mon|tues|wednes|thurs|fri|satur|sun)day|heute nacht|heute abend|esta noche|ce soir)\b"
)
INTENT = re.compile(
    rf"\b(?:{FUTURE} (?:do it|end it|go through with it|jump|be gone|be dead)|i have decided|"
    r"i made up my mind|my mind is made up|i have a plan|i have (?:it|everything) planned|"
    r"have (?:it|everything) ready|i am doing it|i am going to do it|right now with)\b"
)
JOKE = re.compile(r"\b(?:lol|lmao|lmfao|haha\w*|hehe|rofl|jk|just kidding|xd)\b|[😂🤣😅]")

SOFT = re.compile(
    r"\b(?:nothing matters|i give up|cannot cope|can not cope|so tired of everything|"
    r"tired of everything|i am worthless|worthless|i hate myself|hate my life|"
    r"i am (?:so )?(?:empty|numb|alone)|cannot take (?:it|this)|no one cares|nobody cares|"
    r"falling apart|breaking down|i am done)\b"
)
"""Weaker signs: a concern only beside a strong low state, or two of them together."""

PLACE = re.compile(
    r"\b(?:i am|standing|sitting) (?:here |up )?(?:on|at) (?:the|a) (?:edge of (?:the|a) )?"
    r"(?:bridge|ledge|roof|tracks|train tracks|cliff)\b"
)
"""A place that means something only beside other signs or a low state."""

NIGHT = re.compile(r"\b(?:tonight|today|tomorrow|this) (?:s|is) the (?:night|day|end|last)\b")
THANKS = re.compile(r"\b(?:thanks?(?: you)?(?: all)? for everything|i love you all|forgive me|i am sorry)\b")

LEFT = re.compile(
    r"\b(?:left|leaving|escaped|divorced|dumped|free (?:of|from)|away from|out of|broke up with|moved out|"
    r"walked out|ran away from|survived)(?: \w+){0,4} ?$"
)
"""Words before "abusive husband" that say the person has got away."""
