"""A causal convolution that keeps its past between blocks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.importers.weights import Weights
from neutone_like.streaming import StreamingLayer
from neutone_like.streaming.framing import join, newest

MAXIMUM_WEIGHTS = 20_000_000
SHORTEST_SAMPLES = 16
"""Below, torch convolves in another order, with up to four times the rounding error: shorter blocks are filled up."""


class CausalConv1d(StreamingLayer):
    """``nn.Conv1d`` with ``dilation * (kernel - 1)`` samples of past before each block.

    Shape: ``[batch, in_channels, N]`` to ``[batch, out_channels, N]``.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, dilation: int = 1, bias: bool = True, groups: int = 1
    ) -> None:
        super().__init__()
        if channels_in % groups or channels_out % groups:
            raise ModelFileError(f"groups must divide {channels_in} and {channels_out} channels, got {groups}.")
        length = dilation * (kernel - 1)
        if channels_in * channels_out * kernel // groups > MAXIMUM_WEIGHTS or channels_in * length > MAXIMUM_WEIGHTS:
            raise ModelFileError(
                f"A convolution of {channels_in} to {channels_out} channels, kernel {kernel}, dilation {dilation} is "
                f"too large: allowed are {MAXIMUM_WEIGHTS} weights and samples of past."
            )
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, dilation=dilation, bias=bias, groups=groups)
        self.length, self.shortest_samples = length, SHORTEST_SAMPLES
        self.receptive_field_samples = length + 1
        self.register_state("past", torch.zeros(1, channels_in, length))

    def fill(self, weights: Weights) -> None:
        """Take weight and bias."""
        weights.fill(self.conv.weight, self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        joined = x
        if self.length > 0:
            joined = join(self.past, x)
            self.past = newest(joined, self.length)
        missing = self.shortest_samples - x.size(2)
        if missing > 0:
            return self.conv(F.pad(joined, (0, missing)))[:, :, : x.size(2)]
        return self.conv(joined)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        """Back to what silence leaves."""
        self.past = self.initial_past.clone()
