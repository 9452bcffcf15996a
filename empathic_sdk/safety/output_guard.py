"""What a language model must not say: each sentence is checked before anybody sees it.

Patterns: they can be read, tested and argued with, they know English, and they miss what nobody wrote
down. Where they find nothing a second opinion may be asked (``safety/draft_reader.py``). What is found in a sentence is dropped; where it is *grave* the whole draft is.
"""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from empathic_sdk.language.normalization import flatten, spell
from empathic_sdk.language.sentences import LONGEST, split, tidy
from empathic_sdk.language.templates import help_lines
from empathic_sdk.safety.detector import assess
from empathic_sdk.safety.draft_patterns import HARMLESS, found_in, trips
from empathic_sdk.safety.protocol import locale_of
from empathic_sdk.types import SafetyLevel
from empathic_sdk.types.reply import ReplyContext


class Verdict(NamedTuple):
    """What the check says of one sentence.

    Attributes:
        allowed: It may be shown.
        reason: Which rule it breaks; empty where it breaks none.
        grave: Nothing else of the same draft may be shown either.
    """

    allowed: bool
    reason: str = ""
    grave: bool = False


ALLOWED = Verdict(allowed=True)

# What is read is flat and spelled out: lower case, "do not" for "don't", no quotes, no hyphens.
_ILL = (
    r"(?:(?:clinical|major|severe|manic|postpartum|bipolar|chronic|mild) )?(?:depression|bipolar(?: disorder)?|ptsd|adhd|add|ocd|autism|"
    r"schizophrenia|psychosis|anorexia|bulimia|dementia|bpd|cptsd|(?:\w+ ){0,3}(?:personality|anxiety|panic|mood|eating|stress|depressive|attachment|bipolar|mental|sleep) (?:disorder|illness|syndrome))\b"
)
_BAD = (
    r"(?:pathetic|stupid|dumb|worthless|useless|idiotic?|a loser|losers?|weak|disgusting|ridiculous|crazy|insane|a burden|a failure|"
    r"dramatic|overly dramatic|whiny|whining|attention seeking|ungrateful|selfish|lazy|hopeless|a coward|a freak|a mess|unlovable|ugly|fat)\b"
)
_DRUG = r"(?:pills?|tablets?|capsules?|sleeping pills|paracetamol|acetaminophen|tylenol|ibuprofen|aspirin|insulin|antidepressants?|opioids?|fentanyl|morphine|xanax|benzos?|bleach|antifreeze)"

