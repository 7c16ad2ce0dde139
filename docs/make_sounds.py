"""Makes docs/sounds: two sounds from 48 kHz to 44.1 kHz and back, by our resampler and by straight lines.

Run after changing the resampler. The model between the two conversions does nothing.
"""

import math
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like import ModelMetadata, SampleQueueWrapper, WaveformToWaveformBase

FOLDER = Path(__file__).parent / "sounds"
HOST_RATE, MODEL_RATE, SECONDS = 48000, 44100, 2.0
PEAK = 0.5
FADE_SECONDS = 0.02
Samples = NDArray[np.float64]


class Nothing(WaveformToWaveformBase):
    """Gives back what came, at the model's rate."""

    metadata = ModelMetadata(name="Nothing", authors=("neutone-like",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (MODEL_RATE,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x


def times() -> Samples:
    return np.arange(int(SECONDS * HOST_RATE)) / HOST_RATE


def sweep() -> Samples:
    """A sine that rises from 500 Hz to 16 kHz, as many hertz in every moment."""
    low, high = 500.0, 16000.0
    return np.sin(2.0 * math.pi * (low * times() + (high - low) / (2.0 * SECONDS) * times() ** 2))


def chimes() -> Samples:
    """Four strokes on bars of metal, whose partials reach up to 15 kHz."""
    y = np.zeros(len(times()))
    for stroke, pitch in enumerate((2093.0, 1568.0, 2637.0, 1976.0)):  # C7, G6, E7, B6
        since = np.maximum(times() - 0.45 * stroke, 0.0)
        for number, ratio in enumerate((1.0, 2.756, 5.404)):  # of a free bar
            if pitch * ratio < 15000.0:
                attack = np.minimum(since / 0.002, 1.0)
                y += attack * np.exp(-since * (3.0 + 4.0 * number)) * np.sin(2.0 * math.pi * pitch * ratio * since)
    return y


def shaped(y: Samples) -> Samples:
    """With soft ends, at the same peak."""
    edge = np.minimum(times(), times()[::-1]) / FADE_SECONDS
    y = y * np.minimum(edge, 1.0)
    return PEAK * y / np.abs(y).max()


def through_ours(y: Samples) -> Samples:
    wrapper = SampleQueueWrapper(Nothing())
    wrapper.set_daw_sample_rate_and_buffer_size(HOST_RATE, 512)
    return wrapper.forward_offline(torch.from_numpy(y).float().unsqueeze(0))[0].double().numpy()


def through_lines(y: Samples) -> Samples:
    """Linear interpolation, there and back."""
    model_times = np.arange(int(SECONDS * MODEL_RATE)) / MODEL_RATE
    return np.interp(times(), model_times, np.interp(model_times, times(), y))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, sound in (("sweep", shaped(sweep())), ("chimes", shaped(chimes()))):
        for way, y in (("original", sound), ("ours", through_ours(sound)), ("linear", through_lines(sound))):
            difference = float(np.sqrt(np.mean((y - sound) ** 2) / np.mean(sound**2)))
            path = FOLDER / f"{name}-{way}.flac"
            soundfile.write(path, y, HOST_RATE, subtype="PCM_16")
            print(f"{path.name}: {20.0 * math.log10(max(difference, 1e-12)):.1f} dB, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
