"""The rooms and the arrows between them, read off the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import empathic_sdk
from empathic_sdk import _moved

PACKAGE = Path(empathic_sdk.__file__).parent
# Low to high: a room looks only into rooms before its own.
LAYERS = (
    "errors", "types", "policy", "options", "runtime", "models", "language", "encoders", "safety",
    "style", "profiles", "monitoring", "tutoring", "dialogue", "llm", "responders", "recognition",
    "turn", "agent", "integrations", "serving", "testing", "lab", "demo", "cli",
)  # fmt: skip
# Two files at the top may be used by anybody: the public names, and where moved modules are.
ANYBODY = {"__init__", "_moved"}
# The public names alone, as any user has them: these rooms see what a user sees.
SEE_PUBLIC_NAMES = {"serving", "testing", "lab", "demo", "cli"}


def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name below it."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__") or "__init__"] = path
    return found


MODULES = modules()


def imports_of(path: Path, known: Iterable[str] = MODULES) -> set[str]:
    """Return the modules below ``empathic_sdk`` that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in {path}"
            root, _, below = (node.module or "").partition(".")
            if root == "empathic_sdk":
                for alias in node.names:
                    deeper = f"{below}.{alias.name}".lstrip(".")
                    found.add(deeper if deeper in known else below or "__init__")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                root, _, below = alias.name.partition(".")
                if root == "empathic_sdk":
                    found.add(below or "__init__")
    return found


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return every group of modules that import each other in a circle."""
    graph = {name: {to for to in seen if to in arrows} for name, seen in arrows.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [sorted(set(error.args[1]))]
    return []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_arrows_point_down(name: str) -> None:
    room = name.partition(".")[0]
    if room in ANYBODY:
        return
    assert room in LAYERS, f"{room} has no place among the layers"
    below = set(LAYERS[: LAYERS.index(room)])
    for seen in imports_of(MODULES[name]):
        other = seen.partition(".")[0]
        if other == "__init__":
            assert room in SEE_PUBLIC_NAMES, f"{name} imports the package's public names"
        elif other != room:
            assert other in below, f"{name} looks up into {seen}"


def test_no_file_is_part_of_a_circle() -> None:
    arrows = {name: imports_of(path) - {name} for name, path in MODULES.items()}
    del arrows["__init__"]  # its names are imported when somebody asks for them
    assert circles(arrows) == []


def test_the_tests_of_arrows_see_wrong_ones(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from empathic_sdk.profiles.store import ProfileStore\nimport empathic_sdk.cli\n"
        "def f():\n    from empathic_sdk.turn import engine\n"
    )
    assert imports_of(bad) == {"profiles.store", "cli", "turn.engine"}
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_old_names_still_work_and_say_where_they_went() -> None:
    code = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    from empathic_sdk.response import EmbeddedResponder, check_text\n"
        "    from empathic_sdk.hooks.tones import TONES\n"
        "    import empathic_sdk.conversations\n"
        "print(EmbeddedResponder.__module__, check_text.__module__, *sorted({w.category.__name__"
        " for w in seen}), len(seen))"
    )
    assert _python(code) == (
        "empathic_sdk.responders.embedded empathic_sdk.safety.output_guard DeprecationWarning 4"
    )


def test_every_moved_module_exists() -> None:
    for old, new in _moved.MOVED.items():
        assert new in MODULES, f"{old} is said to be at {new}"
        assert old not in MODULES
    for home, name in _moved.RENAMED.values():
        assert hasattr(import_module(f"empathic_sdk.{home}"), name)
    for names in _moved.SCATTERED.values():
        for name, home in names.items():
            assert hasattr(import_module(f"empathic_sdk.{home}"), name), f"{name} is not in {home}"


def test_types_and_hooks_do_without_torch() -> None:
    code = (
        "import sys, empathic_sdk.types, empathic_sdk.style, empathic_sdk.responders, "
        "empathic_sdk.profiles, empathic_sdk.policy; print('torch' in sys.modules)"
    )
    assert _python(code) == "False"


def test_public_names() -> None:
    assert sorted(empathic_sdk.__all__) == list(empathic_sdk.__all__) == [
        "Alert", "BehaviourEncoder", "BehaviourEvent", "BehaviourKind", "Deployment",
        "DialogueSession",
        "Emotion", "EmotionAwareAgent", "EmotionRecognizer", "EmotionState", "EmpathicError",
        "FaceEncoder", "FeatureSequence", "HelpLine", "HookContext", "LearningState", "Modality",
        "Pacing", "ProfileStore", "ResponseStyle", "SafetyAssessment", "SafetyLevel",
        "SentenceEvent", "SpeechEncoder", "StateEvent", "Strategy", "TextEncoder", "Theme", "Tone",
        "Transcriber", "Trend", "Turn", "TurnEvent", "UserContext", "Utterance",
    ]  # fmt: skip
    for name in empathic_sdk.__all__:
        assert getattr(empathic_sdk, name).__name__ == name
        assert getattr(empathic_sdk, name).__doc__
    assert set(empathic_sdk._HOMES) == set(empathic_sdk.__all__)
    with pytest.raises(AttributeError, match="no attribute 'EmotionUnawareAgent'"):
        empathic_sdk.EmotionUnawareAgent  # noqa: B018


def test_import_is_light() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import empathic_sdk; "
        "print(time.perf_counter() - t, *[m for m in ('torch', 'numpy', 'pydantic', "
        "'transformers', 'gradio') if m in sys.modules])"
    )
    seconds, *heavy = _python(code).split()
    assert float(seconds) <= 0.3
    assert heavy == []


def test_the_default_agent_needs_neither_transformers_nor_sentence_transformers() -> None:
    code = (
        "import sys; from empathic_sdk import EmotionAwareAgent; "
        "EmotionAwareAgent().respond('hello'); "
        "print([m for m in ('transformers', 'sentence_transformers', 'gradio', 'langchain', "
        "'sklearn') if m in sys.modules])"
    )
    assert _python(code) == "[]"


def test_errors_are_one_tree_and_the_module_shows_it() -> None:
    from empathic_sdk import errors

    tree = errors.__doc__ or ""
    for name, thing in vars(errors).items():
        if isinstance(thing, type) and thing.__module__ == errors.__name__:
            assert issubclass(thing, errors.EmpathicError)
            assert name in tree


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
