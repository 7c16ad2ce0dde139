"""Random music by arithmetic, in two parts, without end: what the stem separator and the diffusion denoiser learn from.

``random_notes`` plays what has a pitch (plucked, bowed, sung: sums of harmonics), ``random_drums`` what has none (sines
that fall, bursts of noise). Every sound is drawn anew, so that a network can't learn this synthesiser by heart. The
examples measure what they learned on other sounds: on the instruments of
``neutone_like.artifact.writing.sample_audio``, whose code is another, and in the tests on recordings.
"""

import math

import torch
from torch import Tensor

SAMPLE_RATE = 22050
LOWEST_HZ, HIGHEST_HZ = 45.0, 900.0
MOST_HARMONICS = 24


class Dice:
    """Random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def ratio(self, low: float, high: float) -> float:
        """As likely in each octave."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def chance(self, probability: float) -> bool:
        return self.between(0.0, 1.0) < probability

    def noise(self, samples: int) -> Tensor:
        return torch.randn(samples, generator=self.generator)


def random_notes(dice: Dice, seconds: float) -> Tensor:
    """Notes, chords and lines of one drawn instrument, ``[N]``, RMS 0.1."""
    total = round(seconds * SAMPLE_RATE)
    sound = torch.zeros(total)
    plucked, slope = dice.chance(0.5), dice.between(0.6, 2.2)
    voices, beat = 1 + int(dice.between(0.0, 3.0)), dice.ratio(0.12, 0.8)
    time = dice.between(-0.3, 0.1)
    while time < seconds:
        root = dice.ratio(LOWEST_HZ, HIGHEST_HZ)
        for interval in (0, 7, 4, 12)[:voices]:
            length = round(dice.ratio(1.0, 3.0) * beat * SAMPLE_RATE)
            _add(sound, _note(dice, root * 2.0 ** (interval / 12), length, slope, plucked), round(time * SAMPLE_RATE))
        time += beat * (1.0 + int(dice.between(0.0, 3.0)))
    return _level(_room(dice, sound))


def random_drums(dice: Dice, seconds: float) -> Tensor:
    """A beat on a drawn drum kit, ``[N]``, RMS 0.1."""
    sound = torch.zeros(round(seconds * SAMPLE_RATE))
    kit = [_membrane(dice, 40.0, 80.0), _snare(dice), _metal(dice, 0.02, 0.08)]
    kit.append(_metal(dice, 0.2, 0.9) if dice.chance(0.3) else _membrane(dice, 80.0, 220.0))
    likely = [dice.between(0.1, 0.4), dice.between(0.1, 0.4), dice.between(0.2, 0.8), dice.between(0.0, 0.2)]
    step, time = dice.between(0.08, 0.2), dice.between(-0.2, 0.0)
    while time < seconds:
        for hit, probability in zip(kit, likely):
            if dice.chance(probability):
                _add(sound, dice.ratio(0.3, 1.0) * hit, round(time * SAMPLE_RATE))
        time += step
    if float(sound.abs().max()) == 0.0:
        _add(sound, kit[1], 0)
    return _level(_room(dice, sound))


def _note(dice: Dice, hertz: float, length: int, slope: float, plucked: bool) -> Tensor:
    """Harmonics that fade at their own pace, with vibrato, a glide now and then, and a soft or a sharp start."""
    t = torch.arange(length) / SAMPLE_RATE
    vibrato = dice.between(0.0, 0.006) * torch.sin(2.0 * math.pi * dice.between(4.0, 7.0) * t)
    glide = dice.between(-0.2, 0.2) * t / t[-1] if dice.chance(0.15) else torch.zeros(())
    phase = 2.0 * math.pi * torch.cumsum(hertz * (1.0 + vibrato + glide), 0) / SAMPLE_RATE
    count = min(MOST_HARMONICS, int(0.4 * SAMPLE_RATE / hertz))
    loss = dice.ratio(1.0, 8.0) if plucked else 0.0
    place = dice.between(0.05, 0.5)
    sound = torch.zeros(length)
    for harmonic in range(1, count + 1):
        level = harmonic**-slope * (abs(math.sin(math.pi * harmonic * place)) + 0.1) * dice.ratio(0.5, 2.0)
        stretched = harmonic * math.sqrt(1.0 + 2e-4 * harmonic**2) if plucked else float(harmonic)
        partial = torch.sin(stretched * phase + dice.between(0.0, 6.28))
        sound += level * partial * torch.exp(-loss * (1.0 + 0.3 * harmonic) * t)
    return sound * _edges(length, dice.between(0.002, 0.01) if plucked else dice.ratio(0.02, 0.3), 0.03)


