from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from empathic_sdk import EmotionRecognizer, Utterance
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.evaluation import dialogue_models as module
from empathic_sdk.lab.evaluation.configurations import Runs, group
from empathic_sdk.lab.evaluation.dialogue_models import evaluate_dialogue, evaluate_meld
from empathic_sdk.lab.evaluation.spread import spread
from tests.lab import corpora_imitation as imitation
from tests.lab.recorded import LINEAR, WHOLE, recorded_runs, with_dialogue, write_joint


@pytest.fixture
def recorded() -> tuple[Path, Path]:
    return recorded_runs()


def stored(results: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(results / "dialogue" / f"{name}.predictions.jsonl.gz", "rt") as f:
        return [json.loads(line) for line in f]


def by_hand(data: Path, results: Path, name: str) -> dict[str, float]:
    """Score a run's stored predictions without any of the package's metrics."""
    test = read_dialogues("iemocap", data, "test")
    gold = np.concatenate([d.labels for d in test.dialogues])
    said = np.concatenate([np.array(r["p"]).argmax(1) for r in stored(results, name)])
    moved: tuple[list[int], list[int]] = ([], [])
    start = 0
    for d in test.dialogues:
        last: dict[str, int] = {}
        for i, who in enumerate(d.speakers):
            if who in last:
                for side, labels in zip(moved, (gold, said), strict=True):
                    side.append(int(labels[start + i] != labels[start + last[who]]))
            last[who] = i
        start += len(d)
    return {
        "accuracy": accuracy_score(gold, said),
        "weighted_f1": f1_score(gold, said, average="weighted", zero_division=0),
        "macro_f1": f1_score(gold, said, average="macro", zero_division=0),
        "uar": recall_score(gold, said, average="macro", labels=np.unique(gold), zero_division=0),
        "shift_f1_labels": f1_score(*moved, zero_division=0),
    }


def test_spread_by_hand() -> None:
    assert spread([0.5, 0.7]) == pytest.approx((0.6, 0.1 * 2**0.5))
    assert spread([0.5]) == (0.5, 0.0)


def test_a_row_is_what_the_predictions_say(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    found = {r.name: r for r in Runs(results, data, "iemocap").rows}
    assert len(found) == 5
    row = found[WHOLE]
    assert (row.model, row.direction, row.modalities) == ("mdget", "causal", ("text", "speech"))
    assert (row.runs, row.tested, row.features, row.ablation) == (3, 3, "minilm", "full")
    each = [by_hand(data, results, f"{WHOLE}-seed{s}") for s in (1, 2, 3)]
    for key in each[0]:
        values = [e[key] for e in each]
        assert row.test[key] == pytest.approx((np.mean(values), np.std(values, ddof=1))), key
    assert {"ece", "shift_f1"} < set(row.test) and "f1" not in row.test
    records = group(results, "iemocap")[WHOLE]
    assert [r["configuration"]["seed"] for r in records] == [1, 2, 3]
    dev = [r["dev"]["weighted_f1"] for r in records]
    assert row.dev == pytest.approx((np.mean(dev), np.std(dev, ddof=1)))
    assert row.loss_weights == {"emotion": 1.0, "transfer": pytest.approx(0.3)}
    assert row.parameters == records[0]["run"]["parameters"]
    assert 0.0 < (row.passed or 0.0) <= 1.0 and row.tuning is None
    linear = found[LINEAR]
    assert linear.passed == 0.0 and "shift_f1" not in linear.test and linear.runs == 2
    alone = found["iemocap-minilm-mdget-causal-text"]
    assert alone.test["accuracy"].std == 0.0 and not alone.compared("iemocap")


def test_what_dev_chose_is_shown_where_the_runs_have_it(
    recorded: tuple[Path, Path], tmp_path: Path
) -> None:
    data, results = recorded
    shutil.copytree(results, tmp_path / "results")
    path = tmp_path / "results" / "dialogue" / "tuning-iemocap-minilm.json"
    for width, shown in ((16, {"width": 16}), (128, None)):
        numbers = {"mdget-causal": {"numbers": {"width": width}, "dev": 0.5}}
        path.write_text(json.dumps({"data_set": "iemocap", "chosen": numbers}))
        assert Runs(tmp_path / "results", data, "iemocap").row(WHOLE).tuning == shown


def test_runs_that_do_not_belong_together_are_refused(
    recorded: tuple[Path, Path], tmp_path: Path
) -> None:
    _, results = recorded
    shutil.copytree(results, tmp_path / "results")
    path = tmp_path / "results" / "dialogue" / f"{WHOLE}-seed2.json"
    record = json.loads(path.read_text())
    record["configuration"]["width"] = 24
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match="not all made with the same numbers"):
        group(tmp_path / "results", "iemocap")


def test_what_is_made_to_ship_stands_for_a_data_set(
    recorded: tuple[Path, Path], tmp_path: Path
) -> None:
    data, results = recorded
    folder = Path(shutil.copytree(results, tmp_path / "results")) / "dialogue"
    assert Runs(results, data, "iemocap").default() == WHOLE
    for features, beside in (("shipped", []), ("shipped", ["dailydialog"])):
        name = f"iemocap-{features}-mdget-causal-text+speech{'-beside' * len(beside)}"
        record = json.loads((folder / f"{WHOLE}-seed1.json").read_text())
        record |= {"name": f"{name}-seed1", "configuration_name": name, "features": features}
        record["configuration"]["beside"] = beside
        (folder / f"{name}-seed1.json").write_text(json.dumps(record))
        shutil.copy(
            folder / f"{WHOLE}-seed1.predictions.jsonl.gz",
            folder / f"{name}-seed1.predictions.jsonl.gz",
        )
        runs = Runs(tmp_path / "results", data, "iemocap")
        assert runs.default() == name
        assert runs.row(name).beside == tuple(beside)
        assert runs.row(name).compared("iemocap") == (not beside)


def test_compare_averages_the_runs(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    got = Runs(results, data, "iemocap").compare(WHOLE, LINEAR)
    gold = np.concatenate([d.labels for d in read_dialogues("iemocap", data, "test").dialogues])
    scores = []
    for name, seeds in ((WHOLE, (1, 2, 3)), (LINEAR, (1, 2))):
        mean = np.mean(
            [np.concatenate([r["p"] for r in stored(results, f"{name}-seed{s}")]) for s in seeds],
            axis=0,
        )
        scores.append(f1_score(gold, mean.argmax(1), average="weighted", zero_division=0))
    assert got["difference"] == pytest.approx(scores[0] - scores[1])
    assert got["low"] <= got["difference"] <= got["high"] and 0.0 <= got["p"] <= 1.0
    turned = Runs(results, data, "iemocap").compare(LINEAR, WHOLE)
    assert turned["difference"] == pytest.approx(-got["difference"])


def test_the_table_as_values(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    runs = Runs(results, data, "iemocap")
    found = {r["name"]: r for r in json.loads(json.dumps(runs.table()))}
    assert next(iter(found)) == WHOLE
    versus = found[LINEAR]["bootstrap"]
    assert versus.pop("against") == WHOLE
    assert versus == Runs(results, data, "iemocap").compare(WHOLE, LINEAR)
    assert [n for n, r in found.items() if r["bootstrap"]] == [LINEAR]
    shift = found[WHOLE]["shift"]
    assert shift["transfer"] == found[WHOLE]["test"]["shift_f1"]
    assert shift["labels"] == found[WHOLE]["test"]["shift_f1_labels"]
    assert shift["independent"] == found[LINEAR]["test"]["shift_f1_labels"]
    assert found[LINEAR]["shift"] is None


def test_evaluate_gives_the_run_in_the_middle(recorded: tuple[Path, Path]) -> None:
    data, results = recorded
    got = evaluate_dialogue("iemocap", data=data, split="test", results=results)
    test = read_dialogues("iemocap", data, "test")
    assert got["dataset"] == "iemocap" and got["model"] == "mdget" and got["causal"] is True
    assert got["split"] == "test" and got["n"] == len(test) and got["configuration"] == WHOLE
    each = {n: by_hand(data, results, n) for n in (f"{WHOLE}-seed{s}" for s in (1, 2, 3))}
    assert got["weighted_f1"] == pytest.approx(np.median([e["weighted_f1"] for e in each.values()]))
    assert got["accuracy"] == pytest.approx(each[got["run"]]["accuracy"])
    assert set(got["f1"]) == set(test.classes)
    assert got["runs"]["n"] == 3
    mean = np.mean([e["accuracy"] for e in each.values()])
    assert got["runs"]["accuracy"]["mean"] == pytest.approx(mean)
    assert all(isinstance(v, float) for k, v in got.items() if k in ("ece", "shift_f1", "uar"))

    dev = evaluate_dialogue("iemocap", data=data, split="dev", results=results)
    figures = sorted(r["dev"]["weighted_f1"] for r in group(results, "iemocap")[WHOLE])
    assert dev["weighted_f1"] == figures[1]
    assert dev["n"] == len(read_dialogues("iemocap", data, "dev"))
    other = evaluate_dialogue(
        "iemocap", data=data, split="test", results=results, configuration=LINEAR
    )
    assert other["model"] == "linear" and other["runs"]["n"] == 2  # the lower of two middles
    both = [by_hand(data, results, f"{LINEAR}-seed{s}")["weighted_f1"] for s in (1, 2)]
    assert other["weighted_f1"] == pytest.approx(min(both))


def test_what_is_not_there_is_named(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    data, results = recorded
    with pytest.raises(DataError, match=f"no runs of nonsense.*{LINEAR[:14]}"):
        evaluate_dialogue(
            "iemocap", data=data, split="test", results=results, configuration="nonsense"
        )
    with pytest.raises(DataError, match="empathic train table --data-set iemocap"):
        evaluate_dialogue("iemocap", data=data, split="test", results=tmp_path)
    shutil.copytree(results, tmp_path / "results")
    for path in (tmp_path / "results" / "dialogue").glob(f"{WHOLE}-seed*.gz"):
        path.unlink()
    with pytest.raises(DataError, match="has stored test predictions"):
        evaluate_dialogue(
            "iemocap", data=data, split="test", results=tmp_path / "results", configuration=WHOLE
        )
    assert Runs(tmp_path / "results", data, "iemocap").row(WHOLE).test == {}


def imitation_texts(data: Path) -> list[str]:
    return [t for d in read_dialogues("meld", data, "test").dialogues for t in d.texts]


def test_meld_is_measured_through_the_public_api(
    recognizer: EmotionRecognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = imitation.write(tmp_path / "data", n=70)
    heard = with_dialogue(recognizer, tmp_path)
    texts = imitation_texts(data)
    confidence = [s.confidence for s in heard.recognize_dialogue(texts)]
    heard.calibration = heard.calibration.model_copy(
        update={"threshold": float(np.median(confidence))}
    )
    monkeypatch.setattr(module, "TextEncoder", lambda path: recognizer.text)
    monkeypatch.setattr(module, "EmotionRecognizer", lambda text: heard)
    write_joint(tmp_path / "results", data)
    got = evaluate_meld(data=data, split="test", results=tmp_path / "results")
    test = read_dialogues("meld", data, "test")
    assert got["model"] == "joint-seed2" and got["n"] == 35 and got["causal"] is True
    gold, said, moved, shift = [], [], [], []
    sure = right = 0
    for d in test.dialogues:
        session, last = heard.session(), {}
        for text, speaker, label in zip(d.texts, d.speakers, d.labels.tolist(), strict=True):
            state = session.add(Utterance(text, speaker=speaker))
            gold.append(label)
            said.append(test.classes.index(state.label))
            if state.shift is not None:
                moved.append(int(label != last[speaker]))
                shift.append(int(state.shift >= 0.5))
            last[speaker] = label
            sure += not state.uncertain
            right += not state.uncertain and said[-1] == label
    assert got["weighted_f1"] == pytest.approx(f1_score(gold, said, average="weighted"))
    assert got["accuracy"] == pytest.approx(accuracy_score(gold, said))
    assert got["shift_f1"] == pytest.approx(f1_score(moved, shift))
    assert got["coverage"] == pytest.approx(sure / len(gold)) and 0 < sure < len(gold)
    assert got["accuracy_when_sure"] == pytest.approx(right / sure)
    alone = recognizer.read(texts, "meld").emotion.argmax(1)
    assert got["utterance_only_weighted_f1"] == pytest.approx(
        f1_score(gold, alone, average="weighted")
    )
    assert got["runs"]["n"] == 3 and 0.0 < got["runs"]["weighted_f1"]["std"] < 0.2
    none = evaluate_meld(data=data, split="test", results=tmp_path / "none")
    assert none["runs"] == {"n": 0} and none["weighted_f1"] == got["weighted_f1"]
    monkeypatch.setattr(module, "evaluate_text", lambda name, **_: {"dataset": name})
    assert evaluate_meld(data=data, split="test", results=tmp_path, model="text") == {
        "dataset": "meld"
    }
    stored_only = evaluate_dialogue("meld", data=data, split="test", results=tmp_path / "results")
    assert stored_only["configuration"] == "meld-joint-mdget-causal-text"
