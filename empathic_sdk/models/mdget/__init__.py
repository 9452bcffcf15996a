"""MDGET-MER (Chen et al.): gated unimodal and cross-modal encoders, emotion transfer."""

from empathic_sdk.models.mdget.config import GATES, MDGETConfig
from empathic_sdk.models.mdget.network import MDGET, DialogueOutput
from empathic_sdk.models.mdget.transfer import PairOutput

__all__ = ["GATES", "MDGET", "DialogueOutput", "MDGETConfig", "PairOutput"]
