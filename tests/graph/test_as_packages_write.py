"""What published networks do besides computing: records they return, ``.data``, tensors that are asked for a shape."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError, ModelError
from neutone_like.graph import GraphPlayer, capture, to_torchscript
from neutone_like.streaming import to_streaming


class Named(NamedTuple):
    sound: Tensor
    parts: list[Tensor]


@dataclass
class Record:
    sound: Tensor
    loss: Tensor | None = None


class Ordered(OrderedDict[str, Any]):
    """A dictionary that PyTorch's trees don't know."""


RETURNED: tuple[Any, ...] = (
    lambda y: Named(y, [2.0 * y]),
    lambda y: Record(y),
    lambda y: Ordered(sound=y, more=Record(2.0 * y)),
    lambda y: (y, Named(y, [y])),
)
PLAIN: tuple[Any, ...] = (
    lambda y: (y, [2.0 * y]),
    lambda y: {"sound": y},
    lambda y: {"sound": y, "more": {"sound": 2.0 * y}},
    lambda y: (y, (y, [y])),
)


class Returning(nn.Module):
    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: Tensor) -> Any:
        return self.form(torch.tanh(x))


@pytest.mark.parametrize("number", range(len(RETURNED)))
def test_records_become_plain_tuples_and_dictionaries(number: int) -> None:
    graph = capture(Returning(RETURNED[number]), torch.randn(1, 1, 16))
    x = torch.randn(1, 1, 16)
    expected = PLAIN[number](torch.tanh(x))
    torch.testing.assert_close(GraphPlayer(graph)(x), expected, rtol=0, atol=0)
    if number in (0, 1):  # TorchScript's dictionaries hold one type
        torch.testing.assert_close(to_torchscript(graph)(x), expected, rtol=0, atol=0)


class Old(nn.Module):
    """As before PyTorch 0.4."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(1, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        phase = torch.atan2(self.a(x).data, x.data + 1.0)
        return phase.sum(1, keepdim=True)


class Asking(nn.Module):
    """As for TorchScript, where ``x.shape`` is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        shape = torch.tensor(x.shape)
        y = self.a(x if x.dim() == 3 else x.unsqueeze(0))
        return y.squeeze(0) if len(shape) == 1 else y


@pytest.mark.parametrize("kind", [Old, Asking])
def test_neither_data_nor_a_tensor_of_a_shape_is_frozen(kind: type[nn.Module]) -> None:
    network = kind().eval()
    graph = capture(network, torch.randn(1, 1, 32))
    assert graph.lengths.accepts(17)
    assert not graph.lengths.reason
    x = torch.randn(1, 1, 17)
    with torch.no_grad():
        torch.testing.assert_close(GraphPlayer(graph)(x), network(x), rtol=0, atol=1e-6)


class Looping(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        held, steps = torch.zeros_like(x[..., 0]), list[Tensor]()
        for sample in x.unbind(-1):
            held = 0.9 * held + sample
            steps.append(held)
        return torch.stack(steps, -1)


def test_why_only_one_length_is_taken_is_said() -> None:
    graph = capture(Looping(), torch.randn(1, 1, 4))
    assert (graph.lengths.shortest, graph.lengths.multiple_of) == (4, 0)
    assert "What is calculated depends on the block's length" in graph.lengths.reason
    with pytest.raises(
        ModelError, match=r"16 samples alone.*were tried: What is calculated depends.*no loop of Python"
    ):
        to_streaming(Looping(), torch.randn(1, 1, 16))


class ThenAnotherWay(nn.Module):
    """From some length on, as what cuts long blocks in pieces does."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (2.0 if x.shape[-1] > 81 else 1.0)


def test_a_graph_takes_no_block_for_which_the_network_goes_another_way() -> None:
    graph = capture(ThenAnotherWay(), torch.randn(1, 1, 32))
    assert str(graph.lengths) == "any length, at most 81 samples"
    for play in (GraphPlayer(graph), to_torchscript(graph)):
        assert torch.equal(play(torch.ones(1, 1, 81)), torch.ones(1, 1, 81))
        with pytest.raises((CaptureError, torch.jit.Error), match="at most 81 samples, got 82"):
            play(torch.ones(1, 1, 82))
