"""The delay that hosts compensate is the delay there is.

What the wrapper adds can be measured on any model: the same sound goes once straight into the model at the model's own
rate, and once through the wrapper at the host's. Both outputs are samples of one sound, so their spectra differ by a
pure delay, whatever the model does to the sound; the slope of the phase between them, weighted by strength, gives that
delay to a fraction of a sample. Nothing of the wrapper's own arithmetic takes part.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact.reading.loader import Artifact
from neutone_like.validate import measure, signals
from neutone_like.validate.context import Context, Outcome, skipped, verdict
from neutone_like.validate.playing import HostSetting, latency_samples, padded_length, play, play_model, prepare

DELAY_ALLOWED = 0.05
LOWEST_COHERENCE = 0.9
SILENT_RMS = 1e-6


@dataclass(frozen=True)
class LatencyMeasurement:
    """Reported and measured delay at one host setting, in host samples. ``coherence`` near 1 means a pure delay."""

    setting: HostSetting
    reported: int
    measured: float
    coherence: float
    resampling: bool

    @property
    def error(self) -> float:
        return self.measured - self.reported


def measure_latency(artifact: Artifact, module: Any, setting: HostSetting, channels: int) -> LatencyMeasurement | None:
    """Measure a whole delay at a host setting, with default parameters; None where the output is silent.

    Args:
        artifact: Says what the model takes.
        module: One of the artifact's modules; it is prepared and reset.
        setting: The host.
        channels: How many channels the host sends.
    """
    prepare(module, setting)
    model_rate, model_block = module.current_model_sample_rate(), module.current_model_block_size()
    seconds = 0.4 if (setting.sample_rate * 2) % 5 == 0 and (model_rate * 2) % 5 == 0 else 1.0
    slower = min(setting.sample_rate, model_rate)
    frequencies = signals.tone_frequencies(0.005 * slower, 0.33 * slower, 48)
    reported = latency_samples(module)

    sound = signals.tones(setting.sample_rate, seconds, frequencies).repeat(channels, 1)
    samples = padded_length(sound.size(1) + reported, setting.block_size)
    blocks = [setting.block_size] * (samples // setting.block_size)
    through = play(module, torch.nn.functional.pad(sound, (0, samples - sound.size(1))), blocks)
    through = through[:1, reported : reported + sound.size(1)]

    straight = _straight(
        artifact, module.w2w_base, signals.tones(model_rate, seconds, frequencies), model_rate, model_block
    )
    if min(level_of(through), level_of(straight)) < SILENT_RMS:
        return None
    fit = delay_between(straight, model_rate, through, setting.sample_rate, slower)
    return LatencyMeasurement(
        setting, reported, reported + fit.seconds * setting.sample_rate, fit.coherence, module.is_resampling()
    )


def _straight(artifact: Artifact, model: Any, sound: Tensor, rate: int, block: int) -> Tensor:
    """The model's own output, its declared delay removed."""
    model.prepare_model(rate, block)
    delay = model.model_delay_samples()
    padded = torch.nn.functional.pad(sound.repeat(artifact.in_channels, 1), (0, delay))
    output = play_model(
        model,
        padded,
        sample_rate=rate,
        block_size=block,
        look_behind_samples=artifact.live_metadata.look_behind_samples,
        parameters=artifact.numerical_parameters,
    )
    return output[:1, delay : delay + sound.size(1)]


def delay_between(straight: Tensor, model_rate: int, through: Tensor, host_rate: int, slower: int) -> measure.DelayFit:
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
    fit = measure.fit_delay_on_lines(cross, 1.0 / seconds, 0.2 * seconds)
    return measure.DelayFit(fit.seconds, fit.coherence * min(1.0, float(np.abs(cross).sum()) / norm))


def level_of(sound: Tensor) -> float:
    """RMS of a whole sound."""
    return float(sound.square().mean().sqrt())


def check_reported_delay(context: Context) -> Outcome:
    """Measure the delay at every host setting."""
    allowed = f"within {DELAY_ALLOWED} samples of what is reported"
    found = [
        measure_latency(context.artifact, context.reused(setting), setting, context.channels)
        for setting in context.settings
    ]
    heard = [measurement for measurement in found if measurement is not None]
    if not heard:
        return skipped("the model is silent on tones at its default parameters, so nothing can be timed", allowed)
    lines = tuple(f"{m.setting}: reported {m.reported}, measured {m.measured:.3f}" for m in heard)
    unclear = [m for m in heard if m.coherence < LOWEST_COHERENCE]
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
    worst = max(heard, key=lambda m: abs(m.error))
    return verdict(
        abs(worst.error) <= DELAY_ALLOWED,
        f"{worst.error:+.3f} samples at {worst.setting} (reported {worst.reported})",
        allowed,
        "The stream is shifted against what hosts compensate. Return exactly as many samples as are new, and make "
        "model_delay_samples() constant after prepare_model().",
        lines,
    )
