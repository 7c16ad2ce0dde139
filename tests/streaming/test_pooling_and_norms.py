"""Pooling, hold and normalisations against torch, in blocks; refusals."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import (
    ChannelNorm,
    Conv1d,
    CumulativeLayerNorm,
    Delay,
    Hold,
    Interpolate,
    Pool1d,
    Sequential,
    refuse_unstreamable,
    verify_streaming,
)


def test_a_maximum_over_nothing_but_padding_is_silence() -> None:
    network = Sequential(Delay(6, 1), Pool1d(1, 3, 2, kind="maximum"), Conv1d(1, 1, 2))
    assert torch.isfinite(network(torch.randn(1, 1, 24))).all()
    assert verify_streaming(network, chunkings=5).passed


def test_a_convolution_on_lines_between_samples_has_at_most_the_field_of_its_interval() -> None:
    for factor in (2, 3, 5):
        assert verify_streaming(Sequential(Interpolate(1, factor), Conv1d(1, 1, 2)), chunkings=5).passed


def test_pooling_and_hold_are_those_of_torch() -> None:
    rng = random.Random(0)
    for case in range(12):
        stride = rng.randint(1, 4)
        kernel = rng.randint(stride, 6)
        kind = (nn.AvgPool1d, nn.MaxPool1d)[case % 2]
        more: Any = {"dilation": rng.randint(1, 3)} if case % 2 else {}
        ordinary = kind(kernel, stride, rng.randint(0, kernel // 2), **more)
        x = torch.randn(1, 2, stride * 40, dtype=torch.float64)
        layer = Pool1d.from_torch(ordinary, 2).double()
        report = verify_streaming(layer, reference=ordinary, example=x, chunkings=5)
        assert report.passed, report
    x = torch.randn(1, 2, 40)
    for factor in range(1, 6):
        lines = nn.Upsample(scale_factor=factor, mode="linear")
        report = verify_streaming(Interpolate(2, factor).double(), lines, example=x.double(), chunkings=5)
        assert report.passed, report
    assert verify_streaming(Hold(3), reference=nn.Upsample(scale_factor=3), example=x, chunkings=5).passed


def test_normalisations_are_those_of_the_books() -> None:
    class Ordinary(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            parts = [x[:, :, : n + 1] for n in range(x.size(2))]
            return torch.stack([(p[:, :, -1] - p.mean()) / p.var(correction=0).add(1e-8).sqrt() for p in parts], 2)

    x = torch.randn(1, 3, 48, dtype=torch.float64)
    assert verify_streaming(CumulativeLayerNorm(3).double(), Ordinary(), example=x, chunkings=5).passed
    norm, rms = ChannelNorm(3).double(), ChannelNorm(3, centre=False).double()
    torch.testing.assert_close(norm(x), nn.LayerNorm(3).double()(x.mT).mT)
    torch.testing.assert_close(rms(x), nn.RMSNorm(3, eps=1e-5).double()(x.mT).mT)
    groups = ChannelNorm(6, groups=2).double()
    y = torch.randn(1, 6, 48, dtype=torch.float64)
    expected = torch.stack([nn.GroupNorm(2, 6).double()(each) for each in y.unbind(2)], 2)  # one frame at a time
    torch.testing.assert_close(groups(y), expected)
    with pytest.raises(ModelError, match=r"6 channels don't divide into 4 groups"):
        ChannelNorm(6, groups=4)
    with pytest.raises(ModelError, match=r"mean has dilation=1, as torch's AvgPool1d, got 2"):
        Pool1d(1, 2, 1, dilation=2)
    maximum = Pool1d(3, 2, 2, kind="maximum", dilation=3)
    for layer in (CumulativeLayerNorm(3), rms.float(), maximum, Hold(2), Interpolate(3, 2)):
        torch.testing.assert_close(torch.jit.script(layer)(x.float()), layer(x.float()))


def test_what_needs_the_whole_signal_is_refused_by_name() -> None:
    for layer, why in (
        (nn.BatchNorm1d(2), "train mode"),
        (nn.SyncBatchNorm(2), "train mode"),
        (nn.GroupNorm(1, 2), "over all of time"),
        (nn.InstanceNorm1d(2), "over all of time"),
        (nn.AdaptiveAvgPool1d(1), "pools over all of time"),
        (nn.GRU(1, 1, bidirectional=True), "bidirectional"),
        (nn.Upsample(scale_factor=2, mode="linear", align_corners=True), "align_corners=True"),
    ):
        with pytest.raises(ModelError, match=f"body.3 .*{why}"):
            refuse_unstreamable(layer, "body.3")
    refuse_unstreamable(nn.BatchNorm1d(2).eval(), "body.3")
