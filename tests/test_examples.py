"""Every script in examples/ runs, and says what it is there to show."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from empathic_sdk import EmotionRecognizer

from .conftest import ROOT

SAYS = {
    "quickstart.py": ["You are talking with an AI", "sadness", "fear", "joy", "agent  "],
    "custom_hooks.py": ["bob blunt"],
    "remember_and_forget.py": ["2 turns in 2 talks", "2 turns erased, [] left"],
    "tutoring.py": ["[wrong: added_denominators]", "[right: -]", "[unsimplified: not_worked_out]"],
    "langchain_runnable.py": ["(joy) "],
    "langchain_chain.py": ["joy steady", "."],
    "langchain_middleware.py": [
        "[sadness, safety none]",
        "That sounds frustrating. Ms Bell can be seen on Tuesdays at three.",
        "safety high]",
        "findahelpline.com",
    ],
    "own_llm.py": [
        "own:parrot ['llm:unsafe:diagnosis']: It sounds as if that may have felt sad.",
        "embedded []: ",
    ],
}


def test_every_example_is_tested() -> None:
    assert {p.name for p in (ROOT / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_examples(
    name: str,
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name.startswith("langchain"):
        pytest.importorskip("langchain_core")
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    if name.startswith("langchain"):
        from empathic_sdk.integrations import runnables

        runnables.shared_recognizer.cache_clear()
        monkeypatch.setattr(runnables, "EmotionRecognizer", lambda: recognizer)
    path = Path(ROOT / "examples" / name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
    out = capsys.readouterr().out
    for words in SAYS[name]:
        assert words in out
