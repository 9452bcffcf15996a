"""Replies with adaptation on and off: the switch, the figures by hand, the report, the command."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from empathic_sdk.cli import main
from empathic_sdk.lab.corpora.reply_moments import ReplyTalk
from empathic_sdk.lab.evaluation import replies as module
from empathic_sdk.lab.evaluation.adaptation import FLAT, answered
from empathic_sdk.lab.evaluation.empathy import (
    KINDS,
    EmpathyClassifier,
    features,
    held_out,
    proxies,
    vectors,
)
from empathic_sdk.lab.evaluation.reply_figures import (
    STAGES,
    compare,
    majority,
    rank_correlation,
)
from empathic_sdk.types import Strategy

JOYFUL = "I am so happy, I passed my driving test!"
SAD = "I feel so sad and lonely since my dog died."


def talk(corpus="empathetic", name="t", said=(JOYFUL, SAD), used=((), ()), reference=(1, -1)):
    return ReplyTalk(corpus, name, tuple(said), ("Congrats!", "Oh, I am sorry."), used, reference)


def test_off_means_the_same_state_and_style_whatever_is_said(recognizer):
    (on,) = answered([talk()], recognizer)
    (off,) = answered([talk()], recognizer, adapt=False)
    assert [turn.emotion.label for turn in on.turns] == ["joy", "sadness"]
    assert [turn.emotion for turn in off.turns] == [FLAT, FLAT]
    assert off.turns[0].style == off.turns[1].style != on.turns[0].style
    assert off.turns[0].style.pacing.words_per_minute == 190
    assert on.turns[0].reply != off.turns[0].reply
    assert all(turn.responder == "embedded" for turn in (*on.turns, *off.turns))
    assert not hasattr(recognizer, "_session")  # the one that listens is as it was
    assert recognizer.recognize(SAD).label == "sadness"


def test_off_still_minds_the_words(recognizer):
    crisis = talk(said=("I want to kill myself.", "ok"))
    (off,) = answered([crisis], recognizer, adapt=False)
    assert off.turns[0].safety.help_lines


def row(who, talk="a", moment=0, **kinds):
    return {
        "corpus": "esconv", "talk": talk, "moment": moment, "who": who, "reference": 0, "gold": [],
        "words": 10, "sentences": 2, "repeated": 0, "celebrates": False, "consoles": False,
        "levels": [0.5, 0.25, 1.0], "label": "sadness", "uncertain": False, "confidence": 0.8,
        "valence": 0.0, "arousal": 0.0, "intensity": 0.5, "strategy": "question", "safety": "none",
        "words_per_minute": 190, **kinds,
    }  # fmt: skip


def test_figures_by_hand():
    rows = [
        row("on", gold=["question", "others"], reference=-1, celebrates=True, repeated=1),
        row("on", moment=1, gold=["others", "question"], words=20, talk_distinct=[0.5, 1.0]),
        row("on", talk="b", gold=["restatement_or_paraphrasing"], reference=-1),
        row("off", gold=["question", "others"], reference=-1, strategy="others"),
        row("off", moment=1, gold=["others", "question"], talk_distinct=[0.5, 1.0]),
        row("off", talk="b", gold=["restatement_or_paraphrasing"], reference=-1),
        row("human", reference=-1, consoles=True),
        row("human", moment=1),
        row("human", talk="b", reference=-1),
    ]
    restatement = str(Strategy.RESTATEMENT)
    for each in rows:
        each["gold"] = [restatement if g.startswith("restate") else g for g in each["gold"]]
    for each in rows[6:]:
        for key in ("strategy", "safety", "words_per_minute"):
            del each[key]
    found = compare(rows)
    value = {who: {k: v["value"] for k, v in found[who].items()} for who in ("on", "off", "human")}
    assert (found["talks"], found["n"]) == (2, 3)
    assert value["on"]["strategy_match"] == pytest.approx(1 / 3)
    assert value["on"]["strategy_match_any"] == pytest.approx(2 / 3)
    assert value["on"]["stage_match"] == pytest.approx(2 / 3)  # a restatement explores, too
    assert value["off"]["strategy_match_any"] == pytest.approx(2 / 3)
    assert value["on"]["celebrates_unpleasant"] == 0.5
    assert value["human"]["consoles_unpleasant"] == 0.5
    assert value["on"]["words"] == pytest.approx(40 / 3)
    assert value["on"]["repeated"] == pytest.approx(1 / 6)
    assert value["on"]["talk_distinct_1"] == 0.5
    assert value["on"]["empathy"] == 1.75
    assert "strategy_match" not in value["human"]
    gap = found["difference"]["celebrates_unpleasant"]
    assert gap["difference"] == 0.5 and gap["low"] == 0.0 and gap["high"] == 1.0
    assert 0 <= gap["p"] <= 1
    assert majority(rows)["strategy_match"] == pytest.approx(1 / 3)
    assert set(STAGES) == set(Strategy)


def test_nothing_differs_from_itself():
    rows = [row(who, talk=str(t), words=t) for who in ("on", "off", "human") for t in range(5)]
    gaps = compare(rows)["difference"]
    assert all(gap["difference"] == gap["low"] == gap["high"] == 0 for gap in gaps.values())
    assert all(gap["p"] == 1 for gap in gaps.values())


def test_rank_correlation_is_spearmans():
    draw = np.random.default_rng(1)
    x, y = draw.integers(0, 5, 50).astype(float), draw.random(50)
    at = np.arange(50)
    ours = rank_correlation(x, y, at, np.ones((1, 50)))
    assert ours[0] == pytest.approx(spearmanr(x, y).statistic)
    assert rank_correlation(x, x, at, np.ones((1, 50)))[0] == pytest.approx(1)
    assert rank_correlation(np.ones(50), y, at, np.ones((1, 50)))[0] == 0


def test_proxies_by_hand():
    order = list(Strategy)
    used = tuple(
        tuple(order.index(s) for s in some)
        for some in (
            (Strategy.REFLECTION, Strategy.QUESTION),
            (Strategy.RESTATEMENT,),
            (Strategy.SUGGESTIONS, Strategy.AFFIRMATION),
            (),
        )
    )
    one = ReplyTalk("esconv", "0", ("x",) * 4, ("y",) * 4, used, (0,) * 4)
    assert proxies([one]).tolist() == [
        [True, False, True], [False, True, False], [True, False, False], [False] * 3,
    ]  # fmt: skip
    assert KINDS == ("emotional_reactions", "interpretations", "explorations")


def test_the_classifier_learns_what_can_be_learnt_and_dev_chooses():
    draw = np.random.default_rng(0)

    def part(n):
        said, replies = draw.normal(size=(2, n, 6)).astype(np.float32)
        gold = np.stack(
            [replies[:, 0] > 0, said[:, 1] * replies[:, 1] > 0, draw.random(n) > 0.5], 1
        )
        return said, replies, gold

    train, dev, test = part(800), part(300), part(400)
    classifier = EmpathyClassifier(train, dev)
    found = held_out(classifier.levels(*test[:2]), test[2])
    assert found["emotional_reactions"]["accuracy"] > 0.93
    assert found["interpretations"]["auc"] > 0.9  # only the context with the reply tells
    assert classifier.chosen["interpretations"]["reads"] == "reply and context"
    assert 0.35 < found["explorations"]["auc"] < 0.65  # noise stays noise
    levels = classifier.levels(*test[:2])
    assert levels.shape == (400, 3) and levels.min() >= 0 and levels.max() <= 2
    assert features(test[0], test[1], "reply and context").shape == (400, 18)


def test_vectors_are_computed_once_a_text_and_kept(tmp_path):
    asked = []

    def encode(texts):
        asked.append(list(texts))
        return np.array([[len(text), 1] for text in texts], np.float32)

    assert vectors(["bb", "a", "bb"], encode, tmp_path).tolist() == [[2, 1], [1, 1], [2, 1]]
    assert vectors(["a", "bb"], encode, tmp_path).tolist() == [[1, 1], [2, 1]]
    assert asked == [["a", "bb"]]
    assert vectors(["a"], encode).tolist() == [[1, 1]]


@pytest.fixture
def tiny(monkeypatch, recognizer):
    monkeypatch.setattr(module, "EmotionRecognizer", lambda: recognizer)

    def talks(corpus, data, split):
        known = corpus == "esconv"
        return [
            talk(corpus, str(n), used=((n % 3,), (2,)) if known else ((), ()), reference=(1, -1))
            for n in range(6)
        ]

    monkeypatch.setattr(module, "reply_talks", talks)


class Rates:
    name = "fake:judge"

    def stream(self, messages):
        yield '{"emotional_reactions": 2, "interpretations": 1, "explorations": 0}'


def test_the_report_and_its_records_hold_no_words(tiny, tmp_path):
    report = module.evaluate_replies(
        data=tmp_path, split="test", results=tmp_path, share=0.01, judge=Rates(), record=True
    )
    assert report["dataset"] == "empathetic+esconv" and report["n"] == 16
    assert report["empathetic"]["on"]["celebrates_unpleasant"]["value"] == 0
    assert report["empathetic"]["human"]["celebrates_pleasant"]["value"] == 1
    assert report["empathetic"]["off"]["pace_intensity"]["value"] == 0
    assert "strategy_match" in report["esconv"]["on"]
    assert "strategy_match" not in report["empathetic"]["on"]
    assert report["judge"]["human"]["emotional_reactions"] == {"mean": 2, "std": 0, "n": 16}
    assert report["judge"]["refused"] == 0
    assert report["runs"] == {"n": 0}
    assert json.loads((tmp_path / "replies" / "test.json").read_text()) == report
    with gzip.open(tmp_path / "replies" / "test.replies.jsonl.gz", "rt") as f:
        text = f.read()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 3 * 16
    assert not [word for word in ("driving", "lonely", "Congrats", "sorry") if word in text]
    # The figures come from the rows alone.
    assert module.report_of(rows, "test")["esconv"]["difference"] == report["esconv"]["difference"]


def test_the_command(tiny, tmp_path):
    arguments = ["evaluate", "replies", "--data", str(tmp_path), "--share", "0.01",
                 "--cache", str(tmp_path / "cache")]  # fmt: skip
    done = CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    report = json.loads(done.output.splitlines()[-1])
    assert {"dataset", "model", "split", "n", "causal", "runs"} <= set(report)
    assert report["esconv_strategy_match"] == report["esconv"]["on"]["strategy_match"]["value"]
    shown = CliRunner().invoke(main, arguments, catch_exceptions=False).output
    value = report["esconv"]["on"]["strategy_match"]["value"]
    (line,) = (x for x in shown.splitlines() if x.split()[:1] == ["strategy_match"])
    assert line.split()[1] == f"{value:.3f}" and "[" in line
    for wrong in (["replies", "--table"], ["meld", "--record"], ["meld", "--judge", "x:y"]):
        done = CliRunner().invoke(main, ["evaluate", *wrong, "--data", str(tmp_path)])
        assert done.exit_code == 2
