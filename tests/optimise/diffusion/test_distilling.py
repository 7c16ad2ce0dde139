"""What distillation must end at, which for Gaussian data can be written down; killing it; and what can go wrong."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ParameterError, TrainingError
from neutone_like.optimise.diffusion import (
    CosineSchedule,
    Diffusion,
    consistency,
    ddim,
    ddpm,
    distil_progressively,
    distil_whole_way,
    sample,
    train_consistency,
    train_diffusion,
)
from neutone_like.optimise.diffusion.samplers import times_of

MEAN, DEVIATION = 0.5, 0.6
V = Diffusion(CosineSchedule())


class Affine(nn.Module):
    """``a(t) point + b(t)``, with an ``a`` and ``b`` for each of some times: all that Gaussian data needs."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self.times = torch.tensor(times)
        self.slope = nn.Parameter(torch.zeros(len(times)))
        self.offset = nn.Parameter(torch.zeros(len(times)))

    def forward(self, point: Tensor, time: Tensor) -> Tensor:
        nearest = (self.times[None] - time[:, None]).abs().argmin(1)
        return self.slope[nearest, None] * point + self.offset[nearest, None]


OWN = Affine([0.5])


def exact_network(times: list[float], diffusion: Diffusion = V) -> Affine:
    """The best predictions of v there are: from the mean of the data at a point."""
    network = Affine(times)
    alpha, sigma = diffusion.schedule.amounts(network.times)
    variance = (alpha * DEVIATION).square() + sigma.square()
    gain = alpha * DEVIATION**2 / variance
    network.slope.data = (alpha - gain) / sigma
    network.offset.data = -(1.0 - gain * alpha) * MEAN / sigma
    return network


def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    data, noise = torch.randn(2, 128, 1, generator=generator)
    return MEAN + DEVIATION * data, noise


def noise(count: int = 500) -> Tensor:
    return torch.randn(count, 1, generator=torch.Generator().manual_seed(7))


def test_a_network_learns_the_best_prediction() -> None:
    """At times drawn anywhere, each near one of 8: its mean there, within what the cells are wide."""
    times = [(index + 0.5) / 8 for index in range(8)]
    network = Affine(times)
    train_diffusion(network, V, draw, 200, learning_rate=0.1)
    exact = exact_network(times)
    inner = slice(1, 7)  # the ends change too much inside a cell
    torch.testing.assert_close(network.slope[inner], exact.slope[inner], atol=0.12, rtol=0)
    torch.testing.assert_close(network.offset[inner], exact.offset[inner], atol=0.12, rtol=0)


def test_halving_ends_where_the_teacher_does() -> None:
    """The student of a student does in one step what the first teacher does in 8, from every noise."""
    grid = times_of(V.schedule, 8)[:-1]
    teacher = exact_network(grid)
    before = copy.deepcopy(teacher.state_dict())
    students = distil_progressively(teacher, V, draw, (4, 2, 1), 200, learning_rate=0.1)
    assert sorted(students) == [1, 2, 4]
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())
    wanted = sample(teacher, ddim(V, 8), noise())
    for steps, student in students.items():
        found = sample(student, ddim(V, steps), noise())
        undistilled = sample(teacher, ddim(V, steps), noise())
        torch.testing.assert_close(found, wanted, atol=5e-3, rtol=0)
        assert float((undistilled - wanted).abs().max()) > 0.05, "there was something to learn"


def test_few_steps_end_together_where_many_do() -> None:
    """Four of the teacher's sixteen, and one."""
    grid = times_of(V.schedule, 16)[:-1]
    teacher = exact_network(grid)
    wanted = sample(teacher, ddim(V, 16), noise())
    student = copy.deepcopy(teacher)
    before = float((sample(student, ddim(V, 4), noise()) - wanted).abs().max())
    found = distil_whole_way(
        student, V, draw, 200, steps=4, teacher=teacher, teacher_sampler=ddim(V, 16), learning_rate=0.03
    )
    assert found is student
    torch.testing.assert_close(sample(found, ddim(V, 4), noise()), wanted, atol=5e-3, rtol=0)
    assert before > 0.05, "there was something to learn"
    one = distil_whole_way(copy.deepcopy(teacher), V, draw, 300, steps=1, teacher=teacher, learning_rate=0.1)
    exact = MEAN + DEVIATION * noise()  # up to what is left of the noise at the ends
    assert float((sample(one, ddim(V, 1), noise()) - exact).abs().max()) < 0.25
    assert float((sample(teacher, ddim(V, 1), noise()) - exact).abs().max()) > 0.5


