"""Samplers against data of which all is known: the best denoiser, the flow, and every distribution on the way."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError, ParameterError
from neutone_like.optimise.diffusion import (
    CosineSchedule,
    Diffusion,
    LinearBetaSchedule,
    NoiseSchedule,
    Sampler,
    StraightSchedule,
    consistency,
    ddim,
    ddpm,
    dpm_solver,
    sample,
)
from neutone_like.optimise.diffusion.process import Prediction
from support.known_diffusions import Mixture

SCHEDULES = (
    CosineSchedule(),
    LinearBetaSchedule(clean_end=0.005, noisy_end=0.95),
    StraightSchedule(clean_end=0.002, noisy_end=0.998),
)
QUANTILES = np.array([0.02, 0.2, 0.37, 0.42, 0.6, 0.95])
by_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)


def rms_error(mixture: Mixture, sampler: Sampler) -> float:
    start = mixture.start(QUANTILES)
    found = sample(mixture.network, sampler, torch.from_numpy(start))
    return float(np.sqrt(np.mean((found.numpy() - mixture.exact(start, sampler.end_time)) ** 2)))


def order(steps: tuple[int, ...], errors: list[float]) -> float:
    """The slope of log error over log step."""
    return -float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


@by_schedule
def test_the_known_solution_is_that_of_the_flow(schedule: NoiseSchedule) -> None:
    """Its slope is ``alpha' data + sigma' noise``, with the best denoiser's data, at times from end to end."""
    mixture = Mixture(Diffusion(schedule, "data"))
    start = mixture.start(QUANTILES)
    for time in np.linspace(0.05, 0.9, 6).tolist():
        (alpha, sigma), small = mixture.amounts(time), 1e-5
        after, before = mixture.amounts(time + small), mixture.amounts(time - small)
        slopes = [(a - b) / (2.0 * small) for a, b in zip(after, before, strict=True)]
        x = mixture.exact(start, time)
        data = mixture.network(torch.from_numpy(x), torch.full((6,), time, dtype=torch.float64)).numpy()
        moved = mixture.exact(start, time + small) - mixture.exact(start, time - small)
        expected = slopes[0] * data + slopes[1] * (x - alpha * data) / sigma
        np.testing.assert_allclose(moved / (2.0 * small), expected, atol=1e-5)


@by_schedule
def test_orders_of_convergence(schedule: NoiseSchedule) -> None:
    mixture = Mixture(Diffusion(schedule))
    steps = (32, 64, 128)
    first = [rms_error(mixture, ddim(mixture.diffusion, n, spacing="log_snr")) for n in steps]
    second = [rms_error(mixture, dpm_solver(mixture.diffusion, n, spacing="log_snr")) for n in steps]
    assert order(steps, first) == pytest.approx(1.0, abs=0.15)
    assert order(steps, second) == pytest.approx(2.0, abs=0.25)
    assert second[-1] < 0.03 * first[-1]
    spaced_in_time = rms_error(mixture, ddim(mixture.diffusion, 512))
    assert spaced_in_time < first[0]


def test_of_few_steps_order_2_is_nearer() -> None:
    """The goal for networks, 4 dB at 8 steps, where nothing but the solver errs; and from and to the very ends."""
    for schedule in (*SCHEDULES, StraightSchedule()):
        mixture = Mixture(Diffusion(schedule, "data"))
        for steps in (8, 10, 16, 32):
            ratio = rms_error(mixture, ddim(mixture.diffusion, steps)) / rms_error(
                mixture, dpm_solver(mixture.diffusion, steps)
            )
            assert 20.0 * math.log10(ratio) > 4.0, (schedule, steps)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_from_nothing_but_noise_to_no_noise_at_all_in_the_fewest_steps(steps: int) -> None:
    """The log SNR is infinite at both ends; points may be complex, as spectra are."""
    mixture = Mixture(Diffusion(StraightSchedule(), "data"))
    start = torch.complex(*torch.from_numpy(mixture.start(QUANTILES)).expand(2, -1))
    for make in (ddim, dpm_solver, ddpm, consistency):
        sampler = make(mixture.diffusion, steps)
        halved = sample(lambda x, t: 0.5 * x, sampler, start, noise=lambda _: start)
        assert bool(torch.isfinite(halved).all())
        assert halved.dtype == start.dtype
        assert all(math.isfinite(value) for row in sampler.rows for value in row)


