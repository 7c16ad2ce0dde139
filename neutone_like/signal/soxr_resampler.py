"""libsoxr behind the same interface as our own filter: the best there is offline, and far too late for live use."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like.errors import RuntimeEngineError
from neutone_like.extras import import_extra
from neutone_like.signal.filter_design import reduced_ratio

PROBE_SAMPLES = 1 << 16


class SoxrResampler(nn.Module):
    """Streaming conversion by libsoxr's VHQ, made to look like a FIR filter of a fixed, large half width.

    libsoxr gives output that is aligned with its input, but late and in bursts. Its worst lateness is measured when
    it is prepared and becomes :attr:`half_width`; silence before the stream puts every output where a filter would.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.up = 1
        self.down = 1
        self.rates = (1, 1)
        self.half_width = 0
        self._stream: Any = None
        self._output = np.zeros((0, channels), np.float32)
        self._head = 0
        self._inputs = 0
        self._end = 0  # of the next output's window, times `up`, in inputs

    def prepare(self, in_rate: int, out_rate: int, quality: str) -> None:
        """Open a conversion from ``in_rate`` to ``out_rate`` Hz and measure its lateness."""
        self.rates = (in_rate, out_rate)
        self.up, self.down = reduced_ratio(out_rate, in_rate)
        self.half_width = self._measured_lateness()

    def release(self) -> None:
        self._stream = None
        self.half_width = 0

    def start(self, first_end: int) -> None:
        """Begin a stream, whose output 0 ends its window ``first_end / up`` inputs after the start of the input."""
        self._open()
        self._inputs = 0
        self._end = first_end
        # Output 0 belongs to input time first_end / up - half_width. libsoxr's outputs lie at multiples of down / up
        # after the start of what it is given, so as much silence goes first as makes the two meet.
        silence = self.half_width + max(self.half_width, -(first_end // self.up))
        while (first_end + self.up * (silence - self.half_width)) % self.down != 0:
            silence += 1
        self._head = (first_end + self.up * (silence - self.half_width)) // self.down
        self._process(np.zeros((silence, self.channels), np.float32))

    def push(self, x: Tensor) -> None:
        """Take ``[channels, n]`` more inputs."""
        self._inputs += x.size(1)
        self._process(np.ascontiguousarray(x.detach().numpy().T))

    def available(self) -> int:
        """How many outputs a filter of this half width could give."""
        return max(0, (self._inputs * self.up - self._end) // self.down + 1)

    def pull(self, count: int) -> Tensor:
        """The next ``count`` outputs, ``[channels, count]``."""
        if self._head + count > len(self._output):
            raise RuntimeEngineError(
                f"libsoxr is {self._head + count - len(self._output)} samples later than it was when prepared. "
                "Call reset(), or use quality='high'."
            )
        y = self._output[self._head : self._head + count]
        self._output = self._output[self._head + count :]
        self._head = 0
        self._end += count * self.down
        return torch.from_numpy(np.ascontiguousarray(y.T))

    def _open(self) -> None:
        soxr = import_extra("soxr", extra="render", purpose="quality='soxr'")
        self._stream = soxr.ResampleStream(*self.rates, self.channels, dtype="float32", quality="VHQ")
        self._output = np.zeros((0, self.channels), np.float32)

    def _process(self, x: np.ndarray) -> None:
        self._output = np.concatenate((self._output, self._stream.resample_chunk(x)))

    def _measured_lateness(self) -> int:
        """The most inputs that were in without their output being out, over small blocks and one large one."""
        worst = 0
        for block in (64, 1000, PROBE_SAMPLES // 2):
            self._open()
            given = 0
            out = 0
            while given < PROBE_SAMPLES:
                given += block
                out += len(self._stream.resample_chunk(np.zeros((block, self.channels), np.float32)))
                worst = max(worst, given - out * self.down // self.up)
        return worst + worst // 4 + 64
