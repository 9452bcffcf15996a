"""Tables of dialogue runs: one row a configuration, scored now from stored predictions.

A record holds dev figures only. Every test figure here is computed from the predictions beside it
and the corpus itself, so nothing has to be believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from empathic_sdk.errors import DataError
from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.evaluation.dialogue_figures import Scored, headline, measure, read_predictions
from empathic_sdk.lab.evaluation.dialogue_metrics import paired_bootstrap
from empathic_sdk.lab.evaluation.spread import Measures, Spread, spread, spreads
from empathic_sdk.lab.recipes.dialogue_numbers import (
    BASE,
    DialogueRecipe,
    default_features,
    tuning_path,
)
from empathic_sdk.lab.records import FOLDERS, PREDICTIONS, no_runs
from empathic_sdk.lab.registry import dialogue_models
from empathic_sdk.recognition.calibration import Calibration

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One configuration.

    Attributes:
        name: Its name.
        model: One of ``dialogue_models()``.
        direction: ``causal`` or ``both``.
        modalities: What it reads.
        ablation: A row of Table 6, or ``full``.
        timing: Whether it reads timing.
        beside: Further corpora that it was trained on.
        features: Where its text vectors come from.
        parameters: How many; ``None`` where the record does not say.
        runs: How many records there are.
        tested: How many of them have stored test predictions.
        dev: The headline figure on dev.
        test: Every figure on test, over the runs that are tested.
        tuning: The numbers that dev chose, where these runs have them.
        seconds: Of training, mean.
        loss_weights: Factors of the two losses at the end, mean.
        passed: Share of pairs that passed the gate's threshold in the chosen epoch, mean.
        reweighted: Whether speakers' groups were made to count alike.
    """

    name: str
    model: str
    direction: str
    modalities: tuple[str, ...]
    ablation: str
    timing: bool
    beside: tuple[str, ...]
    features: str
    parameters: int | None
    runs: int
    tested: int
    dev: Spread
    test: Mapping[str, Spread]
    tuning: Mapping[str, Any] | None
    seconds: float
    loss_weights: Mapping[str, float]
    passed: float | None
    reweighted: bool = False

    def compared(self, data_set: str) -> bool:
        """Tell whether models are compared by this row: all modalities, nothing taken away."""
        return self.compared_but_for_ablation(data_set) and self.ablation == "full"

    def compared_but_for_ablation(self, data_set: str) -> bool:
        """Tell whether this row is the whole model's, or that of one with a part taken away."""
        plain = not self.timing and not self.beside and not self.reweighted
        return plain and set(self.modalities) == set(BASE[data_set].modalities)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        test = {k: s._asdict() for k, s in self.test.items()}
        return {**asdict(self), "modalities": list(self.modalities), "beside": list(self.beside),
                "dev": self.dev._asdict(), "test": test}  # fmt: skip


def recipe_of(record: Record) -> Mapping[str, Any]:
    """Return the numbers of the dialogue model, however it was trained."""
    configuration: Mapping[str, Any] = record["configuration"]
    return configuration["dialogue"] if record["recipe"] == "joint" else configuration


def group(results: Path, data_set: str) -> dict[str, list[Record]]:
    """Return the records of a data set by the name of their configuration, seeds in order.

    Raises:
        DataError: Runs of one name were not made with the same numbers.
    """
    found: dict[str, list[Record]] = {}
    for path in sorted((results / FOLDERS["dialogue"]).glob("*.json")):
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        theirs = record.get("data_set") == data_set and "configuration_name" in record
        if theirs and not record["name"].startswith("trial"):
            found.setdefault(record["configuration_name"], []).append(record)
    for name, some in found.items():
        some.sort(key=lambda r: r["configuration"]["seed"])
        if any(_numbers(r) != _numbers(some[0]) for r in some):
            raise DataError(
                f"the runs of {name} in {results / FOLDERS['dialogue']} were not all made with the "
                "same numbers; remove those that do not belong, or give another --results"
            )
    return found


def siblings(results: Path, data_set: str, name: str) -> tuple[str, list[Record]]:
    """Return the configuration that a run belongs to, and its records; none where it has none."""
    groups = group(results, data_set).items()
    return next(((c, some) for c, some in groups if name in (r["name"] for r in some)), ("", []))


def _numbers(record: Record) -> list[dict[str, Any]]:
    """Return what the runs of one configuration share; what a record lacks is its default."""
    recipe = json.loads(json.dumps({**DialogueRecipe().as_dict(), **recipe_of(record)}))
    whole = record["configuration"] if record["recipe"] == "joint" else {}
    return [{**c, "seed": 0, "dialogue": 0} for c in (recipe, whole)]


