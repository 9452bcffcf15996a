"""Voice, face and typing in a real browser with a fake microphone and a fake camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from empathic_sdk import EmotionAwareAgent, Modality
from tests.demo import signals
from tests.demo.browsing import Visitor

pytestmark = pytest.mark.browser


def allow(visitor: Visitor, label: str) -> None:
    visitor.page.get_by_label(label).check()


def pending(visitor: Visitor, words: str) -> None:
    """Wait for the line that says what goes with the next message."""
    visitor.page.locator("[data-es=pending]", has_text=words).wait_for()


@pytest.fixture
def known(visitor: Visitor, here: EmotionAwareAgent) -> Any:
    """Return what the store holds of this visitor alone."""
    others = set(here.profiles.users())

    def find() -> Any:
        (mine,) = set(here.profiles.users()) - others
        return here.profiles.export(mine)

    return find


def test_consent_comes_first(visitor: Visitor, known: Any) -> None:
    page = visitor.page
    assert [box.is_checked() for box in page.locator("#es-switches input").all()] == [False] * 3
    assert not page.locator("[data-press=mic]").is_visible()
    assert not page.locator("[data-press=camera]").is_visible()
    allow(visitor, "Listen to my voice")
    page.locator("[data-press=mic]").wait_for()
    assert not page.locator("[data-press=camera]").is_visible()
    assert [(c["modality"], c["granted"]) for c in known()["consents"]] == [("speech", True)]
    page.get_by_label("Listen to my voice").uncheck()
    page.locator("[data-press=mic]").wait_for(state="hidden")
    assert [c["granted"] for c in known()["consents"]] == [True, False]
    assert all(c["version"] == "1" for c in known()["consents"])
    visitor.check()


def test_a_voice_message(visitor: Visitor, known: Any) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["microphone"])
    allow(visitor, "Listen to my voice")
    visitor.box.fill("I failed the exam again.")
    page.locator("[data-press=mic]").click()
    page.locator(".es-light.es-on", has_text="Recording").wait_for()
    assert page.locator("[data-press=mic]").get_attribute("aria-pressed") == "true"
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Stop").click()
    pending(visitor, "A recording of ")
    assert page.locator(".es-light.es-on").count() == 0
    page.wait_for_timeout(1000)
    assert page.locator("#es-chat .es-you").count() == 0  # it never sends itself
    page.locator("#es-send").click()
    visitor.answer(0)
    assert not page.locator("[data-es=pending]").is_visible()
    assert "I failed the exam again. voice message, " in visitor.text("#es-chat .es-you")
    rows = visitor.text("#es-behind")
    assert "your words" in rows and "your voice" in rows
    assert "speech" in known()["turns"][0]["emotion"]["contributions"]
    visitor.check()


def test_a_sound_file_alone(visitor: Visitor, tmp_path: Path) -> None:
    allow(visitor, "Listen to my voice")
    visitor.page.locator("[data-es=file]").set_input_files(signals.wav(tmp_path / "voice.wav"))
    pending(visitor, "A sound file goes with your next message.")
    assert visitor.page.locator("#es-chat .es-you").count() == 0
    visitor.page.locator("#es-send").click()
    visitor.answer(0)
    assert "sound file" in visitor.text("#es-chat .es-you")
    assert "your voice 100%" in visitor.text("#es-behind")
    visitor.check()


def test_a_face_from_the_camera(visitor: Visitor, known: Any) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["camera"])
    allow(visitor, "Look at my face")
    page.locator("[data-press=camera]").click()
    page.locator(".es-light.es-on", has_text="Camera on").wait_for()
    page.wait_for_function("document.querySelector('[data-es=view]').videoWidth > 0")
    visitor.say("I am waiting for the result.")
    assert "one picture from the camera" in visitor.text("#es-chat .es-you")
    assert "your face" in visitor.text("#es-behind")
    assert "face" in known()["turns"][0]["emotion"]["contributions"]
    # Withdrawing the consent puts the camera out, and the next message goes without a picture.
    page.get_by_label("Look at my face").uncheck()
    page.wait_for_function("document.querySelector('[data-es=view]').srcObject === null")
    assert page.locator(".es-light.es-on").count() == 0
    visitor.say("It is late already.")
    assert "face" not in known()["turns"][1]["emotion"]["contributions"]
    visitor.check()


def test_how_somebody_types_counts_only_after_consent(visitor: Visitor, known: Any) -> None:
    visitor.box.press_sequentially("I am not sure.", delay=60)
    visitor.box.press("Enter")
    visitor.answer(0)
    assert not any('"typing' in body.replace("\\", "") for body in visitor.sent)  # not even sent
    allow(visitor, "Notice how I type")
    visitor.page.wait_for_function("document.querySelector('#es-may [data-may]')")
    visitor.box.press_sequentially("Maybe tomorrow then.", delay=60)
    visitor.box.press("Backspace")
    visitor.box.press("Enter")
    visitor.answer(1)
    first, second = (turn["emotion"]["contributions"] for turn in known()["turns"])
    assert Modality.BEHAVIOUR not in first and Modality.BEHAVIOUR in second
    assert any('"typing' in body.replace("\\", "") for body in visitor.sent)
    assert "how you type" in visitor.text("#es-behind")
    visitor.check()


def test_a_denied_microphone(visitor: Visitor) -> None:
    page = visitor.page
    visitor.context.clear_permissions()
    allow(visitor, "Listen to my voice")
    page.locator("[data-press=mic]").click()
    page.locator(".es-hint", has_text="did not allow the microphone").wait_for()
    assert page.locator(".es-light.es-on").count() == 0
    assert len(visitor.say("Then I type.")) > 5
    assert visitor.text(".es-hint") == ""
    visitor.check()


def test_no_camera(bare: Any, url: str) -> None:
    visitor = Visitor(bare, url)
    visitor.context.grant_permissions(["camera", "microphone"])
    allow(visitor, "Look at my face")
    visitor.page.locator("[data-press=camera]").click()
    visitor.page.locator(".es-hint", has_text="No camera was found").wait_for()
    assert len(visitor.say("Then without.")) > 5
    visitor.check()
    visitor.leave()


def test_files_that_are_no_sound(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.page
    allow(visitor, "Listen to my voice")
    giant = tmp_path / "giant.wav"
    with giant.open("wb") as file:
        file.truncate(500_000_000)  # takes no room on the disk
    page.locator("[data-es=file]").set_input_files(giant)
    page.locator(".es-hint", has_text="That file has 500 MB").wait_for()
    film = tmp_path / "film.mp4"
    film.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 2000)
    page.locator("[data-es=file]").set_input_files(film)
    page.locator(".es-hint", has_text="not a sound file").wait_for()
    # One that only pretends gets as far as the agent, and no further.
    pretends = tmp_path / "song.wav"
    pretends.write_bytes(film.read_bytes())
    page.locator("[data-es=file]").set_input_files(pretends)
    pending(visitor, "A sound file")
    page.locator("#es-send").click()
    page.locator("#es-problem", has_text="could not make anything of that recording").wait_for()
    assert page.locator("#es-chat .es-you").count() == 0
    assert len(visitor.say("Then I type.")) > 5
    assert visitor.text("#es-problem") == ""
    visitor.check()


RECORDERS = """() => {
  window.made = [];
  const Real = window.MediaRecorder;
  window.MediaRecorder = class extends Real {
    constructor(...given) { super(...given); window.made.push(this); }
  };
}"""


@pytest.mark.parametrize("tab", ["Tutoring", "Look inside"])
def test_recording_ends_with_the_tab_and_sends_nothing(visitor: Visitor, tab: str) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["microphone", "camera"])
    page.evaluate(RECORDERS)
    allow(visitor, "Listen to my voice")
    allow(visitor, "Look at my face")
    page.locator("[data-press=camera]").click()
    page.locator(".es-light.es-on", has_text="Camera on").wait_for()
    page.locator("[data-press=mic]").click()
    page.locator(".es-light.es-on", has_text="Recording").wait_for()
    page.wait_for_timeout(1500)
    visitor.tab(tab)
    page.wait_for_function("window.made.length === 1 && window.made[0].state === 'inactive'")
    page.wait_for_function("window.made[0].stream.getTracks().every(t => t.readyState === 'ended')")
    page.wait_for_function("document.querySelector('[data-es=view]').srcObject === null")
    page.wait_for_timeout(1500)
    assert not any('\\"sound' in body for body in visitor.sent)
    visitor.tab("Counselling")
    pending(visitor, "A recording of ")
    assert page.locator(".es-light.es-on").count() == 0
    assert page.locator("[data-press=mic]").get_attribute("aria-pressed") == "false"
    assert page.locator("#es-chat .es-you").count() == 0
    page.get_by_role("button", name="Discard it").click()
    assert not page.locator("[data-es=pending]").is_visible()
    visitor.say("Only words now.")
    assert "voice message" not in visitor.text("#es-chat .es-you")
    visitor.check()


def test_withdrawing_the_consent_discards_what_was_recorded(visitor: Visitor) -> None:
    page = visitor.page
    visitor.context.grant_permissions(["microphone"])
    allow(visitor, "Listen to my voice")
    page.locator("[data-press=mic]").click()
    page.locator(".es-light.es-on", has_text="Recording").wait_for()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Stop").click()
    pending(visitor, "A recording of ")
    page.get_by_label("Listen to my voice").uncheck()
    page.locator("[data-es=pending]").wait_for(state="hidden")
    allow(visitor, "Listen to my voice")
    visitor.say("Only words now.")
    assert "voice message" not in visitor.text("#es-chat .es-you")
    visitor.check()
