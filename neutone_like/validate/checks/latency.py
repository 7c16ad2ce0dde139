"""The delay that hosts compensate is the delay there is.

What the wrapper adds can be measured on any model whose output repeats: the same sound goes once straight into the
model at the model's own rate, and once through the wrapper at the host's. Both outputs are samples of one sound, so
their spectra differ by a pure delay, whatever the model does to the sound; the slope of the phase between them,
weighted by strength, gives that delay to a fraction of a sample.

A model that works in frames hears the sound later at a host's rate, by what the conversion into its own rate takes, so
that its frames fall elsewhere. Therefore the straight sound is late by just as much. Where the outputs still are no
shifted copies of one another, it is asked why: random numbers, or decisions (a pitch, a code word) that fall otherwise
for the slightest difference of the input, leave nothing that could be timed; anything else is a mistake.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact.reading.loader import Artifact
from neutone_like.validate import measure, signals
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, skipped, verdict
from neutone_like.validate.playing import HostSetting, latency_samples, padded_length, play, play_model, prepare

DELAY_ALLOWED = 0.05
LOWEST_COHERENCE = 0.9
LARGEST_BLUR_SAMPLES = 2.0
SILENT_RMS = 1e-6
CONVERSION_ERROR = 3e-5  # of the sound: what the faster resampler does to it
RANDOM = "the same sound twice gives two outputs, so there is nothing to time"
SENSITIVE = (
    "its output is no continuous function of its input (a change by a 30,000th gives another output), as where a pitch "
    "or a code word is chosen frame by frame, so at another rate it is no shifted copy"
)
NARROW = "its output has too narrow a band for a delay to show"


@dataclass(frozen=True)
class Timing:
    """How much later one sound is than another, how much of it is a pure delay, and how sure that is.

    ``blur_seconds``: what is not coherent moves the delay by about as much.
    """

    seconds: float
    coherence: float
    blur_seconds: float


@dataclass(frozen=True)
class LatencyMeasurement:
    """Reported and measured delay at one host setting, in host samples. ``coherence`` near 1 means a pure delay.

    ``blur`` is how far off the measurement may be. ``untimed`` says why a delay can't be measured, where it can't.
    """

    setting: HostSetting
    reported: int
    measured: float
    coherence: float
    resampling: bool
    blur: float = 0.0
    untimed: str = ""

    @property
    def error(self) -> float:
        return self.measured - self.reported

    @property
    def is_coherent(self) -> bool:
        """Whether what came out is a delayed copy of what the model alone gives."""
        return self.coherence >= LOWEST_COHERENCE

    @property
    def allowed(self) -> float:
        """How far the measurement may be from the reported number."""
        return DELAY_ALLOWED + 2.0 * self.blur


@dataclass(frozen=True)
class _Straight:
    """The model alone, at its own rate, with a sound that is as late as a host's is when it gets there."""

    artifact: Artifact
    model: Any
    rate: int
    block: int
    late_seconds: float

    def play(self, seconds: float, frequencies: measure.FloatArray, change: float = 0.0) -> Tensor:
        """The model's own output, its declared delay and the whole samples of the lateness removed."""
        self.model.prepare_model(self.rate, self.block)
        delay = self.model.model_delay_samples() + self.late_samples
        samples = round(seconds * self.rate)
        longer = seconds + self.late_samples / self.rate
        sound = signals.tones(self.rate, longer, frequencies, delay_seconds=self.late_seconds)
        sound = sound + change * float(sound.abs().max()) * signals.noise(1, sound.size(1), amplitude=1.0, seed=11)
        padded = torch.nn.functional.pad(sound, (0, samples + delay - sound.size(1)))
        output = play_model(
            self.model,
            padded.repeat(self.artifact.in_channels, 1),
            sample_rate=self.rate,
            block_size=self.block,
            look_behind_samples=self.artifact.live_metadata.look_behind_samples,
            parameters=self.artifact.numerical_parameters,
        )
        return output[:1, delay : delay + samples]

    @property
    def late_samples(self) -> int:
        return round(self.late_seconds * self.rate)

    @property
    def rest_seconds(self) -> float:
        """The part of the lateness that is no whole sample."""
        return self.late_seconds - self.late_samples / self.rate


def measure_latency(artifact: Artifact, module: Any, setting: HostSetting, channels: int) -> LatencyMeasurement | None:
    """Measure a whole delay at a host setting, with default parameters; None where the output is silent.

    Args:
        artifact: Says what the model takes.
        module: One of the artifact's modules; it is prepared and reset.
        setting: The host.
        channels: How many channels the host sends.
    """
    prepare(module, setting)
    host, rate = setting.sample_rate, module.current_model_sample_rate()
    seconds = 0.4 if (host * 2) % 5 == 0 and (rate * 2) % 5 == 0 else 1.0
    slower = min(host, rate)
    frequencies = signals.tone_frequencies(0.005 * slower, 0.33 * slower, 48)
    reported, is_resampling = latency_samples(module), module.is_resampling()
    late = module.latency_parts()["resample_in"] / host if is_resampling else 0.0
    through = _through(module, setting, signals.tones(host, seconds, frequencies).repeat(channels, 1), reported)
    alone = _Straight(artifact, module.w2w_base, rate, module.current_model_block_size(), late)
    straight = alone.play(seconds, frequencies)
    if min(level_of(through), level_of(straight)) < SILENT_RMS:
        return None
    fit = delay_between(straight, rate, through, host, slower)
    measured = reported + (fit.seconds + alone.rest_seconds) * host
    found = LatencyMeasurement(setting, reported, measured, fit.coherence, is_resampling, fit.blur_seconds * host)
    if found.is_coherent and found.blur <= LARGEST_BLUR_SAMPLES:
        return found
    changed = alone.play(seconds, frequencies, CONVERSION_ERROR if is_resampling else 0.0)
    untimed = _why_untimed(straight, changed, alone.play(seconds, frequencies), rate)
    if not untimed and found.is_coherent:
        untimed = NARROW
    return LatencyMeasurement(
        setting, reported, measured, fit.coherence, is_resampling, fit.blur_seconds * host, untimed
    )


