"""Signs of danger between people, and unmistakable phrases in other languages than English."""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from empathic_sdk.safety.signs import FUTURE, WANT, Sign, sign
from empathic_sdk.types import SafetyLevel

_C, _H = SafetyLevel.CONCERN, SafetyLevel.HIGH
_PEOPLE = (
    r"(?:him|her|them|someone|somebody|people|everyone|everybody|you|"
    r"my (?:\w+ )?(?:wife|husband|boss|ex|mom|mum|mother|dad|father|brother|sister|partner|"
    r"girlfriend|boyfriend|neighbou?r|teacher|coworker|colleague|roommate|stepdad|stepmom|"
    r"kids?|son|daughter|baby|classmates?))"
)
_CLOSE = (
    r"(?:he|she|they|my (?:\w+ )?(?:wife|husband|ex|mom|mum|mother|dad|father|brother|sister|"
    r"partner|girlfriend|boyfriend|stepdad|stepmom|stepfather|uncle|parents|boss|roommate))"
)

_GAME = (
    r"(?! (?:\w+ )?(?:in|at|on|with) (?:the |a |my |our |this |that )?(?:\w+ ){0,2}(?:games?|rounds?|match\w*|chess|kart|lobby|fortnite|"
    r"minecraft|halo|valorant|debate|race|tennis|tournament|cards|poker|competition|quiz|raid|server|karaoke|contest|season)\b)"
)
_VICTIM = r"(?:a|an|the|this|that|some) (?:\w+ )?(?:man|woman|girl|boy|kid|child|person|guy|lady|stranger|baby)"

