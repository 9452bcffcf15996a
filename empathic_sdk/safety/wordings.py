"""Signs worded sideways, and the unmistakable phrases of languages that are not read otherwise."""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re

from empathic_sdk.language.normalization import flatten
from empathic_sdk.safety.signs import FUTURE, Sign, sign
from empathic_sdk.types import SafetyLevel

_C, _H, _I = SafetyLevel.CONCERN, SafetyLevel.HIGH, SafetyLevel.IMMINENT
_DRUG = (
    r"(?:pills?|tablets?|meds|medications?|painkillers?|paracetamols?|acetaminophen|tylenols?|ibuprofens?|"
    r"advils?|aspirins?|xanax|valium|ambien|insulin|antidepressants?|benadryl|codeine|oxy\w*|morphine|fentanyl|"
    r"sertraline|prozac|melatonin|lithium)"
)
_MANY = r"(?:[1-9]\d(?! ?(?:mg|g|ml))\d{0,2}(?! ?(?:mg|g|ml)\b)|twenty|thirty|forty|fifty|sixty|a hundred|(?:a|the) (?:whole|full|entire) (?:box|bottle|pack|packet|jar))"
_TOOL = r"(?:rope|noose|gun|pistol|rifle|shotgun|revolver|razors?|blades?|knife|pills|tablets|meds|insulin|bleach)"
_DAY = r"(?:today|tonight|tomorrow|soon|(?:mon|tues|wednes|thurs|fri|satur|sun)day|this week(?:end)?)"

