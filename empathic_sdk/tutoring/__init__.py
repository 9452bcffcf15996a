"""Tutoring without a language model: exercises, answers, hints, mastery, learning state."""

from empathic_sdk.tutoring.checking import judge
from empathic_sdk.tutoring.feelings import infer, mood_of
from empathic_sdk.tutoring.intents import gives_up
from empathic_sdk.tutoring.policy import Choice, Situation, choose, support
from empathic_sdk.tutoring.problems import (
    LEVELS,
    Judgement,
    Line,
    Problem,
    Skill,
    Step,
    make,
    register_skill,
    require_sympy,
    skills,
    unregister_skill,
)
from empathic_sdk.types.tutoring import TutorState

__all__ = [
    "LEVELS",
    "Choice",
    "Judgement",
    "Line",
    "Problem",
    "Situation",
    "Skill",
    "Step",
    "TutorState",
    "choose",
    "gives_up",
    "infer",
    "judge",
    "make",
    "mood_of",
    "register_skill",
    "require_sympy",
    "skills",
    "support",
    "unregister_skill",
]
