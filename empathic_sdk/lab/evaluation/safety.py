"""What the safety protocol notices, and what it alarms about without need."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

from empathic_sdk.encoders.tokens import TextTokenizer
from empathic_sdk.encoders.trunk import WORDS
from empathic_sdk.errors import DataError
from empathic_sdk.lab.corpora.risk_lines import CORPORA as BACKGROUND
from empathic_sdk.lab.corpora.risk_lines import Entry, Moment, shipped_lines, talks
from empathic_sdk.lab.corpora.text_vectors import find_minilm
from empathic_sdk.lab.recipes.risk import (
    LEVELS,
    Item,
    SafetyRecipe,
    SafetyTrainer,
    choose,
    everyday,
    is_dev,
    own_everyday,
)
from empathic_sdk.lab.recipes.text import fresh_model
from empathic_sdk.models.risk import RiskNetwork, description
from empathic_sdk.models.risk import own_tensors as tensors_of
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety.assessment import risk_reading
from empathic_sdk.safety.decision import RiskContext, judge
from empathic_sdk.safety.detector import RiskFindings
from empathic_sdk.safety.kinds import rank
from empathic_sdk.safety.risk_model import (
    HEADS,
    Before,
    RiskReader,
    reading,
)
from empathic_sdk.types import SafetyLevel, Utterance

CORPORA = ("esconv", "dailydialog")
Z = 1.959964  # of a two-sided interval of 95 %


class Judged(NamedTuple):
    """One turn as patterns and model judge it.

    Attributes:
        own: Whether the helped one of the dialogue spoke.
        text: What was said.
        level: Of patterns and model.
        signs: Of the patterns alone.
        reasons: Names of what was found.
        concern: The model's chance of a concern; 0.5 is the limit.
    """

    own: bool
    text: str
    level: SafetyLevel
    signs: SafetyLevel
    reasons: tuple[str, ...]
    concern: float


def judged(
    recognizer: EmotionRecognizer, turns: Sequence[tuple[bool, str]], reader: RiskReader | None
) -> list[Judged]:
    """Judge every turn of a dialogue as the runtime would, one after the other, never ahead.

    Each speaker is judged in the light of their own lines and of the replies to them.

    Args:
        recognizer: What reads the state.
        turns: Whether the helped one spoke, and what.
        reader: The model; ``None``: the patterns decide alone.
    """
    if not turns:
        return []
    states = recognizer.session().extend(
        [Utterance(text, speaker="user" if own else "other") for own, text in turns]
    )
    context = dict.fromkeys((True, False), RiskContext())
    alone = dict.fromkeys((True, False), RiskContext())
    out: list[Judged] = []
    for n, ((own, text), state) in enumerate(zip(turns, states, strict=True)):
        before = [Before(who == own, said) for who, said in turns[max(0, n - 4) : n]]
        findings = RiskFindings.of(text)
        read = risk_reading(reader, text, findings, before) if reader else None
        found = judge(findings, state, reading=read, context=context[own])
        by_patterns = judge(findings, state, context=alone[own])
        for mind, level in ((context, found.level), (alone, by_patterns.level)):
            mind[own] = RiskContext(level=level)
            mind[not own] = RiskContext.after(mind[not own].level, text)
        chance = read.concern if read else 0.0
        out.append(Judged(own, text, found.level, by_patterns.level, found.reasons, chance))
    return out


def wilson(hits: int, n: int) -> dict[str, float]:
    """Return a share with its 95 % interval (Wilson 1927): ``value low high``, and ``n``."""
    if n == 0:
        return {"value": math.nan, "low": 0.0, "high": 1.0, "n": 0}
    p, z2 = hits / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"value": p, "low": low, "high": high, "n": n}


def score(entries: Sequence[Entry], alarmed: Sequence[bool]) -> dict[str, Any]:
    """Return recall, false alarms and both a category, with intervals."""
    by: Counter[tuple[str, bool]] = Counter()
    kinds: Counter[tuple[bool, bool]] = Counter()
    for entry, alarm in zip(entries, alarmed, strict=True):
        by[entry.category, alarm] += 1
        kinds[entry.risk, alarm] += 1
    intervals = {
        name: wilson(kinds[risk, True], kinds[risk, True] + kinds[risk, False])
        for name, risk in (("recall", True), ("false_alarm_rate", False))
    }
    categories = {
        c: wilson(by[c, True], by[c, True] + by[c, False])
        for c in dict.fromkeys(e.category for e in entries)
    }
    return {
        **{name: found["value"] for name, found in intervals.items()},
        "intervals": intervals,
        "categories": categories,
    }


def evaluate_safety(
    *,
    lines: Path | None = None,
    results: Path,
    split: str = "test",
    data: Path | None = None,
    checkpoint: Path | None = None,
    alarms: Path | None = None,
) -> dict[str, Any]:
    """Measure the safety protocol on labelled lines.

    Args:
        lines: The held-out lines; by default those of the package.
        results: Where ``train safety`` put its records.
        split: ``test``: the held-out lines, through the runtime's own path. ``dev``: the recorded
            runs on their dev lines.
        data: Corpora whose test parts are searched for alarms; ``None`` leaves that out.
        checkpoint: Weights in place of those that ship.
        alarms: File that every alarm over the corpora is written to, with its text, to be read.

    Raises:
        DataError: Something to be read is not there.
    """
    report: dict[str, Any] = {
        "dataset": "safety", "model": "signs+risk", "split": split, "causal": True,
    }  # fmt: skip
    runs = list(_runs(results))
    if split == "dev":
        if not runs:
            raise DataError(f"{results} holds no record of `empathic train safety`")
        return report | {"n": runs[0]["n"], **runs[0]["scored"], "runs": _spread(runs)}
    entries = Entry.read(lines or shipped_lines("heldout"))
    if data is not None:  # a missing corpus is reported before the long measurement
        for corpus in CORPORA:
            talks(data, corpus, "test")
    recognizer = EmotionRecognizer()
    reader = RiskReader(checkpoint, recognizer.text)
    ends = [judged(recognizer, _turns(e), reader)[-1] for e in entries]
    none = SafetyLevel.NONE
    report |= {"n": len(entries), **score(entries, [e.level != none for e in ends])}
    gaps = [rank(end.level) - rank(e.level) for e, end in zip(entries, ends, strict=True) if e.risk]
    report["level_right"] = mean(g == 0 for g in gaps)
    report["level_at_least"] = mean(g >= 0 for g in gaps)
    dialogues = [(e, end) for e, end in zip(entries, ends, strict=True) if e.dialogue]
    if dialogues:
        report["dialogues"] = score(
            [e for e, _ in dialogues], [end.level != none for _, end in dialogues]
        )
    report["signs"] = score(entries, [e.signs != none for e in ends])
    if data is not None:
        report["alarms"] = {c: count_alarms(recognizer, data, c, reader, alarms) for c in CORPORA}
    return report | {"runs": _spread(runs)}


def _turns(entry: Entry) -> list[tuple[bool, str]]:
    return [*((b.own, b.text) for b in entry.moment.before), (True, entry.moment.text)]


def count_alarms(
    recognizer: EmotionRecognizer,
    data: Path,
    corpus: str,
    reader: RiskReader | None,
    out: Path | None,
) -> dict[str, Any]:
    """Count alarms over all turns of a corpus's test part, both speakers."""
    found: list[dict[str, Any]] = []
    levels: Counter[str] = Counter()
    n = signs = 0
    for number, talk in enumerate(talks(data, corpus, "test")):
        turns = [(helped, text) for helped, text in talk if text.strip()]
        for place, turn in enumerate(judged(recognizer, turns, reader)):
            n += 1
            signs += turn.signs != SafetyLevel.NONE
            if turn.level != SafetyLevel.NONE:
                levels[turn.level] += 1
                row = turn._asdict() | {"corpus": corpus, "dialogue": number, "turn": place}
                found.append(row)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w" if corpus == CORPORA[0] else "a", encoding="utf-8") as f:
            f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
    return {
        "rate": len(found) / max(1, n),
        "interval": wilson(len(found), n),
        "levels": {level: levels[level] for level in SafetyLevel if levels[level]},
        "signs": wilson(signs, n),
    }


