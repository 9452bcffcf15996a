"""The embedded responder: strategy, templates and the person's own words, offline."""

from __future__ import annotations

import re

from empathic_sdk.dialogue.planner import Planner
from empathic_sdk.dialogue.strategy import NEGATIVE, act_in_context, plan, shifted, wish
from empathic_sdk.language.dialogue_acts import act_of, topic_of
from empathic_sdk.language.hardship import (
    is_good_news,
    is_hard,
    is_hoped,
    is_loss,
    is_past_fear,
    is_troubled,
)
from empathic_sdk.language.realization import Voice, digest_of
from empathic_sdk.language.reflection import reflection
from empathic_sdk.safety import protocol as crisis
from empathic_sdk.tutoring.lesson import Lesson, is_task, standing, teach
from empathic_sdk.types import Emotion, SafetyAssessment, SafetyLevel, Strategy
from empathic_sdk.types.reply import STRATEGIES, Reply, ReplyContext

# Acts with their own bank, and the role of their second sentence.
_SOCIAL = {
    "thanks": "follow", "goodbye": "follow", "bot": "follow", "feelings": "follow",
    "who": "follow", "how": "follow", "privacy": "follow", "misread": "ask", "complaint": "ask",
    "decline": "ask", "short": "ask", "wordless": "ask", "foreign": "ask", "injection": "ask",
    "request": "ask", "greeting": "ask", "love": "ask", "hate": "ask",
}  # fmt: skip
_BLUNT = 0.5  # below this warmth a reply has no cushioning sentence
_SAYS_WHAT = re.compile(r"\bi(?:'?m| am| feel) (?!not\b)[a-z]{3,}", re.IGNORECASE)
_STRONG = 0.6  # from this intensity on, a reflection may use strong words
# Thresholds of joy for a celebrating reply, chosen on dev of EmpatheticDialogues and ESConv
# (docs/LOG.md). They are lower if the words themselves tell good news.
CHEER_CONFIDENCE, CHEER_VALENCE = 0.7, 0.1
_NEWS_CONFIDENCE = 0.5
_FELT = {
    Emotion.JOY: "happy",
    Emotion.SADNESS: "sad",
    Emotion.ANGER: "angry",
    Emotion.FEAR: "worried",
    Emotion.SURPRISE: "surprised",
    Emotion.DISGUST: "put off",
}


