"""Interaction events to one vector."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.encoders.behaviour import (
    KINDS,
    MAX_EVENTS,
    BehaviourEncoder,
    code,
)
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.models.behaviour import BehaviourConfig, BehaviourNetwork
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import BehaviourEvent, BehaviourKind, Emotion, Modality

Event = BehaviourEvent


def write(path: Path, *, width: int = 8, **about: object) -> Path:
    torch.manual_seed(1)
    network = BehaviourNetwork(BehaviourConfig(width=width))
    description = {
        "name": "behaviour-tiny", "behaviour": network.config.as_dict(), "kinds": list(KINDS),
        "calibration": {"temperature": 2.0}, **about,
    }  # fmt: skip
    checkpoints.save(
        path, {f"behaviour.{n}": t for n, t in network.state_dict().items()}, description
    )
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> BehaviourEncoder:
    return BehaviourEncoder(write(tmp_path_factory.mktemp("weights") / "behaviour.safetensors"))


LOG = (
    Event(kind="delay", at=3.0, value=3.0),
    Event(kind="typing", at=7.5, value=4.2),
    Event(kind="correction", at=8.0, value=12.0),
    Event(kind="scroll", at=9.0, value=-300.0),
    Event(kind="hover", at=9.5),
)


def test_code_by_hand() -> None:
    out = code([LOG[1], LOG[0], *LOG[2:]])
    assert out.at.tolist() == [3.0, 7.5, 8.0, 9.0, 9.5]
    assert out.kind.tolist() == [3, 4, 5, 2, 7]
    assert [KINDS[k] for k in out.kind[:4]] == ["delay", "typing", "correction", "scroll"]
    assert out.interval.tolist() == [0.0, 4.5, 0.5, 1.0, 0.5]
    expected = [math.log(4.0), math.log(5.2), math.log(13.0), -math.log(301.0), math.log(2.0)]
    assert out.value.tolist() == pytest.approx(expected)


def test_encode(encoder: BehaviourEncoder) -> None:
    assert (encoder.name, encoder.width, encoder.embedded) == ("behaviour-tiny", 8, True)
    assert encoder.path is not None and encoder.path.is_file()
    found = encoder.encode([LOG, (), LOG[:1]])
    assert [e.present for e in found] == [True, False, True]
    for e in found:
        assert e.modality is Modality.BEHAVIOUR
        assert e.vector.shape == (8,) and e.vector.dtype == np.float32
    assert found[1].missing == "no interaction events" and not found[1].vector.any()
    assert found[1].probabilities is None
    p = found[0].probabilities
    assert p is not None and p.shape == (len(Emotion),) and p.dtype == np.float32
    assert p.sum() == pytest.approx(1.0, abs=1e-6)
    assert not np.allclose(found[0].vector, found[2].vector)
    alone = encoder.encode([LOG])[0]
    assert np.allclose(alone.vector, found[0].vector, atol=1e-6)
    assert encoder.encode([]) == []


events = st.builds(
    Event,
    kind=st.sampled_from([*KINDS, "hover", ""]),
    at=st.floats(0, 1e4, width=32),
    value=st.floats(0, 1e300),
)


@settings(deadline=None, max_examples=30)
@given(
    log=st.lists(events, min_size=1, max_size=12, unique_by=lambda e: round(e.at, 3)),
    data=st.data(),
)
def test_order_of_arrival_and_the_clock_do_not_count(
    encoder: BehaviourEncoder, log: list[Event], data: st.DataObject
) -> None:
    # To the millisecond: what lies closer is one moment on a clock that has run for an hour.
    log = [e.model_copy(update={"at": round(e.at, 3)}) for e in log]
    vector = encoder.encode([log])[0].vector
    assert np.isfinite(vector).all() and (np.abs(vector) <= 1).all()
    mixed = data.draw(st.permutations(log))
    assert np.array_equal(encoder.encode([mixed])[0].vector, vector)
    later = [e.model_copy(update={"at": e.at + 4096.0}) for e in log]
    assert np.allclose(encoder.encode([later])[0].vector, vector, atol=1e-3)


def test_unknown_kinds_share_a_slot(encoder: BehaviourEncoder) -> None:
    one, other = (
        encoder.encode([[LOG[0], Event(kind=k, at=4.0, value=2.0)]])[0].vector
        for k in ("hover", "shake")
    )
    known = encoder.encode([[LOG[0], Event(kind="click", at=4.0, value=2.0)]])[0].vector
    assert np.array_equal(one, other) and not np.allclose(one, known)
    assert Event(kind=BehaviourKind.CLICK, at=0.0).kind == "click"


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Event(kind="click", at=math.nan), "event 1 .'click'.* time is not a finite number"),
        (Event(kind="click", at=math.inf), "time is not a finite number"),
        (Event(kind="click", at=-0.5), "its time is negative"),
        (Event(kind="pause", at=1.0, value=math.nan), "its value is not a finite number"),
        (Event(kind="pause", at=1.0, value=-1.0), "its value is negative"),
        ("click", "must be a BehaviourEvent"),
    ],
)
def test_what_cannot_be_read_says_so(encoder: BehaviourEncoder, event: Event, says: str) -> None:
    with pytest.raises(InputError, match=says):
        encoder.encode([[LOG[0], event]])
    with pytest.raises(InputError, match="utterance 1: event 0"):
        encoder.encode([LOG, [event]])


def test_huge_values_and_times_overflow_nothing(encoder: BehaviourEncoder) -> None:
    log = [Event(kind="pause", at=0.0, value=1e308), Event(kind="scroll", at=1e308, value=-1e308)]
    found = encoder.encode([log])[0]
    assert np.isfinite(found.vector).all()


def test_of_a_long_log_the_end_is_read(encoder: BehaviourEncoder) -> None:
    log = [Event(kind=KINDS[i % 7], at=i * 0.25, value=float(i % 9)) for i in range(100_000)]
    found = encoder.encode([log, log[-MAX_EVENTS:]])
    assert np.allclose(found[0].vector, found[1].vector, atol=1e-6)
    assert len(encoder.features(log).values) == MAX_EVENTS
    with pytest.raises(InputError, match="event 0"):  # what is not read is checked all the same
        encoder.encode([[Event(kind="click", at=math.nan), *log]])


def test_features_are_a_row_an_event_and_causal(encoder: BehaviourEncoder) -> None:
    whole = encoder.features(LOG)
    assert whole.values.shape == (5, 8) and whole.mask.all()
    assert whole.times.tolist() == [0.0, 4.5, 5.0, 6.0, 6.5]
    assert np.allclose(encoder.features(LOG[:3]).values, whole.values[:3], atol=1e-6)
    assert encoder.features(LOG, began=1.0).times[0] == 2.0
    assert encoder.features(()).values.shape == (0, 8)
    with pytest.raises(InputError, match="lies before the utterance"):
        encoder.features(LOG, began=3.5)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\.safetensors"):
        BehaviourEncoder("some-model")
    with pytest.raises(ModelError, match="there are no weights"):
        BehaviourEncoder(tmp_path / "absent.safetensors")
    other = write(tmp_path / "other.safetensors", kinds=["click"])
    with pytest.raises(ModelError, match="no behaviour network that fits"):
        BehaviourEncoder(other)
    checkpoints.save(tmp_path / "x.safetensors", {"a": torch.zeros(2)}, {"name": "x"})
    with pytest.raises(ModelError, match="no behaviour network that fits"):
        BehaviourEncoder(tmp_path / "x.safetensors")


def test_what_ships_loads_and_says_where_it_comes_from() -> None:
    encoder = BehaviourEncoder()
    found = encoder.encode([LOG, ()])
    assert found[0].vector.shape == (encoder.width,) and found[0].probabilities is not None
    assert encoder.path is not None
    card = encoder.path.with_suffix(".md").read_text(encoding="utf-8")
    assert "simulated" in card and "Not for" in card
    assert encoder.path.stat().st_size < 100_000