def test_consistency_distillation_ends_where_the_teachers_steps_lead() -> None:
    grid = times_of(V.schedule, 4)
    teacher = exact_network(grid[:-1])
    network = train_consistency(copy.deepcopy(teacher), V, draw, 400, teacher=teacher, grid_steps=4, learning_rate=0.05)
    found = sample(network, consistency(V, 1), noise())
    wanted = sample(teacher, ddim(V, 4), noise())
    torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)
    assert float((sample(teacher, consistency(V, 1), noise()) - wanted).abs().max()) > 0.5


def test_consistency_training_ends_at_the_chain_of_regressions() -> None:
    """Each answer is the mean of the cleaner one's: slopes multiply, ``cov(x_s, x_t) / var(x_t)`` each."""
    grid = times_of(V.schedule, 4)
    network = train_consistency(exact_network(grid[:-1]), V, draw, 600, grid_steps=4, learning_rate=0.05)
    alpha, sigma = V.schedule.amounts(torch.tensor(grid))
    variance = (alpha * DEVIATION).square() + sigma.square()
    covariance = alpha[1:] * alpha[:-1] * DEVIATION**2 + sigma[1:] * sigma[:-1]
    slope = float((covariance / variance[:-1]).prod())
    offset = float(alpha[-1]) * MEAN - slope * float(alpha[0]) * MEAN
    found = sample(network, consistency(V, 1), noise())
    torch.testing.assert_close(found, offset + slope * noise(), atol=0.06, rtol=0)
    assert slope < 0.9 * DEVIATION, "few steps of a grid lose level, and this is by how much"


class Killed(Exception):
    pass


