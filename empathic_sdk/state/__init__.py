"""Logits to a calibrated state, and its past."""

from empathic_sdk.state.calibration import Calibration, probabilities
from empathic_sdk.state.tracker import StateTracker, trend

__all__ = ["Calibration", "StateTracker", "probabilities", "trend"]
