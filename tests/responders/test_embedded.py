import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from empathic_sdk.dialogue.strategy import plan
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.types import Emotion, SafetyLevel, Strategy, UserContext
from empathic_sdk.types.reply import Reply, ResponderMemory

SAD, ANGRY, AFRAID, GLAD = Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.JOY

LINES = [
    ("hi", Emotion.NEUTRAL),
    ("I failed the exam again", SAD),
    ("I studied for weeks", SAD),
    ("my dad shouted at me about it", AFRAID),
    ("yes", SAD),
    ("he never listens", ANGRY),
    ("idk", Emotion.NEUTRAL),
    ("I feel like nothing I do is good enough", SAD),
    ("what should I do?", SAD),
    ("I tried that", SAD),
]


def sentences(talk):
    return [sentence for reply in talk.replies for sentence in reply.sentences]


def test_a_thirty_turn_talk_stays_varied(talk):
    for turn in range(30):
        text, label = LINES[turn % len(LINES)]
        talk.say(text, label, shift=0.6 if turn % 4 == 3 else 0.1)
    for before, after in pairwise(talk.replies):
        assert not set(before.sentences) & set(after.sentences)
    said = sentences(talk)
    for index, sentence in enumerate(said):
        assert sentence not in said[max(0, index - 20) : index]
    assert len(set(said)) / len(said) > 0.9
    assert len({reply.strategy for reply in talk.replies}) >= 5


def test_the_same_line_thirty_times_never_gets_the_same_answer_twice_in_a_row(talk):
    for _ in range(30):
        talk.say("hello")
    for before, after in pairwise(talk.replies):
        assert not set(before.sentences) & set(after.sentences)


def test_the_same_context_gives_the_same_reply(new_talk):
    one, other = new_talk(), new_talk()
    for text, label in LINES:
        assert one.say(text, label) == other.say(text, label)
    assert sentences(new_talk(name="b")) == []


def test_memory_travels_as_json_and_holds_no_words_of_the_person(talk):
    for text, label in LINES:
        reply = talk.say(text, label)
        again = ResponderMemory.model_validate_json(reply.memory.model_dump_json())
        assert again == reply.memory
        assert Reply.model_validate_json(reply.model_dump_json()) == reply
    kept = talk.memory.model_dump_json()
    for word in ("exam", "studied", "shouted", "listens"):
        assert word not in kept
    assert len(kept) < 2000


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("are you a bot?", Emotion.NEUTRAL, "AI"),
        ("Are you a real person", ANGRY, "AI"),
        ("do you have feelings?", Emotion.NEUTRAL, "AI"),
        ("who are you?", Emotion.NEUTRAL, "AI"),
        ("how do you know how I feel?", Emotion.NEUTRAL, "estimate|guess"),
        ("do you store what I say?", Emotion.NEUTRAL, "stored|kept|estimates"),
        ("I failed the exam again", SAD, "you failed the exam again"),
        ("I GOT THE JOB!!!", GLAD, "you got the job"),
        ("ich bin so traurig und mir ist alles zu viel", SAD, "English"),
    ],
)
def test_what_an_answer_must_hold(talk, text, label, words):
    assert any(word in talk.say(text, label).text for word in words.split("|"))


@pytest.mark.parametrize("text", ["I'm not sad", "you got it wrong", "no, that's not what I meant"])
def test_a_correction_is_taken_without_apology(talk, text):
    talk.say("meh day", SAD)
    reply = talk.say(text, SAD, uncertain=True)
    assert reply.strategy == Strategy.OTHERS
    assert "sorry" not in reply.text.lower()
    assert "sad" not in reply.text.lower()


def test_uncertain_names_no_feeling(new_talk):
    for number in range(12):
        talk = new_talk(name=str(number))
        text = " ".join(
            talk.say(line, SAD, uncertain=True).text.lower()
            for line in ("It rained", "I stayed in")
        )
        assert not any(
            word in text for word in ("sad", "angry", "scared", "grief", "heavy", "hurt", "happy")
        )


def test_good_news_gets_joy_and_neutral_talk_no_therapy(new_talk):
    for number in range(12):
        glad = new_talk(name=str(number)).say("I passed my driving test!", GLAD)
        assert "!" in glad.text
        plain = new_talk(name=str(number)).say("I bought a new kettle today", Emotion.NEUTRAL).text
        assert not any(word in plain.lower() for word in ("feel", "heavy", "hard", "carry", "hurt"))


