"""What comes out for an impulse, found with noise, which every model takes as sound.

A period of noise with all frequencies equally strong is repeated; the spectrum of the output over that of the input,
transformed back, is the response to an impulse: exactly for a linear model, and that of the linear part for one that
distorts (best linear approximation; Pintelon and Schoukens, System Identification, 2012, chapter 3).
"""

from dataclasses import dataclass

import numpy as np

from neutone_like.validate import signals
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.measure import ComplexArray, FloatArray
from neutone_like.validate.playing import HostSetting, latency_samples, play

PERIOD_SAMPLES = 16384
NOISE_RMS = 0.03
SILENT = 1e-9
SMOOTHING_OCTAVES = 1.0 / 12.0


@dataclass(frozen=True)
class Response:
    """The first output channel's response at one host setting, parameters at their defaults.

    ``impulse`` starts where the input does and is scaled to a peak of 1; ``gain_db`` belongs to ``frequencies`` (Hz).
    """

    setting: HostSetting
    reported: int
    resampling: bool
    impulse: FloatArray
    frequencies: FloatArray
    gain_db: FloatArray

    @property
    def strongest(self) -> int:
        """The sample where the response is largest."""
        return int(np.argmax(np.abs(self.impulse)))


def measure_response(subject: LiveSubject, setting: HostSetting) -> Response | None:
    """Play noise through a module at a host setting; None where nothing comes out."""
    module = subject.reused(setting)
    reported = latency_samples(module)
    samples = PERIOD_SAMPLES
    while samples < 4 * reported:
        samples *= 2
    period = signals.flat_period(samples, amplitude=NOISE_RMS)
    blocks = [setting.block_size] * (3 * samples // setting.block_size)
    y = play(module, period.repeat(subject.channels, 3), blocks)[0]
    heard = y[samples : 2 * samples].double().numpy()  # one whole period, after one for the start to pass
    spectrum: ComplexArray = np.fft.rfft(heard)
    reference = np.fft.rfft(period[0].double().numpy())
    spectrum[0] = spectrum[-1] = 0.0  # the noise has no constant, and the highest line has no phase
    spectrum[1:-1] /= reference[1:-1]
    impulse = np.fft.irfft(spectrum, samples)
    peak = float(np.abs(impulse).max())
    if not np.isfinite(peak) or peak < SILENT:
        return None
    frequencies = np.arange(samples // 2 + 1, dtype=np.float64) * (setting.sample_rate / samples)
    shown, gain_db = _smoothed(frequencies, np.abs(spectrum) ** 2, 0.495 * setting.sample_rate)
    return Response(setting, reported, bool(module.is_resampling()), impulse / peak, shown, gain_db)


def _smoothed(frequencies: FloatArray, power: FloatArray, highest: float) -> tuple[FloatArray, FloatArray]:
    """Mean power in narrow bands, evenly spread over octaves from 20 Hz on; in dB."""
    count = int(np.log2(highest / 20.0) / SMOOTHING_OCTAVES) + 1
    centres: FloatArray = np.geomspace(20.0, 20.0 * 2.0 ** ((count - 1) * SMOOTHING_OCTAVES), count)
    half = 2.0 ** (SMOOTHING_OCTAVES / 2.0)
    step = float(frequencies[1])
    low = np.maximum(1, np.floor(centres / half / step)).astype(int)
    high = np.maximum(low + 1, np.ceil(centres * half / step)).astype(int)
    total = np.concatenate(([0.0], np.cumsum(power)))
    high = np.minimum(high, power.size)
    mean = (total[high] - total[low]) / np.maximum(1, high - low)
    return centres, 10.0 * np.log10(np.maximum(mean, 1e-20))
