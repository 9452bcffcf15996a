"""The detector: finds named risk patterns in a text and weighs them.

Patterns can be read, tested and discussed, but they miss unforeseen wordings: therefore a model
also reads the text in its dialogue (``risk_model.py``; ``decision.py`` joins the two). The
patterns themselves are data (``patterns/*.toml``). See ``docs/safety.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from empathic_sdk.language.normalization import flatten, segments, spell
from empathic_sdk.safety import cues
from empathic_sdk.safety.kinds import SUICIDE_REASONS, rank
from empathic_sdk.safety.pattern_files import RiskPatterns, risk_patterns
from empathic_sdk.types import Emotion, EmotionState, SafetyAssessment, SafetyLevel, Trend

_KEEP = 20  # segments examined closely, rarest anchors first, so that flooding hides nothing
_ANCHORS = (
    "kill", "suic", "sui", "unaliv", "kms", "die", "dying", "dead", "death", "end ", "alive",
    "be here", "live", "living", "exist", "wake", "without me", "gone", "miss me", "goodbye",
    "good bye", "bye", "pill", "meds", "medic", "tablet", "rope", "gun", "bridge", "roof",
    "ledge", "harm", "cut", "burn", "hurt", "point", "hope", "burden", "disappear", "any more",
    "anymore", "way out", "matter", "giv", "need", "hits", "hit me", "beat", "chok", "punch",
    "slap", "rap", "abus", "molest", "safe", "afraid", "scared", "terrif", "murder", "stab",
    "shoot", "strangl", "born", "go on", "slide", "worth", "meteor", "threat", "note", "letter",
    "overdos", "bomb", "let me", "violent", "forever", "stop", "slit", "hang", "tired", "sick of",
    "leben", "sterben", "umbring", "bring", "selbst", "suizid", "ritz", "morir", "vivir", "vida",
    "mat", "mourir", "vivre", "tuer", "jours", "finir", "ward", "vanish", "cope", "alone", "numb",
    "empty", "done", "meaning", "kick", "assault", "plan", "ready", "lock", "s1", "k1", "k*",
    "k!", "su", "d*e", "od", "off", "peace", "keep", "over", "sense", "grab", "room", "bed",
    "touch", "purchas", "bought", "forced", "driv", "jump", "world", "swallow", "promise",
    "birthday", "keeping", "holding", "bleed", "asleep", "woke", "took", "down", "unal", "take",
    "tonite", "tonight", "yes", "no", "star", "cutting", "life", "push", "shov", "drag", "threw",
    "hit by", "run over", "struck", "wheel", "voices",
    "enough", "train", "fence", "insulin", "surviv", "around", "unsub", "kermit", "commit",
    "help me", "bother", "sorry when", "person", "neck", "throat", "makes me", "list", "deep",
    "mor", "uccid", "ammazz", "finita", "matar", "dood", "zelf", "umrz", "zabi", "zyc", "olmek",
    "intihar", "yasamak", "mitt liv", "sjalv", "leva", "chaht", "ausweg", "schluss",
)  # fmt: skip


# Reasons that the model was trained on, so that it may let them pass.
MODELLED = SUICIDE_REASONS - {"method_request"} | {
    "hopelessness", "self_harm", "past", "other_person", "bereavement", "joke", "denied", "means",
    "time", "intent",
}  # fmt: skip

MARKS = 8
"""Number of input features of the model that describe the findings."""

# Reasons about acts of others, or past acts: no preceding word changes their meaning.
_OF_OTHERS = frozenset({
    "abuse", "unsafe_home", "harm_to_others", "harm_done", "bereavement", "other_person",
})  # fmt: skip

_PATTERNS = tuple(group for group in risk_patterns() if not group.script)
_WITH_SCRIPTS = (*_PATTERNS, *(group for group in risk_patterns() if group.script))
_FOREIGN = tuple(group for group in risk_patterns() if group.foreign)


def assess(
    text: str, state: EmotionState | None = None, *, previous: SafetyLevel = SafetyLevel.NONE
) -> SafetyAssessment:
    """Assess one utterance by the patterns alone.

    Pure, and linear in the length of the text: 100,000 characters take a few milliseconds. Does
    not raise for any string.

    Args:
        text: What the person said, any length.
        state: Their emotion state; a low one lets weak signs count.
        previous: Level of their last turn. After ``imminent`` a turn is at least ``high`` and
            after ``high`` at least ``concern``, unless they say that they are safe; a bare "yes"
            then answers the question that was asked.

    Returns:
        Level and reasons; ``actions`` and ``help_lines`` are filled by the responder.
    """
    return RiskFindings.of(text).assess(state, previous=previous)


class Finding(NamedTuple):
    """One match of a risk pattern.

    Attributes:
        id: Id of the pattern.
        reason: The resulting reason: the pattern's own, or ``past other_person joke denied ...``.
        level: The resulting level.
        segment: Index into :attr:`RiskFindings.segments`.
        start: Start in that segment.
        end: End in that segment.
    """

    id: str
    reason: str
    level: SafetyLevel
    segment: int
    start: int
    end: int


@dataclass(frozen=True)
class RiskFindings:
    """The risk patterns found in one text.

    Attributes:
        segments: The clauses examined closely, normalised, in order.
        findings: All matches, weighed by the words around them.
    """

    segments: tuple[str, ...]
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, text: str) -> RiskFindings:
        """Search a text; this is the slow part, done once per turn."""
        parts = tuple(_close_look(text))
        return cls(parts, tuple(f for n, part in enumerate(parts) for f in _search(n, part)))

    @cached_property
    def levels(self) -> Mapping[str, SafetyLevel]:
        """The worst level of each reason found."""
        found: dict[str, SafetyLevel] = {}
        for finding in self.findings:
            if rank(finding.level) > rank(found.get(finding.reason, SafetyLevel.NONE)):
                found[finding.reason] = finding.level
        return found

    @cached_property
    def alone(self) -> SafetyAssessment:
        """The assessment without a state and earlier turns."""
        return self.assess()

    @cached_property
    def foreign(self) -> bool:
        """Whether one of the findings is not in English."""
        return bool(self.alone.reasons) and any(
            group.regex.search(part) for part in self.segments for group in _FOREIGN
        )

    def marks(self) -> tuple[float, ...]:
        """Return the findings as :data:`MARKS` features, each 0 or 1, for the model."""
        found, level = set(self.alone.reasons), rank(self.alone.level)
        return (
            *(float(level >= k) for k in (1, 2, 3)),
            float(bool(found & (SUICIDE_REASONS | {"self_harm"}))),
            float(bool(found & {"other_person", "bereavement"})),
            float("past" in found),
            float(bool(found & {"joke", "denied"})),
            float(bool(found - MODELLED)),
        )

    def assess(
        self,
        state: EmotionState | None = None,
        *,
        previous: SafetyLevel = SafetyLevel.NONE,
        asked: bool = False,
    ) -> SafetyAssessment:
        """Assess the findings, given a state and the previous turn.

        Args:
            state: The person's emotion state.
            previous: Level of their last turn.
            asked: Whether the last reply asked directly about suicide, so that a bare "yes" is
                an answer at any previous level.
        """
        found = dict(self.levels)
        _combine(found, self.segments, state)
        _remember(found, self.segments, previous)
        answers = (
            asked
            and "confirmed" not in found
            and self.segments
            and cues.starts("yes", self.segments[0])
        )
        if answers and not cues.has("safe", " . ".join(self.segments)):
            found["confirmed"] = SafetyLevel.HIGH
        level = max(found.values(), key=rank, default=SafetyLevel.NONE)
        return SafetyAssessment(level=level, reasons=tuple(sorted(found)))


def _close_look(text: str) -> list[str]:
    """Return the segments to examine closely, in order, spelled out."""
    parts = segments(flatten(text))
    if len(parts) > _KEEP:
        numbered = list(enumerate(parts))
        groups = [[index for index, part in numbered if anchor in part] for anchor in _ANCHORS]
        chosen: dict[int, None] = {}
        for indices in sorted(groups, key=len):
            for index in (*indices[:8], *indices[-8:]):
                chosen[index] = None
                if len(chosen) >= _KEEP:
                    break
            if len(chosen) >= _KEEP:
                break
        parts = [parts[index] for index in sorted(chosen)]
    return [spell(part) for part in parts]


def _search(number: int, segment: str) -> list[Finding]:
    plain = cues.without_idioms(segment)
    return [
        Finding(pattern.id, reason, level, number, match.start(), match.end())
        for group in (_PATTERNS if plain.isascii() else _WITH_SCRIPTS)
        for pattern, match in group.finditer(plain)
        for reason, level in _weigh(group, match, plain)
    ]


def _weigh(group: RiskPatterns, match: re.Match[str], plain: str) -> list[tuple[str, SafetyLevel]]:
    """Lower the level of what is denied, past, about somebody else, or a joke."""
    before = plain[max(0, match.start() - 70) : match.start()]
    concern = SafetyLevel.CONCERN
    if group.deniable and _denied(before):
        # "not suicidal, but ...": the clause after "but" decides, and is a concern.
        more = re.search(r"\b(?:but|though|although|except|yet)\b", plain[match.end() :])
        return [("denied", concern)] if more else []
    about_me = bool(re.search(r"\b(?:me|myself|i|my)\b", match[0]))
    if cues.has("fiction", plain) and not about_me and not cues.has("says_i", before):
        return []
    subjects = cues.places("subject", before + match[0][:12])
    if (
        group.reason not in _OF_OTHERS
        and not about_me
        and subjects
        and not cues.has("first_person", before[subjects[-1].end() :])
    ):
        return [("other_person", concern)]
    if (
        group.reason == "unsafe_home"
        and match[0][:5] in ("abusi", "viole")
        and cues.has("left", before)
    ):
        return [("left_danger", concern)]
    if (
        group.reason not in ("bereavement", "harm_done")
        and cues.has("past", plain)
        and not cues.has("still", plain)
    ):
        return [("past", concern), (group.reason, concern)]
    if group.joking and cues.has("joke", plain) and not cues.has("means", plain):
        # A vague sign with a joke marker is a joke; a plain one is still a concern.
        return [] if group.level == concern else [("joke", concern), (group.reason, concern)]
    return [(group.reason, group.level)]


def _denied(before: str) -> bool:
    # The words right before the match; a comma or a conjunction ends a denial's reach.
    clause = re.split(r"\b(?:but|because|and|so)\b|,", before)[-1]
    return bool(cues.has("negated", clause)) and not cues.has("no_denial", clause)


def _combine(
    found: dict[str, SafetyLevel], parts: Sequence[str], state: EmotionState | None
) -> None:
    """Add findings across sentences: intent, means, a time; a goodbye; a low state."""
    whole = " . ".join(parts)
    low = state is not None and (
        (state.label in (Emotion.SADNESS, Emotion.FEAR) and state.intensity >= 0.6)
        or state.trend == Trend.WORSENING
    )
    soft = len({match[0] for match in cues.places("soft", whole)})
    if not found and soft and (low or soft > 1):
        found["hopelessness"] = SafetyLevel.CONCERN
    if cues.has("last_night", whole) and (cues.has("thanks", whole) or cues.has("goodbye", whole)):
        found.setdefault("farewell", SafetyLevel.CONCERN)
    if cues.has("place", whole):
        if found.keys() & (SUICIDE_REASONS | {"hopelessness"}):
            found["preparation"] = SafetyLevel.IMMINENT
        elif low:
            found["own_death"] = SafetyLevel.CONCERN
    if "hopelessness" in found and cues.has("goodbye", whole):
        found["farewell"] = SafetyLevel.HIGH
    if "own_death" in found and len(found) > 1:
        del found["own_death"]  # a vague sign adds nothing to a plain one
    if "suspicious_purchase" in found and len(found) > 1:
        found["suspicious_purchase"] = SafetyLevel.HIGH
    if "giving_away" in found and (
        "hopelessness" in found or cues.has("goodbye", whole) or "need" in whole
    ):
        found["giving_away"] = SafetyLevel.HIGH
    acute = {
        reason
        for reason, level in found.items()
        if rank(level) >= rank(SafetyLevel.HIGH)
        and (reason in SUICIDE_REASONS or reason in ("self_harm", "harm_to_others"))
    }
    if not acute:
        if cues.has("deadly", whole) and cues.has("intent", whole):
            found["means"] = found["intent"] = SafetyLevel.HIGH
        return
    for reason in ("means", "time", "intent"):
        for match in cues.places(reason, whole):
            if not _denied(whole[max(0, match.start() - 40) : match.start()].split(" . ")[-1]):
                found[reason] = SafetyLevel.IMMINENT
                break


def _remember(found: dict[str, SafetyLevel], parts: Sequence[str], previous: SafetyLevel) -> None:
    """Keep the level up after a worrying turn (one level lower per turn); "yes" is an answer."""
    if rank(previous) < rank(SafetyLevel.HIGH):
        return
    whole = " . ".join(parts)
    first = parts[0] if parts else ""
    if cues.has("intent", whole) and not cues.starts("no", first):
        found["intent"] = SafetyLevel.IMMINENT
    for reason in ("means", "time"):
        if cues.has(reason, whole) and not (cues.starts("no", first) or cues.has("safe", whole)):
            found.setdefault(reason, SafetyLevel.HIGH)
    if cues.starts("yes", first) and not cues.has("safe", whole):
        found["confirmed"] = SafetyLevel.HIGH
        if cues.has("time", whole) or cues.has("means", whole):
            found["intent"] = SafetyLevel.IMMINENT
    elif cues.starts("no", first) or cues.has("safe", whole):
        found["recent_risk"] = SafetyLevel.CONCERN
        if cues.has("safe", whole):
            found["reached_out"] = SafetyLevel.CONCERN
    elif cues.has("goodbye", whole):
        found["farewell"] = SafetyLevel.HIGH
    else:
        found["recent_risk"] = (
            SafetyLevel.HIGH if previous == SafetyLevel.IMMINENT else SafetyLevel.CONCERN
        )
