"""Converts LangChain messages to utterances. Importing this needs LangChain."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from empathic_sdk.errors import InputError
from empathic_sdk.llm.adapters import text_of
from empathic_sdk.types import AGENT, Utterance

LARGEST = 32 * 1024 * 1024
"""Maximum bytes of a sound or a picture."""


def utterances(messages: Sequence[BaseMessage]) -> list[Utterance]:
    """Return the utterances of human messages and final answers, in order.

    Sounds and pictures are used if they are in the message itself (base64, or a ``data:`` address).
    Nothing is fetched: links and file ids are skipped. The recogniser's policy decides later what
    may be processed.
    """
    found = []
    for message in messages:
        if isinstance(message, HumanMessage):
            said = _utterance(message)
        elif isinstance(message, AIMessage) and not message.tool_calls:
            said = _made(text_of(message), AGENT)
        else:
            continue
        if said is not None:
            found.append(said)
    return found


def _utterance(message: HumanMessage) -> Utterance | None:
    audio: bytes | None = None
    frames: list[bytes] = []
    blocks = message.content if isinstance(message.content, list) else []
    for block in blocks:
        if not isinstance(block, Mapping):
            continue
        kind, data = _media(block)
        if kind == "audio" and data:
            audio = data  # the last one: an utterance has one voice
        elif kind == "image" and data:
            frames.append(data)
    return _made(text_of(message), "user", audio=audio, frames=tuple(frames))


def _made(text: str, speaker: str, **media: Any) -> Utterance | None:
    try:
        return Utterance(text if text.strip() else None, speaker=speaker, **media)
    except InputError:  # nothing in it
        return None


def _media(block: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Return ``audio`` or ``image`` and its bytes, in LangChain's or a provider's format."""
    kind = str(block.get("type", ""))
    if kind in ("audio", "image"):
        source = block.get("source")
        inner = source if isinstance(source, Mapping) else block
        data = inner.get("base64") or inner.get("data") or _address(inner.get("url"))
        return kind, _bytes(data)
    if kind == "input_audio" and isinstance(block.get("input_audio"), Mapping):
        return "audio", _bytes(block["input_audio"].get("data"))
    if kind == "image_url":
        where = block.get("image_url")
        url = where.get("url") if isinstance(where, Mapping) else where
        return "image", _bytes(_address(url))
    return "", None


def _address(url: Any) -> str | None:
    """Return the base64 of a ``data:`` address; anything else would have to be fetched."""
    if isinstance(url, str) and url.startswith("data:") and ";base64," in url[:200]:
        return url.split(";base64,", 1)[1]
    return None


def _bytes(data: Any) -> bytes | None:
    if isinstance(data, bytes):
        return data if len(data) <= LARGEST else None
    if not isinstance(data, str) or len(data) > LARGEST * 4 // 3 + 4:
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
