from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from empathic_sdk import Deployment, EmotionAwareAgent, EmotionRecognizer, ProfileStore
from empathic_sdk.cli import main
from tests.conftest import ROOT
from tests.lab import corpora_imitation as imitation

DIALOGUE = [
    {"text": "We won, I am so happy!", "speaker": "ada"},
    {"text": "Great.", "speaker": "bob", "at": 3.5},
    {"text": "And now I feel terribly sad and lonely.", "speaker": "ada"},
]


def run(*args: str | Path, stdin: str | None = None) -> Result:
    wide = {"COLUMNS": "160"}
    return CliRunner(env=wide).invoke(
        main, [str(a) for a in args], input=stdin, catch_exceptions=False
    )


@pytest.fixture(autouse=True)
def _one_recognizer(recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every command the second it takes to load the weights."""
    import empathic_sdk
    import empathic_sdk.agent

    def shared(deployment: Deployment | None = None, **own: object) -> EmotionRecognizer:
        if deployment in (None, Deployment()) and not any(own.values()):
            return recognizer
        return EmotionRecognizer(text=recognizer.text, deployment=deployment)

    monkeypatch.setattr(empathic_sdk, "EmotionRecognizer", shared)
    monkeypatch.setattr(empathic_sdk.agent, "EmotionRecognizer", shared)


def test_help_names_every_command() -> None:
    out = run("--help").output
    for name in ("chat", "recognize", "demo", "train", "evaluate", "bench", "profile"):
        assert name in out
        assert run(name, "--help").exit_code == 0


def test_recognize_text_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    path.write_text("I am so happy!\n\nHe lied to me again, I am furious!\n")
    out = run("recognize", path)
    assert out.exit_code == 0
    lines = out.output.splitlines()
    assert len(lines) == 3
    assert "joy" in lines[1] and "anger" in lines[2]


def test_recognize_a_dialogue_as_jsonl() -> None:
    out = run("recognize", "-", "--json", stdin="\n".join(map(json.dumps, DIALOGUE)))
    rows = [json.loads(line) for line in out.output.splitlines()]
    assert [r["line"] for r in rows] == [1, 2, 3]
    assert [r["speaker"] for r in rows] == ["ada", "bob", "ada"]
    assert rows[0]["shift"] is None and rows[1]["shift"] is None
    assert rows[2]["label"] == "sadness" and rows[2]["shift"] > 0.5
    assert sum(rows[0]["probabilities"].values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ('{"text": "half', "line 2 is no JSON"),
        ('{"text": ' + "[" * 5000, "line 2 is no JSON"),
        ("[1, 2]", "line 2 is no JSON object"),
        ('{"words": "hello"}', "line 2: an utterance has some of the keys"),
        ('{"text": "  "}', "line 2: this utterance is empty"),
        ('{"text": 7}', "line 2: Utterance cannot be made: text"),
        ('{"text": "a", "at": "noon"}', "line 2: Utterance cannot be made: at"),
    ],
)
def test_a_broken_line_is_named(broken: str, says: str) -> None:
    good = json.dumps({"text": "I am so happy!"})
    text = "\n".join([good, broken, good])
    stopped = run("recognize", "-", "--json", stdin=text)
    assert stopped.exit_code == 1
    assert says in stopped.stderr
    assert stopped.stdout == ""
    went_on = run("recognize", "-", "--json", "--keep-going", stdin=text)
    assert went_on.exit_code == 2
    assert says in went_on.stderr
    assert [json.loads(line)["line"] for line in went_on.stdout.splitlines()] == [1, 3]


def test_recognize_nothing_and_no_text(tmp_path: Path) -> None:
    assert run("recognize", "-", "--json", stdin="\n \n").output == ""
    path = tmp_path / "photo.txt"
    path.write_bytes(b"\xff\xd8\xff\xe0 not text")
    out = run("recognize", path)
    assert out.exit_code == 1
    assert "is not UTF-8 text" in out.stderr
    assert run("recognize", tmp_path / "absent.txt").exit_code == 2


def test_chat_without_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    said = "I failed the exam again.\n\n/wrong fear\nThanks, that helps.\n/quit\nnever read\n"
    out = run("chat", "--no-pacing", "--user", "ada", "--profiles", path, stdin=said)
    assert out.exit_code == 0
    assert "You are talking with an AI" in out.output
    assert out.output.count("agent> ") == 2
    assert "noted: that was fear" in out.output
    assert "this utterance is empty" in out.output
    with ProfileStore(path) as store:
        assert store.get("ada").turns == 2
        assert "failed" not in json.dumps(store.export("ada"))


def test_a_terminal_is_not_steered_by_what_was_said() -> None:
    nasty = [json.dumps({"text": t}) for t in ("sad \x1b[31mred", "sad \ud800", "a\x07b")]
    out = run("recognize", "-", stdin="\n".join(nasty))
    assert out.exit_code == 0
    assert "\x1b[31m" not in out.output and "\x07" not in out.output


def test_chat_takes_only_the_command_itself_for_a_command() -> None:
    out = run("chat", "--no-pacing", stdin="/wrongly accused of theft, I am furious\n/quit\n")
    assert out.output.count("agent> ") == 1


def test_chat_shows_help_lines() -> None:
    out = run("chat", "--no-pacing", stdin="I want to kill myself\n")
    assert "24/7" in out.output


def test_chat_streams_at_a_pace() -> None:
    assert "agent> " in run("chat", "--quiet", stdin="hi\n").output


def test_chat_with_a_language_model(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain")
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    asked: list[str] = []

    def init(name: str) -> GenericFakeChatModel:
        asked.append(name)
        return GenericFakeChatModel(messages=iter(["That sounds \x1b[31mheavy.", ""]))

    with monkeypatch.context() as patched:
        patched.setattr("langchain.chat_models.init_chat_model", init)
        out = run("chat", "--no-pacing", "--llm", "openai:x", stdin="I failed.\nAgain.\n")
    assert asked == ["openai:x"]
    assert "agent> That sounds [31mheavy." in out.output
    assert "[llm:" in out.output  # the second answer was empty: said, and answered all the same
    unknown = run("chat", "--llm", "nobody:knows", stdin="hi\n")
    assert unknown.exit_code == 1
    assert "write 'provider:model'" in unknown.stderr


def test_profile_commands(tmp_path: Path, recognizer: EmotionRecognizer) -> None:
    path = tmp_path / "people.db"
    with EmotionAwareAgent(profiles=path, recognizer=recognizer) as agent:
        agent.respond("I am so happy!", user="ada")
        agent.respond("hello", user="bob")
    assert run("profile", "list", "--profiles", path).output.split() == ["ada", "bob"]
    assert json.loads(run("profile", "list", "--profiles", path, "--json").output) == {
        "users": ["ada", "bob"]
    }
    assert "turns          1" in run("profile", "show", "ada", "--profiles", path).output
    out = tmp_path / "ada.json"
    run("profile", "export", "ada", "--profiles", path, "--out", out)
    assert len(json.loads(out.read_text())["turns"]) == 1
    nowhere = run("profile", "export", "ada", "--profiles", path, "--out", tmp_path / "no" / "x")
    assert nowhere.exit_code == 1 and "cannot be written" in nowhere.stderr
    assert (
        "nothing was learned" in run("profile", "reset-learning", "ada", "--profiles", path).output
    )
    with EmotionAwareAgent(profiles=path, recognizer=recognizer) as agent:
        turn = agent.profiles.turns("ada")[-1]["id"]
        agent.feedback(turn, user="ada", emotion="fear")
    assert "reset 'ada'" in run("profile", "reset-learning", "ada", "--profiles", path).output
    refused = run("profile", "erase", "ada", "--profiles", path, stdin="n\n")
    assert refused.exit_code == 1
    assert (
        "erased 'ada': 1 turns"
        in run("profile", "erase", "ada", "--yes", "--profiles", path).output
    )
    assert run("profile", "list", "--profiles", path).output.split() == ["bob"]
    absent = run("profile", "list", "--profiles", tmp_path / "absent.db")
    assert absent.exit_code == 1
    assert "there is no profile store at" in absent.stderr
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    out_of_order = run("profile", "list", "--profiles", broken)
    assert out_of_order.exit_code == 1 and out_of_order.stderr.startswith("empathic: ")


def test_evaluate_prints_one_object(tmp_path: Path) -> None:
    data = imitation.write(tmp_path / "data", n=28)
    out = run("evaluate", "meld", "--json", "--data", data, "--results", tmp_path / "none")
    report = json.loads(out.output.splitlines()[-1])
    assert report["dataset"] == "meld" and report["n"] == 14 and report["split"] == "test"
    assert report["causal"] is True and report["runs"] == {"n": 0}
    for key in ("accuracy", "weighted_f1", "macro_f1", "uar", "ece"):
        assert 0.0 <= report[key] <= 1.0
    for name, key in (("goemotions", "macro_f1"), ("emobank", "pearson_valence")):
        out = run("evaluate", name, "--data", data, "--results", tmp_path / "none")
        assert key in out.output
    missing = run("evaluate", "empathetic", "--data", data)
    assert missing.exit_code == 1 and "is not there" in missing.stderr
    assert run("evaluate", "meld").exit_code == 2  # no --data


def test_train_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = imitation.write_dialogues(imitation.write(tmp_path / "data", n=70))
    minilm = imitation.write_minilm(tmp_path / "minilm")
    where = ("--data", data, "--out", tmp_path / "run", "--results", tmp_path / "results")
    out = run("train", "text", "--init", minilm, *where, "--limit", "60", "--seed", "3", "--json")
    record = json.loads(out.stdout.splitlines()[-1])
    assert record["configuration"]["seed"] == 3 and record["run"]["finished"]
    tested = run("train", "text", "--seed", "3", *where, "--test")
    assert "test meld:" in tested.output
    shown = run(
        "evaluate", "meld", "--data", data, "--results", tmp_path / "results", "--json",
        "--checkpoint", tmp_path / "run" / "text.safetensors",
    )  # fmt: skip
    assert json.loads(shown.output.splitlines()[-1])["runs"]["n"] == 0  # a trial


def test_demo_without_gradio_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import empathic_sdk.demo

    monkeypatch.delitem(vars(empathic_sdk.demo), "launch", raising=False)
    monkeypatch.setitem(sys.modules, "gradio", None)
    out = run("demo", "--port", "0")
    assert out.exit_code == 1
    assert 'pip install "empathic-sdk[demo]"' in out.stderr
    assert run("demo", "--auth", "nopassword").exit_code == 2


@pytest.mark.slow
def test_bench_has_its_keys() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "empathic_sdk.cli", "bench", "--json", "--turns", "20",
         "--users", "4", "--long", "50"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout.splitlines()[-1])
    for key in (
        "text_turn_p50_ms", "text_turn_p95_ms", "turns_per_second", "late_over_early",
        "import_s", "first_reply_s", "rss_mb",
        "feedback_p50_ms",
    ):  # fmt: skip
        assert report[key] > 0
    assert isinstance(report["personalisation_p50_ms"], float)


def test_bench_dialogue_as_a_table_and_as_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    from empathic_sdk.lab.benchmarks import dialogue as bench_dialogue

    small = partial(bench_dialogue.measure_dialogue, lengths=(4, 8), width=16, dialogues=2, runs=1)
    monkeypatch.setattr(bench_dialogue, "measure_dialogue", small)
    out = run("bench", "dialogue", "--json")
    assert out.exit_code == 0 and "dialogue bench" in out.stderr
    report = json.loads(out.stdout.splitlines()[-1])
    assert report["epoch_dialogues"] == 2 and report["step_ms_n8"] > 0
    monkeypatch.setattr(bench_dialogue, "measure_dialogue", lambda: report)
    assert json.loads(run("bench", "--json", "dialogue").stdout) == report
    head, *rows = run("bench", "dialogue").stdout.splitlines()
    assert head.split() == ["utterances", "4", "8"]
    shown = {row.split()[0]: row.split()[1:] for row in rows if row}
    assert len(shown["eetm_naive_peak_mb"]) == 2
    assert len(shown["stream_state_kb"]) == 1


def test_bench_options_are_documented() -> None:
    """Its options stand on a group that runs by itself."""
    from empathic_sdk.cli.bench import command

    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.split("## empathic bench\n")[1].split("\n#")[0]
    flags = {o for p in command.params for o in p.opts}
    assert flags == set(re.findall(r"--[a-z][a-z-]*", section))


def test_bench_texts_are_all_different() -> None:
    from itertools import islice

    from empathic_sdk.lab.benchmarks.turns import texts

    drawn = list(islice(texts(1), 5000))
    assert len(set(drawn)) == 5000
    assert drawn == list(islice(texts(1), 5000))


def test_recognize_says_why_media_are_not_read() -> None:
    lines = [
        {"text": "I am so happy!", "frames": ["nowhere.png"]},
        {"text": "Really.", "events": [{"kind": "click", "at": 1.0}]},
    ]
    text = "\n".join(map(json.dumps, lines))
    plain = [json.loads(x) for x in run("recognize", "-", "--json", stdin=text).output.splitlines()]
    assert "missing" not in plain[0]
    out = run("recognize", "-", "--json", "--context", "personal", stdin=text)
    rows = [json.loads(line) for line in out.output.splitlines()]
    assert "consented" in rows[0]["unread"]["face"]
    assert "behaviour" in rows[1]["missing"]
    alone = run("recognize", "-", "--json", stdin=json.dumps({"frames": ["nowhere.png"]}))
    assert alone.exit_code == 1 and "only text is read" in alone.stderr
    wrong = run("recognize", "-", "--json", stdin=json.dumps({"frames": "nowhere.png"}))
    assert wrong.exit_code == 1 and "frames must be a list" in wrong.stderr


def test_keep_going_names_the_line_that_cannot_be_read(tmp_path: Path) -> None:
    lines = [{"text": "hi"}, {"audio": str(tmp_path / "nowhere.wav")}, {"text": "bye"}]
    text = "\n\n".join(map(json.dumps, lines))
    out = run("recognize", "-", "--json", "--keep-going", stdin=text)
    assert out.exit_code == 2 and "line 3:" in out.stderr
    assert [json.loads(line)["line"] for line in out.stdout.splitlines()] == [1, 5]
    stopped = run("recognize", "-", "--json", stdin=text)
    assert stopped.exit_code == 1 and "line 3:" in stopped.stderr


def test_an_unknown_command_in_a_chat_is_refused() -> None:
    out = run("chat", "--no-pacing", "--quiet", stdin="/erase\n/quit\n")
    assert "there is no /erase" in out.output
    assert "agent>" not in out.output


def test_the_version_says_what_the_weights_may_be_used_for() -> None:
    out = run("--version")
    assert out.exit_code == 0
    assert out.stdout.startswith("empathic, version ") and "non-commercial" in out.stdout
