"""The support planner on ESConv: what it reads, its baselines, its record, its figures."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from empathic_sdk.dialogue.planner import (
    CHECKPOINT,
    FEELING,
    STRATEGIES,
    Planner,
    features,
    feeling,
)
from empathic_sdk.errors import DataError, ModelError
from empathic_sdk.lab.corpora.esconv import SupportTalk, digest, read_esconv
from empathic_sdk.lab.evaluation.dialogue_metrics import paired_bootstrap
from empathic_sdk.lab.evaluation.metrics import (
    classification,
    expected_calibration_error,
    per_class_f1,
)
from empathic_sdk.lab.recipes.strategy import Moments, StrategyRecipe, fit
from empathic_sdk.lab.records import predictions_of, read_rows, spreads
from empathic_sdk.lab.runs.dialogue import write_json
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.types import UserContext, Utterance

NAME = "strategy"
FOLDER = "strategy"
CLASSES = len(STRATEGIES)


class Observed(NamedTuple):
    """What the recogniser makes of talks, all their utterances one after another.

    Attributes:
        vectors: float16 ``[n, width]`` text vectors.
        feelings: float32 ``[n, 15]`` (:func:`~empathic_sdk.dialogue.planner.feeling`).
    """

    vectors: NDArray[np.float16]
    feelings: NDArray[np.float32]


class Scene(NamedTuple):
    """Every moment before an utterance of a supporter, in the order of the talks.

    Attributes:
        moments: What the planner reads, and the answers.
        last: float32 ``[n, width]``: the text vector of the last utterance, whoever spoke.
        talk: int64 ``[n]``: in which talk.
        reply: bool ``[n]``: whether the seeker spoke last, as always at run time.
    """

    moments: Moments
    last: NDArray[np.float32]
    talk: NDArray[np.int64]
    reply: NDArray[np.bool_]


def observe(talks: Sequence[SupportTalk], recognizer: EmotionRecognizer) -> Observed:
    """Let the recogniser hear talks as it would at run time, each in a session of its own."""
    vectors, feelings = [], []
    for talk in talks:
        session = recognizer.session(UserContext())
        said = [
            Utterance(text if text.strip() else "...", speaker="user" if seeker else "agent")
            for text, seeker in zip(talk.texts, talk.seeker, strict=True)
        ]
        states = session.extend(said)
        assert session.text_vectors is not None
        vectors.append(session.text_vectors.astype(np.float16))
        feelings.append(np.stack([feeling(state) for state in states]))
    return Observed(np.concatenate(vectors), np.concatenate(feelings))


def observed(
    talks: Sequence[SupportTalk], recognizer: EmotionRecognizer, cache: Path | None
) -> Observed:
    """Return :func:`observe`, kept between runs in a file named by talks and weights."""
    if cache is None:
        return observe(talks, recognizer)
    mark = hashlib.sha256((digest(talks) + text_mark(recognizer)).encode()).hexdigest()[:16]
    path = cache / f"esconv-{mark}.safetensors"
    if not path.is_file():
        found = observe(talks, recognizer)
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file(found._asdict(), part)
        part.replace(path)
    kept = load_file(path)
    if sum(len(talk.texts) for talk in talks) != len(kept["vectors"]):
        raise DataError(f"{path} is not of these talks; remove it")
    return Observed(kept["vectors"], kept["feelings"])


def text_mark(recognizer: EmotionRecognizer) -> str:
    """Return the SHA-256 of the recogniser's text weights: a planner reads their vectors."""
    path = recognizer.text.path
    if path is None:
        raise DataError("a support planner needs a text encoder with weights of ours")
    return checkpoints.sha256(path)


