"""Intents of a learner's message: answer, help, another exercise, stop, anything else."""

# Patterns are kept as tables, which line wrapping would make unreadable.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import re
from enum import StrEnum

from empathic_sdk.tutoring.checking import attempt
from empathic_sdk.tutoring.feelings import plain_of
from empathic_sdk.tutoring.problems import Problem, skills, spec_of
from empathic_sdk.types import AnswerOutcome


class Move(StrEnum):
    """Intents concerning an exercise; ``TALK`` is everything else."""

    ANSWER = "answer"
    HINT = "hint"
    EXAMPLE = "example"
    EXPLAIN = "explain"
    SOLUTION = "solution"
    OTHER = "other"
    TOPIC = "topic"
    EASIER = "easier"
    HARDER = "harder"
    REPEAT = "repeat"
    MENU = "menu"
    PROGRESS = "progress"
    STOP = "stop"
    TALK = "talk"


_WISH = re.compile(
    r"\b(?:topic|subject|practi[sc]e|do|try|want|would like|let us|can we|could we|teach|learn|study|about|instead|please|"
    r"switch|change|go to|move to|back to|help|some|give me|exercises?|work on|next)\b"
)
_GIVES_UP = re.compile(
    r"^(?:(?:ok|okay|fine|well|no|sorry|u+gh|argh|meh)\b ?)*(?:i (?:just )?)?(?:give up|giving up|surrender|quit|pass)(?: on (?:this|that|it)(?: (?:one|exercise|question|problem))?)?(?: now| please| already)?$"
)
_MOVES: tuple[tuple[Move, re.Pattern[str]], ...] = (
    (Move.SOLUTION, re.compile(r"\b(?:show|tell|give|see|want|need|have|reveal)\b (?:me |us )?(?:just )?(?:the |an? )?(?:full |right |correct )?(?:answer|solution)s?\b|\bwhat is the (?:right |correct )?(?:answer|solution)\b|^(?:the |just )?(?:answer|solution)(?: please)?$|^(?:(?:ok|okay|please|fine|so|just)\b ?)*tell me(?: please| then)?$|\bsolve it for me\b|\bjust tell me\b")),
    (Move.STOP, re.compile(r"\b(?:want|need|like|going|have|time) to (?:stop|take a break|pause|finish|quit|go)(?: now| here| for today)?$|\b(?:let us|can we|shall we) (?:stop|take a break|pause|finish|end)\b|\b(?:that is|it is) (?:it|enough|all) for (?:today|now|me)\b|^(?:stop|pause|break|enough|i am done|done for today|no more)(?: please| now| for today)?$|\btake a (?:short )?break\b|\bdo not (?:want|feel like|wish) (?:to )?(?:do|doing|continue|continuing|go on|going on|learn|learning|practi[sc]e|practi[sc]ing|play)\b(?: (?:this|it|that|maths?|exercises|with this))*(?: (?:any ?more|now|today|any longer))*$|\benough for (?:today|now)\b")),
    (Move.HARDER, re.compile(r"\b(?:too|so|way too|super|really|very|ridiculously) (?:easy|simple|basic)\b|\b(?:harder|more difficult|tougher|more challenging)\b|\bchallenge me\b|\ba (?:real )?challenge\b|\bnext level\b|\blevel up\b")),
    (Move.EASIER, re.compile(r"\b(?:too|so|way too|really|very) (?:hard|difficult|complicated|advanced)\b|\b(?:easier|simpler|smaller|gentler)\b|\blevel down\b")),
    (Move.EXAMPLE, re.compile(r"\bexamples?\b|\bshow me how\b|\b(?:can|could|will|would) you show\b|^(?:(?:ok|please|just)\b ?)*show me(?: please)?$|\bhow (?:is|was) (?:this|that|it) done\b|\bworked\b|\bdemonstrate\b|\bshow me one\b|\bsimilar one\b")),
    (Move.HINT, re.compile(r"\bhints?\b|\bclues?\b|^(?:please )?help(?: me)?(?: please| out| with (?:this|it|that)(?: one)?)?$|\bi need (?:some )?help\b|\b(?:can|could) you help\b|\b(?:first|next) step\b|\bhow (?:do|should|can) i (?:start|begin|do (?:this|that|it)|go on|continue|solve (?:this|it|that))\b|\bwhat (?:do|should) i do\b|\bis it (?:more|less|bigger|smaller|larger|higher|lower|greater|positive|negative|even|odd)\b|\bam i (?:close|near|on the right track)\b|\b(?:i am )?stuck\b|\bwhere (?:do|should) i (?:start|begin)\b")),
    (Move.MENU, re.compile(r"\b(?:what|which) (?:topics?|subjects?|things|skills|exercises)\b|\bwhat (?:else )?(?:can (?:we|you|i)|do you (?:have|teach|offer))\b|^(?:menu|options|topics|commands)$|\bwhat can i (?:say|type|ask)\b|\bhow does this work\b")),
    (Move.PROGRESS, re.compile(r"\bhow am i doing\b|\bmy (?:progress|score|level|results?)\b|\bhow (?:well|good|bad) am i\b|\bam i (?:doing well|getting better|any good|improving)\b|\bhow many (?:have i|did i|right|correct)\b")),
    (Move.REPEAT, re.compile(r"\brepeat\b|\b(?:say|show|tell) (?:it|that|me that|me the (?:question|exercise)|the (?:question|exercise)) again\b|\bwhat (?:was|is) the (?:question|exercise|task|problem)(?: again)?\b|\bcome again\b|^(?:continue|go on|carry on|keep going|resume|ready|i am (?:ready|back)|again|let us (?:go|start|begin|continue)|start|go)(?: please| now| then)?$")),
    (Move.OTHER, re.compile(r"\b(?:something|anything) (?:else|different|new)\b|\b(?:another|a different|a new|different|new|other|next) (?:one|exercise|question|problem|task)\b|^(?:skip|next|pass|another|different|more)(?: (?:it|this|that|please|one|this one|that one))*$|\bskip (?:this|it|that)\b|\b(?:another|a different|change (?:the )?|new|switch) ?(?:topic|subject)s?\b|\bone more\b")),
    (Move.EXPLAIN, re.compile(r"\bexplain\b|\bexplanation\b|\b(?:do|did|does|can|could) ?not (?:really |even |quite )?(?:get|understand|follow|see (?:it|how|why|where|what))\b|\b(?:make|makes|making) no sense\b|\bnot make (?:any )?sense\b|\bconfus\w+|\bwhat do you mean\b|\bwhat does .{1,30} mean\b|\b(?:i am|totally|completely) lost\b|^(?:what|huh|wait what|why|eh|how|how so)$|\bno (?:idea|clue)\b|\bi do not know\b|\bidk\b|\bdunno\b|\bnot sure (?:how|what|why|where)\b|^(?:but )?why\b.{0,60}$|\banother way\b|\bunclear\b")),
)
_TOPIC_ALONE = 3  # words in which a topic's name needs no verb to be a wish


