"""Responses: support strategy, safety protocol, templates, the responder that needs no key."""

from empathic_sdk.response.context import Reply, ReplyContext, ResponderMemory
from empathic_sdk.response.embedded import EmbeddedResponder
from empathic_sdk.response.guard import Verdict, check_sentence, check_text
from empathic_sdk.response.live import Live
from empathic_sdk.response.llm import LLMResponder
from empathic_sdk.response.planner import Planner, shipped_planner
from empathic_sdk.response.prompting import system_prompt
from empathic_sdk.response.reflect import reflection
from empathic_sdk.response.requests import requests
from empathic_sdk.response.risk import RiskContext, Signs, judge
from empathic_sdk.response.safety import assess
from empathic_sdk.response.sentences import sentences_of
from empathic_sdk.response.strategy import permitted, plan
from empathic_sdk.response.templates import (
    help_lines,
    load_bank,
    notice,
    template_files,
    watch_message,
)
from empathic_sdk.response.tutoring import TutorState, gives_up, require_sympy

__all__ = [
    "EmbeddedResponder",
    "LLMResponder",
    "Live",
    "Planner",
    "Reply",
    "ReplyContext",
    "ResponderMemory",
    "RiskContext",
    "Signs",
    "TutorState",
    "Verdict",
    "assess",
    "check_sentence",
    "check_text",
    "gives_up",
    "help_lines",
    "judge",
    "load_bank",
    "notice",
    "permitted",
    "plan",
    "reflection",
    "requests",
    "require_sympy",
    "sentences_of",
    "shipped_planner",
    "system_prompt",
    "template_files",
    "watch_message",
]
