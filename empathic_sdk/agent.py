"""What a developer holds: an agent that notices how a person feels and answers accordingly."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from empathic_sdk.errors import ConfigurationError, EmpathicError
from empathic_sdk.language.templates import notice
from empathic_sdk.llm.extras import needs_langchain
from empathic_sdk.monitoring.alerts import AlertHook, alert_of, tell
from empathic_sdk.monitoring.longitudinal import Watch
from empathic_sdk.policy import Deployment, askable, declare
from empathic_sdk.profiles import ProfileStore
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.recognition.session import Transfers
from empathic_sdk.responders.cancellable import Live
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.llm import TIMEOUT_S, LLMResponder
from empathic_sdk.safety.assessment import draft_reader, shipped_reader
from empathic_sdk.style import HOOK_TIMEOUT_S
from empathic_sdk.turn.conversations import Talks
from empathic_sdk.turn.engine import Hooks, Outcome, Pipeline, planner_for
from empathic_sdk.turn.pacing import PaceClock, paced
from empathic_sdk.turn.proposals import Proposals
from empathic_sdk.tutoring import require_sympy
from empathic_sdk.types import (
    Emotion,
    MonitorReport,
    PacingHook,
    Proposal,
    StreamEvent,
    ThemeHook,
    ToneHook,
    Turn,
    TurnEvent,
    Utterance,
)

SCENARIOS = ("counselling", "tutoring")
PLANNERS = ("rules", "learned")


class EmotionAwareAgent:
    """Talks with many people at once, each in their own conversations.

    Args:
        llm: Who writes the replies: ``None`` for the embedded responder; a name such as
            ``"openai:gpt-4o-mini"`` or ``"ollama:llama3.2"``; a chat model of LangChain; a
            text-generation pipeline of transformers; or a
            :class:`~empathic_sdk.types.LanguageModel` of your own.
        profiles: Where people are remembered: a path (it lasts), a :class:`ProfileStore` (which
            you close yourself), or ``None`` (in memory, gone with the agent).
        recognizer: What reads emotion; by default the embedded one.
        tone: Your hook ``(HookContext) -> Tone``, plain or a coroutine; ``None`` = the default.
        pacing: Your hook ``(HookContext) -> Pacing``.
        theme: Your hook ``(HookContext) -> Theme``.
        scenario: ``"counselling"`` or ``"tutoring"`` (needs the extra ``tutoring``; text only).
        deployment: Where the agent runs; ``None`` is the strict default: text only.
        keep_text: Store what was said and answered, too. By default only derived values are.
        keep_days: Days that turns are kept (docs/privacy.md); ``None`` keeps them until they are
            erased. For a :class:`ProfileStore` of yours, give it to that one.
        on_alert: Called with an :class:`~empathic_sdk.types.Alert`, which names nobody, after a
            turn whose safety level is not ``none``, and with a
            :class:`~empathic_sdk.types.LongitudinalWarning` when somebody's days have changed
            (docs/state.md); plain or a coroutine. What it raises is logged, never shown to the
            person.
        language: Of the embedded replies.
        planner: Who chooses the support strategy: ``"rules"``, or ``"learned"`` from ESConv
            within the same limits (docs/strategy.md). Without its weights the rules decide.
        llm_timeout_s: Seconds the language model may take for a reply; then the embedded
            responder answers.
        llm_history: How many earlier turns of the talk the language model sees.

    Raises:
        ConfigurationError: An argument is wrong, or a language model's package is missing.
        MissingExtraError: ``llm=`` names a model and LangChain is not installed, or tutoring
            without its extra.
        ModelError: The weights cannot be loaded.
        StoreError: The store cannot be opened.

    Thread-safe. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        llm: Any = None,
        *,
        profiles: ProfileStore | str | Path | None = None,
        recognizer: EmotionRecognizer | None = None,
        tone: ToneHook | None = None,
        pacing: PacingHook | None = None,
        theme: ThemeHook | None = None,
        scenario: Literal["counselling", "tutoring"] = "counselling",
        deployment: Deployment | None = None,
        keep_text: bool = False,
        keep_days: float | None = None,
        on_alert: AlertHook | None = None,
        language: str = "en",
        planner: Literal["rules", "learned"] = "rules",
        llm_timeout_s: float = TIMEOUT_S,
        llm_history: int = 8,
    ) -> None:
        if scenario not in SCENARIOS:
            raise ConfigurationError(f"scenario must be one of {SCENARIOS}, not {scenario!r}")
        if scenario == "tutoring":
            require_sympy()
        _check(tone=tone, pacing=pacing, theme=theme, on_alert=on_alert)
        if deployment is not None and not isinstance(deployment, Deployment):
            raise ConfigurationError(
                "deployment= must be a Deployment, such as Deployment(context='personal')"
            )
        if recognizer is not None and not callable(getattr(recognizer, "session", None)):
            raise ConfigurationError("recognizer= must be an EmotionRecognizer, or None")
        if recognizer is not None and deployment not in (None, recognizer.deployment):
            raise ConfigurationError(
                "recognizer= already has a deployment, and deployment= names another one: "
                "give it to the recognizer only"
            )
        if not isinstance(profiles, ProfileStore | str | Path | None) or profiles == "":
            raise ConfigurationError("profiles= must be a path, a ProfileStore, or None")
        if isinstance(profiles, ProfileStore) and keep_days is not None:
            raise ConfigurationError("keep_days= belongs to the ProfileStore that you made")
        self._hooks = Hooks(tone, pacing, theme)
        self._on_alert = on_alert
        if not isinstance(keep_text, bool):
            raise ConfigurationError("keep_text= must be True or False")
        if keep_days is not None and (
            isinstance(keep_days, bool) or not isinstance(keep_days, int | float)
        ):
            raise ConfigurationError("keep_days= must be a number of days, or None")
        self.keep_text = keep_text
        if not isinstance(language, str) or not language.strip():
            raise ConfigurationError("language= must be a language tag such as 'en'")
        if planner not in PLANNERS:
            raise ConfigurationError(f"planner must be one of {PLANNERS}, not {planner!r}")
        if isinstance(llm_history, bool) or not isinstance(llm_history, int) or llm_history < 0:
            raise ConfigurationError("llm_history= must be a number of turns, 0 or more")
        embedded = EmbeddedResponder(language=language)
        self._responder: EmbeddedResponder | LLMResponder = embedded
        if llm is not None:
            from empathic_sdk.llm.adapters import language_model

            self._responder = LLMResponder(
                language_model(llm), fallback=embedded, timeout_s=llm_timeout_s
            )
        self._language = language
        self._owns_store = not isinstance(profiles, ProfileStore)
        self.profiles = (
            profiles
            if isinstance(profiles, ProfileStore)
            else ProfileStore(profiles, keep_days=keep_days)
        )
        try:
            self.recognizer = recognizer or EmotionRecognizer(deployment=deployment)
            declare(self.recognizer.deployment, self.profiles.declare)
        except EmpathicError:
            if self._owns_store:
                self.profiles.close()
            raise
        if isinstance(self._responder, LLMResponder):
            self._responder.second = draft_reader(self.recognizer.text)
        if planner == "learned":
            embedded.planner = planner_for(self.recognizer)
        self._talks = Talks()
        self._proposals = Proposals(self.profiles)
        self._watch = Watch(self.profiles, deployment=self.recognizer.deployment, language=language)
        self._stop_listening = [
            self.profiles.on_erase(f) for f in (self._forget, self._watch.forget)
        ]
        self._pipeline = Pipeline(
            recognizer=self.recognizer,
            profiles=self.profiles,
            responder=self._responder,
            talks=self._talks,
            scenario=scenario,
            keep_text=keep_text,
            past=llm_history if llm is not None else 0,
            risk=shipped_reader(self.recognizer.text),
        )
        self._workers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="empathic-turn")
        self._closed = False
        self._under_way = 0
        self._quiet = threading.Condition()

    # -- one turn ---------------------------------------------------------------------------

    def respond(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Turn:
        """Answer one utterance. Never sleeps: pacing is for :meth:`stream`.

        Args:
            utterance: What the person said.
            user: Who they are; the store knows them by this name.
            conversation: Which talk; ``None`` is the user's current one (a new one after half an
                hour of silence).

        Raises:
            InputError: The utterance is empty or none at all, or a name is.
            PolicyError: Nothing in it may be processed here.
            StoreError: The turn could not be recorded; then nothing of it was.
        """
        return self._run(utterance, user, conversation, self._hooks, self._on_alert).turn

    async def arespond(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Turn:
        """:meth:`respond` for event loops; hooks that are coroutines run on the caller's loop.

        Cancelling leaves the turn recorded whole or not at all.
        """
        return (await self._arun(utterance, user, conversation)).turn

    def stream(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> Iterator[StreamEvent]:
        """Yield the state at once, then sentence after sentence at the style's pace, then the turn.

        With the embedded responder the turn is recorded before the first sentence; a consumer that
        stops early loses nothing. A language model's sentences come as they are written and
        checked, and the turn is recorded after the last: a consumer that stops before the first
        drops the turn, one that stops later leaves it to be finished and recorded whole.
        """
        if isinstance(self._responder, LLMResponder) and not self._inside:
            yield from self._stream_live(utterance, user, conversation)
            return
        outcome = self._run(utterance, user, conversation, self._hooks, self._on_alert)
        for wait, event in paced(outcome):
            time.sleep(wait)
            yield event

    async def astream(
        self, utterance: Utterance | str, *, user: str = "default", conversation: str | None = None
    ) -> AsyncIterator[StreamEvent]:
        """:meth:`stream` for event loops."""
        if isinstance(self._responder, LLMResponder):
            async for event in self._astream_live(utterance, user, conversation):
                yield event
            return
        outcome = await self._arun(utterance, user, conversation)
        for wait, event in paced(outcome):
            await asyncio.sleep(wait)
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
        """Keep what a person says about a turn of theirs, and learn from it.

        It changes how their next turns are read, and nobody else's (docs/personalisation.md).

        Args:
            turn_id: ``Turn.id``.
            user: Whose turn.
            emotion: What they really felt.
            rating: -1, 0 or 1 for the reply.

        Raises:
            InputError: Neither is given, or one is no emotion or rating.
            UnknownTurnError: This user has no such turn.
        """
        with self._busy():
            self.profiles.feedback(turn_id, user=user, emotion=emotion, rating=rating)

    async def afeedback(
        self,
        turn_id: str,
        *,
        user: str,
        emotion: Emotion | str | None = None,
        rating: int | None = None,
    ) -> None:
        """:meth:`feedback` for event loops."""
        await asyncio.to_thread(self.feedback, turn_id, user=user, emotion=emotion, rating=rating)

    def transfers(self, *, user: str, conversation: str | None = None) -> Transfers | None:
        """Return which utterances of a talk differ in emotion (``DialogueSession.transfers``).

        ``None`` where the talk is not in memory; nothing of it is ever stored.
        """
        with self._busy():
            return self._talks.transfers(
                user, self._talks.name(user, conversation, self.profiles.session)
            )

    def accept(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """Keep what a turn proposed (``Turn.proposals``), because the person agreed.

        Raises:
            UnknownTurnError: This user has no open proposal of that turn: answered already, or
                made before a restart.
        """
        with self._busy():
            return self._proposals.settle(turn_id, user, keep=True)

    def decline(self, turn_id: str, *, user: str) -> tuple[Proposal, ...]:
        """Drop what a turn proposed; errors as :meth:`accept`."""
        with self._busy():
            return self._proposals.settle(turn_id, user, keep=False)

    def watch(self, user: str) -> MonitorReport:
        """Return what the last days and weeks of ``user`` say: a hint for humans, no diagnosis.

        Raises:
            MissingExtraError: There are days enough to look for changes, but not the extra
                ``monitor``.
            StoreError: The days cannot be read.
        """
        with self._busy():
            return self._watch.report(user)

    async def awatch(self, user: str) -> MonitorReport:
        """:meth:`watch` for event loops."""
        return await asyncio.to_thread(self.watch, user)

    def notice(self, *, language: str | None = None) -> str:
        """Return what people must be told before they first talk to it.

        Args:
            language: BCP 47 tag, such as ``"de"``; the agent's own by default. English where
                there is no notice in that language.
        """
        tutoring = self._pipeline.scenario == "tutoring"
        deployment = Deployment() if tutoring else self.recognizer.deployment
        return notice(
            language or self._language,
            keeps_text=self.keep_text,
            may_ask=askable(deployment),
            purpose=None if deployment.override is None else deployment.override.purpose,
            keep_days=self.profiles.keep_days,
        )

    def as_runnable(self, *, output: Literal["turn", "reply"] = "turn") -> Any:
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
        """Wait for turns under way and let go of everything. Safe to call twice."""
        if self._inside:
            raise ConfigurationError(
                "a hook or an alarm cannot close the agent: it would wait for itself"
            )
        with self._quiet:
            if self._closed:
                return
            self._closed = True
        self._workers.shutdown(wait=True)
        with self._quiet:
            self._quiet.wait_for(lambda: self._under_way == 0)
        for stop in self._stop_listening:
            stop()
        if self._owns_store:
            self.profiles.close()

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

    def _forget(self, user: str) -> None:
        self._talks.forget(user)
        self._proposals.forget(user)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Keep the agent from closing until this is done."""
        with self._quiet:
            if self._closed:
                raise ConfigurationError("this agent is closed; make a new one")
            self._under_way += 1
        stay = _Stay(self)
        token = _STAYS.set((*_STAYS.get(), stay))
        try:
            yield
        finally:
            stay.over = True
            _STAYS.reset(token)
            with self._quiet:
                self._under_way -= 1
                self._quiet.notify_all()

    @property
    def _inside(self) -> bool:
        """Whether this is code that a turn of this agent called, on whatever thread."""
        return any(stay.agent is self and not stay.over for stay in _STAYS.get())

    def _run(
        self,
        utterance: Utterance | str,
        user: str,
        conversation: str | None,
        hooks: Hooks,
        on_alert: AlertHook | None,
        live: Live | None = None,
    ) -> Outcome:
        with self._busy():
            said = Utterance.of(utterance)
            name = self._talks.name(user, conversation, self.profiles.session)
            outcome = self._pipeline.run(said, user=user, conversation=name, hooks=hooks, live=live)
            self._proposals.note(outcome.turn)
            if on_alert is not None:
                if (alert := alert_of(outcome.turn.safety)) is not None:
                    tell(on_alert, alert)
                if (warning := self._watch.due(user)) is not None:
                    tell(on_alert, warning)
            return outcome

    def _stream_live(
        self, utterance: Utterance | str, user: str, conversation: str | None
    ) -> Iterator[StreamEvent]:
        """Stream what a language model writes while it writes."""
        events: queue.SimpleQueue[StreamEvent | None] = queue.SimpleQueue()
        live = Live(events.put)
        run = functools.partial(self._run, utterance, user, conversation)
        done = self._submit(run, self._hooks, self._on_alert, live)
        done.add_done_callback(lambda _: events.put(None))
        clock = PaceClock()
        try:
            while (event := events.get()) is not None:
                time.sleep(clock.wait(event))
                yield event
            yield TurnEvent(turn=done.result().turn)
        finally:
            live.give_up()

    async def _astream_live(
        self, utterance: Utterance | str, user: str, conversation: str | None
    ) -> AsyncIterator[StreamEvent]:
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()

        def put(event: StreamEvent) -> None:
            with contextlib.suppress(RuntimeError):  # the caller's loop has ended
                loop.call_soon_threadsafe(events.put_nowait, event)

        live = Live(put)
        run = asyncio.ensure_future(self._arun(utterance, user, conversation, live))

        def ended(task: asyncio.Future[Outcome]) -> None:
            if not task.cancelled():
                task.exception()  # seen, should nobody be left to await it
            events.put_nowait(None)

        run.add_done_callback(ended)
        clock = PaceClock()
        try:
            while (event := await events.get()) is not None:
                await asyncio.sleep(clock.wait(event))
                yield event
            yield TurnEvent(turn=(await run).turn)
        finally:
            live.give_up()
            run.cancel()

    def _submit(self, call: Callable[..., Outcome], *given: Any) -> Future[Outcome]:
        try:
            return self._workers.submit(contextvars.copy_context().run, call, *given)
        except RuntimeError as error:
            raise ConfigurationError("this agent is closed; make a new one") from error

    async def _arun(
        self,
        utterance: Utterance | str,
        user: str,
        conversation: str | None,
        live: Live | None = None,
    ) -> Outcome:
        live = live or Live()
        loop = asyncio.get_running_loop()
        pending = _Pending()
        hooks = Hooks(*(_on_loop(hook, loop, pending) for hook in self._hooks))
        alert = _on_loop(self._on_alert, loop, pending)
        call = functools.partial(self._run, utterance, user, conversation, hooks, alert, live)
        # As asyncio.to_thread does, but in a pool of our own: a turn that waits for its talk
        # must not take the last worker from the turn it waits for.
        context = contextvars.copy_context()
        try:
            return await loop.run_in_executor(self._workers, context.run, call)
        except asyncio.CancelledError:
            live.give_up()
            pending.cancel()  # or the worker would wait for hooks that nobody needs
            raise
        except RuntimeError as error:
            if self._closed:  # the pool's own words would not help anybody
                raise ConfigurationError("this agent is closed; make a new one") from error
            raise


class _Stay:
    """One call that is inside an agent."""

    def __init__(self, agent: EmotionAwareAgent) -> None:
        self.agent = agent
        self.over = False


# Hooks run on threads of their own under the turn's context variables: these go with them.
_STAYS: contextvars.ContextVar[tuple[_Stay, ...]] = contextvars.ContextVar("stays", default=())


def _check(**hooks: object) -> None:
    for name, hook in hooks.items():
        if hook is not None and not callable(hook):
            what = "(Alert) -> ..." if name == "on_alert" else "(HookContext) -> ..."
            raise ConfigurationError(f"{name}= must be a callable {what}")


class _Pending:
    """The coroutine hooks of one call that are under way on the caller's loop."""

    def __init__(self) -> None:
        self._futures: set[Future[Any]] = set()
        self._cancelled = False
        self._lock = threading.Lock()

    def add(self, future: Future[Any]) -> None:
        """Take one up; of a call that was cancelled meanwhile, it is cancelled at once."""
        with self._lock:
            self._futures.add(future)
            late = self._cancelled
        if late:
            future.cancel()

    def discard(self, future: Future[Any]) -> None:
        """Let one go."""
        with self._lock:
            self._futures.discard(future)

    def cancel(self) -> None:
        """Cancel those under way, and those that the worker has yet to come to."""
        with self._lock:
            self._cancelled = True
            futures = list(self._futures)
        for future in futures:
            future.cancel()


def _on_loop(hook: Any, loop: asyncio.AbstractEventLoop, pending: _Pending) -> Any:
    """Let a coroutine hook run on ``loop`` though it is called from a worker thread."""
    if hook is None:
        return None

    @functools.wraps(hook)
    def called(given: Any) -> Any:
        result = hook(given)
        if not inspect.isawaitable(result):
            return result

        async def whole() -> Any:
            return await result

        future = asyncio.run_coroutine_threadsafe(whole(), loop)
        pending.add(future)
        try:
            return future.result(HOOK_TIMEOUT_S)
        except TimeoutError:
            future.cancel()
            raise
        finally:
            pending.discard(future)

    return called
