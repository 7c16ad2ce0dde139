"""What a network is asked for: to denoise, to do two steps of a teacher in one, or to say everywhere the same data."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neutone_like.errors import ParameterError
from neutone_like.optimise.diffusion.process import Diffusion
from neutone_like.optimise.diffusion.sampler import Network, Sampler, all_steps

Draw = Callable[[torch.Generator], tuple[Tensor, ...]]
"""Draws a batch: ``(data, noise, *conditions)``, each ``[batch, ...]``.

Noise has standard deviation 1, or is whatever lies at the noisy end. Conditions are passed on to the network.
"""

Loss = Callable[[Network, tuple[Tensor, ...], torch.Generator], Tensor]
"""Of a network on a drawn batch; draws its times from the generator."""


@dataclass(frozen=True)
class Denoising:
    """Predict what the diffusion predicts, at times drawn evenly between its ends: the mean squared error."""

    diffusion: Diffusion

    def __call__(self, network: Network, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        data, noise, *conditions = batch
        schedule = self.diffusion.schedule
        drawn = torch.rand(data.size(0), generator=generator).to(data.device)
        time = schedule.clean_end + (schedule.noisy_end - schedule.clean_end) * drawn
        predicted = network(self.diffusion.point(data, noise, time), time, *conditions)
        return _power(predicted - self.diffusion.target(data, noise, time)).mean()


@dataclass(frozen=True)
class TwoStepsInOne:
    """One step of the student ends where two DDIM steps of the teacher do (Salimans and Ho, 2022, algorithm 2).

    Attributes:
        teacher: Good in twice as many steps.
        times: Of the student's steps, evenly in time, from the noisy end to the clean one.
    """

    diffusion: Diffusion
    teacher: Network
    times: tuple[float, ...]

    def __call__(self, network: Network, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        data, noise, *conditions = batch
        time, end = _drawn_step(self.times, data, generator)
        point = self.diffusion.point(data, noise, time)
        with torch.no_grad():
            middle = 0.5 * (time + end)
            half = ddim_step(self.diffusion, self.teacher, point, time, middle, conditions)
            reached = ddim_step(self.diffusion, self.teacher, half, middle, end, conditions)
            wanted = _data_that_leads(self.diffusion, point, reached, time, end)
            alpha, sigma = (_wide(each, point) for each in self.diffusion.schedule.amounts(time))
            from_point, from_prediction = self.diffusion.data_weights(alpha, sigma)
            target = (wanted - from_point * point) / from_prediction
        return _power(network(point, time, *conditions) - target).mean()


@dataclass(frozen=True)
class WholeWay:
    """All steps of the student together end where those of the teacher do, from the same noise.

    After E. Luhman and T. Luhman, "Knowledge Distillation in Iterative Generative Models", 2021, whose student has one
    step. Gradients go through all of them, so that each makes up for what those before it left.

    Attributes:
        few, many: The steps of the student and of the teacher; neither adds noise.
    """

    diffusion: Diffusion
    teacher: Network
    few: Sampler
    many: Sampler

    @property
    def times(self) -> str:
        """Of all steps."""
        return f"{self.few.rows} {self.many.rows}"

    def __call__(self, network: Network, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        _, noise, *conditions = batch

        def played(whose: Network, sampler: Sampler) -> Tensor:
            return all_steps(lambda step, point, time: whose(point, time, *conditions), sampler, noise, _no_noise)

        with torch.no_grad():
            wanted = played(self.teacher, self.many)
        return _power(played(network, self.few) - wanted).mean()


@dataclass(frozen=True)
class SameData:
    """Neighbours on one way lead to the same data: a consistency loss (Y. Song et al., "Consistency Models", 2023).

    The cleaner point is where the teacher's DDIM step leads (distillation), or, without a teacher, the mix of the same
    data and noise at that time (training). The network's own answer there is what its answer here is compared with, by
    a pseudo-Huber distance (Y. Song and P. Dhariwal, "Improved Techniques for Training Consistency Models", 2024). At
    the clean end the answer is the point itself.
    """

    diffusion: Diffusion
    times: tuple[float, ...]
    teacher: Network | None = None

    def __call__(self, network: Network, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        data, noise, *conditions = batch
        time, end = _drawn_step(self.times, data, generator)
        point = self.diffusion.point(data, noise, time)
        with torch.no_grad():
            if self.teacher is None:
                cleaner = self.diffusion.point(data, noise, end)
            else:
                cleaner = ddim_step(self.diffusion, self.teacher, point, time, end, conditions)
            # A network may not take the clean end, where sigma may be 0: it isn't asked there.
            asked = torch.where(end > self.times[-1], end, time)
            answer = self.diffusion.data(cleaner, network(cleaner, asked, *conditions), asked)
            answer = torch.where(_wide(end > self.times[-1], point), answer, cleaner)
        found = self.diffusion.data(point, network(point, time, *conditions), time)
        small = 0.00054 * math.sqrt(found[0].numel())
        distance = _power(found - answer).flatten(1).sum(1)
        return ((distance + small**2).sqrt() - small).mean() / math.sqrt(found[0].numel())


def _no_noise(step: int) -> Tensor:
    raise ParameterError(f"Step {step} adds noise: only ways without it can be compared, such as ddim or dpm_solver.")


def ddim_step(
    diffusion: Diffusion, network: Network, point: Tensor, time: Tensor, end: Tensor, conditions: list[Tensor]
) -> Tensor:
    """From ``time`` to ``end``, each ``[batch]``."""
    data = diffusion.data(point, network(point, time, *conditions), time)
    alpha, sigma = (_wide(each, point) for each in diffusion.schedule.amounts(time))
    alpha_end, sigma_end = (_wide(each, point) for each in diffusion.schedule.amounts(end))
    return alpha_end * data + sigma_end / sigma * (point - alpha * data)


def _data_that_leads(diffusion: Diffusion, point: Tensor, reached: Tensor, time: Tensor, end: Tensor) -> Tensor:
    """The data with which one DDIM step from ``point`` ends in ``reached``."""
    alpha, sigma = (_wide(each, point) for each in diffusion.schedule.amounts(time))
    alpha_end, sigma_end = (_wide(each, point) for each in diffusion.schedule.amounts(end))
    ratio = sigma_end / sigma
    return (reached - ratio * point) / (alpha_end - ratio * alpha)


def _drawn_step(times: tuple[float, ...], data: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A step for each of the batch: when it begins and ends."""
    chosen = torch.randint(len(times) - 1, (data.size(0),), generator=generator)
    table = torch.tensor(times)
    return table[chosen].to(data.device), table[chosen + 1].to(data.device)


def _power(error: Tensor) -> Tensor:
    return error.abs().square()


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape((-1,) + (1,) * (like.dim() - 1))