class EmbeddedResponder:
    """Answers from templates, offline.

    Deterministic: the same context gives the same reply. Stateless: pass ``Reply.memory`` in with
    the next turn. Thread-safe.

    Args:
        language: BCP 47 tag of the templates; English if a template is missing.
        planner: Chooses the strategy if the context has a text vector; ``None``: the rules.
    """

    name = "embedded"

    def __init__(self, language: str = "en", planner: Planner | None = None) -> None:
        """Keep the language of the templates."""
        self.language = language
        self.planner = planner

    def reply(self, context: ReplyContext) -> Reply:
        """Answer one turn.

        At least one sentence, at most ``context.style.pacing.max_sentences`` (the safety protocol
        may use up to :data:`protocol.MINIMUM`), at most one question.

        Args:
            context: The person's words and state, the style, the conversation so far.

        Returns:
            The sentences, the strategy, the assessment with actions taken, and the new memory.

        Raises:
            ConfigurationError: A template is missing or broken.
        """
        voice = Voice(context, self.language)
        strategy = plan(context, self.planner)
        memory = context.memory
        safety: SafetyAssessment = context.safety
        # Only a serious topic is kept: good news about a father is not family trouble.
        topic = topic_of(context.text) or memory.topic
        if memory.topic == "parenting" and topic in ("school", "exams"):
            topic = "parenting"  # the child's school, not the person's
        profile_used = memory.profile_used
        tutoring = context.scenario == "tutoring"
        lesson: Lesson | None = None
        if safety.level != SafetyLevel.NONE:
            safety, memory = crisis.answer(context, voice)
        elif tutoring and (is_task(context) or not crisis.in_aftercare(memory)):
            limit = context.style.pacing.max_sentences
            unread = act_of(context.text) == "foreign" and _low(context)
            line = unread or crisis.in_aftercare(memory)
            lesson = teach(context, voice, limit=max(1, limit - line))
            strategy = lesson.strategy
            if line:
                # Worked steps may fill a reply; a pacing of one sentence leaves room for none.
                safety = crisis.aftercare(context, voice, alone=False, always=limit > 1)
        else:
            act = act_in_context(context)
            if act in _SOCIAL:
                profile_used = self._social(act, context, voice) or profile_used
                if act == "foreign" and _low(context) and not crisis.in_aftercare(memory):
                    # An unreadable text cannot be assessed, so at least offer a help line.
                    safety = crisis.aftercare(context, voice, alone=False)
                if crisis.in_aftercare(memory):
                    safety = crisis.offer(context, voice)
            elif crisis.in_aftercare(memory):
                strategy = Strategy.QUESTION
                safety = crisis.aftercare(context, voice, alone=True)
            elif act == "empty":
                self._ask_about(context, voice)
            else:
                self._support(strategy, act, topic, context, voice)
        # No turn may stay unanswered, whatever templates a language lacks.
        if not voice.sentences:
            voice.say(voice.bank("reflection/common")["invite"])
        learning, exercise = standing(context, self.language) if tutoring else (None, None)
        if lesson is not None:
            memory = memory.model_copy(update={"tutoring": lesson.state})
            learning, exercise = lesson.state.learning, lesson.exercise
        return Reply(
            learning=learning,
            exercise=exercise,
            answer=lesson.answer if lesson else None,
            mastery=lesson.mastery if lesson else {},
            sentences=tuple(voice.sentences),
            strategy=strategy,
            safety=safety,
            memory=memory.model_copy(
                update={
                    "recent": voice.recent,
                    "strategies": (*memory.strategies, strategy)[-STRATEGIES:],
                    "turns": memory.turns + 1,
                    "topic": topic if _heavy(context) else memory.topic,
                    "level": safety.level,
                    "since_lines": _older(context, memory.since_lines),
                    "profile_used": profile_used,
                    "advice": wish(context, strategy),
                }
            ),
        )

    def _social(self, act: str, context: ReplyContext, voice: Voice) -> bool:
        """Answer a conversational act; return whether the profile was mentioned."""
        bank = voice.bank(f"social/{act}")
        limit = context.style.pacing.max_sentences
        role = _SOCIAL[act]
        if act == "misread" and _SAYS_WHAT.search(context.text.replace("’", "'")):
            role = "named"  # they said what it is; do not ask for it again
        if limit == 1:
            voice.say(bank[role] if act == "greeting" else bank["open"])
            return False
        voice.say(bank["open"])
        if act == "foreign" and limit == 2 and _low(context):
            return False  # the second sentence is the help line's
        user = context.user
        told = False
        if (
            act == "greeting"
            and limit >= 3
            and user.turns > 0
            and user.last_emotion in _FELT
            and not context.memory.profile_used
            and context.turn == 0
        ):
            told = voice.say(bank["profile"], emotion=_FELT[user.last_emotion])
        voice.say(bank[role])
        return told

    def _ask_about(self, context: ReplyContext, voice: Voice) -> None:
        """Answer a turn without text: a voice, a face."""
        bank = voice.bank(f"question/{_family(context)}")
        if context.style.pacing.max_sentences > 1:
            voice.say(bank["acknowledge"])
        voice.say(bank["ask"])

    def _support(
        self, strategy: Strategy, act: str | None, topic: str | None, context: ReplyContext,
        voice: Voice,
    ) -> None:  # fmt: skip
        family = _family(context)
        limit = context.style.pacing.max_sentences
        quote = reflection(context.text) if act not in ("yes", "no") else None
        if quote and context.state.label == Emotion.JOY and is_hard(quote):
            quote = None  # joy may be about the end of a hardship, which must not be quoted
        question = voice.bank(f"question/{family}")
        common = voice.bank("reflection/common")
        soft = voice.bank("topics/" + topic) if topic and _heavy(context) else {}
        if family == "rough":
            # The label says little: only a loss is addressed as such.
            hit = topic_of(context.text)
            soft = voice.bank("topics/" + hit) if hit in ("grief", "breakup") else {}
        soothe = (*question["acknowledge"], *soft.get("acknowledge", ()))
        # The question fits the topic if one is known, otherwise the feeling.
        asks = soft.get("ask") or question["ask"]
        if all(_used(voice, line) for line in asks):
            asks = question["ask"]
        invites = question.get("invite") or common["invite"]
        terse = context.style.tone.warmth < _BLUNT or limit == 1
        if act in ("yes", "no"):
            if not terse:
                voice.say(voice.bank(f"social/{act}")["open"])
            voice.say(invites if family in ("uncertain", "neutral", "open") else asks)
            return
        turn_about = _even(context)
        match strategy:
            case Strategy.RESTATEMENT:
                self._echo(family, quote, voice)
                check = voice.bank("restatement/common")["check"]
                if limit > 1:
                    voice.say(check if quote and family != "joy" and turn_about else asks)
            case Strategy.REFLECTION:
                if limit > 2 and quote and turn_about:
                    self._echo(family, quote, voice)
                elif limit > 2 and _turned(context):
                    voice.say(common["shift"])
                feeling = voice.bank(f"reflection/{family}")
                strong = feeling.get("strong", ()) if context.state.intensity >= _STRONG else ()
                voice.say((*feeling["reflect"], *strong))
                if len(voice.sentences) < limit:
                    voice.say(invites if turn_about else asks)
            case Strategy.AFFIRMATION:
                if quote and limit > 2:
                    self._echo(family, quote, voice)
                voice.say(voice.bank(f"affirmation/{family}")["affirm"])
                if len(voice.sentences) < limit:
                    voice.say(asks if turn_about else invites)
            case Strategy.SUGGESTIONS:
                self._suggest(family, act, terse, soothe, limit, voice)
            case Strategy.INFORMATION:
                if not terse and limit > 2:
                    voice.say(soothe)
                voice.say(voice.bank(f"information/{family}")["inform"])
                if len(voice.sentences) < limit:
                    voice.say(asks)
            case _:
                # Quote the person if possible; if there is room, comfort follows.
                own = bool(quote) and family != "uncertain" and (limit > 2 or turn_about)
                if own and not terse:
                    self._echo(family, quote, voice)
                if not terse and (
                    not own or (limit > 2 and family not in ("joy", "neutral", "open"))
                ):
                    voice.say(soothe)
                voice.say(asks)

    @staticmethod
    def _echo(family: str, quote: str | None, voice: Voice) -> None:
        common = voice.bank("restatement/common")
        if quote is None:
            voice.say(common["plain"])
            return
        own = voice.bank(f"restatement/{family}").get("echo", ())
        general = () if family in ("joy", "rough", "open") else common["echo"]
        voice.say((*own, *general), quote=quote)

    @staticmethod
    def _suggest(
        family: str, act: str | None, terse: bool, soothe: tuple[str, ...], limit: int,
        voice: Voice,
    ) -> None:  # fmt: skip
        common = voice.bank("suggestions/common")
        if act != "advice":
            # Nobody asked: offer, do not advise.
            if not terse and not voice.sentences:
                voice.say(soothe)
            voice.say(common["offer"])
            return
        if not terse and limit > 2:
            voice.say(voice.bank("social/advice")["open"])
        voice.say(voice.bank(f"suggestions/{family}")["suggest"])
        if len(voice.sentences) < limit:
            voice.say(common["check"])


