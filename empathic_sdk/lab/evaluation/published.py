"""What Chen et al. (MDGET-MER) print, in percent, as far as it stands beside our own figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Published(NamedTuple):
    """One data set's part of Tables 3 to 6; every figure but ``accuracy`` is a weighted F1.

    Attributes:
        weighted_f1: Mean and standard deviation of the runs.
        best: The best run: the one that Tables 5 and 6 stand beside.
        accuracy: Mean and standard deviation.
        rival: Accuracy and weighted F1 that they print for CFN-ESA.
        f1: By class, mean over the runs.
        modalities: Table 5, by the modalities' names here.
        ablations: Table 6, by the names here.
    """

    weighted_f1: tuple[float, float]
    best: float
    accuracy: tuple[float, float]
    rival: tuple[float, float]
    f1: Mapping[str, float]
    modalities: Mapping[str, float]
    ablations: Mapping[str, float]


PUBLISHED: Mapping[str, Published] = {
    "meld": Published(
        weighted_f1=(67.04, 0.19),
        best=67.23,
        accuracy=(68.30, 0.21),
        rival=(67.85, 66.70),
        f1={
            "neutral": 80.78, "surprise": 58.74, "fear": 19.49, "sadness": 38.74, "joy": 64.41,
            "disgust": 31.91, "anger": 54.51,
        },
        modalities={
            "text": 66.47, "face": 32.71, "speech": 42.12, "text+face": 66.46,
            "text+speech": 66.47, "speech+face": 43.78, "text+speech+face": 67.23,
        },
        ablations={
            "full": 67.23, "no-gue": 66.90, "no-acme": 66.50, "no-eetm": 66.93,
            "no-transfer-loss": 67.01, "no-gue-gates": 67.02, "no-acme-gates": 66.94,
            "no-eetm-gate": 67.01, "no-gates": 65.86,
        },
    ),
    "iemocap": Published(
        weighted_f1=(71.72, 0.13),
        best=71.85,
        accuracy=(71.62, 0.16),
        rival=(70.78, 71.04),
        f1={
            "happy": 58.29, "sad": 80.63, "neutral": 70.39, "angry": 66.68, "excited": 77.12,
            "frustrated": 65.82,
        },
        modalities={
            "text": 67.38, "face": 45.04, "speech": 51.89, "text+face": 68.67,
            "text+speech": 69.27, "speech+face": 60.64, "text+speech+face": 71.85,
        },
        ablations={
            "full": 71.85, "no-gue": 71.06, "no-acme": 68.89, "no-eetm": 71.03,
            "no-transfer-loss": 71.08, "no-gue-gates": 71.17, "no-acme-gates": 69.36,
            "no-eetm-gate": 71.19, "no-gates": 69.49,
        },
    ),
}  # fmt: skip
ABLATION_NAMES = {
    "full": "The whole model",
    "no-gue": "without GUE",
    "no-acme": "without Gated ACME",
    "no-eetm": "without Gated EETM",
    "no-transfer-loss": "without the emotion transfer loss",
    "no-gue-gates": "without the gates of GUE",
    "no-acme-gates": "without the gates of Gated ACME",
    "no-eetm-gate": "without the gate of Gated EETM",
    "no-gates": "without any gate",
}