def _membrane(dice: Dice, low_hz: float, high_hz: float) -> Tensor:
    """A sine that falls to its pitch, and the stroke of the stick."""
    length = round(0.4 * SAMPLE_RATE)
    t = torch.arange(length) / SAMPLE_RATE
    base, fall = dice.ratio(low_hz, high_hz), dice.ratio(0.01, 0.05)
    phase = base * t + base * dice.between(0.5, 3.0) * fall * (1.0 - torch.exp(-t / fall))
    stroke = dice.between(0.0, 0.3) * dice.noise(length) * torch.exp(-t / 0.004)
    body = torch.sin(2.0 * math.pi * phase) * torch.exp(-t / dice.ratio(0.04, 0.15))
    return (body + stroke) * _edges(length, 0.001, 0.03)


def _snare(dice: Dice) -> Tensor:
    skin = _membrane(dice, 150.0, 260.0)
    t = torch.arange(skin.size(0)) / SAMPLE_RATE
    wires = _band(dice.noise(skin.size(0)), dice.ratio(400.0, 2000.0), dice.ratio(5000.0, 10500.0))
    return 0.6 * skin + dice.between(0.3, 1.0) * wires * torch.exp(-t / dice.ratio(0.03, 0.15))


def _metal(dice: Dice, short_seconds: float, long_seconds: float) -> Tensor:
    fade = dice.ratio(short_seconds, long_seconds)
    length = round(min(1.5, 5.0 * fade) * SAMPLE_RATE)
    t = torch.arange(length) / SAMPLE_RATE
    hiss = _band(dice.noise(length), dice.ratio(2500.0, 7000.0), 10900.0)
    return dice.between(0.15, 0.5) * hiss * torch.exp(-t / fade) * _edges(length, 0.0005, 0.01)


def _band(sound: Tensor, low_hz: float, high_hz: float) -> Tensor:
    """Only what lies between two frequencies, at unit RMS."""
    hertz = torch.fft.rfftfreq(sound.size(0), 1.0 / SAMPLE_RATE)
    shape = 1.0 / (1.0 + (low_hz / hertz.clamp(min=1.0)) ** 6) / (1.0 + (hertz / high_hz) ** 6)
    kept = torch.fft.irfft(torch.fft.rfft(sound) * shape, n=sound.size(0))
    return kept / kept.square().mean().sqrt().clamp(min=1e-6)


def _room(dice: Dice, sound: Tensor) -> Tensor:
    """With some of its echo in a room of noise that dies away, or as it is."""
    if dice.chance(0.5):
        return sound
    seconds = dice.ratio(0.1, 0.6)
    t = torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = dice.noise(t.size(0)) * torch.exp(-6.9 * t / seconds)
    echo = echo * dice.between(0.05, 0.5) / echo.square().sum().sqrt()
    echo[0] = 1.0
    size = sound.size(0) + t.size(0)
    return torch.fft.irfft(torch.fft.rfft(sound, n=size) * torch.fft.rfft(echo, n=size), n=size)[: sound.size(0)]


def _edges(length: int, rise_seconds: float, fall_seconds: float) -> Tensor:
    n = torch.arange(length)
    rise = (n / max(1.0, rise_seconds * SAMPLE_RATE)).clamp(max=1.0)
    fall = ((length - 1 - n) / max(1.0, fall_seconds * SAMPLE_RATE)).clamp(max=1.0)
    return rise * fall


def _add(sound: Tensor, hit: Tensor, start: int) -> None:
    first = max(0, -start)
    end = min(sound.size(0), start + hit.size(0))
    if start + first < end:
        sound[start + first : end] += hit[first : end - start]


def _level(sound: Tensor) -> Tensor:
    return 0.1 * sound / sound.square().mean().sqrt().clamp(min=1e-6)
