"""What a signal says about the thing that made it: delay to a fraction of a sample, tone quality, stray components.

Everything computes in float64. A signal is a 1-D tensor or array, or a single channel ``[1, samples]``.
"""

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.errors import AudioError

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
Signal = torch.Tensor | npt.NDArray[Any]

SILENCE_DB = -400.0
"""Stands for minus infinity, so that results can be compared, formatted and written to JSON."""


def decibels(ratio: float) -> float:
    """An amplitude ratio in dB; 0 gives :data:`SILENCE_DB`."""
    return max(SILENCE_DB, 20.0 * math.log10(ratio)) if ratio > 0.0 else SILENCE_DB


def samples_of(signal: Signal) -> FloatArray:
    """The samples of one channel, as float64.

    Raises:
        AudioError: More than one channel, or a sample that is not finite.
    """
    values = signal.detach().cpu().numpy() if isinstance(signal, torch.Tensor) else np.asarray(signal)
    if values.ndim == 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 1 or values.size == 0:
        raise AudioError(f"A measurement takes one channel of at least one sample, got shape {tuple(values.shape)}.")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise AudioError("A measurement takes finite samples, got NaN or infinity.")
    return values


# --- delay ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DelayFit:
    """A pure delay fitted to a transfer function. ``coherence`` is 1 where a delay explains all of it, 0 where none."""

    seconds: float
    coherence: float


def delay_samples(reference: Signal, delayed: Signal) -> float:
    """How many samples ``delayed`` lags behind ``reference``: the peak of their band-limited cross-correlation.

    Both have the same rate; negative means early. Polarity and gain don't matter. Use a broadband signal: a periodic
    one is ambiguous by its period.

    Raises:
        AudioError: One of them is silent.
    """
    first, second = samples_of(reference), samples_of(delayed)
    size = 1 << (first.size + second.size - 1).bit_length()
    cross = np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size)
    correlation = np.abs(np.fft.irfft(cross, size))
    if correlation.max() == 0.0:
        raise AudioError("A delay can't be measured on silence: the signals have no common component.")
    peak = int(np.argmax(correlation))
    lag = peak - size if peak > size // 2 else peak
    omega = 2.0 * np.pi * np.arange(cross.size) / size
    return _refine(cross, omega, float(lag), 1.0)


def impulse_position(response: Signal) -> float:
    """Where the impulse of an impulse response sits, in samples from its start, to a fraction of a sample.

    Right for a response that is symmetric about its centre, as that of a linear-phase filter is.
    """
    impulse = np.zeros(samples_of(response).size)
    impulse[0] = 1.0
    return delay_samples(impulse, response)


def fit_delay(response: ComplexArray, frequencies: FloatArray, longest_seconds: float) -> DelayFit:
    """The one delay that explains a transfer function best: maximises ``|sum H(f) exp(2 pi i f t)|``.

    Args:
        response: Transfer function at ``frequencies``.
        frequencies: In Hz; their smallest distance ``d`` makes delays ambiguous by ``1 / d``.
        longest_seconds: The search runs from minus this to this.
    """
    total = float(np.abs(response).sum())
    if total == 0.0:
        return DelayFit(0.0, 0.0)
    omega = 2.0 * np.pi * frequencies
    step = 0.2 / float(frequencies.max())
    count = math.ceil(longest_seconds / step)
    grid = step * np.arange(-count, count + 1)
    strength = np.empty(grid.size)
    for start in range(0, grid.size, 4096):  # in pieces, to bound the memory
        part = grid[start : start + 4096]
        strength[start : start + 4096] = np.abs(np.exp(1j * np.outer(part, omega)) @ response)
    best = _refine(response, omega, float(grid[int(np.argmax(strength))]), step)
    return DelayFit(best, float(np.abs(np.sum(response * np.exp(1j * omega * best))) / total))


