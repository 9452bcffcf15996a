"""A middleware for LangChain's ``create_agent``: the agent notices how a person feels.

Importing this needs LangChain.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated, Any, Literal, NotRequired

from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    hook_config,
)
from langchain.agents.middleware.types import OmitFromInput, PrivateStateAttr
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime

from empathic_sdk.errors import ConfigurationError, debugging
from empathic_sdk.integrations.langchain.held import held_back
from empathic_sdk.integrations.langchain.own_words import Seen, seen_before, words
from empathic_sdk.integrations.langchain.people import Known, check_user, person_of
from empathic_sdk.integrations.langchain.shown import about
from empathic_sdk.integrations.langchain.thread import Sessions, pack, stored_turn
from empathic_sdk.llm.adapters import text_of
from empathic_sdk.llm.locks import alone, alone_async
from empathic_sdk.llm.messages import utterances
from empathic_sdk.recognition.shared import shared_recognizer
from empathic_sdk.runtime.lanes import Workers
from empathic_sdk.turn.parts import check_hooks, check_parts, check_planner
from empathic_sdk.turn.scenarios import scenario_of
from empathic_sdk.turn.stateless import StatelessTurn, StatelessTurns
from empathic_sdk.types import PacingHook, ThemeHook, ToneHook, UserContext, Utterance
from empathic_sdk.types.protocols import Recognizer, SafetyAssessor, Scenario


class EmotionAgentState(AgentState[Any]):
    """What the middleware adds to an agent's state; a checkpointer keeps it with the thread.

    ``empathy`` comes out with the messages: ``emotion``, ``style``, ``safety``, ``strategy`` of the
    last human message, ``fallbacks`` where something went wrong, and ``marks``: rules of the guard
    that the answers to it broke, held back or let through. ``empathy_heard`` and ``empathy_seen``
    are the middleware's own: derived values and the embedded reply to that message, which may
    quote it, packed; and which messages were there before.
    """

    empathy: NotRequired[Annotated[dict[str, Any], OmitFromInput]]
    empathy_heard: NotRequired[Annotated[dict[str, Any], PrivateStateAttr]]
    empathy_seen: NotRequired[Annotated[dict[str, str], PrivateStateAttr]]


Guard = Literal["grave", "all", "off"]
"""What the guard holds back of a model's answers."""

REFUSED = "empathy_refused"
"""Key of a message's ``additional_kwargs``: rules for which something of it was held back."""

Answer = ModelResponse[Any] | AIMessage | ExtendedModelResponse[Any]


