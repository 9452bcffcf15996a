"""Take the demo's pictures: ``python docs/images/make_screenshots.py [FOLDER]``.

Serves the demo on a free port, holds short talks in Chromium, and writes ``demo.png``,
``demo-dark.png``, ``demo-phone.png``, ``demo-tutoring.png``, ``demo-inside.png``,
``demo-voice.png``, ``demo-help.png`` and the walk-through ``demo.webp``. Needs the extras ``demo``
and ``dev``, and Debian's package ``chromium`` (or ``CHROMIUM=/path/to/chromium``).
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.demo import application
from empathic_sdk.demo.app import HOME, tutor_of
from empathic_sdk.demo.serve import running

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
TALK = (
    "I failed the exam again and I feel awful.",
    "I'm scared I'll lose my place.",
    "My sister came over and we laughed, that really helped!",
    "I feel so much better, thank you, I'm so happy!",
)
FILM_WIDTH = 880


def begin(page: Page, text: str, room: str = "es") -> int:
    """Send a message; return how many answers there were before."""
    before = page.locator(f"#{room}-chat .es-agent").count()
    page.locator(f"#{room}-box textarea").fill(text)
    page.locator(f"#{room}-box textarea").press("Enter")
    return before


def end(page: Page, before: int, room: str = "es") -> None:
    """Wait for a whole answer, to its last word."""
    page.locator(f"#{room}-chat .es-agent").nth(before).wait_for()
    page.wait_for_function(f"!document.querySelector('#{room}-chat .es-dots')", timeout=60_000)
    page.wait_for_function(
        f"[...document.querySelectorAll('#{room}-chat .es-w')].every("
        "w => getComputedStyle(w).opacity === '1')"
    )


def say(page: Page, text: str, room: str = "es") -> None:
    """Send a message and wait for the whole answer."""
    end(page, begin(page, text, room), room)


@contextmanager
def visit(browser: Browser, url: str, width: int, height: int, **options: Any) -> Iterator[Page]:
    """Open a page of a size."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    page.goto(url)
    page.locator("#es-box textarea").wait_for()
    page.wait_for_timeout(500)
    yield page
    context.close()


def take(page: Page, to: Path) -> None:
    """Take a picture when the colours have come to rest."""
    page.wait_for_timeout(1500)
    page.screenshot(path=str(to))
    with Image.open(to) as image:
        image.convert("RGB").save(to, optimize=True)
    print(to, to.stat().st_size)


def lesson(page: Page) -> None:
    """Solve an exercise wrong, ask for a hint, then solve it."""
    page.get_by_role("tab", name="Tutoring").click()
    page.locator("#el-fractions").click()
    end(page, 0, "el")
    statement = page.locator("#el-task .es-task").inner_text()
    found = re.search(r"(\d+)/(\d+) ([+-]) (\d+)/(\d+)", statement)
    assert found is not None, statement
    a, b, sign, c, d = found.groups()
    one, other = Fraction(int(a), int(b)), Fraction(int(c), int(d))
    say(page, f"{int(a) + int(c)}/{int(b) + int(d)}", "el")
    before = page.locator("#el-chat .es-agent").count()
    page.locator("#el-hint").click()
    end(page, before, "el")
    say(page, str(one + other if sign == "+" else one - other), "el")


class Film:
    """Frames with how long each is shown."""

    def __init__(self, page: Page) -> None:
        self.page, self.frames, self.lasts = page, [], []

    def shoot(self, ms: int) -> None:
        """Add what is on the page now."""
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        height = round(image.height * FILM_WIDTH / image.width)
        self.frames.append(image.resize((FILM_WIDTH, height), Image.Resampling.LANCZOS))
        self.lasts.append(ms)

    def watch(self, shots: int, ms: int) -> None:
        """Add several in a row, while something moves."""
        for _ in range(shots):
            self.shoot(ms)
            self.page.wait_for_timeout(ms // 2)

    def say(self, text: str, shots: int) -> None:
        """Type and send a message, and watch the answer come."""
        self.page.locator("#es-box textarea").fill(text)
        self.shoot(900)
        before = begin(self.page, text)
        self.watch(shots, 450)
        end(self.page, before)
        self.page.wait_for_timeout(1200)
        self.shoot(1800)

    def save(self, to: Path) -> None:
        """Write it as WebP."""
        self.frames[0].save(
            to, save_all=True, append_images=self.frames[1:], duration=self.lasts, loop=0,
            quality=82, method=4, kmin=1,
            kmax=4,
        )  # fmt: skip
        print(to, to.stat().st_size)


def walk_through(page: Page, to: Path) -> None:
    """Show in half a minute what the page does."""
    film = Film(page)
    film.shoot(1600)
    film.say(TALK[0], 5)
    film.say(TALK[2], 3)
    film.say(TALK[3], 3)
    page.locator("#es-felt-joy").click()
    page.locator("#es-told .es-told").wait_for()
    film.shoot(1500)
    page.get_by_role("tab", name="Tutoring").click()
    page.locator("#el-fractions").click()
    end(page, 0, "el")
    film.shoot(1500)
    page.locator("#el-hint").click()
    end(page, 1, "el")
    film.shoot(1800)
    page.get_by_role("tab", name="Counselling").click()
    say(page, "Thank you.")
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#ei-values pre").wait_for()
    page.wait_for_timeout(1200)
    film.shoot(2600)
    film.save(to)


def voice(page: Page, to: Path) -> None:
    """Show the switches, the recording light and the camera."""
    page.get_by_label("Listen to my voice").check()
    page.get_by_label("Look at my face").check()
    page.locator("[data-press=camera]").click()
    page.locator("[data-press=mic]").click()
    page.locator(".es-light.es-on", has_text="Recording").wait_for()
    page.wait_for_timeout(2000)
    take(page, to)


def main() -> None:
    """Take all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as devices,
        EmotionAwareAgent(deployment=HOME) as agent,
        tutor_of(agent) as tutor,
        running(application(agent, tutor)) as url,
        sync_playwright() as playwright,
    ):
        camera = []
        try:  # a drawn face instead of Chromium's test picture, where it can be drawn
            import cv2

            from tests.demo import signals

            film = signals.film(Path(devices) / "face.mjpeg", signals.face(cv2))
            camera = [f"--use-file-for-fake-video-capture={film}"]
        except ImportError:
            pass
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=[*FLAGS, *camera]
        )
        with visit(browser, url, 1280, 900) as page:
            for text in TALK:
                say(page, text)
            take(page, folder / "demo.png")
        with visit(browser, url, 1280, 900, color_scheme="dark") as page:
            for text in TALK[:2]:
                say(page, text)
            take(page, folder / "demo-dark.png")
        with visit(browser, url, 375, 812, device_scale_factor=2) as page:
            for text in TALK[:2]:
                say(page, text)
            take(page, folder / "demo-phone.png")
        with visit(browser, url, 1280, 900) as page:
            lesson(page)
            take(page, folder / "demo-tutoring.png")
        with visit(browser, url, 1280, 1240) as page:
            for text in TALK:
                say(page, text)
            page.get_by_role("tab", name="Look inside").click()
            page.locator("#ei-values pre").wait_for()
            take(page, folder / "demo-inside.png")
        with visit(browser, url, 1280, 900) as page:
            say(page, TALK[0])
            voice(page, folder / "demo-voice.png")
        with visit(browser, url, 1280, 900) as page:
            say(page, "I don't want to live anymore.")
            take(page, folder / "demo-help.png")
        with visit(browser, url, 1180, 800) as page:
            walk_through(page, folder / "demo.webp")
        browser.close()


if __name__ == "__main__":
    main()
