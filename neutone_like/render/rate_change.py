"""Another sample rate for the rendered file: exact length and alignment, block by block."""

import numpy as np

from neutone_like.extras import import_extra
from neutone_like.render.audio_arrays import Audio, silence


class RateChange:
    """libsoxr's best quality. What comes out is ``round(samples * out_rate / in_rate)`` long.

    Raises:
        MissingExtraError: soxr is not installed.
    """

    def __init__(self, in_rate: int, out_rate: int, channels: int) -> None:
        soxr = import_extra("soxr", extra="render", purpose="Rendering at another sample rate than the input's")
        self._stream = soxr.ResampleStream(in_rate, out_rate, channels, dtype="float32", quality="VHQ")
        self._ratio = (out_rate, in_rate)
        self._channels = channels
        self._came = 0
        self._left = 0

    def push(self, x: Audio) -> Audio:
        """Take the next ``(channels, n)``, return what is ready."""
        if x.shape[1] == 0:
            return x
        self._came += x.shape[1]
        return self._count(self._resample(x, last=False))

    def finish(self) -> Audio:
        """The rest."""
        up, down = self._ratio
        owed = (2 * self._came * up + down) // (2 * down) - self._left
        rest = self._resample(silence(self._channels, 0), last=True)[:, : max(owed, 0)]
        return self._count(np.pad(rest, ((0, 0), (0, owed - rest.shape[1]))))

    def _resample(self, x: Audio, last: bool) -> Audio:
        frames = self._stream.resample_chunk(np.ascontiguousarray(x.T), last=last)
        return np.ascontiguousarray(frames.reshape(-1, self._channels).T)

    def _count(self, y: Audio) -> Audio:
        self._left += y.shape[1]
        return y