def scene(talks: Sequence[SupportTalk], seen: Observed) -> Scene:
    """Lay out the moments before each utterance of a supporter.

    A talk that the supporter opens has moments with nothing before them; they count, too.
    """
    width = seen.vectors.shape[1]
    rows, gold, last, owner, reply = [], [], [], [], []
    start = 0
    for number, talk in enumerate(talks):
        vectors = seen.vectors[start : start + len(talk.texts)].astype(np.float32)
        moods = seen.feelings[start : start + len(talk.texts)]
        start += len(talk.texts)
        used: list[int] = []
        heard: list[int] = []
        replied: int | None = None
        for i, (seeker, strategy) in enumerate(zip(talk.seeker, talk.strategies, strict=True)):
            if seeker:
                heard.append(i)
                continue
            again = i > 0 and not talk.seeker[i - 1]
            rows.append(
                features(
                    said=vectors[heard[-1]] if heard else None,
                    replied=None if replied is None else vectors[replied],
                    feelings=moods[heard] if heard else np.zeros((0, FEELING), np.float32),
                    used=used,
                    turn=len(used),
                    again=again,
                    width=width,
                )
            )
            gold.append(strategy)
            last.append(vectors[i - 1] if i else np.zeros(width, np.float32))
            owner.append(number)
            reply.append(not again and bool(heard))
            used.append(strategy)
            replied = i
    forget = (slice(width, 2 * width), slice(2 * width + 1, 2 * width + 2))
    return Scene(
        Moments(np.stack(rows), np.array(gold, np.int64), forget),
        np.stack(last),
        np.array(owner, np.int64),
        np.array(reply, bool),
    )


def objective(gold: NDArray[np.int64], logits: NDArray[np.float32]) -> dict[str, float]:
    """Return what dev chooses by: the mean of accuracy and macro F1, beside both."""
    found = classification(gold, logits.argmax(1))
    return {
        "accuracy": found["accuracy"],
        "macro_f1": found["macro_f1"],
        "objective": (found["accuracy"] + found["macro_f1"]) / 2,
    }


