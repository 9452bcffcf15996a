"""``empathic train dialogue``, ``joint`` and ``table``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from empathic_sdk.cli import main
from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.recipes import dialogue as dialogue_runs
from empathic_sdk.lab.recipes import joint as joint_runs
from empathic_sdk.lab.recipes.dialogue_numbers import BASE, DialogueRecipe, runtime, tuning_path
from empathic_sdk.lab.recipes.joint_numbers import JointRecipe
from empathic_sdk.lab.records import RunRecord, write_json
from empathic_sdk.lab.registry import dialogue_models
from empathic_sdk.lab.runs import grid as queue
from empathic_sdk.lab.runs.grid import COMPARED, GRID, Job
from tests.lab import corpora_imitation as imitation


def run(*args: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(
        main, ["train", *map(str, args)], catch_exceptions=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imitation.write_mosi(tmp_path_factory.mktemp("data"))


@pytest.fixture
def where(data: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    return ("--data", data, "--results", tmp_path / "results", "--cache", tmp_path / "cache")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Take down what training is asked for, and train nothing."""
    calls: list[dict[str, Any]] = []

    def pretend(recipe: DialogueRecipe, **rest: Any) -> RunRecord:
        calls.append({"recipe": recipe, **rest})
        return RunRecord(recipe="dialogue", name="x", dev={"accuracy": 0.5, "f1": {}})

    monkeypatch.setattr(dialogue_runs, "train_dialogue", pretend)
    return calls


