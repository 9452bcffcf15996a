"""Option values: settings of an agent, grouped so that its constructor stays short.

Frozen and checked when they are made; a wrong value is a ``ConfigurationError`` that
names the field.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, ConfigDict, Field

from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types.base import Value

__all__ = ["LLMOptions", "MediaLimits", "ReplyOptions", "Retention", "Weights"]


class _Options(Value):
    model_config = ConfigDict(strict=True)

    def __init__(self, **data: object) -> None:
        """Check the fields; raise :class:`ConfigurationError` naming the first invalid one."""
        try:
            super().__init__(**data)
        except InputError as error:
            raise ConfigurationError(str(error)) from error


def _tuple(given: object) -> object:
    return tuple(given) if isinstance(given, list) else given


class LLMOptions(_Options):
    """How a language model is used, and what it is told besides the state of the person."""

    system: str = Field(
        default="",
        max_length=100_000,
        description="Your product's own system prompt; it comes first, in place of the shipped "
        "role. It must hold no words of a person: it is the same for everybody.",
    )
    tools: Annotated[tuple[Any, ...], BeforeValidator(_tuple)] = Field(
        default=(),
        description="What it may call: tools of LangChain, or functions with a docstring and "
        "annotated arguments. Only for chat models of LangChain.",
    )
    tool_rounds: int = Field(
        default=4,
        ge=1,
        le=50,
        description="How often it may call tools for one reply; then the embedded responder "
        "answers.",
    )
    prompt: Literal["short", "full"] | None = Field(
        default=None,
        description="How much it is told: 'full' is the state, the manner and the rules; 'short' "
        "two lines, for models that larger prompts confuse. None is 'short' for a model known to "
        "have fewer than 1.5 billion parameters or 3,000 tokens of context.",
    )

    timeout_s: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="Seconds it may take for a reply, both attempts together; then the embedded "
        "responder answers. Also of a responder of your own.",
    )
    history: int = Field(
        default=8,
        ge=0,
        description="How many earlier turns of the conversation it sees at most. The oldest go "
        "several at a time, so that a prompt cache finds the others.",
    )


class Retention(_Options):
    """What is stored of conversations, and for how long."""

    keep_text: bool = Field(
        default=False,
        description="Store what was said and answered; otherwise derived values alone.",
    )
    keep_days: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Days that turns are kept; None keeps them until they are erased. For a store "
        "that you made, give it to that one.",
    )
    live: int = Field(
        default=1000,
        ge=1,
        description="Conversations that stay in memory at most; the others come back from the "
        "store.",
    )
    idle_s: float = Field(
        default=1800.0,
        ge=0,
        description="Seconds of silence after which a conversation leaves memory, and a user who "
        "names none begins a new one.",
    )


class ReplyOptions(_Options):
    """How the embedded responder writes; it is also the fallback of a language model."""

    language: str = Field(
        default="en",
        pattern=r"\S",
        description="BCP 47 tag of the replies, the notice and the warnings; English where a text "
        "is missing.",
    )
    planner: Literal["rules", "learned"] = Field(
        default="rules",
        description="Who chooses the support strategy; 'learned' from ESConv, within the same "
        "limits. Without its weights the rules decide.",
    )


class MediaLimits(_Options):
    """How much sound and how many pictures of one utterance are read."""

    seconds: float = Field(
        default=600.0,
        gt=0,
        le=86_400,
        description="Seconds of sound that are read; the rest is ignored, with a warning.",
    )
    sound_bytes: int = Field(
        default=256 * 1024**2, ge=1, description="Bytes of a sound file; a larger one is refused."
    )
    frames: int = Field(
        default=3_000, ge=1, description="Frames of an utterance; more of them are refused."
    )
    picture_bytes: int = Field(
        default=64 * 1024**2, ge=1, description="Bytes of a picture file; a larger one is refused."
    )
    pixels: int = Field(
        default=50_000_000,
        ge=1,
        description="Pixels of a frame, by its header; a larger one is refused before it is "
        "decoded. The default is well above cameras, well below exhausting memory.",
    )
    all_pixels: int = Field(
        default=200_000_000,
        ge=1,
        description="Pixels of all frames that are read of an utterance, together: 96 of a Full HD "
        "video, 24 of a 4K one. Beyond that the utterance's frames are refused.",
    )


File = Path | Literal[False] | None
"""A checkpoint; ``None``: the one that ships; ``False``: none at all."""


class Weights(_Options):
    """Which trained weights an agent reads: of each file yours, the one that ships, or none."""

    model_config = ConfigDict(strict=False)

    text: Path | None = Field(
        default=None,
        description="Text encoder with its heads (`empathic train text`); None: the one that "
        "ships.",
    )
    dialogue: File = Field(
        default=None,
        description="Dialogue model for that encoder; None: the one beside it; False: each "
        "utterance is read alone.",
    )
    risk: File = Field(
        default=None,
        description="Risk model (`empathic train safety`); False: the patterns decide alone.",
    )
    guard: File = Field(
        default=None,
        description="The output guard's second opinion (`empathic train guard`), which fits one "
        "risk model only; False: the guard's patterns judge alone.",
    )
    strategy: File = Field(
        default=None,
        description="Support planner (`empathic train strategy`), used where the replies' planner "
        "is 'learned'; False: the rules decide.",
    )

    @classmethod
    def of(cls, folder: str | Path) -> Self:
        """Take the files of a folder by their usual names, and nothing that ships.

        ``text.safetensors`` must be there, with its tokenizer. What is not there of
        ``dialogue safety guard strategy``, as ``.onnx`` or ``.safetensors``, is done without.

        Raises:
            ConfigurationError: There is no ``text.safetensors``.
        """
        folder = Path(folder)
        if not (folder / "text.safetensors").is_file():
            raise ConfigurationError(f"weights={str(folder)!r} must hold text.safetensors")

        def there(name: str) -> Path | Literal[False]:
            paths = (folder / f"{name}{suffix}" for suffix in (".onnx", ".safetensors"))
            found = (path for path in paths if path.exists() or path.is_symlink())
            return next(found, False)  # a broken link is an error when it is read, not nothing

        return cls(
            text=folder / "text.safetensors",
            dialogue=there("dialogue"),
            risk=there("safety"),
            guard=there("guard"),
            strategy=there("strategy"),
        )


class AgentOptions(NamedTuple):
    """All option values of one agent, with defaults filled in."""

    replies: ReplyOptions
    llm: LLMOptions
    retention: Retention


MOVED = {
    "language": ("replies", "language"),
    "planner": ("replies", "planner"),
    "llm_timeout_s": ("llm_options", "timeout_s"),
    "llm_history": ("llm_options", "history"),
    "keep_text": ("retention", "keep_text"),
    "keep_days": ("retention", "keep_days"),
}
"""Keywords of the first release, each with the keyword and field that replaced it."""


def fold(
    moved: Mapping[str, Any],
    *,
    replies: ReplyOptions | None,
    llm_options: LLMOptions | None,
    retention: Retention | None,
) -> AgentOptions:
    """Return an agent's options, including those given by keywords of the first release.

    Raises:
        ConfigurationError: An option has the wrong type, or was given in both ways.
        TypeError: There is no such keyword.
    """
    given: dict[str, Any] = {
        "replies": replies, "llm_options": llm_options, "retention": retention
    }  # fmt: skip
    kinds: dict[str, type[_Options]] = {
        "replies": ReplyOptions, "llm_options": LLMOptions, "retention": Retention
    }  # fmt: skip
    for keyword, kind in kinds.items():
        if given[keyword] is not None and not isinstance(given[keyword], kind):
            raise ConfigurationError(f"{keyword}= must be {kind.__name__}(...), or None")
    fields: dict[str, dict[str, Any]] = {keyword: {} for keyword in kinds}
    for old, value in moved.items():
        if old not in MOVED:
            raise TypeError(f"EmotionAwareAgent() got an unexpected keyword argument {old!r}")
        keyword, field = MOVED[old]
        kind = kinds[keyword]
        if given[keyword] is not None:
            raise ConfigurationError(f"give {old}= or {keyword}=, not both")
        warnings.warn(
            f"{old}= is now {keyword}={kind.__name__}({field}=...); the old keyword goes with the "
            "next release",
            DeprecationWarning,
            stacklevel=3,
        )
        try:
            kind(**{field: value})
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{old}= must be what {kind.__name__} takes: {error}"
            ) from None
        fields[keyword][field] = value
    return AgentOptions(
        replies or ReplyOptions(**fields["replies"]),
        llm_options or LLMOptions(**fields["llm_options"]),
        retention or Retention(**fields["retention"]),
    )
