"""Windows over a stream: which samples a strided, dilated window sees, and what waits for the next block."""

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from neutone_like.errors import ModelError


@dataclass(frozen=True)
class Framing:
    """A window of ``kernel_size`` taps, ``dilation`` apart, that moves by ``stride`` and begins ``left_padding`` early.

    Window ``j`` of the ordinary layer ends at input sample ``j * stride + span - 1 - left_padding``. The stream has
    given its sample ``j`` once ``(j + 1) * stride`` input samples are there, so it comes ``delay_samples`` later.
    """

    kernel_size: int
    stride: int
    dilation: int
    left_padding: int

    def __post_init__(self) -> None:
        require_positive(kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation)
        if self.left_padding < 0:
            most = self.span - 1
            raise ModelError(
                f"look_ahead_samples must be at most dilation * (kernel_size - 1) = {most}, "
                f"got {most - self.left_padding}."
            )
        require_kernel_covers_stride(self.kernel_size, self.stride)

    @property
    def span(self) -> int:
        """Samples from the first tap to the last, both counted."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def delay_samples(self) -> int:
        """In output samples."""
        return max(0, -((self.left_padding + self.stride - self.span) // self.stride))

    @property
    def past_samples(self) -> int:
        """Input samples that are kept from one block to the next."""
        return self.delay_samples * self.stride + self.left_padding

    @property
    def ratio(self) -> Fraction:
        return Fraction(1, self.stride)

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        """First and last input sample on which the outputs ``first..last`` of the stream depend."""
        return first * self.stride - self.past_samples, last * self.stride - self.past_samples + self.span - 1


def join(past: Tensor, x: Tensor) -> Tensor:
    """``past`` before ``x`` along time; a past with a batch of one serves every item of the batch."""
    return torch.cat((past.expand(x.size(0), -1, -1), x), 2)


def newest(x: Tensor, samples: int) -> Tensor:
    """The last ``samples`` of ``[batch, channels, time]``."""
    return x.narrow(2, x.size(2) - samples, samples)


def require_kernel_covers_stride(kernel_size: int, stride: int) -> None:
    """Raise :class:`ModelError` where a window jumps further than it is long."""
    if kernel_size < stride:
        raise ModelError(
            f"kernel_size must be at least stride, got kernel_size={kernel_size} and stride={stride}: samples between "
            "two windows would never be heard, or never written. Use a longer kernel, or a smaller stride."
        )


def require_positive(**values: int) -> None:
    """Raise :class:`ModelError` for the first value that isn't a whole number from 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ModelError(f"{name} must be a whole number from 1, got {value!r}.")


def require_zero_padding(layer: str, padding_mode: str) -> None:
    """Raise :class:`ModelError` for padding that needs samples that a stream doesn't have yet."""
    if padding_mode != "zeros":
        raise ModelError(
            f"{layer}: padding_mode must be 'zeros' in a stream, got {padding_mode!r}, which pads with samples from "
            "within the signal, or from its other end. Train with padding_mode='zeros', or with causal padding."
        )
