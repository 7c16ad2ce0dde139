"""The delay that a model declares, held against what it does.

No measurement can tell latency from an echo that the author wants, or from the lag of a filter. So this looks for a
clear contradiction only. A sound with all frequencies equally strong, repeated, shows the impulse response (of the
linear part, for a model that distorts), for the default parameters and for others:

- a single clear peak, at the same place for all parameters, within a tenth of a second: that is latency, and must be
  what is declared. To the sample where the peak is but one sample wide; else a filter is at work too, which may add a
  lag of its own of up to a fifth of a millisecond;
- nearly all of the response before the declared delay: the delay is not there;
- anything else (filters, reverbs, several echoes, a delay that a parameter moves) contradicts nothing, and is reported.
"""

from dataclasses import dataclass

import numpy as np

from neutone_like.validate import signals
from neutone_like.validate.context import Context, Outcome, skipped, verdict
from neutone_like.validate.measure import ComplexArray
from neutone_like.validate.playing import HostSetting, model_values, play_model

LONGEST_SECONDS = 0.1
CLEAR_PEAK_ENERGY = 0.8
PURE_DELAY_ENERGY = 0.95
FILTER_LAG_SECONDS = 0.0002
EARLY_ENERGY = 0.99


@dataclass(frozen=True)
class ResponsePeak:
    """Where an impulse response is strongest, and the shares of its energy there, within two samples, and before."""

    position: int
    energy: float
    energy_nearby: float
    energy_before_declared: float


def check_declared_delay(context: Context) -> Outcome:
    """Find the model's own delay, where it has a clear one, and compare it with the declared one."""
    rate = context.native_rate
    block = context.artifact.block_sizes[0] if context.artifact.block_sizes else 512
    model = context.reused(HostSetting(rate, block)).w2w_base
    model.prepare_model(rate, block)
    declared = model.model_delay_samples()
    allowed = f"no clear contradiction of the declared {declared} samples"
    peaks = [_peak(context, name, rate, block, declared) for name in context.value_sets()]
    heard = [peak for peak in peaks if peak is not None]
    if not heard:
        return skipped("the model is silent on noise, so nothing can be timed", allowed)
    first = heard[0]
    if all(peak.energy_before_declared > EARLY_ENERGY for peak in heard):
        return verdict(False, f"the whole response comes before sample {declared}", allowed, _advice(first.position))
    clear = all(peak.energy_nearby >= CLEAR_PEAK_ENERGY and peak.position == first.position for peak in heard)
    if not clear or first.position > LONGEST_SECONDS * rate:
        strongest = f"strongest at sample {first.position}, {100 * first.energy_nearby:.0f} % of the energy there"
        return verdict(True, f"no single clear peak ({strongest})", allowed, "")
    pure = all(peak.energy >= PURE_DELAY_ENERGY for peak in heard)
    lag = 0 if pure else round(FILTER_LAG_SECONDS * rate)
    good = 0 <= first.position - declared <= lag
    return verdict(good, f"a clear peak at sample {first.position}", allowed, _advice(first.position))


def _advice(position: int) -> str:
    return (
        f"Return {position} from model_delay_samples() (samples at the model's rate), so that hosts line the output up "
        "with everything else. If the lag is part of the effect, mix some of the dry sound in by default."
    )


def _peak(context: Context, name: str, rate: int, block: int, declared: int) -> ResponsePeak | None:
    samples = 1 << int(1.5 * LONGEST_SECONDS * rate).bit_length()
    period = signals.flat_period(samples)
    x = period.repeat(context.artifact.in_channels, 2)
    values = model_values(context.artifact.numerical_parameters, context.value_sets()[name], block)
    y = play_model(
        context.reused(HostSetting(rate, block)).w2w_base,
        x,
        sample_rate=rate,
        block_size=block,
        look_behind_samples=context.artifact.live_metadata.look_behind_samples,
        parameters=context.artifact.numerical_parameters,
        values=values,
    )[0, samples:].double()
    spectrum = np.fft.rfft(y.numpy())[1:] / np.fft.rfft(period[0].double().numpy())[1:]  # without the constant
    return (
        None
        if np.abs(spectrum).max() < 1e-6
        else analyse_response(np.concatenate(([0.0], spectrum)), samples, declared)
    )


def analyse_response(spectrum: ComplexArray, samples: int, declared: int) -> ResponsePeak:
    """Find the peak of the impulse response that has this spectrum, ``samples // 2 + 1`` lines from 0 Hz on."""
    response = np.fft.irfft(spectrum, samples)
    energy = response * response / float(np.sum(response * response))
    peak = int(np.argmax(energy))
    near = float(energy[np.arange(peak - 2, peak + 3) % samples].sum())
    before = float(energy[: max(0, declared - 2)].sum())
    return ResponsePeak(peak, float(energy[peak]), near, before)
