from __future__ import annotations

import numpy as np
import pytest

from empathic_sdk.lab.evaluation.calibrate import fit_abstention, fit_temperature, fit_thresholds
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    multi_label,
    pearson,
    per_class_f1,
)


def test_classification_by_hand() -> None:
    gold, said = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    got = classification(gold, said)
    # F1 of class 0: 2*2/(2*2+1) = 0.8; of class 1: 2*1/(2*1+1) = 2/3
    assert got["accuracy"] == 0.75
    assert got["weighted_f1"] == pytest.approx(0.75 * 0.8 + 0.25 * 2 / 3)
    assert got["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert got["uar"] == pytest.approx((2 / 3 + 1) / 2)
    assert per_class_f1(gold, said, ("a", "b", "c")) == {
        "a": pytest.approx(0.8), "b": pytest.approx(2 / 3), "c": 0.0,
    }  # fmt: skip


def test_calibration_error_by_hand() -> None:
    # Two bins of two: confidence 0.9 with one right of two, confidence 0.6 with both right.
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    gold = np.array([0, 1, 0, 0])
    assert expected_calibration_error(p, gold) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
    assert expected_calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0.0


def test_multi_label_by_hand() -> None:
    gold = np.array([[1, 0], [1, 1], [0, 0.0]])
    p = np.array([[0.6, 0.3], [0.2, 0.6], [0.1, 0.4]])
    got = multi_label(gold, p, np.array([0.5, 0.35]))
    # class 0: one hit, one miss: F1 2/3; class 1: one hit, one false: F1 2/3
    assert got["macro_f1"] == pytest.approx(2 / 3)
    assert got["micro_f1"] == pytest.approx(2 / 3)
    assert got["accuracy"] == pytest.approx(1 / 3)


def test_pearson() -> None:
    x = np.array([1.0, 2, 3])
    assert pearson(x, 3 * x + 1) == pytest.approx(1.0)
    assert pearson(x, -x) == pytest.approx(-1.0)
    assert pearson(x, np.ones(3)) == 0.0


def test_temperature_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 7)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    gold = np.array([rng.choice(7, p=row) for row in p])
    assert fit_temperature(logits, gold) == pytest.approx(1.0, abs=0.06)
    assert fit_temperature(logits * 3, gold) == pytest.approx(3.0, abs=0.2)


def test_abstention_keeps_what_is_right_often_enough() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    gold = np.array([0, 0, 1, 1])
    assert fit_abstention(p, gold, precision=0.6) == pytest.approx(0.7)  # 2 of the first 3
    assert fit_abstention(p, gold, precision=0.9) == pytest.approx(0.8)
    assert fit_abstention(p, np.array([1, 1, 1, 1])) == 1.0


def test_thresholds_are_found() -> None:
    rng = np.random.default_rng(0)
    gold = (rng.random((2000, 1)) < 0.3).astype(float)
    p = np.clip(0.3 + 0.4 * (gold - 0.5) + 0.05 * rng.normal(size=gold.shape), 0, 1)  # 0.1 / 0.5
    assert 0.2 < fit_thresholds(gold, p)[0] < 0.4
