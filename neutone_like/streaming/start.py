"""Where a layer's signal begins later than the stream, because layers before it delay: what it hears until then."""

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.delay import require_samples
from neutone_like.streaming.framing import join, newest
from neutone_like.streaming.layer import StreamingLayer


class SilentStart(StreamingLayer):
    """Replaces the first ``samples`` after a reset by ``value``.

    A layer that delays by ``d`` gives ``d`` samples before its first one. The next ordinary layer has its padding
    there; only with the same padding does the stream equal the ordinary network from the first sample on.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, samples: int, value: float = 0.0) -> None:
        super().__init__()
        require_samples(samples)
        self.samples = samples
        self.value = value
        self.padding_value = value
        self.source = "A delayed one, as a gate"
        self.register_state("shut", torch.zeros(1, 1, samples))

    def forward(self, x: Tensor) -> Tensor:
        joined = join(self.shut, torch.ones_like(x.narrow(1, 0, 1)))
        self.shut = newest(joined, self.samples)
        gate = joined.narrow(2, 0, x.size(2))
        return torch.where(gate > 0.0, x, self.value)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.shut = self.initial_shut.clone()

    def extra_repr(self) -> str:
        return f"{self.samples}, value={self.value}"
