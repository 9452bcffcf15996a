"""Reads a person's profile from the store, and checks its attributes."""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database

from empathic_sdk.errors import InputError
from empathic_sdk.profiles.checks import check_text
from empathic_sdk.profiles.damage import parsed, reading_from
from empathic_sdk.profiles.learning import VERSION
from empathic_sdk.profiles.rows import context_of
from empathic_sdk.types import Behaviour, Emotion, Profile

# What people may say about themselves, and how long it may be.
ATTRIBUTES: Mapping[str, int] = {"name": 64, "pronouns": 32, "age_group": 16, "timezone": 64}
_COLUMNS = """SELECT transitions, valence_sum, arousal_sum, valence_squares, arousal_squares,
                     learning.learned, learning.version
              FROM users LEFT JOIN learning ON learning.user_id = users.id WHERE users.name = ?"""

# What preferences mean in numbers: warmth, directness, formality, length, pace, advice.
_MEANS: Mapping[tuple[str, str], tuple[int, float]] = {
    **{("tone", v): (0, 1.0) for v in ("gentle", "soft", "warm", "friendly", "casual")},
    **{("tone", v): (1, 1.0) for v in ("blunt", "direct", "brief")},
    **{("tone", v): (2, 1.0) for v in ("formal", "polite", "professional")},
    **{("pacing", v): (3, -1.0) for v in ("short", "brief")},
    **{("pacing", v): (4, -1.0) for v in ("slow", "unhurried")},
    **{("pacing", v): (4, 1.0) for v in ("fast", "lively")},
    **{("advice", v): (5, -1.0) for v in ("no", "none", "never", "off", "unwanted")},
    ("advice", "yes"): (5, 1.0),
}


def check_attributes(attributes: Mapping[str, str | None]) -> None:
    """Raise :class:`InputError` for what is not on the list, or too long."""
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            raise InputError(f"no attribute is named {name!r}; there are {', '.join(ATTRIBUTES)}")
        if value is None:
            continue
        check_text(value, f"attribute {name}")
        if not 1 <= len(value.strip()) <= ATTRIBUTES[name] or not value.isprintable():
            raise InputError(
                f"attribute {name} must have 1 to {ATTRIBUTES[name]} printable characters"
            )


def embedded(preferences: Mapping[str, str]) -> tuple[float, ...]:
    """Return preferences as six numbers in [-1, 1]."""
    out = [0.0] * 6
    for name, value in preferences.items():
        place = _MEANS.get((name, value.strip().lower()))
        if place is not None:
            out[place[0]] = place[1]
    return tuple(out)


def profile_of(db: Database, user: str) -> Profile:
    """Return all that is known of ``user`` as one value."""
    with reading_from("users"):
        return _profile_of(db, user)


def _profile_of(db: Database, user: str) -> Profile:
    person = context_of(db, user)
    row = db.execute(_COLUMNS, [user]).fetchone()
    if row is None:
        return Profile(user=user)
    moved, valence, arousal, valence2, arousal2, learned, version = row
    n = max(1, person.turns)
    transitions: dict[Emotion, dict[Emotion, int]] = {}
    for step, count in parsed("users.transitions", moved).items():
        before, after = step.split(">")
        transitions.setdefault(Emotion(before), {})[Emotion(after)] = count

    def clip(x: float, low: float) -> float:  # adding up may round a hair past the ends
        return max(low, min(1.0, x))

    return Profile(
        user=user,
        attributes=person.attributes,
        behaviour=Behaviour(
            turns=person.turns,
            conversations=person.conversations,
            mean_valence=person.mean_valence,
            mean_arousal=clip(arousal / n, -1.0),
            var_valence=clip(valence2 / n - (valence / n) ** 2, 0.0),
            var_arousal=clip(arousal2 / n - (arousal / n) ** 2, 0.0),
        ),
        preferences=person.preferences,
        preference_vector=embedded(person.preferences),
        emotions=person.emotions,
        transitions=transitions,
        bias=person.bias,
        threshold=person.threshold,
        weights=person.weights,
        q=parsed("learning.learned", learned)["q"] if learned and version == VERSION else {},
        mastery=person.mastery,
    )
