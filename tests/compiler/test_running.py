"""What compiles and has no form in other engines: running extremes, sums of exponentials, padding by what is padded."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from neutone_like.runtime.native_module import native_module
from support.compiled_networks import Function, captured, noise, play_beside
from support.operations import SIZES

OPERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "largest": lambda x: torch.cummax(x, 1)[0] + 0.1 * torch.cummax(x, 1)[1],
    "smallest": lambda x: 0.5 * torch.cummin(x, 1).values + 0.1 * torch.cummin(x, 1).indices,
    "places of equals": lambda x: torch.cummax(x.sign(), 1)[1] * x,
    "exponentials": lambda x: torch.logcumsumexp(4.0 * x - 1.0, 1),
    "exponentials far apart": lambda x: torch.logcumsumexp(1000.0 * x, 1),
    "padding": lambda x: torch.cat(
        [F.pad(x.unsqueeze(1), (0, 0, 2, 1), mode=mode)[:, 0] for mode in ("replicate", "reflect", "circular")], 1
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_gives_what_float64_does(name: str) -> None:
    graph = captured(Function(OPERATIONS[name]), channels=6)
    for kernels in native_module().compiled_kernels():
        found = play_beside(graph, noise(6, SIZES), kernels)
        assert found.good, (kernels, found)
        assert found.peak > 0.01
