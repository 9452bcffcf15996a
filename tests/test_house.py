"""The rooms and the arrows between them, read off the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import empathic_sdk

PACKAGE = Path(empathic_sdk.__file__).parent
ROOMS = {
    "types", "encoders", "alignment", "models", "state", "profiles", "hooks", "response",
    "integrations", "demo", "training", "evaluation", "serving", "cli",
}  # fmt: skip
SHARED = {"types", "errors", "resources", "checkpoints"}
# Which rooms a room may look into besides the shared values. The composing files at the top
# (agent, pipeline, recognizer, conversations) may look into every runtime room.
ALLOWED = {
    "types": {"errors"},
    "encoders": SHARED | {"models"},  # an encoder runs a network
    "alignment": SHARED,
    "models": SHARED,
    "state": SHARED,
    "profiles": SHARED,
    "hooks": SHARED,
    "response": SHARED,
    "integrations": SHARED | {"agent", "recognizer", "listening"},
    "demo": SHARED | {"__init__", "policy"},
    "training": SHARED | {"encoders", "models", "response"},
    "evaluation": SHARED
    | {
        "__init__",
        "training",
        "encoders",
        "models",
        "state",
        "profiles",
        "recognizer",
        "response",
        "listening",
        "safety",
        "integrations",  # a chat model as a judge
    },
    "serving": SHARED | {"__init__"},
    "cli": SHARED | {"__init__", "demo", "training", "evaluation"},
}
RUNTIME_TOP = [
    "agent", "pipeline", "recognizer", "senses", "session", "memory", "conversations", "policy",
    "alerts", "checkpoints", "listening", "safety", "streaming", "watching",
]  # fmt: skip


def imports_of(path: Path) -> set[str]:
    """Return the first names below ``empathic_sdk`` that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = node.module.split(".")
            if parts[0] == "empathic_sdk":
                if len(parts) > 1:
                    found.add(parts[1])
                else:
                    for alias in node.names:
                        below = (PACKAGE / alias.name).is_dir() or (
                            PACKAGE / f"{alias.name}.py"
                        ).is_file()
                        found.add(alias.name if below else "__init__")
        elif isinstance(node, ast.Import):
            found |= {
                a.name.split(".")[1] if "." in a.name else "__init__"
                for a in node.names
                if a.name.split(".")[0] == "empathic_sdk"
            }
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"relative import in {path}"
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_arrows(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    seen = imports_of(path)
    if room in ROOMS:
        assert seen - {room} <= ALLOWED[room], f"{room} must not look into these rooms"
    elif path.stem in RUNTIME_TOP:
        assert not seen & {"training", "evaluation", "cli", "demo", "serving"}


def test_the_arrow_test_sees_a_wrong_arrow(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from empathic_sdk.profiles.store import ProfileStore\nimport empathic_sdk.cli\n"
    )
    assert imports_of(bad) == {"profiles", "cli"}


def test_types_and_hooks_do_without_torch() -> None:
    code = (
        "import sys, empathic_sdk.types, empathic_sdk.hooks, empathic_sdk.response, "
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
