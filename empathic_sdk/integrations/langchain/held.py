"""Keeping what a model writes out of streams until it was checked. Importing this needs LangGraph.

A tag on the model itself would not do: a bound, retried or fallback-wrapped model is no chat model,
and other middleware may swap the model. So the surroundings in which the model is called are
tagged: whatever runs in them inherits the tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables.config import RunnableConfig, ensure_config, var_child_runnable_config
from langgraph.constants import TAG_NOSTREAM


@contextmanager
def held_back(on: bool = True) -> Iterator[None]:
    """Mark every run that starts in the block so that LangGraph streams nothing of it.

    Callbacks and tracers see the runs as before.

    Args:
        on: ``False`` leaves everything as it is.
    """
    if not on:
        yield
        return
    token = var_child_runnable_config.set(_tagged(ensure_config()))
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def _tagged(config: RunnableConfig) -> RunnableConfig:
    """Return a config whose runs carry the tag.

    It stands in two places. A model with tags of its own (``with_config(tags=...)``) replaces those
    of the config but keeps its callbacks; one with callbacks of its own keeps the tags.
    """
    tagged = config.copy()
    tagged["tags"] = [*(config.get("tags") or ()), TAG_NOSTREAM]
    callbacks = config.get("callbacks")
    if isinstance(callbacks, BaseCallbackManager):
        callbacks = callbacks.copy()
        callbacks.add_tags([TAG_NOSTREAM])
        tagged["callbacks"] = callbacks
    return tagged
