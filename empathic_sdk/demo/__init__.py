"""The demo: a page for conversations with an agent that shows what it notices.

It has no logic of its own: every label, tone, colour and help line comes from the agent.
Needs the extra ``demo``. Names are loaded when first used, so importing this alone stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from empathic_sdk.errors import MissingExtraError

if TYPE_CHECKING:
    from empathic_sdk.demo.app import build
    from empathic_sdk.demo.guard import RequestGuard
    from empathic_sdk.demo.security import RateLimits, Security
    from empathic_sdk.demo.serve import application, launch, page_options

__all__ = [
    "RateLimits", "RequestGuard", "Security", "application", "build", "launch", "page_options",
]  # fmt: skip

_HOMES = {
    "RateLimits": "security",
    "RequestGuard": "guard",
    "Security": "security",
    "application": "serve",
    "build": "app",
    "launch": "serve",
    "page_options": "serve",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'empathic_sdk.demo' has no attribute {name!r}")
    try:
        import gradio  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("demo", "the demo") from error
    value = getattr(import_module(f"empathic_sdk.demo.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
