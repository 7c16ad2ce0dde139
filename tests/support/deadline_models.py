"""Models for the tests of real-time validation: too slow, or different in the engine."""

import time
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import WaveformToWaveformBase
from support.validate_models import named

SIZE = 256


def products_for(seconds: float) -> int:
    """How many matrix products take so much processor time on this machine, whatever else it does."""
    matrix = torch.eye(SIZE)
    counts: list[int] = []
    for _ in range(5):
        end, count = time.thread_time() + 0.02, 0
        while time.thread_time() < end:
            matrix = torch.mm(matrix, matrix)
            count += 1
        counts.append(count)
    return round(max(counts) * seconds / 0.02)


class Slow(WaveformToWaveformBase):
    """Takes the same time for every call, however long the block is."""

    metadata = named("Slow")
    sample_rates: Any = (48000,)
    matrix: Tensor

    def __init__(self, seconds_per_call: float, block_sizes: tuple[int, ...] = ()) -> None:
        self.block_sizes = block_sizes
        super().__init__(nn.Identity())
        self.register_buffer("matrix", torch.eye(SIZE))
        self.products = products_for(seconds_per_call)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        product = self.matrix
        for _ in range(self.products):
            product = torch.mm(product, self.matrix)
        return x * product[0, 0]


class KnowsItsCaller(WaveformToWaveformBase):
    """A little louder where tensors are those of inference mode, as they are in the engine and not in Python."""

    metadata = named("Knows its caller")

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * (1.001 if x.is_inference() else 1.0)
