"""Scenarios: the shipped ones (counselling, tutoring), and your own."""

from __future__ import annotations

from collections.abc import Callable, Collection

from empathic_sdk.errors import ConfigurationError, PolicyError
from empathic_sdk.tutoring import gives_up, require_sympy
from empathic_sdk.types import Modality, Utterance
from empathic_sdk.types.base import Value
from empathic_sdk.types.protocols import Responder, Scenario

# The field of an utterance that holds each modality, and its empty value.
_FIELDS: dict[Modality, tuple[str, object]] = {
    Modality.TEXT: ("text", None),
    Modality.SPEECH: ("audio", None),
    Modality.FACE: ("frames", ()),
    Modality.BEHAVIOUR: ("events", ()),
}


def _never(text: str) -> bool:
    return False


class FixedScenario(Value):
    """A scenario as a value; fits :class:`~empathic_sdk.types.protocols.Scenario`.

    Attributes:
        name: The name that hooks and responders see.
        modalities: Modalities that may be read; ``None``: all.
        responder: The responder; ``None``: the agent's own.
        surrenders: Says whether a text only gives up an exercise.
    """

    name: str
    modalities: frozenset[Modality] | None = None
    responder: Responder | None = None
    surrenders: Callable[[str], bool] = _never

    def gives_up(self, text: str, /) -> bool:
        """Say whether a text only gives up an exercise."""
        return self.surrenders(text)


COUNSELLING = FixedScenario(name="counselling")
TUTORING = FixedScenario(
    name="tutoring", modalities=frozenset({Modality.TEXT}), surrenders=gives_up
)
SHIPPED = {scenario.name: scenario for scenario in (COUNSELLING, TUTORING)}


def scenario_of(given: Scenario | str) -> Scenario:
    """Return the scenario that ``scenario=`` gives or names.

    Raises:
        ConfigurationError: It is not a shipped scenario's name and does not fit ``Scenario``.
        MissingExtraError: Tutoring without its extra.
    """
    if isinstance(given, str):
        if given not in SHIPPED:
            raise ConfigurationError(
                f"scenario must be one of {tuple(SHIPPED)}, not {given!r}, or an object with "
                "name, modalities, responder and gives_up"
            )
        given = SHIPPED[given]
    if not isinstance(given, Scenario) or isinstance(given, type):
        raise ConfigurationError(
            f"scenario must be one of {tuple(SHIPPED)}, or an object with name, modalities, "
            f"responder and gives_up, not {type(given).__name__}"
        )
    if given is TUTORING:
        require_sympy()
    return given


def readable(said: Utterance, scenario: Scenario) -> Utterance:
    """Return an utterance without what the scenario does not read.

    Raises:
        PolicyError: Nothing is left.
    """
    may = scenario.modalities
    if may is None or may.issuperset(said.modalities):
        return said
    if may.isdisjoint(said.modalities):
        kinds = " and ".join(sorted(may)) or "nothing"
        raise PolicyError(f"{scenario.name} reads {kinds} only; this utterance holds none")
    return without(said, may)


def without(said: Utterance, may: Collection[Modality]) -> Utterance:
    """Return an utterance with the modalities in ``may`` alone."""
    left = {field: empty for m, (field, empty) in _FIELDS.items() if m not in may}
    if signals := getattr(said, "signals", None):  # of registered modalities
        left["signals"] = {m: signal for m, signal in signals.items() if m in may}
    return said.model_copy(update=left)
