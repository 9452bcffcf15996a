"""The page: its components and events."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from empathic_sdk import Deployment, EmotionAwareAgent, EmotionRecognizer, EmpathicError
from empathic_sdk.demo import inside, panels
from empathic_sdk.demo.counselling import CounsellingTab
from empathic_sdk.demo.palette import START, sheet
from empathic_sdk.demo.parts import card, soft
from empathic_sdk.demo.tab import QUIET, Shown, html, plain
from empathic_sdk.demo.tutoring import TutoringTab, known_of
from empathic_sdk.demo.visits import Visits

HOME = Deployment(context="personal")
"""The deployment that the page assumes: personal use."""

_LOADED = "() => window.empathic && window.empathic.begin()"
_FOCUS_SURE = "() => { setTimeout(() => document.querySelector('#es-sure')?.focus(), 300); }"
_FORGOTTEN = "() => { window.empathic && window.empathic.stop(); }"


def build(
    agent: EmotionAwareAgent | None = None, tutor: EmotionAwareAgent | None = None
) -> gr.Blocks:
    """Make the page.

    Args:
        agent: The agent for counselling; the caller closes it. ``None`` makes one that keeps
            everything in memory and uses voice and face with consent.
        tutor: The agent for tutoring; ``None`` makes one with the same store and text network.

    Returns:
        Blocks, to be launched or mounted with :func:`empathic_sdk.demo.page_options`.
    """
    agent = agent or EmotionAwareAgent(deployment=HOME)
    blocks: gr.Blocks = Page(agent, tutor or tutor_of(agent)).blocks
    return blocks


def tutor_of(agent: EmotionAwareAgent) -> EmotionAwareAgent:
    """Return a tutor that shares an agent's store and text network, and may only read text."""
    return EmotionAwareAgent(
        scenario="tutoring",
        profiles=agent.profiles,
        recognizer=EmotionRecognizer(text=agent.recognizer.text),
    )