class EmotionMiddleware(AgentMiddleware[EmotionAgentState, Any, Any]):
    """Lets an agent of LangChain notice how a person feels, and holds it to the safety protocol.

    - *before the agent*: what the caller's input brought is read in the light of what was said
      before; an edited message is read again. Where it points to danger the embedded protocol
      answers and the model is not asked. Sounds and pictures in it are read, too, where the
      recogniser's deployment and ``user=`` allow it. Human messages that appear during the run,
      summaries and context of other middleware, are not taken for the person's words.
    - *around the model's call*: state and style join the system prompt, after the developer's own;
      the answer is checked before anybody sees it, also in a stream. A draft that could do the
      person harm is replaced by the embedded reply; any other leaves as the model wrote it, and
      the rules that it breaks are named in ``empathy["marks"]``. Tool calls are not touched.
    - *after the model*: the message that other middleware may have changed is checked again.

    Put it first in the list, so that no other sees an unchecked answer. What it knows of a thread
    lies in the agent's state: with a checkpointer each ``thread_id`` has its own, in any process;
    without one the messages of the call are read anew.

    Args:
        recognizer: What reads emotion; by default the embedded one, loaded at the first use.
        tone: Your hook ``(HookContext) -> Tone``; ``None`` = the default.
        pacing: Your hook; the number of sentences is told to the model, not enforced.
        theme: Your hook.
        scenario: ``"counselling"``, ``"tutoring"``, or an object that fits ``Scenario``.
        language: Of the protocol's replies.
        planner: Who chooses the support strategy: ``"rules"`` or ``"learned"``.
        safety: What assesses danger, a ``SafetyAssessor``; by default the protocol's own.
        user: What is known of the person (their locale decides the help lines): a value, a
            callable ``(Runtime) -> UserContext``, or an object such as an agent's ``profiles``,
            whose ``get(user)`` is asked for the ``user_id`` of ``config["configurable"]`` or of the
            run's context (``context_schema=``). Where neither names the person, each ``thread_id``
            is a person of its own, and without a thread each call is.
        guard: What is held back of the model's answers. ``"grave"``: drafts that could do a person
            harm (methods, encouragement of harm, secrecy, abandonment, contempt), whole; everything
            else passes byte for byte. ``"all"``: every sentence that the agent's own guard
            refuses, as suits a companion that does nothing but converse. ``"off"``: nothing, and
            nothing is checked.
        hold: Keep the model's tokens back until they are checked: a stream of messages then brings
            an answer whole. ``False`` lets tokens through as they come, unchecked.
        debug: Log errors of your hooks and of ``safety`` in full, with message and traceback, which
            may quote a person. An error of the model is never caught here.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    state_schema = EmotionAgentState

    def __init__(
        self,
        *,
        recognizer: Recognizer | None = None,
        tone: ToneHook | None = None,
        pacing: PacingHook | None = None,
        theme: ThemeHook | None = None,
        scenario: Scenario | Literal["counselling", "tutoring"] = "counselling",
        language: str = "en",
        planner: Literal["rules", "learned"] = "rules",
        safety: SafetyAssessor | None = None,
        user: Known = None,
        guard: Guard = "grave",
        hold: bool = True,
        debug: bool = False,
    ) -> None:
        """Check the arguments; nothing is loaded yet."""
        super().__init__()
        check_user(user)
        if guard not in ("grave", "all", "off"):
            raise ConfigurationError(f"guard must be 'grave', 'all' or 'off', not {guard!r}")
        check_hooks(tone=tone, pacing=pacing, theme=theme)
        check_parts(recognizer, None, safety)
        check_planner(planner)
        scenario = scenario_of(scenario)
        self._recognizer = recognizer
        self._engine = functools.partial(
            StatelessTurns, tone=tone, pacing=pacing, theme=theme, scenario=scenario,
            language=language, planner=planner, safety=safety,
        )  # fmt: skip
        self._user = user
        self._guard = guard
        self._hold = hold and guard != "off"
        self._debug = debug
        self._sessions = Sessions()
        self._workers = Workers("empathic-middleware")
        self._made: StatelessTurns | None = None

    # -- before: read -------------------------------------------------------------------------

    @hook_config(can_jump_to=["end"])
    def before_agent(
        self, state: EmotionAgentState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Read what the caller's input brought; answer at once where it points to danger."""
        messages, before = state["messages"], stored_turn(state)
        seen = None if before is None else self._seen(state)
        found = words(messages, seen)
        if not any(isinstance(m, HumanMessage) for m in found.new):
            unanswered = bool(messages) and isinstance(messages[-1], HumanMessage)
            return _crisis(before) if before is not None and before.crisis and unanswered else None
        person, names = person_of(self._user, runtime=runtime)
        earlier = utterances(found.earlier)
        with debugging(self._debug):
            turn = self._turns.take(
                utterances(found.new), state=self._state(state, before, earlier, person),
                user=person, conversation=names.conversation or "", earlier=earlier,
            )  # fmt: skip
        update: dict[str, Any] = {"empathy_seen": (seen or Seen()).of(messages, new=True).dump()}
        if turn is None:
            return update
        packed = pack(turn)
        self._sessions.remember(packed, turn)
        update |= {"empathy_heard": {"turn": packed}, "empathy": about(turn)}
        return update | (_crisis(turn) if turn.crisis else {})

    @hook_config(can_jump_to=["end"])
    async def abefore_agent(
        self, state: EmotionAgentState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """:meth:`before_agent` in an event loop; the reading is done in a thread."""
        return await self._workers.run(functools.partial(self.before_agent, state, runtime))

    # -- around: guide and check ----------------------------------------------------------------

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> Answer:
        """Add state and style to the system prompt; check what comes back."""
        turn = stored_turn(request.state)
        with held_back(self._hold), alone(request.model):
            answer = handler(self._guided(request, turn))
        return self._checked(answer, turn)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> Answer:
        """:meth:`wrap_model_call` in an event loop; the answer is checked in a thread."""
        turn = stored_turn(request.state)
        async with alone_async(request.model):
            with held_back(self._hold):
                answer = await handler(self._guided(request, turn))
        return await self._workers.run(functools.partial(self._checked, answer, turn))

    # -- after: check again ---------------------------------------------------------------------

    def after_model(self, state: EmotionAgentState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Check the answer as it stands in the state, and note the rules that it broke.

        What stands among the messages now and was not there at the start is not the person's.
        """
        update = self._rechecked(state)
        seen = self._seen(state)
        if seen is not None and (now := seen.of(state["messages"], new=False)) != seen:
            update["empathy_seen"] = now.dump()
        return update or None

    async def aafter_model(
        self, state: EmotionAgentState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """:meth:`after_model` in an event loop; the answer is checked in a thread."""
        return await self._workers.run(functools.partial(self.after_model, state, runtime))

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _turns(self) -> StatelessTurns:
        if self._made is None:  # two threads may both make one: they are alike
            self._made = self._engine(self._recognizer or shared_recognizer())
        return self._made

    @cached_property
    def _nothing(self) -> StatelessTurn:
        """What an answer is checked by where no text was read: a picture alone, say."""
        turn = self._turns.take([("user", "…")])
        assert turn is not None
        return turn

    def _seen(self, state: Any) -> Seen | None:
        """Return what was seen of a thread before; an earlier release marked a message alone."""
        seen = Seen.load(state.get("empathy_seen"))
        heard = state.get("empathy_heard")
        if seen is None and isinstance(heard, dict) and "id" in heard:
            return seen_before(state["messages"], heard["id"])
        return seen

    def _state(
        self,
        state: Any,
        before: StatelessTurn | None,
        earlier: list[Utterance],
        person: UserContext | None,
    ) -> bytes | None:
        """Return the state of the conversation so far."""
        if before is None:
            return None
        packed = state["empathy_heard"].get("turn")
        if packed is None:  # an earlier release kept all of it
            return before.state
        return self._sessions.state(
            packed, before, lambda: self._turns.session_after(earlier, user=person)
        )

    def _rechecked(self, state: EmotionAgentState) -> dict[str, Any]:
        last = state["messages"][-1] if state["messages"] else None
        if self._guard == "off" or not isinstance(last, AIMessage):
            return {}
        if state.get("structured_response"):
            return {}
        update: dict[str, Any] = {}
        checked, broken = self._finished(last, stored_turn(state) or self._nothing)
        if checked is not last:
            update["messages"] = [checked]
        shown = state.get("empathy") or {}
        known = shown.get("marks", [])
        marks = dict.fromkeys([*known, *checked.additional_kwargs.get(REFUSED, ()), *broken])
        if len(marks) > len(known):
            update["empathy"] = {**shown, "marks": list(marks)}
        return update

    def _guided(self, request: ModelRequest[Any], turn: StatelessTurn | None) -> ModelRequest[Any]:
        guide = "" if turn is None else self._turns.prompt(turn)
        own = request.system_message
        message: SystemMessage | None
        if not guide:
            message = own
        elif own is None:
            message = SystemMessage(guide)
        elif isinstance(own.content, str):
            message = own.model_copy(update={"content": f"{own.content}\n\n{guide}"})
        else:
            message = own.model_copy(
                update={"content": [*own.content, {"type": "text", "text": guide}]}
            )
        return request.override(system_message=message)

    def _checked(self, answer: Any, turn: StatelessTurn | None) -> Answer:
        whole: Answer = answer
        if self._guard == "off":
            return whole
        turn = turn or self._nothing
        if isinstance(answer, AIMessage):
            return self._finished(answer, turn)[0]
        response = answer.model_response if isinstance(answer, ExtendedModelResponse) else answer
        if response.structured_response is None:
            response.result = [
                self._finished(m, turn)[0] if isinstance(m, AIMessage) else m
                for m in response.result
            ]
        return whole

    def _finished(
        self, message: AIMessage, turn: StatelessTurn
    ) -> tuple[AIMessage, tuple[str, ...]]:
        """Return the message as it may be shown, and which rules it broke."""
        checked, broken = self._check(message, turn)
        text = text_of(checked)
        if not turn.help_line or checked.tool_calls or turn.help_line in text or _is_json(text):
            return checked, broken
        content: Any = checked.content
        content = (
            f"{content} {turn.help_line}"
            if isinstance(content, str)
            else [*content, {"type": "text", "text": f" {turn.help_line}"}]
        )
        return checked.model_copy(update={"content": content}), broken

    def _check(self, message: AIMessage, turn: StatelessTurn) -> tuple[AIMessage, tuple[str, ...]]:
        """Return the message, or a copy without what must not be said. Tool calls stay."""
        text, everything = text_of(message), self._guard == "all"
        if not text.strip():
            empty = not message.content and not (message.tool_calls or message.invalid_tool_calls)
            if everything and empty:
                return message.model_copy(update={"content": turn.turn.reply}), ()
            return message, ()
        if text.strip() == turn.turn.reply:
            return message, ()
        own = text.replace(turn.help_line, "").strip() if turn.help_line else text
        shown, broken = self._turns.check(own, turn, grave_only=not everything)
        if not broken or shown == own:
            return message, broken
        if not shown and not message.tool_calls:
            shown = turn.turn.reply
        content: Any = shown
        if not isinstance(message.content, str):
            others = [
                block
                for block in message.content
                if isinstance(block, dict) and block.get("type") not in ("text", "output_text")
            ]
            content = [*others, *([{"type": "text", "text": shown}] if shown else [])]
        extra = {**message.additional_kwargs, REFUSED: list(broken)}
        return message.model_copy(update={"content": content, "additional_kwargs": extra}), broken


def _is_json(text: str) -> bool:
    """Whether a program is meant to read it: a sentence after it would break it."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _crisis(turn: StatelessTurn) -> dict[str, Any]:
    return {"messages": [AIMessage(turn.turn.reply)], "jump_to": "end"}
