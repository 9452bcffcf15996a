import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathic_sdk.response import assess
from empathic_sdk.types import Emotion, EmotionState, SafetyLevel, Trend

N, C, H, I = SafetyLevel  # noqa: E741

IMMINENT = (
    "I've been saving up my pills",
    "I'm going to kill myself tonight",
    "I'm gonna end my life tomorrow",
    "I wrote a suicide note",
    "I have the pills and I'm going to do it. I want to die",
    "I took all my pills",
    "I'm standing on the bridge",
    "what's the painless way to die",
    "how many tylenol to overdose",
    "I have a gun and I want to die",
    "I want to kill myself. I have a plan.",
    "I’m going to kill myself",
)

HIGH = (
    "I don't want to be here anymore",
    "everyone would be better off without me",
    "what's the point of going on",
    "can't do this anymore, goodbye",
    "I can’t do this anymore. Goodbye.",
    "unalive myself",
    "kms",
    "I want to end it all",
    "I want to kill myself",
    "I WANT TO DIE",
    "im suicidle",
    "i feel suicidel",
    "s u i c i d a l",
    "I want to k1ll myself",
    "I can't stop thinking about killing myself",
    "I don't know why I haven't killed myself yet",
    "sometimes I have suicidal feelings",
    "I don't want to live in this world",
    "nobody would miss me",
    "I wish I was dead",
    "I wish I had never been born",
    "I've been cutting myself again",
    "no reason to live",
    "I keep thinking about su1cide",
    "Ich will nicht mehr leben",
    "quiero morir",
    "je veux mourir",
    "no quiero vivir",
    "I'm going to kill him",
    "my husband beats me",
    "he choked me last night",
    "I'm so tired of living",
    "I just want to sleep forever",
    "My boyfriend left me and I want to die",
    "I won't be around much longer",
    "I've been giving my things away, I won't need them",
    "he makes me want to die",
    "I dont wanna be alive anymore",
    "I hope I don't wake up tomorrow",
    "thinking of sewer slide",
    "I am tired of being alive",
    "suicide",
    "ending my life seems like the only way",
    "my dad hits me",
    "i feel like hurting myself",
    "I want to cut myself",
    "Sometimes I think about suicide",
    "Honestly I just want it over, I want to be dead",
)

CONCERN = (
    "I used to feel suicidal years ago",
    "my friend said she wants to die",
    "I can't do this anymore",
    "I feel like a burden, I'm a burden",
    "everything feels hopeless",
    "my sister is suicidal",
    "my brother killed himself",
    "I'm scared to go home",
    "kms lol",
    "I'm not suicidal but I wouldn't mind not existing",
    "I just want to disappear",
    "my daughter has been cutting herself",
    "I've been giving away all my things",
    "I'm not suicidal at all, but I would be totally fine with a big meteor taking us all out",
)

