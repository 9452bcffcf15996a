"""Responses: support strategy, safety protocol, templates, the responder that needs no key."""

from empathic_sdk.response.context import Reply, ReplyContext, ResponderMemory
from empathic_sdk.response.embedded import EmbeddedResponder
from empathic_sdk.response.planner import Planner, shipped_planner
from empathic_sdk.response.reflect import reflection
from empathic_sdk.response.safety import assess
from empathic_sdk.response.strategy import permitted, plan
from empathic_sdk.response.templates import help_lines, load_bank, notice, template_files
from empathic_sdk.response.tutoring import TutorState, gives_up, require_sympy

__all__ = [
    "EmbeddedResponder",
    "Planner",
    "Reply",
    "ReplyContext",
    "ResponderMemory",
    "TutorState",
    "assess",
    "gives_up",
    "help_lines",
    "load_bank",
    "notice",
    "permitted",
    "plan",
    "reflection",
    "require_sympy",
    "shipped_planner",
    "template_files",
]
