"""HTML of the page's panels. All text from people, hooks and files is escaped here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from empathic_sdk import Emotion, HelpLine
from empathic_sdk.demo.parts import count, facts
from empathic_sdk.demo.wording import WORDS

LONGEST_BUBBLE = 600
"""Characters of one message shown; the agent reads all of it."""
SHOWN_MESSAGES = 200
"""Bubbles shown at most, the newest."""

_DOTS = (
    '<span class="es-dots" aria-hidden="true"><i></i><i></i><i></i></span>'
    '<span class="es-sr">is writing</span>'
)


@dataclass
class Bubble:
    """One message on the page.

    Attributes:
        mine: Whether the person wrote it (else the agent).
        sentences: Its text; the agent's grows sentence by sentence.
        writing: Whether more is to come.
        words_per_minute: How fast the words of a new sentence appear; 0 shows them at once.
        with_it: What came with the words ("voice message, 3 s").
    """

    mine: bool
    sentences: list[str]
    writing: bool = False
    words_per_minute: float = 0.0
    with_it: str = ""


def head() -> str:
    """Return the title line."""
    return (
        '<header class="es-head"><h1>Empathic</h1>'
        "<p>Talk about what is on your mind. See how it is understood.</p></header>"
    )


def conversation(
    notice: str, bubbles: Sequence[Bubble], *, first: str = "", starts: Iterable[str] = ()
) -> str:
    """Return the conversation, the notice above it.

    Args:
        notice: The notice before first use.
        bubbles: The messages.
        first: What stands there until the first message.
        starts: Beginnings that can be picked instead of typed; they only fill the input.
    """
    parts = [
        '<div class="es-log" role="region" aria-label="Conversation" tabindex="0">',
        f'<details class="es-note"{"" if bubbles else " open"}>'
        f"<summary>Before we talk</summary><p>{escape(notice)}</p></details>",
    ]
    if first and not bubbles:
        parts.append(f'<p class="es-first">{escape(first)}</p>')
    if starts and not bubbles:
        picks = "".join(
            f'<button type="button" data-press="start">{escape(text)}</button>' for text in starts
        )
        parts.append(f'<div class="es-starts">{picks}</div>')
    hidden = len(bubbles) - SHOWN_MESSAGES
    if hidden > 0:
        parts.append(f'<p class="es-note">{hidden} earlier messages are not shown.</p>')
    for bubble in list(bubbles)[-SHOWN_MESSAGES:]:
        parts.append(_bubble(bubble))
    return "".join(parts) + "</div>"


def _bubble(bubble: Bubble) -> str:
    if bubble.mine:
        inside = _shortened(" ".join(bubble.sentences))
        if bubble.with_it:
            inside += f'<span class="es-with">{escape(bubble.with_it)}</span>'
        return f'<div class="es-bubble es-you"><span class="es-sr">You: </span>{inside}</div>'
    last = len(bubble.sentences) - 1
    said = " ".join(
        _arriving(s, bubble.words_per_minute)
        if i == last and bubble.words_per_minute
        else f"<span>{escape(s)}</span>"
        for i, s in enumerate(bubble.sentences)
    )
    dots = _DOTS if bubble.writing else ""
    return f'<div class="es-bubble es-agent"><span class="es-sr">Agent: </span>{said}{dots}</div>'


def _arriving(sentence: str, words_per_minute: float) -> str:
    """Return a sentence whose words appear one after the other, by the style sheet alone."""
    step = 60.0 / words_per_minute
    words = " ".join(
        f'<span class="es-w" style="animation-delay:{i * step:.2f}s">{escape(word)}</span>'
        for i, word in enumerate(sentence.split())
    )
    return f'<span class="es-new">{words}</span>'


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_BUBBLE:
        return escape(text)
    rest = len(text) - LONGEST_BUBBLE
    return (
        f'{escape(text[:LONGEST_BUBBLE])}…<span class="es-cut">{rest:,} more characters were '
        "read, and are not shown here.</span>"
    )


def help_box(lines: Iterable[HelpLine]) -> str:
    """Return the box with people who can help; nothing where there are none to show."""
    items = "".join(
        f"<li>{escape(line.name[:1].upper() + line.name[1:])}: {_contact(line.contact)} "
        f"<span>({escape(line.hours)})</span></li>"
        for line in lines
    )
    if not items:
        return ""
    return (
        '<section class="es-help" aria-label="Help from people">'
        f"<h2>You can talk to a person right now</h2><ul>{items}</ul></section>"
    )


def _contact(contact: str) -> str:
    shown = escape(contact)
    if re.fullmatch(r"\+?[0-9][0-9 ()-]*", contact):
        number = re.sub(r"[^0-9+]", "", contact)
        return f'<a href="tel:{number}">{shown}</a>'
    if re.fullmatch(r"^([a-z0-9-]++\.)+[a-z]{2,}(/[\w./-]*)?", contact):
        return f'<a href="https://{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    return f"<strong>{shown}</strong>"


def problem(text: str) -> str:
    """Return a calm message about something that did not work."""
    return f'<div class="es-problem" role="alert">{escape(text)}</div>' if text else ""


def told(text: str, *, done: bool = True) -> str:
    """Return a confirmation."""
    kind = "" if done else " es-not"
    return f'<div class="es-told{kind}" role="status">{escape(text)}</div>' if text else ""


def logged_in(name: str, log_out: str) -> str:
    """Return who is logged in, and the button to log out (a plain form)."""
    return (
        f'<form class="es-side" method="post" action="{escape(log_out)}">'
        f'<p class="es-soft">You are logged in as {escape(name)}. '
        '<button type="submit">Log out</button></p></form>'
    )


def about(exported: Mapping[str, Any]) -> str:
    """Return everything stored about a person: in words, as a download, and whole.

    The download is inside the page itself, so no file about anybody lies on the server.
    """
    whole = json.dumps(exported, indent=2, ensure_ascii=False, default=str)
    profile = exported.get("profile") or {}
    counts = profile.get("emotions") or {}
    known = {
        "Name": f"you are {exported.get('user', 'unknown')} here, and nothing else",
        "Estimates": count(profile.get("turns", 0), "message"),
        "Noticed": ", ".join(f"{_spoken(e)} {count(n, 'time')}" for e, n in counts.items())
        or "nothing",
        "From you": count(len(exported.get("feedback") or ()), "corrected or rated answer"),
    }
    coded = base64.b64encode(whole.encode()).decode()
    return (
        f'<div class="es-side es-about">{facts(known)}'
        f"<details><summary>Read every line</summary><pre tabindex=0>{escape(whole)}</pre>"
        f'</details><a download="about-me.json" href="data:application/json;base64,{coded}">'
        "Download as JSON</a></div>"
    )


def _spoken(emotion: str) -> str:
    return WORDS[Emotion(emotion)] if emotion in set(Emotion) else emotion
