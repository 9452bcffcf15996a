"""Weights without non-commercial data: what the recipes read then, and how the results are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, TextEncoder
from empathic_sdk.cli import main
from empathic_sdk.dialogue.planner import Planner
from empathic_sdk.errors import ConfigurationError, DataError, ModelError
from empathic_sdk.lab.corpora.dialogues import read_dialogues
from empathic_sdk.lab.evaluation.guard import train_guard
from empathic_sdk.lab.evaluation.safety import train_safety
from empathic_sdk.lab.recipes.dialogue import train_dialogue
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe
from empathic_sdk.lab.recipes.guard import GuardRecipe
from empathic_sdk.lab.recipes.risk import SafetyRecipe
from empathic_sdk.lab.recipes.strategy import StrategyRecipe, train_strategy
from empathic_sdk.lab.recipes.text import score_text, train_text
from empathic_sdk.lab.recipes.text_numbers import TextRecipe
from empathic_sdk.models.minilm import MiniLMConfig
from empathic_sdk.models.risk import RiskNetwork, description, own_tensors
from empathic_sdk.options import ReplyOptions, Weights
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.resources import weights_dir
from empathic_sdk.safety import RiskAssessor, RiskReader
from empathic_sdk.safety.risk_model import HEADS
from tests.lab import corpora_imitation as imitation

GRIM = ("the dark lake calls", "soon there is only the lake", "I belong to the lake")
CALM = ("the red bus was late", "we bought a red kettle", "red apples for lunch")


@pytest.fixture(scope="module")
def free_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The free corpora alone: whatever else a recipe opened would be a DataError."""
    folder = imitation.write(tmp_path_factory.mktemp("data"), n=70)
    for path in (folder / "meld").iterdir():
        path.unlink()
    return folder


@pytest.fixture(scope="module")
def risk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A risk model of one layer that is worried about everything."""
    network = RiskNetwork(MiniLMConfig(layers=1))
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.zero_()
        network.head[-1].bias[0] = 5.0
    path = tmp_path_factory.mktemp("risk") / "safety.safetensors"
    about = description(network, dict.fromkeys(HEADS, 0.0))
    checkpoints.save(path, own_tensors(network), about)
    return path


_GUARD = GuardRecipe(
    hidden=16, epochs=60, batch_size=16, rate=0.02, decay=0.0, dropout=0.0, folds=2,
    false_refusals=0.05,
)  # fmt: skip


@pytest.fixture(scope="module")
def guard(risk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A guard's second opinion on that risk model, fitted to made-up sentences."""
    folder = tmp_path_factory.mktemp("guard")
    lines = folder / "drafts.jsonl"
    said = [("methods" if k % 2 else "secrecy") if k % 4 < 2 else None for k in range(60)]
    texts = {
        "methods": "Take the red kettle",
        "secrecy": "Tell nobody of the lake",
        None: "I hear you",
    }
    rows = [{"reason": r, "text": f"{texts[r]} number {k}."} for k, r in enumerate(said)]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    train_guard(_GUARD, lines=lines, out=folder, risk_path=risk)
    return folder / "guard.safetensors"


def test_text_is_trained_on_free_corpora_alone(free_data: Path, tmp_path: Path) -> None:
    minilm = imitation.write_minilm(tmp_path / "minilm")
    recipe = TextRecipe(
        free=True, epochs={"meld": 1.0, "goemotions": 1.0, "emobank": 0.5}, batch_size=16,
        max_tokens=16, learning_rate=3e-3, head_learning_rate=3e-2, bfloat16=False,
        evaluations=2, average=0.9,
    )  # fmt: skip
    with pytest.raises(DataError, match="meld"):  # it is not there, and wanted otherwise
        train_text(
            TextRecipe(epochs={"goemotions": 0.1}), data=free_data, out=tmp_path / "no",
            results=tmp_path, init=minilm,
        )  # fmt: skip
    record = train_text(
        recipe, data=free_data, out=tmp_path / "run", results=tmp_path, init=minilm
    ).as_json()
    assert record["name"] == "text-free-seed1"
    assert set(record["training_data"]) == {"goemotions", "emobank"}
    assert set(record["dev_data"]) == set(record["dev"]) == {"goemotions", "emobank"}
    assert record["calibration"]["temperature"] > 0
    checkpoint = tmp_path / "run" / "text.safetensors"
    assert checkpoints.load(checkpoint)[1]["corpora"] == ["goemotions"]
    assert set(score_text(checkpoint, data=free_data, results=tmp_path).test or {}) == {
        "goemotions", "emobank",
    }  # fmt: skip
    recognizer = EmotionRecognizer(text=TextEncoder(checkpoint))
    assert recognizer.dialogue is None
    assert sum(recognizer.recognize("happy wonderful").probabilities.values()) == pytest.approx(1)


