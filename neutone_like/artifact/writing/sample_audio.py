"""A guitar riff and a drum loop made by arithmetic: what samples and demos play, the same on every machine.

Nothing here draws from a random number generator: strings and drums are sums of damped partials, and noise comes from
an integer hash. Partials stop well below half the sample rate, so that nothing aliases and every rate sounds alike.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from neutone_like.errors import AudioError
from neutone_like.numbers import as_finite_number, whole_number

BEAT_SECONDS = 0.5  # 120 beats a minute
LOOP_BEATS = 8

STRING_CUTOFF_HZ = 5000.0  # a guitar's pickup gives little above
HIGHEST_SHARE_OF_RATE = 0.45


@dataclass(frozen=True)
class Strum:
    """Strings plucked together. Times are in beats; notes are MIDI numbers (69 is 440 Hz)."""

    start_beats: float
    notes: tuple[int, ...]
    length_beats: float
    velocity: float = 1.0
    muted: bool = False


RIFF = (
    Strum(0.0, (40, 47, 52), 1.0),
    Strum(1.0, (40,), 0.5, 0.8, muted=True),
    Strum(1.5, (40,), 0.5, 0.8, muted=True),
    Strum(2.0, (43, 50, 55), 0.75),
    Strum(2.75, (45, 52, 57), 1.25),
    Strum(4.0, (52,), 0.5),
    Strum(4.5, (55,), 0.5, 0.9),
    Strum(5.0, (57,), 0.5),
    Strum(5.5, (58,), 0.25, 0.9),
    Strum(5.75, (57,), 0.75),
    Strum(6.5, (55,), 0.5, 0.8),
    Strum(7.0, (40, 47, 52), 1.0),
)

KICK_BEATS = (0.0, 1.5, 2.5, 4.0, 5.5, 6.0)
SNARE_BEATS = (1.0, 3.0, 5.0, 7.0, 7.75)
HAT_BEATS = tuple(0.5 * index for index in range(2 * LOOP_BEATS))


def guitar_riff(sample_rate: int, seconds: float = 4.0) -> Tensor:
    """An electric guitar's riff in E minor, clean, as it leaves the pickup; it repeats every four seconds.

    Returns:
        float32 ``[1, N]``, ``N = round(seconds * sample_rate)``, peak below -1 dBFS.

    Raises:
        AudioError: ``sample_rate`` or ``seconds`` is not usable.
    """
    return play_strums(RIFF, sample_rate, seconds)


def play_strums(strums: tuple[Strum, ...], sample_rate: int, seconds: float) -> Tensor:
    """Any other riff on the same guitar, repeated every :data:`LOOP_BEATS` beats; as :func:`guitar_riff`."""
    total = _length(sample_rate, seconds)
    hits: list[tuple[float, Tensor]] = []
    for strum in strums:
        strings = [
            strum.velocity * pluck(note_hz(note), sample_rate, strum.length_beats * BEAT_SECONDS, muted=strum.muted)
            for note in strum.notes
        ]
        # A plectrum takes time to cross the strings.
        hits += [(strum.start_beats * BEAT_SECONDS + 0.008 * order, tone) for order, tone in enumerate(strings)]
    return (0.245 * _place(hits, sample_rate, total)).to(torch.float32).unsqueeze(0)


def drum_loop(sample_rate: int, seconds: float = 4.0) -> Tensor:
    """Kick in the middle, snare a little left, hats to the right; it repeats every four seconds.

    Returns:
        float32 ``[2, N]``, ``N = round(seconds * sample_rate)``, peak below -1 dBFS.

    Raises:
        AudioError: ``sample_rate`` or ``seconds`` is not usable.
    """
    total = _length(sample_rate, seconds)
    kick, snare, hat = _kick(sample_rate), _snare(sample_rate), _hat(sample_rate)
    hits = [(beat * BEAT_SECONDS, _pan(kick, 0.5)) for beat in KICK_BEATS]
    hits += [(beat * BEAT_SECONDS, _pan(snare, 0.4)) for beat in SNARE_BEATS]
    for index, beat in enumerate(HAT_BEATS):
        hits.append((beat * BEAT_SECONDS, _pan(hat * (0.6 if index % 2 else 1.0), 0.7)))
    return (0.95 * _place(hits, sample_rate, total)).to(torch.float32)


SAMPLES: Mapping[str, Callable[[int, float], Tensor]] = MappingProxyType(
    {"guitar_riff": guitar_riff, "drum_loop": drum_loop}
)
SAMPLE_NAMES = tuple(SAMPLES)


def note_hz(note: float) -> float:
    """Frequency of a MIDI note number, equal temperament, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((note - 69.0) / 12.0)


