"""Convolution over time that keeps the end of one block for the next."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.graph.dilation import taps_side_by_side
from neutone_like.streaming.block_lengths import require_multiple
from neutone_like.streaming.framing import (
    Framing,
    join,
    newest,
    require_positive,
    require_zero_padding,
)
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.weights import copy_weights


class Conv1d(StreamingLayer):
    """:class:`torch.nn.Conv1d` for a stream: ``[batch, in_channels, n]`` to ``[batch, out_channels, n / stride]``.

    The ordinary layer that it equals has all of its zero padding on the left: ``dilation * (kernel_size - 1)``, less
    ``look_ahead_samples``. What it looks ahead becomes delay, in whole output samples.

    Args:
        look_ahead_samples: Input samples after the newest one that an output sample is to hear, at most
            ``dilation * (kernel_size - 1)``. Below 0 the output is that much later than a causal one.
        padding_mode: Only ``"zeros"``.
        bias: ``None`` is ``False``, as for PyTorch's layers.

    Raises:
        ModelError: A kernel smaller than its stride, another padding, a number out of range; in ``forward``, a block
            that is no multiple of the stride.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        *,
        dilation: int = 1,
        groups: int = 1,
        bias: bool | None = True,
        look_ahead_samples: int = 0,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        require_zero_padding("Conv1d", padding_mode)
        require_positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
        self.framing = Framing(kernel_size, stride, dilation, dilation * (kernel_size - 1) - look_ahead_samples)
        ordinary: Any = nn.Conv1d(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bool(bias))
        self.weight = ordinary.weight
        self.register_parameter("bias", ordinary.bias)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.dilation, self.groups = stride, dilation, groups
        self.span, self.past_samples = self.framing.span, self.framing.past_samples
        self.as_product = dilation > 1 and stride == 1 and groups == 1 and kernel_size <= 8
        self.ratio = self.framing.ratio
        self.delay_samples = self.framing.delay_samples
        self.receptive_field_samples = self.span
        self.padding_value = 0.0
        self.source = "Discrete convolution, as in torch.nn.Conv1d; Paine et al., Fast WaveNet Generation (2016)"
        self.register_state("past", torch.zeros(1, in_channels, self.past_samples))

    @classmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(cls, layer: nn.Conv1d, *, left_padding: int | None = None) -> "Conv1d":
        """The same weights, copied, for a stream.

        Args:
            left_padding: Zeros before the signal, where something else than the layer pads; ``None``: the layer's.
        """
        kernel_size, stride, dilation = layer.kernel_size[0], layer.stride[0], layer.dilation[0]
        padding = _own_left_padding(layer) if left_padding is None else left_padding
        converted = cls(
            layer.in_channels,
            layer.out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=layer.groups,
            bias=layer.bias is not None,
            look_ahead_samples=dilation * (kernel_size - 1) - padding,
            padding_mode=layer.padding_mode,
        )
        copy_weights(converted, layer)
        return converted

    def forward(self, x: Tensor) -> Tensor:
        samples = x.size(2)
        require_multiple("Conv1d", samples, self.stride)
        joined = join(self.past, x)
        self.past = newest(joined, self.past_samples)
        heard = joined.narrow(2, 0, samples - self.stride + self.span)
        if self.as_product:
            return self._product(heard, samples)
        return F.conv1d(heard, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def _product(self, heard: Tensor, samples: int) -> Tensor:
        """All taps side by side: for blocks, PyTorch plays that faster than its dilated convolution."""
        taps: list[Tensor] = []
        for tap in range(self.kernel_size):
            taps.append(heard.narrow(2, tap * self.dilation, samples))
        y = torch.matmul(taps_side_by_side(self.weight), torch.cat(taps, 1))
        bias = self.bias
        return y if bias is None else y + bias.unsqueeze(1)

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        return self.framing.input_interval(first, last)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"dilation={self.dilation}, groups={self.groups}, delay_samples={self.delay_samples}"
        )


def _own_left_padding(layer: nn.Conv1d) -> int:
    if layer.padding == "valid":
        return 0
    if layer.padding == "same":
        return layer.dilation[0] * (layer.kernel_size[0] - 1) // 2
    return int(layer.padding[0])
