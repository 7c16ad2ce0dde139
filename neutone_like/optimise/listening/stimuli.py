"""The sounds of a listening test: all of one item equally scaled, as WAV inside the page."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

import numpy as np
import soundfile

from neutone_like.errors import AudioError
from neutone_like.optimise.sounds import Recording
from neutone_like.render.audio_arrays import Audio
from neutone_like.uninterrupted import uninterrupted

REFERENCE = "reference"
ANCHOR = "low anchor"
ANCHOR_HZ = 3500.0  # as in ITU-R BS.1534
MOST_SECONDS = 60.0
_TRANSITION_HZ = 500.0


@dataclass(frozen=True)
class Item:
    """One sound of the test: WAV files in base64 by label, and the gain that all of them were given."""

    name: str
    gain_db: float
    sounds: Mapping[str, str]


def make_item(reference: Recording, candidates: Mapping[str, Recording]) -> Item:
    """Reference, candidates and a low-passed anchor; made softer together where one would clip.

    Raises:
        AudioError: Longer than a minute.
    """
    if reference.seconds > MOST_SECONDS:
        raise AudioError(
            f"{reference.name}: a listening test takes sounds of up to {MOST_SECONDS:g} s, got "
            f"{reference.seconds:.1f} s. Cut out some ten seconds: nobody compares longer ones."
        )
    sounds = {REFERENCE: reference.samples, **{label: each.samples for label, each in candidates.items()}}
    if reference.sample_rate > 2.0 * (ANCHOR_HZ + _TRANSITION_HZ):
        sounds[ANCHOR] = low_passed(reference.samples, reference.sample_rate)
    peak = max(float(np.abs(each).max()) for each in sounds.values())
    gain = min(1.0, 0.999 / peak)
    wavs = {label: _wav(gain * samples, reference.sample_rate) for label, samples in sounds.items()}
    return Item(reference.name, 20.0 * log10(gain), wavs)


def low_passed(x: Audio, sample_rate: int) -> Audio:
    """Only what is below 3.5 kHz, with a soft edge of 500 Hz."""
    samples = x.shape[1]
    size = 2 * samples  # so that the end does not ring into the beginning
    hertz = np.fft.rfftfreq(size, 1.0 / sample_rate)
    edge = np.clip((hertz - ANCHOR_HZ) / _TRANSITION_HZ, 0.0, 1.0)
    filtered = np.fft.irfft(np.fft.rfft(x, size) * (0.5 + 0.5 * np.cos(np.pi * edge)), size)
    return filtered[:, :samples].astype(np.float32)


def _wav(samples: Audio, sample_rate: int) -> str:
    file = io.BytesIO()
    uninterrupted(lambda: soundfile.write(file, samples.T, sample_rate, format="WAV", subtype="PCM_24"))
    return base64.b64encode(file.getvalue()).decode()