def move_of(text: str, *, open_exercise: bool, problem: Problem | None = None) -> Move:
    """Return the intent of a message.

    Args:
        text: What the learner typed.
        open_exercise: Whether an exercise is open; without one nothing is an answer.
        problem: That exercise; a skill with its own ``judge`` decides what is an answer.
    """
    judge = None if problem is None else spec_of(problem.skill).judge
    if judge is None or problem is None:
        if open_exercise and attempt(text) is not None:
            return Move.ANSWER
        return _wish_of(text)
    # Any words may be an answer there, unless they are wrong and ask for something.
    found = judge(problem, text)
    if found is not None and found.outcome is AnswerOutcome.RIGHT:
        return Move.ANSWER
    wish = _wish_of(text)
    return Move.ANSWER if wish is Move.TALK and found is not None else wish


def _wish_of(text: str) -> Move:
    plain = plain_of(text)
    if skill_of(text) is not None:
        return Move.TOPIC
    if gives_up(text):
        return Move.SOLUTION
    for move, pattern in _MOVES:
        if pattern.search(plain):
            return move
    return Move.TALK


def skill_of(text: str) -> str | None:
    """Return the skill that a message asks for; a complaint about one asks for nothing."""
    plain = plain_of(text)
    if re.search(r"\b(?:hate|sick of|tired of|enough of|no more|not|cannot|stop|bored (?:of|with))\b", plain):
        return None
    named = [skill for skill in skills() if spec_of(skill).pattern.search(plain)]
    if not named or not (_WISH.search(plain) or len(plain.split()) <= _TOPIC_ALONE):
        return None
    return named[-1]


def named_skill(text: str) -> str | None:
    """Return the skill that a message mentions, wanted or not."""
    plain = plain_of(text)
    return next((skill for skill in skills() if spec_of(skill).pattern.search(plain)), None)


def gives_up(text: str) -> bool:
    """Say whether a message only says "I give up" about an exercise.

    The same words about life are a sign for the safety protocol.
    """
    return bool(_GIVES_UP.match(plain_of(text)))
