"""A voice message: ``python examples/voice_file.py message.wav`` (WAV, MP3, M4A, Ogg, WebM, ...).

Needs the extra "speech". Without a file it generates a humming sound.
"""

import io
import sys
import wave

import numpy as np

from empathic_sdk import Deployment, EmotionAwareAgent, Utterance


def hum(seconds: float = 3.0, rate: int = 16_000) -> bytes:
    """Return a WAV file with a voice-like sound."""
    t = np.arange(int(seconds * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * 140 * t) * (1 + np.sin(2 * np.pi * 4 * t)) / 2
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((sound * 32767).astype(np.int16).tobytes())
    return file.getvalue()


def main(path: str | None = None) -> None:
    said = Utterance("I failed the exam again.", audio=path or hum())
    with EmotionAwareAgent(deployment=Deployment(context="personal")) as agent:
        turn = agent.respond(said, user="ada")
        print("before consent:", dict(turn.emotion.contributions))
        agent.profiles.consent("ada", "speech", True, version="1")
        turn = agent.respond(said, user="ada")
        shares = {str(m): f"{share:.0%}" for m, share in turn.emotion.contributions.items()}
        print("with consent:", turn.emotion.label, shares)
        print(turn.reply)


if __name__ == "__main__":
    main(*sys.argv[1:2])
