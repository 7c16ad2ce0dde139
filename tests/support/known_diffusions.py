"""Data whose best possible denoiser, and whose way from noise to data, are known in closed form."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from scipy.stats import norm
from torch import Tensor

from neutone_like.optimise.diffusion import Diffusion

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """One dimension, a mixture of Gaussians; a single one is Gaussian data.

    At each time the points are a mixture too, of means ``alpha m`` and variances ``alpha^2 s^2 + sigma^2``. In one
    dimension the flow that keeps all these distributions can't pass points by each other, so that each keeps its place
    in the order: its quantile. That is the exact solution, without solving an equation in time.
    """

    diffusion: Diffusion
    means: tuple[float, ...] = (-1.2, 0.9)
    deviations: tuple[float, ...] = (0.35, 0.6)
    weights: tuple[float, ...] = (0.4, 0.6)

    def amounts(self, time: float) -> tuple[float, float]:
        alpha, sigma = self.diffusion.schedule.amounts(torch.tensor([time], dtype=torch.float64))
        return float(alpha), float(sigma)

    def components(self, time: float) -> tuple[Array, Array]:
        alpha, sigma = self.amounts(time)
        return alpha * np.array(self.means), np.sqrt((alpha * np.array(self.deviations)) ** 2 + sigma**2)

    def network(self, point: Tensor, time: Tensor) -> Tensor:
        """The best prediction that there is, of what the diffusion predicts: from the mean of the data at a point."""
        alpha, sigma = self.amounts(float(time[0]))
        means, deviations = self.components(float(time[0]))
        x = point.double().numpy()[..., None]
        likely = np.array(self.weights) * norm.pdf(x, means, deviations)
        likely = likely / likely.sum(-1, keepdims=True)
        gain = alpha * np.array(self.deviations) ** 2 / deviations**2
        data = (likely * (np.array(self.means) + gain * (x - means))).sum(-1)
        noise = (x[..., 0] - alpha * data) / sigma
        made = {"data": data, "noise": noise, "v": alpha * noise - sigma * data}[self.diffusion.prediction]
        return torch.from_numpy(made).to(point.dtype)

    def cdf(self, x: float, time: float) -> float:
        return float(np.dot(self.weights, norm.cdf(x, *self.components(time))))

    def start(self, quantiles: Array) -> Array:
        """Points at the noisy end."""
        return self._at(quantiles, self.diffusion.schedule.noisy_end)

    def exact(self, start: Array, end_time: float) -> Array:
        """Where these points of the noisy end are at another time."""
        return self._at(np.array([self.cdf(x, self.diffusion.schedule.noisy_end) for x in start]), end_time)

    def _at(self, quantiles: Array, time: float) -> Array:
        found = [brentq(lambda x, q=q: self.cdf(x, time) - q, -40.0, 40.0, xtol=1e-14) for q in quantiles]
        return np.array(found)