@pytest.mark.parametrize("kind", ["data", "halving", "whole way", "consistency"])
def test_after_a_kill_it_ends_at_the_same_weights(kind: str, tmp_path: Path) -> None:
    grid = times_of(V.schedule, 4)[:-1]
    calls = 0

    def killing(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        nonlocal calls
        calls += 1
        if calls == 73:
            raise Killed
        return draw(generator)

    def trained(drawn: Any, folder: Path | None) -> nn.Module:
        file = None if folder is None else folder / "checkpoint.pt"
        if kind == "data":
            return train_diffusion(Affine(grid), V, drawn, 110, checkpoint=file)
        if kind == "halving":
            return distil_progressively(exact_network(grid), V, drawn, (2,), 110, folder=folder)[2]
        if kind == "whole way":
            return distil_whole_way(Affine(grid), V, drawn, 110, steps=2, teacher=exact_network(grid), checkpoint=file)
        return train_consistency(Affine(grid), V, drawn, 110, grid_steps=4, checkpoint=file)

    whole = trained(draw, None)
    with pytest.raises(Killed):
        trained(killing, tmp_path)
    began = calls
    again = trained(killing, tmp_path)
    assert calls - began == 60, "50 updates were kept"
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_the_seed_decides() -> None:
    def slope(seed: int) -> Tensor:
        network = Affine([0.5])
        train_diffusion(network, V, draw, 20, seed=seed)
        return network.slope.detach()

    assert torch.equal(slope(1), slope(1))
    assert not torch.equal(slope(1), slope(2))


def test_a_loss_that_is_no_number_ends_training_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    calls = 0

    def broken(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        nonlocal calls
        calls += 1
        data, drawn = draw(generator)
        return (data * math.nan if calls > 60 else data), drawn

    path = tmp_path / "a.pt"
    with pytest.raises(TrainingError, match=r"became nan at update 60, .* kept in .*a\.pt\. Look for data that is not"):
        train_diffusion(Affine([0.5]), V, broken, 100, checkpoint=path)
    assert torch.load(path, weights_only=True)["done"] == 50
    with pytest.raises(TrainingError, match="became nan at update 0, with a highest learning rate of 0.001. Look"):
        train_diffusion(Affine([0.5]), V, broken, 100)


def test_a_gradient_that_is_no_number_keeps_the_checkpoint_as_it_was(tmp_path: Path) -> None:
    """The loss is finite there still, and without a check the weights after update 60 would be kept at 100."""

    class Steep(Affine):
        def forward(self, point: Tensor, time: Tensor) -> Tensor:
            return super().forward(point, time) + (torch.sqrt(self.slope - self.slope) if steep else 0.0)

    steep, calls = False, 0

    def counting(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        nonlocal calls, steep
        calls += 1
        steep = calls > 60
        return draw(generator)

    path = tmp_path / "a.pt"
    with pytest.raises(TrainingError, match=r"The gradient became nan at update 60, .* kept in .*a\.pt"):
        train_diffusion(Steep([0.5]), V, counting, 100, checkpoint=path)
    kept = torch.load(path, weights_only=True)
    assert kept["done"] == 50
    assert all(bool(torch.isfinite(each).all()) for each in kept["network"].values())


def test_checkpoints_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    train_diffusion(Affine([0.5]), V, draw, 50, checkpoint=path)
    others: list[Any] = [
        lambda: train_diffusion(Affine([0.5]), V, draw, 60, checkpoint=path),
        lambda: train_diffusion(Affine([0.5]), Diffusion(prediction="data"), draw, 50, checkpoint=path),
        lambda: train_consistency(Affine([0.5]), V, draw, 50, checkpoint=path),
    ]
    for other in others:
        with pytest.raises(TrainingError, match="is of another training"):
            other()
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(TrainingError, match=r"a\.pt is no checkpoint that can be read"):
        train_diffusion(Affine([0.5]), V, draw, 50, checkpoint=path)


def test_a_network_of_which_nothing_can_be_trained_is_refused() -> None:
    for network in (Affine([0.5]).requires_grad_(False), torch.nn.Identity()):
        with pytest.raises(TrainingError, match="No weight of the network can be trained"):
            train_diffusion(network, V, draw, 9)


def test_a_checkpoint_that_has_no_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"can't be written after update 50: .* Make room"):
        train_diffusion(Affine([0.5]), V, draw, 60, checkpoint=tmp_path / "file" / "a.pt")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distil_progressively(Affine([0.5]), V, draw, (8, 4, 1), 9), r"halved each time, .* got \(8, 4, 1\)"),
        (lambda: distil_progressively(Affine([0.5]), V, draw, (), 9), r"halved each time, .* got \(\)"),
        (lambda: distil_progressively(Affine([0.5]), Diffusion(prediction="noise"), draw, (2,), 9), "so little data"),
        (
            lambda: distil_whole_way(
                Affine([0.5]), V, draw, 9, steps=2, teacher=Affine([0.5]), teacher_sampler=ddpm(V, 4)
            ),
            "Step 0 adds noise",
        ),
        (lambda: distil_whole_way(OWN, V, draw, 9, steps=2, teacher=OWN), "is its own teacher"),
        (lambda: train_consistency(OWN, V, draw, 9, teacher=OWN), "is its own teacher"),
        (lambda: train_consistency(Affine([0.5]), V, draw, 9, grid_steps=1), "grid_steps must be .* 2..10000, got 1"),
        (lambda: train_diffusion(Affine([0.5]), V, draw, 0), "updates must be an integer in 1..100000000, got 0"),
        (lambda: train_diffusion(Affine([0.5]), V, draw, 9, learning_rate=math.nan), "learning_rate must lie in"),
    ],
)
def test_wrong_use_is_told(call: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call()