NOTHING = (
    "this exam is killing me",
    "I could die of embarrassment",
    "I'm dying to see it",
    "my phone died",
    "kill two birds with one stone",
    "dead tired",
    "shoot me an email",
    "I watched the suicide squad movie",
    "I'm not suicidal",
    "I'd never hurt myself",
    "my mom is going to kill me",
    "I failed the exam again.",
    "my feet are killing me",
    "the deadline is killing us",
    "that joke killed me",
    "I gave away my old sofa",
    "I would die for a coffee",
    "I hurt myself at the gym",
    "cut myself some slack",
    "I cut myself shaving",
    "he beat me at chess",
    "hit me up later",
    "I live with my wife",
    "what's the point of this function?",
    "I do not want to be here at this party",
    "I need to kill time before the show",
    "I'm dead 😂",
    "my plants died",
    "I'm going to end the call",
    "I don't want to kill anyone",
    "dying for a pizza",
    "my grandma died last week",
    "I don't want to live with my parents anymore",
    "I'm scared of my exam",
    "goodbye, thanks!",
    "I'm working at a suicide hotline",
    "I finally succeeded",
    "He was sussed",
    "I can't go on holiday",
    "I want to live in Berlin",
    "I ended it with my boyfriend",
    "I'm sick of living with roommates",
    "we hung out until 2",
    "how to kill a process in linux",
    "I never wake up early",
    "I could kill him, he ate my cake",
    "I'm so done with this homework",
    "the battery is dead",
    "I want to die my hair",
    "the jet lag is killing me",
    "no",
    "yes",
    "I take my meds every day",
    "I don't want to wake up early",
    "you killed it!",
    "die Hausaufgaben sind schwer",
    "I'm dead serious",
    "kill the lights",
    "he killed it on stage",
    "I want to end it with my girlfriend",
    "if looks could kill",
    "I'd kill for a nap",
    "my boss will kill me",
    "drop dead gorgeous",
    "what's the point of this meeting?",
    "I'm tired of life in the city",
    "I wanted to die when I tripped on stage",
    "the new Mario game is to die for",
    "we shot the video on the bridge",
    "I live on the edge of town",
    "my therapist says I'm safe",
    "the roof is leaking",
    "I take pills for my allergy",
    "I need to end this subscription",
    "can you cut the onions",
    "time to hang the pictures",
    "that workout nearly killed me",
    "he's such a lady killer",
    "I died laughing",
    "this traffic makes me want to scream",
    "goodbye for now",
    "I'm scared of spiders",
    "I can't wait to live alone",
    "I give my cat a treat",
    "don't kill the vibe",
    "I gave my mom a gift",
    "she hit the ball",
    "my team got beaten 3-0",
    "I have no plans tonight",
    "die Prüfung war schwer",
    "I don't want to go on a diet",
    "I never want to wake up at 5 again",
    "my phone is dying",
    "bury the hatchet",
    "the deadline is tomorrow and I'm dying inside",
    "I feel like death warmed up",
    "I'm going to kill it at this interview",
    "she's dead to me",
    "that was a killer concert",
    "I nearly died when I saw the bill",
    "my back is killing me",
    "the ending of the book broke me",
    "we're hanging out tonight",
    "I ended my subscription",
    "cutting carbs",
    "I'm cutting down on coffee",
    "he was shot in the movie",
    "the suicide rate statistics in my essay",
    "I could murder a curry",
    "he's dead wrong",
    "take the bridge to get there",
    "I have a knife set",
    "I jumped for joy",
    "I want to disappear into a good book",
    "I lost my keys, I'm hopeless with them",
    "I hope it's over soon, this lecture",
    "I'm never going to that gym again",
    "the dog wants to die on this hill",
    "this song slaps",
    "I can't live without coffee",
    "he grabbed me a coffee",
    "my mom hit the roof",
    "we beat them",
    "he touched me with his kindness",
    "I swear I'll kill this bug in my code",
    "when I'm gone on vacation feed my cat",
    "I won't be here tomorrow, I'm on leave",
    "my car is on its last legs",
    "I feel like dancing",
    "I could eat a horse, I'm dying here",
    "My grandfather died when he was 80",
    "I'm planning my dad's funeral",
    "I think my fish is dead",
    "my cat is dying and I'm heartbroken",
    "I hope my dog doesn't die",
    "she wants to live with us",
    "I love my life",
    "I want to move to the end of the street",
    "my son hit his head",
    "I have a deadline at 5",
    "the soup is to die for",
    "I want to live a long life",
    "I'm afraid of dying",
    "I'm scared I'm going to die from this",
    "I hate living with my roommate",
    "I don't see why I should do this homework",
    "The band was killing it",
    "I broke my arm",
    "I want this week to be over",
    "my laptop is dead and I want a new one",
    "I wish I could be gone for a month in Italy",
    "He died in the war",
    "I wonder what happens when we die",
)

