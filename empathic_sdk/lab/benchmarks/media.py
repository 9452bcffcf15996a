"""What a turn costs that brings a voice and a face, on recordings that are all different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.benchmarks.harness import timed
from empathic_sdk.lab.benchmarks.turns import texts
from empathic_sdk.types import Modality, Utterance

RATE = 16000
SECONDS = 3
WARM_UP = 5
"""Turns that make the encoders."""


def bench_media(*, data: Path, turns: int = 40) -> dict[str, Any]:
    """Return what ``empathic bench media --json`` prints.

    A turn is a typed line, three seconds of a RAVDESS recording as an array, and one frame of 640
    by 480 with a face of FER2013 in it, through ``EmotionAwareAgent.respond``. ``with_voice`` and
    ``with_face`` are the shares of turns in which the detectors found one: only those have been
    through everything.
    """
    import cv2

    from empathic_sdk import Deployment, EmotionAwareAgent
    from empathic_sdk.encoders.audio import decode
    from empathic_sdk.lab.corpora.clips import read_clips
    from empathic_sdk.lab.corpora.faces import read_faces

    clips = read_clips("ravdess", data).of(range(21, 25))
    faces = read_faces(data, "test")
    if len(clips) < turns + WARM_UP:
        raise DataError(f"there are only {len(clips)} clips; ask for fewer turns")
    said = texts(3)
    utterances = []
    for i in range(turns + WARM_UP):
        sound = np.zeros(SECONDS * RATE, np.float32)
        clip = decode(clips.paths[i * len(clips) // (turns + WARM_UP)])[: len(sound)]
        sound[: len(clip)] = clip
        frame = np.full((480, 640, 3), 127, np.uint8)
        frame[120:360, 200:440] = cv2.resize(faces.images[i], (240, 240))[..., None]
        utterances.append(Utterance(next(said), audio=(sound, RATE), frames=(frame,)))
    missing = []
    with EmotionAwareAgent(deployment=Deployment(context="research")) as agent:
        for modality in (Modality.SPEECH, Modality.FACE):
            agent.profiles.consent("bench", modality, True)

        def respond(number: int) -> None:
            missing.append(agent.respond(utterances[number], user="bench").emotion.missing)

        took = timed(respond, turns, warm_up=WARM_UP)
    found = missing[WARM_UP:]
    return {
        "media_turn_p50_ms": took.p50,
        "media_turn_p95_ms": took.p95,
        "turns": turns,
        "with_voice": float(np.mean([Modality.SPEECH not in m for m in found])),
        "with_face": float(np.mean([Modality.FACE not in m for m in found])),
    }
