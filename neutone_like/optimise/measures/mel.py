"""Levels in mel bands: how far they are apart, and as what the built-in Frechet distance looks at."""

from functools import lru_cache

import numpy as np

from neutone_like.optimise.measures import Signal
from neutone_like.optimise.measures.spectrum import power_frames

DISTANCE_BANDS = 64
EMBEDDING_BANDS = 32
RANGE_DB = 80.0  # below the loudest band of the reference nothing counts
FLOOR_DB = -100.0  # of the embedding, so that both sets have the same
HIGHEST_HZ = 20000.0
_LEAST_POWER = 1e-30  # of a reference that has nothing in any band
FRAME_SECONDS = 0.0427  # 2048 samples at 48 kHz


def log_mel_distance_db(reference: Signal, candidate: Signal, sample_rate: int) -> float:
    """Root mean square over 64 mel bands of the level difference in dB, its mean over frames.

    A gain of 3 dB is a distance of 3 dB where nothing is softer than 80 dB below the reference's loudest band.
    """
    target = mel_power(reference, sample_rate, DISTANCE_BANDS)
    other = mel_power(candidate, sample_rate, DISTANCE_BANDS)
    floor = max(float(target.max()) * 10.0 ** (-RANGE_DB / 10.0), _LEAST_POWER)
    levels = [10.0 * np.log10(np.maximum(power, floor)) for power in (target, other)]
    return float(np.mean(np.sqrt(np.mean((levels[0] - levels[1]) ** 2, axis=1))))


def log_mel_frames(x: Signal, sample_rate: int) -> Signal:
    """The built-in embedding: levels in dB of 32 mel bands, ``(frames of all channels, 32)``, never below -100 dB."""
    return 10.0 * np.log10(np.maximum(mel_power(x, sample_rate, EMBEDDING_BANDS), 10.0 ** (FLOOR_DB / 10.0)))


def mel_power(x: Signal, sample_rate: int, bands: int) -> Signal:
    """Power in mel bands, ``(frames of all channels, bands)``: frames of about 43 ms, four times overlapped.

    A full-scale sine in the middle of a bin has a power of 1.
    """
    size = frame_samples(sample_rate, x.shape[1])
    filters = mel_filters(sample_rate, size, bands)
    scale = (4.0 / size) ** 2
    return np.concatenate([power @ filters for power in power_frames(x, size, size // 4, size)]) * scale


def frame_samples(sample_rate: int, samples: int) -> int:
    """The power of two nearest to 43 ms, and no longer than the sound."""
    wanted = 1 << max(6, round(np.log2(FRAME_SECONDS * sample_rate)))
    return min(wanted, 1 << (samples.bit_length() - 1))


@lru_cache(maxsize=16)
def mel_filters(sample_rate: int, size: int, bands: int) -> Signal:
    """Triangles ``(size / 2 + 1, bands)``, equally wide in mel (2595 log10(1 + f / 700)) up to 20 kHz.

    A band narrower than a bin takes the bin that is nearest, so that none is empty.
    """
    highest = min(HIGHEST_HZ, sample_rate / 2.0)
    mels = np.linspace(0.0, 2595.0 * np.log10(1.0 + highest / 700.0), bands + 2)
    corners = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = np.arange(size // 2 + 1) * sample_rate / size
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    empty = np.flatnonzero(filters.sum(axis=0) == 0.0)
    filters[np.argmin(np.abs(bins[:, None] - centre[empty]), axis=0), empty] = 1.0
    return filters
