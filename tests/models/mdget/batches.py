"""Small networks with telling weights, and random batches of dialogues for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import GATES, MDGET, DialogueOutput, MDGETConfig

WIDTHS = {"text": 5, "visual": 3, "audio": 4}
TIMING = 2
SAID = ("logits", "fused", "vectors", "fusion_gates")  # of each utterance

# What each row of the ablation table takes away.
ABLATIONS: dict[str, dict[str, Any]] = {
    "full": {},
    "no gue": {"gue": False},
    "no acme": {"acme": False},
    "no eetm": {"eetm": False},
    "no gue gates": {"gates": tuple(g for g in GATES if g != "gue")},
    "no acme gates": {"gates": tuple(g for g in GATES if g != "acme")},
    "no eetm gate": {"gates": tuple(g for g in GATES if g != "eetm")},
    "no gates": {"gates": ()},
}


def filled(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter, biases and norms as well, values that matter; eval, float64."""
    drawn = torch.Generator().manual_seed(seed)
    module.double().eval()
    with torch.no_grad():
        for name, p in module.named_parameters():
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            p.copy_(centre + torch.randn(p.shape, generator=drawn, dtype=torch.float64) * 0.5)
    return module


def config(modalities: int = 3, **changes: Any) -> MDGETConfig:
    tiny: dict[str, Any] = {
        "inputs": dict(list(WIDTHS.items())[:modalities]), "classes": 3, "width": 8, "heads": 2,
        "feedforward": 6, "window": 4, "speakers": 2, "timing": TIMING, "gue_layers": 1,
        "acme_layers": 2, "gue_dropout": 0.0, "acme_dropout": 0.0, "dropout": 0.0,
    }  # fmt: skip
    return MDGETConfig(**(tiny | changes))


def network(modalities: int = 3, seed: int = 0, **changes: Any) -> MDGET:
    net = filled(MDGET(config(modalities, **changes)), seed)
    assert isinstance(net, MDGET)
    return net


def batch(
    lengths: list[int], *, seed: int = 0, absent: float = 0.3, scale: float = 1.0
) -> DialogueBatch:
    """Draw dialogues of three modalities and four speakers (more than there are slots)."""
    drawn = torch.Generator().manual_seed(seed)
    b, n = len(lengths), max(lengths)
    mask = torch.arange(n)[None] < torch.tensor(lengths)[:, None]

    def normal(width: int) -> Tensor:
        return torch.randn((b, n, width), generator=drawn, dtype=torch.float64) * scale

    return DialogueBatch(
        features={m: normal(w) for m, w in WIDTHS.items()},
        present={m: (torch.rand((b, n), generator=drawn) >= absent) & mask for m in WIDTHS},
        mask=mask,
        speaker=torch.randint(0, 4, (b, n), generator=drawn) * mask,
        timing=normal(TIMING) / scale,
    )


def cut(whole: DialogueBatch, start: int, end: int, row: int | None = None) -> DialogueBatch:
    """Return utterances ``start`` to ``end`` of all dialogues, or of one."""
    rows = slice(None) if row is None else slice(row, row + 1)
    return DialogueBatch(
        features={m: f[rows, start:end] for m, f in whole.features.items()},
        present={m: p[rows, start:end] for m, p in whole.present.items()},
        mask=whole.mask[rows, start:end],
        speaker=whole.speaker[rows, start:end],
        timing=None if whole.timing is None else whole.timing[rows, start:end],
    )


def close(ours: DialogueOutput, theirs: DialogueOutput, within: float) -> None:
    """Compare everything that is said about utterances and pairs."""
    for name in SAID:
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=within, rtol=0)
    assert (ours.pairs is None) == (theirs.pairs is None)
    if ours.pairs is not None and theirs.pairs is not None:
        torch.testing.assert_close(ours.pairs[:], theirs.pairs[:], atol=within, rtol=0)
