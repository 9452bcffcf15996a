"""``empathic audit``: accuracy, recall and calibration by groups of people, where data have them.

Everything is scored from stored test predictions of what ships (or, where nothing may ship, of the
recorded run in the middle), against the labels of the corpora.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from empathic_sdk.errors import DataError, EmpathicError
from empathic_sdk.lab.corpora.clips import Clips, ravdess_split, read_clips
from empathic_sdk.lab.corpora.dialogues import DialogueSet, read_dialogues
from empathic_sdk.lab.corpora.speaker_groups import MELD_GENDER, UNKNOWN, genders
from empathic_sdk.lab.evaluation.configurations import Runs
from empathic_sdk.lab.evaluation.dialogue_figures import read_predictions
from empathic_sdk.lab.evaluation.group_gaps import METRICS, compare, worst
from empathic_sdk.lab.evaluation.metrics import classification
from empathic_sdk.lab.evaluation.speech import recorded_runs
from empathic_sdk.lab.evaluation.spread import summary
from empathic_sdk.lab.recipes.fusion import FUSION
from empathic_sdk.lab.records import PREDICTIONS, RunRecord, predictions_of, read_rows
from empathic_sdk.runtime.networks import description, shipped
from empathic_sdk.runtime.resources import weights_dir

FAIRNESS = "fairness"
REWEIGHTED = "meld-shipped-mdget-causal-text"
EMODB_MALE = frozenset({3, 10, 11, 12, 15})

NO_DATA: Mapping[str, str] = {
    "age": "no corpus gives it; RAVDESS and EMO-DB are adults from 21 to 35",
    "ethnicity": "no corpus gives it",
    "dialect": "no corpus gives it; the speech is North American English and standard German",
    "language": "text is English alone; speech in a second language was measured once (EMO-DB)",
    "disability": "no corpus gives it: speech, hearing, motor and learning impairments are unknown",
    "neurodivergence": "no corpus gives it",
    "gender beyond female and male": "no corpus names another",
    "gender of who writes": "MELD's lines are written by scriptwriters and spoken by characters",
    "faces by any group": "FER2013 does not say who is on its pictures",
    "interaction behaviour by any group": "its people are simulated",
    "mental illness": "no corpus gives it",
}
"""Groups that nothing here can compare, and why."""


class Predicted(NamedTuple):
    """Stored predictions of one model with what is known of the people.

    Attributes:
        model: Name of the run.
        ships: Whether these are the weights that ship.
        classes: Names of the labels.
        gold: int64 ``[n]``.
        probabilities: float64 ``[n, classes]``.
        runs: The same of every recorded run of the recipe, this one among them.
        groups: ``[n]`` names by attribute.
        clusters: ``[n]`` what is drawn as one, by attribute.
        unit: What a cluster is, by attribute.
        caution: What must be known to read the figures.
    """

    model: str
    ships: bool
    classes: tuple[str, ...]
    gold: np.ndarray
    probabilities: np.ndarray
    runs: Sequence[np.ndarray]
    groups: Mapping[str, Sequence[str]]
    clusters: Mapping[str, Sequence[Any]]
    unit: Mapping[str, str]
    caution: str


def audit(*, data: Path, results: Path) -> dict[str, Any]:
    """Return what ``empathic audit`` prints.

    Args:
        data: Folder of the corpora.
        results: Folder of the run records and stored predictions.

    Returns:
        ``audits`` (one a model and corpus), ``reweighting``, ``no_data``, and ``left_out`` with
        the reason for every part whose corpus or predictions are missing.
    """
    parts: Mapping[str, Callable[[Path, Path], Predicted]] = {
        "text on meld": _text,
        "dialogue on meld": _dialogue,
        "dialogue on iemocap": _iemocap,
        "speech on ravdess": _ravdess,
        "speech on emodb": _emodb,
    }
    audits, left_out = [], {}
    for name, read in parts.items():
        try:
            found = read(data, results)
        except (EmpathicError, OSError) as error:
            left_out[name] = str(error)
            continue
        audits.append({"audit": name, **measured(found)})
    try:
        reweighting: dict[str, Any] | None = reweighted(data, results)
    except (EmpathicError, OSError) as error:
        reweighting, left_out["reweighting"] = None, str(error)
    return {
        "dataset": "audit", "audits": audits, "reweighting": reweighting,
        "no_data": dict(NO_DATA), "left_out": left_out,
    }  # fmt: skip


def measured(found: Predicted) -> dict[str, Any]:
    """Return all figures of one model."""
    attributes = {}
    for name, groups in found.groups.items():
        rest = (groups, found.clusters[name], found.classes)
        by = compare(found.gold, found.probabilities, *rest)
        if len(by["groups"]) == 2:
            others = [compare(found.gold, p, *rest, samples=2)["gaps"] for p in found.runs]
            by["runs"] = summary([{m: o[m]["difference"] for m in METRICS} for o in others])
        attributes[name] = {"unit": found.unit[name], **by}
    return {
        "model": found.model, "ships": found.ships, "n": len(found.gold),
        "caution": found.caution, "attributes": attributes,
    }  # fmt: skip


def reweighted(data: Path, results: Path) -> dict[str, Any]:
    """Return what ``train dialogue --reweight-groups`` changed, over the seeds of both.

    Raises:
        DataError: Runs of one kind are missing.
    """
    test = read_dialogues("meld", data, "test")
    plain = _seeds(results / "dialogue", REWEIGHTED)
    fair_paths = _seeds(results / FAIRNESS / "dialogue", f"{REWEIGHTED}-groups")
    seeds = sorted(set(plain) & set(fair_paths))
    if not seeds:
        raise DataError(f"{results} holds no seed with and without --reweight-groups")
    without, fair = ([_figures(test, paths[s]) for s in seeds] for paths in (plain, fair_paths))
    change = [{k: b[k] - a[k] for k in a} for a, b in zip(without, fair, strict=True)]
    kinds = {"without": without, "with": fair, "change": change}
    return {
        "model": REWEIGHTED, "attribute": "gender", "seeds": seeds,
        **{kind: {k: v for k, v in summary(some).items() if k != "n"}
           for kind, some in kinds.items()},
    }  # fmt: skip


def _figures(test: DialogueSet, path: Path) -> dict[str, float]:
    """Return a run's figures on dev (recorded) and on test (scored now, with the gaps)."""
    record = RunRecord.read(path)
    p = _stored(test, predictions_of(path))
    found = _grouped(test, {record.name: p}, record.name, "meld", ships=False)
    by = compare(
        found.gold, found.probabilities, found.groups["gender"], found.clusters["gender"],
        found.classes, samples=2,
    )  # fmt: skip
    said = found.probabilities.argmax(1)
    return {
        **{f"dev_{k}": record.dev[k] for k in ("weighted_f1", "macro_f1")},
        **{k: classification(found.gold, said)[k] for k in ("weighted_f1", "macro_f1")},
        "worst_accuracy": worst(by),
        "worst_uar": worst(by, "uar"),
        **{f"gap_{m}": by["gaps"][m]["difference"] for m in METRICS},
        "difference_of_recalls": _recall_gap(by),
    }


