"""A signal later by a whole number of samples."""

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import join, newest, require_positive
from neutone_like.streaming.layer import StreamingLayer


class Delay(StreamingLayer):
    """``[batch, channels, samples]``, later by ``samples``; silence comes first.

    Raises:
        ModelError: ``samples`` is not a whole number from 0.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, samples: int, channels: int = 1) -> None:
        super().__init__()
        require_samples(samples)
        self.samples = samples
        require_positive(channels=channels)
        self.delay_samples = samples
        self.padding_value = 0.0
        self.source = "A first-in first-out line"
        self.register_state("past", torch.zeros(1, channels, samples))

    def forward(self, x: Tensor) -> Tensor:
        past = self.past.expand(-1, x.size(1), -1)  # a line made for one channel takes any number
        joined = join(past, x)
        self.past = newest(joined, self.samples)
        return joined.narrow(2, 0, x.size(2))

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        return first - self.samples, last - self.samples

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()

    def extra_repr(self) -> str:
        return f"{self.samples}"


def require_samples(samples: int) -> None:
    """Raise :class:`ModelError` for what isn't a whole number from 0."""
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 0:
        raise ModelError(f"samples must be a whole number from 0, got {samples!r}.")
