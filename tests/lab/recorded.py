"""A folder of real, tiny runs on the imitation of IEMOCAP, made in a few seconds."""

from __future__ import annotations

import atexit
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from empathic_sdk import EmotionRecognizer
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.evaluation.dialogue_figures import Scored, measure, write_predictions
from empathic_sdk.lab.recipes import dialogue as dialogue_runs
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.records import write_json
from empathic_sdk.lab.training.dialogue_batches import with_text
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.runtime import checkpoints
from tests.lab import corpora_imitation as imitation

TINY = DialogueRecipe(
    modalities=("text", "speech"), width=16, epochs=2, batch_size=2, learning_rate=1e-2
)
# What is run beside the whole causal model of three seeds.
OTHERS: tuple[tuple[dict[str, Any], tuple[int, ...]], ...] = (
    ({"model": "linear"}, (1, 2)),
    ({"causal": False}, (1,)),
    ({"ablation": "no-gates"}, (1,)),
    ({"modalities": ("text",)}, (1,)),
)
WHOLE = "iemocap-minilm-mdget-causal-text+speech"
LINEAR = "iemocap-minilm-linear-causal-text+speech"


def load(data_set: str, split: str, **given: Any) -> DialogueSet:
    """Stand in for ``dialogue_runs.load``: a text is the count of each word that tells."""
    items = read_dialogues(data_set, given["data"], split)
    words = [t.split() for d in items.dialogues for t in d.texts]
    counts = np.array([[w.count(t) for t in imitation.TELLING] for w in words], np.float32)
    return with_text(items, counts)


@cache
def recorded_runs() -> tuple[Path, Path]:
    """Write the imitation and its runs, once for all tests, which leave them as they are.

    Returns:
        The folders of the corpora and of the records.
    """
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data, results = imitation.write_iemocap(folder / "data"), folder / "results"
    jobs = [(TINY, (1, 2, 3)), *((replace(TINY, **a), seeds) for a, seeds in OTHERS)]
    with patch.object(dialogue_runs, "load", load):
        for recipe, seeds in jobs:
            for seed in seeds:
                dialogue_runs.train_dialogue(
                    replace(recipe, seed=seed), data_set="iemocap", features="minilm", data=data,
                    results=results, cache=folder,
                )  # fmt: skip
    return data, results


def with_dialogue(recognizer: EmotionRecognizer, folder: Path) -> EmotionRecognizer:
    """Return the recogniser with a dialogue model of random weights, which has a name."""
    torch.manual_seed(0)
    network = MDGET(MDGETConfig(inputs={"text": 384}, classes=7, width=16, speakers=2, window=4))
    about = {
        "name": "joint-seed2",
        "configuration": network.config.as_dict(),
        "calibration": Calibration().model_dump(),
    }
    checkpoints.save(folder / "dialogue.safetensors", network.state_dict(), about)
    return EmotionRecognizer(text=recognizer.text, dialogue=folder / "dialogue.safetensors")


def write_joint(results: Path, data: Path, seeds: tuple[int, ...] = (1, 2, 3)) -> DialogueSet:
    """Write records of ``train joint`` with drawn predictions of MELD's test split."""
    test = read_dialogues("meld", data, "test")
    for seed in seeds:
        rng = np.random.default_rng(seed)
        drawn = [rng.dirichlet(np.ones(7), len(d)) for d in test.dialogues]
        found = Scored(drawn, [rng.random(len(d)) for d in test.dialogues])
        calibration = Calibration(shift_threshold=0.6)
        recipe = replace(TINY, modalities=("text",)).as_dict()
        history = [{"step": 10.0 * k, "meld_dialogue_weighted_f1": 0.1 * k, "objective": 0.1 * k}
                   for k in (1, 2)]  # fmt: skip
        record = {
            "recipe": "joint", "name": f"joint-seed{seed}", "data_set": "meld",
            "features": "joint", "configuration_name": "meld-joint-mdget-causal-text",
            "configuration": {"seed": seed, "dialogue": recipe, "epochs": {"meld": 3.0}},
            "run": {"seconds": 9.0, "chosen_step": 20, "history": history,
                    "loss_weights": {"emotion": 1.0, "transfer": 0.3}},
            "calibration": calibration.model_dump(),
            "dev": measure(test, found, calibration),
        }  # fmt: skip
        path = results / "dialogue" / f"meld-joint-seed{seed}.json"
        write_json(path, record)
        write_predictions(path.with_name(f"{path.stem}.predictions.jsonl.gz"), test, found)
    return test
