"""The safety protocol's first ear: which named signs stand in what was just said?

A list of patterns: it can be read, tested and argued with, and it misses what nobody wrote down.
The second ear is the model of ``risk.py``, which reads the same signs among other things.
See ``docs/safety.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from empathic_sdk.language.normalization import flatten, segments, spell
from empathic_sdk.safety.cues import (
    BYE,
    DEADLY,
    FICTION,
    FIRST,
    IDIOMS,
    INTENT,
    JOKE,
    LEFT,
    MEANS,
    NEGATED,
    NIGHT,
    NO,
    NO_DENIAL,
    PAST,
    PLACE,
    SAFE,
    SAYS_I,
    SOFT,
    STILL,
    SUBJECT,
    THANKS,
    TIME,
    YES,
)
from empathic_sdk.safety.dangers import DANGERS, FOREIGN
from empathic_sdk.safety.signs import SIGNS, SUICIDE_REASONS, Sign
from empathic_sdk.safety.wordings import SCRIPTS, TONGUES, WORDINGS
from empathic_sdk.types import Emotion, EmotionState, SafetyAssessment, SafetyLevel, Trend

_TABLES = (*SIGNS, *DANGERS, *WORDINGS, *FOREIGN, *TONGUES)
_ORDER = list(SafetyLevel)
_KEEP = 20  # segments examined closely; the rarest anchors first, so that a flood hides nothing
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


def assess(
    text: str, state: EmotionState | None = None, *, previous: SafetyLevel = SafetyLevel.NONE
) -> SafetyAssessment:
    """Say how worrying one utterance is, and by which signs.

    Pure and linear in the length of the text: 100,000 characters take a few milliseconds. Never
    raises on any string.

    Args:
        text: What the person said, any length.
        state: What they show; lets weak signs count when the state is low.
        previous: Level of their last turn. After ``imminent`` a turn is at least ``high`` and
            after ``high`` at least ``concern``, unless they say that they are safe; a bare "yes"
            there is an answer to the question that was asked.

    Returns:
        Level and reasons; ``actions`` and ``help_lines`` are the responder's to fill.
    """
    return Heard.of(text).assess(state, previous=previous)


@dataclass(frozen=True)
class Heard:
    """One text as the patterns see it: its segments, and the signs in each.

    Attributes:
        spoken: The segments worth a close look, spelled out.
        signs: The worst level of every sign found in them.
    """

    spoken: tuple[str, ...]
    signs: Mapping[str, SafetyLevel]

    @classmethod
    def of(cls, text: str) -> Heard:
        """Look for signs in ``text``; the slow part, done once a turn."""
        spoken = _close_look(text)
        found: dict[str, SafetyLevel] = {}
        for segment in spoken:
            for reason, level in _signs_in(segment):
                if rank(level) > rank(found.get(reason, SafetyLevel.NONE)):
                    found[reason] = level
        return cls(tuple(spoken), found)

    def assess(
        self,
        state: EmotionState | None = None,
        *,
        previous: SafetyLevel = SafetyLevel.NONE,
        asked: bool = False,
    ) -> SafetyAssessment:
        """Weigh the signs in the light of a state and of the turn before.

        Args:
            state: What the person shows.
            previous: Level of their last turn.
            asked: Whether the last reply asked directly about suicide, so that a bare "yes" is
                an answer whatever the last level was.
        """
        found, spoken = dict(self.signs), list(self.spoken)
        _combine(found, spoken, state)
        _remember(found, spoken, previous)
        answers = asked and "confirmed" not in found and spoken and YES.match(spoken[0])
        if answers and not SAFE.search(" . ".join(spoken)):
            found["confirmed"] = SafetyLevel.HIGH
        level = max(found.values(), key=rank, default=SafetyLevel.NONE)
        return SafetyAssessment(level=level, reasons=tuple(sorted(found)))


def speaks_foreign(spoken: Sequence[str]) -> bool:
    """Say whether a sign in another language than English stands in segments."""
    tables = (*FOREIGN, *TONGUES, *SCRIPTS)
    return any(sign.pattern.search(segment) for segment in spoken for sign in tables)


def rank(level: SafetyLevel) -> int:
    """Return 0 for ``none`` to 3 for ``imminent``."""
    return _ORDER.index(level)


def _close_look(text: str) -> list[str]:
    """Return the segments worth a close look, in their order, spelled out."""
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


def _signs_in(segment: str) -> list[tuple[str, SafetyLevel]]:
    plain = IDIOMS.sub(" _ ", segment)
    if segment in ("suicide", "suicidal"):
        return [("suicidal_statement", SafetyLevel.HIGH)]
    found: list[tuple[str, SafetyLevel]] = []
    for sign in _TABLES if plain.isascii() else (*_TABLES, *SCRIPTS):
        for match in sign.pattern.finditer(plain):
            found += _weigh(sign, match, plain)
    return found


def _weigh(sign: Sign, match: re.Match[str], plain: str) -> list[tuple[str, SafetyLevel]]:
    """Lower what is denied, past, told of somebody else, or said as a joke."""
    before = plain[max(0, match.start() - 70) : match.start()]
    level = sign.level
    concern = SafetyLevel.CONCERN
    if not sign.literal and _denied(before):
        # "not suicidal, but ...": what follows the but decides, and is worth a gentle look.
        more = re.search(r"\b(?:but|though|although|except|yet)\b", plain[match.end() :])
        return [("denied", concern)] if more else []
    about_me = bool(re.search(r"\b(?:me|myself|i|my)\b", match[0]))
    if FICTION.search(plain) and not about_me and not SAYS_I.search(before):
        return []
    subjects = list(SUBJECT.finditer(before + match[0][:12]))
    if (
        sign.reason
        not in (
            "abuse",
            "unsafe_home",
            "harm_to_others",
            "harm_done",
            "bereavement",
            "other_person",
        )
        and not about_me
        and subjects
        and not FIRST.search(before[subjects[-1].end() :])
    ):
        return [("other_person", concern)]
    if sign.reason == "unsafe_home" and match[0][:5] in ("abusi", "viole") and LEFT.search(before):
        return [("left_danger", concern)]
    if (
        sign.reason not in ("bereavement", "harm_done")
        and PAST.search(plain)
        and not STILL.search(plain)
    ):
        return [("past", concern), (sign.reason, concern)]
    if sign.joke and JOKE.search(plain) and not MEANS.search(plain):
        # A vague sign told with a laugh is a laugh; a plain one still deserves a look.
        return [] if sign.level == concern else [("joke", concern), (sign.reason, concern)]
    return [(sign.reason, level)]


def _denied(before: str) -> bool:
    # The words right before the match; a comma or a conjunction ends a denial's reach.
    clause = re.split(r"\b(?:but|because|and|so)\b|,", before)[-1]
    return bool(NEGATED.search(clause)) and not NO_DENIAL.search(clause)


def _combine(found: dict[str, SafetyLevel], spoken: list[str], state: EmotionState | None) -> None:
    """Add what only shows across sentences: intent, means, a time; a goodbye; a low state."""
    whole = " . ".join(spoken)
    low = state is not None and (
        (state.label in (Emotion.SADNESS, Emotion.FEAR) and state.intensity >= 0.6)
        or state.trend == Trend.WORSENING
    )
    soft = len(set(SOFT.findall(whole)))
    if not found and soft and (low or soft > 1):
        found["hopelessness"] = SafetyLevel.CONCERN
    if NIGHT.search(whole) and (THANKS.search(whole) or BYE.search(whole)):
        found.setdefault("farewell", SafetyLevel.CONCERN)
    if PLACE.search(whole):
        if found.keys() & (SUICIDE_REASONS | {"hopelessness"}):
            found["preparation"] = SafetyLevel.IMMINENT
        elif low:
            found["own_death"] = SafetyLevel.CONCERN
    if "hopelessness" in found and BYE.search(whole):
        found["farewell"] = SafetyLevel.HIGH
    if "own_death" in found and len(found) > 1:
        del found["own_death"]  # a vague sign says nothing beside a plain one
    if "suspicious_purchase" in found and len(found) > 1:
        found["suspicious_purchase"] = SafetyLevel.HIGH
    if "giving_away" in found and ("hopelessness" in found or BYE.search(whole) or "need" in whole):
        found["giving_away"] = SafetyLevel.HIGH
    acute = {
        reason
        for reason, level in found.items()
        if rank(level) >= rank(SafetyLevel.HIGH)
        and (reason in SUICIDE_REASONS or reason in ("self_harm", "harm_to_others"))
    }
    if not acute:
        if DEADLY.search(whole) and INTENT.search(whole):
            found["means"] = found["intent"] = SafetyLevel.HIGH
        return
    for reason, pattern in (("means", MEANS), ("time", TIME), ("intent", INTENT)):
        for match in pattern.finditer(whole):
            if not _denied(whole[max(0, match.start() - 40) : match.start()].split(" . ")[-1]):
                found[reason] = SafetyLevel.IMMINENT
                break


def _remember(found: dict[str, SafetyLevel], spoken: list[str], previous: SafetyLevel) -> None:
    """Stay attentive after a worrying turn: it ebbs by one level a turn, and a yes is an answer."""
    if rank(previous) < rank(SafetyLevel.HIGH):
        return
    whole = " . ".join(spoken)
    first = spoken[0] if spoken else ""
    if INTENT.search(whole) and not NO.match(first):
        found["intent"] = SafetyLevel.IMMINENT
    for reason, pattern in (("means", MEANS), ("time", TIME)):
        if pattern.search(whole) and not (NO.match(first) or SAFE.search(whole)):
            found.setdefault(reason, SafetyLevel.HIGH)
    if YES.match(first) and not SAFE.search(whole):
        found["confirmed"] = SafetyLevel.HIGH
        if TIME.search(whole) or MEANS.search(whole):
            found["intent"] = SafetyLevel.IMMINENT
    elif NO.match(first) or SAFE.search(whole):
        found["recent_risk"] = SafetyLevel.CONCERN
        if SAFE.search(whole):
            found["reached_out"] = SafetyLevel.CONCERN
    elif BYE.search(whole):
        found["farewell"] = SafetyLevel.HIGH
    else:
        found["recent_risk"] = (
            SafetyLevel.HIGH if previous == SafetyLevel.IMMINENT else SafetyLevel.CONCERN
        )
