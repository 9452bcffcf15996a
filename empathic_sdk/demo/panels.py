"""The page's pieces as HTML. Whatever came from a person, a hook or a file is escaped here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from empathic_sdk import Emotion, EmotionState, HelpLine, ResponseStyle, Trend

LONGEST_BUBBLE = 600
"""Characters of one message shown; the agent reads all of it."""
SHOWN_MESSAGES = 200
"""Bubbles shown at most, the newest."""

WORDS = {
    Emotion.NEUTRAL: "neutral",
    Emotion.JOY: "joyful",
    Emotion.SADNESS: "sad",
    Emotion.ANGER: "angry",
    Emotion.SURPRISE: "surprised",
    Emotion.FEAR: "afraid",
    Emotion.DISGUST: "disgusted",
}
"""Each emotion as one says it of a person."""

_NOUNS = {Emotion.NEUTRAL: "neutrality"}
_TRENDS = {
    Trend.IMPROVING: "getting lighter",
    Trend.WORSENING: "getting heavier",
    Trend.STEADY: "steady",
    Trend.VOLATILE: "going up and down",
}
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
    """

    mine: bool
    sentences: list[str]
    writing: bool = False


def head() -> str:
    """Return the title line."""
    return (
        '<header class="es-head"><h1>Empathic</h1>'
        "<p>Talk about what is on your mind. See how it is understood.</p></header>"
    )


def talk(notice: str, bubbles: Sequence[Bubble]) -> str:
    """Return the conversation, the notice above it."""
    parts = [
        '<div class="es-log" role="region" aria-label="Conversation">',
        f'<details class="es-note"{"" if bubbles else " open"}>'
        f"<summary>Before we talk</summary><p>{escape(notice)}</p></details>",
    ]
    hidden = len(bubbles) - SHOWN_MESSAGES
    if hidden > 0:
        parts.append(f'<p class="es-note">{hidden} earlier messages are not shown.</p>')
    for bubble in list(bubbles)[-SHOWN_MESSAGES:]:
        parts.append(_bubble(bubble))
    return "".join(parts) + "</div>"


def _bubble(bubble: Bubble) -> str:
    if bubble.mine:
        inside = _shortened(" ".join(bubble.sentences))
        return f'<div class="es-bubble es-you"><span class="es-sr">You: </span>{inside}</div>'
    last = len(bubble.sentences) - 1
    fresh = ' class="es-new"'
    said = " ".join(
        f"<span{fresh if bubble.writing and i == last else ''}>{escape(s)}</span>"
        for i, s in enumerate(bubble.sentences)
    )
    dots = (" " if said else "") + _DOTS if bubble.writing else ""
    return f'<div class="es-bubble es-agent"><span class="es-sr">Agent: </span>{said}{dots}</div>'


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
    if re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}(/[\w./-]*)?", contact):
        return f'<a href="https://{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    return f"<strong>{shown}</strong>"


def problem(text: str) -> str:
    """Return a calm message about something that did not work."""
    return f'<div class="es-problem" role="alert">{escape(text)}</div>' if text else ""


def told(text: str, *, done: bool = True) -> str:
    """Return a confirmation."""
    kind = "" if done else " es-not"
    return f'<div class="es-told{kind}" role="status">{escape(text)}</div>' if text else ""


def noticed(state: EmotionState | None) -> str:
    """Return "What I notice"."""
    if state is None:
        return _card(
            "What I notice",
            '<p class="es-soft">Nothing yet. Write a message, and my estimate of how you feel '
            "will be shown here, with every number behind it.</p>",
        )
    word = WORDS[state.label]
    if state.uncertain:
        big = f"Not sure <small>perhaps {word}, {_percent(state.confidence)}</small>"
    else:
        big = f"{word.capitalize()} <small>{_percent(state.confidence)} sure</small>"
    bars = "".join(
        f"<li{' class=es-now' if e is state.label else ''}>"
        f"<span{' class=es-now' if e is state.label else ''}>{WORDS[e]}</span>"
        f'<span class="es-bar" aria-hidden="true"><i style="width:{p * 100:.1f}%;'
        f'background:var(--es-e-{e})"></i></span>'
        f"<b{' class=es-now' if e is state.label else ''}>{_percent(p)}</b></li>"
        for e, p in state.probabilities.items()
    )
    poles = _pole("unpleasant ↔ pleasant", state.valence) + _pole("calm ↔ excited", state.arousal)
    facts = {"Since last time": _changed(state), "This talk": _TRENDS[state.trend]}
    return _card(
        "What I notice",
        f'<p class="es-big">{big}</p>'
        f'<ul class="es-rows" aria-label="All seven estimates">{bars}</ul>'
        f'<ul class="es-rows" aria-label="Valence and arousal, -1 to 1">{poles}</ul>'
        f"{_facts(facts)}",
    )


