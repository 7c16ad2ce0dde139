"""The delay that a model declares, held against what it does.

No measurement can tell latency from an echo that the author wants, or from the lag of a filter. So this looks for a
clear contradiction only. A sound with all frequencies equally strong, repeated, shows the impulse response (of the
linear part, for a model that distorts), for the default parameters and for others:

- a single clear peak, at the same place for all parameters, within a tenth of a second: that is latency, and must be
  what is declared. To the sample where the peak is but one sample wide; else a filter is at work too, which may add a
  lag of its own of up to a fifth of a millisecond;
- nearly all of the response before the declared delay: the delay is not there;
- any other response that two different sounds agree on (filters, reverbs, several echoes, a delay that a parameter
  moves) contradicts nothing, and is reported;
- where they don't agree, the model is no filter. If its level follows that of the sound, the level is timed, to a frame
  (:mod:`.level_lag`); if not, nothing can be measured.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from neutone_like.validate import signals
from neutone_like.validate.checks.level_lag import level_lag
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.measure import FloatArray
from neutone_like.validate.outcome import Outcome, skipped, verdict
from neutone_like.validate.playing import HostSetting, model_values, play_model

LONGEST_SECONDS = 0.1
CLEAR_PEAK_ENERGY = 0.8
PURE_DELAY_ENERGY = 0.95
FILTER_LAG_SECONDS = 0.0002
EARLY_ENERGY = 0.99
SAME_RESPONSE = 0.9
FRAME_SAMPLES = 512  # what a model that works in frames, but takes blocks of any size, may have for one


@dataclass(frozen=True)
class ResponsePeak:
    """Where an impulse response is strongest, and the shares of its energy there, within two samples, and before."""

    position: int
    energy: float
    energy_nearby: float
    energy_before_declared: float


@dataclass(frozen=True)
class _Model:
    """The model alone, as it is timed."""

    subject: LiveSubject
    rate: int
    block: int
    declared: int

    def play(self, x: Tensor, name: str) -> FloatArray:
        """The first output channel for one channel of sound, with the parameter values of this name."""
        subject = self.subject
        numerical = subject.artifact.numerical_parameters
        output = play_model(
            subject.model_of(subject.reused(HostSetting(self.rate, self.block))),
            x.repeat(subject.artifact.in_channels, 1),
            sample_rate=self.rate,
            block_size=self.block,
            look_behind_samples=subject.look_behind_samples,
            parameters=numerical,
            values=model_values(numerical, subject.value_sets()[name].knobs, self.block),
        )
        return output[0].double().numpy()


def check_declared_delay(subject: LiveSubject) -> Outcome:
    """Find the model's own delay, where it has a clear one, and compare it with the declared one."""
    rate = subject.native_rate
    block = subject.artifact.block_sizes[0] if subject.artifact.block_sizes else 512
    model = subject.model_of(subject.reused(HostSetting(rate, block)))
    model.prepare_model(rate, block)
    alone = _Model(subject, rate, block, model.model_delay_samples())
    allowed = f"no clear contradiction of the declared {alone.declared} samples"
    responses = {name: _response(alone, name, seed=0) for name in subject.value_sets()}
    heard = {name: response for name, response in responses.items() if response is not None}
    if not heard:
        return skipped("the model is silent on noise, so nothing can be timed", allowed)
    peaks = [analyse_response(response, alone.declared) for response in heard.values()]
    return _judge_peaks(peaks, alone, allowed) or _judge_without_peak(heard, peaks[0], alone, allowed)


def _judge_peaks(peaks: list[ResponsePeak], alone: _Model, allowed: str) -> Outcome | None:
    """The verdict of a clear peak, or of a response that is too early; None where there is neither."""
    first = peaks[0]
    if all(peak.energy_before_declared > EARLY_ENERGY for peak in peaks):
        measured = f"the whole response comes before sample {alone.declared}"
        return verdict(False, measured, allowed, _advice(str(first.position)))
    clear = all(peak.energy_nearby >= CLEAR_PEAK_ENERGY and peak.position == first.position for peak in peaks)
    if not clear or first.position > LONGEST_SECONDS * alone.rate:
        return None
    pure = all(peak.energy >= PURE_DELAY_ENERGY for peak in peaks)
    lag = 0 if pure else round(FILTER_LAG_SECONDS * alone.rate)
    good = 0 <= first.position - alone.declared <= lag
    return verdict(good, f"a clear peak at sample {first.position}", allowed, _advice(str(first.position)))


