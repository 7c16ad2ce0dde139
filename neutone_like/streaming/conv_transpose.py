"""Transposed convolution over time: what one block adds to the next is kept."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import require_kernel_covers_stride, require_positive, require_zero_padding
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.weights import copy_weights


class ConvTranspose1d(StreamingLayer):
    """:class:`torch.nn.ConvTranspose1d` for a stream: ``[batch, channels, n]`` to ``[batch, channels', n * stride]``.

    Args:
        padding: Samples that the ordinary layer trims from the start of its output. A stream can't take back what it
            has given, so they become delay. Trimming at the end only (causal decoders): 0.

    Raises:
        ModelError: A kernel smaller than its stride, another padding mode, a number out of range.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        *,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool | None = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        require_zero_padding("ConvTranspose1d", padding_mode)
        require_positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
        require_positive(kernel_size=kernel_size, stride=stride, dilation=dilation)
        require_kernel_covers_stride(kernel_size, stride)
        if isinstance(padding, bool) or not isinstance(padding, int) or padding < 0:
            raise ModelError(f"padding must be a whole number from 0, got {padding!r}.")
        ordinary: Any = nn.ConvTranspose1d(
            in_channels, out_channels, kernel_size, stride, 0, 0, groups, bool(bias), dilation
        )
        self.weight = ordinary.weight
        self.register_parameter("bias", ordinary.bias)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.ratio = self.ratio * stride
        self.delay_samples = padding
        self.receptive_field_samples = self._receptive_field()
        self.padding_value = 0.0
        self.source = "Overlap-add of one kernel for each input sample, as in torch.nn.ConvTranspose1d"
        self.register_state("tail", torch.zeros(1, out_channels, dilation * (kernel_size - 1) + 1 - stride))

    @classmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(cls, layer: nn.ConvTranspose1d, *, padding: int | None = None) -> "ConvTranspose1d":
        """The same weights, copied, for a stream.

        Args:
            padding: Samples trimmed from the start, where something else trims too; ``None``: the layer's.
        """
        converted = cls(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size[0],
            layer.stride[0],
            padding=int(layer.padding[0]) if padding is None else padding,
            dilation=layer.dilation[0],
            groups=layer.groups,
            bias=layer.bias is not None,
            padding_mode=layer.padding_mode,
        )
        copy_weights(converted, layer)
        return converted

    def forward(self, x: Tensor) -> Tensor:
        given = x.size(2) * self.stride
        y = F.conv_transpose1d(x, self.weight, None, self.stride, 0, 0, self.groups, self.dilation)
        y = y + F.pad(self.tail.expand(x.size(0), -1, -1), (0, given))
        self.tail = y.narrow(2, given, y.size(2) - given)
        y = y.narrow(2, 0, given)
        bias = self.bias
        return y if bias is None else y + bias.unsqueeze(1)

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        ends = {*range(first, min(first + self.stride, last + 1)), *range(max(first, last - self.stride + 1), last + 1)}
        lags = [tap * self.dilation for tap in range(self.kernel_size)]
        heard = [(n - lag) // self.stride for n in ends for lag in lags if (n - lag) % self.stride == 0]
        return (min(heard), max(heard)) if heard else (first // self.stride, last // self.stride)

    def _receptive_field(self) -> int:
        intervals = [self.input_interval(n, n) for n in range(self.stride)]
        return max(last - first + 1 for first, last in intervals)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.tail = self.initial_tail.clone()

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}"
        )
