"""Sound to learn from where there is none: plucked strings, drums, sweeps and noise, at levels from -40 to 0 dB."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from neutone_like.artifact.writing.sample_audio import drum_loop, note_hz, pluck

PHRASE_SECONDS = 2.0
LOWEST_DB = -40.0
_LOWEST_NOTE, _HIGHEST_NOTE = 36, 76

Generator = Callable[[torch.Generator], Tensor]
"""Makes a phrase, ``[channels, N]`` float32, of what a generator of random numbers gives."""


def phrases(sample_rate: int, channels: int = 1, seconds: float = PHRASE_SECONDS) -> Generator:
    """The built-in generator: of ten phrases seven are plucked strings, the others drums, sweeps or noise.

    Each phrase's peak lies at a level drawn evenly from -40..0 dB, since a device that distorts is another one at each
    level.

    Args:
        sample_rate: Hz.
        channels: Of a phrase; each has a gain of its own.
        seconds: Of a phrase.
    """

    def phrase(generator: torch.Generator) -> Tensor:
        draw = _drawn(generator)
        kind = draw(0.0, 10.0)
        if kind < 7.0:
            mono = _plucks(draw, sample_rate, seconds)
        elif kind < 8.0:
            mono = _drums(draw, sample_rate, seconds)
        elif kind < 9.0:
            mono = _sweep(draw, sample_rate, seconds)
        else:
            mono = torch.randn(round(seconds * sample_rate), generator=generator)
        level = 10.0 ** (draw(LOWEST_DB, 0.0) / 20.0)
        mono = mono * (level / max(float(mono.abs().max()), 1e-9))
        gains = [1.0, *(draw(0.25, 1.0) for _ in range(channels - 1))]
        return torch.stack([gain * mono for gain in gains]).to(torch.float32)

    return phrase


def plucked_phrase(sample_rate: int, generator: torch.Generator, seconds: float = PHRASE_SECONDS) -> Tensor:
    """Plucked strings alone, their peak at -40..0 dB: ``[1, N]``."""
    draw = _drawn(generator)
    mono = _plucks(draw, sample_rate, seconds)
    level = 10.0 ** (draw(LOWEST_DB, 0.0) / 20.0)
    return (mono * (level / max(float(mono.abs().max()), 1e-9))).to(torch.float32).unsqueeze(0)


def _drawn(generator: torch.Generator) -> Callable[[float, float], float]:
    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    return draw


def _plucks(draw: Callable[[float, float], float], sample_rate: int, seconds: float) -> Tensor:
    """Notes and power chords, one after another, some muted: float64 ``[N]``."""
    total = round(seconds * sample_rate)
    track = torch.zeros(total, dtype=torch.float64)
    start = int(draw(0.0, 0.1) * sample_rate)
    while start < total:
        length_seconds = draw(0.12, 1.0)
        root = draw(_LOWEST_NOTE, _HIGHEST_NOTE)  # between the keys as well
        notes = (root, root + 7.0, root + 12.0) if draw(0.0, 1.0) < 0.35 else (root,)
        strength, muted = draw(0.2, 1.0), draw(0.0, 1.0) < 0.25
        for order, note in enumerate(notes):
            tone = strength * pluck(note_hz(note), sample_rate, length_seconds, muted=muted)
            begin = start + order * int(0.008 * sample_rate)
            end = min(total, begin + len(tone))
            if begin < end:
                track[begin:end] += tone[: end - begin]
        start += max(1, int(draw(0.5, 1.1) * length_seconds * sample_rate))
    return track


def _drums(draw: Callable[[float, float], float], sample_rate: int, seconds: float) -> Tensor:
    total = round(seconds * sample_rate)
    loop = drum_loop(sample_rate, 4.0 + seconds).mean(dim=0).double()
    begin = int(draw(0.0, 4.0) * sample_rate)
    return loop[begin : begin + total]


def _sweep(draw: Callable[[float, float], float], sample_rate: int, seconds: float) -> Tensor:
    """A sine from low to high, each octave as long as the next, while its level breathes."""
    t = torch.arange(round(seconds * sample_rate), dtype=torch.float64) / sample_rate
    low, high = draw(25.0, 100.0), draw(0.1, 0.4) * sample_rate
    octaves_per_second = math.log2(high / low) / seconds
    phase = 2.0 * math.pi * low * (2.0 ** (octaves_per_second * t) - 1.0) / (octaves_per_second * math.log(2.0))
    return torch.sin(phase) * 10.0 ** (-0.75 * (1.0 - torch.cos(2.0 * math.pi * draw(0.5, 3.0) * t)))