def _pole(name: str, value: float) -> str:
    return (
        f'<li><span>{name}</span><span class="es-bar es-pole" aria-hidden="true">'
        f'<i style="left:{(value + 1) * 50:.1f}%"></i></span><b>{value:+.2f}</b></li>'
    )


def _changed(state: EmotionState) -> str:
    if state.shift is None or state.change is None:
        return "this is your first message, so there is nothing to compare it with"
    moved = sorted(state.change.items(), key=lambda item: -abs(item[1]))[:2]
    words = ", ".join(
        f"{'more' if by > 0 else 'less'} {_NOUNS.get(e, e.value)} ({by * 100:+.0f} points)"
        for e, by in moved
        if abs(by) >= 0.05
    )
    return f"changed with {_percent(state.shift)} probability" + (f": {words}" if words else "")


def answering(style: ResponseStyle | None) -> str:
    """Return "How I answer"."""
    if style is None:
        return _card(
            "How I answer",
            '<p class="es-soft">My tone, my pace and the colours of this page follow how you '
            "feel.</p>",
        )
    pace, theme = style.pacing, style.theme
    swatches = "".join(
        f'<i style="background:{escape(c)}" title="{escape(c)}"></i>'
        for c in (theme.primary, theme.background, theme.text)
    )
    sentences = "one sentence" if pace.max_sentences == 1 else f"{pace.max_sentences} sentences"
    start = (
        f"I wait {pace.delay_s:.1f} s, then write" if pace.delay_s >= 0.05 else "I write at once,"
    )
    return _card(
        "How I answer",
        f'<p class="es-big">{escape(style.tone.name.capitalize())}</p>'
        f"<p>{escape(style.tone.instructions)}</p>"
        '<dl class="es-facts">'
        f"<dt>Pace</dt><dd>{start} about {pace.words_per_minute:.0f} words a minute, "
        f"{sentences} at most</dd>"
        f"<dt>Colours</dt><dd>{escape(theme.name)} "
        f'<span class="es-swatches" aria-hidden="true">{swatches}</span></dd></dl>',
    )


def about(exported: Mapping[str, Any]) -> str:
    """Return everything stored about a person: in words, as a download, and whole.

    The download is inside the page itself, so no file about anybody lies on the server.
    """
    whole = json.dumps(exported, indent=2, ensure_ascii=False, default=str)
    profile = exported.get("profile") or {}
    counts = profile.get("emotions") or {}
    facts = {
        "Name": f"you are {exported.get('user', 'unknown')} here, and nothing else",
        "Estimates": _count(profile.get("turns", 0), "message"),
        "Noticed": ", ".join(f"{_spoken(e)} {_count(n, 'time')}" for e, n in counts.items())
        or "nothing",
        "From you": _count(len(exported.get("feedback") or ()), "corrected or rated answer"),
    }
    coded = base64.b64encode(whole.encode()).decode()
    return (
        f'<div class="es-side es-about">{_facts(facts)}'
        f"<details><summary>Read every line</summary><pre tabindex=0>{escape(whole)}</pre>"
        f'</details><a download="about-me.json" href="data:application/json;base64,{coded}">'
        "Download as JSON</a></div>"
    )


def _spoken(emotion: str) -> str:
    return WORDS[Emotion(emotion)] if emotion in set(Emotion) else emotion


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _card(title: str, inside: str) -> str:
    return f'<section class="es-side" aria-label="{title}"><h2>{title}</h2>{inside}</section>'


def card(title: str, inside: str) -> str:
    """Return ``inside`` (HTML) under a title (text)."""
    return _card(escape(title), inside)


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f'<dl class="es-facts">{rows}</dl>'


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%"
