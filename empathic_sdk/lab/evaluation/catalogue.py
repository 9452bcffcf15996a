"""Every benchmark of ``empathic evaluate``, by name.

A new one is a function that returns a report, and a row in :data:`BENCHMARKS`. Of its keyword
parameters those that the command line knows (``empathic_sdk/cli/evaluate.py``) become options of
its command. The report is a JSON object; ``dataset model split n`` and ``runs`` (mean and spread
over the recorded training runs, ``{"n": 0}`` where there are none) are in every one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from inspect import signature
from typing import Any

from empathic_sdk.errors import MissingExtraError


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One row.

    Attributes:
        function: ``MODULE:NAME`` below :mod:`empathic_sdk.lab`; imported when it is needed.
        help: What is measured, in a sentence or two.
        models: What ``--model`` may be, the default first; empty where there is one way.
        splits: What ``--split`` may be.
        arguments: What the function is always called with.
    """

    function: str
    help: str
    models: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("dev", "test")
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[..., dict[str, Any]]:
        """Return the function.

        Raises:
            MissingExtraError: The extra ``train`` is not installed.
        """
        module, name = self.function.split(":")
        try:
            found = getattr(import_module(f"empathic_sdk.lab.{module}"), name)
        except ModuleNotFoundError as error:
            raise MissingExtraError("train", "measuring a model") from error
        return partial(found, **self.arguments) if self.arguments else found

    def parameters(self) -> set[str]:
        """Return the names of what the function is still to be called with."""
        return set(signature(self.load()).parameters) - set(self.arguments)


def _corpus(name: str, help: str) -> Benchmark:
    return Benchmark(
        function="evaluation.text_runs:evaluate_text",
        help=help,
        models=("text",),
        arguments={"name": name},
    )


def _recorded(name: str, help: str) -> Benchmark:
    return Benchmark(
        function="evaluation.dialogue_models:evaluate_dialogue", help=help, arguments={"name": name}
    )


_ACTED = ("ped", "lstm")
BENCHMARKS: Mapping[str, Benchmark] = {
    "meld": Benchmark(
        function="evaluation.dialogue_models:evaluate_meld",
        help="MELD: emotion in dialogue, through the public API, one session for each dialogue "
        "(mdget), or every utterance alone (text).",
        models=("mdget", "text"),
    ),
    "goemotions": _corpus("goemotions", "GoEmotions: several emotions of one comment."),
    "emobank": _corpus("emobank", "EmoBank: valence and arousal of sentences."),
    "dailydialog": _corpus("dailydialog", "DailyDialog: emotion of single utterances."),
    "empathetic": _corpus("empathetic", "EmpatheticDialogues: emotion of what was told."),
    "iemocap": _recorded("iemocap", "IEMOCAP: recorded runs; no weights ship."),
    "mosi": _recorded("mosi", "CMU-MOSI: recorded runs; no weights ship."),
    "behaviour": Benchmark(
        function="evaluation.behaviour_timing:evaluate_behaviour",
        help="The encoder of interaction events on simulated people, and what the times of real "
        "dialogues say alone.",
    ),
    "fer2013": Benchmark(
        function="evaluation.face_figures:evaluate_fer2013",
        help="FER2013: faces, by the network that ships (net) or by Table 5 of its paper from "
        "recorded runs (cnn).",
        models=("net", "cnn"),
    ),
    "ravdess": Benchmark(
        function="evaluation.speech:evaluate_ravdess",
        help="RAVDESS: voices of actors that no training heard.",
        models=_ACTED,
    ),
    "emodb": Benchmark(
        function="evaluation.speech:evaluate_emodb",
        help="EMO-DB: recorded runs that left speakers out; no weights ship.",
        models=_ACTED,
        splits=("test",),
    ),
    "fusion": Benchmark(
        function="evaluation.fusion:evaluate_fusion",
        help="The dialogue model with borrowed voices and faces. It says nothing about people.",
    ),
    "strategy": Benchmark(
        function="evaluation.strategy:evaluate_strategy",
        help="ESConv: which strategy a human supporter chose next.",
    ),
    "replies": Benchmark(
        function="evaluation.replies:evaluate_replies",
        help="Answers test talks with adaptation on and off.",
    ),
    "safety": Benchmark(
        function="evaluation.safety:evaluate_safety",
        help="The safety protocol on labelled lines.",
    ),
    "guard": Benchmark(
        function="evaluation.guard:evaluate_guard",
        help="The check of language models' drafts on labelled sentences.",
    ),
    "monitor": Benchmark(
        function="evaluation.monitor:evaluate_monitor",
        help="Monitoring over days, on simulated people.",
    ),
    "personalisation": Benchmark(
        function="evaluation.personalisation:evaluate_personalisation",
        help="What learning from feedback gains, by simulated people. It says nothing about "
        "people.",
    ),
    "users": Benchmark(
        function="evaluation.personal:evaluate_users",
        help="What a model that knows its user gains; recorded runs.",
        splits=("test",),
    ),
}


__all__ = ["BENCHMARKS", "Benchmark"]
