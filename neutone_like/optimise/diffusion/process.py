"""A diffusion: its noise schedule, and what its network predicts."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from neutone_like.arguments import is_one_of
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.optimise.diffusion.schedule import CosineSchedule, NoiseSchedule, require_like

Prediction = Literal["v", "data", "noise"]


@dataclass(frozen=True)
class Diffusion:
    """Points ``x = alpha data + sigma noise``, and a network ``prediction = network(x, time, ...)``.

    Attributes:
        schedule: The amounts of data and noise at each time.
        prediction: What the network predicts: ``"data"`` (x0), ``"noise"`` (eps), or ``"v"``,
            ``alpha noise - sigma data`` (T. Salimans and J. Ho, "Progressive Distillation for Fast Sampling of
            Diffusion Models", 2022, appendix D).
            Few steps want ``"v"`` or ``"data"``: the data that a prediction of noise means is divided by alpha, so that
            where that is 0 nothing can be told.

    Raises:
        ParameterError: Another prediction, or no schedule.
    """

    schedule: NoiseSchedule = field(default_factory=CosineSchedule)
    prediction: Prediction = "v"

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, NoiseSchedule):
            raise ParameterError(f"schedule must be a noise schedule such as CosineSchedule(), got {self.schedule!r}.")
        if not is_one_of(self.prediction, get_args(Prediction)):
            raise ParameterError(f"prediction must be one of {get_args(Prediction)}, got {self.prediction!r}.")

    @checked_arguments(ParameterError)
    def point(self, data: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """``alpha data + sigma noise``; ``data`` and ``noise`` are ``[batch, ...]``, ``time`` is ``[batch]``."""
        alpha, sigma = self._amounts(data, noise, time)
        return alpha * data + sigma * noise

    @checked_arguments(ParameterError)
    def target(self, data: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """What the network should predict at that point."""
        alpha, sigma = self._amounts(data, noise, time)
        if self.prediction == "data":
            return data
        return noise if self.prediction == "noise" else alpha * noise - sigma * data

    @checked_arguments(ParameterError)
    def data(self, point: Tensor, prediction: Tensor, time: Tensor) -> Tensor:
        """The data that a prediction means."""
        from_point, from_prediction = self.data_weights(*self._amounts(point, prediction, time))
        return from_point * point + from_prediction * prediction

    @checked_arguments(ParameterError)
    def data_weights(self, alpha: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """``(a, b)`` for which ``a point + b prediction`` is the data."""
        require_like("alpha", alpha, sigma)
        if alpha.shape != sigma.shape:
            raise ParameterError(f"alpha and sigma need one shape, got {tuple(alpha.shape)} and {tuple(sigma.shape)}.")
        if self.prediction == "data":
            return torch.zeros_like(alpha), torch.ones_like(alpha)
        if self.prediction == "noise":
            return 1.0 / alpha, -sigma / alpha
        power = alpha.square() + sigma.square()
        return alpha / power, -sigma / power

    def _amounts(self, like: Tensor, other: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        if like.dim() == 0 or other.shape != like.shape or time.shape not in ((), (1,), like.shape[:1]):
            raise ParameterError(
                "Expected two tensors [batch, ...] of one shape and a time for each, [batch], got "
                f"{tuple(like.shape)}, {tuple(other.shape)} and {tuple(time.shape)}."
            )
        require_like("data", like, other, time)
        alpha, sigma = self.schedule.amounts(time)
        shape = (-1,) + (1,) * (like.dim() - 1)
        return alpha.reshape(shape), sigma.reshape(shape)
