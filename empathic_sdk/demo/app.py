"""The page: what is on it, and what happens when somebody does something there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from html import escape
from typing import Any

import gradio as gr

from empathic_sdk import (
    Emotion,
    EmotionAwareAgent,
    EmpathicError,
    SentenceEvent,
    StateEvent,
    TurnEvent,
    Utterance,
)
from empathic_sdk.demo import panels
from empathic_sdk.demo.chart import chart
from empathic_sdk.demo.palette import START, sheet
from empathic_sdk.demo.visits import Visit, Visits
from empathic_sdk.errors import EmptyUtteranceError, StoreError, outline

LONGEST_MESSAGE = 100_000
"""Characters that one message may have."""

EMPTY = "There is nothing to read yet. Write a few words, and I will answer."
TOO_LONG = (
    f"That is more than I can read at once. Please keep it below {LONGEST_MESSAGE:,} characters."
)
FAILED = "Something went wrong on my side, and your message was not answered. Please try again."
NOT_YET = "There is nothing to correct yet. You can as soon as an answer of mine is complete."

_SET_UP = """() => {
  document.documentElement.lang = 'en';
  for (const id of ['es-live', 'es-told', 'es-erased'])
    document.getElementById(id)?.setAttribute('aria-live', 'polite');
  document.querySelector('#es-box textarea')?.focus({preventScroll: true});
}"""
_FOCUS = "() => { document.querySelector('#es-box textarea')?.focus(); }"
_FOCUS_SURE = "() => { setTimeout(() => document.querySelector('#es-sure')?.focus(), 300); }"

_log = logging.getLogger(__name__)
Shown = dict[Any, Any]


def build(agent: EmotionAwareAgent | None = None) -> gr.Blocks:
    """Make the page.

    Args:
        agent: Who visitors talk with; yours to close. ``None`` makes one that keeps everything
            in memory.

    Returns:
        Blocks, to be launched or mounted with :func:`empathic_sdk.demo.page_options`.
    """
    blocks: gr.Blocks = _Page(agent or EmotionAwareAgent()).blocks
    return blocks


class _Page:
    """One page's components and events."""

    def __init__(self, agent: EmotionAwareAgent) -> None:
        self.agent = agent
        self.visits = Visits(agent)
        self.notice = agent.notice()
        with gr.Blocks(
            title="Empathic", analytics_enabled=False, fill_width=True, delete_cache=(600, 600)
        ) as self.blocks:
            self._lay_out()
            self._wire()
        self.blocks.queue(max_size=256, default_concurrency_limit=16, api_open=False)

    # -- what is there ----------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.colours = _html(elem_classes="es-out")
        _html(panels.head())
        with gr.Row(elem_id="es-main"):
            with gr.Column(elem_id="es-talk"):
                self.chat = _html(panels.talk(self.notice, ()), elem_id="es-chat")
                self.help = _html("", elem_id="es-help")
                self.problem = _html("", elem_id="es-problem")
                with gr.Row(elem_id="es-write"):
                    self.box = gr.Textbox(
                        label="Your message",
                        placeholder="How are you today?",
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=6,
                        max_length=LONGEST_MESSAGE,
                        elem_id="es-box",
                        scale=1,
                    )
                    self.send = gr.Button("Send", variant="primary", elem_id="es-send", scale=0)
                self.live = _html("", elem_id="es-live")
            with gr.Column(elem_id="es-side"):
                self._lay_out_side()

    def _lay_out_side(self) -> None:
        with gr.Column(elem_classes="es-card"):
            self.noticed = _html(panels.noticed(None), elem_id="es-noticed")
            _html(
                '<div class="es-side"><p class="es-soft"><strong>I may be wrong: correct me.'
                "</strong> How did you really feel?</p></div>"
            )
            with gr.Row(elem_classes="es-chips"):
                self.corrections = {
                    emotion: gr.Button(word.capitalize(), size="sm", elem_id=f"es-felt-{emotion}")
                    for emotion, word in panels.WORDS.items()
                }
            with gr.Row(elem_classes="es-chips"):
                self.good = gr.Button("This answer helped", size="sm", elem_id="es-good")
                self.bad = gr.Button("It did not help", size="sm", elem_id="es-bad")
            self.told = _html("", elem_id="es-told")
        with gr.Column(elem_classes="es-card"):
            self.path = _html(_path(()), elem_id="es-path")
        with gr.Column(elem_classes="es-card"):
            self.answering = _html(panels.answering(None), elem_id="es-answering")
        with gr.Column(elem_classes="es-card"):
            ending = (
                "close this page"
                if self.agent.profiles.path is None
                else "close this page without having logged in"
            )
            _html(
                panels.card(
                    "About you",
                    f'<p class="es-soft">My estimates are erased when you {ending}, '
                    "or when you ask me to forget you.</p>",
                )
            )
            with gr.Row(elem_classes="es-chips"):
                self.ask = gr.Button("What do you know about me?", size="sm", elem_id="es-ask")
                self.leave = gr.Button("Forget me", size="sm", elem_id="es-forget")
            with gr.Column(visible=False, elem_id="es-confirm") as self.confirm:
                _html(
                    '<div class="es-side"><p>Erase this talk and everything I noticed? '
                    "This cannot be undone.</p></div>"
                )
                with gr.Row(elem_classes="es-chips"):
                    self.sure = gr.Button(
                        "Yes, forget me", variant="primary", size="sm", elem_id="es-sure"
                    )
                    self.stay = gr.Button("Keep it", size="sm", elem_id="es-stay")
            self.about = _html("", elem_id="es-about")
            self.erased = _html("", elem_id="es-erased")

    # -- what happens -----------------------------------------------------------------------

    def _wire(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        spoken = gr.on(
            [self.box.submit, self.send.click],
            self._say,
            self.box,
            [
                self.chat, self.box, self.send, self.live, self.help, self.problem, self.noticed,
                self.answering, self.path, self.colours, self.told, self.about, self.erased,
            ],
            trigger_mode="once",
            concurrency_limit=32,
            **quiet,
        )  # fmt: skip
        self.send.click(None, js=_FOCUS, **quiet)
        for emotion, button in self.corrections.items():
            button.click(self._correction(emotion=emotion), None, self.told, **quiet)
        self.good.click(self._correction(rating=1), None, self.told, **quiet)
        self.bad.click(self._correction(rating=-1), None, self.told, **quiet)
        self.ask.click(self._know, None, [self.about, self.erased], **quiet)
        self.leave.click(
            lambda: gr.Column(visible=True), None, self.confirm, js=_FOCUS_SURE, **quiet
        )
        self.stay.click(lambda: gr.Column(visible=False), None, self.confirm, **quiet)
        self.sure.click(
            self._forget,
            None,
            [
                self.chat, self.box, self.send, self.live, self.help, self.problem, self.noticed,
                self.answering, self.path, self.colours, self.told, self.about, self.erased,
                self.confirm,
            ],
            cancels=[spoken],
            js=_FOCUS,
            **quiet,
        )  # fmt: skip
        self.blocks.load(None, js=_SET_UP, **quiet)
        self.blocks.unload(self._left)

    async def _say(self, text: str, request: gr.Request) -> AsyncIterator[Shown]:
        visit = self.visits.of(request)
        trouble = _trouble(text)
        if trouble:
            yield {self.problem: panels.problem(trouble), self.box: text}
            return
        visit.bubbles += [panels.Bubble(True, [text]), panels.Bubble(False, [], writing=True)]
        visit.turn_id = None
        yield {
            self.chat: self._chat(visit),
            self.box: "",
            self.send: gr.Button(interactive=False),
            self.problem: "",
            self.told: "",
            self.about: "",
            self.erased: "",
        }
        try:
            async for event in self.visits.answer(visit, text):
                if visit.gone:
                    return
                yield self._shown(visit, event)
        except EmpathicError as error:
            yield self._undone(visit, text, _plain(error))
        except Exception as error:
            _log.error("a message could not be answered: %s", outline(error))
            yield self._undone(visit, text, FAILED)

    def _shown(self, visit: Visit, event: object) -> Shown:
        shown: Shown = {self.chat: self._chat(visit)}
        if isinstance(event, StateEvent):
            style = event.style
            shown[self.noticed] = panels.noticed(event.emotion)
            shown[self.answering] = panels.answering(style)
            shown[self.path] = _path(visit.points)
            shown[self.colours] = f"<style>{sheet(style.theme)}</style>"
            shown[self.help] = panels.help_box(visit.help_lines)
            sure = "I am not sure, perhaps you feel" if event.emotion.uncertain else "You seem"
            shown[self.live] = f"{sure} {panels.WORDS[event.emotion.label]}."
        elif isinstance(event, SentenceEvent):
            shown[self.live] = escape(event.text)
        elif isinstance(event, TurnEvent):
            shown[self.send] = gr.Button(interactive=True)
        return shown

    def _undone(self, visit: Visit, text: str, why: str) -> Shown:
        del visit.bubbles[-2:]
        return {
            self.chat: self._chat(visit),
            self.box: text,
            self.send: gr.Button(interactive=True),
            self.problem: panels.problem(why),
        }

    def _correction(
        self, *, emotion: Emotion | None = None, rating: int | None = None
    ) -> Callable[[gr.Request], Awaitable[str]]:
        if emotion is not None:
            thanks = f"Thank you. I noted that you felt {panels.WORDS[emotion]}."
        else:
            how = "helped" if rating == 1 else "did not help"
            thanks = f"Thank you. I noted that my answer {how}."

        async def correct(request: gr.Request) -> str:
            visit = self.visits.of(request)
            if visit.turn_id is None:
                return panels.told(NOT_YET, done=False)
            try:
                await self.agent.afeedback(
                    visit.turn_id, user=visit.user, emotion=emotion, rating=rating
                )
            except EmpathicError as error:
                return panels.told(_plain(error), done=False)
            return panels.told(thanks)

        return correct

    async def _know(self, request: gr.Request) -> tuple[str, str]:
        visit = self.visits.of(request)
        try:
            return panels.about(self.agent.profiles.export(visit.user)), ""
        except EmpathicError as error:
            return "", panels.told(_plain(error), done=False)

    async def _forget(self, request: gr.Request) -> Shown:
        try:
            visit, removed = await self.visits.forget(request)
        except EmpathicError as error:
            return {self.erased: panels.told(_plain(error), done=False)}
        count = "one message" if removed == 1 else f"{removed} messages"
        return {
            self.chat: self._chat(visit),
            self.box: "",
            self.send: gr.Button(interactive=True),
            self.live: "",
            self.help: "",
            self.problem: "",
            self.noticed: panels.noticed(None),
            self.answering: panels.answering(None),
            self.path: _path(()),
            self.colours: f"<style>{sheet(START)}</style>",
            self.told: "",
            self.about: "",
            self.erased: panels.told(f"Forgotten: what I noticed in {count} is erased."),
            self.confirm: gr.Column(visible=False),
        }

    async def _left(self, request: gr.Request) -> None:
        await self.visits.leave(request)

    def _chat(self, visit: Visit) -> str:
        return panels.talk(self.notice, visit.bubbles)


def _html(inside: str = "", **options: Any) -> gr.HTML:
    """Return a piece of the page without Gradio's own styles and script."""
    return gr.HTML(inside, apply_default_css=False, js_on_load=None, **options)


def _path(points: Any) -> str:
    return panels.card("How this talk goes", chart(points))


def _plain(error: EmpathicError) -> str:
    """Say what a visitor can act on; a store's own words name files of the server."""
    if isinstance(error, StoreError):
        _log.error("the store failed: %s", outline(error))
        return FAILED
    return str(error)


def _trouble(text: str) -> str:
    if len(text or "") > LONGEST_MESSAGE:
        return TOO_LONG
    try:
        Utterance(text=text)
    except EmptyUtteranceError:
        return EMPTY
    except EmpathicError as error:
        return _plain(error)
    return ""