def test_no_advice_before_it_is_asked_for_early_in_a_talk(new_talk):
    for number in range(10):
        talk = new_talk(name=str(number))
        for text in ("I feel down", "it has been weeks", "my friends are busy", "I stay in bed"):
            assert talk.say(text, SAD).strategy not in (Strategy.SUGGESTIONS, Strategy.INFORMATION)
    assert talk.say("what should I do?", SAD).strategy == Strategy.SUGGESTIONS


def test_the_profile_is_mentioned_only_if_there_is_one_and_as_an_estimate(new_talk):
    known = UserContext(turns=5, conversations=1, last_emotion=SAD)
    told = {new_talk(name=str(n), user=known).say("hello").text for n in range(6)}
    assert all("sad" in text and ("estimate" in text or "read you" in text) for text in told)
    for stranger in (UserContext(), UserContext(turns=0, last_emotion=SAD)):
        assert "sad" not in new_talk(user=stranger).say("hello").text
    talk = new_talk(user=known)
    talk.say("hello")
    assert "sad" not in talk.say("hello").text


def test_tutoring_points_at_learning(new_talk):
    talk = new_talk(scenario="tutoring")
    for text, label in [
        ("I don't get fractions", AFRAID),
        ("wrong again", ANGRY),
        ("I see!", GLAD),
    ]:
        reply = talk.say(text, label)
        assert reply.learning is not None and reply.exercise is not None
    assert new_talk().say("I see!", GLAD).exercise is None


def test_plan_follows_the_stage_and_the_last_strategies(new_talk):
    talk = new_talk()
    early = [talk.say(f"I feel bad about thing {n}", SAD).strategy for n in range(3)]
    assert early == [Strategy.QUESTION, Strategy.RESTATEMENT, Strategy.REFLECTION]
    later = [talk.say(f"I feel bad about it {n}", SAD).strategy for n in range(12)]
    assert Strategy.SUGGESTIONS in later[4:]
    assert Strategy.SELF_DISCLOSURE not in later
    every = early + later
    assert all(before != after for before, after in pairwise(every))


def test_a_shift_is_reflected_and_worsening_is_affirmed(new_talk, state):
    talk = new_talk()
    talk.say("good day so far", GLAD)
    assert plan(talk.context("and then she left", state(SAD, shift=0.9))) == Strategy.REFLECTION
    assert (
        plan(talk.context("it gets worse", state(SAD, trend="worsening"))) == Strategy.AFFIRMATION
    )


CRISIS = UserContext(preferences={"locale": "US"})


def test_a_first_crisis_turn_does_all_that_the_protocol_says(new_talk):
    for number in range(8):
        reply = new_talk(name=str(number), user=CRISIS).say("I don't want to be here anymore", SAD)
        assert reply.safety.level == SafetyLevel.HIGH
        assert set(reply.safety.actions) >= {
            "acknowledged",
            "asked_directly",
            "showed_help_lines",
            "encouraged_support",
            "stayed_in_conversation",
        }
        text = reply.text.lower()
        assert "988" in text
        assert any(w in text for w in ("suicide", "ending your life", "killing yourself"))
        assert "trust" in text or "close to you" in text or "someone who knows you" in text
        assert any(w in text for w in ("doctor", "therapist", "professional", "counsellor"))
        assert [line.locale for line in reply.safety.help_lines] == ["US", "US"]


def test_crisis_turns_vary_and_keep_one_line_in_sight(new_talk):
    talk = new_talk(user=CRISIS)
    texts = ["I want to die", "yes", "I want to be dead", "I want to die", "it never stops", "ok"]
    replies = [talk.say(text, SAD) for text in texts]
    assert len({reply.text for reply in replies}) == len(replies)
    assert "showed_help_lines" in replies[0].safety.actions
    for reply in replies[1:]:
        assert "showed_help_lines" not in reply.safety.actions
        assert "kept_help_line_in_sight" in reply.safety.actions
        assert "988" in reply.text
        assert len(reply.safety.help_lines) == 1


