from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.cfn_esa import CFNESA
from empathic_sdk.lab.baselines.dialogue_rnn import DialogueRecurrence, DialogueRNN, reversal
from empathic_sdk.lab.baselines.recurrent import (
    ContextGRU,
    ContextTransformer,
    UtteranceLinear,
    joined,
    sinusoids,
)
from empathic_sdk.models.dialogue import DialogueBatch
from empathic_sdk.models.mdget.attention import Reach

INPUTS = {"text": 5, "audio": 3, "vision": 2}
CLASSES = 4
LENGTHS = (9, 4, 1)
Make = Callable[[], nn.Module]


def maker(kind: type[nn.Module], **options: Any) -> Make:
    return lambda: kind(**{"inputs": INPUTS, "classes": CLASSES} | options)


CAUSAL = {
    "linear": maker(UtteranceLinear),
    "gru": maker(ContextGRU, width=8, layers=2),
    "transformer": maker(ContextTransformer, width=8, heads=2, window=3),
    "dialogue-rnn": maker(DialogueRNN, width=8),
}
WHOLE = {
    "gru-both": maker(ContextGRU, width=8, causal=False),
    "transformer-full": maker(ContextTransformer, width=8, heads=2, causal=False),
    "dialogue-rnn-both": maker(DialogueRNN, width=8, causal=False),
    "cfn-esa": maker(CFNESA, width=8, heads=2),
    "cfn-esa-text": maker(CFNESA, width=8, heads=2, inputs={"text": 5}, acme_layers=1),
}
MODELS = CAUSAL | WHOLE


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def batch_of(lengths: tuple[int, ...] = LENGTHS, seed: int = 1) -> DialogueBatch:
    g = torch.Generator().manual_seed(seed)
    b, n = len(lengths), max(lengths)
    mask = torch.arange(n) < torch.tensor(lengths)[:, None]
    features, present = {}, {}
    for m, width in INPUTS.items():
        features[m] = torch.randn(b, n, width, generator=g, dtype=torch.float64)
        present[m] = mask & (torch.rand(b, n, generator=g) < 0.7)
    return DialogueBatch(features, present, mask, torch.randint(0, 3, (b, n), generator=g))


def one_of(batch: DialogueBatch, k: int) -> DialogueBatch:
    n = int(batch.mask[k].sum())
    return DialogueBatch(
        {m: x[k : k + 1, :n] for m, x in batch.features.items()},
        {m: x[k : k + 1, :n] for m, x in batch.present.items()},
        batch.mask[k : k + 1, :n],
        batch.speaker[k : k + 1, :n],
    )


@pytest.mark.parametrize("name", MODELS)
def test_shape_padding_and_determinism(name: str) -> None:
    model, batch = MODELS[name]().eval(), batch_of()
    out = model(batch, pairs=True)
    assert out.logits.shape == (3, 9, CLASSES)
    assert (out.logits[~batch.mask] == 0).all()
    assert torch.equal(out.logits, model(batch).logits)
    for k, n in enumerate(LENGTHS):
        alone = model(one_of(batch, k), pairs=True)
        torch.testing.assert_close(out.logits[k, :n], alone.logits[0], rtol=0, atol=1e-12)
        if name.startswith("cfn"):
            torch.testing.assert_close(
                out.pairs.logits[k, :n, :n], alone.pairs.logits[0], rtol=0, atol=1e-12
            )
    model.train()
    runs = []
    for _ in range(2):
        torch.manual_seed(3)
        runs.append(model(batch).logits)
    assert torch.equal(*runs)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_absent_or_padding_moves_nothing(name: str) -> None:
    model, batch = MODELS[name]().eval(), batch_of()
    spoilt = batch._replace(
        features={
            m: torch.where(batch.present[m][..., None], x, torch.nan)
            for m, x in batch.features.items()
        },
        # A padded utterance is not present, whatever is claimed, and nobody said it.
        present={m: p | ~batch.mask for m, p in batch.present.items()},
        speaker=torch.where(batch.mask, batch.speaker, -1),
    )
    out = model(spoilt, pairs=True)
    assert torch.equal(out.logits, model(batch).logits)
    total(out).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_a_dialogue_of_nothing(name: str) -> None:
    model, batch = MODELS[name](), batch_of()
    empty = torch.zeros_like(batch.mask)
    silent = batch._replace(present=dict.fromkeys(INPUTS, empty))
    for given in (silent, batch._replace(mask=empty), batch._replace(features={}, present={})):
        out = model(given, pairs=True)
        assert out.logits.isfinite().all()
        total(out).backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    model.eval()
    without = batch._replace(
        features={"text": batch.features["text"]}, present={"text": batch.present["text"]}
    )
    assert torch.equal(model(without).logits, model(batch.only(("text",))).logits)


def later_changed(batch: DialogueBatch, t: int) -> DialogueBatch:
    return batch._replace(
        features={m: torch.cat([x[:, :t], 9 - x[:, t:]], 1) for m, x in batch.features.items()},
        present={m: torch.cat([x[:, :t], batch.mask[:, t:]], 1) for m, x in batch.present.items()},
        speaker=torch.cat([batch.speaker[:, :t], 2 - batch.speaker[:, t:]], 1),
    )


