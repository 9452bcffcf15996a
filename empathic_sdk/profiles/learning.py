"""Learning from a person's feedback, as a pure function of their last turns.

Nothing is learned during a turn. Feedback re-reads the last ``TURNS`` turns of this person and
folds them, in order, into a :class:`Learned`: of repeated feedback on a turn only the last counts,
and the same turns give the same values in every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from empathic_sdk.profiles import qlearning
from empathic_sdk.profiles.calibration import Leaning, caution, step
from empathic_sdk.profiles.qlearning import Learner
from empathic_sdk.types import Modality

VERSION = 1
TURNS = 400
# No feedback counts as agreement, more so if they often give feedback.
SILENCE = 1.0
# No feedback says little about the quality of their corrections.
SENSE = 0.3
RATING_REWARD = 0.25
_RECENT = 3


@dataclass(frozen=True)
class Seen:
    """One turn, as learning uses it.

    Attributes:
        conversation: Which conversation it was in.
        general: ``[7]`` probabilities without the personal bias.
        shown: Index of the label that was shown.
        uncertain: Whether it came with a warning.
        apart: Label of each modality alone; empty if there was only one.
        felt: Index of what the person says they felt, if they said so.
        rating: -1, 0 or 1 for the reply, if they said so.
    """

    conversation: str
    general: tuple[float, ...]
    shown: int
    uncertain: bool
    apart: Mapping[str, int] = field(default_factory=dict)
    felt: int | None = None
    rating: int | None = None


@dataclass(frozen=True)
class Learned:
    """Everything that was learned about one person.

    Attributes:
        leaning: Bias and threshold.
        learner: Q-values and weights.
        spoken: Turns that they said something about.
        turns: Turns since the first of those.
        told: What their last feedback said of the label: 1 right, -1 wrong, 0 nothing yet.
        recent: Labels of the last turns.
        last: The last turn, while nothing was said about it.
    """

    leaning: Leaning = field(default_factory=Leaning)
    learner: Learner = field(default_factory=Learner)
    spoken: int = 0
    turns: int = 0
    told: int = 0
    recent: tuple[int, ...] = ()
    last: Seen | None = None

    def bias(self) -> tuple[float, ...]:
        """Return the bias of log-probabilities ``[7]``; empty if it must not be applied."""
        share = self.leaning.share
        return tuple(share * b for b in self.leaning.bias) if share else ()

    def threshold(self) -> float:
        """Return the correction of the threshold of ``uncertain``."""
        return self.leaning.caution if self.leaning.sensible else 0.0

    def weights(self) -> dict[Modality, float]:
        """Return the weight of each modality; empty if they are equal."""
        now = self.learner.weights
        if not self.leaning.sensible or len(set(now.values())) == 1:
            return {}
        return {Modality(m): w for m, w in qlearning.normalised(now).items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the stored part as JSON values, without turns."""
        return {
            "version": VERSION,
            "spoken": self.spoken,
            "turns": self.turns,
            "bias": list(self.leaning.bias),
            "proof": self.leaning.proof,
            "sense": self.leaning.sense,
            "corrections": self.leaning.corrections,
            "caution": self.leaning.caution,
            "weights": dict(self.learner.weights),
            "steps": self.learner.steps,
            "sums": dict(self.learner.sums),
            "squares": dict(self.learner.squares),
            "q": {s: list(row) for s, row in self.learner.table.items()},
        }


def learn(turns: Iterable[Seen], seed: str) -> Learned:
    """Learn from turns, oldest first.

    Args:
        turns: Turns of one person.
        seed: Seed of the exploration: the person's name.
    """
    out = Learned()
    for seen in turns:
        out = advance(out, seen, seed)
    return out


def advance(learned: Learned, seen: Seen, seed: str) -> Learned:
    """Learn from one more turn; before the first feedback nothing is learned."""
    last = learned.last
    if last is not None and last.conversation == seen.conversation and learned.spoken:
        learned = _resolve(learned, last, seed)
    told = seen.felt is not None or seen.rating is not None
    if told:
        learned = _resolve(replace(learned, spoken=learned.spoken + 1), seen, seed)
    return replace(
        learned,
        turns=learned.turns + bool(learned.spoken),
        recent=(*learned.recent, seen.shown)[-_RECENT:],
        last=None if told else seen,
    )


def _resolve(learned: Learned, seen: Seen, seed: str) -> Learned:
    """Learn from a turn whose feedback, or lack of it, is known."""
    silent = seen.felt is None and seen.rating is None
    told = learned.told
    if seen.felt is not None:
        told = 1 if seen.felt == seen.shown else -1
    leaning = learned.leaning
    felt, weight = seen.felt, 1.0
    if silent:
        felt, weight = seen.shown, min(1.0, SILENCE * learned.spoken / max(1, learned.turns))
    if seen.felt is not None:
        leaning = replace(leaning, corrections=leaning.corrections + 1)
    if felt is not None:
        leaning = step(leaning, seen.general, felt, weight, SENSE if silent else 1.0)
        leaning = caution(
            leaning, uncertain=seen.uncertain, right=felt == seen.shown, weight=weight
        )
    learner = learned.learner
    before = learned.recent[:-1] if silent else learned.recent  # silence is resolved a turn late
    if len(seen.apart) > 1:
        now = qlearning.state_of(
            shown=seen.shown, uncertain=seen.uncertain, apart=seen.apart,
            before=before, told=told,
        )  # fmt: skip
        if felt is not None:
            found = qlearning.advantages(apart=seen.apart, general=seen.general, felt=felt)
            learner = qlearning.witnessed(learner, found, weight)
            given = qlearning.rewards(found, right=felt == seen.shown)
            learner = qlearning.reward_all(learner, given, now, weight)
        else:
            reward = RATING_REWARD * (seen.rating or 0)
            learner = qlearning.reward_taken(learner, reward, now)
        learner = qlearning.decide(learner, now, tuple(seen.apart), seed)
    return replace(learned, leaning=leaning, learner=learner, told=told)
