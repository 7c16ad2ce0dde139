"""State in places that few people use: taken where it can be found, else refused by the name of the place."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError
from neutone_like.graph import GraphPlayer, capture


class InDeque(nn.Module):
    """The means of the last three blocks, the oldest of which falls out by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.means: deque[Tensor] = deque([torch.zeros(1, 1, 1)] * 3, maxlen=3)

    def forward(self, x: Tensor) -> Tensor:
        self.means.append(x.mean(-1, keepdim=True))
        return x - self.means[0] + self.means[1] * self.means[2]


class Level:
    """An object without a dictionary of attributes."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = torch.zeros(1, 1, 1)


class Also:
    """With one beside what it lists."""

    __slots__ = ("__dict__", "__weakref__", "value")

    def __init__(self) -> None:
        self.value, self.other = torch.zeros(1, 1, 1), torch.zeros(1, 1, 1)


class InSlots(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.level = Level()

    def forward(self, x: Tensor) -> Tensor:
        self.level.value = 0.9 * self.level.value + 0.1 * x.mean(-1, keepdim=True)
        return x - self.level.value


class InBoth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.level = Also()

    def forward(self, x: Tensor) -> Tensor:
        self.level.value = 0.9 * self.level.value + 0.1 * x.mean(-1, keepdim=True)
        self.level.other = 0.5 * self.level.other + 0.5 * self.level.value
        return x - self.level.other


@pytest.mark.parametrize(
    ("kind", "names"),
    [(InDeque, ["means.1", "means.2"]), (InSlots, ["level.value"]), (InBoth, ["level.other", "level.value"])],
)
def test_deques_and_objects_with_slots_hold_state(kind: type[nn.Module], names: list[str]) -> None:
    graph = capture(kind(), torch.rand(1, 1, 48))
    assert [state.name for state in graph.states] == names
    network, player = kind(), GraphPlayer(graph)
    for samples in (1, 7, 48, 5, 5, 100, 2):
        x = torch.rand(1, 1, samples)
        torch.testing.assert_close(player(x.clone()), network(x.clone()))


class Smoothed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.level = torch.zeros(1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.level = 0.9 * self.level + 0.1 * x.mean(-1, keepdim=True)
        return x - self.level


class PlainList(nn.Module):
    """PyTorch does not know of its layers: they are in no module list."""

    def __init__(self, layer: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.layers = [layer(), layer()]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def closed_over() -> Callable[[Tensor], Tensor]:
    held = [torch.zeros(1, 1, 1)]

    def smoothed(x: Tensor) -> Tensor:
        held[0] = 0.9 * held[0] + 0.1 * x.mean(-1, keepdim=True)
        return x - held[0]

    return smoothed


class InClosure(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.smooth = closed_over()

    def forward(self, x: Tensor) -> Tensor:
        return self.smooth(x)


class InParameter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        self.level.data = 0.9 * self.level.data + 0.1 * x.mean()
        return x - self.level


class EveryFifth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls, self.level = 0, torch.zeros(1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls % 5 == 0:
            self.level = x.mean(-1, keepdim=True)
        return x - self.level


class ThroughNumPy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.from_numpy(x.numpy() * 2)  # the line that the message must show


class Settled(nn.Module):
    """Notes in its first call that it was called, and the block's length, which is not why it is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.table = False, torch.zeros(1)

    def forward(self, x: Tensor) -> Tensor:
        self.called = True
        if self.table.size(0) != x.size(-1):
            self.table = torch.linspace(0.0, 1.0, x.size(-1))
        return x * self.table * torch.from_numpy(x.numpy() * 2)


class Ends(nn.Module):
    """Fails once all of its copies together were called so often."""

    calls, most = 0, 1 << 30

    def forward(self, x: Tensor) -> Tensor:
        Ends.calls += 1
        if Ends.calls > Ends.most:
            raise IndexError("none is left")
        return x * torch.from_numpy(x.numpy() * 2)


class ThroughLists(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tensor(x.mean(-1).tolist())


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (PlainList(Smoothed), r"something in layers.0 \(Smoothed\), layers.1 \(Smoothed\).*nn.ModuleList"),
        (InClosure(), r"something in smooth \(function\)"),
        (InParameter(), r"level, a parameter, is changed by calls\. Register it as a buffer"),
        (EveryFifth(), r"level changes in some calls.*Write it in each"),
        (ThroughNumPy(), r"values out of PyTorch at .*test_lost_state.py:\d+: calculate there with tensors"),
        (Settled(), r"no attribute shows why.*values out of PyTorch at .*test_lost_state.py:\d+"),
        (ThroughLists(), r"values out of PyTorch at .*test_lost_state.py:\d+"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, nn.Module) else "",
)
def test_what_would_be_lost_is_refused_by_its_place(network: nn.Module, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        capture(network, torch.rand(1, 1, 48) + 0.1)


def test_a_network_that_fails_while_it_is_asked_why_is_refused_for_what_it_was() -> None:
    Ends.most = 1 << 30
    for fewer in (0, 1, 4):
        Ends.calls, Ends.most = 0, Ends.most - fewer
        with pytest.raises(CaptureError, match="Ends and its graph differ in block 1"):
            capture(Ends(), torch.rand(1, 1, 48) + 0.1)
        Ends.most = Ends.calls


def test_layers_in_a_plain_list_that_keep_nothing_are_taken() -> None:
    network: Any = PlainList(lambda: nn.Conv1d(1, 1, 3, padding=1))
    x = torch.rand(1, 1, 30)
    torch.testing.assert_close(GraphPlayer(capture(network, torch.rand(1, 1, 48)))(x), network(x).detach())


def test_operations_of_pytorchs_own_modules_have_the_lines_of_these() -> None:
    nodes = capture(nn.Sequential(nn.Conv1d(1, 2, 3), nn.Tanh()), torch.rand(1, 1, 48)).nodes
    assert [node.layer for node in nodes] == ["0", "1"]
    files = [Path(node.line.rpartition(":")[0]).name for node in nodes]
    assert files == ["conv.py", "activation.py"]
