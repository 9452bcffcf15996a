"""The one loop: what dev chooses, what is averaged, and that being cut off changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from empathic_sdk.errors import ConfigurationError
from empathic_sdk.lab.training.trainer import Trainer, adamw, cosine, linear, put, swapped

PER_EPOCH = 4


class Line:
    """A line through drawn points, learnt with noise: dropout, and batches drawn by epoch."""

    def __init__(self, folder: Path | None = None, scores: list[float] | None = None, **given: Any):
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 1))
        self.left = iter(scores or ())
        self.told = scores is not None
        self.drawn = 0
        self.before: Callable[[], Any] = lambda: None
        self.trainer = Trainer(
            module=self.net, optimizer=adamw(self.net.parameters(), rate=0.05, weight_decay=0.0),
            batches=self.batches, loss=self.loss, score=self.score, folder=folder,
            **{"per_epoch": PER_EPOCH, "epochs": 3, "clip": 1.0, "numbers": {"rate": 0.05}} | given,
        )  # fmt: skip

    def batches(self, epoch: int) -> Iterator[Tensor]:
        self.drawn += 1
        draw = torch.Generator().manual_seed(epoch)
        for _ in range(PER_EPOCH):
            yield torch.randn(8, 3, generator=draw)

    def loss(self, x: Tensor) -> Tensor:
        if self.net.training:
            self.before()
        return (self.net(x) - x.sum(1, keepdim=True)).square().mean()

    def score(self) -> dict[str, float]:
        x = torch.randn(50, 3, generator=torch.Generator().manual_seed(99))
        with torch.inference_mode():
            error = float(self.loss(x))
        return {"error": error, "objective": next(self.left) if self.told else -error}

    def weight(self) -> Tensor:
        return self.net[1].weight.detach().clone()  # type: ignore[union-attr,operator,return-value]


def test_it_learns_and_ends_with_the_weights_that_dev_chose() -> None:
    line = Line(epochs=20)
    ran = line.trainer.run()
    errors = [h["error"] for h in ran["history"]]
    assert errors[-1] < 0.3 * errors[0] and len(errors) == line.drawn == 20
    assert ran["steps"] == 80 and ran["finished"] and not line.net.training
    assert ran["chosen_epoch"] == 1 + errors.index(min(errors))
    assert line.score()["error"] == pytest.approx(min(errors))


@pytest.mark.parametrize("average", [None, 0.9])
def test_a_run_that_was_cut_off_goes_on_to_the_same_weights(
    tmp_path: Path, average: float | None
) -> None:
    given = {"average": average, "counter": "step", "checkpoint_every": 3, "marks": {5, 9, 12}}
    whole = Line(tmp_path / "whole", **given)
    told = whole.trainer.run()
    assert Line(tmp_path / "cut", **given).trainer.run(stop_after=7) == {
        "steps": 7, "finished": False,
    }  # fmt: skip
    again = Line(tmp_path / "cut", **given)
    resumed = again.trainer.run()  # from step 6, in the middle of an epoch
    assert resumed["history"] == told["history"] and [h["step"] for h in told["history"]] == [
        5, 9, 12,
    ]  # fmt: skip
    assert torch.equal(whole.weight(), again.weight())
    # One that is finished is not trained again.
    ended = Line(tmp_path / "cut", **given)
    assert ended.trainer.run() == resumed and ended.drawn == 0
    with pytest.raises(ConfigurationError, match="holds a run with other numbers"):
        Line(tmp_path / "cut", numbers={"rate": 0.1}).trainer.run()


@pytest.mark.parametrize(
    ("scores", "given", "epochs", "chosen"),
    [
        ([0.1, 0.5, 0.4, 0.5, 0.9], {"patience": 2}, 4, 2),  # as good is not better
        ([0.1, 0.5, 0.4, 0.6, 0.3, 0.7], {"patience": 2}, 6, 6),
        ([0.5, 0.5, 0.4], {}, 3, 1),
        ([0.5, 0.5, 0.4], {"later": True}, 3, 2),
        ([0.9, 0.5, 0.4, 0.3], {"from_start": True, "epochs": 3}, 3, 0),
    ],
)
def test_dev_chooses(scores: list[float], given: dict[str, Any], epochs: int, chosen: int) -> None:
    line = Line(scores=scores, **{"epochs": len(scores), "tells": ("epochs", "chosen"), **given})
    before = line.weight()
    ran = line.trainer.run()
    assert (ran["epochs"], ran["chosen_epoch"]) == (epochs, chosen)
    assert torch.equal(line.weight(), before) == (chosen == 0)


def test_the_average_is_what_dev_scores_and_what_is_kept() -> None:
    line = Line(scores=[1.0, 0.0, 0.0], average=0.5, counter="step", marks={1, 2, 12})
    seen: list[Tensor] = []
    before = line.weight()
    line.before = lambda: seen.append(line.weight())
    line.trainer.run()
    # After the first step the average has moved by 1 - min(0.5, 1 / 10) of the way.
    torch.testing.assert_close(line.weight(), before + 0.9 * (seen[1] - before))


def test_what_stands_beside_the_weights_is_kept_as_it_was() -> None:
    counted = torch.zeros(1)
    line = Line(scores=[0.0, 1.0, 0.0], beside={"counted": counted})
    line.before = lambda: counted.add_(1)
    line.trainer.run()
    assert counted.item() == 2 * PER_EPOCH


def test_without_steps_there_is_no_run() -> None:
    with pytest.raises(ConfigurationError, match="at least one step"):
        Line(per_epoch=0)
    with pytest.raises(ConfigurationError, match="epoch 1 has fewer than 9 batches"):
        Line(per_epoch=9).trainer.run()


def test_values_are_lent_for_a_while() -> None:
    live = {"a": torch.zeros(2)}
    with pytest.raises(ValueError, match="on the way"), swapped(live, {"a": torch.ones(2)}):
        assert live["a"].tolist() == [1, 1]
        raise ValueError("on the way")
    assert live["a"].tolist() == [0, 0]
    put(live, {"b": torch.ones(2)})
    assert live["a"].tolist() == [0, 0]


def test_rates_warm_up_and_fall() -> None:
    falling = [cosine(s, 100, warm=10) for s in range(100)]
    assert falling[0] == pytest.approx(0.1) and falling[50] == pytest.approx(0.5)
    assert 0 < falling[-1] < 0.002
    tenth = [cosine(s, 100, warm=10, end=0.1) for s in range(100)]
    assert tenth[-1] == pytest.approx(0.1, abs=1e-3)
    later = [cosine(s, 100, warm=10, after=True) for s in range(100)]
    assert later[9] == later[10] == 1.0 and later[55] == pytest.approx(0.5)
    straight = [linear(s, 100, warm=10) for s in range(100)]
    assert straight[9] == 1.0 and straight[55] == pytest.approx(0.5)
    assert straight[-1] == pytest.approx(1 / 90)
