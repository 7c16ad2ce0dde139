"""Frames that overlap, faded into one another so that together they weigh 1 everywhere.

Frame ``k`` holds the samples from ``k * hop`` on, weighted by ``w[i]``. A sample is covered by the frames in which its
index is congruent modulo ``hop``, so dividing ``w`` by ``sum(w[i + j * hop] for all j)`` makes the weights of every
sample add up to 1, whatever the window and the hop.
"""

import math

import torch
from torch import Tensor, nn


def overlap_weights(window: str, frame: int, hop: int) -> Tensor:
    """A window of ``frame`` samples, divided by the sum of its copies that lie ``hop`` apart: float32 ``[frame]``.

    Windows are sampled half a sample off their zeros, so that none divides by zero.
    """
    place = (torch.arange(frame, dtype=torch.float64) + 0.5) / frame
    if window == "hann":
        weights = torch.sin(math.pi * place).square()
    elif window == "sqrt_hann":
        weights = torch.sin(math.pi * place)
    elif window == "triangular":
        weights = 1.0 - (2.0 * place - 1.0).abs()
    else:
        weights = torch.ones_like(place)
    total = torch.zeros(hop, dtype=torch.float64)
    for start in range(0, frame, hop):
        part = weights[start : start + hop]
        total[: part.size(0)] += part
    return (weights / total.repeat(-(-frame // hop))[:frame]).to(torch.float32)


class OverlapAdd(nn.Module):
    """Takes frames, one every ``hop`` samples, and gives back ``hop`` finished samples for each."""

    def __init__(self, channels: int, window: str) -> None:
        super().__init__()
        self.channels = channels
        self.window = window
        self.hop = 0
        self.weights = torch.zeros(0, dtype=torch.float32)
        self.sum = torch.zeros(channels, 0, dtype=torch.float32)

    @torch.jit.export
    def prepare(self, frame: int, hop: int) -> None:
        self.hop = hop
        self.weights = overlap_weights(self.window, frame, hop)
        self.reset()

    @torch.jit.export
    def reset(self) -> None:
        self.sum = torch.zeros(self.channels, self.weights.size(0), dtype=torch.float32)

    @torch.jit.export
    def add(self, frame: Tensor) -> Tensor:
        """``[channels, frame]`` in, ``[channels, hop]`` out: the samples that no later frame covers."""
        total = self.sum + frame * self.weights
        kept = total.narrow(1, self.hop, total.size(1) - self.hop)
        self.sum = torch.constant_pad_nd(kept, [0, self.hop])
        return total.narrow(1, 0, self.hop).contiguous()
