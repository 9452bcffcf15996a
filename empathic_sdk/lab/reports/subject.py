"""What a report is about, and what it calls things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.configurations import Configuration, Record, Runs
from empathic_sdk.lab.evaluation.dialogue_figures import Scored
from empathic_sdk.lab.evaluation.published import PUBLISHED, Published
from empathic_sdk.lab.evaluation.spread import Measures

MODELS = {
    "mdget": "MDGET-MER",
    "linear": "Each utterance alone",
    "gru": "GRU",
    "transformer": "Transformer",
    "dialogue-rnn": "DialogueRNN",
    "cfn-esa": "CFN-ESA",
}
DIRECTIONS = {"causal": "looks back only", "both": "reads the whole dialogue"}
FEATURES = {
    "minilm": "all-MiniLM-L6-v2 as it is",
    "shipped": "this package’s text encoder, frozen",
    "given": "the corpus’s own vectors",
    "joint": "text encoder trained together with it",
    "text": "an encoder of `train text`, frozen",
}
CORPORA = {"meld": "MELD", "iemocap": "IEMOCAP", "mosi": "CMU-MOSI"}
# Feelings that are alike have one colour on every page; numbers are those of the style sheet.
COLOUR_OF_CLASS = {
    "neutral": 0, "joy": 1, "happy": 1, "sadness": 2, "sad": 2, "anger": 3, "angry": 3,
    "negative": 3, "surprise": 4, "frustrated": 4, "fear": 5, "excited": 5, "positive": 5,
    "disgust": 6,
}  # fmt: skip
CARDS = {
    "weighted_f1": ("Weighted F1", "F1 of each class, weighted by how often it occurs"),
    "accuracy": ("Accuracy", "share of right labels"),
    "macro_f1": ("Macro F1", "all classes counting the same"),
    "uar": ("UAR", "recall, all classes counting the same"),
    "ece": ("Calibration error", "of the top label; 0 is best"),
    "shift_f1": ("Shift F1", "“this speaker’s emotion changed”, transfer module"),
}
HEADLINES = {"weighted_f1": "Weighted F1", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Subject:
    """One configuration among all recorded runs, and its run in the middle.

    Attributes:
        runs: All of them.
        row: The configuration's.
        record: The run in the middle by the headline figure.
        measured: Figures of each of the configuration's tested runs.
        found: Predictions of the run in the middle.
    """

    runs: Runs
    row: Configuration
    record: Record
    measured: list[Measures]
    found: Scored

    @classmethod
    def of(
        cls, data_set: str, *, data: Path, results: Path, configuration: str | None = None
    ) -> Subject:
        """Read what is recorded.

        Raises:
            DataError: There are no such runs, or none has test predictions yet.
        """
        runs = Runs(results, data, data_set)
        name = configuration or runs.default()
        record, measured = runs.median(name)
        found = runs.scored(record)
        if found is None:
            raise DataError(f"{record['name']} has no stored test predictions")
        row = next(r for r in runs.rows if r.name == name)
        return cls(runs, row, record, measured, found)

    @property
    def corpus(self) -> str:
        """The data set's name as its authors write it."""
        return CORPORA[self.runs.data_set]

    @property
    def classes(self) -> tuple[str, ...]:
        """What the labels point into."""
        return self.runs.test.classes

    def colour(self, label: int) -> int:
        """Return the number of a class's colour."""
        return COLOUR_OF_CLASS[self.classes[label]]

    @property
    def key(self) -> str:
        """The headline figure."""
        return self.runs.headline

    @property
    def published(self) -> Published | None:
        """What the paper prints of this data set, if it does."""
        return PUBLISHED.get(self.runs.data_set)

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Return gold labels ``[n]`` and probabilities ``[n, classes]``, labelled ones only."""
        gold = np.concatenate([d.labels for d in self.runs.test.dialogues])
        p = np.concatenate(self.found.probabilities)
        return gold[gold >= 0], p[gold >= 0]


def features(name: str) -> str:
    """Say where text vectors come from."""
    return " + ".join(FEATURES.get(part, f"the checkpoint {part}") for part in name.split("+"))


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Return a share of 1 in percent, a dash for ``None``; a true minus sign."""
    if value is None:
        return "–"
    return f"{100 * value:{'+' if signed else ''}.{digits}f}".replace("-", "−")
