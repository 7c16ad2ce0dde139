"""Linear recurrences as one operation of a graph: PyTorch has none, and written out they depend on the length."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from torch import Tensor

LINEAR_SCAN = "neutone_like::linear_scan.default"
"""The operation's name in a graph; arguments and result are those of :func:`whole_linear_scan`."""

_whole = ContextVar("whole_recurrences", default=False)


@contextmanager
def whole_recurrences() -> Iterator[None]:
    """Networks captured within keep their linear recurrences whole: such graphs compile, and have no TorchScript."""
    define_linear_scan()
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def recurrences_are_whole() -> bool:
    """Whether somebody captures, and wants linear recurrences whole."""
    return _whole.get()


def whole_linear_scan(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """``s[n + 1] = A[n] s[n] + u[n]`` as one operation: what every sample finds, and last what the block leaves.

    Args:
        matrices: ``[..., samples or 1, order, order]``; what comes before ``samples`` may be 1 and is repeated.
        inputs: ``[..., samples, order]``.
        state: ``[..., order]``, what the first sample finds.

    Returns:
        ``[..., samples + 1, order]``.
    """
    scanned: Tensor = torch.ops.neutone_like.linear_scan(matrices, inputs, state)
    return scanned


@cache
def define_linear_scan() -> torch.library.Library:
    """Make the operation known to PyTorch, once in a process."""
    library = torch.library.Library("neutone_like", "DEF")
    library.define("linear_scan(Tensor matrices, Tensor inputs, Tensor state) -> Tensor")
    library.impl("linear_scan", _sample_by_sample, "CPU")
    return library


def _sample_by_sample(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """What the recurrence is by definition."""
    found = [state]
    for step, entering in zip(_each(matrices, inputs), inputs.unbind(-2), strict=True):
        found.append((step @ found[-1].unsqueeze(-1)).squeeze(-1) + entering)
    return torch.stack(found, -2)


def _each(matrices: Tensor, inputs: Tensor) -> tuple[Tensor, ...]:
    """The matrix of every sample."""
    return matrices.unbind(-3) if matrices.size(-3) != 1 else matrices.unbind(-3) * inputs.size(-2)