def test_rising_to_imminent_shows_the_lines_again(new_talk):
    talk = new_talk(user=CRISIS)
    talk.say("I want to die", SAD)
    reply = talk.say("I have the pills and I'm going to do it tonight", SAD)
    assert reply.safety.level == SafetyLevel.IMMINENT
    assert {"showed_help_lines", "urged_distance_from_means"} <= set(reply.safety.actions)
    assert "911" in reply.text


def test_pacing_never_cuts_the_protocol(new_talk):
    reply = new_talk(user=CRISIS, max_sentences=1).say("I want to kill myself", SAD)
    assert {"asked_directly", "showed_help_lines", "encouraged_support"} <= set(
        reply.safety.actions
    )
    assert len(reply.sentences) <= 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("my friend said she wants to die", "them|they|someone"),
        ("I used to feel suicidal years ago", "then|past|back|time"),
        ("my brother killed himself", "loss|los|that way|heavier"),
        ("I can't do this anymore", "friend|trust|close"),
        ("I'm scared to go home", "safe|danger|fault"),
    ],
)
def test_a_concern_is_checked_gently(new_talk, text, words):
    reply = new_talk(user=CRISIS).say(text, SAD)
    assert reply.safety.level == SafetyLevel.CONCERN
    assert "checked_in" in reply.safety.actions
    assert "988" in reply.text or "Hotline" in reply.text
    assert any(word in reply.text for word in words.split("|"))


def test_someone_elses_danger_is_not_asked_as_if_it_were_theirs(new_talk):
    for number in range(8):
        text = new_talk(name=str(number)).say("my friend said she wants to die", AFRAID).text
        assert "your life" not in text


labels = st.sampled_from(Emotion)
texts = st.text(max_size=120) | st.sampled_from(
    [text for text, _ in LINES]
    + ["I want to die", "bye", "🙂", "a" * 3000, "<script>", "{quote}", ""]
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the fixture is a class
)
@given(
    st.lists(st.tuples(texts, labels, st.booleans()), min_size=1, max_size=6),
    st.integers(1, 6),
    st.sampled_from(["counselling", "tutoring"]),
)
def test_any_talk_is_answered_within_its_pacing(new_talk, turns, limit, scenario):
    talk = new_talk(scenario=scenario, max_sentences=limit)
    last = ()
    for text, label, uncertain in turns:
        reply = talk.say(text, label, uncertain=uncertain)
        assert all(sentence.strip() for sentence in reply.sentences)
        acute = reply.safety.level in (SafetyLevel.HIGH, SafetyLevel.IMMINENT)
        assert len(reply.sentences) <= (max(limit, 5) if acute else limit)
        assert sum(sentence.endswith("?") for sentence in reply.sentences) <= 1
        assert not set(reply.sentences) & set(last)
        last = reply.sentences


def test_hostile_and_huge_texts(talk):
    for text in (
        "x" * 100_000,
        "I am sad. " * 10_000,
        "<script>alert(1)</script>" * 50,
        "{0}{quote}",
    ):
        reply = talk.say(text, SAD)
        assert "<" not in reply.text
        assert len(reply.text) < 600


def test_formal_and_direct_tones_are_heard(new_talk):
    formal = new_talk(user=UserContext(preferences={"tone": "formal"}))
    text = " ".join(formal.say(line, label).text for line, label in LINES)
    assert "I'm" not in text
    assert "That's" not in text
    direct = new_talk(user=UserContext(preferences={"tone": "direct"}))
    assert len(direct.say("things are bad", SAD).sentences) == 1


def test_name_and_language():
    assert EmbeddedResponder.name == "embedded"
    assert EmbeddedResponder(language="de").language == "de"


@pytest.mark.parametrize(
    "text",
    ["ok " * 300, "thanks a lot so i have to go now " * 90, "so, " * 300, "I think and I " * 90],
)
def test_no_pattern_blows_up(talk, text):
    start = time.perf_counter()
    talk.say(text, SAD)
    assert time.perf_counter() - start < 1.0


def test_joy_never_cheers_the_hard_part(new_talk):
    for text in (
        "my sister said she failed twice too, which is funny",
        "my dog was sick and now we are home again",
    ):
        talk = new_talk()
        for _ in range(4):
            assert not any(word in talk.say(text, Emotion.JOY).text for word in ("failed", "sick"))