def test_dialogue_as_one_object(where: tuple[str | Path, ...], tmp_path: Path) -> None:
    given = ("dialogue", "--data-set", "mosi", "--epochs", "1", "--threads", "1", *where)
    out = run(*given, "--json")
    assert out.exit_code == 0
    record = json.loads(out.stdout.splitlines()[-1])
    assert record["name"] == "mosi-given-mdget-causal-text+speech+face-seed1"
    assert record["run"]["epochs"] == record["configuration"]["epochs"] == 1
    path = tmp_path / "results" / "dialogue" / f"{record['name']}.json"
    assert json.loads(path.read_text()) == record
    # The second call finds the record; without --json it says the figures and where it is.
    shown = run(*given)
    assert f"dev mosi: accuracy {record['dev']['accuracy']:.4f}" in shown.output
    assert f"record: {path}" in shown.output
    # The same name, other numbers.
    refused = run(*given, "--tau", "0.5")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("empathic: ") and "other numbers" in refused.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--ablation", "no-text"), "no ablation is named 'no-text'; there are ('full', 'no-gue'"),
        (("--ablation", "no-gue", "--model", "gru"), "gru has no ablations"),
        (("--modalities", "text+smell"), "the data have no ['smell']"),
        (("--model", "cfn-esa"), "it has no causal form"),
        (("--paper",), "Table 2 has no column 'mosi'"),
        (("--features", "minilm"), "mosi brings its own features; give --features given"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    given: tuple[str, ...], says: str, where: tuple[str | Path, ...]
) -> None:
    out = run("dialogue", "--data-set", "mosi", "--epochs", "1", *where, *given)
    assert out.exit_code == 1
    (line,) = out.stderr.splitlines()
    assert line.startswith("empathic: ") and says in line


def test_wrong_usage(where: tuple[str | Path, ...]) -> None:
    assert run("dialogue", *where).exit_code == 2  # no --data-set
    for wrong in (("--tau", "1"), ("--model", "lstm"), ("--epochs", "0"), ("--data-set", "imdb")):
        assert run("dialogue", "--data-set", "mosi", *where, *wrong).exit_code == 2


def test_options_become_the_recipe(
    where: tuple[str | Path, ...], asked: list[dict[str, Any]]
) -> None:
    run("dialogue", "--data-set", "iemocap", *where)
    assert asked[-1]["recipe"] == BASE["iemocap"] and asked[-1]["features"] == "minilm"
    run("dialogue", "--data-set", "mosi", *where)
    assert asked[-1]["recipe"] == BASE["mosi"] and asked[-1]["features"] == "given"
    run(
        "dialogue", "--data-set", "iemocap", "--bidirectional", "--modalities", "speech",
        "--timing", "--ablation", "no-gates", "--learned-balance", "--tau", "0.25", "--seed", "7",
        "--features", "shipped", *where,
    )  # fmt: skip
    recipe = asked[-1]["recipe"]
    assert (recipe.causal, recipe.modalities, recipe.timing) == (False, ("speech",), True)
    assert (recipe.ablation, recipe.balance, recipe.tau) == ("no-gates", None, 0.25)
    assert recipe.seed == 7 and asked[-1]["features"] == "shipped"
    for name in ABLATIONS:
        run("dialogue", "--data-set", "meld", "--ablation", name, *where)
        assert asked[-1]["recipe"].ablation == name
    for model in dialogue_models():
        run("dialogue", "--data-set", "meld", "--model", model, *where)
        assert asked[-1]["recipe"].model == model


def test_the_papers_numbers(where: tuple[str | Path, ...], asked: list[dict[str, Any]]) -> None:
    run("dialogue", "--data-set", "iemocap", "--paper", "--bidirectional", *where)
    recipe = asked[-1]["recipe"]
    assert (recipe.batch_size, recipe.learning_rate) == (32, 2.5e-5)
    assert (recipe.gue_dropout, recipe.acme_dropout) == (0.2, 0.4)
    assert (recipe.gue_layers, recipe.acme_layers) == (2, 5)
    assert (recipe.modalities, recipe.causal) == (("text", "speech"), False)
    run("dialogue", "--data-set", "meld", "--paper", *where)
    recipe = asked[-1]["recipe"]
    assert (recipe.batch_size, recipe.learning_rate) == (64, 2e-5)
    assert recipe.modalities == ("text",) and recipe.causal


def test_the_recipe_of_what_ships(
    where: tuple[str | Path, ...], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    given = ("dialogue", "--data-set", "meld", "--runtime", "--features", "shipped", *where)
    run(*given, "--out", tmp_path / "run", "--seed", "2")
    assert asked[-1]["recipe"] == replace(runtime(), seed=2)
    assert asked[-1]["out"] == tmp_path / "run"
    for wrong in (("--paper",), ("--bidirectional",), ("--model", "gru"), ("--data-set", "mosi")):
        assert run(*given, *wrong).exit_code == 2
    assert len(asked) == 1


def test_the_numbers_that_dev_chose_are_used(
    where: tuple[str | Path, ...], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    chosen = {f"{m}-{'causal' if c else 'both'}": {"numbers": GRID[-1]} for m, c in COMPARED}
    write_json(tuning_path("mosi", "given", tmp_path / "results"), {"chosen": chosen})
    run("dialogue", "--data-set", "mosi", "--model", "gru", *where)
    recipe = asked[-1]["recipe"]
    assert {k: getattr(recipe, k) for k in GRID[-1]} == GRID[-1] and recipe.model == "gru"
    refused = run("dialogue", "--data-set", "mosi", "--model", "cfn-esa", *where)
    assert refused.exit_code == 1 and "has no trials of cfn-esa-causal" in refused.stderr


def test_table(
    where: tuple[str | Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[list[Job], dict[str, Any]]] = []

    def pretend(jobs: list[Job], **rest: Any) -> list[RunRecord]:
        queued.append((jobs, rest))
        dev = {"accuracy": 0.5, "weighted_f1": 0.5}
        return [RunRecord(recipe="dialogue", name="x", run={"seconds": 2.0}, dev=dev) for _ in jobs]

    monkeypatch.setattr(queue, "run", pretend)
    given = ("table", "--data-set", "mosi", *where)
    out = run(*given, "--tune", "--workers", "5", "--json")
    assert json.loads(out.stdout.splitlines()[-1]) == {"data_set": "mosi", "runs": 0, "seconds": 0}
    assert len(queued) == 1 and queued[0][0] == queue.trials("mosi", "given")
    assert queued[0][1]["workers"] == 5
    assert tuning_path("mosi", "given", tmp_path / "results").is_file()
    out = run(*given, "--seeds", "2")
    jobs, _ = queued[1]  # the trials are there: none is run again
    assert {j.recipe.seed for j in jobs} == {1, 2}
    assert out.output.startswith(f"{len(jobs)} runs, {2 * len(jobs) / 3600:.2f} hours of one core")


def test_joint(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    about: dict[str, Any] = {"recipe": "joint", "name": "x", "data_set": "meld"}
    record = RunRecord(**about, dev={"weighted_f1": 0.25})

    def pretend(recipe: JointRecipe, **rest: Any) -> tuple[RunRecord, RunRecord]:
        calls.append({"recipe": recipe, **rest})
        return record, record

    monkeypatch.setattr(joint_runs, "train_joint", pretend)
    monkeypatch.setattr(
        joint_runs, "score_joint", lambda out, **_: calls.append({"out": out}) or record
    )
    given = ("joint", "--data", data, "--results", tmp_path)
    shown = run(*given, "--seed", "4", "--limit", "9", "--start", tmp_path / "text.safetensors")
    assert calls[-1]["recipe"] == JointRecipe(seed=4, limit=9)
    assert calls[-1]["start"] == tmp_path / "text.safetensors"
    assert calls[-1]["out"] == Path("runs/trial-joint-seed4")
    assert "dev meld: weighted_f1 0.2500" in shown.output
    assert "runs/trial-joint-seed4/dialogue.safetensors" in shown.output
    # --test needs no text checkpoint to start from.
    tested = run(*given, "--test", "--out", tmp_path / "run", "--json")
    assert tested.exit_code == 0 and calls[-1] == {"out": tmp_path / "run"}
    assert json.loads(tested.stdout.splitlines()[-1]) == record.as_json()
    monkeypatch.undo()
    absent = run(*given, "--start", tmp_path / "absent" / "text.safetensors")
    assert absent.exit_code == 1 and "there are no weights at" in absent.stderr


def test_meld_is_left_out_of_training_only(data: Path, tmp_path: Path) -> None:
    for other in (("--encoder", "x"), ("--average", tmp_path)):
        out = run("text", "--data", data, "--without", "meld", *other)
        assert out.exit_code == 2 and "--without does not go with" in out.stderr
    unknown = run("text", "--data", data, "--without", "emobank")
    assert unknown.exit_code == 2 and "'emobank' is not 'meld'" in unknown.stderr
