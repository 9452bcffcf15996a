"""Replies by a language model: checked, limited, and backed by the embedded responder.

The embedded responder writes its reply first, which takes about a millisecond: it provides the
strategy, the safety protocol's part, and the fallback if the model fails. Then:

- a turn whose safety level is not ``none`` is answered by the protocol; the model is not called;
- on a quiet turn where the protocol keeps a help line in sight, the model answers and the
  protocol's sentence with the line follows;
- otherwise the model answers, sentence by sentence, each checked before it is released.

No word of a person or of a model is ever logged; errors are logged by their class alone, because
the messages of providers quote what was sent.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from empathic_sdk.errors import ConfigurationError, debugging, is_debugging, log_in_full
from empathic_sdk.language.sentences import SentenceReader
from empathic_sdk.llm.locks import WANTED, alone
from empathic_sdk.llm.sizes import Prompt, prompt_for
from empathic_sdk.responders.cancellable import AbandonedError, Live
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.fitting import misfit
from empathic_sdk.responders.prompting import chat, told_so
from empathic_sdk.runtime.lanes import Lane, aside
from empathic_sdk.safety.output_guard import SecondOpinion, check_sentence
from empathic_sdk.types import ChatMessage, LanguageModel, SafetyLevel, StateEvent
from empathic_sdk.types.reply import Reply, ReplyContext

TIMEOUT_S = 20.0
"""Time limit of a reply in seconds, for both attempts together."""

MOST_CHARS = 100_000
"""Maximum characters read of one answer, including reasoning and rejected sentences."""

AHEAD = 256
"""Pieces that a model may be ahead of the reader; then it waits."""

log = logging.getLogger("empathic_sdk")


class _Draft(NamedTuple):
    """Result of one call: the sentences that may be shown, and why it ended early, if so."""

    sentences: tuple[str, ...]
    problem: str = ""
    grave: bool = False
    again: bool = False
    misfit: str = ""


class LLMResponder:
    """Answers through a language model; the embedded responder stands behind it.

    Args:
        model: The language model.
        fallback: Answers in a crisis, and if the model fails.
        timeout_s: Time limit of a reply in seconds.
        system: The product's own system prompt.
        prompt: How much the model is told; ``None`` is what its size suggests.

    Raises:
        ConfigurationError: ``timeout_s`` is not a positive number.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        fallback: EmbeddedResponder | None = None,
        timeout_s: float = TIMEOUT_S,
        system: str = "",
        prompt: Prompt | None = None,
    ) -> None:
        """Keep the model."""
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float):
            raise ConfigurationError("llm_timeout_s= must be a number of seconds")
        if not 0 < timeout_s <= 3600:
            raise ConfigurationError("llm_timeout_s= must be more than 0 and at most 3600 seconds")
        self.model = model
        self.name = model.name
        self.timeout_s = float(timeout_s)
        self.prompt: Prompt = prompt or prompt_for(model)
        self._system = system
        self.second: SecondOpinion | None = None  # on a draft; set by the agent
        self._embedded = fallback or EmbeddedResponder()
        self._lanes = _Lanes(calls=Lane(), waiting=Lane())

    def reply(self, context: ReplyContext, live: Live | None = None) -> Reply:
        """Answer one turn.

        Args:
            context: The person's words and state, and the style.
            live: Receives the sentences as they come; by default only the reply is returned.

        Returns:
            At most ``context.style.pacing.max_sentences`` sentences where the model answers.
            ``responder`` says who answered; ``fallbacks`` what went wrong, such as
            ``"llm:TimeoutError"`` or ``"llm:unsafe:diagnosis"``.

        Raises:
            AbandonedError: ``live`` was given up before anything was released.
            ConfigurationError: A template is missing or broken.
        """
        live = live or Live()
        base = self._embedded.reply(context)
        if base.safety.level != SafetyLevel.NONE:
            live.keep()  # a turn with a risk is recorded even if nobody waits
        live.begin(StateEvent(emotion=context.state, style=context.style, safety=base.safety))
        if base.safety.level != SafetyLevel.NONE or not context.text.strip():
            return _told(base, live)
        kept = tuple(s for s in base.sentences if _names_help(s, base))
        if base.safety.actions and not kept:
            return _told(base, live)  # the protocol acted in a way that cannot be separated
        limit = context.style.pacing.max_sentences - len(kept)
        if limit < 1:
            return _told(base, live)
        messages = chat(
            context,
            base.strategy,
            language=self._embedded.language,
            line_follows=bool(kept),
            product=self._system,
            short=self.prompt == "short",
            context_tokens=getattr(self.model, "context_tokens", None),
        )
        out: list[str] = []

        def release(sentence: str) -> None:
            live.say(sentence)
            out.append(sentence)

        draft, problems = self._draft(messages, context, limit, live, release)
        fallbacks = tuple(dict.fromkeys(problems))
        if not live.streams:
            out = [] if draft.grave else list(draft.sentences)
        if not out:
            return _told(base, live).model_copy(update={"fallbacks": fallbacks or ("llm:empty",)})
        if draft.grave:
            # Part of a failed draft was shown, so the reply must be completed.
            for sentence in base.sentences[: max(0, limit - len(out))]:
                if sentence not in kept:
                    release(sentence)
        for sentence in kept:
            release(sentence)
        memory = base.memory.model_copy(
            update={"profile_used": context.memory.profile_used}
            | ({} if kept or draft.grave else {"recent": context.memory.recent})
        )
        return base.model_copy(
            update={
                "sentences": tuple(out),
                "memory": memory,
                "responder": self.name,
                "fallbacks": fallbacks,
            }
        )

    def _draft(
        self,
        messages: list[ChatMessage],
        context: ReplyContext,
        limit: int,
        live: Live,
        release: Callable[[str], None],
    ) -> tuple[_Draft, list[str]]:
        """Call the model, and once more after a transient error or a misfit without output."""
        deadline = time.monotonic() + self.timeout_s
        problems: list[str] = []
        for attempt in (1, 2):
            refused: list[str] = []
            draft = self._once(messages, context, limit, live, release, deadline, refused)
            problems += refused + ([draft.problem] if draft.problem else [])
            if draft.problem:
                log.warning("a language model failed (%s, attempt %d)", draft.problem, attempt)
            if draft.sentences or not draft.again:
                break
            if draft.misfit:
                messages = told_so(messages, draft.misfit, self._embedded.language)
        return draft, problems

    def _once(
        self,
        messages: list[ChatMessage],
        context: ReplyContext,
        limit: int,
        live: Live,
        release: Callable[[str], None],
        deadline: float,
        refused: list[str],
    ) -> _Draft:
        reader = SentenceReader()
        passed: list[str] = []
        misfits: list[str] = []

        def take(sentences: list[str]) -> str:
            """Check new sentences; return the reason of a grave one."""
            for sentence in sentences:
                if len(passed) >= limit:
                    break
                if (why := misfit(sentence, context)) and not misfits:
                    # What follows is built on it.
                    misfits.append(why)
                    refused.append(f"llm:misfit:{why}")
                if misfits:
                    break
                verdict = check_sentence(sentence, context, self.second)
                if verdict.allowed:
                    passed.append(sentence)
                    if live.streams:
                        release(sentence)
                    continue
                refused.append(f"llm:unsafe:{verdict.reason}")
                if verdict.grave:
                    return verdict.reason
            return ""

        call = _Call(self.model, messages, self._lanes, deadline)
        live.on_give_up(call.stop)
        read = 0
        try:
            for piece in call:
                if not isinstance(piece, str):
                    raise TypeError("a language model must yield str")
                read += len(piece)
                if take(reader.feed(piece[:MOST_CHARS])):
                    return _Draft(tuple(passed), grave=True)
                if misfits:
                    return _Draft(tuple(passed), again=not passed, misfit=misfits[0])
                if len(passed) >= limit:
                    return _Draft(tuple(passed))
                if reader.overlong or read > MOST_CHARS:
                    return _Draft(tuple(passed), problem="llm:overlong")
            live.check()
            if take(reader.flush()):
                return _Draft(tuple(passed), grave=True)
            if misfits:
                return _Draft(tuple(passed), again=not passed, misfit=misfits[0])
        except AbandonedError:
            raise
        except Exception as error:  # whatever a provider raises, the person gets an answer
            live.check()
            log_in_full(error, "the language model")
            again = transient(error) and not isinstance(error, _LateError)
            name = "TimeoutError" if isinstance(error, _LateError) else type(error).__name__
            return _Draft(tuple(passed), problem=f"llm:{name}", again=again)
        finally:
            call.stop()
        if not passed and not refused:
            return _Draft((), problem="llm:empty", again=True)
        return _Draft(tuple(passed))


