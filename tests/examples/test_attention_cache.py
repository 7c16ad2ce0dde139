"""Attention with and without a cache: the same sound, and work that does or does not grow with the history."""

from typing import Any

import pytest
import torch
import typer
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from typer.testing import CliRunner

from support.example_hosts import example
from support.random_blocks import error_of_peak

attention = example("attention_cache")
WINDOW = 12


def recomputed(model: Any, sound: Tensor, history: int) -> Tensor:
    """Block by block with so many samples of the past, as a host's look-behind gives them: ``[1, N]``."""
    padded = torch.nn.functional.pad(sound, (history, 0))
    block = attention.BLOCK_SAMPLES
    model.look_behind_samples = history
    starts = range(0, sound.size(1), block)
    return torch.cat([model.do_forward_pass(padded[:, at : at + history + block], {}) for at in starts], 1)


@torch.no_grad()
def test_both_play_the_same_once_the_history_is_full() -> None:
    cached, recomputing = attention.build_pair(WINDOW)
    history = attention.history_samples(WINDOW)
    sound = torch.randn(1, 40 * attention.BLOCK_SAMPLES, generator=torch.Generator().manual_seed(1))
    streamed = torch.cat([cached.do_forward_pass(block, {}) for block in sound.split(attention.BLOCK_SAMPLES, 1)], 1)
    full = -(-history // attention.BLOCK_SAMPLES) * attention.BLOCK_SAMPLES
    again = recomputed(recomputing, sound, history)
    assert error_of_peak(streamed[:, full:], again[:, full:]) <= 1e-5
    shorter = recomputed(recomputing, sound, history - attention.PATCH_SAMPLES)
    assert error_of_peak(streamed[:, full:], shorter[:, full:]) > 1e-4, "the control: a patch too few"


@torch.no_grad()
def test_without_a_cache_the_work_grows_with_the_history() -> None:
    """Operations of the products of a block, as PyTorch counts them."""

    def operations(window: int) -> tuple[int, int]:
        cached, recomputing = attention.build_pair(window)
        block = torch.zeros(1, attention.BLOCK_SAMPLES)
        counted: list[int] = []
        for model, x in (
            (cached, block),
            (recomputing, torch.nn.functional.pad(block, (attention.history_samples(window), 0))),
        ):
            with FlopCounterMode(display=False) as counter:
                model.do_forward_pass(x, {})
            counted.append(counter.get_total_flops())
        return counted[0], counted[1]

    with_short, without_short = operations(8)
    with_long, without_long = operations(64)
    assert with_long < 2.5 * with_short
    assert without_long > 6.0 * without_short
    assert without_long > 20.0 * with_long


@pytest.mark.compiles
def test_both_are_timed_as_they_are_played() -> None:
    app = typer.Typer()
    app.command()(attention.main)
    result = CliRunner().invoke(app, ["6", "--rounds", "1"], catch_exceptions=False)
    assert result.exit_code == 0
    (line,) = result.stdout.strip().splitlines()[2:]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[0] == "3.3", "two layers of five patches of 16 samples at 48 kHz"
    assert all(float(cell) > 0.0 for cell in cells[2:4])
