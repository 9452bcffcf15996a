from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk import EmotionRecognizer, TextEncoder
from empathic_sdk.encoders.normalize import legible, normalize
from empathic_sdk.encoders.tokens import pad, truncate, windows
from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.batching import Batcher
from empathic_sdk.runtime.resources import weights_dir


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("I’m “fine”…", 'I\'m "fine"...'),
        ("so 😭!", "so loudly crying face !"),
        ("👍🏽 ok ❤️", "thumbs up sign ok red heart"),
        ("noooooooo!!!!!!!", "nooo!!!"),
        ("a\x00b\u200bc \t\n d", "a b c d"),
        ("   ", ""),
        ("مرحبا", "مرحبا"),
    ],
)
def test_normalize(raw: str, plain: str) -> None:
    assert normalize(raw) == plain


@pytest.mark.parametrize(
    ("text", "share"),
    [("hello", 1.0), ("123 😭", 1.0), ("مرحبا", 0.0), ("naïve", 1.0), ("aб", 0.5)],
)
def test_legible(text: str, share: float) -> None:
    assert legible(text) == share


def test_windows_keep_both_marks_and_every_piece() -> None:
    ids = [101, *range(1000, 1010), 102]
    assert windows(ids, size=12) == [ids]
    cut = windows(ids, size=6)
    assert cut == [
        [101, 1000, 1001, 1002, 1003, 102],
        [101, 1004, 1005, 1006, 1007, 102],
        [101, 1008, 1009, 102],
    ]
    many = windows([101, *range(40), 102], size=6, most=4)
    assert [w[1] for w in many] == [0, 4, 32, 36]


def test_truncate_keeps_the_closing_mark() -> None:
    assert truncate([101, 1, 2, 3, 102], 4) == [101, 1, 2, 102]
    assert truncate([101, 1, 102], 4) == [101, 1, 102]


def test_pad() -> None:
    ids, mask = pad([[5, 6, 7], [8]])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]


def test_batch_and_single_agree(recognizer: EmotionRecognizer) -> None:
    texts = ["hi", "I am so happy for you, this is wonderful news!", "no " * 300]
    together = recognizer.text.encode(texts)
    assert together.shape == (3, recognizer.text.width)
    assert together.dtype == np.float32
    for i, text in enumerate(texts):
        np.testing.assert_allclose(recognizer.text.encode([text])[0], together[i], atol=2e-5)
    assert recognizer.text.encode([]).shape == (0, recognizer.text.width)


def test_features(recognizer: EmotionRecognizer) -> None:
    sequence = recognizer.text.features("hello")
    assert sequence.modality == "text"
    assert sequence.values.shape == (1, recognizer.text.width)
    assert sequence.mask.tolist() == [True]


def test_batcher_joins_callers_and_keeps_their_order() -> None:
    sizes: list[int] = []

    def work(items: list[int]) -> list[int]:
        sizes.append(len(items))
        time.sleep(0.02)
        return [i * i for i in items]

    batcher = Batcher(work)
    results: dict[int, list[int]] = {}

    def call(i: int) -> None:
        results[i] = batcher([i, i + 100])

    threads = [threading.Thread(target=call, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {i: [i * i, (i + 100) ** 2] for i in range(20)}
    assert sum(sizes) == 40
    assert len(sizes) < 20


def test_batcher_hands_an_error_to_its_callers_and_lives_on() -> None:
    def work(items: list[int]) -> list[int]:
        if 13 in items:
            raise ValueError("thirteen")
        return items

    batcher = Batcher(work)
    with pytest.raises(ValueError, match="thirteen"):
        batcher([13])
    assert batcher([1]) == [1]


def test_an_encoder_that_nobody_holds_is_freed() -> None:
    encoder = TextEncoder()
    encoder.encode(["Hello."])
    gone = weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None


def test_checkpoint_round_trip_is_close(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {"a.big": torch.randn(64, 128), "a.small": torch.randn(7), "b": torch.zeros(64, 64)}
    checkpoints.save(tmp_path / "x.safetensors", tensors, {"name": "x"})
    back, about = checkpoints.load(tmp_path / "x.safetensors")
    assert about == {"name": "x"}
    # int8 with a scale a row: half a step is max|row| / 254.
    bound = tensors["a.big"].abs().amax(1, keepdim=True) / 254 * 1.01
    assert ((back["a.big"] - tensors["a.big"]).abs() <= bound).all()
    torch.testing.assert_close(back["a.small"], tensors["a.small"], atol=2e-3, rtol=1e-3)
    assert (back["b"] == 0).all()
    assert checkpoints.part(back, "a").keys() == {"big", "small"}


def test_broken_weights_are_named(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    with pytest.raises(ModelError, match="there are no weights at"):
        TextEncoder(path)
    whole = (weights_dir() / "text.safetensors").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        TextEncoder(path)
    path.write_bytes(whole)
    with pytest.raises(ModelError, match="no tokenizer at"):
        TextEncoder(path)
    (tmp_path / "text-tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer at .* is damaged"):
        TextEncoder(path)
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="not a checkpoint of this package"):
        TextEncoder(path)


def test_any_sentence_transformers_model_can_be_plugged_in(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "am", "happy", "sad"]
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab=str(tmp_path / "bert" / "vocab.txt")).save_pretrained(tmp_path / "bert")
    BertModel(
        BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=32,
        )
    ).save_pretrained(tmp_path / "bert")  # fmt: skip
    body = Transformer(str(tmp_path / "bert"))
    SentenceTransformer(modules=[body, Pooling(16)], device="cpu").save(str(tmp_path / "st"))

    encoder = TextEncoder(str(tmp_path / "st"))
    assert encoder.width == 16
    vectors = encoder.encode(["i am happy", "i am sad"])
    assert vectors.shape == (2, 16)
    assert not np.allclose(vectors[0], vectors[1])
    with pytest.raises(ModelError, match="comes without emotion heads"):
        EmotionRecognizer(text=encoder)
    with pytest.raises(ModelError, match="want vectors of 384"):
        EmotionRecognizer(text=encoder, heads=weights_dir() / "text.safetensors")


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="'no-such/model' cannot be loaded"):
        TextEncoder("no-such/model")
