"""A sampler is a table: what each step takes of the point, of the data that the network saw, and of new noise.

Every sampler here is ``x' = a x + b data + c data_before + d noise``, and so is the way from a prediction to the data
that it means. The numbers depend on the times alone: they are computed once, in float64, and travel with a model as
attributes that TorchScript and compiled models take as constants. Each step calls the network once.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError, ParameterError
from neutone_like.numbers import whole_number
from neutone_like.optimise.diffusion.process import Diffusion


@dataclass(frozen=True)
class Step:
    """One row of the table.

    Attributes:
        time: When the network is called.
        data_of_point, data_of_prediction: The data that a prediction means.
        point, data, data_before, noise: What the next point is made of.
    """

    time: float
    data_of_point: float
    data_of_prediction: float
    point: float
    data: float
    data_before: float = 0.0
    noise: float = 0.0


class Sampler(nn.Module):
    """The steps of a sampler, for TorchScript and for :func:`sample`.

    In a model, whose constructor has ``self.sampler = dpm_solver(diffusion, 4)``::

        data = torch.zeros_like(point)
        for step in range(self.sampler.steps):
            before = data
            prediction = self.model(point, self.sampler.time(step))
            data = self.sampler.data(step, point, prediction)
            point = self.sampler.next(step, point, data, before)

    Attributes:
        steps: How many, each of which calls the network once.
        needs_noise: Whether :meth:`next` must be given noise.
    """

    @checked_arguments(ParameterError)
    def __init__(self, steps: list[Step], end_time: float) -> None:
        super().__init__()
        self.steps: int = len(steps)
        self.end_time: float = end_time
        self.needs_noise: bool = any(step.noise != 0.0 for step in steps)
        self.rows: list[list[float]] = [list(astuple(step)) for step in steps]

    @torch.jit.export
    def time(self, step: int) -> float:
        """When step ``step`` calls the network."""
        if not is_scripting():
            self._require_step(step)
        return self.rows[step][0]

    @torch.jit.export
    def data(self, step: int, point: Tensor, prediction: Tensor) -> Tensor:
        """The data that a prediction at this step means."""
        if not is_scripting():
            self._require_step(step, point, prediction)
        row = self.rows[step]
        return row[1] * point + row[2] * prediction

    @torch.jit.export
    def next(self, step: int, point: Tensor, data: Tensor, before: Tensor) -> Tensor:
        """The next point, from this one, the data here and at the step before, without the noise."""
        if not is_scripting():
            self._require_step(step, point, data, before)
        row = self.rows[step]
        following = row[3] * point + row[4] * data
        if row[5] != 0.0:
            following = following + row[5] * before
        return following

    @torch.jit.export
    def noise_level(self, step: int) -> float:
        """How much new noise of standard deviation 1 is added to the next point."""
        if not is_scripting():
            self._require_step(step)
        return self.rows[step][6]

    def _require_step(self, step: object, *tensors: Any) -> None:
        """Raises ParameterError for a step that is not there, and for what are no tensors of one shape."""
        whole_number(step, "step", 0, self.steps - 1, error=ParameterError)
        if any(not isinstance(each, Tensor) or each.shape != tensors[0].shape for each in tensors):
            came = [str(list(each.shape)) if isinstance(each, Tensor) else f"{each!r:.100}" for each in tensors]
            raise ParameterError(f"Expected tensors [batch, ...] of one shape, got {', '.join(came)}.")
        if any(each.device != tensors[0].device for each in tensors):
            raise ParameterError("Expected tensors on one device.")

    def extra_repr(self) -> str:
        return f"steps={self.steps}, needs_noise={self.needs_noise}"


Network = Callable[..., Tensor]


@checked_arguments(ParameterError)
@torch.no_grad()
def sample(
    network: Network,
    sampler: Sampler,
    start: Tensor,
    *conditions: Tensor,
    generator: torch.Generator | None = None,
    noise: Callable[[int], Tensor] | None = None,
) -> Tensor:
    """Go all the steps from noise to data.

    Args:
        network: Called as ``network(point, time, *conditions)`` with ``point`` like ``start`` and ``time`` ``[batch]``.
        sampler: The steps, such as ``dpm_solver(Diffusion(), 8)``.
        start: ``[batch, ...]``: noise of standard deviation 1, or whatever lies at the noisy end.
        conditions: Passed on to the network.
        generator: Draws the noise of samplers that add some; the same seed gives the same result.
        noise: Instead of that: a function of the step that returns noise like ``start``.

    Returns:
        The point at ``sampler.end_time``, like ``start``.

    Raises:
        ParameterError: A sampler that adds noise, and neither ``generator`` nor ``noise``.
        ModelError: The network returned another shape, or numbers that are not finite.
    """
    if start.dim() == 0 or start.is_meta or not (start.is_floating_point() or start.is_complex()):
        raise ParameterError(
            f"start must be a floating-point tensor [batch, ...], got {start.dtype} of shape {tuple(start.shape)} on "
            f"{start.device}."
        )
    if sampler.needs_noise and generator is None and noise is None:
        raise ParameterError(
            "This sampler adds noise at each step: pass generator=torch.Generator().manual_seed(...), or noise=."
        )

    def predict(step: int, point: Tensor, time: Tensor) -> Tensor:
        prediction = network(point, time, *conditions)
        _check(prediction, start, step)
        return prediction

    return all_steps(predict, sampler, start, lambda step: _noise(step, start, generator, noise))


def all_steps(
    predict: Callable[[int, Tensor, Tensor], Tensor], sampler: Sampler, start: Tensor, noise: Callable[[int], Tensor]
) -> Tensor:
    """As :func:`sample`, of ``predict(step, point, time)``; gradients go through all steps."""
    point, data = start, torch.zeros_like(start)
    for step in range(sampler.steps):
        before = data
        time = torch.full((start.size(0),), sampler.time(step), dtype=start.real.dtype, device=start.device)
        data = sampler.data(step, point, predict(step, point, time))
        point = sampler.next(step, point, data, before)
        if sampler.noise_level(step) != 0.0:
            point = point + sampler.noise_level(step) * noise(step)
    return point


def steps_of(diffusion: Diffusion, times: list[float]) -> list[Step]:
    """A step from each time to the next that goes along the straight line to the data (DDIM).

    Raises:
        ParameterError: The network's predictions mean nothing at one of them.
    """
    alphas, sigmas = (
        amount.tolist() for amount in diffusion.schedule.amounts(torch.tensor(times, dtype=torch.float64))
    )
    found: list[Step] = []
    for index, time in enumerate(times[:-1]):
        alpha, sigma = alphas[index], sigmas[index]
        if diffusion.prediction == "noise" and alpha == 0.0:
            raise ParameterError(
                f"At time {time} there is no data in a point, so that a prediction of the noise tells nothing of it. "
                'Give the schedule an earlier noisy_end, such as 0.998, or train with prediction="v".'
            )
        weights = diffusion.data_weights(*torch.tensor([alpha, sigma], dtype=torch.float64))
        ratio = sigmas[index + 1] / sigma
        found.append(
            Step(time, float(weights[0]), float(weights[1]), point=ratio, data=alphas[index + 1] - ratio * alpha)
        )
    return found


def _noise(
    step: int, start: Tensor, generator: torch.Generator | None, given: Callable[[int], Tensor] | None
) -> Tensor:
    """What was given, or drawn on the generator's device, so that a seed means the same noise on each."""
    if given is not None:
        return given(step)
    device = generator.device if generator is not None else start.device
    return torch.randn(start.shape, dtype=start.dtype, device=device, generator=generator).to(start.device)


def _check(prediction: Any, start: Tensor, step: int) -> None:
    came = tuple(prediction.shape) if isinstance(prediction, Tensor) else type(prediction).__name__
    if came != tuple(start.shape):
        raise ModelError(
            f"The network must return one prediction for each element of a point, {tuple(start.shape)}, got "
            f"{came} at step {step}."
        )
    if not bool(torch.isfinite(prediction).all()):
        raise ModelError(
            f"The network's prediction at step {step} is not finite everywhere. Is it trained for this schedule and "
            "for its ends?"
        )