def _family(context: ReplyContext) -> str:
    """Return the template family of a turn; words of hardship outrank a light or unsure label."""
    state = context.state
    family = "uncertain" if state.uncertain else state.label.value
    text = context.text
    if family == "fear" and is_good_news(text) and is_past_fear(text):
        return "joy"
    light = family in ("joy", "neutral", "uncertain")
    if light and (is_loss(text) or is_hard(text)) and not is_good_news(text):
        return "rough"
    if family == "joy" and not _may_cheer(context):
        return "open"
    return family


def _may_cheer(context: ReplyContext) -> bool:
    """Say whether a reply to joy may celebrate; where it may not, it asks.

    The label alone is wrong too often, and celebrating bad news is among the worst errors of a
    reply: it takes a confident and pleasant state, and words without trouble or mere hope.
    """
    state, text = context.state, context.text
    if is_good_news(text):
        return state.confidence >= _NEWS_CONFIDENCE and state.valence > 0
    if state.confidence < CHEER_CONFIDENCE or state.valence < CHEER_VALENCE:
        return False
    return not (is_troubled(text) or is_hoped(text))


def _low(context: ReplyContext) -> bool:
    state = context.state
    return state.label in NEGATIVE or state.valence < -0.2


def _heavy(context: ReplyContext) -> bool:
    return not context.state.uncertain and context.state.label in NEGATIVE


def _turned(context: ReplyContext) -> bool:
    """Say whether the label changed as well: a shift within one feeling is not mentioned."""
    last = context.history[-1] if context.history else None
    return shifted(context.state) and last is not None and last.label != context.state.label


def _used(voice: Voice, line: str) -> bool:
    return digest_of(line) in voice.recent


def _even(context: ReplyContext) -> bool:
    return context.memory.turns % 2 == 0


def _older(context: ReplyContext, since: int | None) -> int | None:
    # The protocol counts its own turns; quiet turns in between count as well.
    quiet = context.safety.level == SafetyLevel.NONE
    return since + 1 if quiet and since is not None else since
