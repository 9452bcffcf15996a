"""``empathic evaluate`` of dialogue models, and ``empathic report``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import run
from tests.lab.recorded import LINEAR, WHOLE, recorded_runs


@pytest.fixture
def recorded() -> tuple[Path, Path]:
    return recorded_runs()


def test_evaluate_recorded_runs(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    where = ("--data", data, "--results", results)
    report = json.loads(run("evaluate", "iemocap", *where, "--json").output.splitlines()[-1])
    assert set(report) == {
        "dataset", "model", "split", "n", "causal", "configuration", "run", "accuracy",
        "weighted_f1", "macro_f1", "uar", "ece", "shift_f1", "shift_f1_labels", "f1", "runs",
    }  # fmt: skip
    assert report["configuration"] == WHOLE and report["runs"]["n"] == 3
    shown = run("evaluate", "iemocap", *where, "--split", "dev").output
    assert "iemocap dev, n = " in shown and WHOLE in shown and "(3 runs: " in shown
    other = run("evaluate", "iemocap", *where, "--configuration", LINEAR).output
    assert "linear" in other and "shift_f1 " not in other
    unknown = run("evaluate", "iemocap", *where, "--configuration", "nonsense")
    assert unknown.exit_code == 1 and LINEAR in unknown.stderr and WHOLE in unknown.stderr


def test_evaluate_shows_the_whole_table(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    where = ("--data", data, "--results", results, "--table")
    out = run("evaluate", "iemocap", *where, "--json").output
    rows = {r["name"]: r for r in json.loads(out.splitlines()[-1])["table"]}
    assert len(rows) == 5 and rows[LINEAR]["bootstrap"]["against"] == WHOLE
    shown = run("evaluate", "iemocap", *where).output
    mean, std = rows[LINEAR]["test"]["weighted_f1"].values()
    line = next(x for x in shown.splitlines() if x.strip().startswith("linear"))
    assert f"{100 * mean:.1f} ± {100 * std:.1f}" in line and "[" in line
    assert "minilm, causal" in shown and "minilm, both" in shown and "mdget no-gates" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        ("goemotions", "--table"),
        ("emobank", "--configuration", "x"),
        ("iemocap", "--model", "text"),
        ("meld", "--model", "text", "--configuration", "x"),
    ],
)
def test_what_does_not_fit_together_is_wrong_usage(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    name, *rest = wrong
    assert run("evaluate", name, "--data", tmp_path, *rest).exit_code == 2


def test_report(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    data, results = recorded
    out = tmp_path / "page.html"
    where = ("--data", data, "--results", results, "--out", out)
    done = run("report", "iemocap", *where)
    assert done.exit_code == 0 and str(out) in done.output
    html = out.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>") and html.rstrip().endswith("</html>")
    done = run("report", "iemocap", *where, "--configuration", LINEAR, "--json")
    assert json.loads(done.output) == {
        "dataset": "iemocap", "out": str(out), "bytes": out.stat().st_size,
    }  # fmt: skip
    assert "Each utterance alone" in out.read_text(encoding="utf-8")
    assert run("report", "iemocap", *where, "--dialogue", "x").exit_code == 1
    assert run("report", "goemotions", *where).exit_code == 2