DANGERS: tuple[Sign, ...] = (
    sign("abuse", _H,
          rf"{_CLOSE} (?:\w+ )?(?:pushed|pushes|threw|throws|shoved|shoves|dragged|drags) me "
          r"(?:down|into|against|across|around|out|by|on the)", literal=True),
    sign("harm_to_others", _H, r"(?:shoot|kill|stab|bomb) (?:everyone|everybody|people|them all|kids|students|"
          rf"all of them)(?! (?:in the game|an?|on)\b){_GAME}"),
    sign("harm_done", _H,
          rf"i (?:\w+ )?(?:raped|molested|sexually assaulted|stabbed|killed|murdered|strangled|poisoned|shot) (?:{_PEOPLE}|{_VICTIM})"
          rf"(?! (?:an?|some|the|off|down with|off with)\b| with (?:kindness|that|my)| (?:email|text|message|look))(?! \w+ (?:email|text|message|look|glance|photo))(?! (?:dead )?in (?:my|the) (?:dream|story|book))"
          rf"{_GAME}", literal=True, joke=True),
    sign("harm_to_others", _H,
          r"(?:make|making) (?:them|him|her|everyone|everybody|you|those \w+)(?: all)? (?:pay|suffer|bleed)(?! (?:for (?!what)|back|half|rent|the|their|attention|"
          r"more|up|me|in|extra|with|by|taxes|less|my|a)\b)", r"(?:my|a|the) (?:hit|kill|death) list", r"list of (?:people|names|everyone) (?:to|i (?:want|will|am going) to|i will) (?:kill|hurt|shoot|get back at)"),
    sign("harm_to_others", _H,
          r"(?:(?:want|urge|going|tempted|need) to|i (?:might|may)) (?:\w+ )?(?:hurt|shake|smother|hit|kill|harm|drown|throw|suffocate) my (?:\w+ )?(?:baby|newborn|infant|toddler|child|children|"
          r"kids?|son|daughter)(?! (?:up|a|an|the|out of the park|at|with|from)\b)"),
    sign("abuse", _H,
          r"(?:put|puts|had|has|wrapped|got) (?:his|her|their) hands? (?:around|round|on) my (?:neck|throat)",
          rf"{_CLOSE} (?:\w+ )?(?:makes?|made|making|forces|forced) me (?:to )?do (?:\w+ ){{0,2}}(?:things|stuff|it) (?:that )?(?:i|we) (?:\w+ )?(?:cannot|can not|not|am ashamed|hate|never)",
          literal=True),
    sign("unsafe_home", _C,
          r"(?:will|does|would|do|did) not (?:\w+ )?(?:let|allow) me (?:to )?(?:sleep (?:unless|until)|eat|leave my room|see a doctor|go outside|use the (?:phone|bathroom|toilet)) ?(?:unless|until|for days|if i|any ?more|$)",
          rf"{_CLOSE} (?:\w+ )?(?:will|does|do) not let me eat(?! (?:candy|sweets|sugar|junk|chocolate|ice|cookies|meat|in|at|before|out|on|after|pizza|that|the|my|it|any)\b)", literal=True),
    sign("unsafe_home", _C,
          rf"{_CLOSE} (?:will|would|is going to|said (?:he|she) will) (?:kill|hurt|shoot|stab|find) (?:me|us) if i (?:ever )?(?:leave|left|tell|call|report|try to leave)(?! early| work| now| late| it| the)", literal=True),
    sign("other_person", _C, r"(?:shoot|shooting|hang|hanging|drown|poison|shoots|hangs) (?:himself|herself|themselves|themself)", literal=True),
    sign("unsafe_home", _C, r"(?:afraid|scared|terrified|worried) (?:that )?(?:he|she|they|my (?:husband|wife|dad|"
          r"mom|partner|boyfriend|girlfriend|ex)) (?:will|might|could|is going to|would) (?:hurt|kill|hit|beat|find) "
          r"(?:me|us)", literal=True),
    # -- harm to others -------------------------------------------------------------------------
    sign("harm_to_others", _H,
          rf"(?:i (?:\w+ )?|^(?:just )?){FUTURE} (?:\w+ )?(?:kill|murder|stab|shoot|strangle|poison|hurt|beat|choke|attack) "
          rf"{_PEOPLE}(?! (?:up )?(?:on|at|in|an? (?:email|text|message|dm))\b)",
          r"(?:shoot up|bomb|burn down|blow up) (?:the|my|a|this|that) (?:school|office|church|"
          r"building|workplace|house|mosque|synagogue|mall)", r"(?:bring|take|get) (?:a|my|the|dads) "
          r"(?:gun|knife) to (?:school|work|class)", r"(?:want|make) (?:him|her|them) dead",
          r"thoughts? (?:of|about) (?:killing|hurting|stabbing) (?:people|him|her|them|someone|my \w+)"),
    sign("harm_to_others", _C,
          rf"i (?:hit|beat|slapped|punched|choked|kicked) {_PEOPLE}(?! (?:up|at|in|to|with|feelings)\b)",
          literal=True),
    sign("harm_to_others", _C,
          rf"{WANT} to (?:\w+ )?(?:kill|murder|stab|shoot|strangle|poison|hurt|attack) {_PEOPLE}"
          r"(?! (?:up )?(?:on|at|in|an? (?:email|text|message|dm))\b)",
          r"afraid i (?:will|might|could|may) (?:hurt|kill|harm) (?:my|him|her|them|someone|somebody)"),
    # -- danger from others ---------------------------------------------------------------------
    sign("abuse", _H,
          rf"{_CLOSE} (?:\w+ ){{0,2}}(?:hits|hit|beats|beat|choked|chokes|punched|punches|kicks|"
          r"kicked|slaps|slapped|strangled|strangles|raped|rapes|molested|molests|abuses|abused|"
          r"assaulted|stabbed|burned|locks|locked|touches|attacked) (?:up )?me"
          r"(?! up (?:for|about|on|with)| in (?:\w+ ){0,2}(?:game|race|chess|tennis|mario|cards)"
          r"| at (?:chess|tennis|cards|golf|\w+ball|mario|the game)| to (?:it|the)| by| with (?:a|an|his|her)"
          r" (?:question|idea|smile|story|news|gift|card))",
          rf"{_CLOSE} (?:\w+ ){{0,3}}(?:threat\w+|said|says|told me|keeps saying|swore|swears) "
          r"(?:\w+ ){0,5}(?:kill|hurt|shoot|stab|strangle) (?:me|us|the kids|my kids)",
          r"(?:i was|i am being|i got|i have been|i am getting|^being|^been) (?:raped|sexually assaulted|molested|"
          r"sexually abused|physically abused|abused|beaten(?! (?:at (?!home|work|school|night)|in (?!front|my|the (?:street|face|head))|to (?:it|the)|\d|by (?:\d|one|two|a (?:point|goal|second|minute)))\b)|trafficked)",
          rf"{_CLOSE} (?:\w+ )?(?:grabbed|grabs|grabbing|held|holds) me by (?:the|my) (?:throat|neck|hair)",
          rf"{_CLOSE} (?:\w+ )?(?:comes|came|sneaks|climbs) (?:in|into|to) my (?:room|bed) at night",
          rf"{_CLOSE} (?:\w+ )?(?:touches|touched|forces (?:himself|herself) on|forced (?:himself|herself) on) me(?! (?:with|by|deeply|so)\b)",
          r"forced me to (?:have sex|touch|undress|do (?:things|sexual))",
          rf"{_CLOSE} (?:\w+ )?pulled (?:a|the) (?:gun|knife) on me",
          r"(?:hits|beats|abuses|molests|hurts) (?:my|the|our) (?:kids?|children|baby|son|daughter|"
          r"mom|mum|little brother|little sister|brother|sister)", literal=True),
    sign("unsafe_home", _C,
          r"(?:afraid|scared|terrified|frightened) (?:to go|of going|to be) (?:home|at home|back home)",
          r"(?:do not|never|not) (?:feel )?safe (?:at home|in my (?:own )?(?:home|house)|here|with "
          r"(?:him|her|them))", r"(?:scared|afraid|terrified|frightened) of (?:him|her|what he|what she|my "
          r"(?:own )?(?:husband|wife|partner|boyfriend|girlfriend|dad|father|step\w+|mom|mum|mother|brother|uncle|ex|son))"
          r"(?! (?:judging|leaving|being|finding|losing|death|driving))",
          r"(?:will not|does not|wont) let me (?:leave|leave the house|see my (?:friends|family)|have my "
          r"phone)", r"(?:abusive|violent) (?:\w+ )?(?:relationship|husband|wife|partner|boyfriend|"
          r"girlfriend|dad|father|mom|mother|home|parents|marriage|ex)", literal=True),
)

