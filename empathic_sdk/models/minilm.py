"""MiniLM sentence network in plain PyTorch (Wang et al. 2020; BERT layout of Devlin et al. 2019).

The runtime's default text network. It computes the same as ``transformers.BertModel`` (a test
compares them), and is implemented here because importing ``transformers`` alone costs
about 2.5 s and 140 MB, at every start of a text agent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (the field's usual alias)
from einops import rearrange
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from empathic_sdk.errors import ModelError
from empathic_sdk.runtime import checkpoints


class MiniLMConfig(NamedTuple):
    """Sizes of the network; the defaults are those of all-MiniLM-L6-v2."""

    vocab_size: int = 30522
    width: int = 384
    layers: int = 6
    heads: int = 12
    feedforward: int = 1536
    positions: int = 512
    dropout: float = 0.1


class SentenceEncoding(NamedTuple):
    """Output of :class:`MiniLM`.

    ``pooled`` is ``[batch, width]`` (mean over real tokens), ``tokens`` ``[batch, time, width]``.
    """

    pooled: Tensor
    tokens: Tensor


class EncoderLayer(nn.Module):
    """One post-norm transformer layer."""

    def __init__(self, *, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}")
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, feedforward)
        self.down = nn.Linear(feedforward, width)
        self.output_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, attend: Tensor) -> Tensor:
        """Map ``x`` ``[batch, time, width]`` to the same shape.

        ``attend`` is bool ``[batch, 1, 1, time]``, ``True`` = may be attended to.
        """
        q, k, v = rearrange(
            self.qkv(x), "b t (three h d) -> three b h t d", three=3, h=self.heads
        ).unbind(0)
        drop = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=attend, dropout_p=drop)
        mixed = self.out(rearrange(mixed, "b h t d -> b t (h d)"))
        x = self.attention_norm(x + F.dropout(mixed, drop))
        forward = self.down(F.gelu(self.up(x)))
        out: Tensor = self.output_norm(x + F.dropout(forward, drop))
        return out


class MiniLM(nn.Module):
    """Encodes token ids as one vector per text."""

    def __init__(self, config: MiniLMConfig | None = None) -> None:
        super().__init__()
        self.config = config or MiniLMConfig()
        c = self.config
        self.word = nn.Embedding(c.vocab_size, c.width)
        self.position = nn.Embedding(c.positions, c.width)
        # BERT adds a segment vector to every token; with a single segment it is a constant.
        self.segment = nn.Parameter(torch.zeros(c.width))
        self.norm = nn.LayerNorm(c.width, eps=1e-12)
        self.layers = nn.ModuleList(
            EncoderLayer(width=c.width, heads=c.heads, feedforward=c.feedforward, dropout=c.dropout)
            for _ in range(c.layers)
        )

    def forward(self, ids: Tensor, mask: Tensor, role: Tensor | None = None) -> SentenceEncoding:
        """Encode a batch.

        Args:
            ids: int ``[batch, time]`` word-piece ids; padding is ignored.
            mask: bool ``[batch, time]``, ``True`` = real token.
            role: float ``[batch, time, width]`` added to every token, such as the speaker's role.

        Returns:
            Pooled and per-token vectors; zeros where nothing is real.
        """
        return self.from_words(self.word(ids), mask, role)

    def from_words(
        self, words: Tensor, mask: Tensor, role: Tensor | None = None
    ) -> SentenceEncoding:
        """Encode a batch from word vectors ``[batch, time, width]``; else as :meth:`forward`."""
        x = words + self.position.weight[: words.shape[1]] + self.segment
        x = self.norm(x if role is None else x + role)
        if self.training:
            x = F.dropout(x, self.config.dropout)
        # A row without any real token attends to everything (softmax over nothing is NaN); the
        # multiplication by `real` below then makes it zero.
        attend = (mask | ~mask.any(1, keepdim=True))[:, None, None, :]
        for layer in self.layers:
            x = layer(x, attend)
        real = mask.unsqueeze(-1).to(x.dtype)
        x = x * real
        pooled = x.sum(1) / real.sum(1).clamp(min=1.0)
        return SentenceEncoding(pooled=pooled, tokens=x)


def pooled_by(path: Path) -> Callable[[NDArray[np.float32], NDArray[np.bool_]], Any]:
    """Return what reads word vectors and a mask with the network of a checkpoint, in PyTorch.

    Raises:
        ModelError: The checkpoint holds no such network.
    """
    network = load_minilm(path)

    def pooled(words: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        with torch.inference_mode():
            out = network.from_words(torch.from_numpy(words), torch.from_numpy(mask)).pooled
        found: NDArray[np.float32] = out.numpy()
        return found

    return pooled


def load_minilm(path: Path) -> MiniLM:
    """Return the sentence network of a text checkpoint, in evaluation mode.

    Raises:
        ModelError: The checkpoint holds no such network.
    """
    tensors, about = checkpoints.load(path)
    try:
        with torch.device("meta"):  # skips drawing 22 million random numbers
            network = MiniLM(MiniLMConfig(**about["encoder"]))
        network.load_state_dict(checkpoints.part(tensors, "encoder"), assign=True)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{path} holds no text network that fits: {error}") from error
    return network.eval()


def pretrained(folder: Path) -> MiniLM:
    """Return the network of a folder that holds a BERT in the layout of ``transformers``.

    Raises:
        ModelError: The folder holds no such network.
    """
    c = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    try:
        config = MiniLMConfig(
            vocab_size=c["vocab_size"],
            width=c["hidden_size"],
            layers=c["num_hidden_layers"],
            heads=c["num_attention_heads"],
            feedforward=c["intermediate_size"],
            positions=c["max_position_embeddings"],
            dropout=c["hidden_dropout_prob"],
        )
        network = MiniLM(config)
        network.load_state_dict(from_bert_state(load_file(folder / "model.safetensors")))
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{folder} holds no BERT-like network: {error}") from error
    return network


def from_bert_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename (and join) the tensors of a Hugging Face BERT checkpoint to this module's names."""
    prefix = "bert." if any(name.startswith("bert.") for name in state) else ""

    def get(name: str) -> Tensor:
        return state[prefix + name].float()

    out = {
        "word.weight": get("embeddings.word_embeddings.weight"),
        "position.weight": get("embeddings.position_embeddings.weight"),
        "segment": get("embeddings.token_type_embeddings.weight")[0],
        "norm.weight": get("embeddings.LayerNorm.weight"),
        "norm.bias": get("embeddings.LayerNorm.bias"),
    }
    renames = {
        "attention.output.dense": "out",
        "attention.output.LayerNorm": "attention_norm",
        "intermediate.dense": "up",
        "output.dense": "down",
        "output.LayerNorm": "output_norm",
    }
    layer = 0
    while f"{prefix}encoder.layer.{layer}.output.dense.weight" in state:
        old, new = f"encoder.layer.{layer}.", f"layers.{layer}."
        for kind in ("weight", "bias"):
            out[f"{new}qkv.{kind}"] = torch.cat(
                [get(f"{old}attention.self.{part}.{kind}") for part in ("query", "key", "value")]
            )
            for theirs, ours in renames.items():
                out[f"{new}{ours}.{kind}"] = get(f"{old}{theirs}.{kind}")
        layer += 1
    return out
