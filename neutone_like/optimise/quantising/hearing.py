"""What rounding hears: the loudest seconds of the audio, at several settings of a model's knobs.

What is right at one setting may be far off at another, where other units are at work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neutone_like.errors import AudioError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.model.parameters import CategoricalParameter
from neutone_like.optimise.measures.spectrum import LEAST_SAMPLES
from neutone_like.optimise.measures.waveform import error_to_signal_ratio
from neutone_like.optimise.quantising.audio import at_rest
from neutone_like.optimise.sounds import Recording, outputs
from neutone_like.render.model_plugin import ModelPlugin

SECONDS = 10.0
"""Of all audio together."""
SETTINGS = 5
"""Of a model with parameters: the defaults, and others spread over what is possible."""
_GOLDEN = 0.6180339887498949

Made = tuple[Recording, ...]


@dataclass(frozen=True)
class Hearing:
    """The audio, the settings, and what the original makes of it at each.

    Attributes:
        audio: Of one rate.
        settings: Values by name; one that is empty for what has no parameters.
        reference: The original's, for each setting.
    """

    audio: tuple[Recording, ...]
    settings: tuple[dict[str, Any], ...]
    reference: tuple[Made, ...]

    @classmethod
    def of(cls, original: Any, audio: Sequence[Recording]) -> "Hearing":
        """Play the original."""
        heard = tuple(_loudest(each, SECONDS / len(audio)) for each in audio)
        settings = tuple(_settings(original))
        return cls(heard, settings, tuple(_played(original, heard, each) for each in settings))

    def play(self, model: Any) -> list[Made]:
        """What another model makes of it at each setting."""
        return [_played(model, self.audio, each) for each in self.settings]

    def error(self, model: Any) -> float:
        """Error-to-signal ratio, a mean over settings and sounds of which the original makes more than silence.

        Infinity where what it makes is not finite.
        """
        errors: list[float] = []
        try:
            played = self.play(model)
        except AudioError:  # it is not finite: the same audio was taken from the original
            return float("inf")
        for wanted, made in zip(self.reference, played, strict=True):
            for one, other in zip(wanted, made, strict=True):
                if one.samples.shape == other.samples.shape and one.samples.any():
                    errors.append(
                        error_to_signal_ratio(one.samples.astype(np.float64), other.samples.astype(np.float64))
                    )
        return float(np.mean(errors)) if errors else 0.0


def _loudest(recording: Recording, seconds: float) -> Recording:
    samples = max(LEAST_SAMPLES, round(seconds * recording.sample_rate))
    if recording.samples.shape[1] <= samples:
        return recording
    energy = np.concatenate(([0.0], np.square(recording.samples.astype(np.float64)).sum(0).cumsum()))
    start = int((energy[samples:] - energy[:-samples]).argmax())
    return replace(recording, samples=recording.samples[:, start : start + samples])


def _settings(model: Any) -> Iterator[dict[str, Any]]:
    yield {}
    parameters = model.parameters if isinstance(model, WaveformToWaveformBase) else ()
    for number in range(1, SETTINGS if parameters else 1):
        yield {each.name: _value(each, number, place) for place, each in enumerate(parameters)}


def _value(parameter: Any, number: int, place: int) -> Any:
    """Spread by the golden ratio; labels one after the other."""
    if isinstance(parameter, CategoricalParameter):
        return parameter.labels[number % len(parameter.labels)]
    share = (number * _GOLDEN + 0.37 * place) % 1.0
    return parameter.minimum + share * (parameter.maximum - parameter.minimum)


def _played(model: Any, audio: Sequence[Recording], values: dict[str, Any]) -> Made:
    player = at_rest(model)
    if isinstance(model, WaveformToWaveformBase):
        player = ModelPlugin(model, values, wet=1.0, dry=0.0, input_gain_db=0.0, output_gain_db=0.0)
    at = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items()
    )
    with torch.inference_mode():
        return tuple(outputs(player, list(audio), None, type(model).__name__ + f" at {at}" * bool(at)))
