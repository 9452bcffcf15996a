"""MDGET-MER: gated unimodal encoder, gated cross-modal encoder, emotion transfer (Chen et al.)."""

from empathic_sdk.models.mdget.config import GATES, MDGETConfig
from empathic_sdk.models.mdget.network import MDGET, DialogueOutput
from empathic_sdk.models.mdget.transfer import PairOutput

__all__ = ["GATES", "MDGET", "DialogueOutput", "MDGETConfig", "PairOutput"]
