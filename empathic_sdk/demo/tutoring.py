"""The tab for tutoring: text only; exercises, hints, what is mastered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from empathic_sdk import TurnEvent, Utterance
from empathic_sdk.demo import learning
from empathic_sdk.demo.learning import SKILLS
from empathic_sdk.demo.media import Given
from empathic_sdk.demo.tab import QUIET, ConversationTab, Shown, html
from empathic_sdk.demo.visits import ShownConversation, Visit
from empathic_sdk.types import StreamEvent

ASKS = {
    "hint": ("A hint", "hint"),
    "example": ("Show an example", "show me an example"),
    "explain": ("I don't get it", "I don't get it"),
    "skip": ("Something else", "something else"),
    "solution": ("Show the solution", "I give up"),
}
"""What can be pressed instead of typed: label, and what it says to the agent."""


class TutoringTab(ConversationTab):
    """Tutoring."""

    name = "tutoring"
    id = "el"
    label = "Your answer or question"
    placeholder = "Type an answer, or ask for a hint"
    first = (
        "Let's practise a little maths. Pick a topic on this page, or just say hello. Nothing is "
        "graded, only words are read, and you can ask for a hint at any time."
    )

    def beside(self) -> None:
        """Put the exercise, the ways out of being stuck, and the bars beside the conversation."""
        with gr.Column(elem_classes="es-card"):
            self.task = html(learning.exercise(None), elem_id="el-task")
            with gr.Row(elem_classes="es-chips"):
                self.asks = {
                    name: gr.Button(label, size="sm", elem_id=f"el-{name}")
                    for name, (label, _) in ASKS.items()
                }
            html('<div class="es-side"><p class="es-soft">Another topic:</p></div>')
            with gr.Row(elem_classes="es-chips"):
                self.topics = {
                    skill: gr.Button(skill.capitalize(), size="sm", elem_id=f"el-{skill}")
                    for skill in SKILLS
                }
        with gr.Column(elem_classes="es-card"):
            self.known = html(learning.mastery({}), elem_id="el-known")
        with gr.Column(elem_classes="es-card"):
            self.doing = html(learning.doing(None), elem_id="el-doing")

    @property
    def outputs(self) -> list[Any]:
        """Everything that an answer may change."""
        return [*super().outputs, self.task, self.known, self.doing]

    def wire(self) -> None:
        """Connect what can be pressed."""

        async def typed(text: str, request: gr.Request) -> AsyncIterator[Shown]:
            async for shown in self.say(text, None, request):
                yield shown

        options: dict[str, Any] = {"trigger_mode": "once", "concurrency_limit": None, **QUIET}
        self.spoken = [
            gr.on([self.box.submit, self.send.click], typed, self.box, self.outputs, **options)
        ]
        pressed = [(b, ASKS[name][1]) for name, b in self.asks.items()]
        pressed += [(b, f"another topic: {skill}") for skill, b in self.topics.items()]
        for button, says in pressed:
            self.spoken.append(button.click(self.pressing(says), None, self.outputs, **options))

    def pressing(self, says: str) -> Callable[[gr.Request], AsyncIterator[Shown]]:
        """Return what a press does: it says something to the agent."""

        async def press(request: gr.Request) -> AsyncIterator[Shown]:
            async for shown in self.say(says, None, request, shown=False):
                yield shown

        return press

    def read(
        self, conversation: ShownConversation, text: str, payload: str | None
    ) -> tuple[Given, Utterance]:
        """Return the words, with the time they came: how long an answer took tells something."""
        given, said = super().read(conversation, text, None)
        return given, said.model_copy(update={"at": self.at(conversation)})

    def side(self, visit: Visit, conversation: ShownConversation, event: StreamEvent) -> Shown:
        """Return what an event changes beside the conversation."""
        if not isinstance(event, TurnEvent):
            return {}
        known = self.agent.profiles.get(visit.user).mastery
        return {
            self.task: learning.exercise(event.turn),
            self.known: learning.mastery(known),
            self.doing: learning.doing(event.turn.learning),
        }

    def fresh(self) -> Shown:
        """Return the tab as it is before the first message."""
        return super().fresh() | {
            self.task: learning.exercise(None),
            self.known: learning.mastery({}),
            self.doing: learning.doing(None),
        }


async def known_of(tab: TutoringTab, visit: Visit) -> str:
    """Return the bars of somebody who came back."""
    person = await asyncio.to_thread(tab.agent.profiles.get, visit.user)
    return learning.mastery(person.mastery)
