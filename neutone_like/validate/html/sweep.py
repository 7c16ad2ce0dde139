"""What each parameter does: level and spectrum of the output while it goes from one end to the other."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.model import CategoricalParameter, NumericalParameter
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.measure import FloatArray
from neutone_like.validate.playing import HostSetting, play_aligned, prepare

SECONDS_OF_SOUND = 1.0  # long enough for an echo to come back
SECONDS_ALLOWED = 1.0
MOST_PARAMETERS = 12
MOST_VALUES = 9
FEWEST_VALUES = 3
BLOCK_SIZE = 512
BANDS_PER_OCTAVE = 3
LOWEST_BAND_HZ = 50.0


@dataclass(frozen=True)
class Sweep:
    """One parameter, the others at their defaults.

    ``values`` are in the parameter's own unit. ``level_db`` is RMS in dBFS, one for each value; ``bands_db`` is
    ``[values, bands]`` in dBFS, with ``band_edges`` in Hz, one more than there are bands.
    """

    parameter: NumericalParameter
    values: FloatArray
    level_db: FloatArray
    bands_db: FloatArray
    band_edges: FloatArray


def sweep_parameters(subject: LiveSubject) -> list[Sweep]:
    """Turn the artifact's parameters, one after the other; fewer steps where the model is slow, or has many."""
    setting = HostSetting(subject.native_rate, BLOCK_SIZE)
    parameters = subject.artifact.numerical_parameters[:MOST_PARAMETERS]
    module = subject.reused(setting)
    x = _sound(setting.sample_rate, subject.channels)
    play_aligned(module, x[:, : 4 * BLOCK_SIZE], BLOCK_SIZE, subject.defaults.knobs)
    prepare(module, setting)
    started = time.perf_counter()
    play_aligned(module, x, BLOCK_SIZE, subject.defaults.knobs)
    seconds = time.perf_counter() - started
    steps = int(SECONDS_ALLOWED / max(seconds, 1e-6) / max(1, len(parameters)))
    steps = max(FEWEST_VALUES, min(MOST_VALUES, steps)) | 1  # odd, so that the middle is among them
    sweeps: list[Sweep] = []
    for row, parameter in enumerate(parameters):
        positions = _positions(parameter, steps)
        outputs: list[Tensor] = []
        for position in positions:
            values = subject.defaults.knobs.clone()
            values[row, 0] = position
            prepare(module, setting)
            outputs.append(play_aligned(module, x, BLOCK_SIZE, values))
        sweeps.append(_describe(parameter, positions, outputs, setting.sample_rate))
    return sweeps


def _positions(parameter: NumericalParameter, steps: int) -> FloatArray:
    if isinstance(parameter, CategoricalParameter):
        steps = min(len(parameter.labels), 2 * MOST_VALUES)
        return np.arange(steps) / (len(parameter.labels) - 1.0)
    return np.linspace(0.0, 1.0, steps)


def _sound(sample_rate: int, channels: int) -> Tensor:
    """A chord and a drum together: low and high, with a start."""
    sound = 0.6 * (guitar_riff(sample_rate, SECONDS_OF_SOUND) + drum_loop(sample_rate, SECONDS_OF_SOUND).mean(0))
    return sound.expand(channels, -1).contiguous()


def _describe(parameter: NumericalParameter, positions: FloatArray, outputs: list[Tensor], sample_rate: int) -> Sweep:
    octaves = np.log2(0.45 * sample_rate / LOWEST_BAND_HZ)
    edges = LOWEST_BAND_HZ * 2.0 ** (np.arange(int(octaves * BANDS_PER_OCTAVE) + 1) / BANDS_PER_OCTAVE)
    levels = [_decibels(float(output.double().square().mean())) for output in outputs]
    bands = np.stack([_bands(output, sample_rate, edges) for output in outputs])
    values = parameter.minimum + positions * (parameter.maximum - parameter.minimum)
    return Sweep(parameter, values, np.array(levels), bands, edges)


def _bands(output: Tensor, sample_rate: int, edges: FloatArray) -> FloatArray:
    """Power in each band, in dB: the bands' powers add up to the sound's mean square."""
    samples = output.size(1)
    window = torch.hann_window(samples, dtype=torch.float64)
    spectrum = torch.fft.rfft(output.double() * window)
    power = (spectrum.abs().square().mean(0) * 2.0 / (samples * window.square().sum())).numpy()
    total = np.concatenate(([0.0], np.cumsum(power)))
    lines = np.clip(np.round(edges * samples / sample_rate).astype(int), 1, power.size)
    return 10.0 * np.log10(np.maximum(np.diff(total[lines]), 1e-16))


def _decibels(mean_square: float) -> float:
    return 10.0 * float(np.log10(max(mean_square, 1e-16)))
