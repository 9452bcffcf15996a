"""The tab "Look inside": the last turn as JSON, transfers, and the code for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from empathic_sdk import Modality, Turn
from empathic_sdk.demo.noticing import went_by
from empathic_sdk.demo.parts import Bar, bars, card, soft

COMPARED = 8
"""Messages compared at most, the newest."""

_STEPS = {
    "recognize": "read the feeling",
    "hooks": "tone, pacing, theme",
    "respond": "write the answer",
    "record": "record it",
    "total": "all of it",
}


def values(turn: Turn | None) -> str:
    """Return the last turn as JSON."""
    if turn is None:
        return card("The last turn", soft("Say something in another tab, and come back."))
    shown = escape(turn.model_dump_json(indent=2))
    return card(
        "The last turn, as JSON",
        f'<pre class="es-code" tabindex=0 aria-label="The last turn as JSON">{shown}</pre>',
    )


def contributions(turn: Turn | None) -> str:
    """Return each modality's share in the last estimate."""
    if turn is None:
        return card("Contributions", soft("Which of your words, voice and face it rests on."))
    return card(
        "Contributions",
        went_by(turn.emotion)
        + soft("Exact Shapley values over the modalities that were there; they sum to 1."),
    )


def timings(turn: Turn | None) -> str:
    """Return how long each step of the last turn took."""
    if turn is None or not turn.timings:
        return card("Timings", soft("How long each step took."))
    most = max(turn.timings.values()) or 1.0
    rows = [
        Bar(_STEPS.get(name, name), ms / most, f"{ms:.1f} ms", strong=name == "total")
        for name, ms in turn.timings.items()
    ]
    return card(
        "Timings", bars("Milliseconds per step", rows) + soft("Without the pauses of pacing.")
    )


def transfers(speakers: Sequence[str], changed: Sequence[Sequence[float]], name: str) -> str:
    """Return the dialogue's transfer matrix for one speaker, as a table.

    Args:
        speakers: Who spoke, oldest first.
        changed: Row i, column j < i: the probability of another emotion in i than in j.
        name: Whose utterances are shown.
    """
    title = "Did the feeling change?"
    mine = [i for i, who in enumerate(speakers) if who == name]
    shown = mine[-COMPARED:]
    if len(shown) < 2:
        return card(title, soft("From your second message on, each is compared with those before."))
    first = len(mine) - len(shown) + 1
    head = "".join(f"<th scope=col>{first + k}</th>" for k in range(len(shown) - 1))
    rows = []
    for k, i in enumerate(shown[1:], start=1):
        cells = "".join(_cell(float(changed[i][j])) for j in shown[:k])
        cells += "<td></td>" * (len(shown) - 1 - k)
        rows.append(f"<tr><th scope=row>{first + k}</th>{cells}</tr>")
    return card(
        title,
        '<div class="es-scroll" tabindex=0 role="region" aria-label="Transfer matrix">'
        '<table class="es-table es-matrix"><caption class="es-sr">Probability that the message of '
        f"the row shows another feeling than the message of the column</caption><thead><tr>"
        f"<td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + soft(
            "Row: a message. Column: an earlier one. Number: how probably the feeling is another "
            "one (the transfer module of the dialogue model)."
        ),
    )


def _cell(p: float) -> str:
    if math.isnan(p):
        return "<td></td>"
    return (
        f'<td style="background:color-mix(in srgb,var(--es-accent) {p * 34:.0f}%,var(--es-panel))"'
        f">{'<b>' if p >= 0.5 else ''}{p:.2f}{'</b>' if p >= 0.5 else ''}</td>"
    )


def code(turn: Turn | None, consents: frozenset[Modality], *, tutoring: bool) -> str:
    """Return the program that would do what the last turn did."""
    shown = escape(program(turn, consents, tutoring=tutoring))
    return card(
        "The code that does this",
        f'<pre class="es-code" tabindex=0 aria-label="Python code">{shown}</pre>',
    )


def program(turn: Turn | None, consents: frozenset[Modality], *, tutoring: bool) -> str:
    """Return it as text: a script that runs."""
    given = sorted(consents) if not tutoring else []
    uses = "Deployment, EmotionAwareAgent" if given else "EmotionAwareAgent"
    how = 'scenario="tutoring"' if tutoring else ""
    how = 'deployment=Deployment(context="personal")' if given else how
    lines = [
        f"from empathic_sdk import {uses}",
        "",
        f"with EmotionAwareAgent({how}) as agent:",
        "    print(agent.notice())",
    ]
    lines += [f'    agent.profiles.consent("ada", "{m}", True, version="1")' for m in given]
    said = "fractions please" if tutoring else "I failed the exam again."
    lines += [
        f'    for event in agent.stream("{said}", user="ada"):',
        '        if event.kind == "state":',
        "            print(event.emotion.label, event.style.tone.name, event.style.theme.primary)",
        '        elif event.kind == "sentence":',
        "            print(event.text)",
        "    turn = event.turn",
    ]
    if turn is not None:
        lines.append(
            f"    # here: {turn.emotion.label}, {turn.style.tone.name}, {turn.strategy.value}"
        )
    if tutoring:
        lines.append('    print(turn.exercise, agent.profiles.get("ada").mastery)')
    else:
        lines.append('    agent.feedback(turn.id, user="ada", emotion="fear", rating=1)')
    return "\n".join(lines) + "\n"
