"""From the host to an offline model: whatever pieces a signal comes in, the model's input does not depend on them."""

import torch
from torch import Tensor, nn

from neutone_like.signal.front import resampler_for
from neutone_like.signal.queue import SampleQueue

PIECE_SAMPLES = 16384  # host samples that go on their way together, however they came


class OfflineFront(nn.Module):
    """Owns what has come and is no whole piece yet, the resampler to the model's rate, and the model's input.

    Args:
        channels: Of all inputs together; 0 for a generator.
        quality: Of the rate conversion.
    """

    def __init__(self, channels: int, quality: str) -> None:
        super().__init__()
        self.channels = channels
        self.quality = quality
        self.piece_samples = PIECE_SAMPLES
        self.resampler = resampler_for(quality)(channels)
        self.resampling = False  # and there is something to resample
        self.gathered = SampleQueue(0)  # audio, and below it the parameters where they are given
        self.queue = SampleQueue(channels)
        self.pushed_samples = 0  # of the signal
        self.fed_samples = 0  # of those, on their way
        self.made_samples = 0  # of the model's input, so far
        self.run_samples = 0  # of which the model has been called with so many

    @torch.jit.export
    def prepare(self, host_rate: int, model_rate: int) -> int:
        """Size everything; return the half width of the filter, in host samples."""
        self.resampling = host_rate != model_rate and self.channels > 0
        if self.resampling:
            self.resampler.prepare(host_rate, model_rate, self.quality)
        else:
            self.resampler.release()
        return self.resampler.half_width

    @torch.jit.export
    def start(self, first_end: int) -> None:
        """A signal begins; ``first_end`` is where the filter starts."""
        self.gathered.clear()
        self.queue.clear()
        self.pushed_samples = 0
        self.fed_samples = 0
        self.made_samples = 0
        self.run_samples = 0
        if self.resampling:
            self.resampler.start(first_end)

    @torch.jit.export
    def gather(self, piece: Tensor) -> None:
        """Take up to a piece of the signal, parameters below the audio."""
        self.gathered.push(piece)
        self.pushed_samples += piece.size(1)

    @torch.jit.export
    def has_piece(self) -> bool:
        return self.gathered.size >= self.piece_samples

    @torch.jit.export
    def next_piece(self) -> Tensor:
        """The next whole piece, or all that is left."""
        piece = self.gathered.pop(min(self.gathered.size, self.piece_samples))
        self.fed_samples += piece.size(1)
        return piece

    @torch.jit.export
    def push(self, audio: Tensor) -> None:
        """Bring ``[channels, n]`` at the host's rate to the model's."""
        if self.resampling:
            self.resampler.push(audio)
            self._add(self.resampler.pull(self.resampler.available()))
        else:
            self._add(audio.clone(memory_format=torch.contiguous_format))

    @torch.jit.export
    def push_silence(self, samples: int) -> None:
        """As much silence of the model's rate: a generator's input, or what brings out the end of a signal."""
        self._add(torch.zeros(self.channels, samples, dtype=torch.float32))

    @torch.jit.export
    def pad(self, samples: int) -> None:
        """Fill up the queue to as many samples, with silence that is no part of the signal."""
        self.queue.push_silence(max(0, samples - self.queue.size))

    @torch.jit.export
    def pull(self, samples: int) -> Tensor:
        """The model's next new samples."""
        self.run_samples += samples
        return self.queue.pop(samples)

    def _add(self, x: Tensor) -> None:
        self.made_samples += x.size(1)
        if x.size(1) > 0:
            self.queue.push(x)
