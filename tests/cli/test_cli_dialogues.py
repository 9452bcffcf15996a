"""``empathic evaluate`` of dialogue models, and ``empathic report``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.lab.evaluation.catalogue import BENCHMARKS
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


def test_options_may_stand_before_the_name(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    after = run("evaluate", "iemocap", "--data", data, "--results", results, "--json")
    before = run("evaluate", "--json", "--data", data, "--results", results, "iemocap")
    assert before.exit_code == 0 and before.output == after.output


def test_the_folders_may_come_from_the_environment(
    recorded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, results = recorded
    monkeypatch.chdir(tmp_path)  # where there is no folder `results`
    where = {"EMPATHIC_DATA": str(data), "EMPATHIC_RESULTS": str(results)}
    done = CliRunner().invoke(main, ["evaluate", "iemocap", "--json"], env=where)
    assert json.loads(done.output.splitlines()[-1])["runs"]["n"] == 3
    done = CliRunner().invoke(main, ["evaluate", "iemocap", "--data", str(data)])
    assert done.exit_code == 1 and "EMPATHIC_RESULTS" in done.stderr


def test_each_benchmark_has_its_own_options() -> None:
    shown = run("evaluate", "--help").output
    assert all(f"  {name} " in shown for name in BENCHMARKS)
    replies, meld = (run("evaluate", name, "--help").output for name in ("replies", "meld"))
    assert "--judge" in replies and "--table" not in replies
    assert "--table" in meld and "--judge" not in meld and "mdget|text" in meld
    assert run("evaluate", "nothing").exit_code == 2


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "empathic_sdk.lab.evaluation.monitor", None)
    missing = run("evaluate", "monitor", "--help")
    assert missing.exit_code == 1 and 'pip install "empathic-sdk[train]"' in missing.stderr
