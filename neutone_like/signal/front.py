"""From the host to the model: a stream at the host's rate becomes the blocks that the model is called with."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.signal.queue import SampleQueue
from neutone_like.signal.resampler import FirResampler
from neutone_like.signal.soxr_resampler import SoxrResampler


def resampler_for(quality: str) -> Any:
    """The class that converts rates at a quality."""
    return SoxrResampler if quality == "soxr" else FirResampler


class Front(nn.Module):
    """Owns the resampler to the model's rate, and the queue in which model blocks fill up.

    Args:
        channels: As many as the model takes.
        quality: Of the rate conversion.
    """

    def __init__(self, channels: int, quality: str) -> None:
        super().__init__()
        self.quality = quality
        self.resampler = resampler_for(quality)(channels)
        self.queue = SampleQueue(channels)
        self.resampling = False
        self.model_block = 0

    @torch.jit.export
    def prepare(self, host_rate: int, model_rate: int, model_block: int) -> int:
        """Size everything; return the half width of the filter, in host samples.

        Args:
            host_rate, model_rate: In Hz.
            model_block: How many samples at the model's rate :meth:`pull` gives; 0: all that there are.
        """
        self.model_block = model_block
        self.resampling = host_rate != model_rate
        if self.resampling:
            self.resampler.prepare(host_rate, model_rate, self.quality)
        else:
            self.resampler.release()
        return self.resampler.half_width

    @torch.jit.export
    def start(self) -> None:
        """A stream begins: nothing of the last one is left."""
        self.queue.clear()
        if self.resampling:
            self.resampler.start(1)

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Take float32 ``[channels, n]`` at the host's rate; it is copied."""
        if self.resampling:
            self.resampler.push(x)
        else:
            self.queue.push(x.clone(memory_format=torch.contiguous_format))

    @torch.jit.export
    def ready(self) -> int:
        """How many samples the next call of the model has; 0 if it has to wait."""
        have = self.resampler.available() if self.resampling else self.queue.size
        if self.model_block == 0:
            return have
        return self.model_block if have >= self.model_block else 0

    @torch.jit.export
    def pull(self, samples: int) -> Tensor:
        """The next ``samples`` at the model's rate: contiguous ``[channels, samples]``, and the caller's to keep."""
        return self.resampler.pull(samples) if self.resampling else self.queue.pop(samples)
