"""Outputs are as long as the input and in step with it, whatever the host's rate."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from neutone_like.validate import signals
from neutone_like.validate.checks.latency import (
    DELAY_ALLOWED,
    LOWEST_COHERENCE,
    SILENT_RMS,
    delay_between,
    level_of,
)
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome, verdict

LENGTHS = "as many samples as went in, at every rate"
ADVICE = (
    "Return as many samples as are new in audio_in, at the model's rate; a one-shot model may say keeps_length = False."
)

INCOHERENCE_SAMPLES = 4.0


@dataclass(frozen=True)
class Shift:
    """How much later an output is at one rate than at the model's own, in samples at that rate."""

    rate: int
    output: int
    samples: float
    coherence: float

    @property
    def allowed(self) -> float:
        """What is not coherent blurs the measurement; a mistake in alignment is a sample, or half of one."""
        return DELAY_ALLOWED + INCOHERENCE_SAMPLES * (1.0 - self.coherence)


def check_length_and_alignment(subject: OfflineSubject) -> Outcome:
    """Compare lengths, and time every output at other rates against the model's own rate."""
    if subject.is_free_length:
        return _check_duration(subject)
    problems, count = [], 0
    for setting in subject.settings:
        module = subject.reused(setting)
        most = subject.samples(setting)
        for samples in (most, most + 1, most // 2 + 7):
            outputs = subject.play(module, subject.sounds(samples), subject.defaults, setting, samples)
            count += 1
            expected = [(channels, samples) for channels in subject.artifact.audio_out_channels]
            if (shapes := [tuple(output.shape) for output in outputs]) != expected:
                problems.append(f"{samples} samples at {setting} gave {shapes}")
    if problems:
        return verdict(False, "; ".join(problems), LENGTHS, ADVICE)
    if subject.is_generator:
        return verdict(True, f"{count} lengths as asked for", LENGTHS, ADVICE)
    return _judge(list(_shifts(subject)), count)


def _judge(shifts: list[Shift], lengths: int) -> Outcome:
    allowed = f"{LENGTHS}; within {DELAY_ALLOWED} samples (more where it blurs) of where it is at the model's own rate"
    lines = tuple(
        f"{each.rate} Hz, output {each.output + 1}: {each.samples:+.3f} samples, coherence {each.coherence:.2f}"
        for each in shifts
    )
    clear = [each for each in shifts if each.coherence >= LOWEST_COHERENCE]
    if not clear:
        measured = f"{lengths} lengths as they should be; no output is a shifted copy of itself, so none can be timed"
        return Outcome("passed", measured, allowed, information=lines)
    worst = max(clear, key=lambda each: abs(each.samples) / each.allowed)
    return verdict(
        abs(worst.samples) <= worst.allowed,
        f"{lengths} lengths as they should be; {round(worst.samples, 3) + 0.0:+.3f} samples at {worst.rate} Hz",
        allowed,
        "The output moves against the input when the host's rate is not the model's. Look at what prepare_model does "
        "with the rate, and make model_delay_samples() constant after it.",
        lines,
    )


def _shifts(subject: OfflineSubject) -> Iterator[Shift]:
    """Tones through the module at the model's rate and at others: their spectra differ by a pure delay."""
    own = subject.native_rate
    for setting in subject.settings[1:]:
        rate = setting.sample_rate
        slower = min(rate, own)
        seconds = 0.4 if (rate * 2) % 5 == 0 and (own * 2) % 5 == 0 else 1.0
        frequencies = signals.tone_frequencies(0.005 * slower, 0.33 * slower, 48)
        pair = []
        for each in (subject.native, setting):
            sound = signals.tones(each.sample_rate, seconds, frequencies)
            inputs = subject.everywhere(sound)
            pair.append(subject.play(subject.reused(each), inputs, subject.defaults, each, sound.size(1)))
        for index, (straight, through) in enumerate(zip(*pair, strict=True)):
            if min(level_of(straight[:1]), level_of(through[:1])) >= SILENT_RMS:
                fit = delay_between(straight[:1], own, through[:1], rate, slower)
                yield Shift(rate, index, fit.seconds * rate, fit.coherence)


def _check_duration(subject: OfflineSubject) -> Outcome:
    """A model that decides how long its output is: it must last as long at every rate."""
    allowed = "all outputs of one length, which lasts the same at every rate, to a sample"
    lasts: dict[int, float] = {}
    for setting in subject.settings:
        samples = subject.samples(subject.native) * setting.sample_rate // subject.native_rate
        sounds = [torch.zeros(channels, samples) for channels in subject.artifact.audio_in_channels]
        outputs = subject.play(subject.reused(setting), sounds, subject.defaults, setting, samples)
        lengths = {output.size(1) for output in outputs}
        if len(lengths) != 1:
            return verdict(False, f"lengths {sorted(lengths)} at {setting}", allowed, ADVICE)
        lasts[setting.sample_rate] = lengths.pop() / setting.sample_rate
    own = lasts[subject.native_rate]
    worst = max(lasts, key=lambda rate: abs(lasts[rate] - own) * rate)
    error = abs(lasts[worst] - own) * min(worst, subject.native_rate)
    # Resampled input has another number of samples, by up to one and by the filter's ends.
    slack = 1.0 if subject.is_generator else 200.0
    return verdict(error <= slack, f"{own:.3f} s, at {worst} Hz {error:.1f} samples more or less", allowed, ADVICE)