@pytest.mark.parametrize("name", MODELS)
def test_who_sees_the_future(name: str) -> None:
    model, batch = MODELS[name]().eval(), batch_of((9, 9))
    before, after = model(batch).logits, model(later_changed(batch, 5)).logits
    if name in CAUSAL:
        torch.testing.assert_close(before[:, :5], after[:, :5], rtol=0, atol=1e-13)
    else:
        assert ((before - after).abs()[:, :5].amax((1, 2)) > 1e-6).all()
    assert ((before - after).abs()[:, 5:].amax((1, 2)) > 1e-6).all()


def total(out: Any) -> Tensor:
    loss: Tensor = out.logits.square().sum()
    if getattr(out, "pairs", None) is not None:
        loss = loss + out.pairs.logits.square().sum()
    return loss


@pytest.mark.parametrize("name", MODELS)
def test_gradients_reach_every_parameter(name: str) -> None:
    model = MODELS[name]()
    total(model(batch_of(), pairs=True)).backward()
    for n, p in model.named_parameters():
        assert p.grad is not None, n
        if not n.endswith("key.bias"):  # softmax takes no notice of what all scores share
            assert p.grad.abs().max() > 0, n


def test_joined_by_hand() -> None:
    yes, no = torch.tensor([[True, True]]), torch.tensor([[False, True]])
    batch = DialogueBatch(
        {"a": torch.tensor([[[1.0, 2], [3, 4]]]), "b": torch.tensor([[[torch.nan], [5]]])},
        {"a": yes, "b": no}, yes, torch.zeros(1, 2, dtype=torch.int64),
    )  # fmt: skip
    like = torch.zeros(())
    assert joined(batch, {"b": 1, "a": 2}, like).tolist() == [[[0, 1, 2, 0, 1], [5, 3, 4, 1, 1]]]
    assert joined(batch, {"z": 1, "a": 2}, like).tolist() == [[[0, 1, 2, 0, 1], [0, 3, 4, 0, 1]]]


def test_the_transformer_looks_back_no_further_than_its_window() -> None:
    model = ContextTransformer(
        inputs=INPUTS, classes=CLASSES, width=8, heads=2, layers=1, window=3
    ).eval()
    batch = batch_of((9,))
    batch = batch._replace(present=dict.fromkeys(INPUTS, batch.mask))
    before = model(batch).logits
    batch.features["text"][:, 2] += 1
    moved = (model(batch).logits - before).abs().amax(-1)[0] > 1e-12
    assert moved.tolist() == [i in (2, 3, 4) for i in range(9)]


def test_speakers_and_positions_are_capped() -> None:
    batch = batch_of((9,))
    for name in ("transformer", "dialogue-rnn", "dialogue-rnn-both"):
        model = MODELS[name]().eval()
        seventh = model(batch._replace(speaker=batch.speaker * 3 + 1)).logits  # 1, 4, 7
        beyond = model(batch._replace(speaker=batch.speaker * 3 + (batch.speaker == 2) * 5 + 1))
        assert torch.equal(seventh, beyond.logits)
        assert not torch.equal(seventh, model(batch._replace(speaker=batch.speaker * 0)).logits)
    long = batch_of((515,))
    assert MODELS["transformer"]().eval()(long).logits.isfinite().all()
    table = sinusoids(3, 4)
    torch.testing.assert_close(
        table[2], torch.tensor([np.sin(2), np.sin(0.02), np.cos(2), np.cos(0.02)])
    )


def test_the_reversed_dialogue() -> None:
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    assert reversal(mask).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3]]


def test_the_way_back_is_put_in_order_again() -> None:
    model = DialogueRNN(inputs=INPUTS, classes=CLASSES, width=8, causal=False).eval()
    seen: list[Tensor] = []
    model.relevance.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    batch = batch_of()
    model(batch)
    u = model.project(joined(batch, INPUTS, model.out.weight))
    for k, n in enumerate(LENGTHS):
        own, who = u[k : k + 1, :n], batch.speaker[k : k + 1, :n]
        both = [model.ahead(own, who), model.back(own.flip(1), who.flip(1)).flip(1)]
        torch.testing.assert_close(seen[0][k : k + 1, :n], torch.cat(both, -1))


def cell(x: np.ndarray, h: np.ndarray, weights: dict[str, np.ndarray], end: str = "") -> np.ndarray:
    """One step of a GRU as torch documents it."""
    gi = weights["weight_ih" + end] @ x + weights["bias_ih" + end]
    gh = weights["weight_hh" + end] @ h + weights["bias_hh" + end]
    (ri, zi, ni), (rh, zh, nh) = np.split(gi, 3), np.split(gh, 3)
    r, z = 1 / (1 + np.exp(-ri - rh)), 1 / (1 + np.exp(-zi - zh))
    return (1 - z) * np.tanh(ni + r * nh) + z * h


