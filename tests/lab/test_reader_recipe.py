"""The recipes of the shared reader and of its teacher, on corpora of a few words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk.encoders.rewriting import rewrite
from empathic_sdk.encoders.tokens import TextTokenizer, in_context
from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.in_context import read_frames, read_in_context
from empathic_sdk.lab.corpora.written import FOLDER, group_terms, read_written
from empathic_sdk.lab.recipes import reader, teacher
from empathic_sdk.lab.recipes.reader_numbers import ANNOTATORS, ReaderRecipe
from empathic_sdk.lab.training.reader_fit import ReaderTrainer, pad_rows, read_rows
from tests.lab import corpora_imitation as imitation

QUICK = {
    "epochs": {"meld": 3.0, "goemotions": 4.0, "emobank": 4.0, "empathetic": 1.0},
    "tokens": 256, "max_tokens": 20, "context": 20, "learning_rate": 3e-3,
    "head_learning_rate": 3e-2, "average": 0.9, "evaluations": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = imitation.write(tmp_path_factory.mktemp("data"))
    return imitation.write_dialogues(folder)


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imitation.write_minilm(tmp_path_factory.mktemp("minilm"))


def test_what_came_before_goes_behind_the_utterance() -> None:
    ids, roles = in_context([1, 5, 2], [(True, [1, 6, 7, 2]), (False, [1, 8, 2])], context=9)
    assert ids == [1, 5, 2, 6, 7, 2, 8, 2]
    assert roles == [0, 0, 0, 1, 1, 1, 2, 2]
    ids, roles = in_context([1, 5, 2], [(True, [1, 6, 7, 2]), (False, [1, 8, 2])], context=3)
    assert (ids, roles) == ([1, 5, 2, 2, 8, 2], [0, 0, 0, 1, 2, 2])  # the newest stay


def test_dialogues_are_read_with_their_past(data: Path) -> None:
    items = read_in_context("meld", data, "train")
    assert items.before[0] == ()
    assert items.before[2] == ((True, items.texts[0]), (True, items.texts[1]))
    emotion = items.targets["emotion"]
    assert items.targets["change"][:2].tolist() == [-1, int(emotion[0] != emotion[1])]
    talks = read_in_context("empathetic", data, "train")
    assert set(talks.targets) == {"situation", "emotion"}
    assert talks.take([0]).texts == talks.texts[:1]
    assert talks.digest() != talks.take([0]).digest()


def test_frames_are_read_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text("past\tneutral:.7,sadness:.3\t-.1\t0\tU: Hi. | A: Hello.\tI was sad.\n")
    items = read_frames([path])
    assert items.texts == ["I was sad."] and items.ids == ["mine/1/past"]
    assert items.before == [((True, "Hi."), (False, "Hello."))]
    assert items.targets["felt"][0] == pytest.approx([0.7, 0, 0.3, 0, 0, 0, 0])
    assert items.targets["affect"][0] == pytest.approx([-0.1, 0.0])
    for broken in ("one column\n", "f\tgloom:1\t0\t0\t\tx\n", "f\tjoy:1\t0\t0\tX: who?\tx\n"):
        path.write_text(broken)
        with pytest.raises(DataError, match=r"mine\.tsv, line 1"):
            read_frames([path])


def test_the_lines_of_the_package_are_sound() -> None:
    train, dev = read_written("train"), read_written("dev")
    assert len(train) > 4500 and len(dev) > 350
    assert not set(train.ids) & set(dev.ids)
    assert np.allclose(train.targets["felt"].sum(1), 1)
    assert np.abs(train.targets["affect"]).max() <= 1
    assert len(group_terms()) >= 100
    assert not any("{" in text for text in (*train.texts, *dev.texts))
    assert {p.suffix for p in FOLDER.iterdir()} == {".tsv", ".txt"}


def test_a_reader_learns_and_goes_on_where_it_was(data: Path, minilm: Path, tmp_path: Path) -> None:
    done = reader.run(
        QUICK, data=data, out=tmp_path / "run", results=tmp_path / "results", init=minilm
    )
    record = json.loads(
        (tmp_path / "results" / "reader" / "reader-seed1.json").read_text(encoding="utf-8")
    )
    assert record["dev"] == done.as_json()["dev"]
    assert record["dev"]["meld_weighted_f1"] > 0.6
    assert record["dev"]["meld_alone"] > 0.6
    assert record["dev"]["goemotions_macro_f1"] > 0.5
    assert record["dev"]["emobank_valence"] > 0.5
    assert set(record["training_data"]) == set(QUICK["epochs"])
    # A finished run is found, not repeated.
    again = reader.run(
        QUICK, data=data, out=tmp_path / "run", results=tmp_path / "results", init=minilm
    )
    assert again.as_json()["run"]["seconds"] == record["run"]["seconds"]
    with pytest.raises(ConfigurationError, match="other numbers"):
        reader.run(
            {**QUICK, "seed": 2}, data=data, out=tmp_path / "run", results=tmp_path, init=minilm
        )


def test_padding_and_the_past_of_others_do_not_count(minilm: Path) -> None:
    torch.manual_seed(0)
    model = reader.fresh_reader(minilm).eval()
    torch.nn.init.normal_(model.heads.shared)
    tokenizer = TextTokenizer(minilm / "tokenizer.json", rewrite=rewrite)
    short, long = tokenizer(["happy", "the train is so sad and lonely here"])
    rows = [(r, [0] * len(r)) for r in (short, long)]
    both = read_rows(model, rows, "own", bfloat16=False)["emotion"]
    alone = read_rows(model, rows[:1], "own", bfloat16=False)["emotion"]
    assert both[0] == pytest.approx(alone[0], abs=1e-5)
    ids, mask, roles = pad_rows([in_context(short, [(False, long)], context=20)])
    with torch.inference_mode():
        tokens = model.encoder(ids, mask, model.role(roles))[0, : len(short)]
        vector = model.vectors(ids, mask, roles)[0]
    assert torch.allclose(vector, tokens.mean(0), atol=1e-6)
    assert model.heads.annotators == ANNOTATORS


def test_a_teacher_of_another_build_is_trained_and_started_from(
    data: Path, minilm: Path, tmp_path: Path
) -> None:
    (minilm / "config.json").write_text(
        json.dumps(json.loads((minilm / "config.json").read_text()) | {"model_type": "bert"})
    )
    numbers = {**QUICK, "epochs": {"meld": 0.5}, "frozen": 1, "evaluations": 1}
    given = {"data": data, "results": tmp_path, "init": minilm}
    first = teacher.run(numbers, out=tmp_path / "first", **given)
    assert 0 <= first.as_json()["dev"]["meld_weighted_f1"] <= 1
    second = teacher.run(numbers, out=tmp_path / "second", start=tmp_path / "first", **given)
    assert second.as_json()["name"] == "teacher-seed1-again"


def test_numbers_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="at least one corpus"):
        ReaderRecipe(epochs={})
    with pytest.raises(ConfigurationError, match="context >= 0"):
        ReaderRecipe(context=-1)
    assert ReaderTrainer.__doc__
