from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("gradio", reason="the extra demo is not installed")

from empathic_sdk import EmotionAwareAgent, EmotionRecognizer  # noqa: E402
from empathic_sdk.demo import build, page_options  # noqa: E402
from empathic_sdk.types import contrast  # noqa: E402

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000
PHONE = {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def agent() -> Iterator[EmotionAwareAgent]:
    with EmotionAwareAgent(recognizer=EmotionRecognizer()) as made:
        yield made


@pytest.fixture(scope="module")
def url(agent: EmotionAwareAgent) -> Iterator[str]:
    blocks = build(agent)
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, **page_options())
    yield address
    blocks.close(verbose=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


class Visitor:
    """A page of its own, with everything it asked for and complained about."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("websocket", lambda w: self.asked.append(w.url))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on(
            "console",
            lambda m: self.complaints.append(m.text) if m.type == "error" else None,
        )
        self.page.goto(url)
        self.box.wait_for()

    @property
    def box(self) -> Any:
        return self.page.locator("#es-box textarea")

    def text(self, where: str) -> str:
        return " ".join(str(self.page.locator(where).inner_text()).split())

    def say(self, text: str) -> str:
        answers = self.page.locator(".es-agent").count()
        self.box.fill(text)
        self.box.press("Enter")
        answer = self.page.locator(".es-agent").nth(answers)
        answer.wait_for()
        self.page.wait_for_function(
            "!document.querySelector('.es-dots') && !document.querySelector('#es-send').disabled"
        )
        return str(answer.inner_text()).strip()

    def colour(self, where: str, name: str = "backgroundColor") -> str:
        script = f"e => getComputedStyle(e).{name}"
        found = self.page.locator(where).first.evaluate(script)
        red, green, blue = map(int, re.findall(r"\d+", found)[:3])
        return f"#{red:02x}{green:02x}{blue:02x}"

    def check(self) -> None:
        hosts = {re.sub(r"^(\w+://)?([^/:]*).*", r"\2", a) for a in self.asked if a[:5] != "data:"}
        assert hosts == {"127.0.0.1"}
        assert self.complaints == []

    def overflow(self) -> int:
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )


@pytest.fixture
def visitor(browser: Any, url: str) -> Iterator[Visitor]:
    made = Visitor(browser, url, viewport={"width": 1280, "height": 860})
    yield made
    made.context.close()


def test_a_talk(visitor: Visitor) -> None:
    page = visitor.page
    assert "AI" in visitor.text(".es-note") and page.locator(".es-note[open]").count() == 1
    assert page.evaluate("document.activeElement.closest('#es-box') !== null")
    before = visitor.colour("body")
    assert before == "#faf8f4"

    assert len(visitor.say("I failed the exam again.")) > 20
    assert "Sad" in visitor.text("#es-noticed") or "Not sure" in visitor.text("#es-noticed")
    assert page.locator("#es-noticed .es-bar").count() == 9
    page.wait_for_timeout(1500)
    after = visitor.colour("body")
    assert after != before
    assert contrast(visitor.colour("body", "color"), after) >= 4.5
    you = visitor.colour(".es-you"), visitor.colour(".es-you", "color")
    agent = visitor.colour(".es-agent"), visitor.colour(".es-agent span:last-child", "color")
    box = visitor.colour("#es-box textarea"), visitor.colour("#es-box textarea", "color")
    send = visitor.colour("#es-send"), visitor.colour("#es-send", "color")
    for pair in (you, agent, box, send):
        assert contrast(*pair) >= 4.5, pair

    first = visitor.text("#es-noticed")
    assert visitor.say("I'm scared I'll lose my place.")
    assert visitor.text("#es-noticed") != first
    assert "Since last time changed with" in visitor.text("#es-noticed")
    assert visitor.say("But my sister called and that really helped, thank you!")
    assert "Joyful" in visitor.text("#es-noticed")
    assert page.locator("#es-path circle").count() == 3
    assert page.evaluate("document.activeElement.closest('#es-box') !== null")

    page.locator("#es-felt-surprise").click()
    page.locator("#es-told", has_text="you felt surprised").wait_for()
    page.locator("#es-good").click()
    page.locator("#es-told", has_text="my answer helped").wait_for()
    visitor.check()


def test_two_visitors_and_forgetting(
    browser: Any, url: str, visitor: Visitor, agent: EmotionAwareAgent
) -> None:
    other = Visitor(browser, url)
    visitor.say("My canary is called Zitronella.")
    other.say("I am furious at my landlord!")
    for page, theirs in ((visitor.page, "landlord"), (other.page, "Zitronella")):
        assert theirs not in page.content()
    assert visitor.colour("body") != "" and "Zitronella" in visitor.page.content()

    visitor.page.locator("#es-ask").click()
    visitor.page.locator("#es-about summary").click()
    assert '"feedback": []' in visitor.text("#es-about pre")
    with visitor.page.expect_download() as download:
        visitor.page.locator("#es-about a").click()
    exported = Path(download.value.path()).read_text()
    assert '"turns": 1' in exported and "Zitronella" not in exported

    names = set(agent.profiles.users())
    visitor.page.locator("#es-forget").click()
    visitor.page.locator("#es-sure").click()
    visitor.page.locator("#es-erased", has_text="one message is erased").wait_for()
    assert "Zitronella" not in visitor.page.content()
    assert len(names - set(agent.profiles.users())) == 1
    assert "landlord" in other.page.content()

    left = len(agent.profiles.users())
    other.check()
    other.context.close()
    for _ in range(100):
        if len(agent.profiles.users()) < left:
            break
        visitor.page.wait_for_timeout(200)
    assert len(agent.profiles.users()) < left
    visitor.check()


def test_help_stays_and_mistakes_are_calm(visitor: Visitor) -> None:
    visitor.say("I don't want to live anymore")
    assert "talk to a person right now" in visitor.text("#es-help")
    visitor.say("My dog helps a little.")
    assert "talk to a person right now" in visitor.text("#es-help")
    visitor.box.fill("   ")
    visitor.box.press("Enter")
    visitor.page.locator(".es-problem").wait_for()
    assert "nothing to read yet" in visitor.text(".es-problem")
    assert visitor.box.input_value() == "   "
    assert visitor.say("<img src=http://evil.example/x onerror=alert(1)> " + "so sad " * 200)
    assert "more characters were read" in visitor.text(".es-log")
    assert visitor.page.locator("img").count() == 0
    visitor.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser: Any, url: str, scheme: str) -> None:
    phone = Visitor(browser, url, viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    assert phone.overflow() <= 0
    phone.say("I failed the exam again. " + "x" * 120)
    assert phone.overflow() <= 0
    for where in (".es-you", "#es-send", "#es-box textarea"):
        assert contrast(phone.colour(where), phone.colour(where, "color")) >= 4.5
    dark = contrast(phone.colour("body"), "#000000") < 2
    assert dark == (scheme == "dark")
    assert phone.page.evaluate("getComputedStyle(document.body).transitionDuration") == "0s"
    phone.check()
    phone.context.close()
