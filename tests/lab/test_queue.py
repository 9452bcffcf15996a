"""The table of runs and the queue that works through it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.recipes.dialogue import configuration_name, run_name
from empathic_sdk.lab.recipes.dialogue_numbers import (
    BASE,
    DialogueRecipe,
    default_features,
    tuned,
    tuning_path,
)
from empathic_sdk.lab.records import RunRecord, predictions_of
from empathic_sdk.lab.runs import grid as queue
from empathic_sdk.lab.runs.grid import COMPARED, GRID, GRIDS, Job, run, subsets, table, trials, tune
from tests.lab import corpora_imitation as imitation

Keys = dict[str, Path]


class Inline:
    """Stands for the pool of processes: works at once, in this one."""

    opened: ClassVar[list[int]] = []

    def __init__(self, workers: int, *_: object) -> None:
        self.opened.append(workers)

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        assert cancel_futures and not wait


def quality(recipe: DialogueRecipe) -> float:
    """What dev says of a trial here: each model is best with other numbers."""
    k = next((i for i, g in enumerate(GRIDS["mosi"]) if replace(recipe, **g) == recipe), 0)
    return 0.1 + 0.1 * ((k + len(recipe.model) + recipe.causal) % 3)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Replace training by writing a record down; returns the names of what was trained."""
    names: list[str] = []

    def pretend(
        recipe: DialogueRecipe, *, data_set: str, features: str, data: Path, results: Path,
        cache: Path,
    ) -> RunRecord:  # fmt: skip
        name = run_name(data_set, features, recipe)
        names.append(name)
        record = RunRecord(
            recipe="dialogue", name=name, features=features, configuration=recipe.as_dict(),
            run={"seconds": 1.5}, dev={queue.headline(data_set): quality(recipe)},
        )  # fmt: skip
        predictions_of(record.write(results)).write_bytes(b"")
        return record

    monkeypatch.setattr(queue, "train_dialogue", pretend)
    monkeypatch.setattr(queue, "ProcessPoolExecutor", Inline)
    return names


@pytest.fixture
def where(tmp_path: Path) -> Keys:
    return {"data": tmp_path, "results": tmp_path / "results", "cache": tmp_path / "cache"}


def test_trials_are_the_same_for_all_models() -> None:
    jobs = trials("iemocap", "minilm")
    assert len(jobs) == len(COMPARED) * len(GRID) == len({j.recipe for j in jobs})
    for model, causal in COMPARED:
        tried = [j.recipe for j in jobs if (j.recipe.model, j.recipe.causal) == (model, causal)]
        expected = [replace(BASE["iemocap"], model=model, causal=causal, **g) for g in GRID]
        assert tried == expected
        assert {r.seed for r in tried} == {1}
    small = [j.recipe for j in trials("mosi", "given") if j.recipe.model == "linear"]
    assert small == [replace(BASE["mosi"], model="linear", **g) for g in GRIDS["mosi"]]


def test_dev_picks_the_best_trial(trained: list[str], where: Keys) -> None:
    found = tune("mosi", "given", workers=3, **where)
    number = len(COMPARED) * len(GRIDS["mosi"])
    assert len(trained) == number
    assert Inline.opened[-1] == 3
    path = tuning_path("mosi", "given", where["results"])
    assert json.loads(path.read_text()) == json.loads(json.dumps(found))
    for model, causal in COMPARED:
        every = [replace(BASE["mosi"], model=model, causal=causal, **g) for g in GRIDS["mosi"]]
        assert tuned("mosi", "given", model, causal, where["results"]) == max(every, key=quality)
        rows = found["trials"][f"{model}-{'causal' if causal else 'both'}"]
        assert [r["dev"] for r in rows] == [quality(r) for r in every]
    assert len({str(c["numbers"]) for c in found["chosen"].values()}) > 1
    # What a trial is called does not tell its numbers; they lie side by side all the same, and
    # not among the runs of the table.
    assert not list((where["results"] / "dialogue").glob("*-seed1.json"))
    tune("mosi", "given", workers=1, **where)
    assert len(trained) == number  # no trial ran twice


def test_among_equal_trials_the_first_is_picked(
    trained: list[str], where: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "quality", lambda _: 0.5)
    found = tune("mosi", "given", workers=1, **where)
    assert all(c["numbers"] == GRID[0] for c in found["chosen"].values())


def test_without_trials_there_is_no_table(where: Keys) -> None:
    with pytest.raises(ConfigurationError, match=r"tuning-meld-minilm.json is not there: run the"):
        table("meld", "minilm", where["results"])
    path = tuning_path("meld", "minilm", where["results"])
    path.parent.mkdir(parents=True)
    path.write_text('{"chosen": {}}')
    with pytest.raises(ConfigurationError, match="has no trials of mdget-causal"):
        tuned("meld", "minilm", "mdget", True, where["results"])


