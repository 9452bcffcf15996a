"""The tab for counselling: words, and with consent voice, face and how one types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from empathic_sdk import Emotion, EmpathicError, Modality, StateEvent, TurnEvent
from empathic_sdk.demo import noticing, panels
from empathic_sdk.demo.chart import chart
from empathic_sdk.demo.parts import card
from empathic_sdk.demo.tab import QUIET, ConversationTab, Shown, html, plain
from empathic_sdk.demo.visits import ShownConversation, Visit
from empathic_sdk.demo.wording import WORDS, manner
from empathic_sdk.policy import refusal
from empathic_sdk.types import StreamEvent

NOT_YET = "There is nothing to correct yet. You can as soon as an answer of mine is complete."
SWITCHES = {
    Modality.SPEECH: ("Listen to my voice", "speech"),
    Modality.FACE: ("Look at my face", "face"),
    Modality.BEHAVIOUR: ("Notice how I type", "behaviour"),
}
TERMS = "Off until you switch it on; off again withdraws it. Recordings are read once, not kept."

_TAKE = "(text, _) => [text, window.empathic ? window.empathic.take() : '']"
_CORRECT = (
    '<div class="es-side"><p class="es-soft"><strong>I may be wrong: correct me.</strong> '
    "How did you really feel?</p></div>"
)


class CounsellingTab(ConversationTab):
    """Counselling."""

    name = "counselling"
    id = "es"
    first = "How are you, really? Write as you would to a friend, or begin with one of these:"
    starts = (
        "I had a really hard day.",
        "I'm scared about tomorrow.",
        "Something good happened!",
    )

    def extra(self) -> None:
        """Put what needs consent below the input: switches, recorder, light."""
        self.payload = gr.Textbox(visible=False)
        self.inputs = html(_INPUTS, elem_id="es-inputs")
        self.may = html("", elem_id="es-may")
        deployment = self.agent.recognizer.deployment
        with gr.Row(elem_classes="es-switches", elem_id="es-switches"):
            self.switches = {
                modality: gr.Checkbox(
                    label=label, value=False, container=False, elem_id=f"es-switch-{name}",
                    min_width=0, scale=0,
                )
                for modality, (label, name) in SWITCHES.items()
                if refusal(modality, deployment, lambda _: True) is None
            }  # fmt: skip
        if self.switches:
            html(f'<p class="es-terms">{TERMS}</p>')

    def beside(self) -> None:
        """Put what was noticed, its correction, the path and the numbers beside it."""
        with gr.Column(elem_classes="es-card"):
            self.noticed = html(noticing.noticed(None), elem_id="es-noticed")
            html(_CORRECT)
            with gr.Row(elem_classes="es-chips"):
                self.corrections = {
                    emotion: gr.Button(word.capitalize(), size="sm", elem_id=f"es-felt-{emotion}")
                    for emotion, word in WORDS.items()
                }
            with gr.Row(elem_classes="es-chips"):
                self.good = gr.Button("This answer helped", size="sm", elem_id="es-good")
                self.bad = gr.Button("It did not help", size="sm", elem_id="es-bad")
            self.told = html("", elem_id="es-told")
        with gr.Column(elem_classes="es-card"):
            self.path = html(_path(()), elem_id="es-path")
        with gr.Column(elem_classes="es-card"):
            self.behind = html(noticing.behind(None), elem_id="es-behind")
        with gr.Column(elem_classes="es-card"):
            self.answering = html(noticing.answering(None), elem_id="es-answering")

    @property
    def outputs(self) -> list[Any]:
        """Everything that an answer may change."""
        mine = [self.noticed, self.behind, self.answering, self.path, self.told]
        return [*super().outputs, *mine]

    def wire(self) -> None:
        """Connect what can be pressed."""
        self.spoken = gr.on(
            [self.box.submit, self.send.click], self.say, [self.box, self.payload], self.outputs,
            trigger_mode="once", concurrency_limit=None, js=_TAKE, **QUIET,
        )  # fmt: skip
        for emotion, button in self.corrections.items():
            button.click(self.correction(emotion=emotion), None, self.told, **QUIET)
        self.good.click(self.correction(rating=1), None, self.told, **QUIET)
        self.bad.click(self.correction(rating=-1), None, self.told, **QUIET)
        for modality, switch in self.switches.items():
            switch.input(self.switched(modality), switch, [switch, self.may, self.problem], **QUIET)

    def side(self, visit: Visit, conversation: ShownConversation, event: StreamEvent) -> Shown:
        """Return what an event changes beside the conversation."""
        if isinstance(event, StateEvent):
            words = manner(event.style, event.emotion, level=event.safety.level)
            return {
                self.noticed: noticing.noticed(event.emotion, words),
                self.behind: noticing.behind(event.emotion),
                self.answering: noticing.answering(event.style),
                self.path: _path(conversation.points),
            }
        if isinstance(event, TurnEvent):
            t = event.turn
            words = manner(t.style, t.emotion, level=t.safety.level, strategy=t.strategy)
            return {self.noticed: noticing.noticed(t.emotion, words)}
        return {}

    def begun(self, conversation: ShownConversation) -> Shown:
        """Return what changes when a message arrives."""
        return super().begun(conversation) | {self.told: ""}

    def fresh(self) -> Shown:
        """Return the tab as it is before the first message."""
        off: Shown = dict.fromkeys(self.switches.values(), False)
        begin: Shown = {
            self.noticed: noticing.noticed(None),
            self.behind: noticing.behind(None),
            self.answering: noticing.answering(None),
            self.path: _path(()),
            self.told: "",
            self.may: "",
        }
        return super().fresh() | begin | off

    def correction(
        self, *, emotion: Emotion | None = None, rating: int | None = None
    ) -> Callable[[gr.Request], Awaitable[str]]:
        """Return what a press on a correction or a thumb does."""
        if emotion is not None:
            thanks = f"Thank you. I noted that you felt {WORDS[emotion]}."
        else:
            how = "helped" if rating == 1 else "did not help"
            thanks = f"Thank you. I noted that my answer {how}."

        async def correct(request: gr.Request) -> str:
            visit = self.visits.of(request)
            turn = visit.conversation(self.name).turn
            if turn is None:
                return panels.told(NOT_YET, done=False)
            try:
                await self.agent.afeedback(turn.id, user=visit.user, emotion=emotion, rating=rating)
            except EmpathicError as error:
                return panels.told(plain(error), done=False)
            return panels.told(thanks)

        return correct

    # -- consent -----------------------------------------------------------------------------

    def switched(
        self, modality: Modality
    ) -> Callable[[bool, gr.Request], Awaitable[tuple[bool, str, str]]]:
        """Return what a switch does: record the decision, and show what may be used now."""

        async def switch(on: bool, request: gr.Request) -> tuple[bool, str, str]:
            visit = self.visits.of(request)
            try:
                await asyncio.to_thread(
                    self.agent.profiles.consent, visit.user, modality, bool(on),
                    version=self.agent.recognizer.deployment.notice,
                )  # fmt: skip
            except EmpathicError as error:
                given = self.visits.consents(visit)
                return modality in given, self.granted(visit), panels.problem(plain(error))
            return bool(on), self.granted(visit), ""

        return switch

    def granted(self, visit: Visit) -> str:
        """Return what the page may offer, for its script and style."""
        given = self.visits.consents(visit)
        names = " ".join(name for m, (_, name) in SWITCHES.items() if m in given)
        return f'<i data-may="{names}"></i>' if names else ""

    def arrived(self, visit: Visit) -> Shown:
        """Return the switches as somebody who came back left them."""
        given = self.visits.consents(visit)
        return {s: m in given for m, s in self.switches.items()} | {self.may: self.granted(visit)}


def _path(points: Any) -> str:
    return card("How this conversation goes", chart(points))


_MIC = '<path d="M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm7-3a7 7 0 0 1-14 0m7 7v3"/>'
_CLIP = '<path d="m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 5 5l-8.500 8"/>'
_LENS = '<path d="M3 8h4l2-3h6l2 3h4v11H3z"/><circle cx="12" cy="13" r="3.500"/>'


def _icon(path: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">{path}</svg>'


_INPUTS = (
    '<div class="es-inputs">'
    '<button type="button" class="es-tool" data-es="mic" data-press="mic" data-for="speech" '
    f'aria-pressed="false">{_icon(_MIC)}<span data-es="mic-word">Record</span></button>'
    f'<label class="es-tool" data-for="speech">{_icon(_CLIP)}Sound file'
    '<input type="file" accept="audio/*" class="es-sr" data-es="file"></label>'
    '<button type="button" class="es-tool" data-es="camera" data-press="camera" data-for="face" '
    f'aria-pressed="false">{_icon(_LENS)}<span data-es="camera-word">Camera on</span></button>'
    '<video class="es-view" data-es="view" muted playsinline hidden '
    'aria-label="Your camera; one still goes with each message"></video>'
    '<p class="es-light" data-es="light" role="status"></p>'
    '<p class="es-pending" data-es="pending" role="status" hidden>'
    '<span data-es="pending-word"></span>'
    '<button type="button" class="es-discard" data-press="discard">Discard it</button></p>'
    '<p class="es-hint" data-es="hint" role="alert"></p></div>'
)