def fresh_network(text: Path | None = None) -> RiskNetwork:
    """Return the risk network on all-MiniLM-L6-v2, with the word vectors that it will share.

    Args:
        text: The text checkpoint that it will share them with; by default the one that ships.
    """
    encoder = fresh_model(find_minilm(None)).encoder
    network = RiskNetwork(encoder.config)
    shared = checkpoints.load(text or weights_dir() / "text.safetensors")[0][WORDS]
    network.body.load_state_dict({**encoder.state_dict(), "word.weight": shared})
    return network


def train_safety(
    recipe: SafetyRecipe,
    *,
    lines: Path | None = None,
    data: Path | None = None,
    out: Path,
    results: Path,
    network: RiskNetwork | None = None,
    free: bool = False,
    text: Path | None = None,
    note: Any = None,
) -> dict[str, Any]:
    """Train once; write the weights and the run record with its dev judgements (no texts).

    Args:
        recipe: The numbers of the run.
        lines: Labelled lines, training part; by default those of the package.
        data: Folder with the corpora, for everyday conversation; not needed with ``free``.
        out: Folder for ``safety.safetensors``.
        results: Folder of the run records.
        network: What is trained; by default :func:`fresh_network`.
        free: Read no corpus: the everyday lines among the labelled ones stand for conversation.
        text: The text checkpoint that the risk model will be used with; by default the one that
            ships.
        note: Called with a line of text after each epoch.

    Raises:
        DataError: Lines or corpora are not there.
    """
    if data is None and not free:
        raise DataError("everyday conversation of public corpora is needed: data, or free")
    base = text or weights_dir() / "text.safetensors"
    lines = lines or shipped_lines("train")
    entries = Entry.read(lines)

    def calm(data: Path | None, split: str, most: int, seed: int) -> list[Item]:
        if free or data is None:
            return own_everyday([e for e in entries if is_dev(e) == (split == "dev")])
        return everyday(data, split, most, seed)

    trainer = SafetyTrainer(
        recipe,
        network or fresh_network(base),
        TextTokenizer(weights_dir() / "text-tokenizer.json"),
        train=[e for e in entries if not is_dev(e)],
        dev=[e for e in entries if is_dev(e)],
        background=calm(data, "train", 4 * recipe.background, recipe.seed),
        background_dev=calm(data, "dev", recipe.background // 2, 0),
        note=note or (lambda _: None),
    )
    about = trainer.run()
    limits = choose(trainer)
    found = trainer.logits(trainer.dev_items)
    dev = [e for e in entries if is_dev(e)]
    ends = [
        judge(RiskFindings.of(e.moment.text), reading=reading(x, limits))
        for e, x in zip(dev, found, strict=True)
    ]
    alarmed = trainer.logits(trainer.background_dev)[:, 0] > limits["concern"]
    name = f"safety-seed{recipe.seed}"
    record = {
        "name": name, "recipe": recipe.as_dict(), **about, "limits": limits, "n": len(dev),
        "lines": {"sha256": checkpoints.sha256(lines), "train": len(entries) - len(dev)},
        "corpora": [] if free else list(BACKGROUND), "text_sha256": checkpoints.fingerprint(base),
        "background_alarm_rate": float(alarmed.mean()) if len(alarmed) else None,
    }  # fmt: skip
    path = out / "safety.safetensors"
    checkpoints.save(
        path,
        tensors_of(trainer.network),
        description(trainer.network, limits, recipe=recipe.as_dict(), data=record["lines"],
                    corpora=record["corpora"], text=record["text_sha256"]),
    )  # fmt: skip
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    with gzip.GzipFile(results / f"{name}.predictions.jsonl.gz", "wb", mtime=0) as f:
        for entry, logits, end in zip(dev, found, ends, strict=True):
            item = {
                "id": entry.id, "category": entry.category, "level": LEVELS.index(entry.level),
                "said": rank(end.level),
                **{h: round(float(v), 4) for h, v in zip(HEADS, logits, strict=True)},
            }  # fmt: skip
            f.write((json.dumps(item) + "\n").encode())
    return record | {"scored": score(dev, [e.level != SafetyLevel.NONE for e in ends])}


def _runs(results: Path) -> Iterator[dict[str, Any]]:
    """Give the recorded runs, their figures rescored from the stored predictions."""
    for path in sorted(results.glob("safety-seed*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        with gzip.open(path.with_suffix(".predictions.jsonl.gz"), "rt", encoding="utf-8") as f:
            items = [json.loads(line) for line in f]
        entries = [_recorded(i) for i in items]
        yield record | {"scored": score(entries, [i["said"] > 0 for i in items])}


def _recorded(item: Mapping[str, Any]) -> Entry:
    return Entry(item["id"], item["category"], LEVELS[item["level"]], Moment(""))


def _spread(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"n": len(runs)}
    for key in ("recall", "false_alarm_rate"):
        values = [r["scored"][key] for r in runs]
        if values:
            std = stdev(values) if len(values) > 1 else 0.0
            out[key] = {"mean": mean(values), "std": std}
    return out
