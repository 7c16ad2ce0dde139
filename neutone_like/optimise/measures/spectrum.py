"""Distance of short-time spectra at three resolutions."""

from collections.abc import Iterator

import numpy as np

from neutone_like.optimise.measures import Signal

# Size of the transform, hop, length of the Hann window, in samples.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
LEAST_SAMPLES = 2048  # shorter sounds can't be reflected at their ends
_LEAST_POWER = 1e-8
_FRAMES_AT_ONCE = 2048


def spectral_distance(reference: Signal, candidate: Signal) -> float:
    """Multi-resolution STFT distance: spectral convergence plus mean absolute difference of log magnitudes.

    The mean of both sums over three resolutions; 0 for equal magnitudes, whatever their phase. Magnitudes below 1e-4
    count as 1e-4. Yamamoto et al., "Parallel WaveGAN", 2020, with the three resolutions given there.
    """
    return float(np.mean([_at_resolution(reference, candidate, *each) for each in RESOLUTIONS]))


def _at_resolution(reference: Signal, candidate: Signal, size: int, hop: int, length: int) -> float:
    difference = energy = log_difference = count = 0.0
    pairs = zip(power_frames(reference, size, hop, length), power_frames(candidate, size, hop, length), strict=True)
    for target, other in pairs:
        x, y = (np.sqrt(np.maximum(power, _LEAST_POWER)) for power in (target, other))
        difference += float(np.sum((x - y) ** 2))
        energy += float(np.sum(x**2))
        log_difference += float(np.sum(np.abs(np.log(x / y))))
        count += x.size
    return float(np.sqrt(difference / energy)) + log_difference / count


def power_frames(x: Signal, size: int, hop: int, length: int) -> Iterator[Signal]:
    """Power spectra ``(frames, size / 2 + 1)`` of all channels, a bounded number of frames at a time.

    Frames are centred, the ends reflected, the window a periodic Hann window, as in ``torch.stft``.
    """
    window = np.zeros(size)
    start = (size - length) // 2
    window[start : start + length] = np.hanning(length + 1)[:-1]
    for channel in np.pad(x, ((0, 0), (size // 2, size // 2)), mode="reflect"):
        frames = np.lib.stride_tricks.sliding_window_view(channel, size)[::hop]
        for begin in range(0, len(frames), _FRAMES_AT_ONCE):
            yield np.abs(np.fft.rfft(frames[begin : begin + _FRAMES_AT_ONCE] * window)) ** 2
