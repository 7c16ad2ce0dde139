"""Graphs without operations that write into their arguments."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.errors import CaptureError
from neutone_like.graph import GraphPlayer, capture, without_writes


class Written(nn.Module):
    def __init__(self, play: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.play = play

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


def _twice(x: Tensor) -> Tensor:
    y = x * 2.0
    y += 1.0
    z = y.transpose(1, 2)
    return z.transpose(1, 2) + y


def _one_after_another(x: Tensor) -> Tensor:
    y = F.relu(x * 2.0 - 1.0, inplace=True)
    y.mul_(3.0).add_(y)
    return torch.tanh_(y)


def _view_afterwards(x: Tensor) -> Tensor:
    y = x * 2.0
    y.add_(1.0)
    return y[..., 1:] * y[..., :-1]


@pytest.mark.parametrize("play", [_twice, _one_after_another, _view_afterwards])
def test_the_same_without_a_write(play: Callable[[Tensor], Tensor]) -> None:
    x = torch.randn(1, 2, 16)
    graph = without_writes(capture(Written(play), x))
    assert not any(node.op.partition(".")[0].endswith("_") for node in graph.nodes)
    assert torch.equal(GraphPlayer(graph)(x), play(x.clone()))


def _into_a_part(x: Tensor) -> Tensor:
    y = x * 2.0
    y[..., :4] = 0.0
    return y


def _seen_through_a_view(x: Tensor) -> Tensor:
    y = x * 2.0
    z = y.transpose(1, 2)
    y.add_(1.0)
    return z


@pytest.mark.parametrize("play", [_into_a_part, _seen_through_a_view])
def test_writes_into_a_part_are_refused_by_line(play: Callable[[Tensor], Tensor]) -> None:
    graph = capture(Written(play), torch.randn(1, 2, 16))
    with pytest.raises(CaptureError, match=r"test_in_place\.py:\d+ writes into a part"):
        without_writes(graph)
