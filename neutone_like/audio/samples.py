"""What files are read into and written from."""

import numpy as np
import numpy.typing as npt

from neutone_like.errors import AudioError

Audio = npt.NDArray[np.float32]  # (channels, samples)


def require_finite(x: Audio, first_sample: int, sample_rate: int, source: str, advice: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        AudioError: Names the first such sample (counted from the start of the stream), its time and its channel.
    """
    if np.isfinite(x).all():
        return
    bad = ~np.isfinite(x)
    sample = int(np.argmax(bad.any(axis=0)))
    channel = int(np.argmax(bad[:, sample]))
    position = first_sample + sample
    raise AudioError(
        f"{source}: every sample must be a finite number, got {x[channel, sample]} at sample {position} "
        f"({position / sample_rate:.6f} s) of channel {channel + 1}. {advice}"
    )
