"""Recipe ``reader``: train the small shared encoder with its heads on every text corpus at once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from empathic_sdk.encoders.rewriting import rewrite
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.lab.corpora.in_context import ReaderItems, read_in_context
from empathic_sdk.lab.corpora.text_vectors import find_minilm
from empathic_sdk.lab.corpora.written import read_written
from empathic_sdk.lab.evaluation.reader import dev_score, measure_reader
from empathic_sdk.lab.recipes.reader_numbers import ANNOTATORS, ReaderRecipe
from empathic_sdk.lab.records import RunRecord, environment, weights_entry
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import figures, folder
from empathic_sdk.lab.training.reader_fit import ReaderTrainer
from empathic_sdk.models.minilm import MiniLM, pretrained
from empathic_sdk.models.reader import Reader
from empathic_sdk.runtime import checkpoints

SCORED = ("meld", "goemotions", "emobank", "own")
DEV_ITEMS = 2500
CHECKPOINT = "reader.safetensors"
TOKENIZER = "text-tokenizer.json"


class SmallEncoder(nn.Module):
    """MiniLM as the encoder of a reader; its word vectors stay as they are."""

    def __init__(self, network: MiniLM, *, frozen: int = 0) -> None:
        super().__init__()
        self.network = network
        self.width = network.config.width
        network.word.weight.requires_grad_(False)
        for layer in list(network.layers)[:frozen]:
            layer.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor, role: Tensor) -> Tensor:
        """Return ``[batch, time, width]``."""
        out: Tensor = self.network(ids, mask, role).tokens
        return out


def fresh_reader(start: Path, *, frozen: int = 0) -> Reader:
    """Return a reader on MiniLM's pretrained weights, its heads all zero."""
    return Reader(SmallEncoder(pretrained(start), frozen=frozen), ANNOTATORS)


def items_of(corpus: str, data: Path, split: str) -> ReaderItems:
    """Read ``split`` of a corpus, ``own`` being what was written for this project."""
    return read_written(split) if corpus == "own" else read_in_context(corpus, data, split)


def training_items(recipe: ReaderRecipe, data: Path) -> dict[str, ReaderItems]:
    """Read every training corpus that the recipe names, thinned and cut as it says."""
    found: dict[str, ReaderItems] = {}
    rng = np.random.default_rng([recipe.seed, 7])
    for corpus in recipe.epochs:
        items = items_of(corpus, data, "train")
        if corpus == "dailydialog":
            felt = np.flatnonzero(items.targets["emotion"] > 0)
            calm = rng.permutation(np.flatnonzero(items.targets["emotion"] == 0))
            share = recipe.neutral_share / (1 - recipe.neutral_share)
            items = items.take(np.sort(np.concatenate([felt, calm[: int(len(felt) * share)]])))
        if recipe.limit is not None and len(items) > recipe.limit:
            items = items.take(np.sort(rng.permutation(len(items))[: recipe.limit]))
        found[corpus] = items
    return found


def dev_items(data: Path, corpora: tuple[str, ...] = SCORED) -> dict[str, ReaderItems]:
    """Read what chooses: of a large dev split its first :data:`DEV_ITEMS` utterances."""
    found = {c: items_of(c, data, "dev") for c in corpora}
    return {c: items.take(range(min(DEV_ITEMS, len(items)))) for c, items in found.items()}


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    out: Path | None,
    results: Path,
    init: Annotated[
        Path | None,
        Option(
            "Folder of the pretrained network.",
            exists=True,
            default="the installed all-MiniLM-L6-v2",
        ),
    ] = None,
) -> Outcome:
    """Train the small shared encoder with its heads on every text corpus at once.

    It reads an utterance together with the turns before it. Dev data choose the step.
    """
    recipe = ReaderRecipe(**numbers)
    name = f"reader-seed{recipe.seed}" if recipe.limit is None else f"trial-seed{recipe.seed}"
    out = folder(name, out)
    start = find_minilm(init)
    torch.manual_seed(recipe.seed)
    train = training_items(recipe, data)
    dev = dev_items(data)
    trainer = ReaderTrainer(
        recipe=recipe, model=fresh_reader(start, frozen=recipe.frozen),
        tokenizer=TextTokenizer(start / "tokenizer.json", rewrite=rewrite),
        data=train, score=dev_score(dev),
        folder=out,
    )  # fmt: skip
    ran = trainer.run()
    shutil.copyfile(start / "tokenizer.json", out / TOKENIZER)
    about = {
        "name": name, "encoder": trainer.model.encoder.network.config._asdict(),
        "annotators": list(ANNOTATORS), "tokenizer": TOKENIZER, "context": recipe.context,
    }  # fmt: skip
    path = out / CHECKPOINT
    checkpoints.save(path, trainer.model.state_dict(), about)
    record = RunRecord(
        recipe="reader", name=name, configuration=recipe.as_dict(), environment=environment(),
        init={
            "name": "all-MiniLM-L6-v2",
            "sha256": checkpoints.sha256(start / "model.safetensors"),
        },
        training_data={c: {"items": len(i), "sha256": i.digest()} for c, i in train.items()},
        run=ran, dev=measure_reader(trainer.read, dev), checkpoint=weights_entry(path),
    )  # fmt: skip
    record.write(results)
    where = f"weights: {path}   record: {record.path(results)}"
    return Outcome(record, [figures("dev", record.dev), where])


COMMAND = Command(run=run, recipe=ReaderRecipe)
