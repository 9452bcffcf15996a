"""What a report is about, and what it calls things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.evaluation.dialogue_figures import Scored
from empathic_sdk.lab.evaluation.published import PUBLISHED
from empathic_sdk.lab.evaluation.tables import Measures, Record, Row, Runs

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
COLOURS = {
    "neutral": 0, "joy": 1, "happy": 1, "sadness": 2, "sad": 2, "anger": 3, "angry": 3,
    "negative": 3, "surprise": 4, "frustrated": 4, "fear": 5, "excited": 5, "positive": 5,
    "disgust": 6,
}  # fmt: skip
HEADLINES = {"weighted_f1": "Weighted F1", "accuracy": "Accuracy"}


@dataclass(frozen=True)
class Subject:
    """One configuration among all recorded runs, and its run in the middle.

    Attributes:
        runs: All of them.
        rows: The whole table.
        row: The configuration's.
        record: The run in the middle by the headline figure.
        measured: Figures of each of the configuration's tested runs.
        found: Predictions of the run in the middle.
    """

    runs: Runs
    rows: list[Row]
    row: Row
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
        rows = runs.rows()
        return cls(runs, rows, next(r for r in rows if r.name == name), record, measured, found)

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
        return COLOURS[self.classes[label]]

    @property
    def key(self) -> str:
        """The headline figure."""
        return self.runs.headline

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Return gold labels ``[n]`` and probabilities ``[n, classes]``, labelled ones only."""
        gold = np.concatenate([d.labels for d in self.runs.test.dialogues])
        p = np.concatenate(self.found.probabilities)
        return gold[gold >= 0], p[gold >= 0]


def modalities(names: tuple[str, ...] | list[str]) -> str:
    """Name modalities in words."""
    return " + ".join(names)


def features(name: str) -> str:
    """Say where text vectors come from."""
    return " + ".join(FEATURES.get(part, f"the checkpoint {part}") for part in name.split("+"))


def describe(row: Row) -> str:
    """Say in one sentence what a configuration is."""
    about = f"{MODELS[row.model]} on {modalities(row.modalities)}"
    if row.timing:
        about += ", with timing"
    if row.beside:
        about += f", trained with {', '.join(row.beside)} beside it"
    if row.ablation != "full":
        about += f" ({row.ablation})"
    where = "" if "text" not in row.modalities else f" Text: {features(row.features)}."
    ahead = (
        "Every utterance is judged from itself and what came before."
        if row.direction == "causal"
        else "Every utterance is judged in the light of the whole dialogue."
    )
    return f"{about}. {ahead}{where}"


def why_they_differ(data_set: str) -> str:
    """Say why our figures and the paper's are not the same experiment; "" without a paper."""
    if data_set not in PUBLISHED:
        return ""
    ours = {
        "meld": "Here a MiniLM of 22 million parameters reads the words, and nothing else does.",
        "iemocap": "Here the words are vectors of a MiniLM of 22 million parameters that has not "
        "seen IEMOCAP, sound is eight numbers an utterance, and there are no faces.",
    }
    return (
        "The published figures are of another experiment: a RoBERTa fine-tuned on the corpus, "
        "OpenSMILE’s acoustic features, faces through DenseNet, and a model that reads the "
        f"whole dialogue, what is still to come included. {ours[data_set]} A row that looks back "
        "only never sees the future. Epoch, calibration and every number were chosen on dev, and "
        "test was scored once; the paper does not say what its epochs were chosen on. Compare "
        "differences down a column rather than figures across."
    )
