from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from empathic_sdk.cli import main
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.faces import Faces, read_faces
from empathic_sdk.lab.evaluation import face_figures
from empathic_sdk.lab.evaluation.face_figures import evaluate_fer2013, measure
from empathic_sdk.lab.recipes import face as face_runs
from empathic_sdk.lab.recipes.face import run_name
from empathic_sdk.lab.recipes.face_numbers import recipe_for
from empathic_sdk.lab.records import RunRecord
from tests.lab.faces_imitation import write_fer2013


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run of each kind of network, as the command line leaves them."""
    folder = tmp_path_factory.mktemp("runs")
    write_fer2013(folder / "fer2013.npz", per_split=21)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(face_runs, "POOL_STEPS", 20)
    monkeypatch.setattr(face_runs, "run_name", lambda r: f"face-{r.model}-seed{r.seed}")
    for extra in ((), ("--test",)):
        result = CliRunner().invoke(
            main,
            ["train", "face", "--data", str(folder), "--model", "cnn", "--epochs", "2",
             "--out", str(folder / "run"), "--results", str(folder / "results"), "--json", *extra],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
    monkeypatch.undo()
    return folder


def test_the_record(ran: Path) -> None:
    record = json.loads((ran / "results/face/face-cnn-seed1.json").read_text("utf-8"))
    assert record["parameters"] == 127_943
    assert record["data"]["train"]["n"] == 21
    assert record["configuration"]["sizes"] == [[40, 2]]
    assert len(record["run"]["history"]) == 2
    assert set(record["pool"]["attention"]) == {"accuracy", "nll"}
    for split in ("dev", "test"):
        assert np.sum(record[split]["confusion"]) == 21


def test_evaluate_rescores_what_was_stored(ran: Path) -> None:
    record = json.loads((ran / "results/face/face-cnn-seed1.json").read_text("utf-8"))
    shared = ["evaluate", "fer2013", "--data", str(ran), "--results", str(ran / "results")]
    result = CliRunner().invoke(main, [*shared, "--model", "cnn", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.output.splitlines()[-1])
    assert [report[k] for k in ("dataset", "model", "split", "n", "causal")] == [
        "fer2013", "face-cnn-seed1", "test", 21, True,
    ]  # fmt: skip
    for key in ("accuracy", "uar", "macro_f1", "weighted_f1", "ece"):
        assert report[key] == pytest.approx(record["test"][key])
        assert report["runs"][key] == {"mean": pytest.approx(report[key]), "std": 0.0}
    assert report["runs"]["n"] == 1
    assert np.sum(report["confusion"]) == 21 and len(report["f1"]) == 7
    anew = evaluate_fer2013(
        data=ran, split="test", results=ran / "results", checkpoint=ran / "run/face.safetensors",
        model="cnn",
    )  # fmt: skip
    assert anew["accuracy"] == pytest.approx(report["accuracy"])
    shown = CliRunner().invoke(main, [*shared, "--model", "cnn"])
    assert "accuracy" in shown.output and "F1 joy" in shown.output


def test_a_test_figure_needs_a_choice_on_record(ran: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="choice on dev"):
        face_runs.score_face(ran / "run/face.safetensors", data=ran, results=tmp_path)
    with pytest.raises(DataError, match="no tested run"):
        evaluate_fer2013(data=ran, split="test", results=tmp_path, model="cnn")
    record = tmp_path / "face/face-cnn-seed1.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"checkpoint": {"sha256": "another"}}), "utf-8")
    with pytest.raises(DataError, match="not the checkpoint"):
        face_runs.score_face(ran / "run/face.safetensors", data=ran, results=tmp_path)


def test_other_data_are_noticed(ran: Path, tmp_path: Path) -> None:
    record = json.loads((ran / "results/face/face-cnn-seed1.json").read_text("utf-8"))
    test = read_faces(ran, "test")
    with pytest.raises(DataError, match="does not hold"):
        face_figures.rescored(ran / "results", RunRecord.of(record), test.take(np.arange(5)))


def test_scenes(ran: Path) -> None:
    from empathic_sdk import FaceEncoder
    from empathic_sdk.encoders.face_detection import Box

    faces = read_faces(ran, "test")
    path = ran / "run/face.safetensors"
    here = FaceEncoder(path, detector=lambda _: [Box(x=200, y=120, width=240, height=240)],
                       margin=0.0)  # fmt: skip
    found = face_figures.in_scenes(here, faces, most=5)
    assert found["scene_found"] == 1.0
    assert 0 < found["scene_p50_ms"] <= found["scene_p95_ms"]
    assert face_figures.in_scenes(FaceEncoder(path, detector=lambda _: []), faces, most=5) == {
        "scene_found": 0.0
    }
    picture = face_figures.scene(faces.images[0], np.random.default_rng(0))
    assert picture.shape == (480, 640, 3)
    assert abs(int(picture[120:360, 200:440].mean()) - int(faces.images[0].mean())) < 3


def test_measure_by_hand() -> None:
    faces = Faces(np.zeros((4, 48, 48), np.uint8), np.array([0, 0, 1, 2]), np.arange(4))
    p = np.eye(7)[[0, 1, 1, 2]]
    found = measure(faces, p)
    assert found["accuracy"] == 0.75
    assert found["uar"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["ece"] == pytest.approx(0.25)
    assert found["confusion"][0][:3] == [1, 1, 0]


def test_trials_have_names_of_their_own() -> None:
    assert run_name(recipe_for("net", seed=2)) == "face-seed2"
    assert run_name(recipe_for("cnn", seed=2)) == "face-cnn-seed2"
    assert run_name(recipe_for("net", seed=2, limit=9)) == "trial-seed2"
    assert run_name(recipe_for("cnn", seed=2, sizes=((40, 1),))) == "trial-cnn-seed2"
    assert run_name(recipe_for("net", shuffle_labels=True)) == "trial-seed1-shuffled"


@pytest.mark.parametrize(
    "arguments",
    [["meld", "--model", "cnn"], ["fer2013", "--model", "mdget"], ["fer2013", "--table"],
     ["fer2013", "--model", "text"], ["fer2013", "--configuration", "x"]],
)  # fmt: skip
def test_options_that_do_not_fit_are_usage_errors(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["evaluate", *arguments, "--data", str(tmp_path)])
    assert result.exit_code == 2
