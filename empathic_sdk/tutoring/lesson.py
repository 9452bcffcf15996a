"""One turn of a lesson: from the learner's message to the tutor's reply and state."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from empathic_sdk.errors import InputError
from empathic_sdk.language.dialogue_acts import act_of, topic_of
from empathic_sdk.language.hardship import is_good_news, is_hard, is_loss
from empathic_sdk.language.realization import Voice
from empathic_sdk.tutoring import feelings, mastery, policy
from empathic_sdk.tutoring.checking import attempt, judge
from empathic_sdk.tutoring.drafting import ALWAYS, Speech
from empathic_sdk.tutoring.intents import Move, gives_up, move_of, named_skill, skill_of
from empathic_sdk.tutoring.problems import VERSION, Judgement, Problem, Skill, make, skills, spec_of
from empathic_sdk.types import (
    Answer,
    AnswerOutcome,
    Emotion,
    Exercise,
    LearningState,
    Mastery,
    Strategy,
)
from empathic_sdk.types.reply import ReplyContext
from empathic_sdk.types.tutoring import KEPT, TutorState

_LIFE = ("grief", "breakup", "loneliness", "health", "family", "friends", "work", "money",
         "parenting", "sleep")  # fmt: skip
_LOW = frozenset({Emotion.SADNESS, Emotion.FEAR, Emotion.ANGER, Emotion.DISGUST})
_PATIENCE = re.compile(
    r"\b(?:wait|hold on|hang on|let me (?:think|see|try)|"
    r"(?:one|a|just a) (?:moment|second|sec|minute|min))\b"
)


class Lesson(NamedTuple):
    """Result of one turn of a lesson.

    Attributes:
        state: Pass it in with the next turn.
        strategy: Support strategy of the reply.
        exercise: The open exercise.
        answer: Outcome of the answer in this turn.
        mastery: Estimates that changed, by name.
    """

    state: TutorState
    strategy: Strategy
    exercise: Exercise | None
    answer: Answer | None
    mastery: dict[str, Mastery]


def teach(context: ReplyContext, voice: Voice, *, limit: int) -> Lesson:
    """Take one turn of a lesson and write the reply.

    Args:
        context: Of the turn; ``context.memory.tutoring`` is the state so far.
        voice: Receives the sentences.
        limit: Sentences at most; the steps of an example or a solution go beyond it.
    """
    turn = _Turn(context, voice)
    turn.run()
    turn.speech.say(limit)
    return turn.lesson()


def is_task(context: ReplyContext) -> bool:
    """Say whether a message is about the exercise and not about something else."""
    state = _kept(context)
    there = state.exercise is not None
    move = move_of(context.text, open_exercise=there, problem=_open(state))
    return move is not Move.TALK


def standing(context: ReplyContext, language: str) -> tuple[LearningState | None, Exercise | None]:
    """Return learning state and open exercise unchanged, for a turn outside the lesson."""
    state = _kept(context)
    problem = _open(state)
    shown = problem and problem.shown(language, hints=state.hints, tries=state.tries)
    return state.learning, shown or None


class _Turn:
    """The work on one turn; the fields of the state that change are collected in ``now``."""

    def __init__(self, context: ReplyContext, voice: Voice) -> None:
        self.context = context
        self.voice = voice
        self.speech = Speech(voice, voice.language)
        self.state = _kept(context)
        self.problem = _open(self.state)
        self.known: dict[str, Mastery] = dict(context.user.mastery)
        self.changed: dict[str, Mastery] = {}
        self.answer: Answer | None = None
        self.strategy = Strategy.QUESTION
        self.said = feelings.signs_said(context.text)
        self.learning = self.state.learning or feelings.RESTING

    def run(self) -> None:
        there = self.problem is not None
        move = move_of(self.context.text, open_exercise=there, problem=self.problem)
        if move is Move.ANSWER and self.problem is not None:
            self._answered(self.problem)
        elif move is Move.TALK:
            self._beside_exercise()
        else:
            self._asked(move)

    def lesson(self) -> Lesson:
        state = self.state.model_copy(update={"learning": self.learning})
        shown = None
        if self.problem is not None:
            shown = self.problem.shown(self.voice.language, hints=state.hints, tries=state.tries)
        return Lesson(state, self.strategy, shown, self.answer, self.changed)

    # -- an answer --------------------------------------------------------------------------

    def _answered(self, problem: Problem) -> None:
        text = self.context.text
        own = spec_of(problem.skill).judge is not None
        verdict = judge(problem, text if own else attempt(text) or text)
        self.answer = Answer(exercise=problem.id, outcome=verdict.outcome, remark=verdict.remark)
        right = verdict.outcome is AnswerOutcome.RIGHT
        wrong = verdict.outcome is AnswerOutcome.WRONG
        if right or wrong:
            self._keep(tries=self.state.tries + 1)
        timed = feelings.signs_timed(self._seconds(), right) if right or wrong else ()
        self._feel(*self._signs(verdict), *timed, felt=bool(self.said))
        self._acknowledge(rank=2)
        if right:
            self._right(problem)
        elif wrong:
            self._wrong(problem, verdict, guessed="guessed" in timed)
        elif verdict.outcome is AnswerOutcome.UNSIMPLIFIED:
            self.strategy = Strategy.AFFIRMATION
            self.speech.add("verdict", verdict.remark or "not_worked_out", 0)
        else:
            self.strategy = Strategy.INFORMATION
            self.speech.add("verdict", f"unread_{verdict.remark or 'syntax'}", 0)

    def _signs(self, verdict: Judgement) -> tuple[str, ...]:
        match verdict.outcome:
            case AnswerOutcome.RIGHT:
                easy = self.state.streak >= 3 and self.state.tries == 1
                return ("right", "four_in_a_row") if easy else ("right",)
            case AnswerOutcome.WRONG:
                return ("wrong", "wrong_again") if self.state.tries > 1 else ("wrong",)
            case AnswerOutcome.UNSIMPLIFIED:
                return ("unfinished",)
        return ("unreadable",)

    def _right(self, problem: Problem) -> None:
        state = self.state
        clean = state.tries == 1 and not state.hints
        self._count(problem, clean)
        streak = state.streak + 1 if clean else 0
        role = "right_streak" if streak >= 3 else "right"
        if state.tries > 1:
            role = "right_after_tries"
        elif state.hints:
            role = "right_with_hints"
        self.speech.add("verdict", role, 1, a=str(streak))
        self.strategy = Strategy.AFFIRMATION
        self._close(problem, "right" if clean else "helped", streak=streak)
        self._next(problem, right=True)

    def _wrong(self, problem: Problem, verdict: Judgement, *, guessed: bool) -> None:
        self._count(problem, right=False)
        bank, role = self._said_of(problem, verdict)
        help_ = policy.support(
            feelings.mood_of(self.learning),
            self.state.tries,
            guessed=guessed,
            hints_left=len(problem.hints) - self.state.hints,
            example_shown=self.state.examples > 0,
            level=problem.level,
        )
        self.speech.add(bank, role, 0)
        self.strategy = Strategy.INFORMATION
        match help_:
            case "slow":
                self.speech.add("verdict", "slow", 1)
            case "retry":
                self.speech.add("verdict", "again", 1)
            case "hint":
                self._hint(problem)
            case "explain":
                self._explain(problem, 1)
            case "example":
                self._example(problem)
            case "easier":
                self._close(problem, "shown")
                self._give(problem.skill, problem.level - 1, "smaller")
            case "offer":
                self.speech.add("help", "offer", 1)

    def _said_of(self, problem: Problem, verdict: Judgement) -> tuple[str, str]:
        """Return bank and role of what is said of a wrong answer."""
        own = f"mistake_{verdict.remark}"
        if own in self.voice.bank(f"tutoring/math/{problem.skill}"):
            return f"math/{problem.skill}", own
        if verdict.remark in self.voice.bank("tutoring/mistakes"):
            return "mistakes", verdict.remark
        return "verdict", "wrong"

    # -- help -------------------------------------------------------------------------------

    def _asked(self, move: Move) -> None:
        signs = {
            Move.HINT: "hint", Move.EXAMPLE: "example", Move.EASIER: "easier",
            Move.HARDER: "harder", Move.OTHER: "skips",
        }.get(move)  # fmt: skip
        told = [signs] if signs and self.problem is not None else []
        if gives_up(self.context.text):
            told, self.said = ["gives_up"], ()
        self._feel(*told, felt=bool(self.said))
        if move in (Move.EXPLAIN, Move.HARDER, Move.EASIER, Move.HINT):
            self._acknowledge(rank=2, kind="says_confused" if move is Move.EXPLAIN else None)
        elif self.said:
            self._acknowledge(rank=2)
        if move is Move.TOPIC:
            skill = skill_of(self.context.text) or Skill.FRACTIONS
            self._give(skill, self._level(skill), "switch")
        elif move is Move.STOP:
            self._stop()
        elif self.problem is None:
            self._begin()
        else:
            self._help(move, self.problem)

    def _help(self, move: Move, problem: Problem) -> None:
        self.strategy = Strategy.INFORMATION
        steps: dict[Move, Callable[[], None]] = {
            Move.HINT: lambda: self._hint(problem, asked=True),
            Move.EXAMPLE: lambda: self._example(problem),
            Move.EXPLAIN: lambda: self._explain(problem, 0, look=True),
            Move.SOLUTION: lambda: self._solution(problem),
            Move.OTHER: lambda: self._other(problem),
            Move.EASIER: lambda: self._easier(problem),
            Move.HARDER: lambda: self._harder(problem),
            Move.REPEAT: lambda: self.speech.add_task("again", problem),
            Move.MENU: lambda: self._menu(problem),
            Move.PROGRESS: lambda: self._progress(problem),
        }
        steps[move]()

    def _hint(self, problem: Problem, *, asked: bool = False) -> None:
        if self.state.hints >= len(problem.hints):
            self.speech.add("help", "no_more_hints", 0)
            return
        if asked:
            self._count(problem, right=False)
        line = problem.hints[self.state.hints]
        self._keep(hints=self.state.hints + 1)
        self.speech.add_math(problem, line, 0 if asked else 1)

    def _explain(self, problem: Problem, rank: int, *, look: bool = False) -> None:
        bank = self.voice.bank(f"tutoring/math/{problem.skill}")
        lines = bank[f"explain_{problem.level}"]
        self.speech.add_lines((lines[self.state.explained % len(lines)],), rank)
        self._keep(explained=self.state.explained + 1)
        if look:
            self.speech.add_task("look_again", problem, bank="help", rank=1)

    def _example(self, problem: Problem) -> None:
        sibling = sibling_of(problem, self.state.examples)
        self._keep(examples=self.state.examples + 1)
        self.speech.add_task("example", sibling, bank="help", rank=ALWAYS)
        self._steps(sibling)
        self.speech.add_task("example_end", problem, bank="help", rank=ALWAYS)

    def _solution(self, problem: Problem) -> None:
        self._count(problem, right=False)
        if feelings.mood_of(self.learning) == "frustrated":
            self.speech.add("frustrated", "acknowledge", ALWAYS)
        self.speech.add("help", "solution", ALWAYS)
        self._steps(problem)
        self._close(problem, "shown")
        self._next(problem, right=False, rank=ALWAYS)

    def _steps(self, problem: Problem) -> None:
        for step in problem.steps:
            self.speech.add_math(problem, step.line, ALWAYS, step.math)

    def _other(self, problem: Problem) -> None:
        self._close(problem, "skipped")
        if "topic" in self.context.text.lower() or "subject" in self.context.text.lower():
            skill = mastery.following(self.known, problem.skill)
            self._give(skill, self._level(skill), "switch")
            return
        mood = feelings.mood_of(self.learning)
        down = mood in ("frustrated", "confused")
        level = max(1, problem.level - 1) if down else problem.level
        self._give(problem.skill, level, "other")

    def _easier(self, problem: Problem) -> None:
        if problem.level > 1:
            self._close(problem, "skipped")
            self._give(problem.skill, problem.level - 1, "smaller")
        else:
            self.speech.add("steering", "lowest", 2)
            self._hint(problem, asked=True)

    def _harder(self, problem: Problem) -> None:
        self._close(problem, "skipped")
        if problem.level < spec_of(problem.skill).levels:
            self._give(problem.skill, problem.level + 1, "harder")
            return
        self.speech.add("steering", "top", 2, topic=_name(problem.skill))
        skill = mastery.following(self.known, problem.skill)
        self._give(skill, self._level(skill), "switch")

    def _topics(self, rank: int) -> None:
        self.speech.add("session", "topics", rank)
        if more := [spec_of(s).spoken for s in skills() if s not in tuple(Skill)]:
            self.speech.add("session", "more_topics", rank, topic=", ".join(more))

    def _menu(self, problem: Problem) -> None:
        self._topics(0)
        self.speech.add("session", "how", 1)
        self.speech.add_task("again", problem, rank=2)

    def _progress(self, problem: Problem) -> None:
        share = round(100 * mastery.overall(self.known, problem.skill))
        self.speech.add("session", "progress", 0, a=str(self.state.solved),
                        topic=_name(problem.skill), b=str(share))  # fmt: skip
        self.speech.add_task("again", problem, rank=1)

    # -- everything else --------------------------------------------------------------------

    def _beside_exercise(self) -> None:
        act = act_of(self.context.text)
        self._feel(felt=act is None)
        if self._about_life(act):
            self._support()
        elif act == "greeting" or act == "empty":
            self.strategy = Strategy.OTHERS
            if act == "greeting":
                self.speech.add_lines(self.voice.bank("social/greeting")["open"], 2)
            self._begin_or("again")
        elif act == "goodbye":
            self.speech.add_lines(self.voice.bank("social/goodbye")["open"], 0)
            self._stop(closing=False)
        elif (
            self.said
            and "says_worried" not in self.said
            and act in (None, "short", "no", "complaint")
        ):
            self._steered()
        elif act in ("yes", "no", "short", "advice"):
            self._begin_or("ready")
        elif act is not None:
            self._social(act)
        elif _PATIENCE.search(feelings.plain_of(self.context.text)):
            self._begin_or("ready")
        elif self._mood_of_words() == "worried" or "says_worried" in self.said:
            self.strategy = Strategy.AFFIRMATION
            self.speech.add("worried", "acknowledge", 1)
            self._begin_or("ready")
        elif self._mood_of_words() == "low":
            self._steered("says_frustrated")
        elif self._mood_of_words() == "glad":
            self.strategy = Strategy.AFFIRMATION
            self.speech.add("session", "glad", 1)
            self._begin_or("again")
        elif self.problem is None:
            self._begin()
        else:
            self.strategy = Strategy.OTHERS
            self.speech.add("session", "unsure", 1)
            self._begin_or("again")

    def _about_life(self, act: str | None) -> bool:
        """Say whether the message is about a hardship outside the lesson."""
        text, state = self.context.text, self.context.state
        if act is not None or is_good_news(text):
            return False
        if is_loss(text):
            return True
        low = not state.uncertain and state.label in _LOW
        topic = topic_of(text)
        if self.said:  # it is the lesson that is hard, unless something else is named
            return is_hard(text) and topic in _LIFE
        return (is_hard(text) and topic not in ("school", "exams")) or (low and topic in _LIFE)

    def _support(self) -> None:
        """Answer as in any conversation, and let the exercise wait."""
        self.strategy = Strategy.REFLECTION
        state, topic = self.context.state, topic_of(self.context.text)
        family = "rough" if state.uncertain or state.label not in _LOW else str(state.label)
        question = self.voice.bank(f"question/{family}")
        soft = self.voice.bank(f"topics/{topic}") if topic else {}
        self.speech.add_lines(soft.get("acknowledge") or question["acknowledge"], 0)
        self.speech.add_lines(soft.get("ask") or question["ask"], 1)
        self.speech.add("session", "waits", 2)

    def _steered(self, sign: str | None = None) -> None:
        """Answer a feeling about the lesson, then choose what follows by the mood."""
        self.strategy = Strategy.AFFIRMATION
        self._acknowledge(rank=1, kind=sign)
        said = sign or next(iter(self.said), None)
        if self.problem is None:
            self._begin()
        elif said == "says_frustrated":
            if self.problem.level > 1:
                self._easier(self.problem)
            else:
                self._hint(self.problem)
        elif said in ("says_bored", "says_indifferent"):
            self._harder(self.problem)
        else:
            self._begin_or("again")

    def _social(self, act: str) -> None:
        """Answer a conversational act, and come back to the exercise."""
        self.strategy = Strategy.OTHERS
        if act == "request":
            sums = any(c.isdigit() for c in self.context.text)
            self.speech.add("session", "own_sum" if sums else "off_topic", 1)
        else:
            self.speech.add_lines(self.voice.bank(f"social/{act}").get("open", ()), 1)
        self._begin_or("again")

    def _stop(self, *, closing: bool = True) -> None:
        self.strategy = Strategy.OTHERS
        if closing:
            self.speech.add("session", "stop", 0)
        if self.state.solved:
            self.speech.add("session", "stop_count", 2, a=str(self.state.solved))
        if closing:
            self.speech.add("session", "later", 1)

    def _begin_or(self, role: str) -> None:
        """Say the open exercise again, or give the first one."""
        if self.problem is None:
            self._begin()
        else:
            self.speech.add_task(role, self.problem)

    def _begin(self) -> None:
        skill = named_skill(self.context.text) or mastery.following(self.known)
        level = self._level(skill)
        if feelings.mood_of(self.learning) == "frustrated":
            level = max(1, level - 1)
        if self.known:
            self.speech.add("session", "back", 3, topic=_name(skill))
        else:
            self._topics(3)
        self._give(skill, level, "first")

    # -- giving and taking back ---------------------------------------------------------------

    def _next(self, problem: Problem, *, right: bool, rank: int = 0) -> None:
        choice = policy.choose(
            policy.Situation(
                skill=problem.skill,
                level=problem.level,
                right=right,
                mood=feelings.mood_of(self.learning),
                glad=self._glad(),
                settled=self.state.settled,
                failed=self.state.failed,
                known=self.known,
            )
        )
        self._give(choice.skill, choice.level, choice.manner, rank=rank)

    def _give(self, skill: str, level: int, manner: str, *, rank: int = 0) -> None:
        """Give a new exercise, introduced in ``manner``."""
        state = self.state
        problem, digest = self._fresh(skill, level)
        steer = self.voice.bank("tutoring/steering")
        slots = {"topic": _name(skill)} if manner == "switch" else {}
        if manner in steer:
            self.speech.add("steering", manner, 3, **slots)
        if manner == "explain":
            self._explain(problem, 2)
        self.speech.add_task("first" if manner == "first" else "next", problem, rank=rank)
        self.problem = problem
        self._keep(
            version=VERSION, exercise=problem.id, hints=0, tries=0, examples=0, counted=False,
            settled=manner == "settle", asked_at=self.context.at, served=state.served + 1,
            recent=(*state.recent, digest)[-KEPT:],
        )  # fmt: skip

    def _fresh(self, skill: str, level: int) -> tuple[Problem, str]:
        """Draw an exercise that was not among the last ones of this conversation."""
        name = f"{self.context.user.user}|{self.context.conversation}|{self.state.served}"
        seed = int.from_bytes(_hash(f"{name}|{skill}|{level}")[:4], "big") // 2
        problem = make(skill, level, seed)
        for more in range(1, 50):
            if _hash(problem.task).hex()[:8] not in self.state.recent:
                break
            problem = make(skill, level, seed + more)
        return problem, _hash(problem.task).hex()[:8]

    def _close(self, problem: Problem, result: str, *, streak: int = 0) -> None:
        solved = result in ("right", "helped")
        self._keep(
            solved=self.state.solved + solved,
            failed=0 if solved else self.state.failed + (result == "shown"),
            streak=streak,
            results=(*self.state.results, f"{problem.id} {result}")[-KEPT:],
        )

    def _count(self, problem: Problem, right: bool) -> None:
        """Update knowledge tracing with an exercise, once."""
        if self.state.counted:
            return
        new = mastery.observe(self.known, problem.skill, problem.level, right)
        self.known |= new
        self.changed |= new
        self._keep(counted=True)

    def _keep(self, **fields: object) -> None:
        self.state = self.state.model_copy(update=fields)

    # -- feelings -----------------------------------------------------------------------------

    def _feel(self, *signs: str, felt: bool) -> None:
        """Infer how the learner is doing; ``felt``: whether the words say how they feel."""
        shares = dict.fromkeys((*signs, *self.said), 1.0)
        if felt:
            shares |= feelings.signs_felt(self.context.state)
        self.learning = feelings.infer(self.learning, shares)

    def _acknowledge(self, *, rank: int, kind: str | None = None) -> None:
        """Answer the feeling in the words before anything else."""
        banks = {
            "says_frustrated": "frustrated", "says_confused": "stuck", "says_bored": "bored",
            "says_indifferent": "bored",
        }  # fmt: skip
        bank = banks.get(kind or next((s for s in self.said if s in banks), ""))
        if bank is None and "says_keen" in self.said:
            self.speech.add("session", "glad", rank)
        elif bank:
            self.speech.add(bank, "acknowledge", rank)

    def _mood_of_words(self) -> str | None:
        state = self.context.state
        if state.uncertain:
            return None
        if state.label is Emotion.FEAR:
            return "worried"
        if state.label is Emotion.JOY:
            return "glad"
        return "low" if state.label in _LOW else None

    def _glad(self) -> bool:
        words = bool(self.said) and "says_keen" in self.said
        state = self.context.state
        return words and not state.uncertain and state.label is Emotion.JOY

    def _level(self, skill: str) -> int:
        return mastery.working_level(self.known, skill)

    def _seconds(self) -> float | None:
        if self.context.at is None or self.state.asked_at is None:
            return None
        return self.context.at - self.state.asked_at


def sibling_of(problem: Problem, number: int) -> Problem:
    """Return an exercise of the same kind with another answer, for a worked example."""
    shape = [problem.ask.role, *(step.line.role for step in problem.steps)]
    near: Problem | None = None
    for seed in range(problem.seed + 1 + 100 * number, problem.seed + 400 + 100 * number):
        other = make(problem.skill, problem.level, seed)
        if other.answer == problem.answer or other.task == problem.task:
            continue
        if [other.ask.role, *(step.line.role for step in other.steps)] == shape:
            return other
        near = near or other
    # Four hundred draws of ours never give one answer; a registered skill may have few.
    return near or make(problem.skill, problem.level, problem.seed + 1 + 100 * number)


def _kept(context: ReplyContext) -> TutorState:
    state = context.memory.tutoring or TutorState()
    if state.version != VERSION:
        # With another version the same seed makes a different exercise.
        return state.model_copy(update={"version": VERSION, "exercise": None})
    return state


def _open(state: TutorState) -> Problem | None:
    if state.exercise is None:
        return None
    try:
        skill, level, seed = state.exercise.split("-")
        return make(skill, int(level), int(seed))
    except (ValueError, InputError):
        return None


def _name(skill: str) -> str:
    return spec_of(skill).spoken


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
