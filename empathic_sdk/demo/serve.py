"""Serving the page: options that keep it private and self-contained, and the server itself."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr

from empathic_sdk import EmotionAwareAgent, ProfileStore
from empathic_sdk.demo.app import HOME, build, tutor_of
from empathic_sdk.demo.limits import MOST_BODY, BodyLimit
from empathic_sdk.demo.style import CSS

_SCRIPT = files("empathic_sdk.demo").joinpath("page.js").read_text(encoding="utf-8")
_HEAD = (
    '<meta name="referrer" content="no-referrer">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f"<style>{CSS}</style><script>{_SCRIPT}</script>"
)


def page_options() -> dict[str, Any]:
    """Return what ``Blocks.launch`` and ``gradio.mount_gradio_app`` need for this page.

    System fonts only, no footer, no run history (Gradio would keep every message in the
    browser), no file uploads, requests of limited size, no server-side rendering.
    """
    from starlette.middleware import Middleware

    font = ["ui-sans-serif", "system-ui", "sans-serif"]
    theme = gr.themes.Base(font=font, font_mono=["ui-monospace", "monospace"])
    return {
        "theme": theme,
        "head": _HEAD,
        "footer_links": [],
        "run_history": False,
        "max_file_size": 1,
        "app_kwargs": {"middleware": [Middleware(BodyLimit, most=MOST_BODY)]},
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
    }


def launch(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    share: bool = False,
    auth: tuple[str, str] | list[tuple[str, str]] | None = None,
    profiles: ProfileStore | str | Path | None = None,
) -> None:
    """Serve the demo until it is interrupted.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one from 7860 upwards.
        open_browser: Open a browser window on it.
        share: Publish it through Gradio's tunnel, which runs on other people's machines.
        auth: ``(name, password)``, or several, that visitors must log in with.
        profiles: A file to remember people in who logged in; ``None`` keeps nothing.

    Raises:
        EmpathicError: The weights or the store cannot be opened.
        OSError: The port is taken.
    """
    with (
        EmotionAwareAgent(profiles=profiles, deployment=HOME) as agent,
        tutor_of(agent) as tutor,
    ):
        build(agent, tutor).launch(
            server_name=host,
            server_port=port or None,
            inbrowser=open_browser,
            share=share,
            auth=auth,
            **page_options(),
        )
