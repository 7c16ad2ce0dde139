"""The smaller network is held against the whole one with the same channels silenced, before anyone gets it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from neutone_like.errors import ModelError
from neutone_like.graph import own_copy
from neutone_like.optimise.pruning.sizes import Sizes, candidates, change, choices
from neutone_like.optimise.pruning.subject import Subject
from neutone_like.user_code import user_line_of_traceback

TOLERANCE = 1e-6
"""Largest difference from the network with silenced channels, in parts of its output's peak."""

_BLOCKS = 3
_RESETS = ("reset_model", "reset_streaming_state")


class _Silent(Exception):
    """Nothing came out, so that nothing was compared."""


class _TooDifferent(Exception):
    """How far the outputs are apart, in parts of the peak."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error


def fitted(subject: Subject, smaller: nn.Module, silent: nn.Module, sizes: Sizes) -> tuple[nn.Module, float]:
    """The smaller network with the attributes that it needs, and its difference from the silenced one.

    Raises:
        ModelError: With none of them it gives the same; the message says the line, or the difference.
    """
    names = candidates(smaller, sizes)
    reasons: list[Exception] = []
    for chosen in choices(names):
        tried = own_copy(smaller)
        change(tried, chosen, sizes)
        try:
            return tried, difference(subject, tried, silent)
        except Exception as error:  # a size that is wrong may fail in any way
            reasons.append(error)
    if any(isinstance(each, _Silent) for each in reasons):
        raise ModelError(
            f"{type(smaller).__name__} gives silence for inputs like the example with these channels silenced, so that "
            "nothing can be proven. Train it first (a last layer of zeros gives nothing), give a louder example, or "
            "cut less."
        )
    different = [each for each in reasons if isinstance(each, _TooDifferent)]
    if different:
        least = min(each.error for each in different)
        raise ModelError(
            f"The smaller {type(smaller).__name__} differs from the whole one with the same channels silenced by "
            f"{least:.3g} of its peak, more than {TOLERANCE:g}, so it is not returned. Its code may take a part of the "
            "channels by their number. Take these sizes from the tensors (x.size(1)), or leave the layers whole: "
            "ratios={'layer': 0.0}."
        )
    first = reasons[0]
    line = user_line_of_traceback(first.__traceback__)
    raise ModelError(
        f"The smaller {type(smaller).__name__} does not run: {first}\n{line or 'no line of yours'}\nA size is written "
        "into its code there. Take it from the tensor (x.size(1)) or from the layer, or leave the layer whole: "
        "ratios={'layer': 0.0}."
    ) from first


def difference(subject: Subject, smaller: nn.Module, silent: nn.Module) -> float:
    """The largest over some blocks in a row, before and after a reset; in float64 where rounding shows in float32.

    Raises:
        _TooDifferent: It is more than :data:`TOLERANCE`.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        error = _difference(subject, smaller, silent, torch.float32)
        if TOLERANCE < error < 1e-3:
            error = min(error, _in_float64(subject, smaller, silent))
    if not error <= TOLERANCE:
        raise _TooDifferent(error)
    return error


def outputs(subject: Subject, network: nn.Module, blocks: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """What a network gives for consecutive blocks, from its initial state."""
    player = subject.played(network)
    with torch.no_grad():
        return [each for block in blocks for each in _leaves(subject.call(player, block))]


def _in_float64(subject: Subject, smaller: nn.Module, silent: nn.Module) -> float:
    try:
        return _difference(subject, smaller, silent, torch.float64)
    except Exception:  # code that is written for float32 alone: then that counts
        return float("inf")


def _difference(subject: Subject, smaller: nn.Module, silent: nn.Module, dtype: torch.dtype) -> float:
    players = [subject.played(each).to(dtype) for each in (silent, smaller)]
    worst, peak = 0.0, 0.0
    for round_number in range(2):
        for number in range(_BLOCKS):
            block = [_as(each, dtype) for each in subject.block(seed=10 * round_number + number)]
            torch.manual_seed(number)
            whole = _leaves(subject.call(players[0], block))
            torch.manual_seed(number)
            found = _leaves(subject.call(players[1], block))
            for a, b in zip(whole, found, strict=True):
                if a.shape != b.shape:
                    raise ValueError(f"its output has the shape {list(b.shape)}, of the whole one {list(a.shape)}")
                peak = max(peak, _largest(a))
                worst = max(worst, _largest(a.double() - b.double()))
        for each in players:
            _reset(each)
    if peak == 0.0:
        raise _Silent
    return worst / peak if worst == worst else float("inf")


def _reset(player: nn.Module) -> None:
    for module in player.modules():
        for name in _RESETS:
            reset = getattr(module, name, None)
            if callable(reset):
                reset()


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype) if value.is_floating_point() else value


def _leaves(value: Any) -> list[Tensor]:
    return [each for each in pytree.tree_leaves(value) if isinstance(each, Tensor)]


def _largest(value: Tensor) -> float:
    if not value.numel():
        return 0.0
    largest = float(value.abs().max())
    return largest if largest == largest else float("inf")