def train_strategy(
    recipe: StrategyRecipe,
    *,
    data: Path,
    out: Path,
    results: Path,
    cache: Path | None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Train the planner and its text-only baseline, record both, store their test answers.

    Dev chooses the epoch of each. The figures on test are left to :func:`evaluate_strategy`.

    Args:
        recipe: Its numbers, the baseline's as well.
        data: Folder of the corpora.
        out: Folder for ``strategy.safetensors``.
        results: Folder of the run records.
        cache: Folder in which text vectors are kept between runs.
        limit: Talks of the train split at most, the first in the file.

    Returns:
        The run record.
    """
    recognizer = EmotionRecognizer()
    talks = {split: read_esconv(data, split) for split in ("train", "dev", "test")}
    talks["train"] = talks["train"][:limit]
    scenes = {split: scene(t, observed(t, recognizer, cache)) for split, t in talks.items()}
    train, dev, test = scenes["train"], scenes["dev"], scenes["test"]

    def score(logits: NDArray[np.float32]) -> dict[str, float]:
        return objective(dev.moments.strategies, logits)

    network, ran = fit(recipe, train.moments, score, dev.moments.features, CLASSES)
    words, words_ran = fit(
        recipe, Moments(train.last, train.moments.strategies), score, dev.last, CLASSES
    )
    name = f"{NAME}-seed{recipe.seed}"
    about = {
        "name": name,
        "strategies": [str(s) for s in STRATEGIES],
        "width": int(train.last.shape[1]),
        "text_sha256": text_mark(recognizer),
        "configuration": recipe.as_dict(),
    }
    checkpoints.save(out / CHECKPOINT, network.state_dict(), about)
    planner = Planner(out / CHECKPOINT)
    with torch.inference_mode():
        said = words(torch.from_numpy(test.last)).logits.argmax(1).numpy()
    record = {
        "recipe": NAME,
        "name": name,
        "configuration": recipe.as_dict(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": {
            split: {"talks": len(t), "n": len(scenes[split].talk), "sha256": digest(t)}
            for split, t in talks.items()
        },
        "environment": {"python": platform.python_version(), "torch": torch.__version__,
                        "processor": platform.machine(), "threads": torch.get_num_threads()},
        "run": ran,
        "text_only": words_ran,
        "dev": measure(dev, planner.distribution(dev.moments.features)),
        "checkpoint": {"bytes": (out / CHECKPOINT).stat().st_size,
                       "text_sha256": about["text_sha256"]},
    }  # fmt: skip
    _write_predictions(
        results / FOLDER / f"{name}.predictions.jsonl.gz",
        talks["test"],
        test,
        planner.distribution(test.moments.features),
        said,
    )
    write_json(results / FOLDER / f"{name}.json", record)
    return record


def measure(seen: Scene, probabilities: NDArray[np.floating]) -> dict[str, Any]:
    """Return the metrics of probabilities ``[n, 8]``; ``reply_*`` where the seeker spoke last."""
    gold, said = seen.moments.strategies, probabilities.argmax(1)
    found: dict[str, Any] = dict(classification(gold, said))
    found["ece"] = expected_calibration_error(probabilities, gold)
    found["top3_accuracy"] = float(
        (np.argsort(-probabilities, 1)[:, :3] == gold[:, None]).any(1).mean()
    )
    replies = classification(gold[seen.reply], said[seen.reply])
    found |= {f"reply_{key}": replies[key] for key in ("accuracy", "macro_f1")}
    found["f1"] = per_class_f1(gold, said, tuple(str(s) for s in STRATEGIES))
    return found


def evaluate_strategy(
    *,
    data: Path,
    split: str,
    results: Path,
    checkpoint: Path | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Measure a planner on ESConv beside its baselines; see docs/evaluation.md for the keys."""
    planner = Planner(checkpoint)
    recognizer = EmotionRecognizer()
    if planner.about.get("text_sha256") != text_mark(recognizer):
        raise ModelError(
            f"the planner {planner.about.get('name')!r} was trained with another text encoder than "
            "the one that ships: its vectors mean nothing to it"
        )
    talks = read_esconv(data, split)
    seen = scene(talks, observed(talks, recognizer, cache))
    probabilities = planner.distribution(seen.moments.features)
    report: dict[str, Any] = {
        "dataset": "esconv",
        "model": str(planner.about["name"]),
        "split": split,
        "n": len(seen.talk),
        "causal": True,
        **measure(seen, probabilities),
    }
    gold = seen.moments.strategies
    train = read_esconv(data, "train")
    common = np.bincount([s for t in train for s in t.strategies if s >= 0]).argmax()
    majority = np.full(len(gold), common)
    for key, value in classification(gold, majority).items():
        if key != "uar":
            report[f"majority_{key}"] = value
    report["runs"] = {"n": 0}
    if split == "test":
        report |= _recorded(
            results, talks, seen, probabilities.argmax(1), majority, report["model"]
        )
    return report


def _recorded(
    results: Path,
    talks: Sequence[SupportTalk],
    seen: Scene,
    said: NDArray[np.int64],
    majority: NDArray[np.int64],
    name: str,
) -> dict[str, Any]:
    """Rescore the recorded runs; compare what was measured now with the baselines."""
    gold = seen.moments.strategies
    mark = digest(talks)
    runs: list[dict[str, Any]] = []
    words: list[dict[str, float]] = []
    rival: NDArray[np.int64] | None = None
    for path in sorted((results / FOLDER).glob(f"{NAME}-seed*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["data"]["test"]["sha256"] != mark:
            raise DataError(f"{path} records a run on other test talks")
        rows = read_rows(predictions_of(path))
        found = measure(seen, np.array([row["probabilities"] for row in rows]))
        runs.append(found)
        alone = np.array([row["text_only"] for row in rows], np.int64)
        words.append({k: v for k, v in classification(gold, alone).items() if k != "uar"})
        if rival is None or record["name"] == name:
            rival = alone

    extra: dict[str, Any] = {
        "runs": spreads(runs),
        "bootstrap_majority": _compare(seen, said, majority),
    }
    if rival is not None:
        for key in words[0]:
            extra[f"text_only_{key}"] = float(np.mean([one[key] for one in words]))
        extra["text_only_runs"] = spreads(words)
        extra["bootstrap_text_only"] = _compare(seen, said, rival)
    return extra


def _compare(seen: Scene, one: NDArray[np.int64], other: NDArray[np.int64]) -> dict[str, float]:
    cuts = np.flatnonzero(np.diff(seen.talk)) + 1
    gold, a, b = (np.split(x, cuts) for x in (seen.moments.strategies, one, other))
    return paired_bootstrap(gold, a, b, metric="accuracy")


def _write_predictions(
    path: Path,
    talks: Sequence[SupportTalk],
    seen: Scene,
    probabilities: NDArray[np.floating],
    text_only: NDArray[np.int64],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with gzip.GzipFile(part, "wb", mtime=0) as f:
        for number, gold, p, alone in zip(
            seen.talk, seen.moments.strategies, probabilities, text_only, strict=True
        ):
            row = {
                "talk": talks[number].id,
                "gold": int(gold),
                "probabilities": [round(float(x), 5) for x in p],
                "text_only": int(alone),
            }
            f.write((json.dumps(row) + "\n").encode())
    part.replace(path)
