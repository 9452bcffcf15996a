from __future__ import annotations

import pytest
import torch

from empathic_sdk.lab.benchmarks.dialogue import draw, measure_dialogue, peak_bytes, transfer_run

SIDE = 300
SIZE = SIDE * SIDE * 4  # bytes of one matrix


def test_peak_of_a_chain_by_hand() -> None:
    x = torch.ones(SIDE, SIDE)

    def chain() -> None:
        a = x @ x
        b = a @ a  # two are held
        del a
        c = b @ b  # two
        d = c @ c  # three: the peak
        del b, c
        d @ d

    assert peak_bytes(chain) == 3 * SIZE
    assert peak_bytes(chain) == 3 * SIZE
    assert peak_bytes(lambda: None) == 0


def test_peak_of_a_backward_pass_by_hand() -> None:
    x = torch.ones(SIDE, SIDE, requires_grad=True)

    def three() -> None:
        x.exp().exp().exp().sum().backward()
        x.grad = None

    # exp keeps its result, so three are held after forward. Backward, each gradient comes before
    # the result it was made from goes: three and the first gradient; then the last result goes as
    # the second gradient comes. Four at most, and two single numbers: the sum and its gradient.
    assert peak_bytes(three) == 4 * SIZE + 2 * 4


def test_what_an_operator_allocates_inside_is_counted() -> None:
    x = torch.ones(SIDE, SIDE)
    result = SIDE * 4
    assert peak_bytes(lambda: torch.logsumexp(x, 1)) >= SIZE + result


def test_the_transfer_module_needs_a_fifth_of_the_memory() -> None:
    tiled, naive = (
        peak_bytes(transfer_run(form, 200, width=128, window=32, seed=0))
        for form in ("tiled", "naive")
    )
    pairs = 200 * 200 * 2 * 128 * 4
    assert naive > 3 * pairs  # eq 35 before and after its gate, and a gradient
    assert tiled * 5 <= naive
    assert tiled < pairs / 5


@pytest.mark.parametrize("form", ["tiled", "windowed", "naive"])
def test_runs_of_the_transfer_module_leave_nothing(form: str) -> None:
    run = transfer_run(form, 9, width=8, window=3, seed=0)
    assert peak_bytes(run) == peak_bytes(run) > 0


def test_drawn_dialogues() -> None:
    batch, labels = draw([3, 5], {"text": 4, "speech": 2}, seed=1)
    assert batch.features["speech"].shape == (2, 5, 2)
    assert batch.mask.sum(1).tolist() == [3, 5]
    assert labels[0, 3:].tolist() == [-1, -1] and labels[1].min() >= 0
    again, _ = draw([3, 5], {"text": 4, "speech": 2}, seed=1)
    assert torch.equal(batch.features["text"], again.features["text"])


def test_keys() -> None:
    lengths, drawn = (8, 4), torch.random.get_rng_state()
    report = measure_dialogue(
        lengths=lengths, width=16, modalities={"text": 12, "speech": 6}, dialogues=4, runs=2
    )
    assert torch.equal(drawn, torch.random.get_rng_state())
    by_length = {
        "step_ms", "step_peak_mb", "utterances_per_second", "step_ms_bidirectional",
        "step_peak_mb_bidirectional", "eetm_tiled_ms", "eetm_tiled_peak_mb", "eetm_windowed_ms",
        "eetm_windowed_peak_mb", "eetm_naive_ms", "eetm_naive_peak_mb", "eetm_memory_ratio",
        "stream_ms",
    }  # fmt: skip
    assert set(report) == {f"{key}_n{n}" for key in by_length for n in lengths} | {
        "stream_late_over_early", "stream_state_kb", "epoch_s", "epoch_dialogues",
        "epoch_utterances", "width", "window", "parameters", "threads",
    }  # fmt: skip
    assert all(value > 0 for value in report.values())
    assert report["epoch_dialogues"] == 4 and 32 <= report["epoch_utterances"] <= 440
