"""A tiny untrained checkpoint in the format of ``empathic train speech``."""

from __future__ import annotations

from pathlib import Path

import torch

from empathic_sdk.models.prosody import WIDTH
from empathic_sdk.models.speech import (
    MfccLstm,
    PedSpeech,
    PedSpeechConfig,
    SpeechClassifier,
    StatisticsClassifier,
)
from empathic_sdk.models.speech_features import Front
from empathic_sdk.runtime import checkpoints

RAVDESS = ["neutral", "calm", "joy", "sadness", "anger", "fear", "disgust", "surprise"]


def write(path: Path, *, kind: str = "ped", share: float = 0.7) -> Path:
    torch.manual_seed(0)
    sizes = {"bands": 16, "channels": [4, 6, 8], "hidden": 8}
    front = Front(kind="log-mel", bands=16) if kind == "ped" else Front(kind="mfcc")
    network = PedSpeech(PedSpeechConfig(16, (4, 6, 8), 8)) if kind == "ped" else MfccLstm()
    heads = SpeechClassifier(width=network.width, classes={"ravdess": 8})
    second = StatisticsClassifier(width=WIDTH, classes=8)
    tensors = {
        f"{part}.{name}": tensor
        for part, module in (
            ("front", front), ("network", network), ("heads", heads), ("statistics", second),
        )
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }  # fmt: skip
    about = {
        "name": "tiny", "kind": kind, "front": {"kind": front.kind, "bands": front.width},
        "network": sizes, "width": network.width, "head": "ravdess",
        "classes": {"ravdess": RAVDESS}, "share": share, "calibration": {"temperature": 1.5},
    }  # fmt: skip
    checkpoints.save(path, tensors, about)
    return path
