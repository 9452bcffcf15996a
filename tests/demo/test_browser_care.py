"""Small screens, the dark, keyboards, screen readers, and what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from empathic_sdk.types import contrast
from tests.demo.browsing import PHONE, Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser: Any, url: str, scheme: str) -> None:
    phone = Visitor(browser, url, viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    assert phone.overflow() <= 0
    phone.say("I failed the exam again. " + "x" * 120)
    for tab in ("Tutoring", "Look inside", "Counselling"):
        phone.tab(tab)
        phone.page.wait_for_timeout(400)
        assert phone.overflow() <= 0, tab
    for where in ("#es-chat .es-you", "#es-send", "#es-box textarea"):
        assert contrast(phone.colour(where), phone.colour(where, "color")) >= 4.5
    dark = contrast(phone.colour("body"), "#000000") < 2
    assert dark == (scheme == "dark")
    assert phone.page.evaluate("getComputedStyle(document.body).transitionDuration") == "0s"
    assert phone.page.locator("#es-chat .es-w").first.evaluate(
        "e => getComputedStyle(e).animationName"
    ) in ("none",)
    phone.check()
    phone.leave()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, url: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    visitor = Visitor(browser, url, color_scheme=scheme, reduced_motion="reduce")

    def look(where: str) -> None:
        found = axe.run(visitor.page).response["violations"]
        bad = [
            (v["id"], [n["html"][:160] for n in v["nodes"]][:3])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert bad == [], (where, bad)

    look("first visit")
    visitor.page.get_by_label("Listen to my voice").check()
    visitor.page.locator("[data-press=mic]").wait_for()
    visitor.say("I don't want to live anymore")
    visitor.page.locator("#es-ask").click()
    visitor.page.locator("#es-about a").wait_for()
    visitor.page.locator("#es-forget").click()
    visitor.page.locator("#es-sure").wait_for()
    look("a talk")
    visitor.tab("Tutoring")
    visitor.page.locator("#el-fractions").click()
    visitor.answer(0, "el")
    visitor.say("1/100", "el")
    look("a lesson")
    visitor.tab("Look inside")
    visitor.page.locator("#ei-values pre").wait_for()
    look("inside")
    visitor.leave()


def test_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.type("I failed the exam again.")
    page.keyboard.press("Enter")
    visitor.answer(0)
    assert page.evaluate("document.activeElement.closest('#es-box') !== null")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "es-felt-fear":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert page.evaluate("document.activeElement.id") == "es-felt-fear" and outline == "solid"
    page.keyboard.press("Enter")
    page.locator("#es-told", has_text="you felt afraid").wait_for()
    page.get_by_role("tab", name="Counselling").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText") == "Tutoring"
    page.locator("#el-box textarea").wait_for()
    visitor.check()


def test_what_changes_is_announced(visitor: Visitor) -> None:
    page = visitor.page
    page.evaluate(
        """() => { window.told = []; new MutationObserver(() => window.told.push(
          document.querySelector('#es-live').innerText.trim())).observe(
          document.querySelector('#es-live'),
          {childList: true, subtree: true, characterData: true}); }"""
    )
    assert page.locator("#es-live").get_attribute("aria-live") == "polite"
    answer = visitor.say("I failed the exam again.")
    told = [t for t in page.evaluate("window.told") if t]
    assert told[0].startswith("You seem") or told[0].startswith("I am not sure")
    assert all(t in answer for t in told[1:]) and len(told) >= 2
    drawing = page.locator("#es-path svg")
    assert "messages seemed" in (drawing.get_attribute("aria-label") or "")


# -- what goes wrong ---------------------------------------------------------------------------


def test_html_and_script_are_shown_as_text(visitor: Visitor) -> None:
    evil = "<img src=http://evil.example/x onerror=alert(1)><script>window.hurt=1</script>"
    visitor.page.on("dialog", lambda d: pytest.fail("a script ran"))
    visitor.say(f"{evil} I am so sad")
    assert evil in visitor.page.locator("#es-chat .es-you").inner_text()
    assert visitor.page.locator("#es-chat img").count() == 0
    assert visitor.page.evaluate("window.hurt") is None
    visitor.tab("Tutoring")
    visitor.say(evil, "el")
    assert visitor.page.locator("#el-chat img").count() == 0
    visitor.check()


def test_a_hundred_thousand_characters(visitor: Visitor) -> None:
    words = "so sad " * 14_285  # 99,995 characters
    assert visitor.say(words)
    assert "more characters were read" in visitor.text("#es-chat .es-you")
    assert len(visitor.page.locator("#es-chat .es-you").inner_text()) < 1000
    visitor.box.fill("   ")
    visitor.box.press("Enter")
    visitor.page.locator("#es-problem", has_text="nothing to read yet").wait_for()
    assert visitor.box.input_value() == "   "
    visitor.check()


def test_a_connection_that_drops_in_mid_stream(visitor: Visitor) -> None:
    page = visitor.page
    visitor.box.fill("I failed the exam again, everything is lost and I feel awful.")
    visitor.box.press("Enter")
    page.locator("#es-chat .es-w").first.wait_for()
    visitor.context.set_offline(True)
    page.wait_for_timeout(3000)
    visitor.context.set_offline(False)
    page.wait_for_timeout(1000)
    for _ in range(6):  # whoever comes back may have to press twice
        visitor.box.fill("I am back.")
        visitor.box.press("Enter")
        page.wait_for_timeout(2500)
        if "I am back." in visitor.text("#es-chat"):
            break
    assert "I am back." in visitor.text("#es-chat")
    page.wait_for_function("!document.querySelector('#es-chat .es-dots')")
    assert page.locator("#es-chat .es-agent").last.inner_text().strip() != "Agent:"
    visitor.check(quiet=False)


def test_the_back_button(visitor: Visitor, url: str) -> None:
    page = visitor.page
    visitor.say("My canary is called Zitronella.")
    page.goto("about:blank")
    page.go_back()
    visitor.box.wait_for()
    page.wait_for_timeout(1500)
    assert len(visitor.say("Hello again.")) > 5
    assert "Zitronella" not in visitor.text("#es-chat")
