"""What every layer that keeps state between blocks has in common: what it declares, and how it forgets."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn


class StreamingLayer(nn.Module):
    """A layer that plays a stream in blocks ``[batch, channels, samples]``, and gives what it would give at once.

    A subclass registers its state with :meth:`register_state`, reads and assigns it in ``forward`` under the same name,
    and sets what it declares in ``__init__``. States are buffers that ``state_dict`` leaves out, so that a layer takes
    the weights of its ordinary counterpart. They keep gradients until :meth:`reset_streaming_state`.

    Attributes:
        ratio: Output samples for each input sample. A block is a multiple of ``ratio.denominator`` long.
        delay_samples: How many samples of the output come before that of the ordinary (not streaming) layer:
            ``streamed[n + delay_samples] == whole[n]``.
        receptive_field_samples: Input samples that one output sample depends on; ``None``: all that came before.
        source: Where the mathematics is from.
    """

    if TYPE_CHECKING:  # TorchScript, which has no fractions, would read annotations of the class
        ratio: Fraction
        delay_samples: int
        receptive_field_samples: int | None
        source: str

    def __init__(self) -> None:
        super().__init__()
        self.ratio = Fraction(1)
        self.delay_samples = 0
        self.receptive_field_samples = 1
        self.source = ""

    def register_state(self, name: str, initial: Tensor) -> None:
        """Add a buffer that is state. ``initial`` has a batch of one, and is what a reset returns to."""
        self.register_buffer(name, initial.clone(), persistent=False)
        self.register_buffer(f"initial_{name}", initial.clone(), persistent=False)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        """Forget the past, own and of no other layer: subclasses put back every state that they registered."""


def streaming_layers(network: nn.Module) -> Iterator[tuple[str, StreamingLayer]]:
    """The layers of a network that keep state between blocks, by name."""
    for name, module in network.named_modules():
        if isinstance(module, StreamingLayer):
            yield name, module
