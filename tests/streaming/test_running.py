"""Running sums, products and extremes over time, in blocks: the conversion itself proves that they are the whole's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.graph import GraphPlayer
from neutone_like.streaming import to_streaming

RUNNING: dict[str, Callable[[Tensor], Any]] = {
    "logcumsumexp": lambda x: torch.logcumsumexp(3.0 * x, 2),
    "cumprod": lambda x: torch.cumprod(1.0 + 0.1 * x, 2),
    "cummax": lambda x: torch.cummax(x, 2)[0],
    "cummin": lambda x: torch.cummin(x, 2).values,
    "of whole numbers": lambda x: torch.cummax((10.0 * x).int(), 2)[0].float(),
    "over channels": lambda x: torch.logcumsumexp(x, 1) + torch.cummax(x, 1)[0] + x.cumprod(1),
    "padded": lambda x: torch.cummax(F.pad(x - 9.0, (3, 0)), 2)[0] + torch.logcumsumexp(F.pad(x, (3, 0)), 2),
}


class Running(nn.Module):
    """After a layer that delays, and before one that pads."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.first, self.last = nn.Conv1d(2, 2, 3, padding=1), nn.Conv1d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(0.1 * self.function(self.first(x)))


@pytest.mark.parametrize("name", RUNNING)
def test_they_stream(name: str) -> None:
    torch.manual_seed(0)
    network = Running(RUNNING[name]).eval()
    streaming = to_streaming(network, torch.randn(1, 2, 48))
    late = streaming.delay_samples
    x = torch.randn(1, 2, 200)
    y = torch.cat([streaming(block) for block in x.split([1, 2, 60, 7, 130], 2)], 2)
    with torch.no_grad():
        torch.testing.assert_close(y[:, :, late:], network(x)[:, :, : 200 - late], rtol=1e-5, atol=1e-5)


def test_a_sum_of_exponentials_goes_on_from_far_below_and_to_far_above() -> None:
    streaming = to_streaming(_Alone(), torch.randn(1, 1, 32))
    x = torch.tensor([-2000.0, -2000.5, -1200.0, 3.0, 2.5, 900.0]).view(1, 1, -1)
    y = torch.cat([streaming(block) for block in x.split(2, 2)], 2)
    torch.testing.assert_close(y, torch.logcumsumexp(x.double(), 2).float())


class _Alone(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.logcumsumexp(x, 2)


class Places(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cummax(x, 2)[1].float()


def test_places_of_extremes_are_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"getitem|cummax"):
        to_streaming(Places(), torch.randn(1, 1, 32))


def test_the_streams_graph_plays_alone() -> None:
    graph = to_streaming(_Alone(), torch.randn(1, 1, 32)).graph
    assert [state.name for state in graph.states] == ["logcumsumexp"]
    assert torch.isfinite(GraphPlayer(graph)(torch.zeros(1, 1, 4))).all()
