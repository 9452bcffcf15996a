"""The numbers of dialogue models: the papers', those that dev chose, and what ships."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.recipes.numbers import Numbers, Seed
from empathic_sdk.lab.records import FOLDERS
from empathic_sdk.lab.registry import Option, dialogue_models, known_dialogue_model


@dataclass(frozen=True, kw_only=True)
class DialogueRecipe(Numbers):
    """Every number of a run.

    Attributes:
        model: A dialogue model by its name (``lab/baselines``).
        modalities: Which of the data's modalities are used, hub first.
        causal: Look back only.
        timing: Use utterance timing where the model can.
        ablation: A row of Table 6 (``mdget`` only).
        seed: Of initial weights, batches and dropout.
        width: d of the paper.
        gue_layers: GUE_layers of Table 2 (also the layers of a GRU baseline).
        acme_layers: ACME_layers of Table 2 (also those of a transformer baseline).
        gue_dropout: GUE_drop of Table 2.
        acme_dropout: ACME_drop of Table 2.
        dropout: Everywhere else.
        window: Of causal attention, in utterances.
        speakers: Slots of the speaker embedding.
        own_past: Recurrence over each speaker's own utterances.
        batch_size: Dialogues a batch.
        epochs: At most.
        patience: Epochs without a better dev figure after which the run ends.
        learning_rate: Peak; a linear warm-up of one epoch, then a cosine to a tenth.
        weight_decay: Of AdamW.
        average: Decay (a step) of the moving average of the weights that dev scores.
        balance: lambda of eq 40; ``None`` learns it.
        tau: Threshold of eq 39.
        penalty: eta of eq 40.
        smoothing: Label smoothing.
        modality_dropout: In training, the chance that an utterance loses a modality (never its
            only one): what is always there need not be trusted always.
        varied: In training, channels come and go as they do in life (see ``varied``).
        behaviour_weight: How much behaviour is believed beside the other modalities.
        beside: Further corpora that are seen between the batches (see ``further_dialogues``), for
            a model that is to meet more than one corpus's people.
        beside_size: Utterances of each, about.
        beside_weight: Of their loss.
        reweight_groups: Let speakers' genders count alike, with the same mix of labels each (see
            ``lab/corpora/speaker_groups.py``).
    """

    model: Annotated[str, Option("The network.", choices=dialogue_models)] = "mdget"
    modalities: Annotated[
        tuple[str, ...],
        Option("Which to use, as text+speech.", default="all of the data set"),
    ] = ("text",)
    causal: bool = True
    timing: Annotated[bool, Option("Read gaps, durations and lengths, too (mdget).")] = False
    ablation: Annotated[str, Option("A row of Table 6 (mdget).")] = "full"
    seed: Seed = 1
    width: int = 128
    gue_layers: int = 1
    acme_layers: int = 1
    gue_dropout: float = 0.1
    acme_dropout: float = 0.3
    dropout: float = 0.3
    window: int = 32
    speakers: int = 8
    own_past: bool = True
    batch_size: int = 16
    epochs: Annotated[int, Option("At most (for trials).", low=1, default="that of the recipe")] = (
        40
    )
    patience: int = 12
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    average: float = 0.95
    balance: float | None = 0.3
    tau: Annotated[float, Option("Threshold of eq 39.", low=0, below=1)] = 0.0
    penalty: float = 1e-5
    smoothing: float = 0.0
    modality_dropout: float = 0.0
    varied: bool = False
    behaviour_weight: float = 1.0
    beside: tuple[str, ...] = ()
    beside_size: int = 8000
    beside_weight: float = 0.3
    reweight_groups: Annotated[
        bool,
        Option(
            "Let speakers' genders count alike, with the same mix of labels each (meld, iemocap)."
        ),
    ] = False

    def __post_init__(self) -> None:
        known_dialogue_model(self.model)
        if self.ablation not in ABLATIONS:
            raise ConfigurationError(
                f"no ablation is named {self.ablation!r}; there are {tuple(ABLATIONS)}"
            )
        if self.model != "mdget" and self.ablation != "full":
            raise ConfigurationError(f"{self.model} has no ablations; they are those of mdget")
        if not self.modalities or min(self.batch_size, self.epochs, self.patience) < 1:
            raise ConfigurationError("modalities, batch_size, epochs, patience: none may be empty")


def paper(data_set: str) -> DialogueRecipe:
    """Return Table 2's numbers, and those of the text around it, for ``meld`` or ``iemocap``.

    What the paper leaves open (the width, the epochs) stays as in the default recipe, and so does
    the direction: bidirectional, as published. The one L2 factor stands for both terms of eq 40.
    """
    numbers: dict[str, dict[str, Any]] = {
        "meld": {"batch_size": 64, "learning_rate": 2e-5, "gue_dropout": 0.1,
                 "acme_dropout": 0.3, "gue_layers": 2, "acme_layers": 3},
        "iemocap": {"batch_size": 32, "learning_rate": 2.5e-5, "gue_dropout": 0.2,
                    "acme_dropout": 0.4, "gue_layers": 2, "acme_layers": 5},
    }  # fmt: skip
    if data_set not in numbers:
        raise ConfigurationError(f"Table 2 has no column {data_set!r}; it has {tuple(numbers)}")
    return DialogueRecipe(
        causal=False, penalty=1e-5, weight_decay=1e-5, speakers=0, own_past=False,
        **numbers[data_set],
    )  # fmt: skip


def runtime() -> DialogueRecipe:
    """Return the recipe of the dialogue model that ships: MELD's scenes, and others beside them."""
    return DialogueRecipe(
        width=192, window=16, batch_size=8, epochs=8, patience=4, learning_rate=5e-4,
        smoothing=0.1, beside=("dailydialog", "goemotions", "empathetic"),
    )  # fmt: skip


