"""Panels with the recognised state and the style of the reply, as HTML."""

from __future__ import annotations

from html import escape

from empathic_sdk import Emotion, EmotionState, Modality, ResponseStyle, Trend
from empathic_sdk.demo.parts import Bar, bars, card, facts, percent, pole, poles, soft
from empathic_sdk.demo.wording import CHANNELS, WORDS

_NOUNS = {Emotion.NEUTRAL: "neutrality"}
_TRENDS = {
    Trend.IMPROVING: "getting lighter",
    Trend.WORSENING: "getting heavier",
    Trend.STEADY: "steady",
    Trend.VOLATILE: "going up and down",
}


def noticed(state: EmotionState | None, manner: str = "") -> str:
    """Return "What I notice": the feeling, and in plain words how the answer follows from it."""
    if state is None:
        return card(
            "What I notice",
            soft(
                "Nothing yet. Write a message, and what I think you feel will stand here, with how "
                "I answer because of it."
            ),
        )
    word = WORDS[state.label]
    if state.uncertain:
        big = f"Not sure <small>perhaps {word}, {percent(state.confidence)}</small>"
    else:
        big = f"{word.capitalize()} <small>{percent(state.confidence)} sure</small>"
    how = f'<p class="es-manner">I answer <strong>{escape(manner)}</strong>.</p>' if manner else ""
    return card("What I notice", f'<p class="es-big">{big}</p>{how}')


def behind(state: EmotionState | None) -> str:
    """Return the numbers: probabilities, valence and arousal, what was read, what changed."""
    if state is None:
        return card("Behind it", soft("Every number that an estimate rests on will be here."))
    emotions = bars(
        "How probable each feeling is",
        (
            Bar(WORDS[e], p, percent(p), f"var(--es-e-{e})", e is state.label)
            for e, p in state.probabilities.items()
        ),
    )
    affect = poles(
        "Valence and arousal, -1 to 1",
        (pole("unpleasant ↔ pleasant", state.valence), pole("calm ↔ excited", state.arousal)),
    )
    known = {"Since last time": _changed(state), "This conversation": _TRENDS[state.trend]}
    return card("Behind it", emotions + affect + went_by(state) + facts(known))


def went_by(state: EmotionState) -> str:
    """Return each modality's share in the estimate, and why a given one played no part."""
    rows = [
        Bar(CHANNELS[m], state.contributions[m], percent(state.contributions[m]))
        for m in Modality
        if m in state.contributions
    ]
    unread = "".join(
        f'<p class="es-soft">{escape(CHANNELS[m].capitalize())}: not used, {escape(why)}</p>'
        for m, why in state.unread.items()
    )
    return f"<h3>What I went by</h3>{bars('What the estimate rests on', rows)}{unread}"


def _changed(state: EmotionState) -> str:
    if state.shift is None or state.change is None:
        return "this is your first message, so there is nothing to compare it with"
    moved = sorted(state.change.items(), key=lambda item: -abs(item[1]))[:2]
    words = ", ".join(
        f"{'more' if by > 0 else 'less'} {_NOUNS.get(e, e.value)} ({by * 100:+.0f} points)"
        for e, by in moved
        if abs(by) >= 0.05
    )
    return f"changed with {percent(state.shift)} probability" + (f": {words}" if words else "")


def answering(style: ResponseStyle | None) -> str:
    """Return "How I answer"."""
    if style is None:
        return card(
            "How I answer",
            soft("My tone, my pace and the colours of this page follow how you feel."),
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
    return card(
        "How I answer",
        f'<p class="es-big">{escape(style.tone.name.capitalize())}</p>'
        f"<p>{escape(style.tone.instructions)}</p>"
        '<dl class="es-facts">'
        f"<dt>Pace</dt><dd>{start} about {pace.words_per_minute:.0f} words a minute, "
        f"{sentences} at most</dd>"
        f"<dt>Colours</dt><dd>{escape(theme.name)} "
        f'<span class="es-swatches" aria-hidden="true">{swatches}</span></dd></dl>',
    )
