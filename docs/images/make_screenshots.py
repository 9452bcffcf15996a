"""Take the demo's pictures: ``python docs/images/make_screenshots.py [FOLDER]``.

Serves the demo on a free port, holds a short talk in Chromium, and writes ``demo.png``,
``demo-phone.png`` and ``demo-dark.png``. Needs the extra ``demo``, ``pip install playwright``,
and Debian's package ``chromium`` (or ``CHROMIUM=/path/to/chromium``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.demo import build, page_options

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TALK = (
    "I failed the exam again.",
    "I'm scared I'll lose my place.",
    "But my sister called and that really helped, thank you!",
)


def say(page: Page, text: str) -> None:
    """Send a message and wait until its answer is complete."""
    answers = page.locator(".es-agent").count()
    page.locator("#es-box textarea").fill(text)
    page.keyboard.press("Enter")
    page.locator(".es-agent").nth(answers).wait_for()
    page.wait_for_function("!document.querySelector('.es-dots')", timeout=60_000)


def take(
    browser: Browser,
    url: str,
    to: Path,
    width: int,
    height: int,
    talk: tuple[str, ...],
    scheme: str,
) -> None:
    """Hold a talk on a page of this size and take its picture."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    page.locator("#es-box textarea").wait_for()
    for text in talk:
        say(page, text)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(to))
    context.close()


def main() -> None:
    """Take all three."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    with EmotionAwareAgent() as agent, sync_playwright() as playwright:
        blocks = build(agent)
        _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, **page_options())
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        take(browser, url, folder / "demo.png", 1280, 860, TALK, "light")
        take(browser, url, folder / "demo-phone.png", 390, 844, TALK[:2], "light")
        take(browser, url, folder / "demo-dark.png", 1280, 860, TALK, "dark")
        browser.close()
        blocks.close()


if __name__ == "__main__":
    main()
