from __future__ import annotations

import base64
import json
import re

import pytest

from empathic_sdk import (
    Emotion,
    EmotionState,
    HelpLine,
    Modality,
    Pacing,
    ResponseStyle,
    Theme,
    Tone,
    Trend,
)
from empathic_sdk.demo import noticing, panels
from empathic_sdk.demo.chart import SHOWN, Point, chart
from empathic_sdk.demo.palette import AA, AA_GRAPHICS, START, colours, mix, readable, sheet
from empathic_sdk.demo.style import CSS
from empathic_sdk.style.themes import THEMES
from empathic_sdk.types import contrast

EVIL = """<img src=x onerror=alert(1)> & "quoted" 'single' ![a](http://evil.example/x.png)"""
SAFE = (
    "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quoted&quot; &#x27;single&#x27; "
    "![a](http://evil.example/x.png)"
)


def state(**changes: object) -> EmotionState:
    shares = (0.1, 0.05, 0.6, 0.05, 0.05, 0.1, 0.05)
    given: dict[str, object] = {
        "label": Emotion.SADNESS,
        "probabilities": dict(zip(Emotion, shares, strict=True)),
        "confidence": 0.6,
        "uncertain": False,
        "valence": -0.36,
        "arousal": 0.06,
        "intensity": 0.7,
        "contributions": {Modality.TEXT: 1.0},
    }
    return EmotionState(**(given | changes))


def style(**changes: object) -> ResponseStyle:
    given: dict[str, object] = {
        "tone": Tone(
            name="gentle", warmth=0.9, energy=0.1, formality=0.2, instructions="Soft and slow."
        ),
        "pacing": Pacing(delay_s=1.2, words_per_minute=150, max_sentences=3),
        "theme": START,
    }
    return ResponseStyle(**(given | changes))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# -- the conversation --------------------------------------------------------------------


def test_what_a_person_or_the_agent_says_is_escaped() -> None:
    html = panels.conversation(
        "<b>notice</b>", [panels.Bubble(True, [EVIL]), panels.Bubble(False, [EVIL])]
    )
    assert html.count(SAFE) == 2
    assert "<img" not in html and "<b>" not in html


def test_the_notice_is_open_until_the_talk_begins() -> None:
    assert '<details class="es-note" open>' in panels.conversation("An AI.", [])
    begun = panels.conversation("An AI.", [panels.Bubble(True, ["hi"])])
    assert '<details class="es-note">' in begun and "An AI." in begun


def test_who_spoke_is_said_in_words_too() -> None:
    html = panels.conversation(
        "", [panels.Bubble(True, ["hi"]), panels.Bubble(False, ["Hello.", "You?"])]
    )
    assert words(html).endswith("You: hi Agent: Hello. You?")


def test_an_answer_under_way_shows_that_more_is_coming() -> None:
    assert "is writing" in panels.conversation("", [panels.Bubble(False, [], writing=True)])
    html = panels.conversation("", [panels.Bubble(False, ["One.", "Two."], writing=True)])
    assert "is writing" in html
    assert "<span>One.</span> <span>Two.</span>" in html
    assert "is writing" not in panels.conversation("", [panels.Bubble(False, ["One."])])


def test_words_arrive_at_the_pace() -> None:
    html = panels.conversation(
        "", [panels.Bubble(False, ["One.", "Two <b>."], words_per_minute=150)]
    )
    assert "<span>One.</span>" in html
    assert '<span class="es-w" style="animation-delay:0.00s">Two</span>' in html
    assert '<span class="es-w" style="animation-delay:0.40s">&lt;b&gt;.</span>' in html


def test_what_came_with_the_words_is_said() -> None:
    html = panels.conversation("", [panels.Bubble(True, [], with_it="voice message, 3 s")])
    assert words(html).endswith("You: voice message, 3 s")


def test_beginnings_stand_there_until_the_talk_begins() -> None:
    html = panels.conversation("", [], first="Hi <b>", starts=("It's me & you",))
    assert "Hi &lt;b&gt;" in html and 'data-press="start">It&#x27;s me &amp; you</button>' in html
    begun = panels.conversation("", [panels.Bubble(True, ["hi"])], first="Hi", starts=("A",))
    assert "es-starts" not in begun and "es-first" not in begun


@pytest.mark.parametrize(
    ("length", "cut"), [(600, None), (601, "1 more"), (100_000, "99,400 more")]
)
def test_long_messages_are_shown_in_part(length: int, cut: str | None) -> None:
    html = panels.conversation("", [panels.Bubble(True, ["x" * length])])
    assert "x" * 600 in html and "x" * 601 not in html
    assert (cut is None) == ("es-cut" not in html)
    if cut is not None:
        assert f"{cut} characters" in html


