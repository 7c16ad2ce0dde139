"""What `make live` says of two devices' xruns: neither luck nor a burst is a model's fault, and a fault is found."""

import random

import pytest

from support.live_soak import SMALLEST_CHANCE, TURNS, chance_of_as_many


@pytest.mark.parametrize(
    "more",
    [
        [0] * TURNS,
        [1] + [0] * (TURNS - 1),
        [40] + [0] * (TURNS - 1),  # a burst that met the model
        [3, -2, 1, 0, -1, 2, 0, 1, -3, 2],
        [-5] * TURNS,
    ],
)
def test_what_may_be_chance(more: list[int]) -> None:
    assert chance_of_as_many(more) >= SMALLEST_CHANCE


@pytest.mark.parametrize("more", [[1] * TURNS, [2, 1, 3, 0, 1, 2, 1, 1, 2, 1], [-1, *[4] * (TURNS - 1)]])
def test_what_is_none(more: list[int]) -> None:
    assert chance_of_as_many(more) < SMALLEST_CHANCE


def test_two_that_are_alike_are_seldom_told_apart() -> None:
    """In bursts, as sound is lost: counted against draws from one distribution."""
    drawn = random.Random(3)

    def xruns() -> int:
        return drawn.choice((0, 0, 0, 1, 2, 15))

    runs = 300
    wrong = sum(chance_of_as_many([xruns() - xruns() for _ in range(TURNS)]) < SMALLEST_CHANCE for _ in range(runs))
    assert wrong <= 0.03 * runs
