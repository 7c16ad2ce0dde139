"""Pooling and up-sampling over time, in blocks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_multiple
from neutone_like.streaming.framing import Framing, join, newest, require_positive
from neutone_like.streaming.layer import StreamingLayer


class Pool1d(StreamingLayer):
    """Mean or maximum of ``kernel_size`` samples in every ``stride``, as torch's AvgPool1d and MaxPool1d.

    Padding is on the left, ``dilation * (kernel_size - 1)`` less ``look_ahead_samples``: zeros for ``"mean"``, nothing
    for ``"maximum"``. ``channels`` is how many come in.

    Raises:
        ModelError: A kernel smaller than its stride, an unknown ``kind``, a mean with dilation; in ``forward``, a block
            that the stride doesn't allow.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        channels: int,
        kernel_size: int,
        stride: int,
        *,
        kind: str = "mean",
        dilation: int = 1,
        look_ahead_samples: int = 0,
    ) -> None:
        super().__init__()
        require_positive(channels=channels)
        if kind not in ("mean", "maximum"):
            raise ModelError(f"kind must be 'mean' or 'maximum', got {kind!r}.")
        if kind == "mean" and dilation != 1:
            raise ModelError(f"A mean has dilation=1, as torch's AvgPool1d, got {dilation}: use Conv1d.")
        self.framing = Framing(kernel_size, stride, dilation, dilation * (kernel_size - 1) - look_ahead_samples)
        self.kernel_size, self.stride, self.past_samples = kernel_size, stride, self.framing.past_samples
        self.dilation, self.span = dilation, self.framing.span
        self.mean = kind == "mean"
        self.ratio, self.delay_samples = self.framing.ratio, self.framing.delay_samples
        self.receptive_field_samples, self.receptive_field_is_exact = self.span, self.mean
        self.padding_value = 0.0 if self.mean else float("-inf")
        self.source = "As in torch.nn.AvgPool1d and MaxPool1d"
        self.register_state("past", torch.full((1, channels, self.past_samples), self.padding_value))

    @classmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(cls, layer: nn.AvgPool1d | nn.MaxPool1d, channels: int) -> "Pool1d":
        """The same for a stream; its symmetric padding becomes delay."""
        mean = isinstance(layer, nn.AvgPool1d)
        kernel, stride, padding = (_only(v) for v in (layer.kernel_size, layer.stride, layer.padding))
        if isinstance(layer, nn.AvgPool1d) and padding and not layer.count_include_pad:
            raise ModelError("AvgPool1d with count_include_pad=False weighs its ends otherwise: set it True.")
        dilation = _only(layer.dilation) if isinstance(layer, nn.MaxPool1d) else 1
        ahead = dilation * (kernel - 1) - padding
        kind = "mean" if mean else "maximum"
        return cls(channels, kernel, stride, kind=kind, dilation=dilation, look_ahead_samples=ahead)

    def forward(self, x: Tensor) -> Tensor:
        samples = x.size(2)
        require_multiple("Pool1d", samples, self.stride)
        joined = join(self.past, x)
        self.past = newest(joined, self.past_samples)
        heard = joined.narrow(2, 0, samples - self.stride + self.span)
        if self.mean:
            return F.avg_pool1d(heard, self.kernel_size, self.stride)
        y = F.max_pool1d(heard, self.kernel_size, self.stride, 0, self.dilation)
        return y.masked_fill(y == float("-inf"), 0.0)  # a window of nothing but padding, before a delayed signal

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        return self.framing.input_interval(first, last)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()


class Hold(StreamingLayer):
    """Every sample ``factor`` times: zero-order hold, as torch's nearest up-sampling."""

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, factor: int) -> None:
        super().__init__()
        require_positive(factor=factor)
        self.factor = factor
        self.ratio = self.ratio * factor
        self.source = "Zero-order hold, as in torch.nn.Upsample(mode='nearest')"

    def forward(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(self.factor, 2)


class Interpolate(StreamingLayer):
    """``factor`` samples for each, on lines between them, as torch's linear up-sampling with ``align_corners=False``.

    A line ends at its second sample: what torch puts half a step before a sample waits for it, as delay.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        require_positive(channels=channels, factor=factor)
        self.factor = factor
        self.ratio = self.ratio * factor
        self.delay_samples = (factor + 1) // 2
        self.receptive_field_samples, self.receptive_field_is_exact = 2, factor % 2 == 0  # odd: some hear one alone
        self.source = "Linear interpolation, as in torch.nn.Upsample(mode='linear')"
        places = (torch.arange(factor, dtype=torch.float64) - self.delay_samples + 0.5) / factor + 0.5
        self.register_buffer("places", places.float(), persistent=False)
        self.register_state("past", torch.zeros(1, channels, 1))
        self.register_state("begun", torch.zeros(1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        first = x[:, :, :1]
        before = torch.where(self.begun > 0.0, self.past.expand_as(first), first)  # it has no left neighbour
        joined = torch.cat((before, x), 2)
        self.past, self.begun = newest(joined, 1), torch.ones_like(self.begun)
        pairs = torch.lerp(joined[:, :, :-1].unsqueeze(3), x.unsqueeze(3), self.places.to(x.dtype))
        return pairs.flatten(2)

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        return first // self.factor - 1, last // self.factor

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past, self.begun = self.initial_past.clone(), self.initial_begun.clone()


def _only(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]