class Runs:
    """All recorded runs of one data set, and what their stored predictions say of its test split.

    Args:
        results: Folder of the run records.
        data: Folder of the corpora.
        data_set: ``meld``, ``iemocap`` or ``mosi``.
    """

    def __init__(self, results: Path, data: Path, data_set: str) -> None:
        self.results, self.data_set = results, data_set
        self.headline = headline(data_set)
        self.groups = group(results, data_set)
        self.test = read_dialogues(data_set, data, "test")
        self._scored: dict[str, Scored | None] = {}
        self._measured: dict[str, Measures] = {}

    def records(self, name: str) -> list[Record]:
        """Return the records of a configuration.

        Raises:
            DataError: There are none; says which configurations there are.
        """
        if name not in self.groups:
            raise self._missing(name)
        return self.groups[name]

    def _missing(self, what: str) -> DataError:
        folder = self.results / FOLDERS["dialogue"]
        if self.groups:
            there = ", ".join(sorted(self.groups))
            return DataError(f"{folder} has no runs of {what}; it has {there}")
        return no_runs(folder, self.data_set, f"train table --data-set {self.data_set}")

    def scored(self, record: Record) -> Scored | None:
        """Return a run's stored test predictions, ``None`` where it has none yet."""
        stem = record["name"]
        if record["recipe"] == "joint":
            stem = f"{self.data_set}-{stem}"
        if stem not in self._scored:
            path = self.results / FOLDERS["dialogue"] / f"{stem}{PREDICTIONS}"
            self._scored[stem] = read_predictions(path, self.test) if path.is_file() else None
        return self._scored[stem]

    def tested(self, name: str) -> list[Record]:
        """Return the records of a configuration that have test predictions."""
        return [r for r in self.records(name) if self.scored(r) is not None]

    def measured(self, record: Record) -> Measures:
        """Return every figure of a tested run on the test split."""
        if record["name"] not in self._measured:
            found = self.scored(record)
            if found is None:
                raise DataError(f"{record['name']} has no stored test predictions")
            calibration = Calibration(**record["calibration"])
            self._measured[record["name"]] = measure(self.test, found, calibration)
        return self._measured[record["name"]]

    def median(self, name: str, split: str = "test") -> tuple[Record, list[Measures]]:
        """Return the run in the middle by the headline figure, and the figures of all.

        The lower of two middles. Dev figures are those of the records.

        Raises:
            DataError: There is no run, or (on test) none with predictions.
        """
        some = self.records(name) if split == "dev" else self.tested(name)
        if not some:
            raise DataError(f"no run of {name} has stored test predictions")
        measured = [r["dev"] if split == "dev" else self.measured(r) for r in some]
        order = np.argsort([m[self.headline] for m in measured], kind="stable")
        return some[order[(len(order) - 1) // 2]], measured

    def row(self, name: str) -> Configuration:
        """Return one row of the table."""
        records = self.records(name)
        first, recipe = records[0], recipe_of(records[0])
        ran = [r["run"] for r in records]
        weights = [r["loss_weights"] for r in ran if "loss_weights" in r]
        passed = [r["history"][r["chosen_epoch"] - 1]["passed"] for r in ran if "chosen_epoch" in r]
        return Configuration(
            name=name,
            model=recipe["model"],
            direction="causal" if recipe["causal"] else "both",
            modalities=tuple(recipe["modalities"]),
            ablation=recipe["ablation"],
            timing=recipe["timing"],
            beside=tuple(recipe.get("beside", ())),
            features="+".join(Path(f).stem for f in first["features"].split("+")),
            parameters=ran[0].get("parameters"),
            runs=len(records),
            tested=len(self.tested(name)),
            dev=spread([r["dev"][self.headline] for r in records]),
            test=spreads([self.measured(r) for r in self.tested(name)]),
            tuning=self._tuning(first, recipe),
            seconds=float(np.mean([r["seconds"] for r in ran])),
            loss_weights={
                k: float(np.mean([w[k] for w in weights])) for k in (weights[0] if weights else ())
            },
            passed=float(np.mean(passed)) if passed else None,
            reweighted=recipe.get("reweight_groups", False),
        )

    def _tuning(self, record: Record, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
        path = tuning_path(self.data_set, record["features"], self.results)
        if record["recipe"] == "joint" or not path.is_file():
            return None
        chosen = json.loads(path.read_text(encoding="utf-8"))["chosen"]
        key = f"{recipe['model']}-{'causal' if recipe['causal'] else 'both'}"
        numbers: dict[str, Any] = chosen.get(key, {}).get("numbers", {})
        same = bool(numbers) and all(recipe[k] == v for k, v in numbers.items())
        return numbers if same else None

    @cached_property
    def rows(self) -> list[Configuration]:
        """The whole table: what is compared first, then modalities, ablations, timing."""
        return sorted(map(self.row, self.groups), key=self._place)

    def _place(self, row: Configuration) -> tuple[Any, ...]:
        place = self._preference(row)
        kind = (not row.compared(self.data_set), row.timing, row.ablation != "full")
        inside = (
            dialogue_models().index(row.model),
            list(ABLATIONS).index(row.ablation),
            len(row.modalities),
        )
        return place, row.features, row.direction != "causal", kind, inside, row.name

    def _preference(self, row: Configuration) -> int:
        order = ("beside", "joint", "shipped", default_features(self.data_set))
        kind = "beside" if row.beside else row.features
        return order.index(kind) if kind in order else len(order)

    def default(self, *, causal: bool = True) -> str:
        """Return the configuration that stands for a data set: MDGET, whole, looking back only.

        The one that was trained with further corpora beside it (made to ship), if there is one;
        else together with the encoder; else on vectors of the shipped encoder; else on those on
        which models are compared; else on any.

        Raises:
            DataError: There is none.
        """
        direction = "causal" if causal else "both"
        rows = [
            r for r in self.rows
            if r.model == "mdget" and r.direction == direction
            and replace(r, beside=()).compared(self.data_set)
        ]  # fmt: skip
        rows.sort(key=self._preference)
        tested = [r for r in rows if r.tested]
        if not rows:
            raise self._missing(f"the whole mdget, {direction}")
        return (tested or rows)[0].name

    def labels(self, name: str) -> list[np.ndarray]:
        """Return what a configuration says, one array a dialogue: probabilities averaged over runs.

        Raises:
            DataError: No run has test predictions.
        """
        found = [s.probabilities for r in self.tested(name) if (s := self.scored(r)) is not None]
        if not found:
            raise DataError(f"no run of {name} has stored test predictions")
        return [np.mean(each, axis=0).argmax(1) for each in zip(*found, strict=True)]

    def compare(self, one: str, other: str) -> dict[str, float]:
        """Compare two configurations on the test dialogues by a paired bootstrap.

        The probabilities of each one's runs are averaged first, so that it is not two seeds that
        are compared.

        Returns:
            ``difference low high p`` of one - other; see
            :func:`~empathic_sdk.lab.evaluation.dialogue_metrics.paired_bootstrap`.
        """
        gold = [d.labels for d in self.test.dialogues]
        metric: Literal["accuracy", "weighted_f1"] = (
            "accuracy" if self.headline == "accuracy" else "weighted_f1"
        )
        return paired_bootstrap(gold, self.labels(one), self.labels(other), metric=metric)

    def rivals(self, row: Configuration) -> list[Configuration]:
        """Return what ``row`` is compared with: other models, same features and direction."""
        return [
            r for r in self.rows
            if r.model != row.model and r.compared(self.data_set) and r.tested
            and (r.features, r.direction) == (row.features, row.direction)
        ]  # fmt: skip

    def shift(self, row: Configuration) -> dict[str, Spread | None]:
        """Return the F1 of "this speaker's emotion changed", told in three ways.

        ``transfer`` is what the transfer module says, ``labels`` compares the labels that the
        configuration gives the two utterances, ``independent`` those that a linear model gives
        each utterance on its own (same features); ``None`` where there is no such run.
        """
        alone = [
            r for r in self.rows
            if r.model == "linear" and r.features == row.features and r.compared(self.data_set)
        ]  # fmt: skip
        return {
            "transfer": row.test.get("shift_f1"),
            "labels": row.test.get("shift_f1_labels"),
            "independent": alone[0].test.get("shift_f1_labels") if alone else None,
        }

    def table(self) -> list[dict[str, Any]]:
        """Return the table as plain values; MDGET's rivals with how much better than they it is.

        ``bootstrap`` is ``{against, difference, low, high, p}`` with the difference MDGET - this
        row, ``None`` for rows that are not compared with it.
        """
        out = {r.name: {**r.as_dict(), "bootstrap": None, "shift": None} for r in self.rows}
        for row in self.rows:
            if row.model == "mdget" and row.tested and row.compared(self.data_set):
                told = self.shift(row)
                out[row.name]["shift"] = {k: s and s._asdict() for k, s in told.items()}
                for rival in self.rivals(row):
                    against = {"against": row.name, **self.compare(row.name, rival.name)}
                    out[rival.name]["bootstrap"] = against
        return list(out.values())
