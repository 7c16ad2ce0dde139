"""How much of the data and how much of the noise a point of a diffusion has, at each time.

A point at time ``t`` is ``x = alpha(t) data + sigma(t) noise``, from (nearly) data at ``clean_end`` to (nearly) noise
at ``noisy_end``. Time is continuous and lies in 0..1. The log SNR, ``log(alpha^2 / sigma^2)``, is infinite where one of
the two is 0, so that a schedule says where it starts and ends.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.numbers import as_finite_number


def require_like(name: str, first: Tensor, *others: Tensor) -> None:
    """Raises ParameterError for tensors of whole numbers, or of several devices."""
    for each in (first, *others):
        if not (each.is_floating_point() or each.is_complex()) or each.device != first.device:
            raise ParameterError(
                f"Expected floating-point tensors on one device, beside {name} of {first.dtype} on {first.device} got "
                f"{each.dtype} on {each.device}."
            )


@dataclass(frozen=True)
class NoiseSchedule(ABC):
    """Amounts of data and noise over time, and the times that are used.

    Attributes:
        clean_end, noisy_end: Sampling goes from ``noisy_end`` to ``clean_end``, training draws times between them.

    Raises:
        ParameterError: Ends that do not satisfy ``0 <= clean_end < noisy_end <= 1``.
    """

    clean_end: float = 0.002
    noisy_end: float = 0.998

    def __post_init__(self) -> None:
        ends = as_finite_number(self.clean_end), as_finite_number(self.noisy_end)
        if ends[0] is None or ends[1] is None or not 0.0 <= ends[0] < ends[1] <= 1.0:
            raise ParameterError(
                "The ends of a noise schedule must satisfy 0 <= clean_end < noisy_end <= 1, got "
                f"clean_end={self.clean_end!r}, noisy_end={self.noisy_end!r}."
            )

    @abstractmethod
    def amounts(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """``(alpha, sigma)`` at ``time``, of its shape and type."""

    @abstractmethod
    def time_of_log_snr(self, log_snr: float) -> float:
        """When ``log(alpha^2 / sigma^2)`` has this value."""


@dataclass(frozen=True)
class CosineSchedule(NoiseSchedule):
    """``alpha = cos(pi t / 2)``, ``sigma = sin(pi t / 2)`` (A. Nichol and P. Dhariwal, "Improved DDPM", 2021).

    The default ends have a log SNR of +-11.5.
    """

    @checked_arguments(ParameterError)
    def amounts(self, time: Tensor) -> tuple[Tensor, Tensor]:
        _require_real(time)
        # cos(pi / 2) in floating point is not 0 but 6e-17, which would be divided by.
        return (0.5 * math.pi * time).cos() * (time < 1.0), (0.5 * math.pi * time).sin()

    @checked_arguments(ParameterError)
    def time_of_log_snr(self, log_snr: float) -> float:
        return 2.0 / math.pi * math.atan(_exp(-0.5 * log_snr))


@dataclass(frozen=True)
class StraightSchedule(NoiseSchedule):
    """``alpha = 1 - t``, ``sigma = t``: a straight line (X. Liu et al., "Flow Straight and Fast", 2022).

    The "noise" at its end may be anything that can be drawn: a recording in noise, from which the way leads to the
    clean one (M. Albergo et al., "Stochastic Interpolants", 2023). It runs from 1 to 0 unless told otherwise, which
    suits predictions of the data.
    """

    clean_end: float = 0.0
    noisy_end: float = 1.0

    @checked_arguments(ParameterError)
    def amounts(self, time: Tensor) -> tuple[Tensor, Tensor]:
        _require_real(time)
        return 1.0 - time, time

    @checked_arguments(ParameterError)
    def time_of_log_snr(self, log_snr: float) -> float:
        return 1.0 / (1.0 + _exp(0.5 * log_snr))


@dataclass(frozen=True)
class LinearBetaSchedule(NoiseSchedule):
    """``log alpha = -t^2 (b1 - b0) / 4 - t b0 / 2``, ``alpha^2 + sigma^2 = 1``, with b0 = 0.1 and b1 = 20.

    The continuous form (Y. Song et al., "Score-Based Generative Modeling through SDEs", 2021) of the 1,000 steps of
    J. Ho et al., "Denoising Diffusion Probabilistic Models", 2020: for networks that were trained with those. Their
    step ``k`` of 0..999 is the time ``(k + 1) / 1000``.
    """

    clean_end: float = 0.001
    noisy_end: float = 1.0

    @checked_arguments(ParameterError)
    def amounts(self, time: Tensor) -> tuple[Tensor, Tensor]:
        _require_real(time)
        log_alpha = -0.25 * time.square() * (_BETA_1 - _BETA_0) - 0.5 * time * _BETA_0
        return log_alpha.exp(), (-(2.0 * log_alpha).expm1()).sqrt()

    @checked_arguments(ParameterError)
    def time_of_log_snr(self, log_snr: float) -> float:
        log_alpha = -0.5 * (max(0.0, -log_snr) + math.log1p(math.exp(-abs(log_snr))))
        return -4.0 * log_alpha / (math.sqrt(_BETA_0**2 - 4.0 * (_BETA_1 - _BETA_0) * log_alpha) + _BETA_0)


_BETA_0, _BETA_1 = 0.1, 20.0


def _exp(x: float) -> float:
    """What is beyond every float is as good as infinite here."""
    return math.exp(min(x, 700.0))


def _require_real(time: Tensor) -> None:
    if not time.is_floating_point():
        raise ParameterError(f"time must be real numbers in a floating-point tensor, got {time.dtype}.")
