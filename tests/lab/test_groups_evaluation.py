from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.evaluation.audit import NO_DATA, Predicted, measured
from empathic_sdk.lab.evaluation.group_gaps import compare, worst
from tests.lab.recorded import recorded_runs

# Two classes; what was said, how surely, and what was so. Group a: 3 of 4 right, b: 1 of 2, the
# last has no group.
GOLD = np.array([0, 0, 1, 1, 0, 1, 0])
SAID = np.array([0, 1, 1, 1, 0, 0, 1])
SURE = np.array([0.9, 0.8, 0.9, 0.7, 0.9, 0.6, 0.99])
GROUPS = ["a", "a", "a", "a", "b", "b", ""]
CLUSTERS = ["d1", "d1", "d2", "d2", "d1", "d2", "d3"]


def probabilities(said: np.ndarray, sure: np.ndarray) -> np.ndarray:
    p = np.repeat((1 - sure)[:, None], 2, axis=1)
    p[np.arange(len(said)), said] = sure
    return p


def found() -> dict:  # type: ignore[type-arg]
    return compare(GOLD, probabilities(SAID, SURE), GROUPS, CLUSTERS, ("no", "yes"))


def test_figures_and_gaps_by_hand() -> None:
    by = found()
    a, b = by["groups"]["a"], by["groups"]["b"]
    assert (a["n"], a["clusters"], b["n"], b["clusters"]) == (4, 2, 2, 2)
    assert a["accuracy"] == pytest.approx(0.75) and b["accuracy"] == pytest.approx(0.5)
    assert a["recall"] == {"no": 0.5, "yes": 1.0} and b["recall"] == {"no": 1.0, "yes": 0.0}
    assert a["uar"] == pytest.approx(0.75) and b["uar"] == pytest.approx(0.5)
    # Bins of a fifteenth: 0.9 twice, both right (2 - 1.8); 0.8 wrong (-0.8); 0.7 right (0.3)
    assert a["ece"] == pytest.approx((0.2 + 0.8 + 0.3) / 4)
    # 0.9 right (0.1), 0.6 wrong (-0.6)
    assert b["ece"] == pytest.approx(0.7 / 2)
    gap = by["gaps"]["accuracy"]
    assert gap["of"] == ["a", "b"] and gap["difference"] == pytest.approx(0.25)
    assert by["gaps"]["ece"]["difference"] == pytest.approx(0.325 - 0.35)
    assert worst(by) == 0.5 and worst(by, "ece") == pytest.approx(0.35)


def test_whole_dialogues_are_drawn_for_both_groups_at_once() -> None:
    # d1: a 1 of 2, b 1 of 1; d2: a 2 of 2, b 0 of 1. Drawn twice: gaps -.5, 1, or the mean .25.
    gap = found()["gaps"]["accuracy"]
    assert gap["low"] == pytest.approx(-0.5) and gap["high"] == pytest.approx(1.0)


def test_speakers_of_one_group_each_are_drawn_within_it() -> None:
    right = np.array([1, 1, 0, 0, 1, 0, 1, 0], bool)
    gold = np.zeros(8, int)
    p = probabilities(np.where(right, 0, 1), np.full(8, 0.8))
    groups, speakers = ["f"] * 4 + ["m"] * 4, [1, 1, 2, 2, 3, 3, 4, 4]
    gap = compare(gold, p, groups, speakers, ("x", "y"))["gaps"]["accuracy"]
    # f is 1, 0.5 or 0 by who is drawn, m always 0.5
    assert (gap["difference"], gap["low"], gap["high"]) == pytest.approx((0.0, -0.5, 0.5))


def test_classes_that_a_group_lacks_do_not_count_in_its_recall() -> None:
    gold, said = np.array([0, 1, 0, 0]), np.array([0, 0, 0, 1])
    by = compare(gold, probabilities(said, np.full(4, 0.7)), list("aabb"), range(4), ("x", "y"))
    assert by["groups"]["a"]["uar"] == 1.0 and by["groups"]["b"]["uar"] == 0.5
    assert by["groups"]["b"]["recall"] == {"x": 0.5}


def test_more_than_two_groups_are_held_against_chance() -> None:
    rng = np.random.default_rng(0)
    n = 900
    groups = np.array(["a", "b", "c"])[np.arange(n) % 3]
    gold = rng.integers(0, 2, n)
    fair = np.where(rng.random(n) < 0.7, gold, 1 - gold)
    unfair = np.where(rng.random(n) < np.where(groups == "c", 0.4, 0.8), gold, 1 - gold)
    sure = np.full(n, 0.7)

    def gap(said: np.ndarray) -> dict:  # type: ignore[type-arg]
        by = compare(gold, probabilities(said, sure), groups.tolist(), range(n), ("x", "y"))
        return by["gaps"]["accuracy"]

    assert gap(unfair)["p"] < 0.01 and gap(unfair)["of"][1] == "c"
    assert gap(fair)["p"] > 0.05 and 0 < gap(fair)["by_chance"] < 0.12


def test_one_group_alone_has_no_gap() -> None:
    with pytest.raises(ConfigurationError, match="two groups"):
        compare(GOLD, probabilities(SAID, SURE), ["a"] * 6 + [""], CLUSTERS, ("x", "y"))


def test_a_report_with_all_runs() -> None:
    p = probabilities(SAID, SURE)
    other = probabilities(GOLD, SURE)  # always right: no gap
    report = measured(
        Predicted("m", False, ("no", "yes"), GOLD, p, [p, other], {"sex": GROUPS},
                  {"sex": CLUSTERS}, {"sex": "dialogue"}, "made up")
    )  # fmt: skip
    runs = report["attributes"]["sex"]["runs"]
    assert runs["n"] == 2
    assert runs["accuracy"]["mean"] == pytest.approx(0.125)
    assert runs["accuracy"]["std"] == pytest.approx(0.25 / 2**0.5)


def test_the_command_says_what_it_left_out() -> None:
    data, results = recorded_runs()
    ran = CliRunner().invoke(
        main, ["audit", "--data", str(data), "--results", str(results), "--json"]
    )
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.output.splitlines()[-1])
    (only,) = report["audits"]
    assert only["audit"] == "dialogue on iemocap" and not only["ships"]
    assert set(only["attributes"]["gender"]["groups"]) == {"female", "male"}
    assert set(report["left_out"]) == {
        "text on meld", "dialogue on meld", "speech on ravdess", "speech on emodb", "reweighting",
    }  # fmt: skip
    assert report["no_data"] == dict(NO_DATA)
    shown = CliRunner().invoke(main, ["audit", "--data", str(data), "--results", str(results)])
    assert "no data" in shown.output and "age" in shown.output and "left out" in shown.output
