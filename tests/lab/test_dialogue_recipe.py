"""Recipe ``dialogue``: its numbers, its batches, its loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.baselines.mdget import ABLATIONS
from empathic_sdk.lab.corpora.dialogues import Dialogue, DialogueSet, read_dialogues
from empathic_sdk.lab.evaluation.dialogue_figures import Score
from empathic_sdk.lab.recipes.dialogue_numbers import DialogueRecipe, paper
from empathic_sdk.lab.registry import dialogue_models
from empathic_sdk.lab.training import dialogue_fit
from empathic_sdk.lab.training.dialogue_batches import (
    Example,
    Prediction,
    Statistics,
    batches,
    collate,
    endless,
    example,
    numbered,
    predict,
    shifts,
    with_text,
    without_some,
)
from empathic_sdk.lab.training.dialogue_fit import batch_loss, build, fit, joint_loss, rate
from empathic_sdk.lab.training.transfer_loss import LossParts
from empathic_sdk.models.mdget import MDGET
from tests.lab import corpora_imitation as imitation

TINY = DialogueRecipe(
    modalities=("text", "speech"), width=16, speakers=2, batch_size=8, epochs=3,
    learning_rate=8e-3, gue_dropout=0.1, acme_dropout=0.1, dropout=0.1, average=0.8,
)  # fmt: skip
WIDTHS = {"text": 24, "speech": 4}


def talks(n: int, *, seed: int, split: str = "train", shuffled: bool = False) -> DialogueSet:
    """Draw ``n`` dialogues of two speakers; the greatest of three numbers of a text is the label.

    Its 24 lie in a cloud, not in one heap a label: whatever a network makes of heaps, it makes
    of all of a heap. Speech says the label softly and is absent from every fifth utterance.
    """
    rng = np.random.default_rng(seed)
    dialogues = []
    for k in range(n):
        size = int(rng.integers(3, 9))
        features = {m: rng.normal(0, 1, (size, w)).astype(np.float32) for m, w in WIDTHS.items()}
        labels = features["text"][:, :3].argmax(1)
        told = np.eye(3, dtype=np.float32)[labels]
        features["text"][:, :3] += 0.5 * told
        features["speech"][:, :3] += 0.2 * told
        there = np.arange(size) % 5 != 4
        features["speech"][~there] = 0
        dialogues.append(
            Dialogue(
                id=f"d{k}",
                ids=[f"d{k}-{i}" for i in range(size)],
                texts=["said"] * size,
                speakers=[f"S{i % 2}" for i in range(size)],
                labels=labels,
                features=features,
                present={"text": np.ones(size, bool), "speech": there},
                times=np.full((size, 2), np.nan),
            )
        )
    if shuffled:
        mixed = iter(rng.permutation(np.concatenate([d.labels for d in dialogues])))
        dialogues = [replace(d, labels=np.array([next(mixed) for _ in d.ids])) for d in dialogues]
    return DialogueSet(corpus="made", split=split, classes=("a", "b", "c"), dialogues=dialogues)


def accuracy(of: DialogueSet) -> Score:
    gold = np.concatenate([d.labels for d in of.dialogues])

    def score(found: Sequence[Prediction]) -> dict[str, float]:
        said = np.concatenate([p.logits.argmax(1) for p in found])
        return {"objective": float((said == gold).mean())}

    return score


def items(of: DialogueSet, statistics: Statistics | None = None) -> list[Example]:
    return [example(d, statistics or Statistics()) for d in of.dialogues]


def untrained(recipe: DialogueRecipe = TINY, widths: Mapping[str, int] = WIDTHS) -> MDGET:
    torch.manual_seed(0)
    network = build(recipe, widths, 3)
    assert isinstance(network, MDGET)
    return network.eval()


def gated_parts(network: nn.Module) -> set[str]:
    return {
        n.split(".")[0] for n, _ in network.named_parameters()
        if any(part.startswith("gate") for part in n.split("."))
    }  # fmt: skip


# -- the numbers --------------------------------------------------------------------------------


def test_the_papers_numbers_are_those_of_table_2() -> None:
    table = {
        "meld": (64, 0.00002, 0.1, 0.3, 2, 3),
        "iemocap": (32, 0.000025, 0.2, 0.4, 2, 5),
    }
    for name, row in table.items():
        r = paper(name)
        numbers = (r.batch_size, r.learning_rate, r.gue_dropout, r.acme_dropout, r.gue_layers,
                   r.acme_layers)  # fmt: skip
        assert numbers == row
        # "The L2 regularization factor is set to 0.00001", once for both terms of eq 40.
        assert (r.penalty, r.weight_decay) == (1e-5, 1e-5)
        assert (r.model, r.causal, r.ablation) == ("mdget", False, "full")
        assert untrained(replace(r, modalities=("text",))).config.heads == 8
    with pytest.raises(ConfigurationError, match="Table 2 has no column 'mosi'"):
        paper("mosi")


# What each row of Table 6 leaves: GUE, ACME, EETM, the parts with gates, the transfer loss.
ALL = {"gue", "acme", "fusion", "classifier", "transfer"}
TABLE_6 = {
    "full": (1, 1, True, ALL, True),
    "no-gue": (0, 1, True, ALL - {"gue"}, True),
    "no-acme": (1, 0, True, ALL - {"acme"}, True),
    "no-eetm": (1, 1, False, ALL - {"transfer"}, False),
    "no-transfer-loss": (1, 1, True, ALL, False),
    "no-gue-gates": (1, 1, True, ALL - {"gue"}, True),
    "no-acme-gates": (1, 1, True, ALL - {"acme"}, True),
    "no-eetm-gate": (1, 1, True, ALL - {"transfer"}, True),
    "no-gates": (1, 1, True, set(), True),
}


@pytest.mark.parametrize("name", ABLATIONS)
def test_ablations(name: str) -> None:
    recipe = replace(TINY, ablation=name)
    network = untrained(recipe)
    gue, acme, eetm, gated, compared = TABLE_6[name]
    assert (len(network.gue), len(network.acme)) == (gue, acme)
    assert (network.transfer is not None) == eetm
    assert gated_parts(network) == gated
    found = batch_loss(network.train(), joint_loss(recipe), items(talks(4, seed=0)), recipe)
    found.total.backward()  # type: ignore[no-untyped-call]
    assert (found.transfer > 0) == (found.passed > 0) == compared
    hidden = None if network.transfer is None else network.transfer.hidden.weight.grad
    assert (hidden is not None) == compared
    assert joint_loss(replace(recipe, balance=None)).balance == (None if compared else 0.0)


def test_table_6_is_complete() -> None:
    assert set(TABLE_6) == set(ABLATIONS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "lstm"}, "no model is named 'lstm'"),
        ({"ablation": "no-text"}, "no ablation is named 'no-text'; there are .*no-gates"),
        ({"model": "gru", "ablation": "no-gue"}, "gru has no ablations"),
        ({"modalities": ()}, "none may be empty"),
        ({"epochs": 0}, "none may be empty"),
    ],
)
def test_bad_recipes(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        replace(TINY, **changes)


def test_what_cannot_be_built_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"the data have no \['face'\]"):
        build(replace(TINY, modalities=("text", "face")), WIDTHS, 3)
    with pytest.raises(ConfigurationError, match="it has no causal form"):
        build(replace(TINY, model="cfn-esa"), WIDTHS, 3)


@pytest.mark.parametrize("model", dialogue_models())
def test_every_model_goes_through_the_loop(model: str) -> None:
    recipe = replace(TINY, model=model, epochs=1, causal=model != "cfn-esa", balance=None)
    data = talks(6, seed=0)
    _, _, ran = fit(recipe, data, data, accuracy(data))
    assert np.isfinite(ran["history"][0]["loss"])
    assert (ran["history"][0]["transfer_loss"] > 0) == (model in ("mdget", "cfn-esa"))
    assert ran["parameters"] > 0


# -- from dialogues to batches --------------------------------------------------------------------


def test_collate_pads_behind() -> None:
    data = talks(3, seed=1)
    sizes = [len(d) for d in data.dialogues]
    assert len(set(sizes)) > 1
    batch, labels = collate(items(data))
    n = max(sizes)
    assert labels.shape == batch.mask.shape == batch.speaker.shape == (3, n)
    assert batch.timing is not None and batch.timing.shape == (3, n, 4)
    for k, d in enumerate(data.dialogues):
        size = len(d)
        assert batch.mask[k].tolist() == [True] * size + [False] * (n - size)
        assert labels[k].tolist() == [*d.labels.tolist(), *[-1] * (n - size)]
        assert batch.speaker[k].tolist() == [*[i % 2 for i in range(size)], *[0] * (n - size)]
        for m in WIDTHS:
            assert batch.features[m].shape == (3, n, WIDTHS[m])
            np.testing.assert_array_equal(batch.features[m][k, :size], d.features[m])
            assert (batch.features[m][k, size:] == 0).all()
            assert batch.present[m][k, :size].tolist() == d.present[m].tolist()
            assert not batch.present[m][k, size:].any()


def test_speakers_are_numbered_as_they_appear() -> None:
    assert numbered(["Ross", "Joey", "Ross", "Ann", "Joey"]) == [0, 1, 0, 2, 1]


def test_text_vectors_go_where_the_texts_are() -> None:
    data = talks(3, seed=1)
    bare = replace(
        data,
        dialogues=[
            replace(d, features={"speech": d.features["speech"]},
                    present={"speech": d.present["speech"]}) for d in data.dialogues
        ],
    )  # fmt: skip
    vectors = np.arange(2.0 * len(data)).reshape(-1, 2)
    got = with_text(bare, vectors)
    assert [list(d.features) for d in got.dialogues] == [["text", "speech"]] * 3
    rows = np.concatenate([d.features["text"] for d in got.dialogues])
    np.testing.assert_array_equal(rows, vectors)
    assert rows.dtype == np.float32
    assert all(d.present["text"].all() for d in got.dialogues)


def test_every_dialogue_once_an_epoch_and_alike_ones_together() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 101, 203)
    first, second = (list(batches(lengths, 8, rng)) for _ in range(2))
    for epoch in (first, second):
        assert sorted(map(len, epoch)) == [3, *[8] * 25]
        assert sorted(np.concatenate(epoch).tolist()) == list(range(203))
        spread = np.mean([np.ptp(lengths[b]) for b in epoch])
        assert spread < 20  # at random it would be near 78
        firsts = [lengths[b].mean() for b in epoch]
        assert abs(np.corrcoef(np.arange(26), firsts)[0, 1]) < 0.5  # in no order of length
    assert {tuple(sorted(b)) for b in first} != {tuple(sorted(b)) for b in second}


def test_features_are_standardised_over_what_is_there() -> None:
    data = talks(40, seed=2)
    for d in data.dialogues:
        d.features["text"][:, 5] = 7.0  # says nothing
        d.features["text"][:, 4] = 100 + 20 * d.features["text"][:, 4]
        d.features["speech"][~d.present["speech"]] = 1e6  # stands where nothing is
    statistics = Statistics.of(data)
    for m in WIDTHS:
        rows = np.concatenate(
            [e.features[m][e.present[m]].numpy() for e in items(data, statistics)]
        )
        varies = np.arange(WIDTHS[m]) != 5
        np.testing.assert_allclose(rows.mean(0), 0, atol=1e-4)
        np.testing.assert_allclose(rows.std(0), varies.astype(float), atol=1e-4)
        assert rows.dtype == np.float32 and np.isfinite(rows).all()


def test_a_modality_that_is_never_there_is_left_as_it_is() -> None:
    data = talks(3, seed=2)
    for d in data.dialogues:
        d.present["speech"][:] = False
    statistics = Statistics.of(data)
    assert set(statistics.mean) == set(statistics.scale) == {"text"}
    assert torch.isfinite(items(data, statistics)[0].features["speech"]).all()


def test_fold_moves_the_standardisation_into_the_network() -> None:
    data = talks(12, seed=3)
    for d in data.dialogues:
        d.features["text"][:] = 5 + 3 * d.features["text"]
        d.features["text"][:, 5] = 2.0
    statistics = Statistics.of(data)
    network = untrained()
    before = predict(network, items(data, statistics))
    raw = predict(network, items(data))
    statistics.fold(network)
    after = predict(network, items(data))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=1e-5)
        np.testing.assert_allclose(one.shift, other.shift, atol=1e-5)
    assert max(np.abs(a.logits - b.logits).max() for a, b in zip(before, raw, strict=True)) > 1e-3


# -- the loop ---------------------------------------------------------------------------------


def test_the_rate_warms_up_for_an_epoch_and_falls_to_a_tenth() -> None:
    rates = [rate(step, 10, 20) for step in range(200)]
    assert rates[0] == pytest.approx(0.1) and int(np.argmax(rates)) == 9
    assert (np.diff(rates[9:]) < 0).all()
    assert rates[100] == pytest.approx(0.55) and rates[-1] == pytest.approx(0.1, abs=1e-3)


def without_time(ran: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in ran.items() if k != "seconds"}


def test_the_seed_decides() -> None:
    train, dev = talks(16, seed=4), talks(8, seed=5, split="dev")
    runs = [fit(replace(TINY, seed=s), train, dev, accuracy(dev)) for s in (1, 1, 2)]
    networks = [r[0].state_dict() for r in runs]
    assert without_time(runs[0][2]) == without_time(runs[1][2])
    assert all(torch.equal(networks[0][n], networks[1][n]) for n in networks[0])
    assert runs[0][2]["history"][0]["loss"] != runs[2][2]["history"][0]["loss"]
    assert not torch.equal(networks[0]["project.text.weight"], networks[2]["project.text.weight"])


def test_it_learns_and_with_shuffled_labels_falls_to_chance() -> None:
    dev = talks(60, seed=7, split="dev")
    figures = {}
    for shuffled in (False, True):
        train = talks(60, seed=6, shuffled=shuffled)
        _, _, ran = fit(replace(TINY, epochs=6), train, dev, accuracy(dev))
        figures[shuffled] = [h["objective"] for h in ran["history"]]
        assert ran["epochs"] == len(ran["history"]) == 6
        assert ran["history"][ran["chosen_epoch"] - 1]["objective"] == max(figures[shuffled])
    assert max(figures[False]) > 0.9
    assert 0.2 < figures[True][-1] < 0.47  # chance is 1/3


def test_it_learns_from_the_readers_dialogues(tmp_path: Path) -> None:
    data = imitation.write_mosi(tmp_path)
    train, dev = (read_dialogues("mosi", data, s) for s in ("train", "dev"))
    recipe = replace(TINY, modalities=("text", "speech", "face"), speakers=0, epochs=8,
                     batch_size=4)  # fmt: skip
    _, _, ran = fit(recipe, train, dev, accuracy(dev))
    assert max(h["objective"] for h in ran["history"]) > 0.9  # chance is 1/2


def scripted(values: Sequence[float]) -> Score:
    left = iter(values)
    return lambda _: {"objective": next(left)}


@pytest.mark.parametrize(
    ("values", "epochs", "chosen"),
    [
        ([0.1, 0.5, 0.4, 0.5, 0.9], 4, 2),  # as good is not better; two epochs later it ends
        ([0.1, 0.5, 0.4, 0.6, 0.3, 0.7], 6, 6),
        ([0.9, 0.1, 0.1, 0.1, 0.1], 3, 1),
    ],
)
def test_patience(values: list[float], epochs: int, chosen: int) -> None:
    data = talks(3, seed=8)
    recipe = replace(TINY, model="linear", epochs=len(values), patience=2)
    _, _, ran = fit(recipe, data, data, scripted(values))
    assert (ran["epochs"], ran["chosen_epoch"]) == (epochs, chosen)


def test_the_averaged_weights_of_the_best_epoch_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before: list[dict[str, Tensor]] = []
    scored: list[dict[str, Tensor]] = []

    def weights(network: nn.Module) -> dict[str, Tensor]:
        return {n: p.detach().clone() for n, p in network.named_parameters()}

    def watched(network: nn.Module, *rest: Any) -> LossParts:
        before.append(weights(network))
        return batch_loss(network, *rest)

    def watched_too(network: nn.Module, given: Sequence[Example]) -> list[Prediction]:
        scored.append(weights(network))
        return predict(network, given)

    monkeypatch.setattr(dialogue_fit, "batch_loss", watched)
    monkeypatch.setattr(dialogue_fit, "predict", watched_too)
    data = talks(16, seed=9)
    recipe = replace(TINY, epochs=4, batch_size=4, average=0.7)
    network, _, ran = fit(recipe, data, data, scripted([0.1, 0.2, 0.9, 0.3]))
    assert ran["chosen_epoch"] == 3 and len(scored) == 4 and len(before) == 16
    assert not network.training
    torch.manual_seed(recipe.seed)
    average = weights(build(recipe, WIDTHS, 3))
    for step, now in enumerate(before[1:13], 1):
        decay = min(0.7, step / (step + 9))
        average = {n: decay * a + (1 - decay) * now[n] for n, a in average.items()}
    got = weights(network)
    torch.testing.assert_close(got, average, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(got, scored[2], atol=0, rtol=0)
    assert not torch.equal(got["project.text.weight"], before[12]["project.text.weight"])


def test_a_learned_balance_is_learned_beside_the_network() -> None:
    data = talks(8, seed=10)
    _, _, learned = fit(replace(TINY, balance=None), data, data, accuracy(data))
    assert all(0 < abs(w - 1) < 0.1 for w in learned["loss_weights"].values())
    _, _, fixed = fit(replace(TINY, balance=0.2, epochs=1), data, data, accuracy(data))
    assert fixed["loss_weights"] == {"emotion": 1.0, "transfer": 0.2}


def test_corpora_beside_have_frequencies_of_their_own() -> None:
    """Annotators who call most of everything "c" are believed less beside than among the others."""
    train, dev, more = talks(60, seed=6), talks(60, seed=7, split="dev"), talks(60, seed=20)
    rng = np.random.default_rng(0)
    leaning = [
        replace(d, labels=np.where(rng.random(len(d)) < 0.6, 2, d.labels)) for d in more.dialogues
    ]
    recipe = replace(TINY, model="linear", epochs=8, learning_rate=0.03, beside_weight=1.0)
    seen: list[Prediction] = []

    def score(found: Sequence[Prediction]) -> dict[str, float]:
        seen[:] = found
        return accuracy(dev)(found)

    def last(train: DialogueSet, *beside: DialogueSet) -> tuple[float, float, dict[str, Any]]:
        _, _, ran = fit(recipe, train, dev, score, beside)
        said = np.concatenate([p.logits.argmax(1) for p in seen])
        return ran["history"][-1]["objective"], float((said == 2).mean()), ran

    among = replace(train, dialogues=[*train.dialogues, *leaning])
    right, share, ran = last(train, replace(more, dialogues=leaning))
    right_among, share_among, _ = last(among)
    assert right > right_among + 0.04 and share < share_among - 0.04
    right_again, _, again = last(train, replace(more, dialogues=leaning))
    assert right_again == right and without_time(again) == without_time(ran)
    assert last(train)[2]["parameters"] == ran["parameters"]  # the frequencies are no part of it


def test_a_frequency_shifts_the_logits() -> None:
    network, given = untrained(), items(talks(3, seed=1))
    batch, labels = collate(given)
    leaning = torch.tensor([1.0, -2.0, 0.5])
    plain, shifted = (
        batch_loss(network, joint_loss(TINY), given, TINY, f).emotion for f in (None, leaning)
    )
    logits = network(batch).logits[labels >= 0]
    gold = labels[labels >= 0]
    for found, moved in ((plain, logits), (shifted, logits + leaning)):
        by_hand = -torch.log_softmax(moved, -1)[torch.arange(len(gold)), gold].mean()
        assert found.item() == pytest.approx(by_hand.item(), abs=1e-5)


def test_batches_beside_hold_as_many_utterances_and_never_end() -> None:
    rng = np.random.default_rng(0)
    short = [replace(e, labels=e.labels[:1]) for e in items(talks(50, seed=1))]
    turns = endless(short, 3, rng)
    some = [next(turns) for _ in range(5)]
    assert [len(b) for b in some[:2]] in ([30, 20], [20, 30])  # 30 texts are 3 dialogues of ten
    assert {id(e) for b in some[:2] for e in b} == {id(e) for e in short}
    assert sum(map(len, some[2:4])) == 50
    long = endless(items(talks(9, seed=1)) * 3, 4, rng)
    assert 6 <= len(next(long)) <= 8  # of about six utterances


def test_modalities_that_are_dropped() -> None:
    batch, _ = collate(items(talks(200, seed=3)))
    torch.manual_seed(0)
    left = without_some(batch, 0.4)
    text, speech = batch.present["text"], batch.present["speech"]
    kept = {m: left.present[m] for m in WIDTHS}
    for m in WIDTHS:
        assert not (kept[m] & ~batch.present[m]).any()
    assert torch.equal(kept["text"] | kept["speech"], text)  # no utterance is left without any
    assert kept["text"][text & ~speech].all()  # its only one stays
    both = text & speech
    # Text goes where it falls and speech does not: 0.4 x 0.6 (both fallen: both stay).
    assert (~kept["text"])[both].float().mean().item() == pytest.approx(0.24, abs=0.03)
    assert (~kept["speech"])[both].float().mean().item() == pytest.approx(0.24, abs=0.03)
    assert torch.equal(without_some(batch, 0.0).present["speech"], speech)
    recipe = replace(TINY, modality_dropout=0.5)
    given, network = items(talks(4, seed=0)), untrained()
    assert (
        batch_loss(network, joint_loss(TINY), given, TINY).emotion
        != batch_loss(network, joint_loss(recipe), given, recipe).emotion
    )


# -- what a network says ---------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [True, False])
def test_predictions_do_not_depend_on_the_batch(causal: bool) -> None:
    data = items(talks(9, seed=11))
    network = untrained(replace(TINY, causal=causal))
    one, four, all_ = (predict(network, data, size=s) for s in (1, 4, 16))
    for a, b, c, e in zip(one, four, all_, data, strict=True):
        assert a.logits.shape == (len(e), 3) and a.shift.shape == (len(e),)
        for other in (b, c):
            np.testing.assert_allclose(a.logits, other.logits, atol=1e-5)
            np.testing.assert_allclose(a.shift, other.shift, atol=1e-5)


def test_shifts_by_hand() -> None:
    given = items(talks(1, seed=12))[0]
    n = len(given)
    assert n >= 6
    given = replace(given, speaker=torch.tensor([0, 1, 1, 0, 2, 1, *[2] * (n - 6)]))
    network = untrained()
    assert network.transfer is not None
    batch, _ = collate([given])
    vectors = network(batch).vectors[0].detach()
    (said,) = predict(network, [given])
    before = {2: 1, 3: 0, 5: 2, 6: 4, 7: 6}  # who spoke third spoke second, and so on
    for i in range(n):
        if i not in before:
            assert np.isnan(said.shift[i])
            continue
        pair = torch.cat([vectors[i], vectors[before[i]]])
        gate = torch.sigmoid(network.transfer.gate(pair))  # type: ignore[misc]
        z = network.transfer.out(torch.relu(network.transfer.hidden(gate * pair)))
        by_hand = (z[1].exp() / z.exp().sum()).item()
        assert said.shift[i] == pytest.approx(by_hand, abs=1e-6)
        two = network.transfer.between(vectors[i], vectors[before[i]])
        assert said.shift[i] == pytest.approx(torch.softmax(two, -1)[1].item(), abs=1e-6)


def test_no_shifts_without_the_module_or_a_second_utterance() -> None:
    data = items(talks(2, seed=12))
    for recipe in (replace(TINY, ablation="no-eetm"), replace(TINY, model="gru")):
        for p in predict(build(recipe, WIDTHS, 3), data):
            assert np.isnan(p.shift).all()
    once = shifts(untrained(), torch.randn(3, 16), torch.tensor([0, 1, 2]))
    assert np.isnan(once).all() and once.shape == (3,)
