"""``empathic evaluate replies``: do replies that follow the emotion help, and whom do they hurt?

Test talks are answered twice by the same agent, adaptation on and off
(:mod:`~empathic_sdk.lab.evaluation.adaptation`); what people answered stands beside them. See
docs/evaluation.md for the measures.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empathic_sdk.errors import ModelError
from empathic_sdk.lab.corpora.reply_moments import ReplyTalk, reply_talks
from empathic_sdk.lab.evaluation.adaptation import answered
from empathic_sdk.lab.evaluation.empathy import (
    KINDS,
    EmpathyClassifier,
    held_out,
    pairs_of,
    proxies,
    vectors,
)
from empathic_sdk.lab.evaluation.judge import RubricJudge
from empathic_sdk.lab.evaluation.reply_figures import CONDITIONS, compare, majority
from empathic_sdk.lab.evaluation.spread import spread
from empathic_sdk.lab.evaluation.wording import (
    celebrates,
    consoles,
    distinct,
    repeated,
    sentences,
    words,
)
from empathic_sdk.lab.records import write_json, write_rows
from empathic_sdk.recognition.recognizer import EmotionRecognizer
from empathic_sdk.types import Strategy, Turn

CORPORA = ("empathetic", "esconv")
TALKS = {"empathetic": 400, "esconv": 195}
"""Talks a corpus at most, drawn with :data:`SEED`; 195 are all that ESConv has in a split."""

CLASSIFIER_TALKS = {"train": 500, "dev": 150, "test": 195}
"""Talks of ESConv that the empathy classifier learns from, that choose it, that are held out."""

JUDGED = 100
"""Moments that a chat model rates, if there is one: of each condition the same ones."""

SEED = 20
_ORDER = tuple(Strategy)


def evaluate_replies(
    *,
    data: Path,
    split: str,
    results: Path,
    cache: Path | None = None,
    share: float = 1.0,
    judge: Any = None,
    record: bool = False,
) -> dict[str, Any]:
    """Answer the talks of a split and measure the replies.

    Args:
        data: Folder of the corpora.
        split: ``dev`` or ``test``.
        results: Folder of the records, which go to ``replies/`` in it.
        cache: Folder in which text vectors are kept between runs.
        share: Of the talks that are drawn, for a quicker run.
        judge: A chat model that rates some replies by the rubric; ``None``: none does.
        record: Write the report and a row for each reply. No words of a corpus are in them.

    Returns:
        The JSON object of docs/evaluation.md.
    """
    recognizer = EmotionRecognizer()
    rater = None if judge is None else RubricJudge(judge)
    classifier, told = _classifier(data, recognizer, cache, share)
    rows: list[dict[str, Any]] = []
    mixed: dict[str, dict[str, dict[str, float]]] = {}
    texts: dict[tuple[str, str, int, str], tuple[str, str]] = {}
    for corpus in CORPORA:
        talks = drawn(reply_talks(corpus, data, split), _most(TALKS[corpus], share))
        on, off = (
            [found.turns for found in answered(talks, recognizer, adapt=adapt)]
            for adapt in (True, False)
        )
        replies = {
            "on": [[turn.reply for turn in turns] for turns in on],
            "off": [[turn.reply for turn in turns] for turns in off],
            "human": [list(talk.replies) for talk in talks],
        }
        said = vectors([text for talk in talks for text in talk.said], recognizer.text.encode)
        for who in CONDITIONS:
            flat = [text for one in replies[who] for text in one]
            levels = classifier.levels(said, vectors(flat, recognizer.text.encode))
            mixed.setdefault(corpus, {})[who] = {f"distinct_{n}": distinct(flat, n) for n in (1, 2)}
            turns = {"on": on, "off": off}.get(who)
            at = 0
            for t, (talk, own) in enumerate(zip(talks, replies[who], strict=True)):
                span = slice(at, at + len(own))
                at += len(own)
                rows += rows_of(
                    talk, own, who, levels[span], turns[t] if turns else None, heard=on[t]
                )
                for i, text in enumerate(own):
                    texts[corpus, talk.id, i, who] = talk.said[i], text
    if rater is not None:
        _rate(rows, texts, rater)
    report = report_of(rows, split) | {"share": share}
    for corpus in CORPORA:
        for who in CONDITIONS:
            report[corpus][who] |= mixed[corpus][who]
    report["classifier"] = told
    if record:
        write_json(results / "replies" / f"{split}.json", report)
        write_rows(results / "replies" / f"{split}.replies.jsonl.gz", rows)
    return report


def drawn(talks: Sequence[ReplyTalk], most: int) -> list[ReplyTalk]:
    """Return at most so many talks, always the same ones, in their order."""
    if len(talks) <= most:
        return list(talks)
    kept = sorted(random.Random(SEED).sample(range(len(talks)), most))
    return [talks[i] for i in kept]


def rows_of(
    talk: ReplyTalk,
    replies: Sequence[str],
    who: str,
    levels: np.ndarray,
    turns: Sequence[Turn] | None,
    *,
    heard: Sequence[Turn],
) -> list[dict[str, Any]]:
    """Return a row for each reply of a talk: numbers and names, no words.

    Args:
        talk: The talk.
        replies: What was answered.
        who: ``on``, ``off`` or ``human``.
        levels: ``[n, 3]`` of the empathy classifier.
        turns: The agent's turns; ``None`` of a human.
        heard: The turns with adaptation on: what was read of the person's words.
    """
    again = repeated(replies)
    out = []
    for i, reply in enumerate(replies):
        state = heard[i].emotion
        row: dict[str, Any] = {
            "corpus": talk.corpus,
            "talk": talk.id,
            "moment": i,
            "who": who,
            "reference": talk.reference[i],
            "gold": [str(_ORDER[s]) for s in talk.strategies[i]],
            "words": len(words(reply)),
            "sentences": len(sentences(reply)),
            "repeated": again[i][0],
            "celebrates": celebrates(reply, talk.said[i]),
            "consoles": consoles(reply, talk.said[i]),
            "levels": [round(float(x), 4) for x in levels[i]],
            "label": str(state.label),
            "uncertain": state.uncertain,
            "confidence": round(state.confidence, 4),
            "valence": round(state.valence, 4),
            "arousal": round(state.arousal, 4),
            "intensity": round(state.intensity, 4),
        }
        if i == 0 and len(replies) > 1:
            row["talk_distinct"] = [round(distinct(replies, n), 4) for n in (1, 2)]
        if turns is not None:
            turn = turns[i]
            row |= {
                "strategy": str(turn.strategy),
                "safety": str(turn.safety.level),
                "words_per_minute": turn.style.pacing.words_per_minute,
                "delay_s": turn.style.pacing.delay_s,
                "tone": turn.style.tone.name,
            }
        out.append(row)
    return out


def report_of(rows: Sequence[Mapping[str, Any]], split: str) -> dict[str, Any]:
    """Return the report from the rows alone; what needs the words is added by the caller."""
    report: dict[str, Any] = {
        "dataset": "+".join(CORPORA),
        "model": "embedded",
        "split": split,
        "n": sum(row["who"] == "on" for row in rows),
        "causal": True,
    }
    parts = {c: compare([row for row in rows if row["corpus"] == c]) for c in CORPORA}
    for corpus in CORPORA:
        for name, found in parts[corpus]["on"].items():
            if isinstance(found, dict):
                report[f"{corpus}_{name}"] = found["value"]
    report |= parts
    report["esconv"]["majority"] = majority([row for row in rows if row["corpus"] == "esconv"])
    rated = [row for row in rows if "judged" in row]
    if rated:
        found = {who: [r["judged"] for r in rated if r["who"] == who and r["judged"]]
                 for who in CONDITIONS}  # fmt: skip
        report["judge"] = {
            "name": rated[0]["judge"],
            **{
                who: {kind: _levels([levels[k] for levels in some]) for k, kind in enumerate(KINDS)}
                for who, some in found.items()
            },
            "refused": sum(not row["judged"] for row in rated),
        }
    report["runs"] = {"n": 0}
    return report


def _classifier(
    data: Path, recognizer: EmotionRecognizer, cache: Path | None, share: float
) -> tuple[EmpathyClassifier, dict[str, Any]]:
    parts = {}
    for name, most in CLASSIFIER_TALKS.items():
        talks = drawn(reply_talks("esconv", data, name), _most(most, share))
        pairs = pairs_of(talks)
        both = vectors([*pairs.said, *pairs.replies], recognizer.text.encode, cache)
        parts[name] = both[: len(pairs.said)], both[len(pairs.said) :], proxies(talks)
    classifier = EmpathyClassifier(parts["train"], parts["dev"])
    said, replies, gold = parts["test"]
    return classifier, {
        "trained_on": "esconv strategies as proxies, not EPITOME",
        "n_train": len(parts["train"][2]),
        "n_held_out": len(gold),
        "chosen": classifier.chosen,
        "held_out": held_out(classifier.levels(said, replies), gold),
    }


def _most(talks: int, share: float) -> int:
    return max(4, round(talks * share))


def _rate(
    rows: Sequence[dict[str, Any]],
    texts: Mapping[tuple[str, str, int, str], tuple[str, str]],
    rater: RubricJudge,
) -> None:
    places = sorted({(row["corpus"], row["talk"], row["moment"]) for row in rows})
    chosen = set(random.Random(SEED).sample(places, min(JUDGED, len(places))))
    for row in rows:
        place = row["corpus"], row["talk"], row["moment"]
        if place in chosen:
            row["judge"] = rater.name
            try:
                row["judged"] = list(rater.rate(*texts[(*place, row["who"])]))
            except ModelError:
                row["judged"] = []


def _levels(values: Sequence[float]) -> dict[str, float]:
    """Return mean, sample standard deviation and number of a judge's ratings."""
    found = spread(values)._asdict() if values else {"mean": 0.0, "std": 0.0}
    return {**found, "n": len(values)}