def fit_delay_on_lines(response: ComplexArray, spacing: float, longest_seconds: float) -> DelayFit:
    """The same as :func:`fit_delay` for the lines 0, 1, 2... of a spectrum, ``spacing`` Hz apart: fast for many."""
    total = float(np.abs(response).sum())
    if total == 0.0:
        return DelayFit(0.0, 0.0)
    size = 1 << (5 * response.size).bit_length()
    strength = np.abs(np.fft.ifft(response, size))
    step = 1.0 / (size * spacing)
    reach = min(round(longest_seconds / step), size // 2 - 1)
    strength[reach + 1 : size - reach] = 0.0
    top = int(np.argmax(strength))
    omega = 2.0 * np.pi * spacing * np.arange(response.size, dtype=np.float64)
    best = _refine(response, omega, step * (top - size if top > reach else top), step)
    return DelayFit(best, float(np.abs(np.sum(response * np.exp(1j * omega * best))) / total))


def _refine(response: ComplexArray, omega: FloatArray, start: float, radius: float) -> float:
    """Golden-section search for the top of ``|sum H exp(i omega t)|`` around a grid point."""
    ratio = (math.sqrt(5.0) - 1.0) / 2.0

    def height(delay: float) -> float:
        return float(np.abs(np.sum(response * np.exp(1j * omega * delay))))

    low, high = start - radius, start + radius
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    left_height, right_height = height(left), height(right)
    for _ in range(40):
        if left_height < right_height:
            low, left, left_height = left, right, right_height
            right = low + ratio * (high - low)
            right_height = height(right)
        else:
            high, right, right_height = right, left, left_height
            left = high - ratio * (high - low)
            left_height = height(left)
    return 0.5 * (low + high)


def component_amplitudes(signal: Signal, sample_rate: float, frequencies: FloatArray) -> ComplexArray:
    """Complex amplitude of each frequency (Hz) in a signal, through a Hann window. Time 0 is the first sample."""
    values = samples_of(signal)
    window = np.hanning(values.size + 2)[1:-1]
    windowed = values * window * (2.0 / window.sum())
    time = np.arange(values.size) / sample_rate
    return cast(ComplexArray, np.exp(-2j * np.pi * np.outer(frequencies, time)) @ windowed)


def delay_between_rates(
    reference: Signal,
    reference_rate: float,
    delayed: Signal,
    delayed_rate: float,
    frequencies: FloatArray,
    *,
    longest_seconds: float | None = None,
) -> DelayFit:
    """How far ``delayed`` lags behind ``reference``, in seconds, where the two have different rates.

    Both start at the same instant and carry the same components at ``frequencies`` (Hz, ascending, below both Nyquist
    limits); only those are looked at. They should last the same time, over ten periods of the lowest frequency. The
    search goes as far as the frequencies' smallest distance allows, unless ``longest_seconds`` stops it earlier.
    """
    unambiguous = 0.45 / float(np.diff(frequencies).min())
    longest = unambiguous if longest_seconds is None else min(longest_seconds, unambiguous)
    first = component_amplitudes(reference, reference_rate, frequencies)
    second = component_amplitudes(delayed, delayed_rate, frequencies)
    return fit_delay(second * np.conj(first), frequencies, longest)


# --- tones ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToneFit:
    """The sine that fits a signal best. ``phase`` in radians at the first sample, residual as RMS without its mean."""

    amplitude: float
    phase: float
    residual_rms: float

    @property
    def snr_db(self) -> float:
        """Power of the sine over power of everything else, in dB."""
        if self.residual_rms == 0.0:
            return -SILENCE_DB
        return decibels(self.amplitude / math.sqrt(2.0) / self.residual_rms)


def fit_tone(signal: Signal, sample_rate: float, frequency: float) -> ToneFit:
    """Least-squares fit of one sine of known frequency (Hz) and an offset. Cut start-up transients off before."""
    values = samples_of(signal)
    angle = 2.0 * np.pi * frequency / sample_rate * np.arange(values.size)
    basis = np.stack((np.cos(angle), np.sin(angle), np.ones(values.size)), axis=1)
    solution = np.linalg.lstsq(basis, values, rcond=None)[0]
    residual = values - basis @ solution
    return ToneFit(
        amplitude=math.hypot(float(solution[0]), float(solution[1])),
        phase=math.atan2(-float(solution[1]), float(solution[0])),
        residual_rms=float(np.sqrt(np.mean(residual * residual))),
    )


def tone_snr_db(signal: Signal, sample_rate: float, frequency: float) -> float:
    """Signal-to-noise ratio of a sine of known frequency (Hz), everything else counting as noise; in dB."""
    return fit_tone(signal, sample_rate, frequency).snr_db


def thd_plus_noise_db(signal: Signal, sample_rate: float, frequency: float) -> float:
    """Harmonics and noise relative to the sine, in dB: the lower the better."""
    return -tone_snr_db(signal, sample_rate, frequency)


def tone_gain_db(signal: Signal, sample_rate: float, frequency: float, input_amplitude: float) -> float:
    """Gain at one frequency, in dB, of what turned a sine of ``input_amplitude`` into this signal."""
    return decibels(fit_tone(signal, sample_rate, frequency).amplitude / input_amplitude)


def tone_frequency(signal: Signal, sample_rate: float) -> float:
    """Frequency in Hz of the strongest sine in a signal.

    The strongest bin of a spectrum gives a start; how far the fitted phase advances from the first half of the signal
    to the second then gives the rest, far below a bin.
    """
    values = samples_of(signal)
    spectrum = np.abs(np.fft.rfft(values * np.hanning(values.size), 4 * values.size))
    frequency = float(np.argmax(spectrum[8:]) + 8) * sample_rate / (4 * values.size)
    half = values.size // 2
    for _ in range(4):
        first = fit_tone(values[:half], sample_rate, frequency).phase
        second = fit_tone(values[half : 2 * half], sample_rate, frequency).phase
        advance = math.remainder(second - first - 2.0 * np.pi * frequency * half / sample_rate, 2.0 * np.pi)
        frequency += advance / (2.0 * np.pi) * sample_rate / half
    return frequency


def cents(frequency: float, expected: float) -> float:
    """Distance of a frequency from another, in hundredths of a semitone."""
    return 1200.0 * math.log2(frequency / expected)


def strongest_component_db(signal: Signal, sample_rate: float, low: float, high: float) -> float:
    """Amplitude in dBFS of the strongest sine between ``low`` and ``high`` Hz, whatever its frequency.

    Through a Kaiser window (beta 20), whose side lobes are below -150 dB: keep other strong components eight bins away.
    Right to 1 dB, what a sine half way between two bins loses.
    """
    values = samples_of(signal)
    window = np.kaiser(values.size, 20.0)
    spectrum = np.abs(np.fft.rfft(values * window)) * 2.0 / window.sum()
    frequencies = np.fft.rfftfreq(values.size, 1.0 / sample_rate)
    inside = spectrum[(frequencies >= low) & (frequencies <= high)]
    if inside.size == 0:
        raise AudioError(
            f"No frequency between {low} and {high} Hz can be seen in {values.size} samples at {sample_rate} Hz."
        )
    return decibels(float(inside.max()))


def difference_db(signal: Signal, reference: Signal) -> float:
    """RMS of the difference relative to the RMS of the reference, in dB."""
    first, second = samples_of(signal), samples_of(reference)
    if first.size != second.size:
        raise AudioError(f"Signals to compare must be equally long, got {first.size} and {second.size} samples.")
    return decibels(float(np.linalg.norm(first - second)) / max(float(np.linalg.norm(second)), 1e-300))