@pytest.mark.parametrize("speakers", [(0, 1, 0), (0, 0, 0)])
def test_dialogue_rnn_by_hand(speakers: tuple[int, ...]) -> None:
    d = 3
    module = DialogueRecurrence(d)
    whole, party, emotion = (
        {n: p.detach().numpy() for n, p in part.named_parameters()}
        for part in (module.whole, module.party, module.emotion)
    )
    w_a = module.relevance.weight.detach().numpy()
    u = np.random.default_rng(0).normal(size=(len(speakers), d))
    nought = np.zeros(d)
    q, g, e = {0: nought, 1: nought}, nought, nought
    past: list[np.ndarray] = []
    expected = []
    for u_t, who in zip(u, speakers, strict=True):
        c = nought
        if past:
            score = np.array([(w_a @ u_t) @ g_j for g_j in past])
            c = np.exp(score) / np.exp(score).sum() @ np.array(past)
        g = cell(np.concatenate([u_t, q[who]]), g, whole)
        q[who] = cell(np.concatenate([u_t, c]), q[who], party)
        e = cell(q[who], e, emotion, "_l0")
        past.append(g)
        expected.append(e)
    out = module(torch.tensor(u)[None], torch.tensor([speakers]))
    np.testing.assert_allclose(out[0].detach().numpy(), expected, atol=1e-12)
    # Two utterances of the same dialogue, with another dialogue beside them.
    pair = torch.stack([torch.tensor(u), torch.randn(len(u), d)])[:, :2]
    both = module(pair, torch.tensor([speakers, (1, 0, 1)])[:, :2])
    np.testing.assert_allclose(both[0].detach().numpy(), expected[:2], atol=1e-12)


def test_pairs_of_cfn_esa() -> None:
    model, batch = MODELS["cfn-esa"](), batch_of()
    assert model(batch).pairs is None
    found = model.eval()(batch, pairs=True).pairs
    valid = batch.mask[:, :, None] & batch.mask[:, None]
    assert torch.equal(found.valid, valid)
    assert torch.equal(found.gate, valid.double())
    assert found.logits.shape == (3, 9, 9, 2)
    assert (found.logits[~valid] == 0).all()
    h = model._cross(model._encode(batch, batch.present), batch.present)
    pair = torch.cat([h[0, 3], h[0, 1]])
    torch.testing.assert_close(
        found.logits[0, 3, 1], model.shift.out(torch.relu(model.shift.hidden(pair)))
    )


def test_training_compares_two_passes_with_other_dropout() -> None:
    model, batch = MODELS["cfn-esa"](), batch_of()
    seen: list[tuple[Tensor, ...]] = []
    model.shift.register_forward_pre_hook(lambda _, args: seen.append(args))
    model.train()(batch, pairs=True)
    model.eval()(batch, pairs=True)
    assert not torch.equal(seen[0][0], seen[0][1])
    assert torch.equal(seen[1][0], seen[1][1])


def test_no_one_listens_to_an_absent_modality() -> None:
    model = MODELS["cfn-esa"]().eval()
    mask = torch.ones(1, 4, dtype=torch.bool)
    reach = Reach(mask[:, None].expand(1, 4, 4), None)
    present = {m: mask.clone() for m in INPUTS}
    for absent in INPUTS:
        there = present | {absent: torch.tensor([[True, False, False, True]])}
        x = {m: torch.randn(1, 4, 8) for m in INPUTS}
        other = x | {absent: torch.where(there[absent][..., None], x[absent], 7.0)}
        one, two = (model.acme[0](rows, reach, there) for rows in (x, other))
        for m in INPUTS:
            torch.testing.assert_close(one[m], two[m], rtol=0, atol=1e-13)
            assert ((one[m] == 0).all(-1) == ~there[m]).all()


def test_the_spokes_of_cfn_esa_talk_through_the_hub() -> None:
    model = maker(CFNESA, width=8, heads=2, acme_layers=1)().eval()
    batch = batch_of((5,))
    present = dict.fromkeys(INPUTS, batch.mask)
    x = model._encode(batch, present)
    moved = x | {"audio": torch.randn_like(x["audio"])}
    reach = Reach(torch.ones(1, 5, 5, dtype=torch.bool), None)
    outs = [model.acme[0](rows, reach, present) for rows in (x, moved)]
    assert torch.equal(outs[0]["vision"], outs[1]["vision"])
    assert not torch.equal(outs[0]["text"], outs[1]["text"])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (UtteranceLinear, {"classes": 1}),
        (UtteranceLinear, {"inputs": {}}),
        (ContextGRU, {"width": 7, "causal": False}),
        (ContextGRU, {"layers": 0}),
        (ContextTransformer, {"width": 12, "heads": 8}),
        (ContextTransformer, {"width": 3, "heads": 1}),
        (ContextTransformer, {"window": 0}),
        (DialogueRNN, {"dropout": 1.0}),
        (DialogueRNN, {"width": 0}),
        (CFNESA, {"acme_layers": 0}),
        (CFNESA, {"width": 9, "heads": 3}),
    ],
)
def test_arguments_are_checked(kind: type[nn.Module], options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        maker(kind, **options)()