def _through(module: Any, setting: HostSetting, sound: Tensor, reported: int) -> Tensor:
    """What the host hears, the reported delay removed."""
    samples = padded_length(sound.size(1) + reported, setting.block_size)
    blocks = [setting.block_size] * (samples // setting.block_size)
    heard = play(module, torch.nn.functional.pad(sound, (0, samples - sound.size(1))), blocks)
    return heard[:1, reported : reported + sound.size(1)]


def _why_untimed(straight: Tensor, changed: Tensor, again: Tensor, rate: int) -> str:
    """What about the model itself keeps its output from being a shifted copy; empty where nothing does."""
    if not torch.equal(straight, again):
        return RANDOM
    return SENSITIVE if delay_between(straight, rate, changed, rate, rate).coherence < LOWEST_COHERENCE else ""


def delay_between(straight: Tensor, model_rate: int, through: Tensor, host_rate: int, slower: int) -> Timing:
    """How much later ``through`` (``[1, samples]``, at the host's rate) is than ``straight`` (at the model's).

    Both last the same whole number of spectral lines, so line ``k`` is the same frequency in both spectra.
    """
    seconds = straight.size(1) / model_rate
    lowest, highest = max(1, round(0.004 * slower * seconds)), round(0.35 * slower * seconds)
    spectra = []
    for sound in (straight, through):
        values = measure.samples_of(sound)
        spectra.append(np.fft.rfft(values * np.hanning(values.size))[:highest] / values.size)
        spectra[-1][:lowest] = 0.0
    cross = spectra[1] * np.conj(spectra[0])
    # Where one output has strength and the other has none, they differ by more than a delay; so weigh by both.
    norm = float(np.linalg.norm(spectra[0]) * np.linalg.norm(spectra[1]))
    if norm == 0.0:
        return Timing(0.0, 0.0, 0.0)
    fit = measure.fit_delay_on_lines(cross, 1.0 / seconds, 0.2 * seconds)
    coherence = fit.coherence * min(1.0, float(np.abs(cross).sum()) / norm)
    return Timing(fit.seconds, coherence, _blur(np.abs(cross), 1.0 / seconds, coherence))


def _blur(weights: measure.FloatArray, spacing: float, coherence: float) -> float:
    """How far errors of the phase turn its slope, in seconds: the less so, the more lines and the wider their band."""
    total = float(weights.sum())
    lines = total * total / float(np.square(weights).sum())
    frequencies = spacing * np.arange(weights.size)
    mean = float((weights * frequencies).sum()) / total
    width = float(np.sqrt((weights * np.square(frequencies - mean)).sum() / total))
    return float(np.sqrt(2.0 * max(0.0, 1.0 - coherence) / lines)) / (2.0 * np.pi * max(width, spacing))


def level_of(sound: Tensor) -> float:
    """RMS of a whole sound."""
    return float(sound.square().mean().sqrt())


def check_reported_delay(subject: LiveSubject) -> Outcome:
    """Measure the delay at every host setting; skipped where the model leaves nothing to time at any of them."""
    allowed = f"within {DELAY_ALLOWED} samples of what is reported"
    found = [
        measure_latency(subject.artifact, subject.reused(setting), setting, subject.channels)
        for setting in subject.effort.choose(subject.settings, "host settings", fewest=2)
    ]
    heard = [measurement for measurement in found if measurement is not None]
    if not heard:
        return skipped("the model is silent on tones at its default parameters, so nothing can be timed", allowed)
    lines = tuple(_line_of(m) for m in heard)
    unclear = [m for m in heard if not m.is_coherent and not m.untimed]
    if unclear:
        return verdict(
            False,
            f"at {unclear[0].setting} the output is more than a delayed copy of the model's own (coherence "
            f"{unclear[0].coherence:.2f})",
            f"a delayed copy, {allowed}",
            "The model sounds different in the wrapper than alone at its own rate. Look at look_behind_samples, at "
            "what prepare_model does with rate and block size, and at state that reset_model does not clear.",
            lines,
        )
    timed = [m for m in heard if not m.untimed]
    if not timed:
        return skipped(f"no delay can be measured on this model: {heard[0].untimed}", allowed, lines)
    worst = max(timed, key=lambda m: abs(m.error) / m.allowed)
    return verdict(
        abs(worst.error) <= worst.allowed,
        f"{round(worst.error, 3) + 0.0:+.3f} samples at {worst.setting} (reported {worst.reported})",
        allowed,
        "The stream is shifted against what hosts compensate. Return exactly as many samples as are new, and make "
        "model_delay_samples() constant after prepare_model().",
        lines,
    )


def _line_of(m: LatencyMeasurement) -> str:
    if m.untimed:
        return f"{m.setting}: reported {m.reported}, can't be measured: {m.untimed}"
    return f"{m.setting}: reported {m.reported}, measured {m.measured:.3f}"