class _Lanes(NamedTuple):
    """The calls of one model that run, and the turns that wait for their place among them."""

    calls: Lane
    waiting: Lane

    def enter(self, deadline: float) -> Callable[[], None]:
        """Take a place among the calls; return what gives it back.

        Raises:
            _LateError: There is none until ``deadline``, or too many wait for one already.
        """
        if (leave := self.calls.enter()) is not None:
            return leave
        if (go_on := self.waiting.enter()) is None:
            raise _LateError
        try:
            with aside():
                leave = self.calls.enter(wait_s=deadline - time.monotonic())
        finally:
            go_on()
        if leave is None:
            raise _LateError
        return leave


class _LateError(TimeoutError):
    """Our own time limit was reached."""


class _Call:
    """One call of a model in its own thread, so that it can be abandoned.

    Iterating yields its pieces. A thread that is blocked inside the model cannot be stopped: it is
    a daemon, its remaining output is discarded, and it ends at its next piece.
    """

    def __init__(
        self,
        model: LanguageModel,
        messages: list[ChatMessage],
        lanes: _Lanes,
        deadline: float,
    ) -> None:
        self._model, self._messages = model, messages
        self._lanes, self._deadline = lanes, deadline
        self._box: queue.Queue[object] = queue.Queue(AHEAD)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop reading, and wake a waiting reader."""
        self._stopped.set()
        with contextlib.suppress(queue.Full):  # then nobody waits
            self._box.put_nowait(_END)

    def _put(self, item: object) -> bool:
        """Pass an item on; return whether it is still wanted."""
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._box.put(item, timeout=0.1)
                return True
        return False

    def __iter__(self) -> Iterator[object]:
        self._leave = self._lanes.enter(self._deadline)
        # An empty context: callbacks of a surrounding chain or graph must not see a draft that
        # nobody has checked yet.
        work = contextvars.Context().run
        args = (self._work, is_debugging())  # a tool's errors are logged over there
        thread = threading.Thread(target=work, args=args, name="empathic-llm", daemon=True)
        try:
            thread.start()
        except BaseException:
            self._leave()
            raise
        while True:
            left = self._deadline - time.monotonic()
            try:
                # Check the time even if there is a piece: a model may yield empty pieces for ever.
                item = self._next(left) if left > 0 else None
            except queue.Empty:
                item = None
            if item is None:
                raise _LateError
            if item is _END or self._stopped.is_set():
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item.piece if isinstance(item, _Piece) else item

    def _next(self, wait_s: float) -> object:
        with aside():
            return self._box.get(timeout=wait_s)

    def _work(self, debug: bool) -> None:
        try:
            if self._stopped.is_set():
                return
            WANTED.set(lambda: not self._stopped.is_set())
            with debugging(debug), alone(self._model):
                self._pass_on()
        except Exception as error:
            self._put(_Failure(error))
        except BaseException as error:  # a model that exits must not take the turn with it
            self._put(_Failure(RuntimeError(type(error).__name__)))
        finally:
            self._leave()
            self._put(_END)

    def _pass_on(self) -> None:
        pieces = self._model.stream(self._messages)
        try:
            for piece in pieces:
                if not self._put(_Piece(piece)):
                    return
        finally:
            try:
                close = getattr(pieces, "close", None)
                if callable(close):
                    close()
            except Exception as error:
                log.debug("closing a model's stream raised %s", type(error).__name__)


class _Failure(NamedTuple):
    error: Exception


class _Piece(NamedTuple):
    piece: object


_END = object()


def transient(error: Exception) -> bool:
    """Say whether asking again may help: a lost connection, a timeout, a busy or broken server."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status in (408, 409, 425, 429) or status >= 500
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(
        names
        & {
            "APIConnectionError", "APITimeoutError", "ConnectError", "ConnectTimeout",
            "InternalServerError", "NetworkError", "PoolTimeout", "RateLimitError", "ReadError",
            "ReadTimeout", "RemoteProtocolError", "ServiceUnavailable", "ServiceUnavailableError",
            "Timeout", "TimeoutException", "TransportError", "WriteError",
        }
    )  # fmt: skip


def _told(reply: Reply, live: Live) -> Reply:
    for sentence in reply.sentences:
        live.say(sentence)
    return reply


def _names_help(sentence: str, reply: Reply) -> bool:
    return any(line.contact in sentence for line in reply.safety.help_lines)
