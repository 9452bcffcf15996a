"""Who may do what when: the hard rules, the learned planner within them, its features."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from empathic_sdk.dialogue import planner
from empathic_sdk.dialogue.planner import Planner, features, feeling, length, shipped_planner
from empathic_sdk.dialogue.strategy import may_suggest, permitted, plan, refuses_advice
from empathic_sdk.errors import ModelError
from empathic_sdk.lab.exporting.strategy import export_planner
from empathic_sdk.responders.embedded import EmbeddedResponder
from empathic_sdk.runtime import checkpoints
from empathic_sdk.runtime.networks import shipped
from empathic_sdk.types import Emotion, SafetyAssessment, SafetyLevel, Strategy, UserContext
from empathic_sdk.types.reply import ResponderMemory

Q, RS, RF, SD, A, S, I, O = Strategy  # noqa: E741
LISTENING = (Q, RS, RF, A)
IDEAS = (*LISTENING, S, I)
SAD, JOY = Emotion.SADNESS, Emotion.JOY
HEARD = (RF, A)  # two replies that showed somebody that they were heard


class Fixed:
    """A planner that always says the same."""

    width = 2

    def __init__(self, *order):
        self.p = np.zeros((1, 8), np.float32)
        for rank, strategy in enumerate(order):
            self.p[0, list(Strategy).index(strategy)] = 1.0 / (rank + 1)

    def distribution(self, x):
        assert x.shape == (1, length(2))
        return self.p


@pytest.fixture
def moment(talk, state):
    """Build the context of one moment of a talk."""

    def build(
        text="It was a long day at work.", label=SAD, *, used=(), turn=6, level=SafetyLevel.NONE,
        scenario="counselling", advice="open", before=(), likes=None, **kinds,
    ):  # fmt: skip
        now = state(label, **kinds)
        context = talk.context(text, now)
        return context.model_copy(
            update={
                "history": tuple(state(SAD, intensity=i) for i in before),
                "turn": turn,
                "safety": SafetyAssessment(level=level),
                "scenario": scenario,
                "user": UserContext(preferences=likes or {}),
                "memory": ResponderMemory(strategies=used, advice=advice),
                "text_vector": (0.0, 0.0),
            }
        )

    return build


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        # Safety first, whatever else holds.
        ({"level": SafetyLevel.CONCERN, "used": HEARD}, (Q,)),
        ({"level": SafetyLevel.IMMINENT, "text": "what should I do?"}, (Q,)),
        # Acts.
        ({"text": "hello"}, (O,)),
        ({"text": "thank you so much"}, (O,)),
        ({"text": "What should I do?", "turn": 0}, (S, I)),
        ({"text": "yes"}, (Q,)),
        ({"text": "no"}, (Q,)),
        ({"text": "yes", "advice": "offered"}, (S, I)),
        ({"text": "yes", "advice": "declined"}, (Q,)),
        # Tutoring does not counsel.
        ({"scenario": "tutoring", "used": HEARD}, (Q, A)),
        ({"scenario": "tutoring", "text": "what should I do?"}, (S, I)),
        # What cannot be read is asked about; who is well is not advised.
        ({"uncertain": True, "used": HEARD}, (Q, RS, RF)),
        ({"label": JOY, "used": HEARD}, LISTENING),
        ({"label": Emotion.NEUTRAL, "used": HEARD}, LISTENING),
        # Early in a talk: no ideas; then two comforting replies come first.
        ({"turn": 0, "used": HEARD}, LISTENING),
        ({"turn": 1, "used": HEARD}, LISTENING),
        ({"turn": 2, "used": HEARD}, IDEAS),
        ({"turn": 9, "used": ()}, LISTENING),
        ({"turn": 9, "used": (Q, RF, Q)}, LISTENING),
        ({"turn": 9, "used": (RF, RF)}, IDEAS),
        # Not again so soon.
        ({"used": (*HEARD, S)}, LISTENING),
        ({"used": (*HEARD, I, Q)}, LISTENING),
        ({"used": (*HEARD, S, Q, A, RF)}, IDEAS),
        # Not to somebody who is getting worse, was just upset, or is more upset than before.
        ({"used": HEARD, "trend": "worsening"}, LISTENING),
        ({"used": HEARD, "trend": "volatile"}, LISTENING),
        ({"used": HEARD, "shift": 0.7}, LISTENING),
        ({"used": HEARD, "shift": 0.2}, IDEAS),
        ({"used": HEARD, "before": (0.5, 0.7), "intensity": 0.9}, LISTENING),
        ({"used": HEARD, "before": (0.5, 0.9), "intensity": 0.7}, IDEAS),
        ({"used": HEARD, "before": (0.1, 0.1), "intensity": 0.4}, IDEAS),
        # Not to somebody who does not want them.
        ({"used": HEARD, "advice": "declined"}, LISTENING),
        ({"used": HEARD, "likes": {"advice": "No"}}, LISTENING),
        ({"used": HEARD, "text": "I don't want any advice, I am just so sad."}, LISTENING),
        ({"used": HEARD, "text": "I just need to vent about my boss."}, LISTENING),
    ],
)
def test_hard_rules(moment, given, allowed):
    context = moment(**given)
    assert permitted(context) == allowed
    assert (S in allowed and given.get("text") is None) == (
        may_suggest(context) and allowed == IDEAS
    )
    # Whoever plans stays inside, and never discloses a life that a program does not have.
    for wanted in Strategy:
        assert plan(context, Fixed(wanted, SD)) in allowed
    assert plan(context) in allowed


@pytest.mark.parametrize(
    "text",
    [
        "no advice please", "I don’t want advice", "please stop giving me advice",
        "I'm not looking for solutions", "don't tell me what to do", "I just want to vent",
        "can you just listen", "I am sick of your suggestions", "I only need to be heard",
    ],
)  # fmt: skip
def test_refusals(text):
    assert refuses_advice(text)


@pytest.mark.parametrize(
    "text",
    [
        "any advice?", "what should I do", "I would love some tips", "I just got fired",
        "my boss never listens", "she gave me good advice", "I don't know what to do",
        "I have no idea how to go on", "I have no ideas left", "he would not listen to my ideas",
    ],
)  # fmt: skip
def test_no_refusals(text):
    assert not refuses_advice(text)


def test_the_learned_planner_chooses_within_the_rules(moment):
    assert plan(moment(used=HEARD), Fixed(S, Q)) == S
    assert plan(moment(used=HEARD, turn=1), Fixed(S, Q)) == Q
    assert plan(moment(used=(*HEARD, Q)), Fixed(Q, RS)) == RS  # not twice running
    # Without a text vector the rules plan.
    bare = moment(used=HEARD).model_copy(update={"text_vector": ()})
    assert plan(bare, Fixed(I)) == plan(bare)


def test_a_talk_moves_on_as_it_should(talk, state):
    """Listening first; ideas once the person was heard and is calmer; never against their will."""
    eager = EmbeddedResponder(planner=Fixed(S, RF, A, Q))

    def say(text, intensity):
        context = talk.context(text, state(SAD, intensity=intensity))
        context = context.model_copy(update={"text_vector": (0.0, 0.0)})
        reply = eager.reply(context)
        assert eager.reply(context) == reply  # deterministic
        talk.memory = reply.memory
        talk.history.append(context.state)
        return reply

    told = [
        ("My father left us when I was ten.", 0.8),
        ("He wrote to me yesterday after all these years.", 0.9),
        ("My mother cried when I told her.", 0.7),
        ("The letter is still on my kitchen table.", 0.6),
    ]
    strategies = [say(*line).strategy for line in told]
    assert strategies[:2] == [RF, A]
    assert strategies[2] == S  # two comforting replies, and calmer than at the worst
    assert talk.memory.advice == "open"  # they went on telling: the offer lapsed
    assert S not in strategies[3:]
    say("It makes the evenings long.", 0.5)
    say("My sister does not want to hear of him.", 0.5)
    offer = say("The evenings are long.", 0.4)
    assert (offer.strategy, talk.memory.advice) == (S, "offered")
    taken = say("yes please", 0.4)
    assert taken.strategy == S  # consent: now the idea itself
    assert talk.memory.advice == "open"


def test_no_to_an_offer_is_remembered(talk, state):
    responder = EmbeddedResponder()
    talk.memory = ResponderMemory(strategies=(RF, A, S), advice="offered")
    for text, advice in (
        ("no", "declined"),
        ("My father left us when I was ten.", "declined"),
        ("What should I do?", "open"),
    ):
        reply = responder.reply(talk.context(text, state(SAD)))
        talk.memory = reply.memory
        assert reply.memory.advice == advice
    assert reply.strategy == S


def test_refusing_advice_is_not_asking_for_it(talk):
    reply = talk.say("I don't want any advice, I just need someone to listen.", SAD)
    assert reply.strategy not in (S, I)
    assert reply.memory.advice == "declined"


def test_features_by_hand(state):
    sad, glad = state(SAD, intensity=0.6, shift=0.25), state(JOY, trend="improving")
    x = features(
        said=np.array([1, 2], np.float32),
        replied=None,
        feelings=np.stack([feeling(sad), feeling(glad)]),
        used=[0, 2, 0],
        turn=3,
        again=False,
        width=2,
    )
    assert x.dtype == np.float32
    assert x.shape == (length(2),)
    assert x[:6].tolist() == [1, 2, 0, 0, 1, 0]  # said, replied, and which of them is real
    now = [0.05, 0.7, *[0.05] * 5, 0.5, 0, 0.6, 0, 1, 0, 0, 0]
    assert x[6:21] == pytest.approx(now)
    change = [0, 0.65, -0.65, 0, 0, 0, 0, 1, 0, 0]
    assert x[21:31] == pytest.approx(change, abs=1e-6)
    assert x[31:34].tolist() == [0.5, -0.5, 0.5]  # above the mean; the least, the greatest
    recent = x[34:58].reshape(3, 8)
    assert recent.argmax(1).tolist() == [0, 2, 0]
    assert recent.sum() == 3
    assert x[58:66] == pytest.approx([1 + 0.49, 0, 0.7, 0, 0, 0, 0, 0])
    assert x[66:74] == pytest.approx([2 / 3, 0, 1 / 3, 0, 0, 0, 0, 0])
    assert x[74:] == pytest.approx([0.3, np.log(4), 0, 0, 1, 0])


def test_features_of_nothing_are_finite():
    x = features(
        said=None, replied=None, feelings=np.zeros((0, 15), np.float32), used=[], turn=0,
        again=False, width=3,
    )  # fmt: skip
    assert np.isfinite(x).all()
    assert x[-6:].tolist() == [0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize("hidden", [0, 5])
def test_both_files_compute_what_the_network_does(tmp_path, hidden):
    import torch

    from empathic_sdk.models.strategy import StrategyNetwork

    torch.manual_seed(0)
    network = StrategyNetwork(inputs=length(3), hidden=hidden, classes=8, dropout=0.5)
    network.mean.normal_()
    network.scale.uniform_(0.5, 2)
    about = {"strategies": list(map(str, Strategy)), "width": 3, "name": "t", "text_sha256": "x"}
    path = tmp_path / "strategy.safetensors"
    checkpoints.save(path, network.state_dict(), about)
    export_planner(path, tmp_path / "strategy.onnx")
    tensors, _ = checkpoints.load(path)
    network.load_state_dict(tensors)
    x = np.random.default_rng(0).normal(size=(7, length(3))).astype(np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(x)).logits
    for found in (Planner(path), Planner(tmp_path / "strategy.onnx")):
        assert found.width == 3
        assert found.logits(x) == pytest.approx(expected.numpy(), abs=1e-4)
        assert found.distribution(x) == pytest.approx(expected.softmax(1).numpy(), abs=1e-5)


def test_arrays_are_what_load_gives(tmp_path):
    import torch

    tensors = {"big": torch.randn(80, 80), "small": torch.randn(3)}
    checkpoints.save(tmp_path / "w.safetensors", tensors, {"a": 1})
    loaded, about = checkpoints.load(tmp_path / "w.safetensors")
    arrays, same = checkpoints.arrays(tmp_path / "w.safetensors")
    assert about == same == {"a": 1}
    for name, tensor in loaded.items():
        assert np.array_equal(arrays[name], tensor.numpy())


def test_wrong_weights_are_refused(tmp_path):
    import torch

    with pytest.raises(ModelError, match="no weights at"):
        Planner(tmp_path / "none.safetensors")
    path = tmp_path / "w.safetensors"
    checkpoints.save(path, {"mean": torch.zeros(3)}, {"strategies": ["question"], "width": 3})
    with pytest.raises(ModelError, match="no support planner that fits"):
        Planner(path)
    with pytest.raises(ModelError, match="no support planner that fits"):
        Planner(shipped("dialogue"))
    with pytest.raises(ModelError, match="no support planner that fits"):
        export_planner(path, tmp_path / "w.onnx")


def test_missing_weights_warn_once_and_leave_it_to_the_rules(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(planner, "weights_dir", lambda: tmp_path)
    planner.warned.clear()
    with caplog.at_level(logging.WARNING):
        assert shipped_planner() is None
        assert shipped_planner() is None
    assert len(caplog.records) == 1
    assert "only the rules decide" in caplog.text
    planner.warned.clear()