def test_a_cut_never_splits_an_escape() -> None:
    html = panels.conversation("", [panels.Bubble(True, ["<" * 700])])
    assert html.count("&lt;") == 600


def test_a_very_long_talk_shows_its_end() -> None:
    html = panels.conversation("", [panels.Bubble(True, [f"m{i}."]) for i in range(203)])
    assert "3 earlier messages are not shown" in html
    assert "m2." not in html and "m3." in html and "m202." in html


# -- what I notice, how I answer ------------------------------------------------------------------


def test_noticed_in_words_and_numbers() -> None:
    assert words(noticing.noticed(state(), "gentle: you seem sad")) == (
        "What I notice Sad 60% sure I answer gentle: you seem sad ."
    )
    text = words(noticing.behind(state()))
    assert text.startswith("Behind it neutral 10% joyful 5% sad 60% angry 5%")
    assert "unpleasant ↔ pleasant -0.36 calm ↔ excited +0.06" in text
    assert "first message" in text and text.endswith("This conversation steady")


def test_uncertain_is_said_first() -> None:
    text = words(noticing.noticed(state(uncertain=True, confidence=0.31)))
    assert text.startswith("What I notice Not sure perhaps sad, 31%")


def test_change_names_the_two_largest_moves() -> None:
    change = dict(zip(Emotion, (-0.1, 0.02, 0.55, 0.0, 0.0, -0.47, 0.0), strict=True))
    text = words(noticing.behind(state(shift=0.9, change=change, trend=Trend.WORSENING)))
    assert "changed with 90% probability: more sadness (+55 points), less fear (-47 points)" in text
    assert text.endswith("getting heavier")


def test_bars_have_the_width_of_their_numbers() -> None:
    html = noticing.behind(state())
    widths = [float(w) for w in re.findall(r"width:([\d.]+)%;background:var\(--es-e-", html)]
    assert widths == [10.0, 5.0, 60.0, 5.0, 5.0, 10.0, 5.0]
    assert "left:32.0%" in html and "left:53.0%" in html


def test_nothing_noticed_yet() -> None:
    assert "Nothing yet" in noticing.noticed(None)
    assert "follow how you feel" in noticing.answering(None)


def test_answering_escapes_what_hooks_say() -> None:
    tone = Tone(name=EVIL, warmth=0, energy=0, formality=0, instructions=EVIL)
    theme = Theme(name=EVIL, primary="#000000", background="#ffffff", text="#000000")
    html = noticing.answering(style(tone=tone, theme=theme))
    assert "<img" not in html and html.count("&lt;img") == 3


def test_answering_in_words() -> None:
    text = words(noticing.answering(style()))
    assert text == (
        "How I answer Gentle Soft and slow. Pace I wait 1.2 s, then write about 150 words a "
        "minute, 3 sentences at most Colours start"
    )


# -- help, problems, what is stored ------------------------------------------------------


def test_help_lines() -> None:
    lines = [
        HelpLine(name="your lifeline", contact="988", hours="24/7"),
        HelpLine(name="Helpline", contact="findahelpline.com", hours="24/7"),
        HelpLine(name="<b>", contact="javascript:alert(1)", hours="<i>"),
        HelpLine(name="X", contact='a.com" onclick="x', hours="1"),
    ]
    html = panels.help_box(lines)
    assert '<a href="tel:988">988</a>' in html and "Your lifeline" in html
    assert '<a href="https://findahelpline.com" target="_blank" rel="noopener noreferrer">' in html
    assert 'href="javascript' not in html and "<i>" not in html and "<b>" not in html
    assert html.count("<a ") == 2
    assert panels.help_box([]) == ""


def test_problems_and_confirmations_are_announced_and_escaped() -> None:
    assert panels.problem(EVIL) == f'<div class="es-problem" role="alert">{SAFE}</div>'
    assert SAFE in panels.told(EVIL) and 'role="status"' in panels.told("x")
    assert panels.problem("") == panels.told("") == ""


def test_about_is_readable_whole_and_inside_the_page() -> None:
    exported = {
        "user": EVIL,
        "profile": {"turns": 3, "emotions": {"sadness": 2, "joy": 1}},
        "feedback": [{"emotion": "fear"}],
        "note": "</pre><script>alert(1)</script>",
    }
    html = panels.about(exported)
    assert "<script" not in html and "<img" not in html
    assert "sad 2 times, joyful 1 time<" in html and "1 corrected or rated answer<" in html
    coded = re.search(r'href="data:application/json;base64,([^"]+)"', html)
    assert coded is not None
    assert json.loads(base64.b64decode(coded[1])) == exported


