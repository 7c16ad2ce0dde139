"""Graphs written in simpler operations give what they gave, at any length and from block to block."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neutone_like.graph import Graph, GraphPlayer, Node, capture, decompose, functional, operation, without_writes
from neutone_like.graph.proving import is_close

LENGTHS = (48, 31, 64, 1, 48)


def noise(channels: int, samples: int) -> Tensor:
    return 0.5 * torch.randn(1, channels, samples)


def same(first: Graph, second: Graph, channels: int, lengths: tuple[int, ...] = LENGTHS) -> bool:
    """Whether both give the same, block after block, in float64."""
    players = [GraphPlayer(each, torch.float64) for each in (first, second)]
    peaks: list[float] = []
    for samples in lengths:
        x = noise(channels, samples).double()
        if not is_close(players[1](x.clone()), players[0](x.clone()), peaks):
            return False
    return True


def blocks(graph: Graph, channels: int) -> list[list[Tensor]]:
    return [[noise(channels, each)] for each in ((15, 16, 33) if graph.lengths.multiple_of == 1 else (48,))]


class Named(nn.Module):
    """A function of one tensor."""

    def __init__(self, function: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.function, self.used = function, nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.used)


BASIC = ("add", "sub", "mul", "div", "exp", "log", "sqrt", "rsqrt", "sum", "mean", "amax", "getitem", "view", "reshape")
COMPOSITE: dict[str, nn.Module] = {
    "softmax": Named(lambda x: F.softmax(x, 1) + F.log_softmax(x, 1)),
    "layer norm": Named(lambda x, norm: norm(x.transpose(1, 2)).transpose(1, 2), nn.LayerNorm(4)),
    "batch norm": nn.BatchNorm1d(4),
    "gelu and gated": Named(lambda x: F.gelu(x) + F.glu(torch.cat([x, x.flip(1)], 1), 1)),
    "activations": Named(lambda x: F.silu(x) + F.elu(x) + F.hardtanh(x) + F.softplus(x)),
    "variance": Named(lambda x: x.var(1, keepdim=True) + x.std(1, keepdim=True) * x),
}


def is_basic(node: Node) -> bool:
    return node.op.removeprefix("aten::").partition(".")[0] in BASIC


@pytest.mark.parametrize("name", COMPOSITE)
def test_an_operation_in_simpler_ones_gives_the_same(name: str) -> None:
    graph = capture(COMPOSITE[name].eval(), noise(4, 48))
    simple = decompose(graph, is_basic, blocks(graph, 4))
    before, after = ([node.op for node in each.nodes] for each in (graph, simple))
    assert after != before
    assert same(graph, simple, 4)
    if name == "softmax":
        assert not any("softmax" in op for op in after)
    lines = {node.line for node in simple.nodes}
    assert lines <= {node.line for node in graph.nodes}


def test_what_may_stay_stays_and_what_has_no_definition_too() -> None:
    graph = capture(Named(lambda x: torch.tanh(F.softmax(x, 1))), noise(2, 48))
    assert decompose(graph, lambda _: True, blocks(graph, 2)) is graph
    simple = decompose(graph, is_basic, blocks(graph, 2))
    assert any(node.op == "aten::tanh.default" for node in simple.nodes)
    solving = Named(lambda x: torch.linalg.solve(torch.eye(2) + x.mean(-1) * x.mean(-1).mT, x))
    graph = capture(solving, noise(2, 48))
    assert same(graph, decompose(graph, is_basic, blocks(graph, 2)), 2)


class Writing(nn.Module):
    """Writes into parts of tensors, of its own state too; writing back into whole ones is left to another pass."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, 0] += x[:, 1] + self.past[:, 0, :1]
        y[:, 1, :1] = 2.0 * x[:, 0, :1]
        y.mul_(0.5)
        self.past[:, :, :1] = x[..., -1:]
        self.past[:, 1].add_(0.1)
        return y + self.past[:, :, :1]


def writes(graph: Graph) -> bool:
    return any(node.op != "getitem" and operation(node.op)._schema.is_mutable for node in graph.nodes)


def test_writes_into_parts_become_new_tensors() -> None:
    graph = capture(Writing(), noise(2, 48))
    assert writes(graph)
    whole = without_writes(functional(graph, blocks(graph, 2)))
    assert not writes(whole)
    assert same(graph, whole, 2)


def test_without_the_writes_something_else_comes_out() -> None:
    """The control."""
    graph = capture(Writing(), noise(2, 48))
    other = functional(capture(Named(lambda x: 0.5 * x), noise(2, 48)), [[noise(2, 48)]])
    assert not same(graph, other, 2)


def test_a_sample_near_zero_is_held_against_the_blocks_before() -> None:
    """By itself the rounding of one sample is a large part of it."""
    loud, off = torch.tensor([1.0, -0.5]), torch.tensor([1e-4])
    near = off + 1e-7
    assert not is_close(near, off)
    assert not is_close(near, off, [])
    peaks: list[float] = []
    assert is_close(loud, loud, peaks)
    assert peaks == [1.0]
    assert is_close(near, off, peaks)
    assert not is_close(off + 1e-3, off, peaks)
    assert peaks == [1.0]


class Cancelling(nn.Module):
    """A sum of large numbers that is near zero now and then."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.convolution = nn.Conv1d(2, 1, 1)
        self.mixed = nn.Conv1d(16, 2, 1)
        self.spread = nn.Conv1d(2, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(torch.tanh(self.mixed(torch.tanh(30.0 * self.spread(x))))) - self.convolution.bias


def test_networks_whose_output_crosses_zero_take_blocks_of_one_sample() -> None:
    assert capture(Cancelling(), noise(2, 64)).lengths.shortest == 1
