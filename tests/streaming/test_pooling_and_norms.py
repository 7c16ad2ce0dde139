"""Pooling, hold and normalisations against torch, in blocks; refusals."""

import random

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import (
    ChannelNorm,
    CumulativeLayerNorm,
    Hold,
    Pool1d,
    refuse_unstreamable,
    verify_streaming,
)


def test_pooling_and_hold_are_those_of_torch() -> None:
    rng = random.Random(0)
    for case in range(12):
        stride = rng.randint(1, 4)
        kernel = rng.randint(stride, 6)
        kind = (nn.AvgPool1d, nn.MaxPool1d)[case % 2]
        ordinary = kind(kernel, stride, rng.randint(0, kernel // 2))
        x = torch.randn(1, 2, stride * 40, dtype=torch.float64)
        layer = Pool1d.from_torch(ordinary, 2).double()
        report = verify_streaming(layer, reference=ordinary, example=x, chunkings=5)
        # Which samples a maximum hears is the signal's choice, so its widest isn't measured by gradients.
        failed = [c for c in report.checks if not c.passed and (case % 2 == 0 or "receptive" not in c.name)]
        assert not failed, report
    x = torch.randn(1, 2, 40)
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
    for layer in (CumulativeLayerNorm(3), rms.float(), Pool1d(3, 2, 2, kind="maximum"), Hold(2)):
        torch.testing.assert_close(torch.jit.script(layer)(x.float()), layer(x.float()))


def test_what_needs_the_whole_signal_is_refused_by_name() -> None:
    for layer, why in (
        (nn.BatchNorm1d(2), "train mode"),
        (nn.GroupNorm(1, 2), "over all of time"),
        (nn.InstanceNorm1d(2), "over all of time"),
        (nn.AdaptiveAvgPool1d(1), "pools over all of time"),
        (nn.GRU(1, 1, bidirectional=True), "bidirectional"),
        (nn.Upsample(scale_factor=2, mode="linear", align_corners=True), "align_corners=True"),
    ):
        with pytest.raises(ModelError, match=f"body.3 .*{why}"):
            refuse_unstreamable(layer, "body.3")
    refuse_unstreamable(nn.BatchNorm1d(2).eval(), "body.3")
