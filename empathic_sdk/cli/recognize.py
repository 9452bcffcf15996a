"""``empathic recognize``: a text or a JSONL dialogue in, a table or JSONL out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

import click

from empathic_sdk.errors import DialogueFormatError, EmpathicError, InputError, PolicyError
from empathic_sdk.types import Emotion, EmotionState, Modality, Utterance

FIELDS = {"text", "speaker", "at", "audio", "frames", "events"}
SAID = {"text", "audio", "frames", "events"}
CONTEXTS = ("personal", "healthcare", "research", "education", "workplace")


@click.command(name="recognize")
@click.argument("source", type=click.File("r", encoding="utf-8", errors="strict"), metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, not a table.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    help="auto: JSONL where the first line is a JSON object, else one utterance per line.",
)
@click.option(
    "--context", type=click.Choice(CONTEXTS), help="Where this runs.  [default: text only]"
)
@click.option(
    "--consent",
    type=click.Choice(["speech", "face", "behaviour"]),
    multiple=True,
    help="What the people in FILE have agreed to; repeat it for each modality.",
)
@click.option("--keep-going", is_flag=True, help="Name a broken line and go on with the rest.")
def command(
    source: TextIO,
    as_json: bool,
    form: str,
    context: str | None,
    consent: tuple[str, ...],
    keep_going: bool,
) -> None:
    """Recognise the emotion of every utterance in FILE (- is standard input), in order.

    A text file holds one utterance per line. A JSONL file holds one object per line with "text",
    and optionally "speaker" and "at" (seconds); with "audio" (a path), "frames" (paths) or "events"
    the text may be missing. Empty lines are skipped.
    """
    from empathic_sdk import Deployment, EmotionRecognizer, UserContext

    utterances: list[tuple[int, Utterance]] = []
    broken = 0
    try:
        for number, line in _lines(source):
            try:
                if form == "auto":
                    form = "jsonl" if line.lstrip().startswith("{") else "text"
                utterances.append((number, _utterance(number, line, form)))
            except EmpathicError as error:
                if not keep_going:
                    raise
                broken += 1
                click.echo(f"empathic: {error}", err=True)
    except UnicodeDecodeError as error:
        raise DialogueFormatError(
            f"{source.name} is not UTF-8 text: {error.reason} at byte {error.start}", line=0
        ) from error
    recognizer = EmotionRecognizer(deployment=Deployment.model_validate({"context": context}))
    session = recognizer.session(UserContext(consents=frozenset(map(Modality, consent))))
    states: list[EmotionState] = []
    read: list[tuple[int, Utterance]] = []
    plain = all(u.modalities == (Modality.TEXT,) for _, u in utterances)
    if plain:  # in few calls of the network
        read, states = utterances, session.extend([u for _, u in utterances])
    for number, said in [] if plain else utterances:
        try:
            states.append(session.add(said))
            read.append((number, said))
        except (InputError, PolicyError) as error:
            if not keep_going:
                raise DialogueFormatError(f"line {number}: {error}", line=number) from error
            broken += 1
            click.echo(f"empathic: line {number}: {error}", err=True)
    utterances = read
    if as_json:
        for (number, said), state in zip(utterances, states, strict=True):
            click.echo(
                json.dumps(
                    {"line": number, "speaker": said.speaker, **_row(state, context is not None)}
                )
            )
    else:
        _table(utterances, states)
    if broken:
        raise SystemExit(2)


def _lines(source: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source, start=1):
        line = line.lstrip("\ufeff") if number == 1 else line
        if line.strip():
            yield number, line.rstrip("\r\n")


def _utterance(number: int, line: str, form: str) -> Utterance:
    if form == "text":
        given: dict[str, Any] = {"text": line}
    else:
        try:
            given = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DialogueFormatError(f"line {number} is no JSON: {error}", line=number) from error
        if not isinstance(given, dict):
            raise DialogueFormatError(f"line {number} is no JSON object", line=number)
        unknown = set(given) - FIELDS
        if unknown or not set(given) & SAID:
            raise DialogueFormatError(
                f"line {number}: an utterance has some of the keys {sorted(FIELDS)}, and one of "
                f"{sorted(SAID)} among them"
                + (f"; it does not know {sorted(unknown)}" if unknown else ""),
                line=number,
            )
    if not isinstance(given.get("frames", []), list):
        raise DialogueFormatError(f"line {number}: frames must be a list of paths", line=number)
    try:
        return Utterance(**given)
    except EmpathicError as error:
        raise DialogueFormatError(f"line {number}: {error}", line=number) from error


def _row(state: EmotionState, every: bool) -> dict[str, Any]:
    unasked = {"general"} if every else {"general", "apart", "missing", "unread"}
    return state.model_dump(mode="json", exclude=unasked)


def printable(text: str) -> str:
    """Return ``text`` without control and unprintable characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def _table(utterances: list[tuple[int, Utterance]], states: list[EmotionState]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("speaker", "utterance", "emotion", "conf.", "val.", "aro.", "shift", "trend"):
        table.add_column(name, overflow="fold", no_wrap=name not in ("utterance", "speaker"))
    for (_, said), state in zip(utterances, states, strict=True):
        words = printable(said.text or "")
        table.add_row(
            Text(printable(said.speaker)),
            Text(words if len(words) <= 70 else words[:69] + "…"),
            Text(state.label + ("?" if state.uncertain else ""), style=_COLOURS[state.label]),
            f"{state.confidence:.2f}",
            f"{state.valence:+.2f}",
            f"{state.arousal:+.2f}",
            "" if state.shift is None else f"{state.shift:.2f}",
            str(state.trend),
        )
    Console(highlight=False).print(table)


_COLOURS = {
    Emotion.NEUTRAL: "dim",
    Emotion.JOY: "yellow",
    Emotion.SADNESS: "blue",
    Emotion.ANGER: "red",
    Emotion.SURPRISE: "magenta",
    Emotion.FEAR: "cyan",
    Emotion.DISGUST: "green",
}
