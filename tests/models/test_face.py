from __future__ import annotations

import pytest
import torch

from empathic_sdk.models.face import FaceConfig, FaceNet, FramePool, TableFiveCNN, build, fused


def test_table_five_counts_as_its_rows_do() -> None:
    net = TableFiveCNN()
    trainable = sum(p.numel() for p in net.parameters())
    running = sum(b.numel() for b in net.buffers() if b.is_floating_point())
    rows = [320, 128, 18_496, 256, 73_856, 512, 33_024, 1_799]
    assert trainable + running == sum(rows) == 128_391
    assert trainable == 127_943


def test_table_five_has_the_shapes_of_its_rows() -> None:
    net = TableFiveCNN().eval()
    shapes = []
    for layer in net.convolutions:
        layer.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    out = net(torch.zeros(1, 1, 112, 112))
    assert shapes == [(32, 110, 110), (64, 53, 53), (128, 24, 24)]
    assert out.vectors.shape == (1, 256)
    assert out.logits.shape == (1, 7)


def test_what_ships_has_at_most_three_million_parameters() -> None:
    assert sum(p.numel() for p in FaceNet().parameters()) == 1_531_989


@pytest.mark.parametrize("net", [FaceNet(FaceConfig(stem=4, widths=(8, 16), blocks=(1, 2))),
                                 TableFiveCNN()])  # fmt: skip
def test_any_size_and_no_talk_between_faces(net: FaceNet | TableFiveCNN) -> None:
    net.eval()
    for size in (36, 45, 48):
        x = torch.randn(3, 1, size, size, generator=torch.Generator().manual_seed(0))
        together = net(x)
        assert together.vectors.shape == (3, net.width)
        for i in range(3):
            torch.testing.assert_close(net(x[i : i + 1]).logits[0], together.logits[i],
                                       atol=1e-5, rtol=1e-4)  # fmt: skip
        torch.testing.assert_close(net.head(together.vectors), together.logits)


def test_build() -> None:
    assert isinstance(build(None), TableFiveCNN)
    net = build({"stem": 4, "widths": [4, 8], "blocks": [1, 1]})
    assert isinstance(net, FaceNet) and net.width == 8


def test_folding_batch_norms_changes_nothing() -> None:
    torch.manual_seed(0)
    net = FaceNet(FaceConfig(stem=4, widths=(8, 16), blocks=(1, 2)))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
    net.double().eval()
    x = torch.randn(2, 1, 24, 24, dtype=torch.double)
    folded = fused(net)
    torch.testing.assert_close(folded(x).logits, net(x).logits)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    cnn = TableFiveCNN()
    assert fused(cnn) is cnn


@pytest.fixture
def pool() -> FramePool:
    torch.manual_seed(0)
    made = FramePool(12, inner=8, heads=2).double().eval()
    torch.nn.init.normal_(made.query.weight)
    return made


def test_weights_sum_to_one_over_real_frames(pool: FramePool) -> None:
    x = torch.randn(3, 5, 12, dtype=torch.double)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)
    weights = pool.weights(x, mask)
    torch.testing.assert_close(weights.sum(1), torch.tensor([1.0, 1.0, 0.0], dtype=torch.double))
    assert not weights[~mask].any()
    assert not pool(x, mask)[2].any()


def test_padding_moves_nothing(pool: FramePool) -> None:
    x = torch.randn(2, 5, 12, dtype=torch.double)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    out = pool(x, mask)
    torch.testing.assert_close(pool(x[:1, :3], mask[:1, :3])[0], out[0], atol=1e-12, rtol=0)
    other = x.clone()
    other[0, 3:] = 1e3
    other[1] = torch.randn(5, 12, dtype=torch.double)
    torch.testing.assert_close(pool(other, mask)[0], out[0], atol=1e-12, rtol=0)


def test_one_frame_is_itself_and_order_does_not_count(pool: FramePool) -> None:
    x = torch.randn(1, 4, 12, dtype=torch.double)
    every = torch.ones(1, 4, dtype=torch.bool)
    torch.testing.assert_close(pool(x[:, :1], every[:, :1])[0], x[0, 0])
    torch.testing.assert_close(pool(x.flip(1), every), pool(x, every))
    fresh = FramePool(12).double().eval()
    torch.testing.assert_close(fresh(x, every), x.mean(1))
