"""Draws the documentation's pictures from the code itself. Run after changing filters or latency."""

from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor, nn

from neutone_like import ModelMetadata, SampleQueueWrapper, WaveformToWaveformBase
from neutone_like.signal.filter_design import half_width_samples, polyphase_table

PICTURES = Path(__file__).parent / "pictures"
HOST_RATE, HOST_BLOCK, MODEL_RATE = 48000, 128, 44100
UP, DOWN = 147, 160
COLORS = {"high": "#3949ab", "fast": "#e65100"}
PART_NAMES = {
    "resample_in": "resample in",
    "buffering": "buffering",
    "model": "model",
    "resample_out": "resample out",
}
PART_COLORS = ("#5c6bc0", "#ffb74d", "#66bb6a", "#26a69a")
# The same picture gives the same file, and text stays text.
matplotlib.rcParams.update({"svg.hashsalt": "neutone-like", "svg.fonttype": "none", "font.size": 9})


class Delayed(WaveformToWaveformBase):
    """Says that it is 37 samples late."""

    metadata = ModelMetadata(name="Delayed", authors=("neutone-like",), version="1.0.0")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 37


def response_db(quality: str, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of the 48 kHz to 44.1 kHz filter at ``frequencies`` in Hz: the Fourier sum over the taps of every phase."""
    taps = polyphase_table(UP, DOWN, quality).double().numpy()
    half_width = half_width_samples(UP, DOWN, quality)
    time = (np.arange(taps.shape[1])[None, :] - half_width + np.arange(UP)[:, None] / UP) / HOST_RATE
    flat_time, flat_taps = time.ravel(), taps.ravel() / UP
    gains = [abs(np.dot(flat_taps, np.exp(-2j * np.pi * frequency * flat_time))) for frequency in frequencies]
    return 20.0 * np.log10(np.maximum(gains, 1e-9))


def draw_resampler() -> None:
    _, (whole, close) = pyplot.subplots(1, 2, figsize=(8.0, 3.0), layout="constrained")
    for quality, color in COLORS.items():
        for axes, frequencies in ((whole, np.linspace(0, 36000, 721)), (close, np.linspace(14000, 22050, 323))):
            axes.plot(
                frequencies / 1000.0, response_db(quality, frequencies), color=color, label=quality, linewidth=1.2
            )
    for axes in (whole, close):
        axes.axvline(MODEL_RATE / 2000.0, color="#9e9e9e", linestyle=":", linewidth=1.0)
        axes.set_xlabel("kHz")
        axes.grid(alpha=0.25)
    whole.set(ylabel="dB", ylim=(-150, 5), title="48 kHz to 44.1 kHz")
    close.set(ylim=(-1.0, 0.1), title="Pass band (dotted: half of 44.1 kHz)")
    whole.legend(frameon=False)
    save("resampler.svg")


def draw_latency() -> None:
    figure, axes = pyplot.subplots(figsize=(8.0, 2.9), layout="constrained")
    rows: list[str] = []
    for model_rate in (HOST_RATE, MODEL_RATE):
        for block_sizes, name in (((), "any block"), ((512,), "blocks of 512")):
            wrapper = wrapped(model_rate, block_sizes)
            draw_parts(axes, len(rows), wrapper.latency_parts(), wrapper.latency_samples())
            rows.append(f"{model_rate / 1000:g} kHz, {name}")
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlim(0, 850)
    axes.set(
        xlabel="host samples after the input sample",
        ylabel="model",
        title=f"Host at 48 kHz with blocks of {HOST_BLOCK}; every model says it is 37 samples late",
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    handles = [Patch(color=color, label=label) for color, label in zip(PART_COLORS, PART_NAMES.values(), strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    save("latency.svg")


def wrapped(model_rate: int, block_sizes: tuple[int, ...]) -> SampleQueueWrapper:
    model = Delayed(nn.Identity())
    model.sample_rates, model.block_sizes = (model_rate,), block_sizes
    wrapper = SampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(HOST_RATE, HOST_BLOCK)
    return wrapper


def draw_parts(axes: Axes, row: int, parts: dict[str, float], total: int) -> None:
    """One bar, in the order in which a sample passes through the parts."""
    left = 0.0
    for name, color in zip(PART_NAMES, PART_COLORS, strict=True):
        axes.barh(row, parts[name], left=left, height=0.6, color=color)
        left += parts[name]
    axes.annotate(f" {total} reported", (left, row), va="center")


def save(name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    pyplot.savefig(PICTURES / name, metadata={"Date": None}, facecolor="white")
    pyplot.close()
    print(f"Wrote {PICTURES / name}")


if __name__ == "__main__":
    draw_resampler()
    draw_latency()