def _recall_gap(by: Mapping[str, Any]) -> float:
    """Return the mean over emotions of how far the two groups' recalls lie apart."""
    one, other = (g["recall"] for g in by["groups"].values())
    return float(np.mean([abs(one[c] - other[c]) for c in one if c in other]))


def _seeds(folder: Path, name: str) -> dict[int, Path]:
    return {int(p.stem.rsplit("seed", 1)[1]): p for p in sorted(folder.glob(f"{name}-seed*.json"))}


def _shipped(weights: str) -> str:
    path = shipped(weights)
    if not path.is_file():
        path = weights_dir() / f"{weights}.safetensors"
    return str(description(path)["name"])


def _text(data: Path, results: Path) -> Predicted:
    name = _shipped("text")
    test = read_dialogues("meld", data, "test")
    ids = [i for d in test.dialogues for i in d.ids]
    runs = {}
    for path in _siblings(results, name, PREDICTIONS):
        rows = {r["id"]: r["p"] for r in read_rows(path) if r["c"] == "meld"}
        if not set(ids) <= set(rows):
            raise DataError(f"{path} does not hold the test utterances of MELD")
        runs[path.name.removesuffix(PREDICTIONS)] = np.array([rows[i] for i in ids])
    return _grouped(test, runs, name, "meld", ships=True)


