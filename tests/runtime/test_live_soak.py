"""What `make live` says of two devices' xruns: neither luck nor a burst is a model's fault, and a fault is found."""

import os
import random
import subprocess
import sys

import pytest

from support.live_soak import SMALLEST_CHANCE, TURNS, chance_of_as_many
from support.places import PROJECT
from support.programs import needs


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


def test_a_server_ends_with_who_started_it() -> None:
    """However that ends. What both have open is closed when the last of them is gone."""
    needs("setpriv", package="util-linux")
    server = ["sh", "-c", "echo ready; exec sleep 1000"]
    killed = (
        "import os, subprocess; from support.programs import ends_with_us;"
        f"subprocess.Popen(ends_with_us({server}), stdout=subprocess.PIPE).stdout.readline(); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-c", killed], env=environment, stderr=subprocess.PIPE, timeout=600, check=False
    )
    assert (done.returncode, done.stderr) == (-9, b"")
