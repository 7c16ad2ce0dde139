"""The delay that a model declares is taken out by the wrapper: what it does not declare would be left in the output."""

import numpy as np

from neutone_like.validate import signals
from neutone_like.validate.checks.model_delay import (
    CLEAR_PEAK_ENERGY,
    FILTER_LAG_SECONDS,
    LONGEST_SECONDS,
    PURE_DELAY_ENERGY,
    ResponsePeak,
    analyse_response,
)
from neutone_like.validate.context import Outcome, skipped, verdict
from neutone_like.validate.offline.context import OfflineContext, Values

ALLOWED = "no clear sign that the output is early or late"


def check_declared_delay(context: OfflineContext) -> Outcome:
    """Find where the output is, after the declared delay was taken out, and whether that is where the input is.

    As for live models, only a clear contradiction counts: a single clear peak of the impulse response, at the same
    place for all parameters, within a tenth of a second.
    """
    if context.is_generator or context.is_free_length:
        return skipped("there is no input that the output could be late against", ALLOWED)
    sets = context.value_sets()
    by_output = list(zip(*(_peaks(context, values) for values in sets.values()), strict=True))
    heard = [[peak for peak in peaks if peak is not None] for peaks in by_output]
    if not any(heard):
        return skipped("the model is silent on noise, so nothing can be timed", ALLOWED)
    lines: list[str] = []
    for index, peaks in enumerate(heard):
        place = _clear_place(peaks, context.native_rate)
        lines.append(
            f"output {index + 1}: " + ("no single clear peak" if place is None else f"a clear peak at {place}")
        )
        if place is not None and not _is_in_place(place, peaks, context.native_rate):
            declared = context.reused(context.native_rate).nrb.model_delay_samples()
            return verdict(
                False,
                f"output {index + 1} is {abs(place)} samples too {'late' if place > 0 else 'early'}",
                ALLOWED,
                f"Return {declared + place} from model_delay_samples() (samples at the model's rate), instead of "
                f"{declared}. If the lag is part of the effect, mix some of the dry sound in by default.",
                tuple(lines),
            )
    return verdict(True, "; ".join(lines), ALLOWED, "")


def _clear_place(peaks: list[ResponsePeak], rate: int) -> int | None:
    """Where all peaks are, in samples; early ones are negative."""
    period = _period_samples(rate)
    places = {(peak.position + period // 2) % period - period // 2 for peak in peaks}
    if len(places) != 1 or not all(peak.energy_nearby >= CLEAR_PEAK_ENERGY for peak in peaks):
        return None
    place = places.pop()
    return place if abs(place) <= LONGEST_SECONDS * rate else None


def _is_in_place(place: int, peaks: list[ResponsePeak], rate: int) -> bool:
    pure = all(peak.energy >= PURE_DELAY_ENERGY for peak in peaks)
    # A filter without delay may be centred on 0, or lag a little.
    lag = 0 if pure else round(FILTER_LAG_SECONDS * rate)
    return (0 if pure else -1) <= place <= lag


def _period_samples(rate: int) -> int:
    return 1 << int(1.5 * LONGEST_SECONDS * rate).bit_length()


def _peaks(context: OfflineContext, values: Values) -> list[ResponsePeak | None]:
    samples = _period_samples(context.native_rate)
    period = signals.flat_period(samples)
    inputs = context.everywhere(period.repeat(1, 3))
    outputs = context.play(context.reused(context.native_rate), inputs, values, 3 * samples)
    found: list[ResponsePeak | None] = []
    for output in outputs:
        middle = output[0, samples : 2 * samples].double().numpy()
        spectrum = np.fft.rfft(middle)[1:] / np.fft.rfft(period[0].double().numpy())[1:]  # without the constant
        silent = np.abs(spectrum).max() < 1e-6
        found.append(None if silent else analyse_response(np.concatenate(([0.0], spectrum)), samples, 0))
    return found
