"""One step of the causal network in one dialogue, as the runtime computes it: arrays by name.

This is the reference that the exported graph is held to, and computes checkpoints that were not
exported. A piece of a dialogue may be read in several *ways* at once, with other modalities
present, given the same past: contributions need that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget.config import MDGETConfig
from empathic_sdk.models.mdget.network import MDGET, State

STATE = ("own", "gue", "past.present", "past.speaker", "cache")
"""Names of the parts of the streaming state."""


def shapes(config: MDGETConfig) -> dict[str, list[int]]:
    """Return the shape of each part of the state, with -1 for the length of the past."""
    m, d = len(config.inputs), config.width
    return {
        "own": [m, config.speakers if config.own_past else 0, d],
        "gue": [config.gue_layers if config.gue else 0, m, d],
        "past.present": [m, -1],
        "past.speaker": [-1],
        "cache": [len(sources(config)), 2, -1, d],
    }


def sources(config: MDGETConfig) -> list[str]:
    """Return the modality whose utterances each row of ``cache`` holds keys and values of.

    In each layer: every modality's own attention, from the hub to each other one, and back.
    """
    hub, *spokes = config.modalities
    layers = config.acme_layers if config.acme else 0
    return [*config.modalities, *spokes, *(hub for _ in spokes)] * layers


def about_step(config: MDGETConfig) -> dict[str, Any]:
    """Return what the runtime must know of a network's steps: JSON-able."""
    return {"state": shapes(config), "sources": sources(config)}


class Step:
    """A causal network in steps, computed by PyTorch.

    Args:
        network: In evaluation mode; without timing.

    Thread-safe.
    """

    def __init__(self, network: MDGET) -> None:
        self.network = network

    def compute(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Read the next ``n`` utterances.

        Args:
            given: ``features.M`` ``[n, width]`` for each modality, finite; ``present`` bool
                ``[ways, M, n]``; ``speaker`` int64 ``[n]``; ``weights`` ``[M]``; the parts of the
                state (:func:`shapes`), of ``p`` utterances; ``others`` ``[q, d]``, vectors to
                compare this piece with.

        Returns:
            ``logits`` ``[ways, n, classes]``; of the first way ``vectors`` ``[n, d]``, ``pairs``
            ``[n, q + n, 2]`` (logits of unchanged and changed, of each utterance compared with the
            others and then with those of the piece; zeros without a transfer module) and the new
            state, ``new.`` before its names.
        """
        with torch.inference_mode():
            named = {k: torch.from_numpy(np.ascontiguousarray(x)) for k, x in given.items()}
            found = self._compute(named)
        return {k: np.ascontiguousarray(x.numpy()) for k, x in found.items()}

    def _compute(self, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        names, (ways, m, n) = self.network.config.modalities, named["present"].shape
        batch = DialogueBatch(
            features={k: named[f"features.{k}"].expand(ways, -1, -1) for k in names},
            present={k: named["present"][:, i] for i, k in enumerate(names)},
            mask=torch.ones(ways, n, dtype=torch.bool),
            speaker=named["speaker"].expand(ways, -1),
            weights={k: named["weights"][i].expand(ways, n) for i, k in enumerate(names)},
        )
        out = self.network(batch, self._unpacked(named, ways))
        here = out.vectors[0]
        compared = torch.cat([named["others"], here])
        pairs = torch.zeros(n, len(compared), 2)
        if self.network.transfer is not None:
            pairs = self.network.transfer.between(here[:, None], compared[None])
        new = self._packed(out.state, named, m, ways)
        return {"logits": out.logits, "vectors": here, "pairs": pairs, **new}

    def _unpacked(self, named: Mapping[str, Tensor], ways: int) -> State:
        """Return the state as the network has it, the same for each way."""
        net = self.network
        state = {
            "past.present": named["past.present"][:, None].expand(-1, ways, -1),
            "past.speaker": named["past.speaker"].expand(ways, -1),
        }
        if net.own_past is not None:
            state["own"] = named["own"].repeat_interleave(ways, 0)
        for k in range(len(net.gue)):
            state[f"gue.{k}"] = named["gue"][k].repeat_interleave(ways, 0)[None]
        for row, name in zip(named["cache"], self._caches(), strict=True):
            state[name] = row[:, None].expand(-1, ways, -1, -1)
        return state

    def _packed(
        self, new: State, named: Mapping[str, Tensor], m: int, ways: int
    ) -> dict[str, Tensor]:
        """Return the first way's state."""
        net, d, p = self.network, self.network.config.width, new["past.speaker"].shape[1]
        own = named["own"]
        if net.own_past is not None:
            own = new["own"].reshape(m, ways, -1, d)[:, 0]
        gue = [new[f"gue.{k}"].reshape(m, ways, d)[:, 0] for k in range(len(net.gue))]
        cache = [new[name][:, 0] for name in self._caches()]
        return {
            "new.own": own,
            "new.gue": torch.stack(gue) if gue else named["gue"],
            "new.past.present": new["past.present"][:, 0],
            "new.past.speaker": new["past.speaker"][0],
            "new.cache": torch.stack(cache) if cache else torch.zeros(0, 2, p, d),
        }

    def _caches(self) -> list[str]:
        """Return the network's names of the rows of ``cache`` (see :func:`sources`)."""
        names = self.network.config.modalities
        ways = (("self", names), ("to", names[1:]), ("from", names[1:]))
        return [
            f"acme.{k}.{way}.{m}"
            for k in range(len(self.network.acme)) for way, some in ways for m in some
        ]  # fmt: skip
