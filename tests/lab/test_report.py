from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from empathic_sdk import EmotionRecognizer, Utterance
from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.evaluation.configurations import Runs
from empathic_sdk.lab.recipes.dialogue import train_dialogue
from empathic_sdk.lab.reports import one_dialogue as report_dialogue
from empathic_sdk.lab.reports.inline_svg import COLOURS, Chart, style
from empathic_sdk.lab.reports.one_dialogue import depth, look, pick
from empathic_sdk.lab.reports.page import write_report
from empathic_sdk.lab.reports.sections import Scale
from empathic_sdk.lab.reports.subject import Subject, percent
from empathic_sdk.lab.training.dialogue_batches import Statistics, example
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from tests.lab import corpora_imitation as imitation
from tests.lab.recorded import LINEAR, TINY, WHOLE, load, recorded_runs, with_dialogue, write_joint

VOID = {"meta", "br", "hr", "img", "link", "input"}
NASTY = " </td><script>alert('&')</script>"
NO_TEXT = "\x07\ud800"


class Reader(HTMLParser):
    """Reads a page, and fails where an element is not closed as it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({k for k, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.seen if t == name]


def read_page(path: Path) -> Reader:
    """Read a page and hold it to what holds for every one."""
    html = path.read_text(encoding="utf-8")
    page = Reader()
    page.feed(html)
    page.close()
    assert page.open == []
    assert "http://" not in html and "https://" not in html and "url(" not in html
    assert not {"script", "link", "img", "iframe"} & {t for t, _ in page.seen}
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))
    ids = [a["id"] for _, a in page.seen if "id" in a]
    assert {str(a["href"])[1:] for a in page.all("a")} == set(ids) and len(set(ids)) == len(ids)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in a for a in page.all("th"))
    assert all(a["role"] == "img" and a["aria-label"] for a in page.all("svg"))
    assert "nan" not in html.lower().replace("nano", "") and "None" not in page.text
    return page


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Path]:
    """The recorded runs, and in every test text something that wants to be markup."""
    data, results = recorded_runs()
    data = Path(shutil.copytree(data, tmp_path / "nasty"))
    path = data / "iemocap" / "iemocap.jsonl.gz"
    with gzip.open(path, "rt") as f:
        talks = [json.loads(line) for line in f]
    for talk in talks:
        if talk["split"] == "test":
            for said in talk["utterances"]:
                said["text"] += NASTY + NO_TEXT
    with gzip.open(path, "wt") as f:
        f.write("\n".join(map(json.dumps, talks)) + "\n")
    return data, results


def drawn() -> str:
    with style():
        chart = Chart("A <title>", 100, 50)
        axes = chart.figure.add_axes((0.1, 0.1, 0.8, 0.8))
        (line,) = axes.plot([0, 1], [0, 1], "o-", color=COLOURS["accent"])
        chart.tell(line, "up & away")
        return str(chart.svg())


def test_a_chart_stands_in_a_page_and_follows_its_style() -> None:
    svg = drawn()
    page = Reader()
    page.feed(svg)
    assert page.open == [] and page.all("svg")[0]["viewbox"] == "0 0 100 50"
    assert page.all("svg")[0]["aria-label"] == "A <title>" and "up & away" in page.text
    assert not any({"id", "clip-path", "href", "xlink:href"} & set(a) for _, a in page.seen)
    assert "var(--accent)" in svg and "#0000" not in svg and "use" not in {t for t, _ in page.seen}
    assert svg == drawn()


def test_numbers_as_they_are_written() -> None:
    assert percent(-0.0123, signed=True) == "−1.2" and percent(0.5, signed=True) == "+50.0"
    assert percent(None) == "–" and percent(0.5) == "50.0"
    scale = Scale(0.573, 0.652)
    assert scale.ticks == pytest.approx([0.6, 0.65]) and scale.at(0.573) == 8


def test_the_page_holds_the_figures(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    data, results = recorded
    out = write_report(
        "iemocap", out=tmp_path / "deep" / "r.html", data=data, results=results, cache=tmp_path
    )
    page = read_page(out)
    found = {r.name: r for r in Runs(results, data, "iemocap").rows}
    for row in found.values():
        mean, std = row.test["weighted_f1"]
        assert f"{100 * mean:.1f} ± {100 * std:.1f}" in page.text, row.name
    for figure in ("71.72 ± 0.13", "69.27", "67.38", "71.06", "68.89", "69.49", "71.85"):
        assert figure in page.text  # the paper's
    assert "RoBERTa fine-tuned on the corpus" in page.text and "--live" in page.text
    step = found["iemocap-minilm-mdget-causal-text+speech-no-gates"].test["weighted_f1"].mean
    step -= found[WHOLE].test["weighted_f1"].mean
    assert percent(step, signed=True) in page.text
    titles = [
        "Models",
        "Modalities",
        "Ablations",
        "Classes",
        "Confusions",
        "Calibration",
        "Learning",
        "Change",
    ]
    assert all(t in page.text for t in titles)
    test = read_dialogues("iemocap", data, "test")
    counts = [int((np.concatenate([d.labels for d in test.dialogues]) == k).sum())
              for k in range(6)]  # fmt: skip
    confusion = page.text.split("Gold in rows, predicted in columns")[1]
    assert all(f"{name}" in confusion for name in test.classes) and sum(counts) == len(test)
    html = out.read_text(encoding="utf-8")
    assert (
        NASTY + "\ufffd\ufffd" in page.text and "<script" not in html and "&lt;script&gt;" in html
    )


def test_another_configuration_and_dialogue(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    data, results = recorded
    last = read_dialogues("iemocap", data, "test").dialogues[-1].id
    where = {"data": data, "results": results, "cache": tmp_path, "out": tmp_path / "r.html"}
    page = read_page(write_report("iemocap", configuration=LINEAR, dialogue=last, **where))
    assert f"Dialogue {last}:" in page.text and "picked by" not in page.text
    assert "This model has no transfer module" in page.text
    with pytest.raises(ConfigurationError, match="no test dialogue of iemocap is named 'x'"):
        write_report("iemocap", dialogue="x", **where)


def test_a_dialogue_is_picked_by_its_labels(recorded: tuple[Path, Path]) -> None:
    test = read_dialogues("iemocap", recorded[0], "test")
    moves = []
    for d in test.dialogues:
        last: dict[str, int] = {}
        moves.append(0)
        for who, label in zip(d.speakers, d.labels.tolist(), strict=True):
            moves[-1] += who in last and last[who] != label
            last[who] = label
    assert moves[pick(test)] == max(moves)
    assert pick(test, test.dialogues[2].id) == 2


def test_live_is_the_run_of_seed_one_again(
    recorded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, results = recorded
    monkeypatch.setattr(report_dialogue, "load", load)
    subject = Subject.of("iemocap", data=data, results=results)
    found = depth(subject, data=data, cache=tmp_path, live=True)
    first = subject.runs.scored(subject.runs.records(WHOLE)[0])
    assert first is not None and found.inside is not None
    at = pick(subject.runs.test)
    assert found.probabilities == pytest.approx(first.probabilities[at], abs=2e-4)
    assert found.shift == pytest.approx(first.shift[at], abs=2e-4, nan_ok=True)
    out = write_report(
        "iemocap", out=tmp_path / "r.html", data=data, results=results, cache=tmp_path, live=True
    )
    page = read_page(out)
    assert "EETM, mean over pairs" in page.text and "into the hub from, speech" in page.text
    assert "Which utterances differ in emotion?" in page.text


def test_what_is_seen_inside_is_what_the_network_computes() -> None:
    torch.manual_seed(0)
    config = MDGETConfig(
        inputs={"text": 100, "speech": 73}, classes=2, width=16, gue_layers=1, acme_layers=1,
        window=2,
    )  # fmt: skip
    network = MDGET(config).eval()
    rng = np.random.default_rng(0)
    there = np.array([True, True, False])
    talk = report_dialogue.Dialogue(
        id="d", ids=["a", "b", "c"], texts=["x"] * 3, speakers=["A", "B", "A"],
        labels=np.array([0, 1, 0]),
        features={"text": rng.normal(size=(3, 100)).astype(np.float32),
                  "speech": rng.normal(size=(3, 73)).astype(np.float32)},
        present={"text": np.ones(3, bool), "speech": there}, times=np.full((3, 2), np.nan),
    )  # fmt: skip
    inside = look(network, example(talk, Statistics()))
    assert inside.names == [
        "GUE gate 1, text", "GUE gate 1, speech", "GUE gate 2, text", "GUE gate 2, speech",
        "ACME into the hub from, speech", "ACME from the hub into, speech",
        "ACME selection, text", "ACME selection, speech",
        "Fusion, text", "Fusion, speech", "EETM, mean over pairs",
    ]  # fmt: skip
    assert inside.gates.shape == (11, 3)
    known = inside.gates[~np.isnan(inside.gates)]
    assert ((known > 0) & (known < 1)).all()
    assert np.isnan(inside.gates[1, 2]) and not np.isnan(inside.gates[0]).any()
    assert inside.change is not None
    assert np.isnan(inside.change).tolist() == [
        [False, True, True], [False, False, True], [True, False, False],
    ]  # fmt: skip
    bare = MDGET(MDGETConfig(inputs={"text": 100}, classes=2, width=16, eetm=False, gates=()))
    seen = look(bare.eval(), example(talk, Statistics()))
    assert seen.names == [] and seen.gates.shape == (0, 3) and seen.change is None


def test_meld_shows_the_model_that_ships(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    data = imitation.write(tmp_path / "data", n=70)
    test = write_joint(tmp_path / "results", data)
    where = {"data": data, "results": tmp_path / "results", "cache": tmp_path}
    heard = with_dialogue(recognizer, tmp_path)
    page = read_page(write_report("meld", out=tmp_path / "r.html", recognizer=heard, **where))
    assert "the model that ships, joint-seed2" in page.text
    assert "Which utterances differ in emotion?" in page.text and "GUE 1 gate 1" in page.text
    for figure in ("67.04 ± 0.19", "66.47", "67.23"):
        assert figure in page.text
    subject = Subject.of("meld", data=data, results=tmp_path / "results")
    found = depth(subject, data=data, cache=tmp_path, recognizer=heard)
    d = test.dialogues[pick(test)]
    session = heard.session()
    for i, (text, who) in enumerate(zip(d.texts, d.speakers, strict=True)):
        state = session.add(Utterance(text, speaker=who))
        assert found.probabilities[i] == pytest.approx(list(state.probabilities.values()), abs=1e-4)
        assert (state.shift is None) == bool(np.isnan(found.shift[i]))
    alone = EmotionRecognizer(text=recognizer.text, dialogue=False)
    page = read_page(write_report("meld", out=tmp_path / "r.html", recognizer=alone, **where))
    assert "none of these runs is installed" in page.text and "GUE 1 gate 1" not in page.text


def test_mosi_has_no_change_of_state(tmp_path: Path) -> None:
    data = imitation.write_mosi(tmp_path / "data")
    where = {"data": data, "results": tmp_path / "results", "cache": tmp_path}
    recipe = replace(TINY, modalities=("text", "speech", "face"), speakers=0)
    train_dialogue(recipe, data_set="mosi", features="given", **where)
    page = read_page(write_report("mosi", out=tmp_path / "r.html", **where))
    assert "How well sentiment is recognised" in page.text
    assert "Did the emotion change?" not in page.text and "Paper" not in page.text