def test_what_is_predicted_makes_no_difference() -> None:
    found: list[Tensor] = []
    predictions: tuple[Prediction, ...] = ("v", "data", "noise")
    for prediction in predictions:
        mixture = Mixture(Diffusion(CosineSchedule(), prediction))
        start = torch.from_numpy(mixture.start(QUANTILES))
        found.append(sample(mixture.network, dpm_solver(mixture.diffusion, 7), start))
        time = torch.full((6,), 0.3, dtype=torch.float64)
        data, noise = start.flip(0), start
        point = mixture.diffusion.point(data, noise, time)
        predicted = mixture.diffusion.target(data, noise, time)
        torch.testing.assert_close(mixture.diffusion.data(point, predicted, time), data)
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(found[2], found[0], rtol=0, atol=1e-12)


@by_schedule
def test_log_snr_has_its_times(schedule: NoiseSchedule) -> None:
    times = torch.tensor([schedule.clean_end, 0.3, 0.7, schedule.noisy_end], dtype=torch.float64)
    alpha, sigma = schedule.amounts(times)
    found = [
        schedule.time_of_log_snr(2.0 * math.log(a / s)) for a, s in zip(alpha.tolist(), sigma.tolist(), strict=True)
    ]
    assert found == pytest.approx(times.tolist(), abs=1e-9)
    assert (alpha[1:] < alpha[:-1]).all()


def test_the_linear_schedule_is_that_of_the_thousand_steps() -> None:
    """The product of ``1 - beta`` of Ho et al., whose betas go from 1e-4 to 0.02."""
    kept = torch.cumprod(1.0 - torch.linspace(1e-4, 0.02, 1000).double(), 0)
    alpha, _ = LinearBetaSchedule().amounts((torch.arange(1000).double() + 1.0) / 1000.0)
    torch.testing.assert_close(alpha.square(), kept, rtol=0.12, atol=1e-4)


def test_ddpm_draws_from_the_posterior() -> None:
    """Mean and variance of each step are Ho et al.'s, equation 7, with their betas."""
    diffusion = Diffusion(CosineSchedule(), "data")
    sampler = ddpm(diffusion, 6)
    times = torch.tensor([*(sampler.time(step) for step in range(6)), sampler.end_time], dtype=torch.float64)
    kept = diffusion.schedule.amounts(times)[0].square()
    for step in range(6):
        now, after = kept[step], kept[step + 1]
        beta = 1.0 - now / after
        mean = (
            after.sqrt() * beta / (1.0 - now),
            (1.0 - beta).sqrt() * (1.0 - after) / (1.0 - now),
        )
        one, none = torch.ones(1).double(), torch.zeros(1).double()
        assert float(sampler.next(step, none, one, none)) == pytest.approx(float(mean[0]), rel=1e-9)
        assert float(sampler.next(step, one, none, none)) == pytest.approx(float(mean[1]), rel=1e-9)
        assert sampler.noise_level(step) ** 2 == pytest.approx(float((1.0 - after) / (1.0 - now) * beta), rel=1e-9)


def ddpm_variance(deviation: float, sampler: Sampler, diffusion: Diffusion) -> float:
    """Of Gaussian data around 0: each step is linear, so that its variance follows without a sample."""
    alpha, sigma = diffusion.schedule.amounts(torch.tensor([sampler.time(0)], dtype=torch.float64))
    variance = float((alpha * deviation) ** 2 + sigma**2)
    one, none = torch.ones(1).double(), torch.zeros(1).double()
    for step in range(sampler.steps):
        alpha, sigma = (
            float(each) for each in diffusion.schedule.amounts(torch.tensor([sampler.time(step)], dtype=torch.float64))
        )
        gain = alpha * deviation**2 / ((alpha * deviation) ** 2 + sigma**2)
        slope = float(sampler.next(step, one, gain * one, none))
        variance = slope**2 * variance + sampler.noise_level(step) ** 2
    return variance


