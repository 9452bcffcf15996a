"""Groups of speakers that a corpus tells apart, and weights that make training fair to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet

UNKNOWN = ""
"""The group of a speaker of whom the corpus says nothing."""

# As the series shows its characters; the actors' own words on themselves are not in the corpus.
# Of all other speakers a name alone is known, and a name is no evidence.
MELD_GENDER: Mapping[str, str] = {
    "Rachel": "female", "Monica": "female", "Phoebe": "female",
    "Ross": "male", "Joey": "male", "Chandler": "male",
}  # fmt: skip
MOST = 4.0
"""No item counts more than so many: a cell of three items must not steer the training."""


def genders(corpus: str, dialogue: Dialogue) -> list[str]:
    """Return the gender of each utterance's speaker, :data:`UNKNOWN` where it is not known.

    Args:
        corpus: ``meld`` (the six main characters) or ``iemocap`` (the actors' sex, from the names
            of the speakers).
        dialogue: Of that corpus.

    Raises:
        ConfigurationError: The corpus tells no groups apart.
    """
    if corpus == "meld":
        return [MELD_GENDER.get(s, UNKNOWN) for s in dialogue.speakers]
    if corpus == "iemocap":
        return [{"F": "female", "M": "male"}.get(s, UNKNOWN) for s in dialogue.speakers]
    raise ConfigurationError(f"{corpus} does not say who speaks: there are no groups to reweight")


def balanced_weights(groups: Sequence[str], labels: Sequence[int]) -> np.ndarray:
    """Return weights under which every group counts alike and shows the same mix of labels.

    ``w = P(y) / (G P(g, y))``: the reweighing of Kamiran and Calders (2012), which makes label and
    group independent, with the groups made equally large. Cut off at :data:`MOST`, then scaled to
    mean 1.

    Args:
        groups: ``[n]``; those of :data:`UNKNOWN` are a group like any other.
        labels: ``[n]``, -1 = unlabelled (weight 0).

    Returns:
        float64 ``[n]``.
    """
    y = np.asarray(labels)
    known = y >= 0
    out = np.zeros(len(y))
    if not known.any():
        return out
    names, g = np.unique(np.asarray(groups, dtype=str)[known], return_inverse=True)
    y = y[known]
    cells = np.zeros((len(names), y.max() + 1))
    np.add.at(cells, (g, y), 1)
    # Spread over the groups that have the label: one that never shows it cannot show it more.
    having = (cells > 0).sum(0)
    wanted = cells.sum(0) / np.maximum(having, 1)
    weight = np.minimum(wanted[y] / cells[g, y], MOST)
    out[known] = weight / weight.mean()
    return out


def dialogue_weights(data: DialogueSet) -> list[np.ndarray]:
    """Return :func:`balanced_weights` of a set's utterances, one float32 array a dialogue."""
    groups = [g for d in data.dialogues for g in genders(data.corpus, d)]
    labels = np.concatenate([d.labels for d in data.dialogues])
    weights = balanced_weights(groups, labels.tolist()).astype(np.float32)
    return np.split(weights, np.cumsum([len(d) for d in data.dialogues])[:-1])
