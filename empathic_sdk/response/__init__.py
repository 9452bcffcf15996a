"""Responses: support strategy, safety protocol, templates, the responder that needs no key."""

from empathic_sdk.response.context import Reply, ReplyContext, ResponderMemory
from empathic_sdk.response.safety import assess
from empathic_sdk.response.templates import help_lines, notice

__all__ = ["Reply", "ReplyContext", "ResponderMemory", "assess", "help_lines", "notice"]