def expected_configurations(data_set: str) -> int:
    compared = len(COMPARED)
    if data_set in ("meld", "own"):
        return compared
    spokes = {"iemocap": 2, "mosi": 6}[data_set]  # proper subsets of two, of three modalities
    timing = 1 if data_set == "iemocap" else 0
    return compared + 2 * spokes + len(ABLATIONS) - 1 + timing


@pytest.mark.parametrize("data_set", BASE)
def test_the_table_is_complete(data_set: str, trained: list[str], where: Keys) -> None:
    features = default_features(data_set)
    tune(data_set, features, workers=1, **where)
    jobs = table(data_set, features, where["results"], (1, 2, 5))
    names = [run_name(*j) for j in jobs]
    assert len(set(names)) == len(names) == 3 * expected_configurations(data_set)
    often = Counter(configuration_name(*j) for j in jobs)
    assert set(often.values()) == {3}
    assert {j.recipe.seed for j in jobs} == {1, 2, 5}
    for model, causal in COMPARED:
        whole = replace(tuned(data_set, features, model, causal, where["results"]), seed=2)
        assert Job(data_set, features, whole) in jobs
    if data_set not in ("meld", "own"):
        for causal in (True, False):
            full = replace(tuned(data_set, features, "mdget", causal, where["results"]), seed=5)
            for some in subsets(full.modalities):
                assert Job(data_set, features, replace(full, modalities=some)) in jobs
            for name in ABLATIONS:  # of the published form
                there = Job(data_set, features, replace(full, ablation=name)) in jobs
                assert there == (name == "full" or not causal)
    timed = [j for j in jobs if j.recipe.timing]
    assert len(timed) == (3 if data_set == "iemocap" else 0)


def test_subsets_keep_the_hub_in_front() -> None:
    assert set(subsets(("t", "s", "f"))) == {
        ("t",), ("s",), ("f",), ("t", "s"), ("t", "f"), ("s", "f"),
    }  # fmt: skip
    assert list(subsets(("t",))) == []


def jobs_of(n: int) -> list[Job]:
    return [Job("mosi", "given", replace(BASE["mosi"], seed=s)) for s in range(1, n + 1)]


def test_a_queue_that_was_cut_off_goes_on(trained: list[str], where: Keys) -> None:
    jobs = jobs_of(6)
    run(jobs[::2], **where)
    first = list(trained)
    assert first == [run_name(*j) for j in jobs[::2]]
    told: list[str] = []
    records = run(jobs, on_done=lambda r: told.append(r.name), **where)
    assert trained[3:] == [run_name(*j) for j in jobs[1::2]]
    assert sorted(told) == sorted(trained[3:])
    assert [r.name for r in records] == [run_name(*j) for j in jobs]  # in the order asked for
    run(jobs, **where)
    assert len(trained) == 6
    with pytest.raises(ConfigurationError, match="a run with other numbers"):
        run([Job("mosi", "given", replace(jobs[0].recipe, width=64))], **where)


def test_what_fails_is_said(
    trained: list[str], where: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend = queue.train_dialogue

    def third_fails(recipe: DialogueRecipe, **rest: Any) -> dict[str, Any]:
        if recipe.seed == 3:
            raise ConfigurationError("broken")
        return pretend(recipe, **rest)

    monkeypatch.setattr(queue, "train_dialogue", third_fails)
    with pytest.raises(ConfigurationError, match="broken"):
        run(jobs_of(4), **where)
    monkeypatch.setattr(queue, "train_dialogue", pretend)
    before = len(trained)
    assert len(run(jobs_of(4), **where)) == 4
    assert trained[before:] == [run_name(*jobs_of(3)[2])]  # the others had been recorded


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The real pool, once: two runs, one of which is there."""
    data = imitation.write_mosi(tmp_path)
    small = replace(BASE["mosi"], model="linear", epochs=1, modalities=("text",))
    jobs = [Job("mosi", "given", replace(small, seed=s)) for s in (1, 2)]
    where: Keys = {"data": data, "results": tmp_path / "results", "cache": tmp_path / "cache"}
    queue._work(jobs[0], *where.values())
    path = where["results"] / "dialogue" / f"{run_name(*jobs[0])}.json"
    before = path.stat().st_mtime_ns
    records = run(jobs, workers=1, **where)
    assert [r.configuration["seed"] for r in records] == [1, 2]
    assert path.stat().st_mtime_ns == before
    assert records[1].environment["threads"] == 1
    stored = sorted(p.name for p in path.parent.iterdir())
    assert stored == sorted(
        f"{run_name(*j)}.{end}" for j in jobs for end in ("json", "predictions.jsonl.gz")
    )
