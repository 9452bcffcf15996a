"""What an agent of another framework needs of us: hear, guide, check; without keeping anything.

Where :class:`EmotionAwareAgent` holds people and talks itself, this holds none: what the next
message depends on goes out as bytes and comes back with it, so that it lives where the framework
keeps its own state.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from empathic_sdk.errors import ConfigurationError, EmpathicError, InputError, PolicyError
from empathic_sdk.policy import allowed, text_alone
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.responders.prompting import system_prompt
from empathic_sdk.safety.assessment import assess_turn, draft_reader, shipped_reader
from empathic_sdk.safety.output_guard import SecondOpinion, check_text
from empathic_sdk.safety.risk_model import RiskReader
from empathic_sdk.style import decide
from empathic_sdk.turn.conversations import Talk
from empathic_sdk.types import (
    AGENT,
    EmotionState,
    HookContext,
    PacingHook,
    SafetyLevel,
    ThemeHook,
    ToneHook,
    UserContext,
    Utterance,
)
from empathic_sdk.types.reply import Reply, ReplyContext

MOST = 24
"""Utterances heard at once at most, the newest."""

UNHEARD = "…"
"""Stands for what could not be read at all."""

log = logging.getLogger("empathic_sdk")


class Heard(NamedTuple):
    """What came of listening.

    Attributes:
        context: Of the last thing that the person said; everything a reply is made from.
        reply: What the embedded responder says to it, the safety protocol included.
        line: The protocol's sentence with a help line, where the turn is quiet and one is to stay
            in sight; otherwise empty.
        kept: To hand in with what is said next. Derived values only.

    ``dump`` and ``load`` carry it through a store that takes JSON.
    """

    context: ReplyContext
    reply: Reply
    line: str
    kept: bytes

    @property
    def crisis(self) -> bool:
        """Whether the safety protocol answers, and nobody else."""
        return self.reply.safety.level != SafetyLevel.NONE

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values, without what the person said."""
        context = self.context.model_copy(update={"text": "", "past": ()})
        return {
            "context": context.model_dump(mode="json"),
            "reply": self.reply.model_dump(mode="json"),
            "line": self.line,
            "kept": self.kept.decode(),
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Heard:
        """Return what :meth:`dump` gave.

        Raises:
            InputError: It is something else.
        """
        try:
            return cls(
                context=ReplyContext.model_validate(dumped["context"]),
                reply=Reply.model_validate(dumped["reply"]),
                line=str(dumped["line"]),
                kept=str(dumped["kept"]).encode(),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("this is not what Heard.dump gave") from error


class Listening:
    """Hears what is said, and says how to answer. Thread-safe; holds no talk.

    Args:
        recognizer: What reads emotion.
        tone: Your hook, as for the agent; ``None`` = the default.
        pacing: Your hook.
        theme: Your hook.
        scenario: ``"counselling"`` or ``"tutoring"``.
        language: Of the embedded replies and the system prompt.
        max_sentences: Length of a reply at most, whatever the pacing says.

    Raises:
        ConfigurationError: The scenario is neither.
    """

    def __init__(
        self,
        recognizer: EmotionRecognizer,
        *,
        tone: ToneHook | None = None,
        pacing: PacingHook | None = None,
        theme: ThemeHook | None = None,
        scenario: str = "counselling",
        language: str = "en",
        max_sentences: int | None = None,
    ) -> None:
        """Keep the parts."""
        if scenario not in ("counselling", "tutoring"):
            raise ConfigurationError("scenario must be 'counselling' or 'tutoring'")
        self._recognizer = recognizer
        self._hooks = {"tone": tone, "pacing": pacing, "theme": theme}
        self._scenario = scenario
        self._language = language
        self._max_sentences = max_sentences
        self._responder = EmbeddedResponder(language=language)

    def hear(
        self,
        said: Iterable[tuple[str, str] | Utterance],
        *,
        kept: bytes | None = None,
        user: UserContext | None = None,
        conversation: str = "",
        earlier: Iterable[tuple[str, str] | Utterance] = (),
    ) -> Heard | None:
        """Take in what was said, in order.

        Args:
            said: Utterances, or pairs of speaker (``"user"`` or ``"agent"``) and text. What holds
                nothing visible, or nothing that may be processed here, is passed over.
            kept: What the last :class:`Heard` of this talk gave; what cannot be read of it (an
                older version) counts as a new talk.
            user: What is known of the person: consents, preferences.
            conversation: Name of the talk; part of the seed of every choice.
            earlier: What was said before and is in ``kept``: it is not heard again, only what the
                safety protocol reads beside the new words.

        Returns:
            ``None`` where the person said nothing.
        """
        person = user or UserContext()
        heard = self._utterances(said, person)
        if not any(u.speaker != AGENT for u in heard):
            return None
        talk = Talk(self._recognizer.session(person))
        if kept is not None:
            try:
                talk.load(kept)
            except InputError:
                log.warning("the kept state of a talk was unreadable; it begins anew")
                talk = Talk(self._recognizer.session(person))
        talk.remember(*((u.speaker != AGENT, u.text or "") for u in _plain(earlier)))
        reader = self._risk
        deaf = self._recognizer.dialogue is None  # it reads each utterance by itself
        states = self._states(talk, [u for u in heard if not (deaf and u.speaker == AGENT)])
        for utterance in heard:
            text = utterance.text or ""
            if utterance.speaker == AGENT:
                talk.remember((False, text))
                if not deaf:
                    next(states)
                continue
            state = next(states)
            history = tuple(talk.history)
            safety = assess_turn(text, state, before=talk.before, context=talk.risk, reader=reader)
            hook_context = HookContext(
                state=state, history=history, user=person, safety=safety,
                scenario=self._scenario, turn=talk.turns,
            )  # fmt: skip
            style, _ = decide(hook_context, **self._hooks)  # type: ignore[arg-type]
            limit = self._max_sentences
            if limit is not None and limit < style.pacing.max_sentences:
                pacing = style.pacing.model_copy(update={"max_sentences": limit})
                style = style.model_copy(update={"pacing": pacing})
            context = ReplyContext(
                text=text, state=state, history=history, style=style, safety=safety, user=person,
                scenario=self._scenario, turn=talk.turns, conversation=conversation,
                memory=talk.memory,
            )  # fmt: skip
            reply = self._responder.reply(context)
            after = talk.advance(state, reply.memory, reply.safety.level, reply.text)
            talk.remember((True, text))
        lines = reply.safety.help_lines
        with_line = [s for s in reply.sentences if any(line.contact in s for line in lines)]
        line = " ".join(with_line) if reply.safety.level == SafetyLevel.NONE else ""
        return Heard(context=context, reply=reply, line=line, kept=after)

    def guide(self, heard: Heard) -> str:
        """Return what to tell a language model besides its own role."""
        return system_prompt(
            heard.context,
            heard.reply.strategy,
            language=self._language,
            role=False,
            line_follows=bool(heard.line),
        )

    def check(self, text: str, heard: Heard) -> tuple[str, tuple[str, ...]]:
        """Return what may be shown of a model's text, and which rules the rest breaks."""
        return check_text(text, heard.context, self._second)

    @cached_property
    def _risk(self) -> RiskReader | None:
        return shipped_reader(self._recognizer.text)

    @cached_property
    def _second(self) -> SecondOpinion | None:
        return draft_reader(self._recognizer.text)

    def _utterances(
        self, said: Iterable[tuple[str, str] | Utterance], person: UserContext
    ) -> list[Utterance]:
        """Return what may be read, words of a recording included; the newest :data:`MOST`."""
        found = []
        for utterance in _plain(said):
            try:
                if self._scenario == "tutoring":
                    utterance = text_alone(utterance)
                consents = person.consents.__contains__
                allowed(utterance.modalities, self._recognizer.deployment, consents)
            except PolicyError:
                continue
            found.append(self._recognizer.listen(utterance, person))
        return found

    def _states(self, talk: Talk, heard: list[Utterance]) -> Iterator[EmotionState]:
        """Give the states of utterances; of one whose media are broken, that of its words."""
        try:
            return iter(talk.session.extend(heard, listen=False))
        except EmpathicError:
            log.warning("a recording or picture could not be read; words alone are", exc_info=True)
        words = [Utterance(u.text or UNHEARD, speaker=u.speaker, at=u.at) for u in heard]
        return iter(talk.session.extend(words, listen=False))


def _plain(said: Iterable[tuple[str, str] | Utterance]) -> list[Utterance]:
    found = []
    for one in list(said)[-MOST:]:
        try:
            found.append(one if isinstance(one, Utterance) else Utterance(one[1], speaker=one[0]))
        except InputError:  # nothing visible in it
            continue
    return found
