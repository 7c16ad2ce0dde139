"""From the model to the host: what the model makes becomes a stream at the host's rate that lags by the latency."""

import torch
from torch import Tensor, nn

from neutone_like.signal.front import resampler_for
from neutone_like.signal.latency import first_output_end
from neutone_like.signal.queue import SampleQueue


class Back(nn.Module):
    """Owns the resampler to the host's rate, what waits for the host, and the silence that goes out first.

    Args:
        channels: As many as the model makes.
        quality: Of the rate conversion.
    """

    def __init__(self, channels: int, quality: str) -> None:
        super().__init__()
        self.channels = channels
        self.quality = quality
        self.resampler = resampler_for(quality)(channels)
        self.queue = SampleQueue(channels)
        self.resampling = False
        self.converts_blocks = False  # the model's blocks, as they come; else as much as the host takes
        self.waiting_silence = 0  # host samples of silence that go out before anything else

    @torch.jit.export
    def prepare(self, model_rate: int, host_rate: int, model_block: int) -> int:
        """Size everything; return the half width of the filter, in model samples."""
        self.resampling = host_rate != model_rate
        self.converts_blocks = self.resampling and model_block > 0
        if self.resampling:
            self.resampler.prepare(model_rate, host_rate, self.quality)
        else:
            self.resampler.release()
        return self.resampler.half_width

    @torch.jit.export
    def start(self, up: int, down: int, half_width_in: int, model_delay: int, latency: int) -> None:
        """A stream begins, which lags ``latency`` host samples behind the input.

        Args:
            up, down: Model rate / host rate in lowest terms.
            half_width_in: Of the filter towards the model, in host samples.
            model_delay: In model samples.
        """
        self.waiting_silence = 0
        self.queue.clear()
        if self.resampling:
            self.resampler.start(
                first_output_end(up, down, half_width_in, self.resampler.half_width, model_delay, latency)
            )
            if self.converts_blocks:
                self._convert()
        else:
            self.queue.push_silence(latency - model_delay)

    @torch.jit.export
    def push(self, y: Tensor) -> None:
        """Take what the model made; it is copied, because a model may write its next output over it."""
        if not self.resampling:
            self.queue.push(y.clone())
            return
        self.resampler.push(y)
        if self.converts_blocks:
            self._convert()

    @torch.jit.export
    def push_converted(self, y: Tensor) -> None:
        """Take what is at the host's rate already, and the queue's to keep."""
        self.queue.push(y)

    @torch.jit.export
    def wait(self, samples: int) -> None:
        """Let as much more silence go out before all else."""
        self.waiting_silence += samples

    @torch.jit.export
    def deliverable(self) -> int:
        """Host samples that :meth:`pull` could give."""
        done = self.resampler.available() if self.resampling else 0
        return self.waiting_silence + self.queue.size + done

    @torch.jit.export
    def pull(self, samples: int) -> Tensor:
        """The next host samples out, ``[channels, samples]``, at most :meth:`deliverable`."""
        silence = min(self.waiting_silence, samples)
        rest = samples - silence
        self.waiting_silence -= silence
        if rest == 0:
            return torch.zeros(self.channels, samples, dtype=torch.float32)
        direct = self.resampling and not self.converts_blocks
        y = self.resampler.pull(rest) if direct else self.queue.pop(rest)
        if silence > 0:
            y = torch.cat((torch.zeros(self.channels, silence, dtype=torch.float32), y), 1)
        return y

    def _convert(self) -> None:
        self.queue.push(self.resampler.pull(self.resampler.available()))
