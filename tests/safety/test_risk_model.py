"""The risk reader on a small network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.encoders.text import TextEncoder
from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.errors import ModelError
from empathic_sdk.models.minilm import MiniLMConfig
from empathic_sdk.models.risk import RiskNetwork, description, own_tensors
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety.detector import MARKS
from empathic_sdk.safety.risk_model import (
    BEFORE,
    EARLIER,
    HEADS,
    JUDGED,
    LONGEST,
    REPLY,
    Before,
    RiskReader,
    Row,
    batch,
    rows,
)

SMALL = MiniLMConfig(layers=1, feedforward=64)
LIMITS = dict.fromkeys(HEADS, 0.0)


def network() -> RiskNetwork:
    torch.manual_seed(1)
    made = RiskNetwork(SMALL)
    torch.nn.init.normal_(made.head[1].weight, std=1.0)
    torch.nn.init.normal_(made.head[4].weight, std=1.0)
    return made.eval()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("risk") / "safety.safetensors"
    made = network()
    checkpoints.save(where, own_tensors(made), description(made, LIMITS))
    return where


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer(weights_dir() / "text-tokenizer.json")


@pytest.fixture(scope="module")
def reader(path: Path) -> RiskReader:
    return RiskReader(path)


def test_roles_and_order(tokenizer: TextTokenizer) -> None:
    talk = [Before(True, "one"), Before(False, "two"), Before(True, "three")]
    (row,) = rows(tokenizer, "now", talk)
    words = [tokenizer([w])[0][1] for w in ("now", "three", "two", "one")]
    marks = tokenizer(["now"])[0]
    cls, sep = marks[0], marks[-1]
    assert row.ids == [cls, words[0], sep, words[1], sep, words[2], sep, words[3], sep]
    assert row.roles == [JUDGED] * 3 + [EARLIER] * 2 + [REPLY] * 2 + [EARLIER] * 2


def test_only_so_much_is_read(tokenizer: TextTokenizer) -> None:
    long = "word " * 3000
    made = rows(tokenizer, long, [Before(True, long)] * 9)
    assert len(made) == 8
    for row in made:
        assert row.roles.count(JUDGED) <= LONGEST
        assert len(row.ids) - row.roles.count(JUDGED) <= BEFORE
    assert rows(tokenizer, "hi", [Before(True, " ")]) == rows(tokenizer, "hi", [])


def tensors(made: list[Row]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(a) for a in batch(made))


def test_nothing_that_is_padded_counts(tokenizer: TextTokenizer) -> None:
    made = network()
    texts = ["I am", "I am here and it is a long and rainy afternoon again"]
    marks = torch.zeros(2, MARKS)
    both = made(*tensors([rows(tokenizer, t, ())[0] for t in texts]), marks)
    for n, text in enumerate(texts):
        alone = made(*tensors(rows(tokenizer, text, ())), marks[:1])
        assert torch.allclose(both[n], alone[0], atol=1e-4)
    ids, mask, roles = tensors([rows(tokenizer, t, ())[0] for t in texts])
    other = ids.masked_fill(~mask, 7)
    assert torch.equal(made(other, mask, roles, marks), made(ids, mask, roles, marks))


def test_what_was_said_before_is_read(reader: RiskReader) -> None:
    alone = reader.read("yes")
    one = reader.read("yes", before=[Before(False, "Is the cat fed?")])
    own = reader.read("yes", before=[Before(True, "Is the cat fed?")])
    assert len({tuple(r.model_dump().values()) for r in (alone, one, own)}) == 3


def test_marks_are_read(reader: RiskReader) -> None:
    assert reader.read("yes", marks=[1.0] * MARKS) != reader.read("yes")
    assert reader.read("yes", marks=[0.0] * MARKS) == reader.read("yes")


def test_the_window_that_worries_most_decides(reader: RiskReader) -> None:
    pieces = ["tea and cake " * 100, "the dark water is calling me tonight " * 30]
    apart = max(reader.read(p).concern for p in pieces)
    joined = reader.read(" ".join(pieces)).concern
    assert joined >= min(reader.read(p).concern for p in pieces) - 0.2
    assert 0 <= joined <= 1 and apart <= 1


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_chances(reader: RiskReader, text: str) -> None:
    found = reader.read(text, before=[Before(False, text)])
    assert all(0.0 <= v <= 1.0 for v in found.model_dump().values())


def test_word_vectors_are_shared_with_the_text_encoder(path: Path) -> None:
    text = TextEncoder()
    reader = RiskReader(path, text)
    assert text.words is not None
    assert reader.words is text.words
    assert reader.read("hello") == RiskReader(path).read("hello")


def test_broken_weights(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights"):
        RiskReader(tmp_path / "none.safetensors")
    tensors, about = checkpoints.load(path)
    checkpoints.save(tmp_path / "half.safetensors", {"role.weight": tensors["role.weight"]}, about)
    with pytest.raises(ModelError, match="no risk model that fits"):
        RiskReader(tmp_path / "half.safetensors")
    checkpoints.save(tmp_path / "other.safetensors", tensors, {"encoder": {}})
    with pytest.raises(ModelError, match="no risk model that fits"):
        RiskReader(tmp_path / "other.safetensors")
    tensors["role.weight"][0, 0] = float("nan")
    checkpoints.save(tmp_path / "nan.safetensors", tensors, about)
    with pytest.raises(ModelError, match="not finite"):
        RiskReader(tmp_path / "nan.safetensors")