def test_ddpm_has_the_variance_that_it_must_have_and_converges() -> None:
    deviation = 0.6
    diffusion = Diffusion(CosineSchedule(), "v")
    mixture = Mixture(diffusion, (0.0,), (deviation,), (1.0,))
    sampler = ddpm(diffusion, 8)
    start = torch.randn(40_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    start = start * float(mixture.components(diffusion.schedule.noisy_end)[1][0])
    drawn = sample(mixture.network, sampler, start, generator=torch.Generator().manual_seed(2))
    assert float(drawn.var()) == pytest.approx(ddpm_variance(deviation, sampler, diffusion), rel=0.03)
    assert float(drawn.mean()) == pytest.approx(0.0, abs=0.02)
    again = sample(mixture.network, sampler, start, generator=torch.Generator().manual_seed(2))
    assert torch.equal(again, drawn)
    other = sample(mixture.network, sampler, start, generator=torch.Generator().manual_seed(3))
    assert not torch.equal(other, drawn)
    truth = float(mixture.components(diffusion.schedule.clean_end)[1][0]) ** 2
    steps = (64, 128, 256, 512)
    errors = [abs(ddpm_variance(deviation, ddpm(diffusion, n, spacing="log_snr"), diffusion) - truth) for n in steps]
    assert order(steps, errors) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_consistency_steps_keep_the_distribution(steps: int) -> None:
    """The exact consistency function of Gaussian data leads every point to the data, in each step."""
    diffusion, deviation, mean = Diffusion(StraightSchedule(), "data"), 0.4, 0.7

    def exact(point: Tensor, time: Tensor) -> Tensor:
        alpha, sigma = diffusion.schedule.amounts(time)
        return mean + deviation * (point - alpha * mean) / ((alpha * deviation).square() + sigma.square()).sqrt()

    start = torch.randn(40_000, generator=torch.Generator().manual_seed(1))
    found = sample(exact, consistency(diffusion, steps), start, generator=torch.Generator().manual_seed(2))
    assert float(found.mean()) == pytest.approx(mean, abs=0.01)
    assert float(found.std()) == pytest.approx(deviation, rel=0.02)
    if steps == 1:
        torch.testing.assert_close(found, mean + deviation * start)
        torch.testing.assert_close(sample(exact, ddim(diffusion, 1), start), found)


class Played(nn.Module):
    """A sampler in a model, as its docstring has it."""

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        self.sampler = sampler

    def forward(self, point: Tensor, noise: Tensor) -> Tensor:
        data = torch.zeros_like(point)
        for step in range(self.sampler.steps):
            before = data
            data = self.sampler.data(step, point, torch.sin(2.0 * point) * self.sampler.time(step))
            point = self.sampler.next(step, point, data, before) + self.sampler.noise_level(step) * noise
        return point


@pytest.mark.parametrize("make", [ddpm, ddim, dpm_solver, consistency])
def test_a_scripted_model_plays_the_same_steps(make: type) -> None:
    calls: list[float] = []

    def network(point: Tensor, time: Tensor) -> Tensor:
        calls.append(float(time[0]))
        return torch.sin(2.0 * point) * time[:, None]

    sampler = make(Diffusion(), 5)
    start, noise = torch.randn(2, 3, 7)
    scripted = torch.jit.script(Played(sampler))
    torch.testing.assert_close(
        scripted(start, noise), sample(network, sampler, start, noise=lambda _: noise), rtol=1e-5, atol=1e-5
    )
    assert len(calls) == sampler.steps == 5, "a step is one call"
    assert calls == pytest.approx([sampler.time(step) for step in range(5)])


def test_conditions_reach_the_network() -> None:
    level = torch.tensor([[1.0], [2.0]])
    found = sample(
        lambda point, time, level: level.expand_as(point),
        ddim(Diffusion(StraightSchedule(), "data"), 3),
        torch.randn(2, 4),
        level,
    )
    torch.testing.assert_close(found, level.expand(2, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CosineSchedule(0.5, 0.5), "0 <= clean_end < noisy_end <= 1, got clean_end=0.5"),
        (lambda: StraightSchedule(noisy_end=math.nan), "noisy_end=nan"),
        (lambda: Diffusion(prediction="eps"), "'v', 'data', 'noise'\\), got 'eps'"),  # type: ignore[arg-type]
        (lambda: Diffusion("cosine"), "such as CosineSchedule\\(\\), got 'cosine'"),  # type: ignore[arg-type]
        (lambda: ddim(Diffusion(), 0), "steps must be an integer in 1..100000, got 0"),
        (lambda: ddim(Diffusion(), 4, eta=1.5), "eta must lie in 0.0..1.0, got 1.5"),
        (lambda: ddim(Diffusion(), 4, spacing="even"), 'must be "time" or "log_snr", got \'even\''),  # type: ignore[arg-type]
        (lambda: dpm_solver(Diffusion(StraightSchedule()), 4, spacing="log_snr"), "the log SNR is -inf and inf"),
        (lambda: ddim(Diffusion(StraightSchedule(), "noise"), 4), "At time 1.0 there is no data in a point"),
        (lambda: sample(torch.zeros_like, ddpm(Diffusion(), 4), torch.randn(1, 2)), "pass generator="),
    ],
)
def test_wrong_use_is_told(call: type, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call()


def test_wrong_networks_are_told() -> None:
    sampler = ddim(Diffusion(), 3)
    with pytest.raises(
        ModelError, match=r"one prediction for each element of a point, \(2, 4\), got \(2, 1\) at step 0"
    ):
        sample(lambda x, t: x[:, :1], sampler, torch.randn(2, 4))
    with pytest.raises(ModelError, match="prediction at step 1 is not finite"):
        sample(lambda x, t: x if float(t[0]) > 0.9 else x / 0.0, sampler, torch.randn(2, 4))