def test_about_somebody_unknown() -> None:
    html = panels.about({"user": "visitor-1", "profile": None, "feedback": []})
    assert "0 messages" in html and "nothing" in html


# -- the drawing -------------------------------------------------------------------------


def points(n: int) -> list[Point]:
    return [
        Point(
            "sad", Emotion.SADNESS, -1 + 2 * i / max(1, n - 1), 0.5, i == 0,
            None if i == 0 else 0.9 if i == n - 1 else 0.2,
        )
        for i in range(n)
    ]  # fmt: skip


def test_chart_says_what_it_draws() -> None:
    html = chart(points(2))
    assert 'role="img"' in html
    assert "The first: sad?. The last: sad. Changes towards: sad." in html
    assert 'points="14.0,134.0 346.0,34.0" class="es-valence"' in html
    assert 'points="14.0,59.0 346.0,59.0" class="es-arousal"' in html
    assert "two lines will grow here" in chart([])


def test_a_shift_is_marked_by_a_line_and_a_word_and_a_number() -> None:
    html = chart(points(3))
    assert html.count('class="es-mark"') == 1 and words(html).count("shift") == 1
    assert "3 sad +1.00 +0.50 90%" in words(html) and "1 sad? -1.00 +0.50 –" in words(html)
    steady = [Point("sad", Emotion.SADNESS, 0.0, 0.0, False, 0.49)] * 3
    assert "es-mark" not in chart(steady) and "Changes towards" not in chart(steady)


def test_valence_and_arousal_differ_in_more_than_colour() -> None:
    html = chart(points(2))
    # One round and one square point a message, and one of each in the legend.
    assert html.count("<circle") == 3 and html.count("<path") == 3
    assert "pleasant (up) or not" in html and "excited (up) or calm" in html


def test_chart_keeps_the_newest() -> None:
    html = chart(points(SHOWN + 5))
    assert html.count("<circle") == SHOWN + 1
    assert "<th scope=row>6</th>" in html and "<th scope=row>5</th>" not in html
    assert f"The last {SHOWN} of {SHOWN + 5} messages." in html


# -- colours -----------------------------------------------------------------------------

HARD = Theme(name="hard", primary="#ffff66", background="#ffffff", text="#767676")
NIGHT = Theme(name="night", primary="#222244", background="#101014", text="#e8e8ee")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("theme", [*THEMES.values(), START, HARD, NIGHT], ids=lambda t: t.name)
def test_everything_stays_readable(theme: Theme, dark: bool) -> None:
    c = colours(theme, dark=dark)
    for ground in ("bg", "panel", "bubble"):
        for text in ("text", "muted", "accent"):
            assert contrast(c[text], c[ground]) >= AA, (text, ground)
    assert contrast(c["on-accent"], c["accent"]) >= AA
    for emotion in Emotion:
        assert contrast(c[f"e-{emotion}"], c["panel"]) >= AA_GRAPHICS
    assert contrast(c["edge"], c["panel"]) >= AA_GRAPHICS


def test_a_light_theme_is_shown_as_it_is_and_a_dark_one_stays() -> None:
    assert colours(START)["bg"] == START.background and colours(START)["text"] == START.text
    assert contrast(colours(START, dark=True)["bg"], "#000000") < 2
    assert colours(NIGHT, dark=True) == colours(NIGHT)


def test_mix_and_readable() -> None:
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
    assert readable("#000000", ("#ffffff",), "#000000") == "#000000"
    assert readable("#ffffff", ("#ffffff",), "#000000") == "#737373"


def test_a_theme_is_two_blocks_on_the_body() -> None:
    css = sheet(START)
    assert css.startswith("body{--es-bg:#faf8f4;") and "}body.dark{color-scheme:dark;" in css
    assert "<" not in css


def test_the_style_sheet_reaches_nobody_else_and_respects_reduced_motion() -> None:
    elsewhere = CSS.replace("http://www.w3.org/2000/svg", "")  # a name, never fetched
    assert "http" not in elsewhere and "@import" not in CSS
    assert CSS.count("url(") == CSS.count('url("data:image/svg+xml') == 1
    assert "GLIDE;" not in CSS and "--es-bg 1.1s ease" in CSS
    assert "prefers-reduced-motion: reduce" in CSS