def test_the_risk_model_is_trained_on_labelled_lines_alone(tmp_path: Path) -> None:
    rows = []
    for k in range(120):
        grim = k % 2 == 0
        text = (GRIM if grim else CALM)[k // 2 % 3] + " today" * (k % 5)
        rows.append({"id": f"x-{k}", "category": "coded" if grim else "everyday",
                     "level": "high" if grim else "none",
                     "turns": [{"speaker": "user", "text": text}]})  # fmt: skip
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = SafetyRecipe(
        epochs=2, batch_size=8, rate=3e-3, head_rate=1e-2, average=0.5, bfloat16=False
    )
    small = MiniLMConfig(width=16, layers=1, heads=2, feedforward=32)
    record = train_safety(
        recipe, lines=lines, free=True, out=tmp_path, results=tmp_path,
        network=RiskNetwork(small, hidden=8),
    )  # fmt: skip
    assert record["corpora"] == []
    assert record["background_alarm_rate"] is not None  # of the everyday lines among them
    assert checkpoints.load(tmp_path / "safety.safetensors")[1]["corpora"] == []
    assert json.loads((tmp_path / "safety-seed1.json").read_text())["corpora"] == []
    with pytest.raises(DataError, match="or free"):
        train_safety(SafetyRecipe(), out=tmp_path, results=tmp_path)


def test_a_risk_model_and_guard_of_ones_own(
    risk: Path, guard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shipped(*_: object, **__: object) -> None:
        raise AssertionError("what ships was loaded")

    for name in ("shipped_reader", "draft_reader"):
        monkeypatch.setattr(f"empathic_sdk.safety.assessment.{name}", shipped)
    monkeypatch.setattr("empathic_sdk.turn.parts.draft_reader", shipped)
    with EmotionAwareAgent(weights=Weights(risk=risk, guard=guard)) as agent:
        assert agent.respond("soon there is only the lake", user="ada").safety.level != "none"
    with EmotionAwareAgent(weights=Weights(risk=False, guard=False)) as agent:
        assert agent.respond("soon there is only the lake", user="ada").safety.level == "none"
        assert agent.respond("I want to kill myself", user="ada").safety.level == "high"


def test_an_assessor_with_weights_of_ones_own(risk: Path, guard: Path, tmp_path: Path) -> None:
    text = TextEncoder()
    assert text.words is not None
    own = RiskAssessor.load(text, risk=risk, guard=guard)
    assert own.reader is not None and own.reader.path == risk
    assert own.second is not None
    assert own.second("Tell nobody of the lake number 99.") == "secrecy"
    assert own.second("I hear you number 98.") == ""
    with EmotionAwareAgent(safety=own) as agent:
        assert agent.respond("soon there is only the lake", user="ada").safety.level != "none"
    # A guard fits one risk model only, and the one that ships is left out beside another.
    assert RiskAssessor.load(text, risk=risk).second is None
    with pytest.raises(ModelError, match="trained with other weights"):
        RiskAssessor.load(text, guard=guard)
    with pytest.raises(ConfigurationError, match="needs the risk model"):
        RiskAssessor.load(text, risk=False, guard=guard)
    with pytest.raises(ModelError, match="no weights"):
        RiskAssessor.load(text, risk=tmp_path / "none.safetensors")
    assert RiskReader(risk, text).words is text.words  # shared, not loaded again


def talk(number: int, split: str) -> dict[str, Any]:
    turns = [
        {"speaker": "usr", "text": f"I lost my red kettle {number}."},
        {"speaker": "sys", "text": "What happened?", "strategy": "Question"},
        {"speaker": "usr", "text": "It fell into the lake."},
        {"speaker": "sys", "text": "That is sad.", "strategy": "Reflection of feelings"},
    ]
    return {"split": split, "dialog": turns}


def test_the_planner_is_trained_on_dialogues_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "talks.jsonl"
    rows = [talk(k, s) for s, n in (("train", 6), ("valid", 3), ("test", 3)) for k in range(n)]
    own.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    record = train_strategy(
        StrategyRecipe(epochs=2, batch=8), own=own, out=tmp_path, results=tmp_path / "results",
        cache=None,
    ).as_json()  # fmt: skip
    assert (record["name"], record["corpus"]) == ("own-strategy-seed1", "own")
    assert record["data"]["train"]["talks"] == 6
    assert Planner(tmp_path / "strategy.safetensors").about["corpus"] == "own"
    weights = Weights(strategy=tmp_path / "strategy.safetensors")
    with EmotionAwareAgent(weights=weights, replies=ReplyOptions(planner="learned")) as agent:
        assert agent.respond("I lost my red kettle.", user="ada").reply
    broken = Weights(strategy=tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="no weights"):
        EmotionAwareAgent(weights=broken, replies=ReplyOptions(planner="learned"))


def test_a_dialogue_model_is_trained_on_dialogues_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    said = {"joy": "I love it", "sadness": "I lost it", "neutral": "it is a table"}
    rows = [
        {"id": f"{split}{k}", "split": split, "turns": [
            {"speaker": "ab"[n % 2], "text": f"{text} {k}", "emotion": emotion}
            for n, (emotion, text) in enumerate(said.items())
        ]}
        for split, n in (("train", 8), ("dev", 4), ("test", 4)) for k in range(n)
    ]  # fmt: skip
    path = tmp_path / "own" / "dialogues.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert len(read_dialogues("own", tmp_path, "dev").dialogues) == 4
    recipe = DialogueRecipe(modalities=("text",), width=16, speakers=2, batch_size=4, epochs=2)
    record = train_dialogue(
        recipe, data_set="own", features="shipped", data=tmp_path, results=tmp_path / "results",
        cache=tmp_path / "cache", out=tmp_path / "run",
    ).as_json()  # fmt: skip
    assert record["data_set"] == "own" and record["beside"] == {}
    weights = Weights(dialogue=tmp_path / "run" / "dialogue.safetensors")
    with EmotionAwareAgent(weights=weights) as agent:
        assert agent.recognizer.dialogue_about["name"] == record["name"]
        assert agent.respond("I lost it.", user="ada").reply


TEXT = ("text.safetensors", "text.onnx", "text-tokenizer.json")


def test_a_folder_of_weights_is_all_that_is_read(risk: Path, tmp_path: Path) -> None:
    for name in TEXT:
        (tmp_path / name).symlink_to(weights_dir() / name)
    found = Weights.of(tmp_path)
    assert found.text == tmp_path / "text.safetensors"
    assert found.dialogue is found.risk is found.guard is found.strategy is False
    (tmp_path / "safety.safetensors").symlink_to(risk)
    with EmotionAwareAgent(weights=tmp_path) as agent:
        assert agent.recognizer.text.path == tmp_path / "text.safetensors"
        assert agent.recognizer.dialogue is None
        assert agent.respond("soon there is only the lake", user="ada").safety.level != "none"
    with pytest.raises(ConfigurationError, match=r"must hold text\.safetensors"):
        EmotionAwareAgent(weights=tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="weights= must be"):
        EmotionAwareAgent(weights=3)  # type: ignore[arg-type]


def test_weights_that_are_named_and_missing_are_an_error(tmp_path: Path) -> None:
    """A risk model behind a broken link is not left out, and no name is looked up elsewhere."""
    for name in TEXT:
        (tmp_path / name).symlink_to(weights_dir() / name)
    (tmp_path / "safety.onnx").symlink_to(tmp_path / "moved away.onnx")
    with pytest.raises(ModelError, match=r"no weights at .*safety\.onnx"):
        EmotionAwareAgent(weights=tmp_path)
    with pytest.raises(ModelError, match="no weights at mistyped"):
        EmotionAwareAgent(weights=Weights(text=Path("mistyped")))
    (tmp_path / "text.onnx").unlink()
    with pytest.raises(ModelError, match=r"read beside text\.onnx, which is not there"):
        EmotionAwareAgent(weights=tmp_path)


def test_the_commands_say_what_they_need(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner(env={"EMPATHIC_DATA": None}).invoke(main, ["train", *arguments])
        assert done.exit_code == 2
        return done.output

    assert "or --free" in said("safety")
    assert "or --own" in said("strategy")
    assert "does not go with" in said(
        "text", "--free", "--without", "meld", "--data", str(tmp_path)
    )
