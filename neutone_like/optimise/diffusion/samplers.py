"""DDPM, DDIM, DPM-Solver++ of order 2, and the steps of consistency models."""

import math
from dataclasses import replace
from typing import Any, Literal

import torch

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.numbers import real_number, whole_number
from neutone_like.optimise.diffusion.process import Diffusion
from neutone_like.optimise.diffusion.sampler import Sampler, Step, steps_of
from neutone_like.optimise.diffusion.schedule import NoiseSchedule

MOST_STEPS = 100_000
LONGEST_STEP = 2.0  # in log SNR, over the step before: what goes further than that is not extrapolated

Spacing = Literal["time", "log_snr"]


@checked_arguments(ParameterError)
def ddim(diffusion: Diffusion, steps: int, *, eta: float = 0.0, spacing: Spacing = "time") -> Sampler:
    """Along straight lines to the data: order 1 (J. Song et al., "Denoising Diffusion Implicit Models", 2021).

    Args:
        diffusion: The network's.
        steps: 1..100000.
        eta: 0..1, how much of the noise is drawn anew: 0 is the deterministic sampler, 1 is :func:`ddpm`.
        spacing: Of the times: even in ``"time"``, or in the ``"log_snr"``. Which is better depends on the network and
            on the order: measure both. Students of progressive distillation are spaced in time.

    Raises:
        ParameterError: A value out of its range, or ends that the spacing or the prediction can't have.
    """
    eta = real_number(eta, "eta", 0.0, 1.0, error=ParameterError)
    times = times_of(diffusion.schedule, steps, spacing)
    rows = steps_of(diffusion, times)
    if eta > 0.0:
        alphas, sigmas = _amounts(diffusion, times)
        rows = [_with_noise(row, eta, alphas[i : i + 2], sigmas[i : i + 2]) for i, row in enumerate(rows)]
    return Sampler(rows, times[-1])


@checked_arguments(ParameterError)
def ddpm(diffusion: Diffusion, steps: int, *, spacing: Spacing = "time") -> Sampler:
    """Draws from the posterior at each step (J. Ho et al., "Denoising Diffusion Probabilistic Models", 2020).

    Its variance is the posterior's, the smaller of the paper's two. It wants many steps. Arguments as of :func:`ddim`.
    """
    return ddim(diffusion, steps, eta=1.0, spacing=spacing)


@checked_arguments(ParameterError)
def dpm_solver(diffusion: Diffusion, steps: int, *, spacing: Spacing = "time") -> Sampler:
    """DPM-Solver++(2M): order 2, with what the step before saw (C. Lu et al., "DPM-Solver++", 2022, algorithm 2).

    The first step is of order 1, and so is one more than twice as long, in log SNR, as the step before: steps that are
    even in time grow towards the clean end. Of Gaussian mixtures the error of 10 to 32 such steps is a quarter of what
    it is by the usual rule, order 1 in the last of fewer than 10 steps. Arguments as of :func:`ddim`.
    """
    times = times_of(diffusion.schedule, steps, spacing)
    rows = steps_of(diffusion, times)
    alphas, sigmas = _amounts(diffusion, times)
    lambdas = [_log_ratio(alpha, sigma) for alpha, sigma in zip(alphas, sigmas, strict=True)]
    for index in range(1, len(rows)):
        size, size_before = lambdas[index + 1] - lambdas[index], lambdas[index] - lambdas[index - 1]
        if math.isinf(size) or size > LONGEST_STEP * size_before:
            continue
        further = 0.5 * size / size_before  # 0 after a step that came from infinitely far
        data = rows[index].data
        rows[index] = replace(rows[index], data=(1.0 + further) * data, data_before=-further * data)
    return Sampler(rows, times[-1])


@checked_arguments(ParameterError)
def consistency(diffusion: Diffusion, steps: int, *, spacing: Spacing = "time") -> Sampler:
    """Straight to the data, and back to the next time with new noise (Y. Song et al., "Consistency Models", 2023).

    For networks that consistency training or distillation made. With one step it is that of :func:`ddim` to a time
    without noise. Arguments as of :func:`ddim`.
    """
    times = times_of(diffusion.schedule, steps, spacing)
    alphas, sigmas = _amounts(diffusion, times)
    rows = [
        replace(row, point=0.0, data=alphas[index + 1], noise=sigmas[index + 1])
        for index, row in enumerate(steps_of(diffusion, times))
    ]
    rows[-1] = replace(rows[-1], data=1.0, noise=0.0)
    return Sampler(rows, 0.0)


def times_of(schedule: NoiseSchedule, steps: Any, spacing: Any = "time") -> list[float]:
    """The ``steps + 1`` times from the noisy end to the clean one.

    Raises:
        ParameterError: A value out of its range, or a spacing by log SNR to or from where it is infinite.
    """
    count = whole_number(steps, "steps", 1, MOST_STEPS, error=ParameterError)
    first, last = schedule.noisy_end, schedule.clean_end
    parts = [index / count for index in range(count + 1)]
    if spacing == "time":
        return [first + (last - first) * part for part in parts]
    if spacing != "log_snr":
        raise ParameterError(f'spacing must be "time" or "log_snr", got {spacing!r}.')
    alphas, sigmas = (amount.tolist() for amount in schedule.amounts(torch.tensor([first, last], dtype=torch.float64)))
    low, high = (2.0 * _log_ratio(alpha, sigma) for alpha, sigma in zip(alphas, sigmas, strict=True))
    if math.isinf(low) or math.isinf(high):
        raise ParameterError(
            f"At the ends of this schedule, {first} and {last}, the log SNR is {low} and {high}: steps of equal log "
            'SNR need finite ones. Give it ends such as noisy_end=0.998, clean_end=0.002, or use spacing="time".'
        )
    inner = [schedule.time_of_log_snr(low + (high - low) * part) for part in parts[1:-1]]
    return [first, *inner, last]


def _with_noise(row: Step, eta: float, alphas: list[float], sigmas: list[float]) -> Step:
    """``eta`` times the posterior's standard deviation of the next point is drawn anew (DDIM, equation 16)."""
    (alpha, alpha_next), (sigma, sigma_next) = alphas, sigmas
    kept = alpha / alpha_next
    level = eta * math.sqrt(max(0.0, sigma**2 - (kept * sigma_next) ** 2)) * sigma_next / sigma
    ratio = math.sqrt(max(0.0, sigma_next**2 - level**2)) / sigma
    return replace(row, point=ratio, data=alpha_next - ratio * alpha, noise=level)


def _amounts(diffusion: Diffusion, times: list[float]) -> tuple[list[float], list[float]]:
    alphas, sigmas = diffusion.schedule.amounts(torch.tensor(times, dtype=torch.float64))
    return alphas.tolist(), sigmas.tolist()


def _log_ratio(alpha: float, sigma: float) -> float:
    """``log(alpha / sigma)``, half the log SNR, where one of them may be 0."""
    if alpha == 0.0:
        return -math.inf
    return math.inf if sigma == 0.0 else math.log(alpha / sigma)