def _judge_without_peak(responses: dict[str, FloatArray], peak: ResponsePeak, alone: _Model, allowed: str) -> Outcome:
    """A filter of some length contradicts nothing. Anything else is timed by its level, if that follows the sound's."""
    strongest = f"strongest at sample {peak.position}, {100 * peak.energy_nearby:.0f} % of the energy there"
    first = next(iter(responses))
    if _is_filter(alone, first, responses[first]):
        return verdict(True, f"no single clear peak ({strongest})", allowed, "")
    frame = max(alone.block, FRAME_SAMPLES)
    lag = _level_lag(alone, first, frame)
    if lag is None:
        reason = "what comes out follows neither the waveform nor the level of the input, so no delay can be measured"
        return skipped(reason, allowed)
    wrong = _is_contradicted(alone, lag, frame)
    others = [_level_lag(alone, name, frame) for name in list(responses)[1:]] if wrong else []
    wrong = wrong and all(other is not None and _is_contradicted(alone, other, frame) for other in others)
    measured = f"no response of a filter; the level follows {lag} samples later, give or take {frame}"
    return verdict(not wrong, measured, allowed, _advice(f"about {max(0, lag)}"))


def _level_lag(alone: _Model, name: str, frame: int) -> int | None:
    return level_lag(lambda x: alone.play(x, name), alone.rate, frame)


def _is_contradicted(alone: _Model, lag: int, frame: int) -> bool:
    """Whether the level is later than declared, by no echo that is meant, or earlier, by more than a frame."""
    late = alone.declared + frame < lag < LONGEST_SECONDS * alone.rate + frame
    return late or lag < alone.declared - frame


def _is_filter(alone: _Model, name: str, response: FloatArray) -> bool:
    """Whether another sound shows the same impulse response."""
    other = _response(alone, name, seed=1)
    if other is None:
        return False
    product = float(np.linalg.norm(response) * np.linalg.norm(other))
    return product > 0.0 and float(np.dot(response, other)) / product >= SAME_RESPONSE


def _advice(position: str) -> str:
    return (
        f"Return {position} from model_delay_samples() (samples at the model's rate), so that hosts line the output up "
        "with everything else. If the lag is part of the effect, mix some of the dry sound in by default."
    )


def _response(alone: _Model, name: str, seed: int) -> FloatArray | None:
    """The impulse response that a sound shows; None of a model that is silent on it."""
    samples = period_samples(alone.rate)
    period = signals.flat_period(samples, seed=seed)
    return impulse_response(alone.play(period.repeat(1, 2), name)[samples:], period)


def period_samples(rate: int) -> int:
    """How long the repeated sound is: longer than the longest delay that is looked for."""
    return 1 << int(1.5 * LONGEST_SECONDS * rate).bit_length()


def impulse_response(heard: FloatArray, period: Tensor) -> FloatArray | None:
    """What turns a repeated sound into ``heard``, one period of the output; None where that is silent."""
    spectrum = np.fft.rfft(heard)[1:] / np.fft.rfft(period[0].double().numpy())[1:]  # without the constant
    if np.abs(spectrum).max() < 1e-6:
        return None
    return np.fft.irfft(np.concatenate(([0.0], spectrum)), heard.size)


def analyse_response(response: FloatArray, declared: int) -> ResponsePeak:
    """Find the peak of an impulse response, which is repeated: what comes early is at the end."""
    energy = response * response / float(np.sum(response * response))
    peak = int(np.argmax(energy))
    near = float(energy[np.arange(peak - 2, peak + 3) % energy.size].sum())
    before = float(energy[: max(0, declared - 2)].sum())
    return ResponsePeak(peak, float(energy[peak]), near, before)