def fusion() -> DialogueRecipe:
    """Return the recipe of the dialogue model that ships, with every modality."""
    return replace(
        runtime(), modalities=("text", "speech", "face", "behaviour"), width=128, varied=True,
        behaviour_weight=0.3, epochs=10,
    )  # fmt: skip


BASE: dict[str, DialogueRecipe] = {
    "meld": DialogueRecipe(
        modalities=("text",), batch_size=16, epochs=12, patience=4, smoothing=0.1
    ),
    "iemocap": DialogueRecipe(
        modalities=("text", "speech"), batch_size=8, epochs=20, patience=6, smoothing=0.1
    ),
    "mosi": DialogueRecipe(
        modalities=("text", "speech", "face"), batch_size=8, epochs=20, patience=6, smoothing=0.1,
        speakers=0,
    ),
    "own": DialogueRecipe(
        modalities=("text",), batch_size=16, epochs=12, patience=4, smoothing=0.1
    ),
}  # fmt: skip


def default_features(data_set: str) -> str:
    """Return the features on which models are compared: frozen, and seen by no label."""
    return "given" if data_set == "mosi" else "minilm"


def tuned(data_set: str, features: str, model: str, causal: bool, results: Path) -> DialogueRecipe:
    """Return the numbers that dev chose for this model."""
    path = tuning_path(data_set, features, results)
    if not path.is_file():
        raise ConfigurationError(f"{path} is not there: run the trials first (--tune)")
    chosen = json.loads(path.read_text(encoding="utf-8"))["chosen"]
    key = f"{model}-{'causal' if causal else 'both'}"
    if key not in chosen:
        raise ConfigurationError(f"{path} has no trials of {key}; run them (--tune)")
    return replace(BASE[data_set], model=model, causal=causal, **chosen[key]["numbers"])


def tuning_path(data_set: str, features: str, results: Path) -> Path:
    """Return where the outcome of the trials is kept."""
    return results / FOLDERS["dialogue"] / f"tuning-{data_set}-{Path(features).stem}.json"
