"""A visitor with a real browser, for the tests with the marker ``browser``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 30_000
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 375, "height": 780}


class Visitor:
    """A page of its own, with everything it asked for and complained about."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**({"viewport": DESK} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.sent: list[str] = []
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("request", lambda r: self.sent.append(r.post_data or ""))
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

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def say(self, text: str, room: str = "es") -> str:
        """Type a message, send it, and return the whole answer."""
        before = self.page.locator(f"#{room}-chat .es-agent").count()
        box = self.page.locator(f"#{room}-box textarea")
        box.fill(text)
        box.press("Enter")
        return self.answer(before, room)

    def answer(self, before: int, room: str = "es") -> str:
        """Wait for the answer after ``before`` others."""
        answer = self.page.locator(f"#{room}-chat .es-agent").nth(before)
        answer.wait_for()
        self.page.wait_for_function(f"!document.querySelector('#{room}-chat .es-dots')")
        return " ".join(str(answer.inner_text()).removeprefix("Agent:").split())

    def colour(self, where: str, name: str = "backgroundColor") -> str:
        script = f"e => getComputedStyle(e).{name}"
        found = self.page.locator(where).first.evaluate(script)
        red, green, blue = map(int, re.findall(r"\d+", found)[:3])
        return f"#{red:02x}{green:02x}{blue:02x}"

    def settled(self) -> str:
        """Return the page's colour when it has stopped gliding."""
        self.page.wait_for_timeout(1400)
        return self.colour("body")

    def check(self, *, quiet: bool = True) -> None:
        hosts = {re.sub(r"^(\w+://)?([^/:]*).*", r"\2", a) for a in self.asked
                 if a[:5] not in ("data:", "blob:")}  # fmt: skip
        assert hosts == {"127.0.0.1"}
        if quiet:
            assert self.complaints == []

    def overflow(self) -> int:
        """Return by how many pixels anything that is seen stands out of the page to the right."""
        return int(
            self.page.evaluate(
                """() => Math.max(
                  document.documentElement.scrollWidth - innerWidth,
                  ...[...document.querySelectorAll(
                    '.es-talk, .es-card, .es-bubble, .es-rows, .es-chart, button, textarea, p')]
                    .filter((e) => e.checkVisibility() && !e.closest('.es-scroll, .es-sr')
                      && getComputedStyle(e).position !== 'absolute'
                      && !e.closest('.visually-hidden'))
                    .map((e) => e.getBoundingClientRect().right - innerWidth))"""
            )
        )

    def leave(self) -> None:
        self.context.close()
