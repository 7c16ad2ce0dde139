"""How far a student's output is from its teacher's, as training sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_fields
from neutone_like.errors import ModelError, ParameterError
from neutone_like.numbers import real_number

PRE_EMPHASIS = 0.85
_WINDOWS = (128, 512, 2048)

Features = Callable[[Tensor], Tensor]


@checked_fields(ParameterError)
@dataclass(frozen=True)
class Losses:
    """A sum of distances, each relative to the teacher's output, window by window.

    Attributes:
        pre_emphasised: Weight of the error-to-signal ratio after ``y[n] - 0.85 y[n - 1]``, beside 1 for that of the
            output itself (Wright and Valimaki, "Perceptual Loss Function for Neural Modelling of Audio Systems", 2020).
        spectrum: Weight of the distance of magnitudes at several resolutions.
        features: A function of ``[batch, channels, N]`` whose results are compared too, such as a network's embedding.
        feature_weight: Weight of their relative squared distance.
        floor: Energy of a sample below which a window counts for less, so that silence does not count for everything.
    """

    pre_emphasised: float = 0.5
    spectrum: float = 0.0
    features: Features | None = None
    feature_weight: float = 0.1
    floor: float = 1e-9

    def __post_init__(self) -> None:
        for name in ("pre_emphasised", "spectrum", "feature_weight", "floor"):
            real_number(getattr(self, name), name, 0.0, 1e6, error=ParameterError)

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """One number for ``[batch, channels, N]`` each."""
        total = _relative(output, target, self.floor)
        if self.pre_emphasised:
            total = total + self.pre_emphasised * _relative(_sharp(output), _sharp(target), self.floor)
        if self.spectrum:
            total = total + self.spectrum * _spectral(output, target)
        if self.features is not None:
            total = total + self.feature_weight * self._of_features(self.features, output, target)
        return total

    def _of_features(self, features: Features, output: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted: Any = features(target)
        found: Any = features(output)
        if not isinstance(found, Tensor) or found.shape != wanted.shape or not found.requires_grad:
            raise ModelError(
                "features must be a function of a tensor [batch, channels, N] that gives a tensor through which "
                f"gradients flow, got {type(found).__name__}."
            )
        return (found - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


def _sharp(x: Tensor) -> Tensor:
    return x[..., 1:] - PRE_EMPHASIS * x[..., :-1]


def _relative(output: Tensor, target: Tensor, floor: float) -> Tensor:
    """Mean over the batch of the error-to-signal ratio."""
    error = (output - target).square().mean(dim=(1, 2))
    return (error / (target.square().mean(dim=(1, 2)) + floor)).mean()


def _spectral(output: Tensor, target: Tensor) -> Tensor:
    """Of magnitudes: relative distance, and the mean distance of their logarithms (Yamamoto et al., 2020)."""
    total = output.new_zeros(())
    sizes = [each for each in _WINDOWS if each <= output.size(-1)]
    for size in sizes:
        found, wanted = (_magnitudes(x, size) for x in (output, target))
        energy = wanted.square().sum(dim=(1, 2)).clamp(min=1e-8)
        total = total + ((found - wanted).square().sum(dim=(1, 2)) / energy).sqrt().mean()
        total = total + (found.log() - wanted.log()).abs().mean()
    return total / max(1, len(sizes))


def _magnitudes(x: Tensor, size: int) -> Tensor:
    window = torch.hann_window(size, device=x.device)
    spectrum = torch.stft(x.flatten(0, 1), size, size // 4, window=window, center=False, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square() + 1e-7).sqrt()
