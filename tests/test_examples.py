"""Every script in examples/ runs, and says what it is there to show."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer, Pacing
from tests.conftest import ROOT

SAYS = {
    "quickstart.py": ["You are talking with an AI", "sadness", "fear", "joy", "agent  "],
    "custom_hooks.py": ["bob blunt"],
    "remember_and_forget.py": ["2 turns in 2 talks", "2 turns erased, [] left"],
    "tutoring.py": ["[wrong: added_denominators]", "[right: -]", "[unsimplified: not_worked_out]"],
    "langchain_runnable.py": ["(joy) "],
    "langchain_chain.py": ["joy steady", "."],
    "langchain_middleware.py": [
        "[sadness, safety none]",
        "[marked: feeling]",
        "safety high]",
        "findahelpline.com",
    ],
    "voice_file.py": ["before consent: {<Modality.TEXT: 'text'>: 1.0}", "'speech': '"],
    "video_frames.py": ["rests on {'text': '100%'}", "face: no face found in 3 frames"],
    "feedback_loop.py": ["7 corrections kept", 'sadness in "I\'m fine.": '],
    "own_llm.py": [
        "own:parrot ['llm:unsafe:diagnosis']: It sounds as if that may have felt sad.",
        "embedded []: ",
    ],
}


def test_every_example_is_tested() -> None:
    assert {p.name for p in (ROOT / "examples").glob("*.py")} == {*SAYS, "fastapi_login.py"}


def example(name: str) -> Any:
    path = Path(ROOT / "examples" / name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(SAYS))
def test_examples(
    name: str,
    recognizer: EmotionRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name.startswith("langchain"):
        pytest.importorskip("langchain_core")
    for start, package in (("voice", "faster_whisper"), ("video", "cv2")):
        if name.startswith(start):
            pytest.importorskip(package)

    def shared(**given: Any) -> EmotionRecognizer:
        return EmotionRecognizer(**given) if any(given.values()) else recognizer

    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", shared)
    if name.startswith("langchain"):
        from empathic_sdk.recognition import shared as shared_module

        shared_module.shared_recognizer.cache_clear()
        monkeypatch.setattr(shared_module, "EmotionRecognizer", lambda: recognizer)
    example(name).main()
    out = capsys.readouterr().out
    for words in SAYS[name]:
        assert words in out


def test_a_face_in_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2 = pytest.importorskip("cv2")
    from tests.demo import signals

    film = signals.film(tmp_path / "film.mjpeg", signals.face(cv2), frames=30)
    example("video_frames.py").main(str(film))
    out = capsys.readouterr().out
    assert "'face': '" in out and "face: " not in out.replace("'face': '", "")


def test_two_people_behind_a_login(
    recognizer: EmotionRecognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    from tests.demo.crowd import Visitor, what_to_press

    module = example("fastapi_login.py")
    fast = Pacing(delay_s=0, words_per_minute=2000, max_sentences=1)
    with EmotionAwareAgent(
        recognizer=recognizer, profiles=tmp_path / "people.db", pacing=lambda _: fast
    ) as agent:
        app = module.make_app(agent, {"ada": "lovelace", "bob": "builder"})
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        root = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

        async def talks(name: str, password: str, number: int) -> tuple[dict[str, Any], str]:
            async with httpx.AsyncClient(base_url=root, timeout=30) as client:
                for path in ("/about-me", "/talk/config"):
                    assert (await client.get(path)).status_code == 401, path
                wrong = await client.post("/login", data={"name": name, "password": "x"})
                assert wrong.status_code == 401
                right = await client.post("/login", data={"name": name, "password": password})
                assert (
                    right.status_code == 303 and "httponly" in right.headers["set-cookie"].lower()
                )
                url = f"{root}/talk/"
                visitor = Visitor(client, url, number, await what_to_press(client, url))
                page = await visitor.open()
                await visitor.say(f"I am so sad, {visitor.heard.canary}")
                page.cancel()
                known = (await client.get("/about-me")).json()
                await client.post("/logout")
                assert (await client.get("/about-me")).status_code == 401
                return known, "".join(visitor.heard.everything)

        async def both() -> Any:
            return await asyncio.gather(talks("ada", "lovelace", 1), talks("bob", "builder", 2))

        try:
            (ada, ada_saw), (bob, bob_saw) = asyncio.run(both())
        finally:
            server.should_exit = True
            thread.join(20)
        assert ada["user"] == "login-ada" and len(ada["turns"]) == 1
        assert bob["user"] == "login-bob" and len(bob["turns"]) == 1
        assert ada["turns"][0]["id"] != bob["turns"][0]["id"]
        assert "canary001x" in ada_saw and "canary002x" not in ada_saw
        assert "canary002x" in bob_saw and "canary001x" not in bob_saw
        assert agent.profiles.users() == ["login-ada", "login-bob"]


def test_the_login_serves_on_this_machine_alone(
    recognizer: EmotionRecognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    seen: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    monkeypatch.setattr(uvicorn, "run", lambda app, **given: seen.update(given))
    example("fastapi_login.py").main()
    assert seen == {"host": "127.0.0.1", "port": 8000}
