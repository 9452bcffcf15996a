"""What a turn looks like in a message of LangChain or in an agent's state."""

from __future__ import annotations

from typing import Any

from empathic_sdk.turn.stateless import StatelessTurn


def about(turn: StatelessTurn) -> dict[str, Any]:
    """Return ``emotion``, ``style``, ``safety``, ``strategy`` of a turn as JSON values.

    ``fallbacks`` is there, too, where something went wrong on the way.
    """
    found = turn.turn
    shown: dict[str, Any] = {
        "emotion": found.emotion.model_dump(mode="json"),
        "style": found.style.model_dump(mode="json"),
        "safety": found.safety.model_dump(mode="json"),
        "strategy": found.strategy.value,
    }
    return shown | ({"fallbacks": list(found.fallbacks)} if found.fallbacks else {})
