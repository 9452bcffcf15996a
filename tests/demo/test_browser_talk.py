"""Counselling, tutoring and looking inside, in a real browser."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent
from empathic_sdk.types import contrast
from tests.demo.browsing import Visitor

pytestmark = pytest.mark.browser

TALK = (
    "I failed the exam again and I feel awful.",
    "Nothing I do works, I just feel so sad.",
    "I'm scared I'll lose my place.",
    "My sister called me just now.",
    "She came over and we laughed, that really helped!",
    "I feel so much better, thank you, I'm so happy!",
)


def test_first_visit(visitor: Visitor) -> None:
    page = visitor.page
    assert page.locator("#es-chat .es-note[open]").count() == 1
    assert "You are talking with an AI" in visitor.text("#es-chat .es-note")
    assert [t.inner_text() for t in page.get_by_role("tab").all()] == [
        "Counselling", "Tutoring", "Look inside",
    ]  # fmt: skip
    assert page.evaluate("document.activeElement.closest('#es-box') !== null")
    assert visitor.colour("body") == "#faf8f4"
    page.get_by_role("button", name="I had a really hard day.").click()
    assert visitor.box.input_value() == "I had a really hard day."
    visitor.box.press("Enter")
    assert len(visitor.answer(0)) > 20
    assert page.locator("#es-chat .es-note[open]").count() == 0
    visitor.check()


def test_six_turns_from_sadness_to_relief(visitor: Visitor) -> None:
    page = visitor.page
    grounds = [visitor.colour("body")]
    felt = []
    for line in TALK:
        assert len(visitor.say(line)) > 15
        felt.append(visitor.text("#es-noticed .es-big"))
        grounds.append(visitor.settled())
    assert felt[0].startswith("Sad") and felt[2].startswith("Afraid")
    assert felt[4].startswith("Joyful") and felt[5].startswith("Joyful")
    # The page goes where the talk goes: a colour for sadness, another one for joy at the end.
    assert grounds[1] != grounds[0] and grounds[6] not in (grounds[0], grounds[1])
    assert contrast(visitor.colour("body", "color"), grounds[6]) >= 4.5
    for where in ("#es-chat .es-you", "#es-send", "#es-box textarea"):
        assert contrast(visitor.colour(where), visitor.colour(where, "color")) >= 4.5, where
    assert "you seem delighted" in visitor.text(".es-manner")
    assert page.locator("#es-path circle").count() == 7  # six messages and the legend
    assert page.locator("#es-path .es-mark").count() >= 1
    assert "changed with" in visitor.text("#es-behind")
    page.locator("#es-path summary").click()
    assert page.locator("#es-path tbody tr").count() == 6
    assert page.evaluate("document.activeElement.closest('#es-path') !== null")
    visitor.check()


def test_the_colours_glide(visitor: Visitor) -> None:
    page = visitor.page
    page.evaluate(
        """() => { window.seen = new Set(); const look = () => {
          window.seen.add(getComputedStyle(document.body).backgroundColor);
          requestAnimationFrame(look); }; look(); }"""
    )
    visitor.say(TALK[0])
    end = visitor.settled()
    seen = page.evaluate("[...window.seen]")
    assert end != "#faf8f4" and len(seen) >= 5, seen


def test_an_answer_comes_at_its_pace(visitor: Visitor) -> None:
    page = visitor.page
    visitor.box.fill(TALK[0])
    visitor.box.press("Enter")
    page.locator("#es-chat .es-dots").wait_for()
    assert "is writing" in page.locator("#es-chat .es-agent").inner_text()
    # What was noticed stands there while the answer is still being written.
    page.locator(".es-manner").wait_for()
    assert page.locator("#es-chat .es-dots").count() == 1
    page.locator("#es-chat .es-w").first.wait_for()
    delays = page.locator("#es-chat .es-w").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).animationDelay))"
    )
    assert delays[0] == 0 and delays[1] == pytest.approx(60 / 150)  # 150 words a minute
    visitor.answer(0)
    assert "no advice yet: you seem overwhelmed" in visitor.text(".es-manner")


def test_a_correction_is_kept_and_the_next_state_is_shown(
    visitor: Visitor, here: EmotionAwareAgent
) -> None:
    page = visitor.page
    page.locator("#es-felt-fear").click()
    page.locator("#es-told", has_text="nothing to correct yet").wait_for()
    visitor.say(TALK[0])
    assert "I may be wrong: correct me." in page.locator(".es-beside").first.inner_text()
    before = visitor.text("#es-behind")
    known = set(here.profiles.users())
    page.locator("#es-felt-fear").click()
    page.locator("#es-told", has_text="you felt afraid").wait_for()
    page.locator("#es-bad").click()
    page.locator("#es-told", has_text="did not help").wait_for()
    mine = [u for u in known if here.profiles.export(u)["feedback"]]
    kept = [f for u in mine for f in here.profiles.export(u)["feedback"]]
    assert [(f["emotion"], f["rating"]) for f in kept] == [("fear", -1)]
    # What a correction does to later estimates is the agent's affair: the page shows its next
    # state, whatever it is.
    visitor.say("I keep thinking about what comes next.")
    assert visitor.text("#es-behind") != before
    assert visitor.text("#es-told") == ""
    visitor.check()


def test_a_crisis_message_shows_help_that_stays(visitor: Visitor) -> None:
    visitor.say("I don't want to live anymore")
    assert "You can talk to a person right now" in visitor.text("#es-help")
    assert visitor.page.locator("#es-help a[href^='tel:'], #es-help a[href^='https:']").count() >= 1
    assert "people who can help" in visitor.text(".es-manner")
    assert visitor.colour("body") != "#faf8f4"
    visitor.say("My dog helps a little.")
    assert "You can talk to a person right now" in visitor.text("#es-help")
    visitor.check()


def solved(statement: str) -> Fraction:
    """Return the answer of "work out 2/6 + 5/6 ...", found without the package."""
    a, b, sign, c, d = re.search(r"(\d+)/(\d+) ([+-]) (\d+)/(\d+)", statement).groups()  # type: ignore[union-attr]
    one, other = Fraction(int(a), int(b)), Fraction(int(c), int(d))
    return one + other if sign == "+" else one - other


def test_an_exercise_solved_wrong_then_right(visitor: Visitor) -> None:
    page = visitor.page
    visitor.tab("Tutoring")
    page.locator("#el-fractions").click()
    visitor.answer(0, "el")
    statement = visitor.text("#el-task .es-task")
    right = solved(statement)
    visitor.say(str(right + 1), "el")
    assert "Not yet" in visitor.text("#el-task .es-outcome")
    assert visitor.text("#el-task .es-task") == statement
    wrong = visitor.text("#el-known")
    assert "fractions 1" in wrong
    before = page.locator("#el-chat .es-agent").count()
    page.locator("#el-hint").click()
    assert len(visitor.answer(before, "el")) > 10
    assert "1 hint so far" in visitor.text("#el-task")
    visitor.say(str(right), "el")
    assert "Right" in visitor.text("#el-task .es-outcome")
    assert visitor.text("#el-task .es-task") != statement
    visitor.say(str(solved(visitor.text("#el-task .es-task"))), "el")
    assert visitor.text("#el-known") != wrong
    assert "engaged" in visitor.text("#el-doing")
    assert page.locator("#el-chat [data-press=mic]").count() == 0
    visitor.check()


def test_look_inside(visitor: Visitor) -> None:
    page = visitor.page
    visitor.tab("Look inside")
    page.locator("#ei-values", has_text="Say something in another tab").wait_for()
    visitor.tab("Counselling")
    visitor.say(TALK[0])
    visitor.say(TALK[4])
    visitor.tab("Look inside")
    page.locator("#ei-values pre").wait_for()
    turn = json.loads(page.locator("#ei-values pre").inner_text())
    assert turn["emotion"]["label"] == "joy"
    cell = page.locator(".es-matrix tbody td").first.inner_text()
    assert float(cell) == pytest.approx(turn["emotion"]["shift"], abs=0.006)
    assert "your words 100%" in visitor.text("#ei-shares")
    assert f"{turn['timings']['total']:.1f} ms" in visitor.text("#ei-timings")
    compile(page.locator("#ei-code pre").inner_text(), "shown.py", "exec")
    visitor.check()


# -- what is known, and forgetting it ----------------------------------------------------------


def test_export(visitor: Visitor) -> None:
    visitor.say("My canary is called Zitronella.")
    visitor.page.locator("#es-ask").click()
    with visitor.page.expect_download() as download:
        visitor.page.locator("#es-about a").click()
    assert download.value.suggested_filename == "about-me.json"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    found = json.loads(text)
    assert len(found["turns"]) == 1 and found["feedback"] == []
    assert "Zitronella" not in text
    visitor.check()


def test_erase_is_asked_for_twice(visitor: Visitor, here: EmotionAwareAgent) -> None:
    page = visitor.page
    visitor.say("My canary is called Zitronella.")
    visitor.say("7/12", "es")
    before = set(here.profiles.users())
    page.locator("#es-forget").click()
    page.locator("#es-stay").click()
    page.locator("#es-confirm").wait_for(state="hidden")
    assert set(here.profiles.users()) == before
    page.locator("#es-forget").click()
    page.locator("#es-sure").click()
    page.locator("#es-erased", has_text="2 messages is erased").wait_for()
    assert "Zitronella" not in page.content()
    assert len(before - set(here.profiles.users())) == 1
    assert visitor.settled() == "#faf8f4"
    assert len(visitor.say("Hello again.")) > 5
    visitor.check()


def gone(here: EmotionAwareAgent, names: set[str], page: Any) -> bool:
    for _ in range(100):
        if not names & set(here.profiles.users()):
            return True
        page.wait_for_timeout(200)
    return False


def test_a_reload_starts_afresh(visitor: Visitor, here: EmotionAwareAgent) -> None:
    before = set(here.profiles.users())
    visitor.say("My canary is called Zitronella.")
    mine = set(here.profiles.users()) - before
    assert len(mine) == 1
    visitor.page.reload()
    visitor.box.wait_for()
    assert "Zitronella" not in visitor.page.content()
    assert gone(here, mine, visitor.page)
    assert len(visitor.say("Hello again.")) > 5
    visitor.check()


def test_two_visitors_at_once(
    browser: Any, url: str, visitor: Visitor, here: EmotionAwareAgent
) -> None:
    other = Visitor(browser, url)
    start = other.colour("body")
    visitor.box.fill("My canary is called Zitronella, and I feel so sad and hopeless about it.")
    other.box.fill("I am furious at my landlord Quittenbrot!")
    visitor.box.press("Enter")
    other.box.press("Enter")
    visitor.answer(0)
    other.answer(0)
    assert "Quittenbrot" not in visitor.page.content()
    assert "Zitronella" not in other.page.content()
    # The theme of one is not that of the other.
    assert visitor.settled() != other.settled()
    third = Visitor(browser, url)
    assert third.colour("body") == start
    third.leave()
    users = set(here.profiles.users())
    other.check()
    other.leave()
    for _ in range(100):
        if len(here.profiles.users()) < len(users):
            break
        visitor.page.wait_for_timeout(200)
    assert len(here.profiles.users()) < len(users)
    assert len(visitor.say("I am still here.")) > 5
    visitor.check()