def _dialogue(data: Path, results: Path) -> Predicted:
    name = _shipped("dialogue")
    test = read_dialogues("meld", data, "test")
    # The model that ships reads more than text; its predictions on text alone are stored apart.
    ending = f"-text{PREDICTIONS}"
    paths = _siblings(results / FUSION, name, ending)
    runs = {p.name.removesuffix(ending): _stored(test, p) for p in paths}
    return _grouped(test, runs, name, "meld", ships=True)


def _iemocap(data: Path, results: Path) -> Predicted:
    recorded = Runs(results, data, "iemocap")
    configuration = recorded.default()
    chosen, _ = recorded.median(configuration)
    scored = ((r["name"], recorded.scored(r)) for r in recorded.tested(configuration))
    runs = {n: np.concatenate(s.probabilities) for n, s in scored if s is not None}
    return _grouped(recorded.test, runs, chosen["name"], "iemocap", ships=False)


def _ravdess(data: Path, results: Path) -> Predicted:
    clips = ravdess_split(read_clips("ravdess", data), "test")
    _, runs = recorded_runs("ravdess", results, clips)
    sex = ["male" if s % 2 else "female" for s in clips.speakers.tolist()]
    caution = "two actresses and two actors: an interval over two people each means next to nothing"
    return _voices(_shipped("speech"), clips, runs, sex, caution, ships=True)


def _emodb(data: Path, results: Path) -> Predicted:
    clips = read_clips("emodb", data)
    name, runs = recorded_runs("emodb", results, clips)
    sex = ["male" if s in EMODB_MALE else "female" for s in clips.speakers.tolist()]
    caution = "five actresses and five actors, each by a network that never heard them"
    return _voices(name, clips, runs, sex, caution, ships=False)


def _siblings(folder: Path, name: str, ending: str) -> list[Path]:
    """Return the predictions of a run and of its other seeds."""
    if not (folder / f"{name}{ending}").is_file():
        raise DataError(f"{folder} holds no predictions of {name}, which ships")
    return sorted(folder.glob(f"{name.rsplit('seed', 1)[0]}seed[0-9]*{ending}"))


def _stored(test: DialogueSet, path: Path) -> np.ndarray:
    return np.concatenate(read_predictions(path, test).probabilities)


def _grouped(
    test: DialogueSet, runs: Mapping[str, np.ndarray], name: str, corpus: str, *, ships: bool
) -> Predicted:
    gold = np.concatenate([d.labels for d in test.dialogues])
    known = gold >= 0
    dialogue = np.repeat([d.id for d in test.dialogues], [len(d) for d in test.dialogues])[known]
    gender = np.array([g for d in test.dialogues for g in genders(corpus, d)])[known]
    groups: dict[str, Sequence[str]] = {"gender": gender.tolist()}
    caution = "one actress and one actor in all of test: their gap is that of two people"
    if corpus == "meld":
        speaker = np.array([s for d in test.dialogues for s in d.speakers])[known]
        groups["character"] = [s if s in MELD_GENDER else UNKNOWN for s in speaker.tolist()]
        caution = (
            "six characters of one sitcom: a gap may be theirs, their writers' or their actors', "
            "and says little about people; other speakers' gender is not known"
        )
    return Predicted(
        name, ships, test.classes, gold[known], runs[name][known],
        [p[known] for p in runs.values()], groups, dict.fromkeys(groups, dialogue.tolist()),
        dict.fromkeys(groups, "dialogue"), caution,
    )  # fmt: skip


def _voices(
    name: str,
    clips: Clips,
    runs: Mapping[str, np.ndarray],
    sex: list[str],
    caution: str,
    *,
    ships: bool,
) -> Predicted:
    if name not in runs:
        raise DataError(f"there are no stored predictions of {name}")
    speakers = clips.speakers.tolist()
    return Predicted(
        name, ships, clips.classes, clips.labels, runs[name], list(runs.values()),
        {"sex": sex, "speaker": [f"{s:02d}" for s in speakers]},
        {"sex": speakers, "speaker": list(clips.ids)}, {"sex": "speaker", "speaker": "clip"},
        caution,
    )  # fmt: skip


__all__ = ["NO_DATA", "Predicted", "audit", "measured", "reweighted"]
