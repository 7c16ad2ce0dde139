"""A model of whole blocks, run on windows that overlap and fade into each other."""

import math

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_multiple
from neutone_like.streaming.framing import require_positive
from neutone_like.streaming.layer import StreamingLayer


class OverlapAddCrossfade(StreamingLayer):
    """Runs a model without memory on windows of the stream, and crossfades where they overlap.

    A window begins every :attr:`block_multiple_samples` = ``window_samples - fade_samples``, of which blocks are
    multiples; what the model makes of it fades in over its first ``fade_samples`` and out over its last, so that
    weights add up to one. A sample waits for the next window, which takes ``fade_samples``: the declared delay.

    Args:
        model: ``[batch, channels, window_samples]`` to ``[batch, any channels, window_samples]``, without state.
        window_samples: What the model sees at once.
        fade_samples: From 0 to half of the window.
        channels_out: Channels of the model's output.

    Raises:
        ModelError: Sizes that cannot be, a block that is no multiple, or a model that gives another length.
    """

    weights: Tensor
    past: Tensor
    initial_past: Tensor
    fading: Tensor
    initial_fading: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, model: nn.Module, window_samples: int, fade_samples: int, channels_out: int = 1) -> None:
        super().__init__()
        require_positive(channels_out=channels_out)
        if window_samples < 1 or not 0 <= fade_samples <= window_samples // 2:
            raise ModelError(
                f"OverlapAddCrossfade: window_samples={window_samples}, fade_samples={fade_samples}; expected a fade "
                f"from 0 to half of the window"
            )
        self.model = model
        self.window_samples, self.fade_samples = window_samples, fade_samples
        self.block_multiple_samples = window_samples - fade_samples
        rise = torch.sin(math.pi / 2 * (torch.arange(fade_samples) + 0.5) / max(fade_samples, 1)).square()
        level = torch.ones(window_samples - 2 * fade_samples)
        self.register_buffer("weights", torch.cat([rise, level, 1.0 - rise]), persistent=False)
        self.register_state("past", torch.zeros(1, 1, fade_samples))
        self.register_state("fading", torch.zeros(1, channels_out, fade_samples))
        self.delay_samples = fade_samples
        self.receptive_field_samples = 2 * window_samples - fade_samples
        self.receptive_field_is_exact = False  # the model may hear less than its window
        self.source = "Crochiere, A Weighted Overlap-Add Method of Short-Time Fourier Analysis/Synthesis, 1980"

    def forward(self, x: Tensor) -> Tensor:
        require_multiple("OverlapAddCrossfade", x.size(2), self.block_multiple_samples)
        heard = torch.cat([self.past.expand(x.size(0), x.size(1), -1), x], 2)
        self.past = heard[:, :, x.size(2) :]
        blocks: list[Tensor] = []
        for start in range(0, x.size(2), self.block_multiple_samples):
            blocks.append(self._block(heard[:, :, start : start + self.window_samples]))
        return torch.cat(blocks, 2)

    def _block(self, window: Tensor) -> Tensor:
        y = self.model(window)
        if y.size(2) != self.window_samples:
            raise ModelError(
                f"OverlapAddCrossfade: the model made {y.size(2)} samples of {self.window_samples}; expected as many"
            )
        y = y * self.weights
        begun = y[:, :, : self.fade_samples] + self.fading
        self.fading = y[:, :, self.block_multiple_samples :]
        return torch.cat([begun, y[:, :, self.fade_samples : self.block_multiple_samples]], 2)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()
        self.fading = self.initial_fading.clone()
