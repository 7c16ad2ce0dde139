"""What a quantised model is judged by: audio at its own rate, and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neutone_like.artifact.writing.working_copy import faithful_copy
from neutone_like.errors import AudioError, ModelError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.optimise.comparing import quality
from neutone_like.optimise.measures.spectrum import LEAST_SAMPLES
from neutone_like.optimise.measures.waveform import error_to_signal_ratio
from neutone_like.optimise.quality_report import QualityReport
from neutone_like.optimise.sounds import Recording, outputs, read_sounds

DEFAULT_RATE_HZ = 48000
_NOISE_SECONDS = 1.0
_QUIETEST = 0.01  # -40 dB: what noise begins at, and a level below which audio calibrates nothing


def calibration_audio(model: Any, audio: Any, sample_rate: int | None) -> list[Recording]:
    """The audio that was given, or noise that rises from -40 dB to full scale; none where nothing could play it.

    Raises:
        AudioError: It has another rate than the model, is too short, or silent.
    """
    is_live = isinstance(model, WaveformToWaveformBase)
    rates = model.sample_rates if is_live else ()
    if audio is not None:
        recordings = read_sounds(audio, sample_rate, "audio")
    else:
        rate = sample_rate or next(iter(rates), DEFAULT_RATE_HZ)
        recordings = [_noise(model.in_channels, rate)] if is_live else []
    for each in recordings:
        _require_usable(each, tuple(rates))
    return recordings


def _noise(channels: int, rate: int) -> Recording:
    samples = round(_NOISE_SECONDS * rate)
    level = _QUIETEST ** np.linspace(1.0, 0.0, samples)
    noise = level * np.random.default_rng(0).uniform(-1.0, 1.0, (channels, samples))
    return Recording("noise from -40 to 0 dB", noise.astype(np.float32), rate)


def _require_usable(recording: Recording, rates: tuple[int, ...]) -> None:
    name = recording.name
    if rates and recording.sample_rate not in rates:
        raise AudioError(
            f"{name}: expected audio at a rate of the model, {' or '.join(map(str, rates))} Hz, got "
            f"{recording.sample_rate} Hz. Convert it first."
        )
    if recording.samples.shape[1] < LEAST_SAMPLES:
        raise AudioError(f"{name}: expected at least {LEAST_SAMPLES} samples, got {recording.samples.shape[1]}.")
    peak = float(np.abs(recording.samples).max(initial=0.0))
    if peak < 1e-4:
        raise AudioError(
            f"{name}: the audio is silent (its peak is {peak:.2g}), and silence tells nothing of what bits cost. "
            "Choose audio of the kind and the level that the model is played with."
        )


@dataclass(frozen=True)
class Judge:
    """The audio, what the original makes of it, and what it should be.

    Attributes:
        audio: Of one rate; may be none.
        reference: What the original makes of it.
        target: What it should be, where that is known.
    """

    audio: tuple[Recording, ...]
    reference: tuple[Recording, ...]
    target: tuple[Recording, ...] | None

    @classmethod
    def of(cls, original: Any, audio: Sequence[Recording], target: Any) -> "Judge":
        """Play the original.

        Raises:
            ModelError, AudioError: It does not play, or gives what is not finite; a target that does not fit.
        """
        rates = {each.sample_rate for each in audio}
        if len(rates) > 1:
            raise AudioError(f"audio: expected sounds of one rate, got {sorted(rates)} Hz.")
        if target is None:
            return cls(tuple(audio), _played(original, audio), None)
        wanted = tuple(read_sounds(target, audio[0].sample_rate if audio else None, "target"))
        if len(wanted) != len(audio):
            raise AudioError(f"target: expected a sound for each of {len(audio)} in audio, got {len(wanted)}.")
        return cls(tuple(audio), _played(original, audio), wanted)

    def played(self, model: Any) -> tuple[Recording, ...]:
        """What another model makes of the same audio."""
        return _played(model, self.audio)

    def played_at_full_scale(self, model: Any) -> None:
        """Play a model as loud as sound may be: the audio, each with its peak at 1."""
        peaks = [float(np.abs(each.samples).max()) for each in self.audio]
        loud = [replace(each, samples=each.samples / peak) for each, peak in zip(self.audio, peaks, strict=True)]
        _played(model, loud)

    def error(self, model: Any) -> float:
        """Error-to-signal ratio against the original.

        Raises:
            AudioError: There is nothing to play, or silence comes out.
        """
        if not self.audio:
            raise AudioError('error_limit is about what the model makes of sound: pass audio, such as audio="in.wav".')
        return _error_ratio(self.reference, self.played(model))

    def target_error(self, made: Sequence[Recording]) -> float | None:
        """Error-to-signal ratio against the target; ``None`` without one."""
        return None if self.target is None else _error_ratio(self.target, made)

    def quality(self, made: Sequence[Recording]) -> QualityReport | None:
        """How far what was made is from the original; ``None`` where nothing was played."""
        if not self.audio:
            return None
        pair = ([each.samples for each in side] for side in (self.reference, made))
        return quality(*pair, sample_rate=self.audio[0].sample_rate)


def at_rest(model: Any) -> Any:
    """A live model, which a render sets back and leaves as it was, or a copy of a network, which may keep a state."""
    return model if isinstance(model, WaveformToWaveformBase) else faithful_copy(model)


def _played(model: Any, audio: Sequence[Recording]) -> tuple[Recording, ...]:
    with torch.inference_mode():
        return tuple(outputs(at_rest(model), list(audio), None, type(model).__name__))


def _error_ratio(reference: Sequence[Recording], candidate: Sequence[Recording]) -> float:
    """Error-to-signal ratio, mean over the sounds.

    Raises:
        AudioError: A reference is silent.
        ModelError: They have other shapes.
    """
    errors: list[float] = []
    for one, other in zip(reference, candidate, strict=True):
        if one.samples.shape != other.samples.shape:
            raise ModelError(
                f"{one.name}: expected {one.samples.shape} (channels, samples), as its reference has, got "
                f"{other.samples.shape}."
            )
        if not one.samples.any():
            raise AudioError(
                f"{one.name}: what the model makes of it is silent, and nothing can be measured relative to silence."
            )
        errors.append(error_to_signal_ratio(one.samples.astype(np.float64), other.samples.astype(np.float64)))
    return float(np.mean(errors))
