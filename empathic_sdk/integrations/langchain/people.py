"""What is known of the person in a run of LangChain. Importing this needs LangChain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from langchain_core.runnables.config import ensure_config

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.llm.whose import Whose, whose
from empathic_sdk.types import UserContext


@runtime_checkable
class Users(Protocol):
    """Knows people by their names, as :class:`~empathic_sdk.ProfileStore` does."""

    def get(self, user: str, /) -> UserContext:
        """Return what is known of a person."""
        ...


Known = UserContext | Users | Callable[[Any], UserContext | None] | None
"""What ``user=`` takes: a value, an object with ``get(user)``, or a callable of the run."""


def check_user(known: Any) -> None:
    """Raise if ``user=`` is none of the things that it takes.

    Raises:
        ConfigurationError: It is not.
    """
    if not (known is None or isinstance(known, UserContext | Users) or callable(known)):
        raise ConfigurationError(
            "user= must be a UserContext, a callable, an object with get(user), or None"
        )


def person_of(
    known: Known, *, config: Mapping[str, Any] | None = None, runtime: Any = None
) -> tuple[UserContext, Whose]:
    """Return what is known of the person of a run, and the names of person and conversation.

    Args:
        known: What ``user=`` was given. An object with ``get`` is asked only for a person whom
            the run names.
        config: The run's config; by default that of the surrounding run.
        runtime: The run's ``Runtime``, which a callable gets.

    Raises:
        ConfigurationError: ``known`` gave something else.
        InputError: A name in the run is not one.
    """
    names = whose(ensure_config() if config is None else config, runtime=runtime)
    person: Any
    if isinstance(known, Users):
        person = known.get(names.user) if names.named else None
    else:
        person = known(runtime) if callable(known) else known
    if not isinstance(person, UserContext | None):
        raise ConfigurationError("user= must give a UserContext, or None")
    person = person or UserContext()
    if person.user == UserContext().user:
        person = person.model_copy(update={"user": names.user})
    return person, names
