"""The long filters of students that are built as amplifiers are."""

import math
from typing import Any

import torch
from torch import Tensor

from neutone_like.optimise import StudentShape
from neutone_like.optimise.distilling.students import student_network
from neutone_like.streaming import reset_streaming

RATE = 48000


def test_a_long_filter_holds_what_dies_away_slowly() -> None:
    """A resonance at 150 Hz and a high-pass at 120 Hz, by least squares; the control is its near taps alone."""
    network: Any = student_network(StudentShape("wiener_hammerstein", 1, 48, (1, 16)))
    pulse = torch.zeros(1, 1, 800)
    pulse[..., 0] = 1.0
    time = torch.arange(800.0) / RATE
    resonance = torch.exp(-670.0 * time) * torch.sin(2.0 * math.pi * 105.0 * time)
    high_pass = pulse[0, 0] - 0.0157 * torch.exp(-2.0 * math.pi * 120.0 * time)

    def responses(weight: Tensor) -> list[Tensor]:
        """What the filter gives for each of its taps alone."""
        found: list[Tensor] = []
        for at in range(48):
            weight.zero_()
            weight[0, 0, at] = 1.0
            reset_streaming(network)
            found.append(network.head(pulse)[0, 0])
        weight.zero_()
        return found

    with torch.no_grad():
        network.head.far.weight.zero_()
        near = responses(network.head.near.weight)
        far = responses(network.head.far.weight)

    def error(taps: list[Tensor], wanted: Tensor) -> float:
        held = torch.stack(taps, 1).double()
        made = held @ torch.linalg.lstsq(held, wanted.double()[:, None], driver="gelsd").solution[:, 0]
        return float((made - wanted).square().sum() / wanted.square().sum())

    assert error([*near, *far], resonance) < 1e-4 < 0.1 < error(near, resonance)
    assert error([*near, *far], high_pass) < 1e-6 < 1e-3 < error(near, high_pass)
