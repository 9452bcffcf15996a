"""Starting the demo: its options, a proxy in the environment, a port that is taken."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from click.testing import CliRunner

gr = pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk import demo  # noqa: E402
from empathic_sdk.cli.demo import command  # noqa: E402
from empathic_sdk.demo import serve  # noqa: E402
from empathic_sdk.errors import ConfigurationError  # noqa: E402
from tests.conftest import ROOT  # noqa: E402


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch, recognizer: Any) -> list[uvicorn.Config]:
    """What would be served; nothing is."""
    seen: list[uvicorn.Config] = []
    monkeypatch.setattr("empathic_sdk.agent.EmotionRecognizer", lambda **_: recognizer)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: seen.append(self.config))
    return seen


@contextmanager
def taken() -> Iterator[int]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made.getsockname()[1]


def test_launch_lets_in_this_machine_s_names_and_those_it_is_told(
    servers: list[uvicorn.Config], capsys: pytest.CaptureFixture[str]
) -> None:
    serve.launch(port=0)
    serve.launch(host="0.0.0.0", port=0, host_names=["demo.example.org"], proxies=["10.0.0.1"])
    serve.launch(port=0, auth=[("ada", "secret")])
    first, second, third = servers
    local = {"localhost", "127.0.0.1", "[::1]"}
    assert set(first.app.security.hosts) == local
    assert set(second.app.security.hosts) == local | {"demo.example.org"}
    assert (first.proxy_headers, second.proxy_headers) == (False, True)
    assert second.forwarded_allow_ips == ["10.0.0.1"]
    assert first.access_log is False and third.server_header is False
    assert re.findall(r"http://127\.0\.0\.1:\d+", capsys.readouterr().out)


def test_without_proxies_nobody_can_say_that_they_are_somebody_else(
    servers: list[uvicorn.Config],
) -> None:
    serve.launch(port=0)
    assert servers[0].proxy_headers is False


def test_a_tunnel_that_cannot_be_had_is_said_in_one_line(
    servers: list[uvicorn.Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise RuntimeError("Could not get share link from Gradio API Server.")

    monkeypatch.setattr("gradio.networking.setup_tunnel", fail)
    with pytest.raises(ConfigurationError, match="the tunnel cannot be had"):
        serve.launch(port=0, share=True)
    assert servers == []


def test_through_a_tunnel_its_name_is_let_in(
    servers: list[uvicorn.Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.setup_tunnel", lambda *_: "https://abc.gradio.live")
    serve.launch(port=0, share=True)
    assert "abc.gradio.live" in servers[0].app.security.hosts


def test_a_port_that_is_taken_is_said_before_anything_is_loaded() -> None:
    with taken() as port, pytest.raises(ConfigurationError, match=f"port {port} .*--port"):
        serve.launch(port=port)


def test_a_host_that_is_not_of_this_machine_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1"):
        serve.launch(host="192.0.2.1")


def test_the_command_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(demo, "launch", lambda **given: seen.update(given), raising=False)
    options = ["--host", "0.0.0.0", "--auth", "ada:se:cret", "--auth", "bob:builder"]
    options += ["--host-name", "demo.example.org", "--proxy", "10.0.0.1"]
    assert CliRunner().invoke(command, options).exit_code == 0
    assert seen["auth"] == [("ada", "se:cret"), ("bob", "builder")]
    assert seen["host_names"] == ("demo.example.org",) and seen["proxies"] == ("10.0.0.1",)
    environment = {"EMPATHIC_DEMO_AUTH": "ada:secret"}
    assert CliRunner().invoke(command, [], env=environment).exit_code == 0
    assert seen["auth"] == [("ada", "secret")]


def started(*options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "empathic_sdk.cli", "demo", *options],
        env=os.environ | environment, cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.timeout(180)
def test_with_a_proxy_in_the_environment_it_starts_and_ends_quietly() -> None:
    nowhere = "http://127.0.0.1:9"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    running = started("--port", "0", **dict.fromkeys(names, nowhere), NO_PROXY="", no_proxy="")
    try:
        assert running.stdout is not None
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            assert client.get("/healthz").text == "ok"
            assert client.get("/").status_code == 200
            with client.stream("GET", "/gradio_api/heartbeat/page") as beat:  # somebody is there
                next(beat.iter_raw())
                running.send_signal(signal.SIGINT)
                _, errors = running.communicate(timeout=30)
        assert "Traceback" not in errors, errors
        assert running.returncode == 0, errors
    finally:
        running.kill()


@pytest.mark.timeout(120)
def test_a_port_that_is_taken_takes_one_line() -> None:
    with taken() as port:
        out, errors = started("--port", str(port)).communicate(timeout=100)
    assert out == ""
    assert len(errors.strip().splitlines()) == 1 and f"port {port}" in errors
