"""Finite impulse responses, constant or new at every sample."""

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.layer import StreamingLayer


class FIR(StreamingLayer):
    """``y[n] = sum b[k] x[n - k]`` for each channel, ``[batch, channels, samples]`` to the same. It is causal.

    ``forward(x, taps)`` with ``taps`` of ``[batch or 1, channels or 1, count, samples]`` uses a response of its own
    for every output sample instead of the constant one.

    Args:
        taps: ``[count]`` for every channel alike, or ``[channels, count]``. They are a buffer of that name.

    Raises:
        ModelError: Taps of another shape.
    """

    taps: Tensor
    past: Tensor
    initial_past: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, taps: Tensor) -> None:
        super().__init__()
        if taps.dim() not in (1, 2) or taps.numel() == 0:
            raise ModelError(f"FIR: taps of shape {list(taps.shape)}; expected [count] or [channels, count]")
        self.register_buffer("taps", taps.detach().clone().view(-1, taps.size(-1)))
        self.register_state("past", torch.zeros(1, 1, taps.size(-1) - 1, dtype=taps.dtype))
        self.receptive_field_samples = taps.size(-1)
        self.receptive_field_is_exact = bool(taps[..., 0].any()) and bool(taps[..., -1].any())  # ends may be zeros
        self.source = "Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 6"

    def forward(self, x: Tensor, taps: Tensor | None = None) -> Tensor:
        heard = torch.cat([self.past.expand(x.size(0), x.size(1), -1), x], 2)
        self.past = heard[:, :, x.size(2) :]
        if taps is None:
            kernel = self.taps.expand(x.size(1), -1).flip(1).unsqueeze(1)
            return conv1d(heard, kernel, groups=x.size(1))
        if taps.size(2) != self.taps.size(1) or taps.size(3) != x.size(2):
            raise ModelError(
                f"FIR: taps of shape {taps.shape}; expected [batch or 1, channels or 1, {self.taps.size(1)}, "
                f"{x.size(2)}]"
            )
        newest_first = heard.unfold(2, taps.size(2), 1).flip(3)
        return (newest_first * taps.transpose(2, 3)).sum(3)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()
