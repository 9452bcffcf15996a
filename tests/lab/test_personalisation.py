"""Simulated people: their simulate_users, and that a replay is what a session would do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from empathic_sdk.lab.corpora.dialogues import SEVEN, Dialogue, DialogueSet
from empathic_sdk.lab.corpora.pairing import MediaPool
from empathic_sdk.lab.evaluation import personalisation
from empathic_sdk.lab.evaluation.personalisation import gain_interval, replay
from empathic_sdk.lab.simulation import users as simulated_users
from empathic_sdk.lab.simulation.users import KINDS, PLEASANT, SimulatedUser, simulate_users
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.models.mdget.step import Step, about_step
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.dialogue_network import DialogueNetwork
from empathic_sdk.recognition.dialogue_state import DialogueMemory
from empathic_sdk.recognition.tracker import StateTracker
from empathic_sdk.types import Modality

CALIBRATION = Calibration(temperature=1.2, threshold=0.4, fused_temperature=0.8,
                          fused_threshold=0.3)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> MDGET:
    torch.manual_seed(0)
    made = MDGET(
        MDGETConfig(inputs={"text": 6, "speech": 5, "face": 4, "behaviour": 3}, classes=7,
                    width=8, heads=2, window=4, speakers=3, causal=True,
                    weights={"behaviour": 0.3})
    ).eval()  # fmt: skip
    with torch.no_grad():
        for p in made.parameters():
            p.mul_(2.0) if p.ndim > 1 else p
    return made


@pytest.fixture(scope="module")
def people(network: MDGET) -> list[SimulatedUser]:
    rng = np.random.default_rng(0)
    dialogues = []
    for k in range(6):
        n = 3 + k
        dialogues.append(
            Dialogue(
                id=f"dia{k}", ids=[f"{k}-{i}" for i in range(n)],
                texts=["That is just great." if i % 2 else "No." for i in range(n)],
                speakers=[f"s{i % 2}" for i in range(n)], labels=rng.integers(7, size=n),
                features={"text": rng.standard_normal((n, 6)).astype(np.float32)},
                present={"text": np.ones(n, bool)}, times=np.full((n, 2), np.nan),
            )
        )  # fmt: skip
    labels = np.repeat(np.arange(7), 4)

    def pool(name: str, width: int) -> MediaPool:
        return MediaPool(
            name, rng.standard_normal((28, width)).astype(np.float32),
            np.eye(7, dtype=np.float32)[labels], labels, tuple(f"a{i % 2}" for i in range(28)),
        )  # fmt: skip

    return simulate_users(
        network, DialogueSet("meld", "test", SEVEN, dialogues),
        {"speech": pool("speech", 5), "face": pool("face", 4)}, seed=3, users=2, turns=20,
    )  # fmt: skip


def test_courses_are_what_their_kind_says(people: list[SimulatedUser]) -> None:
    assert [c.kind for c in people] == [k for k in KINDS for _ in range(2)]
    for c in people:
        assert c.hidden.shape == (20, 4, 8) and len(c.felt) == len(c.scene) == 20
        assert c.present[:, 0].all() and not c.present[:, 3].any()
        assert (c.present[:, 1:3] == (c.kind != "sarcasm")).all()
        assert ((c.apart >= 0) == c.present).all()
        assert (c.told == c.felt).all() == (c.kind != "random")
    assert not any(PLEASANT.search(t) for t in ("No.", "greatly", "a glade"))


def test_how_often_they_speak_up(people: list[SimulatedUser]) -> None:
    plain, loud = people[0], people[-1]
    for t in range(20):
        right, wrong = int(plain.felt[t]), int(plain.felt[t] + 1) % 7
        assert plain.comments(t, right) == (plain.speaks[t] < simulated_users.CONFIRMS)
        assert plain.comments(t, wrong) == (plain.speaks[t] < simulated_users.CORRECTS)
        assert loud.comments(t, right) == loud.comments(t, wrong)


def test_an_untaught_replay_and_a_taught_fusion_are_a_sessions(
    network: MDGET, people: list[SimulatedUser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hidden vectors lead to the same state as a session under a person's weights and bias."""
    weights = {Modality.SPEECH: 0.4, Modality.TEXT: 1.2}
    bias = (0.0, 1.5, 0.0, -0.5, 0.0, 0.0, 0.3)
    rng = np.random.default_rng(5)
    rows = {"text": rng.standard_normal((4, 6)), "speech": rng.standard_normal((4, 5)),
            "face": rng.standard_normal((4, 4))}  # fmt: skip
    features = {Modality(m): x.astype(np.float32) for m, x in rows.items()}
    present = {m: np.ones(4, bool) for m in features}
    about = {"configuration": network.config.as_dict(), "step": about_step(network.config)}
    stepped = DialogueNetwork(Step(network).compute, about, "tiny")
    heard = DialogueMemory(stepped, CALIBRATION).read(
        ["a", "b", "a", "a"], features, present, weights
    )
    tracker = StateTracker(CALIBRATION)
    labels = [
        tracker.add("a", z, np.zeros(2), (), fused=True, bias=bias).label for z in heard.logits
    ]
    scene = simulated_users._Scene(
        {m.value: x for m, x in features.items()}, [0, 1, 0, 0],
        {m.value: p for m, p in present.items()},
    )  # fmt: skip
    ((hidden, there, apart),) = simulated_users._read(network, [scene])
    names = network.config.modalities
    assert [[SEVEN[apart[t, names.index(m)]] for m in features] for t in range(4)] == [
        [a[m] for m in features] for a in heard.apart
    ]

    class Taught(personalisation.Learned):
        def bias(self) -> tuple[float, ...]:
            return bias

        def weights(self) -> dict[Modality, float]:
            return weights

    monkeypatch.setattr(personalisation, "Learned", Taught)
    monkeypatch.setattr(personalisation, "advance", lambda learned, seen, seed: learned)
    course = SimulatedUser("plain", "x", hidden, there, apart, np.zeros(4, int), np.zeros(4, int),
                    np.ones(4), np.zeros(4, int))  # fmt: skip
    shown = replay(network, CALIBRATION, [course], "both")
    assert [SEVEN[i] for i in shown[0]] == labels


def test_a_replay_repeats_and_nothing_learns_nothing(
    network: MDGET, people: list[SimulatedUser]
) -> None:
    once = replay(network, CALIBRATION, people, "both")
    assert (once == replay(network, CALIBRATION, people, "both")).all()
    alone = replay(network, CALIBRATION, people[2:3], "both")
    assert (alone[0] == once[2]).all()
    nothing = replay(network, CALIBRATION, people, "nothing")
    assert (nothing == replay(network, CALIBRATION, people[::-1], "nothing")[::-1]).all()
    typed = [c.kind == "sarcasm" for c in people]
    assert (replay(network, CALIBRATION, people, "q")[typed] == nothing[typed]).all()


def test_an_interval_holds_its_mean() -> None:
    gain = np.random.default_rng(0).normal(0.1, 0.05, 200)
    found = gain_interval(gain)
    assert found["low"] < gain.mean() < found["high"]
    # 1.96 standard errors either way, within the error of 2,000 draws.
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * 0.05 / 200**0.5, rel=0.15)
