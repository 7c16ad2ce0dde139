"""From an offline model to the host: its output at the host's rate, without what lies before the signal's start."""

import torch
from torch import Tensor, nn

from neutone_like.signal.front import resampler_for
from neutone_like.signal.offline_front import PIECE_SAMPLES
from neutone_like.signal.queue import SampleQueue


class OfflineBack(nn.Module):
    """Owns the resampler to the host's rate, what is ready for the host, and what is still to be dropped.

    Args:
        channels: Of all outputs together.
        quality: Of the rate conversion.
    """

    def __init__(self, channels: int, quality: str) -> None:
        super().__init__()
        self.channels = channels
        self.quality = quality
        self.piece_samples = PIECE_SAMPLES
        self.resampler = resampler_for(quality)(channels)
        self.resampling = False
        self.queue = SampleQueue(channels)
        self.model_drop = 0  # model samples that come out before those that count
        self.host_drop = 0
        self.delivered_samples = 0

    @torch.jit.export
    def prepare(self, model_rate: int, host_rate: int) -> int:
        """Size everything; return the half width of the filter, in model samples."""
        self.resampling = host_rate != model_rate
        if self.resampling:
            self.resampler.prepare(model_rate, host_rate, self.quality)
        else:
            self.resampler.release()
        return self.resampler.half_width

    @torch.jit.export
    def start(self, first_end: int, model_drop: int, host_drop: int) -> None:
        """A signal begins; ``first_end`` is where the filter starts."""
        self.queue.clear()
        self.model_drop = model_drop
        self.host_drop = host_drop
        self.delivered_samples = 0
        if self.resampling:
            self.resampler.start(first_end)

    @torch.jit.export
    def push(self, y: Tensor) -> None:
        """Take ``[channels, n]`` at the model's rate, which is the queue's to keep."""
        dropped = min(self.model_drop, y.size(1))
        self.model_drop -= dropped
        y = y.narrow(1, dropped, y.size(1) - dropped)
        if self.resampling and y.size(1) > 0:
            self.resampler.push(y)
            y = self.resampler.pull(self.resampler.available())
        dropped = min(self.host_drop, y.size(1))
        self.host_drop -= dropped
        y = y.narrow(1, dropped, y.size(1) - dropped)
        if y.size(1) > 0:
            self.queue.push(y)

    @torch.jit.export
    def push_long(self, y: Tensor) -> None:
        """The same for a whole signal, in pieces of its own."""
        for start in range(0, y.size(1), self.piece_samples):
            self.push(y.narrow(1, start, min(self.piece_samples, y.size(1) - start)).clone())

    @torch.jit.export
    def flush(self) -> None:
        """Bring out what the filter still holds."""
        if self.resampling:
            self.push(torch.zeros(self.channels, self.resampler.half_width + 2, dtype=torch.float32))

    @torch.jit.export
    def pull(self, samples: int) -> Tensor:
        """The next host samples out, ``[channels, samples]``."""
        self.delivered_samples += samples
        if samples == 0:
            return torch.zeros(self.channels, 0, dtype=torch.float32)
        return self.queue.pop(samples)