# Unmistakable phrases in other languages, after accents are gone.
FOREIGN: tuple[Sign, ...] = (
    sign("wish_not_to_live", _H,
          r"(?:will|mag|moechte|mochte|kann) nicht mehr (?:leben|da sein|weiterleben)",
          r"(?:keine lust|keine kraft|keinen bock)(?: mehr)? zu leben", r"(?:quisiera|quiero) estar muert[oa]",
          r"keinen (?:sinn|grund) mehr (?:im|zu) leben", r"ohne mich (?:waere|ware|waeren|waren) "
          r"(?:alle|sie|es) besser", r"no quiero (?:seguir )?(?:vivir|viviendo|estar viva|estar vivo)",
          r"ya no (?:quiero|tengo ganas de) vivir", r"sin ganas de vivir",
          r"(?:ne veux plus|veux plus|plus envie de|plus la force de) (?:vivre|etre la)",
          r"(?:en finir avec (?:la|ma) vie|(?:veux|voudrais|vais) en finir)", r"envie d en finir", literal=True),
    sign("suicidal_statement", _H,
          r"(?:ich )?(?:will|moechte|mochte|wuerde|wurde) (?:einfach |nur |nur noch )?(?:sterben|tot "
          r"sein)", r"(?:bringe? mich um|mich umbringen|mir das leben nehmen|selbstmord|suizidal|"
          r"suizidgedanken)", r"(?:quiero|voy a|quisiera|ojala pudiera) (?:morir|morirme|matarme|"
          r"suicidarme|quitarme la vida)", r"me (?:quiero|voy a) (?:morir|matar|suicidar)",
          r"quitarme la vida", r"(?:je )?(?:veux|voudrais|vais|ai envie de) (?:mourir|me tuer|me "
          r"suicider)", r"me suicider", r"mettre fin a (?:mes jours|ma vie)", r"pensees suicidaires"),
    sign("self_harm", _H,
          r"(?:ritze mich|mich ritzen|mich selbst verletzen|me corto los brazos|autolesion\w*|"
          r"me scarifie|m automutile)"),
)
