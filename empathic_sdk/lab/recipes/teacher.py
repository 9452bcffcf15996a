"""Recipe ``teacher``: fine-tune a large encoder to read utterances in their conversation.

It never ships: a small reader learns from what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from empathic_sdk.encoders.rewriting import rewrite
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ConfigurationError, ModelError
from empathic_sdk.lab.evaluation.reader import dev_score, measure_reader
from empathic_sdk.lab.recipes.reader import dev_items, training_items
from empathic_sdk.lab.recipes.reader_numbers import ANNOTATORS, TeacherRecipe
from empathic_sdk.lab.records import RunRecord, environment, weights_entry
from empathic_sdk.lab.registry import Command, Option, Outcome
from empathic_sdk.lab.runs.runner import figures, folder
from empathic_sdk.lab.training.reader_fit import ReaderTrainer
from empathic_sdk.models.reader import Reader
from empathic_sdk.runtime import checkpoints


class PretrainedEncoder(nn.Module):
    """A BERT-like network of ``transformers``, with role vectors added to its word vectors."""

    def __init__(self, start: Path, *, frozen: int) -> None:
        from transformers import AutoModel  # seconds to import

        super().__init__()
        try:
            self.body = AutoModel.from_pretrained(start, add_pooling_layer=False)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{start} holds no BERT-like network: {error}") from error
        self.width = int(self.body.config.hidden_size)
        self.words = self.body.get_input_embeddings()
        self.words.weight.requires_grad_(False)
        for layer in self.body.encoder.layer[:frozen]:
            layer.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor, role: Tensor) -> Tensor:
        """Return ``[batch, time, width]``."""
        out: Tensor = self.body(
            inputs_embeds=self.words(ids) + role, attention_mask=mask.long()
        ).last_hidden_state
        return out


def run(
    numbers: Mapping[str, Any],
    *,
    data: Path,
    out: Path | None,
    results: Path,
    init: Annotated[
        Path, Option("Folder of the pretrained network (mpnet-base or alike).", exists=True)
    ],
    start: Annotated[
        Path | None, Option("A finished run whose weights this one begins with.", exists=True)
    ] = None,
) -> Outcome:
    """Fine-tune a large encoder that reads utterances in their conversation."""
    recipe = TeacherRecipe(**numbers)
    name = f"teacher-seed{recipe.seed}" + ("-again" if start else "")
    out = folder(name, out)
    torch.manual_seed(recipe.seed)
    model = Reader(PretrainedEncoder(init, frozen=recipe.frozen), ANNOTATORS)
    if start is not None:
        missing = model.load_state_dict(load_file(start / "best.safetensors"), strict=False)
        if missing.unexpected_keys:
            raise ConfigurationError(f"{start} holds another network")
    train = training_items(recipe, data)
    dev = dev_items(data)
    tokenizer = TextTokenizer(init / "tokenizer.json", rewrite=rewrite)
    trainer = ReaderTrainer(
        recipe=recipe, model=model, tokenizer=tokenizer,
        data=train, score=dev_score(dev), folder=out,
    )  # fmt: skip
    ran = trainer.run()
    path = out / "teacher.safetensors"
    checkpoints.save(path, model.state_dict(), {"name": name, "annotators": list(ANNOTATORS)})
    record = RunRecord(
        recipe="teacher", name=name, configuration=recipe.as_dict(), environment=environment(),
        training_data={c: {"items": len(i), "sha256": i.digest()} for c, i in train.items()},
        run=ran, dev=measure_reader(trainer.read, dev), checkpoint=weights_entry(path),
    )  # fmt: skip
    record.write(results)
    return Outcome(record, [figures("dev", record.dev), f"weights: {path}"])


COMMAND = Command(run=run, recipe=TeacherRecipe)
