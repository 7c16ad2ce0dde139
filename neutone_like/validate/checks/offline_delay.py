"""The delay that a model declares is taken out by the wrapper: what it does not declare would be left in the output."""

from neutone_like.validate import signals
from neutone_like.validate.checks.model_delay import (
    CLEAR_PEAK_ENERGY,
    FILTER_LAG_SECONDS,
    LONGEST_SECONDS,
    PURE_DELAY_ENERGY,
    ResponsePeak,
    analyse_response,
    impulse_response,
    period_samples,
)
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome, skipped, verdict
from neutone_like.validate.subject import Values

ALLOWED = "no clear sign that the output is early or late"


def check_declared_delay(subject: OfflineSubject) -> Outcome:
    """Find where the output is, after the declared delay was taken out, and whether that is where the input is.

    As for live models, only a clear contradiction counts: a single clear peak of the impulse response, at the same
    place for all parameters, within a tenth of a second.
    """
    if subject.is_generator or subject.is_free_length:
        return skipped("there is no input that the output could be late against", ALLOWED)
    sets = subject.value_sets()
    by_output = list(zip(*(_peaks(subject, values) for values in sets.values()), strict=True))
    heard = [[peak for peak in peaks if peak is not None] for peaks in by_output]
    if not any(heard):
        return skipped("the model is silent on noise, so nothing can be timed", ALLOWED)
    lines: list[str] = []
    for index, peaks in enumerate(heard):
        place = _clear_place(peaks, subject.native_rate)
        lines.append(
            f"output {index + 1}: " + ("no single clear peak" if place is None else f"a clear peak at {place}")
        )
        if place is not None and not _is_in_place(place, peaks, subject.native_rate):
            declared = subject.reused(subject.native).nrb.model_delay_samples()
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
    period = period_samples(rate)
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


def _peaks(subject: OfflineSubject, values: Values) -> list[ResponsePeak | None]:
    samples = period_samples(subject.native_rate)
    period = signals.flat_period(samples)
    inputs = subject.everywhere(period.repeat(1, 3))
    outputs = subject.play(subject.reused(subject.native), inputs, values, subject.native, 3 * samples)
    found: list[ResponsePeak | None] = []
    for output in outputs:
        response = impulse_response(output[0, samples : 2 * samples].double().numpy(), period)
        found.append(None if response is None else analyse_response(response, 0))
    return found
