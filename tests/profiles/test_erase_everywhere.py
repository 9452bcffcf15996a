"""Erasure, seen from outside: agents that are alive, a reader, and every file they could write.

The agents run in a process whose HOME and TMPDIR lie in the folder that is searched, and so do the
store and a log at DEBUG.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, HookContext, Pacing, ProfileStore
from tests.profiles.conftest import ROOT, WORKER
from tests.profiles.disk import forms

pytest.importorskip("sympy")

USER = "Qanary-Zoë-7319"
OTHER = "Zbob-4433-other"
TALKS = ("Qtalk-8841-exam", "Qtalk-8842-home")
NICK = "Qnick-6620-star"
SAID = (
    "I failed the Qexamword-5591 again and my mother is furious with me.",
    "Now I am so afraid of Qfearword-5592, I cannot sleep.",
    "Qjoyword-5593 made me laugh at last!",
)
WORDS = ("Qexamword-5591", "Qfearword-5592", "Qjoyword-5593")
Tell = Callable[..., Any]


class Tree:
    """A folder in which everything happens, and what can be found in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / "var" / "profiles.db"
        for name in ("home", "home/cache", "tmp", "var"):
            (root / name).mkdir(exist_ok=True)
        self.environment = {
            **os.environ,
            "HOME": str(root / "home"),
            "XDG_CACHE_HOME": str(root / "home" / "cache"),
            "TMPDIR": str(root / "tmp"),
            "SQLITE_TMPDIR": str(root / "tmp"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def found(self, *texts: str) -> list[str]:
        """Those of ``texts`` that lie anywhere in any file, or in the name of one."""
        files = list(self.root.rglob("*"))
        everything = b"\0".join(p.read_bytes() for p in files if p.is_file())
        everything += "\0".join(map(str, files)).encode()
        return [t for t in texts if any(form in everything for form in forms(t))]

    def run(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)], cwd=self.root / "home",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def tell(tree: Tree) -> Iterator[Tell]:
    process = tree.run(Path(__file__).with_name("living.py"), tree.store, tree.root / "agent.log")
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def told(do: str, user: str = USER, **order: Any) -> Any:
        stdin.write(json.dumps({"do": do, "user": user, **order}) + "\n")
        stdin.flush()
        return json.loads(stdout.readline())

    yield told
    process.communicate(timeout=30)
    assert process.returncode == 0


def live(tell: Tell, user: str) -> list[str]:
    """Let a person live through all that leaves something; return ids that stand for them."""
    ids, unnamed = [], ""
    own = user[0]  # whatever names this person begins with it
    for text, talk in zip((*SAID, SAID[1]), (*TALKS, None, TALKS[0]), strict=True):
        talk = talk and talk.replace("Q", own)
        turn = tell("say", user, text=text.replace("Q", own), conversation=talk)
        ids.append(turn["id"])
        unnamed = unnamed if talk else turn["conversation"]
    lesson = {"user": user, "scenario": "tutoring", "conversation": f"{own}lesson-1234"}
    first = tell("say", text="hi", **lesson)
    right = tell("say", text=first["solution"], **lesson)
    tell("note", user, turn=ids[1], nickname=NICK.replace("Q", own))
    return [*ids, first["id"], right["id"], unnamed]


def another_process_erases(tree: Tree) -> int:
    process = tree.run(
        "-m", "empathic_sdk.cli", "profile", "erase", USER, "--yes", "--profiles", tree.store
    )
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(said.split(": ")[1].split()[0])


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_no_byte_is_left_anywhere_and_nobody_comes_back(tree: Tree, tell: Tell, where: str) -> None:
    theirs = live(tell, OTHER)
    kept = exported(tree, OTHER)
    ids = live(tell, USER)
    known = tell("know")
    assert known["turns"] == 6 and known["mastery"] and known["consents"] == ["face"]
    everything = [USER, *TALKS, "Qlesson-1234", NICK, *WORDS, *ids]
    assert tree.found(*everything) == everything, "the search must be able to find"
    reader = tree.run(WORKER, "opened", tree.store)
    assert reader.stdout is not None and USER in reader.stdout.readline()

    assert (tell("erase") if where == "here" else another_process_erases(tree)) == 6

    assert tree.found(*everything) == []
    assert exported(tree, OTHER) == kept
    assert tree.found(*theirs) == theirs

    # The live talk goes on, as one with a stranger.
    again = tell("say", text="Hello, who are you?", conversation=TALKS[0])
    assert again["shift"] is None and again["change"] is None
    person = tell("know")
    assert (person["turns"], person["conversations"]) == (1, 1)
    assert person["mastery"] == person["preferences"] == {} and person["consents"] == []
    lesson = tell("say", text="hi", scenario="tutoring", conversation="Qlesson-1234")
    assert lesson["solution"] is not None and tell("know")["mastery"] == {}
    unnamed = tell("say", text="Hello again.")
    assert unnamed["shift"] is None
    assert tree.found(NICK, TALKS[1], *WORDS, *ids) == []
    reader.communicate("\n", timeout=20)
    assert exported(tree, OTHER) == kept


def exported(tree: Tree, user: str) -> dict[str, Any]:
    with ProfileStore(tree.store) as store:
        return {**store.export(user), "exported_at": None}


def test_a_turn_under_way_while_another_process_erases_is_not_recorded(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "p.db"
    erasing = False

    def pacing(context: HookContext) -> Pacing:
        if erasing:
            with ProfileStore(path) as elsewhere:
                assert elsewhere.erase("ada") == 2
        return Pacing(delay_s=0, words_per_minute=2000, max_sentences=3)

    with EmotionAwareAgent(recognizer=recognizer, profiles=path, pacing=pacing) as agent:
        for text in ("I am so sad.", "And I am afraid."):
            agent.respond(text, user="ada", conversation="c")
        erasing = True
        turn = agent.respond("I am still sad.", user="ada", conversation="c")
        assert turn.reply and turn.emotion.shift is not None
        assert agent.profiles.users() == [] and agent.profiles.session("ada", "c") is None
        erasing = False
        assert agent.respond("Hello.", user="ada", conversation="c").emotion.shift is None
        assert agent.profiles.get("ada").turns == 1
