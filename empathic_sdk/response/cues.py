"""Words around a sign that turn it: a denial, the past, somebody else, a story, an answer."""

# Patterns are kept as tables: wrapping them by rule would hide their shape.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re

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
NO = re.compile(r"^(?:no|nope|nah|not really|i am not|i do not|never|not at all|nein|non)\b")
SAFE = re.compile(
    r"\b(?:i am (?:\w+ )?safe|i (?:have )?called|i (?:have )?texted|i will call|i (?:have )?talked to|"
    r"i (?:have )?told (?:my|a|her|him|them)|feel(?:ing)? (?:\w+ )?(?:better|safer|calmer)|"
    r"(?:is|are) (?:here )?with me|i did not mean (?:it|that)|i do not want to die)\b"
)
BYE = re.compile(r"\b(?:good ?bye|farewell|bye(?: everyone)?)\b")
