"""A sound as a picture: its waveform, and its spectrum over time."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from neutone_like.validate.html.figures.drawing import LEFT, RIGHT, Drawing, finish, new_figure
from neutone_like.validate.html.sounds import Samples, Sound, rms
from neutone_like.validate.measure import FloatArray, decibels

WAVE_COLUMNS = 500
WINDOW = 2048
COLUMNS = 380
ROWS = 120
LOWEST_HZ, HIGHEST_HZ = 40.0, 20000.0
RANGE_DB = 80.0
HERTZ_TICKS = (100.0, 1000.0, 10000.0)


def sound_figures(sound: Sound, before_colour: str, after_colour: str) -> tuple[Drawing, Drawing]:
    """Before and after, on the same scales."""
    spectra = [_spectrogram(side, sound.sample_rate) for side in (sound.before, sound.after)]
    top_db = max(float(spectrum.max()) for spectrum in spectra)
    peak = max(float(np.abs(side).max()) for side in (sound.before, sound.after))
    limit = max(1.0, 1.05 * peak)
    sides = (("before", sound.before, before_colour), ("after", sound.after, after_colour))
    drawings = [
        _side(sound, name, samples, colour, spectrum, top_db, limit)
        for (name, samples, colour), spectrum in zip(sides, spectra, strict=True)
    ]
    return drawings[0], drawings[1]


def _side(
    sound: Sound, side: str, samples: Samples, colour: str, spectrum: FloatArray, top_db: float, limit: float
) -> Drawing:
    figure = new_figure(250.0)
    wave = figure.add_axes((LEFT, 0.68, RIGHT - LEFT, 0.29))
    _draw_wave(wave, samples, sound.seconds, colour, limit)
    picture = figure.add_axes((LEFT, 0.14, RIGHT - LEFT, 0.48))
    _draw_spectrogram(picture, spectrum, sound, top_db)
    peak = decibels(float(np.abs(samples).max()))
    text = (
        f"{sound.title} {side}: waveform and spectrogram over {sound.seconds:.1f} s; "
        f"peak {peak:+.1f} dBFS, RMS {decibels(rms(samples)):+.1f} dBFS."
    )
    return finish(figure, f"{sound.key}-{side}", text)


def _draw_wave(axes: Axes, samples: Samples, seconds: float, colour: str, limit: float) -> None:
    """The lowest and highest sample of every column."""
    mono = samples.reshape(samples.shape[0], -1)
    edges = np.linspace(0, mono.shape[0], min(WAVE_COLUMNS, mono.shape[0]) + 1).astype(int)[:-1]
    low = np.minimum.reduceat(mono.min(1), edges)
    high = np.maximum.reduceat(mono.max(1), edges)
    time = edges / mono.shape[0] * seconds
    axes.fill_between(time, low, high, color=colour, linewidth=0.6)
    axes.set_xlim(0.0, seconds)
    axes.set_ylim(-limit, limit)
    axes.set_yticks([-1.0, 0.0, 1.0])
    axes.tick_params(labelbottom=False)


def _draw_spectrogram(axes: Axes, spectrum: FloatArray, sound: Sound, top_db: float) -> None:
    lowest, highest = np.log10(LOWEST_HZ), np.log10(_highest(sound.sample_rate))
    axes.imshow(
        spectrum,
        origin="lower",
        aspect="auto",
        interpolation="none",
        cmap="magma",
        vmin=top_db - RANGE_DB,
        vmax=top_db,
        extent=(0.0, sound.seconds, lowest, highest),
    )
    axes.grid(visible=False)
    axes.yaxis.set_major_locator(FixedLocator([np.log10(hertz) for hertz in HERTZ_TICKS]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_hertz(10.0**value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("seconds", labelpad=2.0)


def short_hertz(hertz: float) -> str:
    """100, 1k, 10k."""
    return f"{hertz / 1000.0:g}k" if hertz >= 999.5 else f"{hertz:.0f}"


def _highest(sample_rate: int) -> float:
    return min(HIGHEST_HZ, 0.49 * sample_rate)


def _spectrogram(samples: Samples, sample_rate: int) -> FloatArray:
    """Mean level in bands of equal ratio, in dB (0: near that of a full-scale sine), ``[ROWS, COLUMNS]``."""
    mono = samples.mean(1, dtype=np.float64)
    padded = np.concatenate((np.zeros(WINDOW // 2), mono, np.zeros(WINDOW)))
    starts = np.linspace(0, max(0, mono.size - 1), COLUMNS).astype(int)
    window = np.hanning(WINDOW)
    frames = padded[starts[:, None] + np.arange(WINDOW)] * window
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)) * (2.0 / window.sum()))
    edges = np.geomspace(LOWEST_HZ, _highest(sample_rate), ROWS + 1) * WINDOW / sample_rate
    total = np.concatenate((np.zeros((COLUMNS, 1)), np.cumsum(power, axis=1)), axis=1)
    at = np.clip(edges + 0.5, 0.0, power.shape[1])  # bin k covers k - 0.5 to k + 0.5
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, power.shape[1])
    summed = total[:, low] + (at - low) * (total[:, high] - total[:, low])
    mean = np.diff(summed, axis=1) / np.diff(at)
    return 10.0 * np.log10(np.maximum(mean.T, 1e-20))