class Page:
    """One page's components and events.

    Args:
        agent: The agent for counselling.
        tutor: The agent for tutoring.
        log_out: Address for logging out, relative to the page; ``None`` without a login here.
    """

    def __init__(
        self, agent: EmotionAwareAgent, tutor: EmotionAwareAgent, *, log_out: str | None = None
    ) -> None:
        self.agent, self.tutor, self.log_out = agent, tutor, log_out
        self.visits = Visits(agent.profiles)
        with gr.Blocks(
            title="Empathic", analytics_enabled=False, fill_width=True, delete_cache=(600, 600)
        ) as self.blocks:
            self.colours = html(elem_classes="es-out")
            html(panels.head())
            self.counselling = CounsellingTab(agent, self.visits, self.colours)
            self.tutoring = TutoringTab(tutor, self.visits, self.colours)
            with gr.Tabs(elem_id="es-tabs"):
                with gr.Tab("Counselling", id="counselling"):
                    self.counselling.lay_out()
                with gr.Tab("Tutoring", id="tutoring"):
                    self.tutoring.lay_out()
                with gr.Tab("Look inside", id="inside") as self.looking:
                    self._lay_out_inside()
            with gr.Column(elem_classes="es-card", elem_id="es-you"):
                self._lay_out_about_you()
            self._wire()
        self.blocks.queue(max_size=512, default_concurrency_limit=64, api_open=False)

    # -- what is there ----------------------------------------------------------------------

    def _lay_out_inside(self) -> None:
        html(
            '<p class="es-lead">For developers: what stands behind the last message, and how to '
            "get it in your own program.</p>"
        )
        with gr.Row(elem_classes="es-inside"):
            with gr.Column():
                with gr.Column(elem_classes="es-card"):
                    self.code = html(elem_id="ei-code")
                with gr.Column(elem_classes="es-card"):
                    self.values = html(elem_id="ei-values")
            with gr.Column():
                with gr.Column(elem_classes="es-card"):
                    self.matrix = html(elem_id="ei-matrix")
                with gr.Column(elem_classes="es-card"):
                    self.shares = html(elem_id="ei-shares")
                with gr.Column(elem_classes="es-card"):
                    self.timings = html(elem_id="ei-timings")

    def _lay_out_about_you(self) -> None:
        lasts = self.agent.profiles.path is not None
        ending = "close this page without having logged in" if lasts else "close this page"
        html(
            card(
                "About you",
                soft(
                    f"My estimates are erased when you {ending}, or when you ask me to forget "
                    "you. What you type, record or show is never stored."
                ),
            )
        )
        with gr.Row(elem_classes="es-chips"):
            self.ask = gr.Button("What do you know about me?", size="sm", elem_id="es-ask")
            self.leave = gr.Button("Forget me", size="sm", elem_id="es-forget")
        with gr.Column(visible=False, elem_id="es-confirm") as self.confirm:
            html(
                '<div class="es-side"><p>Erase both conversations and everything I noticed? '
                "This cannot be undone.</p></div>"
            )
            with gr.Row(elem_classes="es-chips"):
                self.sure = gr.Button(
                    "Yes, forget me", variant="primary", size="sm", elem_id="es-sure"
                )
                self.stay = gr.Button("Keep it", size="sm", elem_id="es-stay")
        self.about = html("", elem_id="es-about")
        self.erased = html("", elem_id="es-erased")
        self.login = html("", elem_id="es-login")

    # -- what happens -----------------------------------------------------------------------

    def _wire(self) -> None:
        self.counselling.wire()
        self.tutoring.wire()
        self.looking.select(
            self._look, None,
            [self.code, self.values, self.matrix, self.shares, self.timings], **QUIET,
        )  # fmt: skip
        self.ask.click(self.know, None, [self.about, self.erased], **QUIET)
        self.leave.click(self.ask_whether_to_forget, None, self.confirm, js=_FOCUS_SURE, **QUIET)
        self.stay.click(self._keep, None, self.confirm, **QUIET)
        fresh = {**self.counselling.fresh(), **self.tutoring.fresh()}
        self.sure.click(
            self.forget, None,
            [*fresh, self.colours, self.about, self.erased, self.confirm],
            cancels=[self.counselling.spoken, *self.tutoring.spoken], js=_FORGOTTEN, **QUIET,
        )  # fmt: skip
        self.blocks.load(
            self.arrive, None,
            [
                *self.counselling.switches.values(), self.counselling.may, self.tutoring.known,
                self.login,
            ],
            js=_LOADED, **QUIET,
        )  # fmt: skip
        self.blocks.unload(self.left)

    async def arrive(self, request: gr.Request) -> Shown:
        """Return what a page that was just loaded shows of its visit."""
        visit = self.visits.of(request)
        login: Shown = {}
        if self.log_out is not None and visit.login is not None:
            login = {self.login: panels.logged_in(visit.login, self.log_out)}
        if not visit.kept:  # nothing is known, and a switch may have been pressed meanwhile
            return {self.tutoring.known: gr.skip()} | login
        known = await known_of(self.tutoring, visit)
        return self.counselling.arrived(visit) | {self.tutoring.known: known} | login

    async def ask_whether_to_forget(self, request: gr.Request) -> Any:
        """Show the question whether to forget the visitor."""
        self.visits.of(request)
        return gr.Column(visible=True)

    async def _keep(self, request: gr.Request) -> Any:
        self.visits.of(request)
        return gr.Column(visible=False)

    async def _look(self, request: gr.Request) -> tuple[str, ...]:
        visit = self.visits.of(request)
        tab = visit.last or self.counselling.name
        conversation = visit.conversation(tab)
        agent = self.tutor if tab == self.tutoring.name else self.agent
        found = await asyncio.to_thread(
            agent.transfers, user=visit.user, conversation=conversation.conversation
        )
        speakers, changed = ((), []) if found is None else (found[0], found[1].tolist())
        tutoring = tab == self.tutoring.name
        return (
            inside.code(conversation.turn, self.visits.consents(visit), tutoring=tutoring),
            inside.values(conversation.turn),
            inside.transfers(speakers, changed, "user"),
            inside.contributions(conversation.turn),
            inside.timings(conversation.turn),
        )

    async def know(self, request: gr.Request) -> tuple[str, str]:
        """Return what is stored about the visitor, and what went wrong."""
        visit = self.visits.of(request)
        try:
            found = await asyncio.to_thread(self.agent.profiles.export, visit.user)
        except EmpathicError as error:
            return "", panels.told(plain(error), done=False)
        return panels.about(found), ""

    async def forget(self, request: gr.Request) -> Shown:
        """Erase the visitor and return a page as at the start."""
        try:
            _, removed = await self.visits.forget(request)
        except EmpathicError as error:
            return {self.erased: panels.told(plain(error), done=False)}
        count = "one message" if removed == 1 else f"{removed} messages"
        return {
            **self.counselling.fresh(),
            **self.tutoring.fresh(),
            self.colours: f"<style>{sheet(START)}</style>",
            self.about: "",
            self.erased: panels.told(f"Forgotten: what I noticed in {count} is erased."),
            self.confirm: gr.Column(visible=False),
        }

    async def left(self, request: gr.Request) -> None:
        """End the visit of a page that was closed."""
        await self.visits.leave(request)