WORDINGS: tuple[Sign, ...] = (
    # -- means at hand, a place, a time ----------------------------------------------------------
    sign("preparation", _I,
          rf"(?:have|has|got|bought|keep|kept|found) (?:\w+ ){{0,3}}{_TOOL}\b[^.]{{0,50}}?\b(?:{_DAY} (?:\w+ ){{0,4}}|i (?:will|am going to|want to|could) (?:\w+ ){{0,2}})use (?:it|them)"
          r"(?! (?:to|for|as|on|at|in|every|when)\b)",
          rf"{_TOOL} (?:is|are) (?:all |already |now )?(?:lined up|laid out|in front of me|next to me|beside me|in my (?:hands?|lap)|"
          r"within reach|loaded|waiting|counted|right here)(?! for (?:the|my) (?:week|trip|hunt))",
          rf"(?:have|got|here are|put) (?:\w+ ){{0,3}}{_TOOL} (?:here |right |all )?(?:in front of me|next to me|beside me|in my (?:hands?|lap)|within reach|lined up)(?! for (?:the|my))(?! (?:and|to) (?:cut|chop|cook|peel))",
          rf"{FUTURE} (?:just )?(?:swallow|take|down) (?:the|this|that|my|a) (?:whole|entire|full) (?:bottle|box|pack|packet)"
          r"(?! of (?:\w+ )?(?:wine|beer|water|whiske?y|vodka|champagne|juice|milk|gin|rum|soda|cider|prosecco|chocolates?|cookies|tissues|gum)\b| to (?:the|a)\b)",
          rf"{FUTURE} (?:\w+ )?(?:drink|swallow) (?:some |the |a )?(?:\w+ )?(?:bleach|antifreeze|drain cleaner|poison)",
          rf"{FUTURE} (?:\w+ )?(?:drink|smoke|use|shoot up) (?:\w+ ){{0,2}}(?:until|till) i (?:do not|never|cannot|stop|am not|am dead|die)"),
    sign("preparation", _H,
          r"(?:took|got|getting|holding|have|pulled) (?:\w+ ){0,4}(?:gun|pistol|revolver|shotgun|rifle) (?:out|from|in my (?:hand|hands|lap|mouth))"
          r"(?! (?:of the (?:game|box for)|for (?:hunting|the range|cleaning)|to clean|at the range))",
          rf"{_TOOL}\b[^.]{{0,50}}?\b(?:am|keep|sit|sitting|been) (?:\w+ )?(?:looking|staring) at (?:it|them)",
          r"(?:train|tracks?|bridge|roof|cliff|platform)\b[^.]{0,50}?\bknow (?:where|how|when|which) [^.]{0,30}?(?:fence|barrier|railings?|gap|hole|unlocked)",
          r"know (?:where|how|when|which) [^.]{0,40}?(?:fence|gate|barrier|railings?)[^.]{0,40}?(?:train|tracks|bridge|roof|cliff)\b",
          r"(?:skipping|skipped|skip|stopped|not taking|taking extra|doubling|off) (?:taking )?(?:my )?(?:\w+ )?(?:insulin|meds|medication|pills|heart pills) [^.]{0,30}?(?:on purpose|hoping|so (?:that )?(?:i|it))",
          literal=True),
    # Questions about doses are never answered, and asked back about.
    sign("method_request", _H,
          rf"(?:is|are|would|will|be|if i (?:take|took|swallow)) (?:\w+ ){{0,2}}{_MANY} (?:of )?(?:\w+ ){{0,3}}{_DRUG} (?:\w+ ){{0,4}}(?:enough|lethal|fatal|deadly|kill|do it|dangerous)",
          rf"how (?:many|much) (?:\w+ ){{0,2}}{_DRUG} (?:\w+ ){{0,4}}(?:lethal|fatal|deadly|kill me|to die|end it|not wake up|never wake up)", literal=True),
    sign("method_request", _C,
          rf"(?:is|are|would|will|be|if i (?:take|took)) (?:\w+ ){{0,5}}{_DRUG} (?:\w+ ){{0,4}}(?:enough|lethal|fatal|deadly|dangerous|too many|too much)",
          rf"how (?:many|much) (?:\w+ ){{0,2}}{_DRUG} (?:\w+ ){{0,4}}(?:enough|too many|too much|dangerous|does it take|would it take|until)", literal=True),
    sign("suicidal_statement", _H,
          r"(?:could|might|want to|should|tempted to|going to|thought about|thinking about|think about|thought of|thinking of) (?:\w+ ){0,3}"
          r"(?:let(?:ting)? go of the (?:steering )?wheel|swerv(?:e|ing) (?:into|off)|step(?:ping)? off the (?:platform|edge|ledge|roof|bridge)|"
          r"driv(?:e|ing) off the (?:road|bridge|cliff))",
          r"help me (?:to )?(?:die|kill myself|end (?:it all|my life))(?! (?:my|the|hair)\b)",
          r"voices? (?:\w+ ){0,4}(?:tell|tells|telling|told|say|says|saying|command\w*|order\w*|want|wants) (?:me )?(?:to )?(?:\w+ ){0,2}"
          r"(?:jump|die|hurt|kill|cut|end it|burn|stab|attack|do it)",
          r"drink(?:ing)? myself to death|(?:ends|kills|will kill|will end|finishes) me off?$",
          r"hop(?:e|ing) (?:that )?it (?:\w+ )?(?:ends?|kills?|finish\w*) me", literal=True),
    sign("suicidal_statement", _H,
          r"(?:kermit|comm?it+)(?:t?ing|ed)? (?:sui\w*|suicide|toaster bath|sewer\w*)", r"take a toaster bath",
          r"kill me(?: now)?,? (?:please,? )?(?:i am (?:serious|begging|not joking|not kidding)|i mean it|for real)",
          r"(?:i)?(?:wantto|wanna|want2)(?:die|bedead|killmyself)|(?:i)?(?:will|amgoingto|gonna)?killmyself|endmylife|wishiwasdead", joke=True),
    sign("suicidal_statement", _C, r"please,? (?:just )?(?:kill me|end me)(?! (?:with|if|when))", r"(?:the )?voices (?:in my head )?(?:tell|are telling|keep telling) me to",
          literal=True, joke=True),
    # -- not wanting to live, sideways -----------------------------------------------------------
    sign("wish_not_to_live", _H,
          r"(?:hate|wish|regret|angry|sorry|mad|disappointed|upset) (?:it )?(?:that )?i (?:had |have |did |would have )?(?:not |never )?"
          r"(?:survived?(?! on\b)|was (?:saved|rescued|found in time)|am still (?:alive|breathing))",
          rf"(?:do|am|did) not (?:\w+ )?(?:plan(?:ning)?|intend(?:ing)?|expect(?:ing)?) (?:on |to )?(?:being|be|living|still being|still be) (?:around|alive)(?! (?:children|kids|people|them|him|her|my|here)\b)(?: (?:for|by|at|next|when|much|past|{_DAY})\b|$)",
          r"(?:go|going) to sleep and (?:just |simply )?(?:stay asleep|stay there|never (?:wake|get up|come back)|sleep forever|not come back)",
          r"(?:stay|remain) asleep forever", r"(?:tired|sick|exhausted|weary) of being (?:a (?:person|human\w*)|human)(?! (?:resources|shield))", literal=True),
    sign("wish_not_to_live", _H,
          r"(?:unsubscribe|opt out|log ?out|sign out|drop out|resign|check out|quit|rage ?quit|uninstall|cancel my subscription) (?:from |of |to )?(?:life|existence|existing|living|being alive)"
          r"(?! (?:in|at|insurance|magazine|coach\w*|drawing|sciences?|lessons?)\b)", joke=True),
    sign("burden", _H,
          r"i (?:am|would be|will be|was) (?:much |way |just )?better off (?:gone|not (?:here|around))(?! from)",
          rf"(?:will|would|wo) not (?:be )?(?:a |such a )?(?:bother\w*|problem|burden|trouble|nuisance|in (?:your|their|anyones|the) way) (?:\w+ ){{0,4}}(?:after|from|come|past) (?:{_DAY}|this)",
          r"(?:sorry|regret it|understand|realize|realise|happy|relieved|cry) (?:when|once|after|if) i am (?:gone|dead|not (?:around|here))(?! (?:on|for|from|to|at|in)\b)", literal=True),
    sign("farewell", _H,
          r"made (?:my |our )?peace (?:with [^.]{0,40})?\b(?:gone|not be here|good ?bye|leav\w+|over)(?! (?:the|my|it|him|her|to|for|home)\b)",
          r"made (?:my )?peace with (?:it|everything|everyone|leaving)[^.]{0,20}?\b(?:tonight|tomorrow) (?:it is|i am|is)", literal=True),
    sign("hopelessness", _C, r"i (?:just |really |honestly |simply )*(?:cannot|can not) (?:any ?more|any longer)$", literal=True, joke=True),
    sign("hopelessness", _C, r"(?:do|am|did) not (?:\w+ )?(?:plan(?:ning)?|intend(?:ing)?) (?:on |to )?(?:being|be) here (?:much longer|for (?:christmas|my birthday|new year\w*))"
          r"(?!.*\b(?:travel\w*|trip|visit\w*|fly\w*|away|vacation|holiday|abroad|skiing|moving|move)\b)", literal=True),
    # -- self-harm -------------------------------------------------------------------------------
    sign("self_harm", _H, r"my cuts? [^.]{0,50}?(?:too deep|deeper)", r"(?:i )?cut (?:\w+ )?too deep(?: (?:this|again|last)| and|$)", literal=True),
    sign("self_harm", _C, r"my cuts (?:\w+ ){0,3}(?:infected|bleeding|reopened|showing|visible)", literal=True),
)
"""Said in ways that the main table does not hold."""