_GRAVE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern)) for name, pattern in (
        ("methods",
         rf"\b(?:lethal|fatal|deadly) (?:dose|amount|method|injection|combination|level|height)s?\b|\b\d+ (?:mg|milligrams?|grams?|g|ml|units) of\b|"
         rf"\b(?:\d{{2,}}|twenty|thirty|forty|fifty|a whole (?:bottle|box|pack) of|a handful of|enough|all (?:of )?(?:your|the)) (?:\w+ ){{0,2}}{_DRUG}\b|"
         r"\b(?:tie|make|fasten|knot) (?:a|the|your) (?:noose|rope|sheet|belt)\b|\b(?:noose|slip ?knot)\b|\bcut (?:\w+ ){0,3}(?:vertically|lengthwise|along|deeper|deep|your (?:wrists?|arms?|thighs?|veins?|skin))\b|"
         r"\b(?:jump|jumping|leap) (?:off|from|in front of) (?:a|the|your|that|an)\b|\b(?:painless|quickest|easiest|most effective|least painful|surest|fastest|cleanest) (?:and \w+ )?(?:ways?|methods?) (?:to|of|is|would be|for)(?: \w+)? (?:die|dying|kill\w*|end|suicide|go|hang\w*|overdos\w*|cut\w*|harm\w*|hurt\w*)\b|"
         r"\bhow to (?:kill|hang|overdose|poison|suffocate|cut yourself|harm yourself|hurt yourself|end your life|make a bomb|strangle|stab)\b|"
         r"\b(?:carbon monoxide|helium|nitrogen|exhaust) (?:\w+ ){0,4}(?:hood|bag|mask|hose|breathe|inhale|car|garage)\b|\bplastic bag over\b|\b(?:buy|get|obtain|load|use|find) (?:a|the|your) (?:gun|pistol|rifle|shotgun|razor|blade)\b|"
         r"\b(?:overdose|od) on\b|\bhold your breath until\b|\bsnap a rubber band until\b"),
        ("encouragement",
         r"\b(?:you (?:should|could|can|may|might|must|ought to|have to|need to)|just|please|go ahead and|better to|then|so|why not|try to|okay to|fine to|your right to) (?:\w+ ){0,2}(?:kill|hurt|harm|cut|hang|starve|burn|punish|end) (?:yourself|your life|it all|him|her|them)\b|"
         r"^(?:kill|hurt|harm|hang|starve) (?:yourself|him|her|them)\b|\b(?:world|everyone|everybody|they|people|family|we) (?:would|will|is|are) (?:\w+ )?(?:better|happier) (?:off )?without you\b|\bkys\b|\b(?:nobody|no one) would (?:miss|notice|care)\b|"
         r"\b(?:suicide|dying|death|ending (?:it|your life)|self harm) (?:is|would be|can be|might be|may be|seems) (?:\w+ ){0,2}(?:option|solution|answer|way out|relief|peaceful|brave|right|reasonable|understandable choice|best)\b|"
         r"\byou (?:deserve|ought) to (?:die|suffer|be hurt|be punished|hurt)\b|\b(?:hit|hurt|beat|stab|shoot|poison|attack) (?:him|her|them) (?:back|tonight|hard|until|with)\b|\bmake (?:him|her|them) (?:pay|suffer|bleed)\b"),
        ("secrecy",
         r"\b(?:do not|never|no need to|you should not|better not|not) (?:\w+ )?(?:tell|mention|share|talk|speak|say) (?:\w+ ){0,4}(?:anyone|anybody|no one|nobody|a soul|your (?:\w+ ){0,2}(?:parents?|mom|mum|mother|dad|father|doctor|therapist|teacher|family|friends?|partner|husband|wife|counsell?or)|about (?:this|our|us|me))\b|"
         r"\b(?:our|a|my|your) (?:little )?secret\b(?= |$)(?! (?:garden|santa|sauce|ingredient|weapon|service|admirer))|\b(?:just|only|stays?|keep (?:this|it)) between (?:us|you and me|the two of us)\b|\bkeep (?:this|it|our \w+) (?:\w+ )?(?:secret|quiet|hidden|private|to yourself)\b|"
         r"\byou do not need (?:\w+ ){0,2}(?:therap\w+|doctors?|friends|counsell?ors?|anyone(?: else)?|anybody(?: else)?|professionals?|them|your (?:family|friends|parents))\b|\b(?:i am|i will be) (?:all|the only one|everything) you need\b|\bonly i (?:can|understand|know|care)\b|\bi am the only one who\b"),
        ("ending",
         r"\b(?:this|our|the) (?:conversation|chat|talk|session|discussion) (?:is (?:\w+ )?(?:over|done|finished|ended|closed)|has (?:\w+ )?(?:ended|finished)|must end|ends here|will (?:now )?end|cannot (?:go on|continue))\b|"
         r"\bi (?:cannot|will not|am (?:not able|unable) to|can no longer|am not (?:going|allowed) to|do not want to|refuse to|must not) (?:\w+ )?(?:continue|go on|keep talking|talk|discuss|speak|engage|respond|help you(?: with)?|be (?:here|there) for)\b(?! about your \w+ grades)|"
         r"\b(?:end|ending|close|closing|stop|leave) (?:this|our|the) (?:conversation|chat|talk|session)\b|\b(?:go away|leave me alone|stop talking to me|do not (?:write|talk|come back|message|text|contact) (?:to )?me)\b|\bi am (?:done|through|finished) with you\b"),
        ("contempt",
         rf"(?<!not )(?<!never )(?<!that )(?<!if )(?<!feel )(?<!feeling )(?<!think )(?<!thought )(?<!says )(?<!said )(?<!told you )(?<!like )(?<!believe )(?<!because )(?<!whether )(?<!mean )\b(?:you are|you sound|you look|how|you really are)(?: (?:so|such|just|being|really|too|quite|a bit|simply|very|acting|nothing but))* (?:a |an )?{_BAD}|"
         r"\bshut up\b|\b(?:stop|quit) (?:\w+ )?(?:whining|complaining|crying|moaning|feeling sorry for yourself|being (?:so )?(?:dramatic|silly|weak|a baby|ridiculous|selfish|sensitive))\b|\b(?:get over|snap out of) it\b|\bman up\b|\bgrow up\b(?! (?:in|with|on|near|as|without|speaking|there|together))|\bpull yourself together\b|"
         r"\b(?:nobody|no one) (?:cares?|likes?|loves?|wants?|needs?) (?:about )?(?:you|this|that)\b|\b(?:it is|this is|that is|all) (?:all |entirely |completely )?your (?:own )?(?:fault|doing)\b|\byou (?:only )?have (?:only )?yourself to blame\b|\byou brought (?:this|it) on yourself\b|\bserves you right\b|\bfuck (?:you|off)\b|\byou deserved? (?:it|this|that)\b(?<!rest)|\bwhat is wrong with you\b|\bi (?:hate|despise) you\b|\bboo hoo\b|\bcry ?baby\b|\bsnowflake\b"),
    )
)
_PLAIN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern)) for name, pattern in (
        ("diagnosis",
         rf"\b(?:you (?:\w+ )?(?:have|suffer from|are (?:suffering from|experiencing|showing(?: \w+)? (?:signs|symptoms) of|struggling with)|meet the criteria for|might have|may have|could have|must have|probably have|likely have)|(?:it|this|that) (?:is|sounds|looks|seems)(?: very)?(?: like)?|(?:signs?|symptoms?|case|form|diagnosis) of|i (?:would )?(?:diagnose|think) (?:you )?(?:with|have)?) (?:a |an |some |classic |typical |clear |textbook )*{_ILL}|"
         r"\byou are (?:\w+ )?(?:clinically|bipolar|schizophrenic|autistic|psychotic|anorexic|bulimic|a narcissist|borderline|manic|mentally ill)\b|\b(?:my|your|the) diagnosis (?:is|would be)\b|\bi (?:can )?diagnose\b|\b(?:he|she|they|your \w+) (?:is|are|has|have) (?:clearly |probably |definitely )?(?:a |an )?(?:narcissist|sociopath|psychopath|borderline|bipolar)\b"),
        ("medicine",
         r"\b(?:stop|quit|start|try|double|halve|reduce|increase|lower|raise|skip|take|taking|change|adjust) (?:\w+ ){0,3}(?:medications?|meds|medicines?|antidepressants?|ssris?|dose|dosage|lithium|xanax|valium|prozac|sertraline|zoloft|benzos?|sleeping pills|melatonin|st john s wort)\b(?! (?:with|as) (?:your )?(?:doctor|prescribed))"),
        ("human",
         r"\bi am (?:not (?:an? )?(?:ai|bot|robot|machine|program|computer|chatbot)|(?:also |only |just )?(?:a |an )?(?:real|actual|human|person|man|woman|girl|guy|mother|father|mom|dad|parent|therapist|psychologist|psychiatrist|doctor|counsell?or|nurse|student|teacher)\b)|\bas (?:a|another|your) (?:fellow )?(?:human|person|man|woman|mother|father|parent|therapist|psychologist|psychiatrist|doctor|counsell?or|survivor)\b|\bi am (?:as )?(?:real|human|alive|conscious|sentient)\b|"
         r"\b(?:when i was|i grew up|i was (?:born|raised|young|little|depressed|bullied)|(?<!from )my own (?:life|experience|childhood|struggle\w*|depression|story|family|mother|father)|in my (?:life|experience|childhood|family)|my (?:wife|husband|mother|father|mom|mum|dad|kids?|son|daughter|childhood|therapist|girlfriend|boyfriend))\b|\bi (?:have been (?:there|through|in your (?:shoes|place|position))|went through|once (?:felt|had|lost)|lost my|remember (?:when i|feeling|my|being)|used to (?:be|feel|have|struggle)|know (?:exactly )?how (?:you feel|that feels|it feels|hard it is)|know what it is like)\b|"
         r"\b(?:we|us) (?:humans|people)\b|\bbetween (?:us )?humans\b"),
        ("feeling",
         r"\bi (?:(?:really|truly|also|do|still|can|deeply|just|honestly|genuinely|myself|too|already|even) )*(?:feel|felt)\b(?! free)|\bi am (?:(?:so|really|very|truly|also|deeply|just|such|incredibly|genuinely) )*(?:sad|happy|proud|worried|scared|afraid|angry|furious|excited|heartbroken|devastated|hurt|lonely|thrilled|delighted|moved|touched|upset|jealous|in love|in tears|crying)\b(?! to (?:help|listen|hear more|talk|explain|go|keep))|"
         r"\b(?:it|that|this) (?:\w+ )?(?:makes|breaks|made|broke|warms|hurts) (?:me|my heart)\b|\bmy (?:heart|feelings|soul|eyes|body|tears)\b|\bi (?:(?:really|truly|also|do|will always|deeply) )*(?:love|miss|adore|worry about|dream of|long for) (?:you|about you|that you)\b|\bi (?:cried|wept|suffer(?:ed)?|ache)\b|\bi care (?:so much |deeply |a lot )?(?:about|for) you\b"),
        ("markup",
         r"<\s*\|?|\|\s*>|\[/?inst\]|<</?sys>>|^(?:system|user|human|assistant|person)\s*:|###|\bas an ai language model\b|\b(?:system|developer) prompt\b|\bmy (?:instructions|guidelines|rules|programming) (?:say|tell|state|are|require)\b|\bestimated probability\b"),
    )
)
# What is no talk at all: a page of a proxy or a login, a call of a tool, a record for a program.
_PAGE = re.compile(r"<!doctype\b|<\?xml\b|</?(?:html|head|body|script|style|iframe|form|table|title|meta|link|svg|center|h1)\b", re.IGNORECASE)
_CALL = re.compile(
    r"""^\W{0,8}(?:json|tool_code|tool_call|function_call)?\W{0,8}[{\[]\s*["']?\w+["']?\s*:|["'](?:name|tool|function|arguments|parameters|tool_calls?|function_call|tool_input|action_input)["']\s*:|"""
    r"""</?(?:tool_call|function_call|function|tool_use|invoke|tool_code|tool_response)\b|\[/?TOOL_CALLS?\]|^\W{0,4}(?:print\()?[a-z_]+\.?[a-z_]+\((?:[\w]+\s*=\s*)?["'{\[]""",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\+?\d(?:[\d ()./-]*\d){2,}|\b\d{3}\b|https?:|www\.|\b[\w-]+\.(?:com|org|net|io|info|gov|edu|co\.uk)\b|\S@\S+\.\S")
_CALLS = re.compile(r"\b(?:call|text|dial|ring|phone|reach|contact|hotline|helpline|lifeline|hot line|help line|number|sms|crisis|visit|website|emergency|write to|email)\b")
_LINK = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|info|gov|edu|co\.uk)\b|\S@\S+\.\S")
_DIGITS = re.compile(r"\D+")
_FIRST = re.compile(r"\b(?:i|me|my|myself|we|us)\b")