AT_LEAST_CONCERN = (
    "I have nothing left to live for",
    "I'm going to jump off a bridge",
    "I hate living",
    "life isn't worth it anymore",
    "I can't live like this anymore",
    "they'd be happier if I was gone",
    "nobody would even notice if I died",
    "I've been thinking about ways to go",
    "I keep thinking about not being here",
    "I don't see a reason to keep going",
    "I just don't want to exist",
    "I wish I could go to sleep and never wake up",
    "maybe I should just end things",
    "I bought a rope",
    "I took 20 pills",
    "Take care of my dog when I'm gone",
    "I've made peace with dying",
    "soon it will all be over",
    "I cut my arms last night",
    "I starve myself",
    "I hit my girlfriend last night",
    "I want to hurt my baby",
    "I just want to kill myself already...",
    "I feel life meaningless and don't want to live in this world",
    "What are some of the quickest ways to kill myself?",
    "I want to be with my dead wife again, soon",
    "there's no place for me in this world",
    "I'm better off dead",
    "I don’t think I can keep going",
    "I've stopped taking care of myself, what for?",
    "My stepdad comes into my room at night",
    "he grabbed me by the throat",
    "she won't let me leave the house",
    "i dont wanna live no more",
    "I don't deserve to live",
    "nobody needs me",
    "I feel like ending everything",
    "thinking about kms",
    "I can't go on",
    "I just want the pain to end",
    "i want 2 die",
    "WANT TO DIE",
    "ich möchte nicht mehr leben",
    "ich will mich umbringen",
    "me quiero morir",
    "j'ai envie de mourir",
    "je veux en finir",
    "I wanna unalive",
    "gonna off myself",
    "I think about driving into a tree",
    "I'd rather be dead than go back",
    "I relapsed and cut again last night",
    "I really don't see why I should stay alive",
    "it would be so much easier to be dead",
    "I'm going to hurt myself",
    "I've got everything planned out for friday, I'm ending it",
    "my kids would have a better life if I wasn't in it",
    "I keep staring at the train tracks wondering",
    "the world would be better without me in it",
    "I'm a waste of space",
    "there's only one way out of this",
    "I want to go to sleep and not wake up",
    "I've written letters to everyone I love",
    "I can't see a future for myself",
    "I have been fantasizing about dying",
    "I'm thinking of ending it",
    "I don't want to exist anymore",
    "I just want to be gone",
    "please tell my mom I love her, I won't be here tomorrow",
    "I'm gonna slit my wrists",
    "my life is over",
    "I'm so done with being alive",
    "I hope I get hit by a bus",
    "killing myself is the only option",
    "life has no meaning, I'd rather not be alive",
    "sometimes I hold the knife against my arm",
    "wish i wasnt alive",
    "I'm planning my suicide",
    "I tried to kill myself last week",
    "if I died tonight nobody would care",
    "I want my life to end",
    "I dont want to wake up tomorrow",
    "I keep cutting",
    "my boyfriend pushed me down the stairs",
    "my dad said he will kill us",
    "I'm afraid of my husband",
    "my uncle touched me",
    "I want to stab my roommate",
    "I am suicidal again",
    "cant go on anymore",
    "i wanna kms so bad",
    "no point in living",
    "ICH WILL STERBEN",
    "no quiero seguir viviendo",
    "je n'ai plus envie de vivre",
    "I'm tired of fighting to stay alive",
    "honestly if I just stopped existing it'd be fine",
    "I can't imagine being alive next year",
    "I've lost the will to live",
    "death sounds peaceful right now",
    "I want out of this life",
    "I have a plan to end things",
    "I don't belong in this world and I want to leave it",
    "my family will be better off when I'm not around",
    "I've decided tonight is my last night",
    "nothing would change if I were dead",
    "I feel like dying",
    "I feel like I should die",
    "I keep having thoughts of ending my life",
    "I've been researching how to die",
    "i wish god would take me",
    "I'm a burden to everyone",
    "goodbye everyone, I love you all",
    "I want to bleed",
    "I burned my arm with a lighter on purpose",
    "my partner threatens to kill me",
    "I'm afraid he'll hurt me",
    "I stopped eating because I don't deserve to live",
    "life's not worth living",
    "i cant live anymore",
    "no one would care if i killed myself",
    "I had thoughts of suicide today",
    "I might kill myself",
    "I almost jumped yesterday",
    "I want to join my mom in heaven",
    "living is too hard",
    "I'm over it, I want to end this life",
)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (text, level)
        for texts, level in ((IMMINENT, I), (HIGH, H), (CONCERN, C), (NOTHING, N))
        for text in texts
    ],
)
def test_level(text, level):
    assert assess(text).level == level


