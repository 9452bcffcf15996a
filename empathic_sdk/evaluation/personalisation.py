"""``empathic evaluate personalisation``: what learning from feedback gains, by simulated people.

Every course is gone through four times: with nothing learned, with the bias alone, with the
weights of Q-learning alone, and with both. The same person speaks up at the same moments; what
they correct depends on what they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from empathic_sdk.evaluation.simulated_users import Course
from empathic_sdk.models.mdget import MDGET
from empathic_sdk.profiles.calibration import personal
from empathic_sdk.profiles.learning import Learned, Seen, advance
from empathic_sdk.state import Calibration, probabilities

ARMS: Mapping[str, tuple[bool, bool]] = {
    "nothing": (False, False),
    "bias": (True, False),
    "q": (False, True),
    "both": (True, True),
}
HARM = 0.005


def replay(
    network: MDGET, calibration: Calibration, some: Sequence[Course], arm: str
) -> NDArray[np.int64]:
    """Return the labels shown to each user turn by turn, ``[users, turns]``, learning as they go.

    The same functions learn as in the profile store; what they give is applied as a session
    applies it: weights in the modal fusion, then calibration, then the bias.
    """
    with_bias, with_weights = ARMS[arm]
    names = network.config.modalities
    own = np.array([network.config.weights.get(m, 1.0) for m in names], np.float32)
    turns = min(len(c.felt) for c in some)
    learned = [Learned() for _ in some]
    shown = np.zeros((len(some), turns), np.int64)
    for t in range(turns):
        hidden = torch.from_numpy(np.stack([c.hidden[t] for c in some]))[:, None]
        present = np.stack([c.present[t] for c in some])
        weights = np.tile(own, (len(some), 1))
        if with_weights:
            for i, person in enumerate(learned):
                mine = person.weights()
                weights[i] *= [mine.get(m, 1.0) for m in names]  # type: ignore[call-overload]
        with torch.inference_mode():
            fused, _ = network.fusion(
                hidden, torch.from_numpy(present)[:, None], torch.from_numpy(weights)[:, None]
            )
            logits = network.classifier(fused)[:, 0].numpy()
        for i, course in enumerate(some):
            several = int(present[i].sum()) > 1
            numbers = calibration.fused() if several else calibration
            general = probabilities(logits[i], numbers.temperature)
            bias = learned[i].bias() if with_bias else ()
            p = personal(general, bias) if bias else general
            label = int(p.argmax())
            shown[i, t] = label
            if arm == "nothing":
                continue
            threshold = numbers.threshold + learned[i].threshold()
            learned[i] = advance(
                learned[i],
                Seen(
                    talk=str(course.talk[t]),
                    general=tuple(general.tolist()),
                    shown=label,
                    uncertain=bool(p[label] < threshold),
                    apart={m: int(course.apart[t, k]) for k, m in enumerate(names)
                           if several and present[i, k]},
                    felt=int(course.told[t]) if course.comments(t, label) else None,
                ),
                course.name,
            )  # fmt: skip
    return shown