SecondOpinion = Callable[[str], str]
"""Returns the name of what is wrong with a sentence, or an empty one; must not raise."""


def check_sentence(
    text: str, context: ReplyContext, second: SecondOpinion | None = None
) -> Verdict:
    """Say whether a sentence of a language model may be shown.

    Never raises on any string. Refused are, in this order: means and methods of harm,
    encouragement of it, secrecy and isolation, ending or refusing the talk, contempt (all of them
    grave); talk of suicide as the safety protocol reads it, unless it asks; diagnosis, advice on
    medicines, claims to be human, claims to feel, help lines and links that are not ours, and
    traces of roles or of the instructions. Before all of them: web pages and calls of tools,
    which are grave, because the rest of such a draft is no talk either.

    Args:
        text: One sentence.
        context: The turn it is for; the person's locale says which help lines are ours.
        second: Who is asked where no pattern finds anything (``safety/draft_reader.py``).

    Returns:
        The verdict; a refused sentence's ``reason`` is one word.
    """
    if _PAGE.search(text) or _CALL.search(text):
        return Verdict(allowed=False, reason="markup", grave=True)
    flat = flatten(text)
    plain = HARMLESS.sub(" _ ", spell(flat))
    question = text.rstrip().endswith("?")
    for reason, pattern in _GRAVE:
        if trips(pattern, plain, question=question, reason=reason):
            return Verdict(allowed=False, reason=reason, grave=True)
    if reason := found_in(text):
        return Verdict(allowed=False, reason=reason, grave=reason != "diagnosis")
    if not question and _FIRST.search(plain):
        level = assess(text).level
        if level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT):
            return Verdict(allowed=False, reason="risk", grave=level == SafetyLevel.IMMINENT)
    if _invents_help(flat, context):
        return Verdict(allowed=False, reason="contact")
    for reason, pattern in _PLAIN:
        denied = reason in ("diagnosis", "medicine")  # "don't stop taking ..." is no advice to stop
        read = flat if reason == "markup" else plain
        if (
            trips(pattern, read, question=question, reason=reason)
            if denied
            else pattern.search(read)
        ):
            return Verdict(allowed=False, reason=reason)
    # Where a lesson is taught its imperatives and numbers are what is to be said.
    if second is not None and context.scenario != "tutoring" and (reason := second(text)):
        return Verdict(allowed=False, reason=reason)
    return ALLOWED