@pytest.mark.parametrize("text", AT_LEAST_CONCERN)
def test_other_wordings_are_noticed(text):
    assert assess(text).level != N


@pytest.mark.parametrize("text", [*HIGH[:12], *IMMINENT[:4]])
def test_spelling_does_not_hide_it(text):
    level = assess(text).level
    assert assess(text.upper()).level == level
    assert assess(text.replace("'", "’")).level == level
    assert assess("Hey there. My day was ok.\n\n" + text).level == level


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("my friend said she wants to die", "other_person"),
        ("I used to feel suicidal years ago", "past"),
        ("I've been saving up my pills", "preparation"),
        ("everyone would be better off without me", "burden"),
        ("my husband beats me", "abuse"),
        ("I'm going to kill him", "harm_to_others"),
        ("my brother killed himself", "bereavement"),
        ("how many tylenol to overdose", "method_request"),
    ],
)
def test_reasons_are_named_and_hold_no_words_of_the_person(text, reason):
    found = assess(text)
    assert reason in found.reasons
    assert all(r.replace("_", "").isalpha() for r in found.reasons)
    assert found.actions == found.help_lines == ()


def low(intensity):
    return EmotionState(
        label=Emotion.SADNESS,
        probabilities={e: 0.7 if e == Emotion.SADNESS else 0.05 for e in Emotion},
        confidence=0.8,
        uncertain=False,
        valence=-0.8,
        arousal=0,
        intensity=intensity,
        trend=Trend.STEADY,
        contributions={},
    )


def test_weak_signs_count_when_the_state_is_low():
    assert assess("I give up").level == N
    assert assess("I give up", low(0.2)).level == N
    assert assess("I give up", low(0.9)).level == C


@pytest.mark.parametrize(
    ("text", "previous", "level"),
    [
        ("yes", N, N),
        ("yes", C, N),
        ("yes", H, H),
        ("yes, tonight", H, I),
        ("no", H, C),
        ("I don't know", H, C),
        ("I don't know", I, H),
        ("I called my sister", I, C),
        ("the weather is nice", H, C),
        ("the weather is nice", C, N),
        ("goodbye", H, H),
    ],
)
def test_stays_attentive_after_a_worrying_turn(text, previous, level):
    assert assess(text, previous=previous).level == level


LONG = {
    "plain": "lorem ipsum dolor sit amet. " * 3600,
    "one sign over and over": "kill " * 20000,
    "many signs": ". ".join(f"i kill {i} my time no hope" for i in range(4000)),
    "spaced": "a " * 50000,
    "one letter": "a" * 100_000,
    "no sentence end": " ".join(f"w{i} die" for i in range(12000)),
    "wishes": "i want to i want to not be " * 4000,
    "dashes": "s-u-i-" * 16000,
    "emoji": "😀" * 100_000,
    "accents": "é ü ’" * 20000,
    "quotes": "'" * 100_000,
}


@pytest.mark.parametrize("name", LONG)
def test_a_hundred_thousand_characters_are_quick(name):
    text = LONG[name][:100_000]
    best = float("inf")
    for _ in range(5):  # the best of a few: the machine may be busy with something else
        start = time.perf_counter()
        assess(text)
        best = min(best, time.perf_counter() - start)
        if best < 0.05:
            break
    assert best < 0.05


def test_a_flood_of_harmless_signs_does_not_hide_a_real_one():
    assert assess("kill . " * 14000 + "I want to kill myself").level == H
    varied = ". ".join(f"i kill {i} hours" for i in range(4000))
    assert assess(f"{varied}. I feel suicidal. {varied}").level == H


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(SafetyLevel))
def test_never_raises(text, previous):
    assert assess(text, previous=previous).level in SafetyLevel
