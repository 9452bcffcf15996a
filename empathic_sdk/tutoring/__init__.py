"""Tutoring: exercises, answers, hints, mastery and how the learner is doing, without a model."""

from empathic_sdk.tutoring.checking import Judgement, judge
from empathic_sdk.tutoring.feelings import infer, mood_of
from empathic_sdk.tutoring.intents import gives_up
from empathic_sdk.tutoring.policy import Choice, Situation, choose, support
from empathic_sdk.tutoring.problems import LEVELS, Problem, Skill, make, require_sympy
from empathic_sdk.types.tutoring import TutorState

__all__ = [
    "LEVELS",
    "Choice",
    "Judgement",
    "Problem",
    "Situation",
    "Skill",
    "TutorState",
    "choose",
    "gives_up",
    "infer",
    "judge",
    "make",
    "mood_of",
    "require_sympy",
    "support",
]
