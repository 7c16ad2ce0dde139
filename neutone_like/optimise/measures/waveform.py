"""Distances sample by sample: they hear a shift by one sample, and every change of phase."""

from math import log10

import numpy as np

from neutone_like.optimise.measures import Signal

SI_SDR_LIMIT_DB = 120.0  # beyond it float32 audio holds nothing but its own rounding
MOST_LAG_SAMPLES = 4096
_PIECE_SAMPLES = 1 << 16


def error_to_signal_ratio(reference: Signal, candidate: Signal) -> float:
    """Energy of the difference over energy of the reference, over all channels: 0 for equal sounds, 1 for silence."""
    return float(np.sum((candidate - reference) ** 2) / np.sum(reference**2))


def si_sdr_db(reference: Signal, candidate: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, -120..120; one gain for all channels is taken out.

    Both are brought to unit energy first, so that soft sounds give what loud ones do. A silent candidate gives -120.
    Le Roux et al., "SDR: half-baked or well done?", 2019; the mean is left in, since a constant offset is an error.
    """
    energy = float(np.sum(candidate**2))
    if energy == 0.0:
        return -SI_SDR_LIMIT_DB
    unit = reference / np.sqrt(np.sum(reference**2))
    other = candidate / np.sqrt(energy)
    target = float(np.sum(unit * other)) * unit
    kept, lost = float(np.sum(target**2)), float(np.sum((other - target) ** 2))
    smallest = 10.0 ** (-SI_SDR_LIMIT_DB / 10.0)
    return 10.0 * log10(max(kept, smallest) / max(lost, smallest))


def lag_samples(reference: Signal, candidate: Signal) -> int:
    """By how many samples the candidate comes late (early: below 0): where the two correlate most.

    Searched within 4096 samples (less in a shorter sound); the smallest lag of equally good ones.
    """
    most = min(MOST_LAG_SAMPLES, reference.shape[1] - 1)
    lags = np.array(sorted(range(-most, most + 1), key=abs))
    around = np.pad(candidate, ((0, 0), (most, most)))
    size = 2 * _PIECE_SAMPLES
    correlation = np.zeros(size)
    for start in range(0, reference.shape[1], _PIECE_SAMPLES):  # so that long sounds need no more memory
        piece = np.fft.rfft(reference[:, start : start + _PIECE_SAMPLES], size)
        later = np.fft.rfft(around[:, start : start + _PIECE_SAMPLES + 2 * most], size)
        correlation += np.fft.irfft((later * np.conj(piece)).sum(axis=0), size)
    magnitudes = np.abs(correlation[lags + most])
    return int(lags[np.argmax(np.round(magnitudes / max(magnitudes.max(), 1e-300), 9))])
