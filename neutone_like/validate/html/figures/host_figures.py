"""What lies between a host and the model: delay, rate conversion, time."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from neutone_like.validate.html.conversion import STOP_DB, Conversion
from neutone_like.validate.html.figures.drawing import (
    ACCENT,
    AFTER,
    BAD,
    BEFORE,
    INK,
    MUTED,
    Drawing,
    finish,
    new_axes,
)
from neutone_like.validate.html.figures.sound_figures import short_hertz
from neutone_like.validate.html.response import Response
from neutone_like.validate.html.timing import BlockTime

BEFORE_SAMPLES, FEWEST_AFTER, MOST_AFTER = 60, 60, 240
TAIL_ENERGY = 0.999
FARTHEST = 4096
GAIN_RANGE_DB = 60.0
FREQUENCY_TICKS = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 20000.0)
TIME_TICKS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0, 100000.0, 1e6)


def impulse_figure(response: Response) -> Drawing:
    """The response around the reported delay, which is marked."""
    figure, axes = new_axes(215.0, top=0.88)
    samples = _samples_shown(response)
    shown = response.impulse[samples]
    axes.axvline(response.reported, color=ACCENT, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1.5)
    axes.plot(samples, shown, color=AFTER, linewidth=1.1, marker="o", markersize=1.8)
    milliseconds = 1000.0 * response.reported / response.setting.sample_rate
    axes.annotate(
        f"reported: {response.reported} samples, {milliseconds:.2f} ms",
        (response.reported, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 5),
        textcoords="offset points",
        color=ACCENT,
        ha=_alignment((response.reported - samples[0]) / samples.size),
    )
    axes.set_xlim(samples[0] - 2, samples[-1])
    axes.set_yticks([-1.0, 0.0, 1.0])
    axes.set_ylim(min(-0.3, float(shown.min()) - 0.1), max(0.3, float(shown.max()) + 0.1))
    axes.set_xlabel("samples of the host after the impulse")
    text = (
        f"Impulse response at {response.setting}. It is strongest at sample {response.strongest}; "
        f"the reported delay is {response.reported} samples."
    )
    return finish(figure, "impulse-response", text)


def _samples_shown(response: Response) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """From before the reported delay to the end of the response; wider where it is strongest somewhere else."""
    first, last = response.reported - BEFORE_SAMPLES, response.reported + _tail_samples(response)
    if abs(response.strongest - response.reported) <= FARTHEST:
        first = min(first, response.strongest - BEFORE_SAMPLES)
        last = max(last, response.strongest + FEWEST_AFTER)
    return np.arange(max(0, first), min(last, response.impulse.size))


def _alignment(share: float) -> Literal["left", "center", "right"]:
    """How a label fits that belongs to a place at this share of the width."""
    return "left" if share < 0.3 else "right" if share > 0.7 else "center"


def _tail_samples(response: Response) -> int:
    """How far after the reported delay the response is shown: until nearly all of its energy has come."""
    energy = np.cumsum(response.impulse[response.reported :] ** 2)
    end = int(np.searchsorted(energy, TAIL_ENERGY * energy[-1])) + 10
    return min(max(end, FEWEST_AFTER), MOST_AFTER, response.impulse.size - response.reported)


def gain_figure(response: Response) -> Drawing:
    """Gain over frequency, of the linear part."""
    figure, axes = new_axes(215.0)
    axes.semilogx(response.frequencies, response.gain_db, color=AFTER)
    _frequency_axis(axes, 20.0, float(response.frequencies[-1]))
    top = float(response.gain_db.max())
    axes.set_ylim(max(float(response.gain_db.min()) - 3.0, top - GAIN_RANGE_DB), max(top + 3.0, 3.0))
    axes.set_ylabel("gain, dB", labelpad=2.0)
    at_1k = float(np.interp(1000.0, response.frequencies, response.gain_db))
    strongest = float(response.frequencies[int(np.argmax(response.gain_db))])
    text = f"Gain over frequency: {at_1k:+.1f} dB at 1 kHz, at most {top:+.1f} dB, at {strongest:.0f} Hz."
    return finish(figure, "frequency-response", text)


def conversion_figure(there: Conversion, back: Conversion) -> Drawing:
    """Both filters over the whole band up to the slower rate."""
    figure, axes = new_axes(230.0)
    nyquist = there.slower_rate / 2000.0
    axes.axvspan(0.0, nyquist, color=MUTED, alpha=0.12, linewidth=0.0)
    axes.plot(there.frequencies / 1000.0, there.gain_db, color=BEFORE, label="to the model")
    axes.plot(back.frequencies / 1000.0, back.gain_db, color=AFTER, label="back to the host", linewidth=1.0)
    axes.axhline(STOP_DB, color=BAD, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.text(0.01 * there.slower_rate / 1000.0, STOP_DB + 3.0, f"{STOP_DB:.0f} dB", color=BAD)
    axes.set_xlim(0.0, there.slower_rate / 1000.0)
    axes.set_ylim(-150.0, 6.0)
    axes.set_xlabel("kHz (shaded: below half of the slower rate)")
    axes.set_ylabel("gain, dB", labelpad=2.0)
    axes.legend(loc="upper right")
    text = (
        f"Resampling filters between {there.in_rate} and {there.out_rate} Hz: half power at "
        f"{there.half_power_hz / 1e3:.2f} kHz, below {STOP_DB:.0f} dB from {there.stops_from_hz / 1e3:.2f} kHz on."
    )
    return finish(figure, "resampler", text)


def pass_band_figure(there: Conversion, back: Conversion) -> Drawing:
    """There and back together, close up at 0 dB."""
    figure, axes = new_axes(230.0)
    frequencies = there.frequencies
    gain_db = there.gain_db + np.interp(frequencies, back.frequencies, back.gain_db)
    axes.plot(frequencies / 1000.0, gain_db, color=AFTER)
    axes.axhline(-0.1, color=ACCENT, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.text(0.01 * there.slower_rate / 2000.0, -0.13, "-0.1 dB", color=ACCENT, va="top")
    axes.set_xlim(0.0, there.slower_rate / 2000.0)
    axes.set_ylim(-1.0, 0.2)
    axes.set_xlabel("kHz (up to half of the slower rate)")
    axes.set_ylabel("gain, dB", labelpad=2.0)
    flat = np.flatnonzero(np.abs(gain_db) > 0.1)
    limit = frequencies[flat[0]] / 1000.0 if flat.size else frequencies[-1] / 1000.0
    text = f"Pass band of both conversions in a row: within 0.1 dB up to {limit:.1f} kHz."
    return finish(figure, "pass-band", text)


def time_figure(times: list[BlockTime]) -> Drawing:
    """Median, 99th percentile and longest call against what a block lasts."""
    figure, axes = new_axes(230.0)
    sizes = np.arange(len(times))
    budget = [time.budget_us for time in times]
    axes.plot(sizes, budget, color=BAD, linewidth=1.4, label="block lasts")
    axes.vlines(sizes, [t.median_us for t in times], [t.largest_us for t in times], color=MUTED, linewidth=1.0)
    axes.plot(sizes, [t.largest_us for t in times], "v", color=MUTED, markersize=6, label="longest")
    axes.plot(sizes, [t.p99_us for t in times], "D", color=BEFORE, markersize=5, label="99 % below")
    axes.plot(sizes, [t.median_us for t in times], "o", color=AFTER, markersize=7, label="median")
    axes.set_yscale("log")
    lowest = min(t.median_us for t in times)
    axes.set_ylim(lowest / 3.0, max(max(budget), max(t.largest_us for t in times)) * 8.0)
    axes.yaxis.set_major_locator(FixedLocator(TIME_TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_time(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [str(t.setting.block_size) for t in times])
    axes.set_xlim(-0.4, len(times) - 0.6)
    axes.set_xlabel(f"host block in samples, at {times[0].setting.sample_rate} Hz")
    axes.legend(loc="upper left", ncols=2, labelcolor=INK, borderaxespad=0.1, columnspacing=1.0)
    text = "Time per block against its duration: " + "; ".join(
        f"{t.setting.block_size} samples: median {t.median_us:.0f}, longest {t.largest_us:.0f} of {t.budget_us:.0f} us"
        for t in times
    )
    return finish(figure, "time-per-block", text + ".")


def short_time(microseconds: float) -> str:
    """As short as an axis wants it."""
    return f"{microseconds / 1000.0:g}ms" if microseconds >= 1000.0 else f"{microseconds:g}µs"


def _frequency_axis(axes: Axes, lowest: float, highest: float) -> None:
    axes.set_xlim(lowest, highest)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in FREQUENCY_TICKS if lowest <= tick <= highest]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_hertz(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("Hz")
