"""MDGET under the lab's numbers, and the rows of its paper's Table 6: what each takes away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from empathic_sdk.lab.registry import dialogue_model
from empathic_sdk.models.mdget import GATES, MDGET, MDGETConfig

TIMING_WIDTH = 4
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "no-gue": {"gue": False},
    "no-acme": {"acme": False},
    "no-eetm": {"eetm": False},
    "no-transfer-loss": {},
    "no-gue-gates": {"gates": tuple(g for g in GATES if g != "gue")},
    "no-acme-gates": {"gates": tuple(g for g in GATES if g != "acme")},
    "no-eetm-gate": {"gates": tuple(g for g in GATES if g != "eetm")},
    "no-gates": {"gates": ()},
}
_SAME = (
    "width", "gue_layers", "acme_layers", "gue_dropout", "acme_dropout", "dropout", "causal",
    "window", "speakers", "own_past",
)  # fmt: skip


def mdget_config(
    inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]
) -> MDGETConfig:
    """Return the network's configuration under a dialogue recipe's numbers."""
    trust = numbers["behaviour_weight"]
    return MDGETConfig(
        inputs=dict(inputs),
        classes=classes,
        timing=TIMING_WIDTH if numbers["timing"] else 0,
        weights={"behaviour": trust} if "behaviour" in inputs and trust != 1.0 else {},
        **{name: numbers[name] for name in _SAME},
        **ABLATIONS[numbers["ablation"]],
    )


@dialogue_model("mdget", rank=0)
def mdget(inputs: Mapping[str, int], classes: int, numbers: Mapping[str, Any]) -> MDGET:
    """Build MDGET."""
    return MDGET(mdget_config(inputs, classes, numbers))