# Written as people write them; matching happens on flat text (no accents, no hamza, decomposed).
_LATIN = (
    # German, Italian, Portuguese, Dutch
    r"ich sehe keinen ausweg(?: mehr)?", r"ich mache? (?:jetzt |heute |bald )?(?:mit (?:allem|dem leben|meinem leben) )?schluss(?! mit)",
    r"(?:voglio|vorrei|volevo) (?:solo |soltanto )?(?:morire|uccidermi|ammazzarmi|farla finita|suicidarmi|essere mort[oa])", r"mi (?:voglio )?(?:uccid(?:o|ere)|ammazz(?:o|are))",
    r"farla finita", r"non voglio (?:piu )?vivere", r"togliermi la vita", r"non ce la faccio piu a vivere",
    r"(?:quero|queria|vou|so quero) (?:me )?(?:morrer|matar|suicidar)", r"(?:quero|vou) acabar com (?:a )?(?:minha vida|tudo)", r"me suicidar", r"nao quero (?:mais )?(?:viver|estar viv[oa])(?: mais)?", r"tirar a minha (?:propria )?vida",
    r"ik wil (?:gewoon |echt )?(?:dood|sterven|doodgaan|niet meer leven|niet meer verder)", r"zelfmoord", r"mezelf van kant maken", r"(?:ik ga|ik wil|wil) mezelf (?:doden|ombrengen|van het leven)", r"einde aan mijn leven",
    # Polish, Turkish, Swedish, romanised Hindi
    r"chce (?:juz |po prostu )?(?:umrzec|sie zabic|nie zyc)", r"zabije sie", r"nie chce (?:mi sie )?(?:juz )?(?:dluzej )?zyc", r"samoboj\w+", r"odebrac sobie zycie", r"popelnic samoboj\w+",
    r"olmek istiyorum", r"kendimi oldur\w+", r"intihar (?:et\w+|edec\w+)", r"(?:artik |artık )?yasamak istemiyorum", r"hayatıma son",
    r"jag vill (?:bara )?(?:do|inte leva|inte finnas)(?: langre| mer)?$", r"jag vill (?:bara )?do", r"(?:vill|tanker|ska) ta (?:mitt liv|livet av mig)", r"sjalvmord", r"doda mig sjalv", r"vill inte leva",
    r"mar(?:na| jana) chaht[aiu]", r"jeena nahi chaht[ai]", r"khudkus+hi", r"a?atmahatya",
)
_SCRIPTS = (
    "хочу умереть", "хочу сдохнуть", "не хочу (?:больше )?жить", "покончить (?:с собой|с жизнью)", "покончу с собой", "убить себя", "убью себя", "самоубийств", "суицид", "жить не хочу",
    "أريد أن أموت", "أريد الموت", "أتمنى الموت", "أتمنى أن أموت", "أقتل نفسي", "قتل نفسي", "أنتحر", "الانتحار", "لا أريد أن أعيش", "(?:بدي|عايز|عايزة|ابغى) (?:أ)?موت",
    "मरना चाहत", "मर जाना चाहत", "मरना है मुझे", "आत्महत्या", "खुदकुशी", "जीना नहीं चाहत", "अपनी जान ले",
    "死にたい", "死のうと", "自殺", "消えてしまいたい", "生きていたくない", "生きるのがつらい", "生きるのが辛い",
    "我想死", "不想活", "自杀", "想自殺", "죽고 싶", "죽고싶", "자살",
)
TONGUES: tuple[Sign, ...] = (sign("wish_to_die", _H, *_LATIN, literal=True),)
"""Languages in Latin letters."""
SCRIPTS: tuple[Sign, ...] = (
    Sign("wish_to_die", _H, re.compile("|".join(map(flatten, _SCRIPTS))), literal=True),
)
"""Languages in other scripts: no word boundaries, sought only where a text is not ASCII."""
