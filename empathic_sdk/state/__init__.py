"""Logits to a calibrated state, and its past."""

from empathic_sdk.state.calibration import Calibration, personal, probabilities
from empathic_sdk.state.tracker import StateTracker, digest, trend

__all__ = ["Calibration", "StateTracker", "digest", "personal", "probabilities", "trend"]
