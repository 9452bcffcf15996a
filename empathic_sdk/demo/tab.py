"""Base of the tabs for counselling and tutoring: a conversation on the page."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from html import escape
from typing import Any

import gradio as gr

from empathic_sdk import EmotionAwareAgent, EmpathicError, SentenceEvent, StateEvent, Utterance
from empathic_sdk.demo import panels
from empathic_sdk.demo.media import Given, unpack
from empathic_sdk.demo.palette import sheet
from empathic_sdk.demo.visits import ShownConversation, Visit, Visits
from empathic_sdk.demo.wording import seems
from empathic_sdk.errors import EmptyUtteranceError, InputError, StoreError, outline
from empathic_sdk.types import StreamEvent

LONGEST_MESSAGE = 100_000
"""Characters that one message may have."""

EMPTY = "There is nothing to read yet. Write a few words, and I will answer."
TOO_LONG = (
    f"That is more than I can read at once. Please keep it below {LONGEST_MESSAGE:,} characters."
)
FAILED = "Something went wrong on my side, and your message was not answered. Please try again."
BUSY = "One moment: I am still answering your last message."
UNREADABLE_SOUND = (
    "I could not make anything of that recording. Nothing of it was kept. "
    "You can try again, or type."
)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

_log = logging.getLogger(__name__)
Shown = dict[Any, Any]


class ConversationTab:
    """One agent's conversation: messages, input, and the panels beside it.

    Args:
        agent: Who answers.
        visits: Who is there.
        colours: The part of the page that holds its colours.
    """

    name = "room"
    id = "es"
    label = "Your message"
    placeholder = "How are you today?"
    first = ""
    starts: tuple[str, ...] = ()

    def __init__(self, agent: EmotionAwareAgent, visits: Visits, colours: gr.HTML) -> None:
        self.agent, self.visits, self.colours = agent, visits, colours
        self.notice = agent.notice()
        self.empty = panels.conversation(self.notice, (), first=self.first, starts=self.starts)

    def lay_out(self) -> None:
        """Put both columns on the page."""
        with gr.Row(elem_classes="es-main"):
            with gr.Column(elem_classes="es-talk"):
                self.chat = html(
                    self.empty,
                    elem_id=f"{self.id}-chat", elem_classes="es-chat",
                )  # fmt: skip
                self.help = html("", elem_id=f"{self.id}-help")
                self.problem = html("", elem_id=f"{self.id}-problem")
                with gr.Row(elem_classes="es-write"):
                    self.box = gr.Textbox(
                        label=self.label, placeholder=self.placeholder, show_label=False,
                        container=False, lines=1, max_lines=6, max_length=LONGEST_MESSAGE,
                        elem_id=f"{self.id}-box", elem_classes="es-box", scale=1,
                    )  # fmt: skip
                    self.send = gr.Button(
                        "Send", variant="primary", scale=0,
                        elem_id=f"{self.id}-send", elem_classes="es-send",
                    )  # fmt: skip
                self.extra()
                self.live = html("", elem_id=f"{self.id}-live", elem_classes="es-live")
            with gr.Column(elem_classes="es-beside"):
                self.beside()

    def extra(self) -> None:
        """Put something below the input."""

    def beside(self) -> None:
        """Put the panels beside the conversation."""

    def side(self, visit: Visit, conversation: ShownConversation, event: StreamEvent) -> Shown:
        """Return what an event changes beside the conversation."""
        return {}

    def fresh(self) -> Shown:
        """Return the tab as it is before the first message."""
        return {
            self.chat: self.empty, self.box: "",
            self.live: "", self.help: "", self.problem: "",
        }  # fmt: skip

    @property
    def outputs(self) -> list[Any]:
        """Everything that an answer may change."""
        return [self.chat, self.box, self.live, self.help, self.problem, self.colours]

    def chat_of(self, conversation: ShownConversation) -> str:
        """Return the conversation as HTML."""
        return panels.conversation(
            self.notice, conversation.bubbles, first=self.first, starts=self.starts
        )

    # -- a message ---------------------------------------------------------------------------

    async def say(
        self, text: str, payload: str | None, request: gr.Request, *, shown: bool = True
    ) -> AsyncIterator[Shown]:
        """Answer a message, piece by piece.

        Args:
            text: What was typed.
            payload: What came with it (see ``media``).
            request: Whose page it is.
            shown: Whether it came out of the input, which is then emptied.
        """
        try:
            visit = self.visits.of(request)
            conversation = visit.conversation(self.name)
            given, said = self.read(conversation, text or "", payload)
        except EmpathicError as error:
            yield {self.problem: panels.problem(plain(error))}
            return
        if conversation.busy:
            yield {self.problem: panels.problem(BUSY)}
            return
        before, conversation.turn, conversation.busy = conversation.turn, None, True
        for bubble in conversation.bubbles:
            bubble.words_per_minute = 0.0  # what is said is said
        mine = panels.Bubble(True, [text] if text else [], with_it=given.words)
        answer = panels.Bubble(False, [], writing=True)
        conversation.bubbles += [mine, answer]
        try:
            yield self.begun(conversation) | ({self.box: ""} if shown else {})
            said = await self.listen(visit, conversation, said, mine)
            if not text and said.text:
                yield {self.chat: self.chat_of(conversation)}
            stream = self.visits.answer(self.agent, visit, self.name, said, answer)
            async for event in stream:
                if visit.gone:
                    return
                yield self._shown(visit, conversation, event, answer)
        except EmpathicError as error:
            unreadable = isinstance(error, InputError) and given.sound is not None
            conversation.turn = before
            why = UNREADABLE_SOUND if unreadable else plain(error)
            yield self._undone(conversation, (mine, answer), why) | (
                {self.box: text} if shown else {}
            )
        except Exception as error:
            _log.error("a message could not be answered: %s", outline(error))
            conversation.turn = before
            yield self._undone(conversation, (mine, answer), FAILED) | (
                {self.box: text} if shown else {}
            )
        finally:
            conversation.busy = answer.writing = False

    def read(
        self, conversation: ShownConversation, text: str, payload: str | None
    ) -> tuple[Given, Utterance]:
        """Return what came, checked; raises an EmpathicError in words for the visitor."""
        if len(text) > LONGEST_MESSAGE:
            raise InputError(TOO_LONG)
        given = unpack(payload)
        try:
            return given, given.utterance(text)
        except EmptyUtteranceError as error:
            raise InputError(EMPTY) from error

    async def listen(
        self, visit: Visit, conversation: ShownConversation, said: Utterance, mine: panels.Bubble
    ) -> Utterance:
        """Return the message with its sound transcribed, if possible."""
        if said.text or said.audio is None:
            return said
        person = await asyncio.to_thread(self.agent.profiles.get, visit.user)
        transcribed = await asyncio.to_thread(self.agent.recognizer.listen, said, person)
        if transcribed.text:
            mine.sentences = [transcribed.text]
        return transcribed

    def begun(self, conversation: ShownConversation) -> Shown:
        """Return what changes when a message arrives."""
        return {self.chat: self.chat_of(conversation), self.problem: ""}

    def _shown(
        self,
        visit: Visit,
        conversation: ShownConversation,
        event: StreamEvent,
        answer: panels.Bubble,
    ) -> Shown:
        shown: Shown = {}
        if isinstance(event, StateEvent):
            answer.words_per_minute = event.style.pacing.words_per_minute
            shown[self.colours] = f"<style>{sheet(event.style.theme)}</style>"
            shown[self.help] = panels.help_box(conversation.help_lines)
            said = seems(event.emotion)
            shown[self.live] = f"{said[:1].upper()}{said[1:]}."
        elif isinstance(event, SentenceEvent):
            shown[self.live] = escape(event.text)
        shown[self.chat] = self.chat_of(conversation)
        return shown | self.side(visit, conversation, event)

    def _undone(self, conversation: ShownConversation, both: tuple[Any, ...], why: str) -> Shown:
        conversation.bubbles = [
            b for b in conversation.bubbles if all(b is not gone for gone in both)
        ]
        return {self.chat: self.chat_of(conversation), self.problem: panels.problem(why)}

    def at(self, conversation: ShownConversation) -> float:
        """Return the seconds since the conversation began."""
        return time.monotonic() - conversation.began


def html(inside: str = "", **options: Any) -> gr.HTML:
    """Return a piece of the page without Gradio's own styles and script."""
    return gr.HTML(inside, apply_default_css=False, js_on_load=None, **options)


def plain(error: EmpathicError) -> str:
    """Say what a visitor can act on; a store's own words name files of the server."""
    if isinstance(error, StoreError):
        _log.error("the store failed: %s", outline(error))
        return FAILED
    return str(error)
