"""The agent: notices how a person feels and answers accordingly."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.errors import ConfigurationError, EmpathicError, InputError, ModelError
from empathic_sdk.language.templates import notice
from empathic_sdk.llm.extras import needs_langchain
from empathic_sdk.monitoring.alerts import AlertHook
from empathic_sdk.monitoring.longitudinal import Watch
from empathic_sdk.options import LLMOptions, ReplyOptions, Retention, Weights, fold
from empathic_sdk.policy import Deployment, askable, declare
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.profiles.checks import check_name
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.recognition.session import Transfers
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.guarded import GuardedResponder
from empathic_sdk.responders.llm import LLMResponder
from empathic_sdk.runtime.processes import StaysHere
from empathic_sdk.safety.assessment import RiskAssessor
from empathic_sdk.turn.conversations import Conversations
from empathic_sdk.turn.engine import Hooks, TurnEngine
from empathic_sdk.turn.parts import (
    assessor_of,
    check_hooks,
    check_parts,
    deployment_of,
    planner_for,
    responder_of,
    second_opinion,
    text_of,
)
from empathic_sdk.turn.proposals import Proposals
from empathic_sdk.turn.scenarios import scenario_of
from empathic_sdk.turn.service import TurnService
from empathic_sdk.turn.stateful import StatefulTurns
from empathic_sdk.turn.stores import recorder_of, store_of
from empathic_sdk.types import (
    Emotion,
    LanguageModel,
    MonitorReport,
    PacingHook,
    Proposal,
    StreamEvent,
    ThemeHook,
    ToneHook,
    Turn,
    Utterance,
)
from empathic_sdk.types.protocols import (
    Recognizer,
    Responder,
    SafetyAssessor,
    Scenario,
    Store,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from transformers import Pipeline

    from empathic_sdk.llm.runnables import AgentRunnable


class EmotionAwareAgent(StaysHere):
    """Holds conversations with many people at once, each with their own.

    Every part can be one of your own: an object that fits its protocol
    (``empathic_sdk.types.protocols``). Numbers and switches are option values
    (``empathic_sdk.options``).

    Args:
        llm: Who writes the replies: ``None`` for the embedded responder; a name such as
            ``"openai:gpt-4o-mini"`` or ``"ollama:llama3.2"``; a chat model of LangChain; a
            text-generation pipeline of transformers; or a
            :class:`~empathic_sdk.types.LanguageModel` of your own.
        profiles: Where people are remembered: a path or ``sqlite:///path`` (it lasts), a
            :class:`ProfileStore` (which you close yourself), or ``None`` (in memory, gone with the
            agent).
        store: A ``Store`` of your own in place of ``profiles``; you close it yourself.
        recognizer: Recognises emotion, a ``Recognizer``; by default the embedded one.
        responder: Writes the replies in place of ``llm``, a ``Responder``. The safety protocol
            still answers worrying turns, and every reply is checked.
        safety: Assesses danger, a ``SafetyAssessor``; by default the protocol's own.
        scenario: ``"counselling"``, ``"tutoring"`` (needs the extra ``tutoring``; text only), or a
            ``Scenario`` of your own.
        tone: Your hook ``(HookContext) -> Tone``, plain or a coroutine; ``None`` = the default.
        pacing: Your hook ``(HookContext) -> Pacing``.
        theme: Your hook ``(HookContext) -> Theme``.
        deployment: Where the agent runs; ``None`` is the strict default: text only.
        on_alert: Called with an :class:`~empathic_sdk.types.Alert`, which names nobody, after a
            turn whose safety level is not ``none``, and with a
            :class:`~empathic_sdk.types.LongitudinalWarning` when somebody's days have changed
            (docs/state.md); plain or a coroutine. What it raises is logged, never shown to the
            person.
        replies: Language and planner of the embedded responder.
        llm_options: Your product's own system prompt and tools for a language model, how long it
            may take, and how much it sees.
        retention: Whether words are stored, and for how many days turns are.
        weights: Trained weights of your own: a :class:`~empathic_sdk.options.Weights`, or a folder
            with ``text.safetensors`` and what else you have; of a folder nothing that ships is
            loaded beside it. Its text encoder and dialogue model are read where no
            ``recognizer`` is given, its risk model and guard where no ``safety`` is.
        debug: Log errors of your own parts (hooks, model, tools, responder, assessor, ``on_alert``)
            in full, with message and traceback, which may quote a person.
        moved: Keywords of the first release that are fields of these options now: ``language``,
            ``planner``, ``keep_text``, ``keep_days``, ``llm_timeout_s``, ``llm_history``. They
            work, with a ``DeprecationWarning``.

    Raises:
        ConfigurationError: An argument is wrong, or a language model's package is missing.
        MissingExtraError: ``llm=`` names a model and LangChain is not installed, or tutoring
            without its extra.
        ModelError: The weights cannot be loaded, or are not those that were shipped.
        StoreError: The store cannot be opened.

    Thread-safe; in a forked child every call raises ``ProcessError`` (docs/processes.md). Close it,
    or use it as a context manager.

    A caller who names no ``user`` is ``"default"``, which suits a program for one person: all who
    share the name share one memory. Where two conversations use it at the same time (a turn begins
    during another, or a conversation goes on after another one began) a ``SharedUserWarning`` says
    so, once an agent.
    """

    def __init__(
        self,
        llm: LanguageModel | BaseChatModel | Pipeline | str | None = None,
        *,
        profiles: ProfileStore | str | Path | None = None,
        store: Store | None = None,
        recognizer: Recognizer | None = None,
        responder: Responder | None = None,
        safety: SafetyAssessor | None = None,
        scenario: Scenario | Literal["counselling", "tutoring"] = "counselling",
        tone: ToneHook | None = None,
        pacing: PacingHook | None = None,
        theme: ThemeHook | None = None,
        deployment: Deployment | None = None,
        on_alert: AlertHook | None = None,
        replies: ReplyOptions | None = None,
        llm_options: LLMOptions | None = None,
        retention: Retention | None = None,
        weights: Weights | str | Path | None = None,
        debug: bool = False,
        **moved: Any,
    ) -> None:
        options = fold(moved, replies=replies, llm_options=llm_options, retention=retention)
        self._retention = options.retention
        self._language = options.replies.language
        self._scenario = scenario_of(scenario)
        check_hooks(tone=tone, pacing=pacing, theme=theme, on_alert=on_alert)
        check_parts(recognizer, responder, safety)
        _check_deployment(deployment, recognizer)
        files = weights if isinstance(weights, Weights) else Weights()
        if isinstance(weights, str | Path):
            files = Weights.of(weights)
        elif weights is not files and weights is not None:
            raise ConfigurationError("weights= must be Weights(...), a folder, or None")
        embedded = EmbeddedResponder(language=self._language)
        self._responder = responder_of(
            responder or self._scenario.responder, embedded, timeout_s=options.llm.timeout_s
        )
        if llm is not None:
            if responder is not None:
                raise ConfigurationError("give llm= or responder=, not both")
            from empathic_sdk.llm.adapters import language_model

            told = options.llm
            self._responder = LLMResponder(
                language_model(llm, tools=told.tools, rounds=told.tool_rounds),
                fallback=embedded,
                timeout_s=told.timeout_s,
                system=told.system,
                prompt=told.prompt,
            )
        elif options.llm.system or options.llm.tools or options.llm.prompt:
            raise ConfigurationError(
                "llm_options= tells a language model something, and there is no llm="
            )
        self.store, self._owns_store = store_of(profiles, store, options.retention.keep_days)
        try:
            self.recognizer = cast(
                "EmotionRecognizer", recognizer or _recognizer_of(files, deployment)
            )
            if safety is None and (files.risk is not None or files.guard is not None):
                safety = RiskAssessor.load(
                    text_of(self.recognizer), risk=files.risk, guard=files.guard
                )
            if options.replies.planner == "learned":
                embedded.planner = planner_for(self.recognizer, files.strategy)
            self._deployment = deployment_of(self.recognizer)
            declare(self._deployment, recorder_of(self.store))
            assessor = assessor_of(self.recognizer, safety)
            if isinstance(self._responder, LLMResponder | GuardedResponder):
                self._responder.second = second_opinion(self.recognizer, safety)
        except EmpathicError:
            self._close_store()
            raise
        self._conversations = Conversations(
            limit=options.retention.live, idle_s=options.retention.idle_s
        )
        self._proposals = Proposals(self.store)
        self._watch = Watch(self.store, deployment=self._deployment, language=self._language)
        self._stop_forgetting = [self.store.on_erase(f) for f in (self._forget, self._watch.forget)]
        turns = StatefulTurns(
            engine=TurnEngine(
                recognizer=self.recognizer,
                responder=self._responder,
                assessor=assessor,
                safety=safety,
                scenario=self._scenario,
            ),
            store=self.store,
            conversations=self._conversations,
            keep_text=options.retention.keep_text,
            past=options.llm.history if llm is not None else 0,
        )
        self._service = TurnService(
            turns=turns,
            store=self.store,
            conversations=self._conversations,
            proposals=self._proposals,
            watch=self._watch,
            hooks=Hooks(tone, pacing, theme),
            on_alert=on_alert,
            # While it writes, its sentences can be shown.
            live=isinstance(self._responder, LLMResponder),
            idle_s=options.retention.idle_s,
            debug=debug,
        )

    @property
    def profiles(self) -> ProfileStore:
        """Where people are remembered; the store of your own where one was given."""
        return cast("ProfileStore", self.store)

    @property
    def keep_text(self) -> bool:
        """Whether words are stored."""
        return self._retention.keep_text

    # -- one turn ---------------------------------------------------------------------------

    def respond(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Turn:
        """Answer one utterance. Never sleeps: pacing is for :meth:`stream`.

        Args:
            utterance: What the person said.
            user: Who they are; the store knows them by this name. ``"default"`` is for programs
                with one person: name everybody where there may be two.
            conversation: Which one; ``None`` is the user's current one (a new one after half an
                hour of silence).

        Raises:
            InputError: The utterance is empty or not an utterance, or a name is empty.
            PolicyError: Nothing in it may be processed here.
            StoreError: The turn could not be recorded; no part of it was.
        """
        return self._service.run(utterance, user, conversation).turn

    async def arespond(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Turn:
        """:meth:`respond` for event loops; hooks that are coroutines run on the caller's loop.

        Cancelling leaves the turn recorded whole or not at all.
        """
        return (await self._service.arun(utterance, user, conversation)).turn

    def stream(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Iterator[StreamEvent]:
        """Yield the state at once, then sentence after sentence at the style's pace, then the turn.

        With the embedded responder the turn is recorded before the first sentence; a consumer that
        stops early loses nothing. A language model's sentences come as they are written and
        checked, and the turn is recorded after the last: a consumer that stops before the first
        drops the turn, one that stops later leaves it to be finished and recorded whole.
        """
        return self._service.stream(utterance, user, conversation)

    async def astream(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> AsyncIterator[StreamEvent]:
        """:meth:`stream` for event loops."""
        events = self._service.astream(utterance, user, conversation)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    # -- afterwards -------------------------------------------------------------------------

    def feedback(
        self,
        turn_id: str,
        *,
        user: str,
        emotion: Emotion | str | None = None,
        rating: int | None = None,
    ) -> None:
        """Store a person's feedback on one of their turns, and learn from it.

        It changes how their next turns are read, and nobody else's (docs/personalisation.md).

        Args:
            turn_id: ``Turn.id``.
            user: Whose turn.
            emotion: What they really felt.
            rating: -1, 0 or 1 for the reply.

        Raises:
            InputError: Neither is given, or one is not a valid emotion or rating.
            UnknownTurnError: This user has no such turn.
        """
        with self._service.busy():
            self.store.feedback(turn_id, user=user, emotion=emotion, rating=rating)

    async def afeedback(
        self,
        turn_id: str,
        *,
        user: str,
        emotion: Emotion | str | None = None,
        rating: int | None = None,
    ) -> None:
        """:meth:`feedback` for event loops."""
        await self._service.in_thread(
            functools.partial(self.feedback, turn_id, user=user, emotion=emotion, rating=rating)
        )

    def transfers(self, *, user: str, conversation: str | None = None) -> Transfers | None:
        """Return which utterances of a conversation differ in emotion, compared pairwise.

        As ``DialogueSession.transfers`` does.

        ``None`` where the conversation is not in memory; nothing of it is ever stored.
        """
        check_name(user, "user")
        with self._service.busy():
            return self._conversations.transfers(
                user, self._conversations.name(user, conversation, self.store.session)
            )

    async def atransfers(self, *, user: str, conversation: str | None = None) -> Transfers | None:
        """:meth:`transfers` for event loops."""
        return await self._service.in_thread(
            functools.partial(self.transfers, user=user, conversation=conversation)
        )

    def accept(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """Keep what a turn proposed (``Turn.proposals``), because the person agreed.

        Raises:
            UnknownTurnError: This user has no open proposal of that turn: answered already, or
                made before a restart.
        """
        with self._service.busy():
            return self._proposals.settle(turn_id, user, keep=True)

    async def aaccept(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """:meth:`accept` for event loops."""
        return await self._service.in_thread(functools.partial(self.accept, turn_id, user=user))

    def decline(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """Drop what a turn proposed; errors as :meth:`accept`."""
        with self._service.busy():
            return self._proposals.settle(turn_id, user, keep=False)

    async def adecline(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """:meth:`decline` for event loops."""
        return await self._service.in_thread(functools.partial(self.decline, turn_id, user=user))

    def watch(self, user: str) -> MonitorReport:
        """Report on the last days and weeks of ``user``: a hint for humans, not a diagnosis.

        Raises:
            MissingExtraError: There are enough days to look for changes, but the extra ``monitor``
                is not installed.
            ConfigurationError: The agent's store keeps no days.
            StoreError: The days cannot be read.
        """
        with self._service.busy():
            return self._watch.report(user)

    async def awatch(self, user: str) -> MonitorReport:
        """:meth:`watch` for event loops."""
        return await self._service.in_thread(functools.partial(self.watch, user))

    def notice(self, *, language: str | None = None) -> str:
        """Return the notice that people must be given before their first conversation.

        Args:
            language: BCP 47 tag, such as ``"de"``; the agent's own by default. English where
                there is no notice in that language.

        Raises:
            InputError: It is no str.
        """
        reads = self._scenario.modalities
        may_ask = tuple(m for m in askable(self._deployment) if reads is None or m in reads)
        override = self._deployment.override if may_ask else None
        if not (language is None or isinstance(language, str)):
            raise InputError(
                "language must be a BCP 47 tag such as 'de', or None, not "
                f"{type(language).__name__}"
            )
        return notice(
            language or self._language,
            keeps_text=self.keep_text,
            may_ask=may_ask,
            purpose=None if override is None else override.purpose,
            keep_days=getattr(self.store, "keep_days", None),
        )

    def as_runnable(self, *, output: Literal["turn", "reply"] = "turn") -> AgentRunnable:
        """Return a LangChain runnable: a str, or ``{"input", "user", "conversation"}``, to a Turn.

        Args:
            output: ``"reply"`` gives the text of the reply alone, and sentences when streaming.

        Raises:
            ConfigurationError: ``output`` is neither.
            MissingExtraError: LangChain is not installed.
        """
        with needs_langchain():
            from empathic_sdk.llm.runnables import AgentRunnable

        return AgentRunnable(self, output=output)

    def close(self) -> None:
        """Wait for turns under way and release all resources. Safe to call twice.

        Raises:
            ReentrancyError: A hook or ``on_alert`` called it: it would wait for itself.
        """
        if not self._service.close():
            return
        for stop in self._stop_forgetting:
            stop()
        self._close_store()

    async def aclose(self) -> None:
        """:meth:`close` for event loops."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    # -- inside -----------------------------------------------------------------------------

    def _close_store(self) -> None:
        if self._owns_store:
            self.profiles.close()

    def _forget(self, user: str) -> None:
        self._conversations.forget(user)
        self._proposals.forget(user)


def _recognizer_of(files: Weights, deployment: Deployment | None) -> EmotionRecognizer:
    if files.text is not None and not files.text.exists():
        # The encoder would take it for the name of a model to download.
        raise ModelError(f"there are no weights at {files.text}; give the path of a checkpoint")
    text = None if files.text is None else TextEncoder(files.text)
    return EmotionRecognizer(text=text, dialogue=files.dialogue, deployment=deployment)


def _check_deployment(deployment: Deployment | None, recognizer: Recognizer | None) -> None:
    if deployment is not None and not isinstance(deployment, Deployment):
        raise ConfigurationError(
            "deployment= must be a Deployment, such as Deployment(context='personal')"
        )
    if recognizer is not None and deployment not in (None, deployment_of(recognizer)):
        raise ConfigurationError(
            "recognizer= already has a deployment, and deployment= names another one: "
            "give it to the recognizer only"
        )
