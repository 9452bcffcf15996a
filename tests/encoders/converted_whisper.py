"""A Whisper of random numbers in the format of CTranslate2, with a vocabulary of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

WIDTH = 16
LANGUAGES = ("en", "de")


def write(folder: Path) -> Path:
    """Write ``model.bin``, ``config.json``, ``vocabulary.json`` and ``tokenizer.json``."""
    from ctranslate2.specs import whisper_spec

    tokens = _tokens()
    spec = whisper_spec.WhisperSpec(1, 2, 2, 2)
    spec.register_vocabulary(tokens)
    first = tokens.index("<|en|>")
    spec.config.lang_ids = [first + n for n in range(len(LANGUAGES))]
    spec.config.alignment_heads = [[0, 0], [1, 1]]
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    _fill(spec, len(tokens))
    spec.validate()
    folder.mkdir(parents=True)
    spec.save(str(folder))
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([t for t in tokens if t.startswith("<|")])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _tokens() -> list[str]:
    words = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe",
               "startoflm", "startofprev", "nospeech", "notimestamps"]  # fmt: skip
    times = [f"{n * 0.02:.2f}" for n in range(1501)]
    return [*words, *(f"<|{name}|>" for name in special + times)]


def _fill(spec: Any, size: int) -> None:
    draw = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.02, shape).astype(np.float32)

    def linear(part: Any, out: int, into: int) -> None:
        part.weight, part.bias = some(out, into), some(out)

    def norm(part: Any) -> None:
        part.gamma, part.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def attention(part: Any, *, own: bool) -> None:
        norm(part.layer_norm)
        sizes = (3, 1) if own else (1, 2, 1)
        for one, times in zip(part.linear, sizes, strict=True):
            linear(one, times * WIDTH, WIDTH)

    for conv, into in ((spec.encoder.conv1, 80), (spec.encoder.conv2, WIDTH)):
        conv.weight, conv.bias = some(WIDTH, into, 3), some(WIDTH)
    spec.encoder.position_encodings.encodings = some(1500, WIDTH)
    spec.decoder.position_encodings.encodings = some(448, WIDTH)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = some(size, WIDTH)
    for coder in (spec.encoder, spec.decoder):
        norm(coder.layer_norm)
        for layer in coder.layer:
            attention(layer.self_attention, own=True)
            if coder is spec.decoder:
                attention(layer.attention, own=False)
            norm(layer.ffn.layer_norm)
            linear(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
            linear(layer.ffn.linear_1, WIDTH, 4 * WIDTH)
