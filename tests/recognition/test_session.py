"""The dialogue model inside a session: streaming, memory, travel, shift, contributions."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from empathic_sdk import EmotionRecognizer, Modality, TextEncoder, Utterance
from empathic_sdk.errors import ConfigurationError, InputError, ModelError
from empathic_sdk.lab.exporting.dialogue import export_checkpoint
from empathic_sdk.lab.training.dialogue_fit import load_checkpoint
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget import MDGET, MDGETConfig
from empathic_sdk.models.mdget.step import Step, about_step
from empathic_sdk.recognition.calibration import Calibration
from empathic_sdk.recognition.contributions import shapley, shares
from empathic_sdk.recognition.dialogue_network import DialogueNetwork
from empathic_sdk.recognition.dialogue_state import DialogueMemory
from empathic_sdk.recognition.tracker import StateTracker
from empathic_sdk.runtime import checkpoints

WORDS = ["I am glad", "no, not again!", "leave me alone", "what was that?", "fine", "so sad"]


def network(*, seed: int = 0, causal: bool = True, window: int = 4, **more: object) -> MDGET:
    torch.manual_seed(seed)
    values = {"inputs": {"text": 384}, "classes": 7, "width": 16, "heads": 4, "window": window,
              "speakers": 3, "causal": causal, **more}  # fmt: skip
    made = MDGET(MDGETConfig(**values)).eval()  # type: ignore[arg-type]
    with torch.no_grad():  # far from the calm start, so that context shows
        for p in made.parameters():
            p.mul_(3.0) if p.ndim > 1 else p
    return made


def saved(folder: Path, made: MDGET, **more: object) -> Path:
    path = folder / "dialogue.safetensors"
    checkpoints.save(
        path,
        made.state_dict(),
        {"name": "tiny", "configuration": made.config.as_dict(),
         "calibration": Calibration(temperature=1.3, shift_scale=0.7, shift_bias=0.2).model_dump(),
         **more},
    )  # fmt: skip
    return path


def stepped(made: MDGET) -> DialogueNetwork:
    about = {"configuration": made.config.as_dict(), "step": about_step(made.config)}
    return DialogueNetwork(Step(made).compute, about, "tiny")


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("tiny"), network())


@pytest.fixture(scope="module", params=["onnx", "torch"])
def talker(
    encoder: TextEncoder, checkpoint: Path, request: pytest.FixtureRequest
) -> EmotionRecognizer:
    path = checkpoint
    if request.param == "onnx":
        path = checkpoint.with_name("dialogue.onnx")
        export_checkpoint(checkpoint, path)
    return EmotionRecognizer(text=encoder, dialogue=path)


def talk(n: int, speakers: int = 2) -> list[Utterance]:
    return [Utterance(f"{WORDS[i % 6]} {i}", speaker=f"s{i % speakers}") for i in range(n)]


def same(one: object, other: object) -> None:
    a, b = one.model_dump(), other.model_dump()  # type: ignore[attr-defined]
    assert a["label"] == b["label"]
    for key in ("probabilities", "change"):
        assert a[key] == pytest.approx(b[key], abs=1e-5)
    for key in ("shift", "valence", "arousal"):
        assert a[key] == pytest.approx(b[key], abs=1e-5)


@pytest.mark.parametrize("pieces", [[1] * 9, [4, 5], [2, 1, 6], [8, 1]])
def test_any_split_gives_the_states_of_one_pass(
    talker: EmotionRecognizer, pieces: list[int]
) -> None:
    said = talk(9, speakers=4)
    whole = talker.recognize_dialogue(said)
    session, at = talker.session(), 0
    for size in pieces:
        for state, expected in zip(
            session.extend(said[at : at + size]), whole[at : at + size], strict=True
        ):
            same(state, expected)
        at += size


def test_the_past_matters_and_the_future_does_not(talker: EmotionRecognizer) -> None:
    said = talk(8)
    whole = talker.recognize_dialogue(said)
    for k in range(1, 8):
        for state, expected in zip(talker.recognize_dialogue(said[:k]), whole[:k], strict=True):
            same(state, expected)
    alone = talker.recognize(said[-1])
    assert alone.probabilities != pytest.approx(whole[-1].probabilities, abs=1e-3)


def test_a_session_travels_through_json_text(
    talker: EmotionRecognizer, encoder: TextEncoder, checkpoint: Path, tmp_path: Path
) -> None:
    said = talk(9, speakers=3)
    whole = talker.recognize_dialogue(said)
    session = talker.session()
    session.extend(said[:6])
    state = json.dumps(json.loads(session.state())).encode()
    assert not any(word in state.decode() for word in ("glad", "alone", '"s0"'))
    if "checkpoint_sha256" in talker.dialogue_about:
        path = tmp_path / "copy.onnx"
        path.write_bytes(checkpoint.with_name("dialogue.onnx").read_bytes())
    else:  # the same weights, written anew
        path = saved(tmp_path, network())
    elsewhere = EmotionRecognizer(text=encoder, dialogue=path).session()
    elsewhere.restore(state)
    for got, expected in zip(elsewhere.extend(said[6:]), whole[6:], strict=True):
        same(got, expected)


def test_what_a_session_keeps_stops_growing(talker: EmotionRecognizer) -> None:
    session, sizes = talker.session(), []
    for said in talk(40):
        session.add(said)
        sizes.append(len(session.state()))
    assert max(sizes[12:]) - min(sizes[12:]) < 300  # digits of probabilities, no more tensors


def test_two_thousand_utterances_and_one(talker: EmotionRecognizer) -> None:
    states = talker.recognize_dialogue(
        [Utterance("go on", speaker=str(i % 90)) for i in range(2000)]
    )
    assert len(states) == 2000
    assert all(np.isfinite(s.confidence) for s in states)
    assert talker.recognize_dialogue(["alone"])[0].shift is None
    assert talker.recognize_dialogue([]) == []


def test_a_new_speaker_midway_has_no_shift(talker: EmotionRecognizer) -> None:
    session = talker.session()
    session.extend(talk(5))
    newcomer = session.add(Utterance("hello", speaker="nobody knew"))
    assert newcomer.shift is None and newcomer.change is None
    assert session.add(Utterance("hello", speaker="nobody knew")).shift is not None


def test_shift_is_the_transfer_module_s(
    talker: EmotionRecognizer, encoder: TextEncoder, checkpoint: Path
) -> None:
    said = [Utterance("I am glad", speaker="a"), Utterance("so?", speaker="b"),
            Utterance("leave me alone", speaker="a")]  # fmt: skip
    state = talker.recognize_dialogue(said)[2]
    model = load_checkpoint(checkpoint)[0]
    vectors = torch.from_numpy(encoder.encode([u.text or "" for u in said]))[None]
    here = torch.ones(1, 3, dtype=torch.bool)
    batch = DialogueBatch({"text": vectors}, {"text": here}, here, torch.tensor([[0, 1, 0]]))
    with torch.inference_mode():
        pairs = model(batch, pairs=True).pairs
    assert pairs is not None
    z = pairs.logits[0, 2, 0].double().numpy()
    odds = z[1] - z[0]
    assert state.shift == pytest.approx(1 / (1 + np.exp(-(0.7 * odds + 0.2))), abs=1e-4)


def test_the_transfer_matrix_holds_each_pair_as_the_module_reads_it(
    talker: EmotionRecognizer, encoder: TextEncoder, checkpoint: Path
) -> None:
    said = talk(5)
    session = talker.session()
    assert session.transfers() is not None and session.transfers().changed.shape == (0, 0)  # type: ignore[union-attr]
    states = [session.add(u) for u in said[:2]] + session.extend(said[2:])
    found = session.transfers()
    assert found is not None and found.speakers == tuple(u.speaker for u in said)
    assert found.changed.shape == (5, 5) and found.changed.dtype == np.float32
    assert (np.isnan(found.changed) == ~np.tri(5, k=-1, dtype=bool)).all()
    # Against the same speaker's last utterance it is the shift of the state.
    assert found.changed[3, 1] == pytest.approx(states[3].shift, abs=1e-6)
    assert found.changed[4, 2] == pytest.approx(states[4].shift, abs=1e-6)
    # The whole dialogue in one pass, each pair on its own.
    model = load_checkpoint(checkpoint)[0]
    assert model.transfer is not None
    vectors = torch.from_numpy(encoder.encode([u.text or "" for u in said]))
    batch = DialogueBatch(
        features={Modality.TEXT: vectors[None]},
        present={Modality.TEXT: torch.ones(1, 5, dtype=torch.bool)},
        mask=torch.ones(1, 5, dtype=torch.bool),
        speaker=torch.tensor([[0, 1, 0, 1, 0]]),
    )
    with torch.inference_mode():
        h = model(batch).vectors[0]
        raw = torch.softmax(model.transfer.between(h[4], h[0]), -1)[1].item()
    odds = np.log(raw) - np.log1p(-raw)
    assert found.changed[4, 0] == pytest.approx(1 / (1 + np.exp(-(0.7 * odds + 0.2))), abs=1e-4)


def test_the_transfer_matrix_is_bounded_and_no_part_of_the_state(
    talker: EmotionRecognizer,
) -> None:
    session = talker.session()
    before = session.state()
    session.extend(talk(70))
    found = session.transfers()
    assert found is not None and found.changed.shape == (32, 32) and len(found.speakers) == 32
    assert found.speakers == tuple(u.speaker for u in talk(70)[-32:])
    again = talker.session()
    again.restore(session.state())
    assert again.transfers() is not None and again.transfers().speakers == ()  # type: ignore[union-attr]
    session.restore(before)
    assert session.transfers().speakers == ()  # type: ignore[union-attr]


def test_without_a_dialogue_model_nothing_is_compared(encoder: TextEncoder) -> None:
    session = EmotionRecognizer(text=encoder, dialogue=False).session()
    session.add("hello")
    assert session.transfers() is None


def changed(state: dict, name: str, value: float | None) -> str:
    """Return the tensors of a state, one of them filled with a value or taken out."""
    tensors = load(base64.b64decode(state["memory"]["tensors"]))
    if value is None:
        del tensors[name]
    else:
        tensors[name] = np.full_like(tensors[name], value)
    return base64.b64encode(save(tensors)).decode()


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda d: d["memory"].update(tensors="AAAA"), "not the state of a dialogue session"),
        (lambda d: d["memory"].update(tensors="%"), "not the state of a dialogue session"),
        (lambda d: d["memory"].pop("speakers"), "not the state of a dialogue session"),
        (lambda d: d["memory"]["configuration"].update(width=32), "another configuration"),
        (lambda d: d.update(memory=None), "without a dialogue model"),
        (lambda d: d.update(version=99), "version 99"),
        (lambda d: d["memory"].update(speakers=[["x", 0]]), "not the state of a dialogue session"),
        (lambda d: d["memory"].update(count=float("inf")), "no count of speakers"),
        (lambda d: d["memory"].update(count=-1), "no count of speakers"),
        (lambda d: d["memory"].update(count=1), "speakers do not fit"),
        (lambda d: d["memory"].update(weights="0" * 16), "with other weights"),
        (lambda d: d["memory"].update(tensors=changed(d, "state.past.present", None)), "dialogue"),
        (lambda d: d["memory"].update(tensors=changed(d, "state.own", 1e38)), "plausible"),
        (lambda d: d["memory"].update(tensors=changed(d, "last", np.nan)), "plausible"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_lost(
    talker: EmotionRecognizer, break_it: object, message: str
) -> None:
    said = talk(4)
    whole = talker.recognize_dialogue(said)
    session = talker.session()
    session.extend(said[:3])
    broken = json.loads(session.state())
    break_it(broken)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        session.restore(json.dumps(broken).encode())
    same(session.add(said[3]), whole[3])


def test_a_state_from_before_the_dialogue_model_keeps_each_speaker_s_past(
    encoder: TextEncoder, talker: EmotionRecognizer
) -> None:
    tracker = StateTracker(Calibration())
    tracker.add("s0", np.array([0, 9, 0, 0, 0, 0, 0.0]), np.zeros(2), [])
    old = {"version": 1, "speakers": tracker.dump()}
    session = talker.session()
    session.restore(json.dumps(old).encode())
    session.extend(talk(5))
    session.restore(json.dumps(old).encode())  # the dialogue model begins afresh
    fresh = talker.session()
    fresh.restore(json.dumps(old).encode())
    state = session.add(Utterance("hello", speaker="s0"))
    same(state, fresh.add(Utterance("hello", speaker="s0")))
    assert state.change is not None


def test_forgotten_speakers_are_new_however_the_talk_is_cut(talker: EmotionRecognizer) -> None:
    rng = np.random.default_rng(0)
    said = [Utterance(WORDS[i % 6], speaker=f"s{rng.integers(100)}") for i in range(200)]
    whole = talker.recognize_dialogue(said)
    session = talker.session()
    for one, expected in zip(said, whole, strict=True):
        same(session.add(one), expected)


def test_all_or_nothing_is_heard(
    talker: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = talker.session()
    session.extend(talk(3))
    before = session.state()
    encode = talker.text.encode

    def broken(texts: list[str]) -> np.ndarray:
        vectors = encode(texts).copy()
        vectors[-1, 0] = np.nan
        return vectors

    monkeypatch.setattr(talker.text, "encode", broken)
    with pytest.raises(InputError, match="utterance 70 of 70 is not finite"):
        session.extend(talk(70))
    assert session.state() == before


def test_wrong_checkpoints_are_refused(encoder: TextEncoder, tmp_path: Path) -> None:
    timed = saved(tmp_path, network(timing=4))
    with pytest.raises(ModelError, match="reads the timing"):
        EmotionRecognizer(text=encoder, dialogue=timed)
    for wrong in (True, 5, ""):
        with pytest.raises(ConfigurationError, match="dialogue must be the path"):
            EmotionRecognizer(text=encoder, dialogue=wrong)  # type: ignore[arg-type]
    both = saved(tmp_path, network(causal=False))
    with pytest.raises(ModelError, match="reads the future"):
        EmotionRecognizer(text=encoder, dialogue=both)
    narrow = saved(tmp_path, network(inputs={"text": 12}))
    with pytest.raises(ModelError, match="text vectors of 384"):
        EmotionRecognizer(text=encoder, dialogue=narrow)
    foreign = saved(tmp_path, network(), text_sha256="0" * 64)
    with pytest.raises(ModelError, match="another text encoder"):
        EmotionRecognizer(text=encoder, dialogue=foreign)
    checkpoints.save(tmp_path / "other.safetensors", {"a": torch.zeros(2)}, {"name": "x"})
    with pytest.raises(ModelError, match="holds no dialogue model"):
        EmotionRecognizer(text=encoder, dialogue=tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="no weights at"):
        EmotionRecognizer(text=encoder, dialogue=tmp_path / "nothing.safetensors")


def test_every_utterance_alone(encoder: TextEncoder) -> None:
    recognizer = EmotionRecognizer(text=encoder, dialogue=False)
    said = talk(4)
    for state, one in zip(recognizer.recognize_dialogue(said), said, strict=True):
        assert state.probabilities == pytest.approx(
            recognizer.recognize(one).probabilities, abs=1e-5
        )


def test_a_vector_that_is_not_finite_is_named_and_nothing_is_heard() -> None:
    memory = DialogueMemory(stepped(network()), Calibration())
    good = np.ones((2, 384), np.float32)
    here = {"text": np.ones(2, bool)}
    bad = good.copy()
    bad[1, 7] = np.nan
    with pytest.raises(InputError, match="text vector of utterance 2 of 2 is not finite"):
        memory.read(["a", "b"], {"text": bad}, here)
    fresh = DialogueMemory(stepped(network()), Calibration())
    np.testing.assert_array_equal(
        memory.read(["a", "b"], {"text": good}, here).logits,
        fresh.read(["a", "b"], {"text": good}, here).logits,
    )


def test_contributions_agree_with_deletion() -> None:
    made = network(inputs={"text": 6, "speech": 3, "face": 2})
    rng = np.random.default_rng(0)
    features = {m: rng.normal(size=(3, w)).astype(np.float32) * 2
                for m, w in made.config.inputs.items()}  # fmt: skip
    present = {m: np.ones(3, bool) for m in features}
    present["face"][1] = False
    present["speech"][2] = present["face"][2] = False
    heard = DialogueMemory(stepped(made), Calibration()).read(["a", "b", "a"], features, present)
    assert [set(c) for c in heard.contributions] == [
        {Modality.TEXT, Modality.SPEECH, Modality.FACE},
        {Modality.TEXT, Modality.SPEECH},
        {Modality.TEXT},
    ]
    for shared in heard.contributions:
        assert sum(shared.values()) == pytest.approx(1.0)
        assert min(shared.values()) >= 0.0
    # Two players: each one's value is the mean of what it adds alone and what it adds last.
    label = heard.logits[1].argmax()

    def p(*some: str) -> float:
        taken = {m: here.copy() for m, here in present.items()}
        for m in taken:
            taken[m][1] &= m in some
        logits = (
            DialogueMemory(stepped(made), Calibration())
            .read(["a", "b", "a"], features, taken)
            .logits[1]
        )
        e = np.exp(logits.astype(float) - logits.max())
        return float(e[label] / e.sum())

    text = (p("text") - p() + p("text", "speech") - p("speech")) / 2
    speech = (p("speech") - p() + p("text", "speech") - p("text")) / 2
    positive = {"text": max(text, 0), "speech": max(speech, 0)}
    total = sum(positive.values())
    if total:
        assert heard.contributions[1][Modality.TEXT] == pytest.approx(
            positive["text"] / total, abs=1e-4
        )


def test_shapley_by_hand() -> None:
    worth = {"": 0.0, "a": 12.0, "b": 6.0, "c": 0.0, "ab": 24.0, "ac": 12.0, "bc": 6.0, "abc": 30.0}
    found = shapley(lambda some: worth["".join(sorted(some))], ["a", "b", "c"])
    # Over the six orders: a adds 12, 12, 18, 24, 12, 24; b 12, 18, 6, 6, 18, 6; c 6, 0, 6, 0, 0, 0.
    assert found == pytest.approx({"a": 17.0, "b": 11.0, "c": 2.0})
    assert shares({"a": 3.0, "b": -1.0, "c": 1.0}) == {"a": 0.75, "b": 0.0, "c": 0.25}
    assert shares({"a": -1.0, "b": 0.0}) == {"a": 0.5, "b": 0.5}
