"""The Neutone SDK's queue for audio, as a ring in a buffer."""

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError


class CircularInplaceTensorQueue(nn.Module):
    """First in, first out, ``[n_ch, samples]``; where there is no room, the oldest samples give way.

    Here it is a module, so that a wrapper that has one as an attribute forgets what is in it at a reset.

    Args:
        n_ch: Channels.
        max_size: Samples that there is room for.
        use_debug_mode: Kept as an attribute. What comes in is checked either way.

    Attributes:
        size: Samples waiting.

    Raises:
        ModelError: No room at all; in the methods, another number of channels.
    """

    queue: Tensor

    def __init__(self, n_ch: int, max_size: int, use_debug_mode: bool = True) -> None:
        super().__init__()
        if n_ch < 1 or max_size < 1:
            raise ModelError(
                f"CircularInplaceTensorQueue: n_ch and max_size must be at least 1, got {n_ch} and {max_size}."
            )
        self.use_debug_mode = use_debug_mode
        self.max_size = max_size
        self.start_idx = 0
        self.end_idx = 0
        self.size = 0
        self.register_buffer("queue", torch.zeros(n_ch, max_size), persistent=False)

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Append ``[n_ch, samples]``."""
        self._require_channels(x)
        count = min(x.size(1), self.max_size)
        x = x[:, x.size(1) - count :]
        first = min(count, self.max_size - self.end_idx)
        self.queue[:, self.end_idx : self.end_idx + first] = x[:, :first]
        self.queue[:, : count - first] = x[:, first:]
        self.end_idx = (self.end_idx + count) % self.max_size
        self.size = min(self.size + count, self.max_size)
        self.start_idx = (self.end_idx - self.size) % self.max_size

    @torch.jit.export
    def pop(self, out: Tensor) -> int:
        """Move the oldest samples to the beginning of ``out``, as many as there are and fit; returns how many."""
        count = self.fill(out)
        self.start_idx = (self.start_idx + count) % self.max_size
        self.size -= count
        return count

    @torch.jit.export
    def fill(self, out: Tensor) -> int:
        """:meth:`pop`, but the samples stay."""
        self._require_channels(out)
        count = min(out.size(1), self.size)
        first = min(count, self.max_size - self.start_idx)
        out[:, :first] = self.queue[:, self.start_idx : self.start_idx + first]
        out[:, first:count] = self.queue[:, : count - first]
        return count

    @torch.jit.export
    def is_empty(self) -> bool:
        return self.size == 0

    @torch.jit.export
    def is_full(self) -> bool:
        return self.size == self.max_size

    @torch.jit.export
    def reset(self) -> None:
        """Forget what is waiting."""
        self.start_idx = 0
        self.end_idx = 0
        self.size = 0

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.queue.zero_()
        self.reset()

    def _require_channels(self, x: Tensor) -> None:
        if x.dim() != 2 or x.size(0) != self.queue.size(0):
            raise ModelError(
                f"CircularInplaceTensorQueue: a tensor of shape {x.shape}; expected [{self.queue.size(0)}, samples]."
            )
