"""Alignment of feature sequences with different rates to one clock (PED eq 4-31).

Liu and Wang, "Research on Personalized Emotion Dynamic Deep Learning Modeling for Human-Centered
Emotional Interaction". Everything here is NumPy; nothing is learned.
"""

from empathic_sdk.encoders.alignment.clock import Aligner, align
from empathic_sdk.encoders.alignment.prepare import Preparation, prepare

__all__ = ["Aligner", "Preparation", "align", "prepare"]
