"""``empathic chat``: a conversation in the terminal."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from empathic_sdk.errors import InputError
from empathic_sdk.types import (
    SentenceEvent,
    StateEvent,
    StreamEvent,
    Turn,
    TurnEvent,
    Utterance,
)

if TYPE_CHECKING:
    from empathic_sdk import EmotionAwareAgent


@click.command(name="chat")
@click.option("--user", default="default", show_default=True, help="Who you are, in the store.")
@click.option(
    "--profiles",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to remember you in.  [default: in memory]",
)
@click.option(
    "--scenario",
    type=click.Choice(["counselling", "tutoring"]),
    default="counselling",
    show_default=True,
)
@click.option(
    "--llm",
    metavar="NAME",
    help="A language model that writes the replies, such as ollama:llama3.2 (needs the extra "
    "langchain and the provider's package).  [default: the embedded responder]",
)
@click.option("--keep-text", is_flag=True, help="Store the words as well.")
@click.option("--no-pacing", is_flag=True, help="Answer at once.")
@click.option("--quiet", is_flag=True, help="Do not show what was noticed.")
def command(
    user: str,
    profiles: Path | None,
    scenario: str,
    llm: str | None,
    keep_text: bool,
    no_pacing: bool,
    quiet: bool,
) -> None:
    """Chat with the agent. /wrong EMOTION corrects it, /quit or Ctrl-D ends."""
    from empathic_sdk import EmotionAwareAgent
    from empathic_sdk.options import Retention

    interactive = sys.stdin.isatty()
    start = time.monotonic()
    with EmotionAwareAgent(
        llm,
        profiles=profiles,
        scenario=scenario,  # type: ignore[arg-type]
        retention=Retention(keep_text=keep_text),
    ) as agent:
        click.secho(agent.notice(), dim=True)
        last = ""
        while True:
            try:
                said = click.prompt("you", prompt_suffix="> ") if interactive else _next_line()
            except (EOFError, click.Abort):
                click.echo()
                return
            if said is None or said.strip() in ("/quit", "/exit"):
                return
            if not interactive:
                click.echo(f"you> {said}")
            try:
                if said.split(" ")[0] == "/wrong":
                    _correct(agent, last, user, said)
                    continue
                if re.fullmatch(r"/[a-z]+", said.strip()):
                    # A mistyped command such as "/erase" must not be answered as an utterance.
                    click.secho(f"(there is no {said.strip()}; there are {COMMANDS})", dim=True)
                    continue
                # How long an answer took says something about a learner; piped text took no time.
                at = time.monotonic() - start if interactive else None
                utterance = Utterance(said, at=at)
                last = _say(agent, utterance, user=user, paced=not no_pacing, quiet=quiet)
            except InputError as error:
                click.secho(f"({error})", dim=True)


COMMANDS = "/wrong EMOTION, /quit and /exit; `empathic profile` exports and erases"


def _next_line() -> str | None:
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None


def _say(agent: EmotionAwareAgent, said: Utterance, *, user: str, paced: bool, quiet: bool) -> str:
    """Stream one reply to the terminal; return the id of the turn."""
    turn_id = ""
    for event in agent.stream(said, user=user) if paced else _unpaced(agent, said, user):
        if isinstance(event, StateEvent):
            if not quiet:
                _show(event)
            click.secho("agent> ", nl=False, bold=True)
        elif isinstance(event, SentenceEvent):
            _type(event.text, event_pace=0.02 if paced else 0.0)
        elif isinstance(event, TurnEvent):
            turn_id = event.turn.id
            click.echo()
            if event.turn.learning is not None and not quiet:
                _show_learning(event.turn)
            if event.turn.fallbacks and not quiet:
                click.secho(f"  [{', '.join(event.turn.fallbacks)}]", dim=True)
            for line in event.turn.safety.help_lines:
                click.secho(f"  {line.name}: {line.contact} ({line.hours})", bold=True)
    return turn_id


def _unpaced(agent: EmotionAwareAgent, said: Utterance, user: str) -> Iterator[StreamEvent]:
    turn = agent.respond(said, user=user)
    yield StateEvent(emotion=turn.emotion, style=turn.style, safety=turn.safety)
    yield SentenceEvent(text=turn.reply)
    yield TurnEvent(turn=turn)


def _show(event: StateEvent) -> None:
    e, style = event.emotion, event.style
    seen = f"perhaps {e.label}" if e.uncertain else str(e.label)
    shift = "" if e.shift is None else f", changed {e.shift:.0%}"
    click.secho(
        f"  [{seen} {e.confidence:.0%}{shift}, {e.trend}; "
        f"tone {style.tone.name}, {style.pacing.words_per_minute:.0f} words/min, "
        f"theme {style.theme.name}]",
        dim=True,
    )


def _show_learning(turn: Turn) -> None:
    learning = turn.learning
    assert learning is not None
    judged = "" if turn.answer is None else f"answer {turn.answer.outcome}; "
    click.secho(
        f"  [{judged}engagement {learning.engagement:.0%}, confusion {learning.confusion:.0%}, "
        f"frustration {learning.frustration:.0%}, boredom {learning.boredom:.0%}]",
        dim=True,
    )


def _type(text: str, *, event_pace: float) -> None:
    for word in text.split():
        click.echo(word + " ", nl=False)
        sys.stdout.flush()
        if event_pace and sys.stdout.isatty():
            time.sleep(event_pace)


def _correct(agent: EmotionAwareAgent, turn_id: str, user: str, said: str) -> None:
    emotion = said.removeprefix("/wrong").strip().lower()
    if not turn_id:
        click.secho("(there is nothing to correct yet)", dim=True)
        return
    agent.feedback(turn_id, user=user, emotion=emotion)
    click.secho(f"(noted: that was {emotion})", dim=True)