def pluck(frequency_hz: float, sample_rate: int, seconds: float, *, muted: bool = False) -> Tensor:
    """One plucked string, ended by the hand after ``seconds``: float64 ``[N]``, its peak near 1.

    An ideal string plucked at a share ``p`` of its length has partials of velocity ``sin(pi k p) / k`` (Fletcher and
    Rossing, The Physics of Musical Instruments, 2.7); losses grow with the square of the partial's number.
    """
    limit = min(STRING_CUTOFF_HZ, HIGHEST_SHARE_OF_RATE * sample_rate)
    k = torch.arange(1, max(2, int(limit / frequency_hz) + 1), dtype=torch.float64)
    level = torch.sin(math.pi * 0.22 * k) / k * torch.exp(-0.6 * (k * frequency_hz / 2500.0) ** 2)
    loss_per_second = (9.0 if muted else 1.2) + (0.08 if muted else 0.012) * k**2
    tone = _damped_partials(level, k * frequency_hz, loss_per_second, sample_rate, seconds)
    return tone * _edges(tone.numel(), sample_rate, rise_seconds=0.0015, fall_seconds=0.015)


def _length(sample_rate: int, seconds: float) -> int:
    rate = whole_number(sample_rate, "sample_rate", 1000, 384_000, unit="Hz", error=AudioError)
    length = as_finite_number(seconds)
    if length is None or round(length * rate) < 1:
        raise AudioError(f"seconds: expected a length of at least one sample, got {seconds!r}.")
    return round(length * rate)


def _damped_partials(
    level: Tensor, frequency_hz: Tensor, loss_per_second: Tensor, sample_rate: int, seconds: float
) -> Tensor:
    """Sum of ``level * sin(2 pi f t) * exp(-loss t)``, ``[N]``.

    ``exp(s (b B + o)) = exp(s b B) exp(s o)`` turns N x K sines into two small tables and one matrix product.
    """
    total = max(1, round(seconds * sample_rate))
    block = max(1, math.isqrt(total))
    pole = torch.complex(-loss_per_second, 2.0 * math.pi * frequency_hz) / sample_rate
    starts = torch.arange(0, total, block, dtype=torch.float64)
    offsets = torch.arange(block, dtype=torch.float64)
    table = (level * torch.exp(starts[:, None] * pole)) @ torch.exp(pole[:, None] * offsets)
    return table.imag.reshape(-1)[:total].clone()


def _edges(total: int, sample_rate: int, *, rise_seconds: float, fall_seconds: float) -> Tensor:
    """Raised-cosine fades at both ends, ``[total]``."""
    n = torch.arange(total, dtype=torch.float64)
    rise = (n / max(1.0, rise_seconds * sample_rate)).clamp(max=1.0)
    fall = ((total - 1 - n) / max(1.0, fall_seconds * sample_rate)).clamp(max=1.0)
    return (0.5 - 0.5 * torch.cos(math.pi * rise)) * (0.5 - 0.5 * torch.cos(math.pi * fall))


