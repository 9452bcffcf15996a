"""Simulated people, the recipe ``behaviour``, its runs, and timing features."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.encoders.behaviour import BehaviourEncoder
from empathic_sdk.errors import ConfigurationError, DataError
from empathic_sdk.lab.corpora.dialogues import Dialogue
from empathic_sdk.lab.corpora.timing import FEATURES, timing_features
from empathic_sdk.lab.evaluation import behaviour_figures, behaviour_timing
from empathic_sdk.lab.evaluation.behaviour_figures import measure, recorded
from empathic_sdk.lab.recipes import behaviour as behaviour_runs
from empathic_sdk.lab.recipes.behaviour import (
    BehaviourRecipe,
    coded,
    fit,
    measure_values,
    predict,
    run_name,
)
from empathic_sdk.lab.simulation.behaviour import (
    EFFECTS,
    FREQUENCY,
    TENDENCIES,
    Person,
    draw_message,
    simulate,
    summary,
)
from empathic_sdk.types import BehaviourKind, Emotion
from tests.lab import corpora_imitation as imitation

JOY, SADNESS, ANGER = 1, 2, 3


def test_simulated_people_are_always_the_same_and_in_one_split() -> None:
    one, again = simulate("dev", people=5, messages=4), simulate("dev", people=5, messages=4)
    assert one.digest() == again.digest()
    more = simulate("dev", people=6, messages=4)
    assert more.logs[: len(one)] == one.logs  # a person does not depend on how many there are
    others = simulate("test", people=5, messages=4)
    assert not set(one.people) & set(others.people)
    assert one.digest() != others.digest() and one.logs != others.logs
    with pytest.raises(ConfigurationError, match="no split is named 'all'"):
        simulate("all")


def test_simulated_logs_are_sound() -> None:
    items = simulate("train", people=20, messages=6)
    kinds = {k.value for k in BehaviourKind} | {"other"}
    for log, events in zip(items.logs, items.events(), strict=True):
        times = [t for _, t, _ in log]
        assert log and times == sorted(times) and times[0] >= 0
        assert {k for k, _, _ in log} <= kinds
        assert all(v >= 0 or k == "scroll" for k, _, v in log)
        assert [(e.kind, e.at, e.value) for e in events] == list(log)
    assert len(coded(items)) == len(items)  # the encoder reads every one of them
    assert set(items.emotion) <= set(range(len(Emotion)))
    assert sum(FREQUENCY) == pytest.approx(1.0)
    assert EFFECTS.shape == (len(Emotion), len(TENDENCIES)) and not EFFECTS[0].any()


def typical() -> Person:
    from empathic_sdk.lab.simulation.behaviour import MEDIAN

    everything = frozenset(k.value for k in BehaviourKind)
    return Person(usual=np.log(MEDIAN), shows=np.ones(len(MEDIAN)), records=everything)


def mean_of(kind: str, emotion: int, *, felt: bool = True) -> float:
    rng = np.random.default_rng(5)
    logs = [draw_message(typical(), emotion, rng, felt=felt) for _ in range(400)]
    return float(np.mean([v for log in logs for k, _, v in log if k == kind]))


def test_directions_are_those_that_are_documented() -> None:
    neutral = {k.value: mean_of(k, 0) for k in BehaviourKind}
    assert mean_of("typing", ANGER) > 1.1 * neutral["typing"]
    assert mean_of("typing", SADNESS) < 0.9 * neutral["typing"]
    assert mean_of("delay", SADNESS) > 1.2 * neutral["delay"]
    assert mean_of("pause", SADNESS) > 1.1 * neutral["pause"] > mean_of("pause", ANGER)
    # The control: the same draws, and no effect.
    assert mean_of("typing", ANGER, felt=False) == pytest.approx(
        mean_of("typing", SADNESS, felt=False)
    )


def test_summary_by_hand() -> None:
    log = (("typing", 1.0, np.e - 1), ("typing", 2.0, np.e**2 - 1), ("click", 1.0 + np.e - 1, 0.0))
    out = dict(zip([k.value for k in BehaviourKind], summary(log)[:-2].reshape(-1, 3), strict=True))
    assert out["typing"].tolist() == pytest.approx([2.0, 1.0, 1.5])
    assert out["click"].tolist() == [1.0, 1.0, 0.0] and not out["pause"].any()
    assert summary(log)[-2:].tolist() == pytest.approx([np.log(4.0), 1.0])
    assert not summary(()).any()


def score(logits: np.ndarray) -> dict[str, float]:
    return {"objective": float(-np.abs(logits).mean())}


def test_fit_is_deterministic_and_dev_chooses() -> None:
    train, dev = (simulate(s, people=6, messages=5) for s in ("train", "dev"))
    recipe = BehaviourRecipe(seed=4, width=8, epochs=3, batch_size=8)
    one, ran = fit(recipe, train, dev, score)
    other, _ = fit(recipe, train, dev, score)
    logits = predict(one, coded(dev))
    assert np.array_equal(logits, predict(other, coded(dev)))
    best = max(ran["history"], key=lambda h: h["objective"])
    assert ran["chosen_epoch"] == best["epoch"]
    assert score(logits)["objective"] == pytest.approx(best["objective"], abs=1e-6)


def test_values_are_measured_by_kind() -> None:
    train = simulate("train", people=10, messages=5)
    network, _ = fit(BehaviourRecipe(width=8, epochs=1), train, train, score)
    network.value_mean.zero_()
    measure_values(network, coded(train))
    values = [np.log1p(v) for log in train.logs for k, _, v in log if k == "typing"]
    slot = list(BehaviourKind).index(BehaviourKind.TYPING)
    assert float(network.value_mean[slot]) == pytest.approx(np.mean(values), abs=1e-5)
    assert float(network.value_scale[slot]) == pytest.approx(np.std(values), abs=1e-5)


def test_measure_by_hand() -> None:
    items = simulate("dev", people=2, messages=3)
    p = np.full((len(items), 7), 0.1)
    p[:, 0] = 0.4
    out = measure(items, p, np.array([0.7, *[0.05] * 6]))
    assert out["accuracy"] == pytest.approx((items.emotion == 0).mean())
    assert out["weighted_f1"] == out["majority_weighted_f1"]
    nll = -np.log(np.where(items.emotion == 0, 0.4, 0.1)).mean()
    assert out["log_loss"] == pytest.approx(nll)


def test_train_and_evaluate_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (behaviour_runs, behaviour_figures, behaviour_timing):
        monkeypatch.setattr(module, "simulate", few := lambda s, people=None: simulate(s, people=4))
    assert len(few("dev")) > 0

    def run(*args: str | Path) -> str:
        out = CliRunner().invoke(main, [str(a) for a in args], catch_exceptions=False)
        assert out.exit_code == 0, out.output
        return out.output

    results = tmp_path / "results"
    for seed in ("1", "2"):
        out = tmp_path / seed
        where = ("--seed", seed, "--out", out, "--results", results, "--epochs", "2")
        said = run("train", "behaviour", *where, "--json", "--threads", "1")
        record = json.loads(said.splitlines()[-1])
        assert record["name"] == f"behaviour-seed{seed}" and "test" not in record
        assert BehaviourEncoder(out / "behaviour.safetensors").name == record["name"]
    run("train", "behaviour", "--pooling", "max_mean", "--out", tmp_path / "m",
        "--results", results, "--epochs", "1")  # fmt: skip
    test = simulate("test", people=4)
    runs = recorded(results, test)
    assert runs["n"] == 2 and recorded(results, test, "max_mean")["n"] == 1
    with pytest.raises(DataError, match="does not hold the simulated test messages"):
        recorded(results, simulate("test", people=3))

    data = imitation.write_iemocap(imitation.write(tmp_path / "data", n=70))
    ask = ("evaluate", "behaviour", "--data", data, "--results", results,
           "--checkpoint", tmp_path / "1" / "behaviour.safetensors")  # fmt: skip
    report = json.loads(run(*ask, "--json").splitlines()[-1])
    assert report["dataset"] == "simulated-behaviour" and report["n"] == len(test)
    assert report["model"] == "behaviour-seed1" and report["runs"] == runs
    stored = runs["accuracy"]
    assert abs(report["accuracy"] - stored["mean"]) <= 2 * stored["std"] + 0.02
    for corpus in ("meld", "iemocap"):
        part = report["corpora"][corpus]
        assert {"dataset", "model", "split", "n", "causal"} <= set(part)
        assert part["dataset"] == corpus and part["runs"]["n"] == 3
        assert 0 <= part["majority_weighted_f1"] <= 1
    shown = run(*ask, "--split", "dev")
    assert "majority_weighted_f1" in shown and "iemocap dev" in shown


def test_names_of_runs() -> None:
    assert run_name(BehaviourRecipe(seed=2)) == "behaviour-seed2"
    assert run_name(BehaviourRecipe(pooling="max_mean")) == "behaviour-max_mean-seed1"
    assert run_name(BehaviourRecipe(shuffle_labels=True)) == "trial-seed1-shuffled"
    with pytest.raises(ConfigurationError, match="people"):
        BehaviourRecipe(people=1)


# -- timing of real dialogues -------------------------------------------------------------------


def dialogue(times: list[tuple[float, float]]) -> Dialogue:
    n = len(times)
    return Dialogue(
        id="d", ids=[f"u{i}" for i in range(n)], texts=["one two three"] * n,
        speakers=["a", "b", "a", "a"][:n], labels=np.zeros(n, np.int64), features={}, present={},
        times=np.array(times, float),
    )  # fmt: skip


def test_timing_features_by_hand() -> None:
    out = timing_features(dialogue([(10.0, 13.0), (12.0, 14.0), (15.0, 30.0), (31.0, 70.0)]))
    at = {name: i for i, name in enumerate(FEATURES)}
    assert out.shape == (4, len(FEATURES))
    assert out[1, at["gap"]] == pytest.approx(-np.log(2.0))  # b begins while a speaks
    assert out[2, at["gap_before"]] == out[1, at["gap"]]
    assert out[0, at["words_a_second"]] == pytest.approx(np.log1p(1.0))
    assert out[:, at["same_speaker"]].tolist() == [0, 0, 0, 1]
    assert out[2, at["duration_to_own"]] == pytest.approx(np.log(16.0) - np.log(4.0))
    own = np.mean([np.log(4.0), np.log(16.0)])
    assert out[3, at["duration_to_own"]] == pytest.approx(np.log(40.0) - own)
    assert out[1, at["duration_to_own"]] == 0.0
    # a's third utterance ends a minute after the beginning: three a minute.
    assert out[3, at["own_a_minute"]] == pytest.approx(np.log1p(3.0))
    assert out[3, at["own_share"]] == 0.75
    assert out[:, at["place"]].tolist() == pytest.approx(np.log1p([0, 1, 2, 3]).tolist())


def test_timing_features_are_causal_and_survive_unknown_times() -> None:
    times = [(10.0, 13.0), (np.nan, np.nan), (15.0, 30.0), (31.0, 70.0)]
    whole = timing_features(dialogue(times))
    assert np.isfinite(whole).all()
    for n in (1, 2, 3):
        assert np.array_equal(timing_features(dialogue(times[:n])), whole[:n])
    assert timing_features(dialogue([(np.nan, np.nan)] * 2)).shape == (2, len(FEATURES))
