"""The risk network: a text with its context to the logits of danger.

The sentence network, fine-tuned in all layers, with a small head. It shares the word vectors of the
text encoder, which are half of its size; the rest is trained by ``empathic train safety``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empathic_sdk.errors import ModelError
from empathic_sdk.models.minilm import MiniLM, MiniLMConfig
from empathic_sdk.runtime import checkpoints

JUDGED, REPLY, EARLIER = 0, 1, 2
"""Roles of a token: part of the judged text, of a reply, of the person's earlier words."""
OUTPUTS = 5
_WORDS = "body.word.weight"


class RiskNetwork(nn.Module):
    """Word pieces with their roles to five logits.

    Args:
        config: Configuration of the sentence network.
        hidden: Hidden units of the head.
        marks: Findings of the patterns that the head reads.
    """

    def __init__(
        self, config: MiniLMConfig | None = None, *, hidden: int = 128, marks: int = 8
    ) -> None:
        super().__init__()
        self.body = MiniLM(config)
        width = self.body.config.width
        self.role = nn.Embedding(3, width)
        nn.init.normal_(self.role.weight, std=0.02)
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(3 * width + marks, hidden), nn.GELU(), nn.Dropout(0.2),
            nn.Linear(hidden, OUTPUTS),
        )  # fmt: skip

    def forward(self, ids: Tensor, mask: Tensor, roles: Tensor, marks: Tensor) -> Tensor:
        """Return logits ``[batch, 5]`` in the order of ``HEADS`` of ``safety.risk_model``.

        Args:
            ids: int ``[batch, time]``.
            mask: bool ``[batch, time]``, ``True`` = real.
            roles: int ``[batch, time]``; every row has a real token of the role ``JUDGED``.
            marks: float ``[batch, marks]``.
        """
        out: Tensor = self.head(torch.cat([self.features(ids, mask, roles), marks.float()], -1))
        return out

    def features(self, ids: Tensor, mask: Tensor, roles: Tensor) -> Tensor:
        """Return ``[batch, 3 * width]``: the first token, mean and maximum of the judged ones."""
        return self.features_of(self.body.word(ids), mask, roles)

    def features_of(self, words: Tensor, mask: Tensor, roles: Tensor) -> Tensor:
        """Return the same from word vectors ``[batch, time, width]``."""
        tokens = self.body.from_words(words, mask, self.role(roles)).tokens.float()
        judged = (mask & (roles == JUDGED)).unsqueeze(-1)
        mean = (tokens * judged).sum(1) / judged.sum(1).clamp(min=1)
        # Not -inf: this works with bfloat16 autocast and with rows without judged tokens.
        most = tokens.masked_fill(~judged, -1e4).amax(1).clamp(min=-1e3)
        return torch.cat([tokens[:, 0], mean, most], -1)


def load_risk(path: Path) -> RiskNetwork:
    """Return the network of a checkpoint, in evaluation mode; its word vectors are not in it.

    Raises:
        ModelError: The checkpoint holds no such network.
    """
    tensors, about = checkpoints.load(path)
    try:
        with torch.device("meta"):
            network = RiskNetwork(MiniLMConfig(**about["encoder"]))
        missing = network.load_state_dict(tensors, assign=True, strict=False)
        if missing.unexpected_keys or missing.missing_keys != [_WORDS]:
            raise ValueError(f"{missing}")
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"{path} holds no risk model that fits: {error}") from error
    if not all(t.isfinite().all() for t in tensors.values()):
        raise ModelError(f"{path} holds numbers that are not finite")
    return network.eval()


def computed_by(path: Path) -> Callable[..., dict[str, NDArray[np.float32]]]:
    """Return what computes ``logits`` and ``features`` of a checkpoint, in PyTorch."""
    network = load_risk(path)

    def compute(**given: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        x = {name: torch.from_numpy(value) for name, value in given.items()}
        with torch.inference_mode():
            features = network.features_of(x["words"], x["mask"], x["roles"])
            logits = network.head(torch.cat([features, x["marks"]], -1))
        return {"logits": logits.numpy(), "features": features.numpy()}

    return compute


def description(network: RiskNetwork, limits: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return the description for a checkpoint."""
    return {
        "encoder": network.body.config._asdict(), "tokenizer": "text-tokenizer.json",
        "limits": limits, **more,
    }  # fmt: skip


def own_tensors(network: RiskNetwork) -> dict[str, Tensor]:
    """Return the tensors for a checkpoint: all but the word vectors."""
    return {k: v for k, v in network.state_dict().items() if k != _WORDS}