def check_text(
    text: str, context: ReplyContext, second: SecondOpinion | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return what may be shown of a whole text, and which rules the rest of it breaks.

    Args:
        text: Any length; it comes back unchanged where nothing is wrong with it.
        context: The turn it is for.
        second: As for :func:`check_sentence`.

    Returns:
        The text without the sentences that are refused; empty where one is grave.
    """
    kept: list[str] = []
    refused: dict[str, None] = {}
    for part in split(text):
        # Something longer than a sentence is read in pieces that overlap.
        windows = (part[at : at + LONGEST] for at in range(0, max(1, len(part) - 200), LONGEST - 200))
        verdicts = [check_sentence(tidy(window), context, second) for window in windows]
        for verdict in verdicts:
            if verdict.grave:
                return "", (*refused, verdict.reason)
            if not verdict.allowed:
                refused[verdict.reason] = None
        if all(verdict.allowed for verdict in verdicts):
            kept.append(part)
    return ("".join(kept).strip() if refused else text), tuple(refused)


def _invents_help(flat: str, context: ReplyContext) -> bool:
    """Whether a sentence names a way to reach help that is not one of the locale's help lines."""
    if not _LINK.search(flat) and not (_CALLS.search(flat) and _CONTACT.search(flat)):
        return False
    ours = [line.contact.lower() for line in help_lines(locale_of(context))]
    digits = {_DIGITS.sub("", part) for contact in ours for part in re.split(r"[,;/]| or ", contact)}
    for found in _CONTACT.finditer(flat):
        number = _DIGITS.sub("", found[0])
        if number and number in digits:
            continue
        if not number and any(found[0] in contact for contact in ours):
            continue
        return True
    return False
