"""Faces in a video: ``python examples/video_frames.py clip.mp4`` (needs the extra "face").

One frame is read every half second. No part of the video is kept.
"""

import sys
from collections.abc import Iterator

import cv2
import numpy as np

from empathic_sdk import Deployment, EmotionRecognizer, Modality, UserContext, Utterance


def frames_of(path: str, every_s: float = 0.5) -> Iterator[np.ndarray]:
    """Yield uint8 frames ``[height, width, 3]`` in RGB."""
    film = cv2.VideoCapture(path)
    step = max(1, round((film.get(cv2.CAP_PROP_FPS) or 25.0) * every_s))
    number = 0
    while True:
        there, image = film.read()
        if not there:
            break
        if number % step == 0:
            yield image[:, :, ::-1].copy()
        number += 1
    film.release()


def main(path: str | None = None) -> None:
    grey = [np.full((240, 320, 3), 128, np.uint8)] * 3
    frames = tuple(frames_of(path)) if path else tuple(grey)
    recognizer = EmotionRecognizer(deployment=Deployment(context="personal"))
    consenting = UserContext(user="ada", consents=frozenset({Modality.FACE}))
    said = Utterance("I am waiting for the result.", frames=frames)
    state = recognizer.recognize(said, user=consenting)
    print(len(frames), "frames:", state.label, f"{state.confidence:.0%}")
    print("rests on", {str(m): f"{share:.0%}" for m, share in state.contributions.items()})
    for modality, why in state.unread.items():
        print(f"{modality}: {why}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