def _kick(sample_rate: int) -> Tensor:
    """A sine that falls from 180 to 50 Hz: the phase is the integral of that sweep."""
    t = torch.arange(round(0.35 * sample_rate), dtype=torch.float64) / sample_rate
    sweep_seconds = 0.035
    phase = 2.0 * math.pi * (50.0 * t + 130.0 * sweep_seconds * (1.0 - torch.exp(-t / sweep_seconds)))
    fades = _edges(t.numel(), sample_rate, rise_seconds=0.001, fall_seconds=0.05)
    return 0.9 * torch.sin(phase) * torch.exp(-t / 0.12) * fades


def _snare(sample_rate: int) -> Tensor:
    partials = torch.tensor([[0.5, 185.0, 18.0], [0.3, 330.0, 25.0]], dtype=torch.float64).T
    skin = _damped_partials(partials[0], partials[1], partials[2], sample_rate, 0.25)
    wires = _noise(sample_rate, 0.25, lowest_hz=900.0, highest_hz=9000.0, seed=1)
    t = torch.arange(skin.numel(), dtype=torch.float64) / sample_rate
    fades = _edges(t.numel(), sample_rate, rise_seconds=0.001, fall_seconds=0.03)
    return (skin + 0.14 * wires * torch.exp(-t / 0.06)) * fades


def _hat(sample_rate: int) -> Tensor:
    hiss = _noise(sample_rate, 0.09, lowest_hz=6000.0, highest_hz=16_000.0, seed=2)
    t = torch.arange(hiss.numel(), dtype=torch.float64) / sample_rate
    fades = _edges(t.numel(), sample_rate, rise_seconds=0.0005, fall_seconds=0.02)
    return 0.09 * hiss * torch.exp(-t / 0.02) * fades


def _noise(sample_rate: int, seconds: float, *, lowest_hz: float, highest_hz: float, seed: int) -> Tensor:
    """Noise of unit variance in a band, ``[N]``: one partial of hashed phase for each bin of an inverse FFT."""
    total = round(seconds * sample_rate)
    bins = torch.arange(total // 2 + 1, dtype=torch.int64)
    hertz = bins * (sample_rate / total)
    inside = (hertz >= lowest_hz) & (hertz <= min(highest_hz, HIGHEST_SHARE_OF_RATE * sample_rate))
    spectrum = inside * torch.exp(2j * math.pi * hashed_uniform(bins, seed))
    noise = torch.fft.irfft(spectrum, n=total)
    return noise / noise.square().mean().sqrt().clamp(min=1e-12)


def hashed_uniform(index: Tensor, seed: int) -> Tensor:
    """A number in 0..1 for every integer, the same everywhere: float64, shape of ``index`` (int64).

    Multiply-and-shift rounds on 31 bits, so that no product leaves int64.
    """
    mask = (1 << 31) - 1
    mixed = (index * 0x9E3779B1 + seed * 0x85EBCA6B + 0x27D4EB2F) & mask
    for multiplier in (0x2C1B3C6D, 0x297A2D39, 0x5BD1E995):
        mixed = ((mixed ^ (mixed >> 15)) * multiplier) & mask
    return (mixed ^ (mixed >> 16)).to(torch.float64) / (mask + 1)


def _pan(mono: Tensor, position: float) -> Tensor:
    """Equal-power panning, 0 = left, 1 = right: ``[N]`` to ``[2, N]``."""
    angle = 0.5 * math.pi * position
    return torch.stack((math.cos(angle) * mono, math.sin(angle) * mono))


def _place(hits: list[tuple[float, Tensor]], sample_rate: int, total: int) -> Tensor:
    """Add every hit (start in seconds, ``[..., N]``) again and again until ``total`` samples are full."""
    shape = hits[0][1].shape[:-1] if hits else ()
    track = torch.zeros((*shape, total), dtype=torch.float64)
    loop_seconds = LOOP_BEATS * BEAT_SECONDS
    for repeat in range(math.ceil(total / (loop_seconds * sample_rate))):
        for start_seconds, hit in hits:
            start = round((repeat * loop_seconds + start_seconds) * sample_rate)
            end = min(total, start + hit.shape[-1])
            if start < end:
                track[..., start:end] += hit[..., : end - start]
    return track
