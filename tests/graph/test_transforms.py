"""Networks that compute inside torch.vmap, or another function of torch.func, are captured like others."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError
from neutone_like.graph import GraphPlayer, capture, to_torchscript
from neutone_like.streaming import to_streaming


class OverItems(nn.Module):
    """Layers outside it and in it, and a tensor of outside that every item hears."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(3, 3, 3, padding=1), nn.LayerNorm(3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.vmap(lambda item: self.norm(self.conv(item).T).T.tanh() + y)(x).sum(0)


class Remembering(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(2, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        def step(item: Tensor, past: Tensor) -> Any:
            slope = torch.func.grad(lambda each: (each.square() * past).sum())(item)
            return item + slope, past + item.mean(-1, keepdim=True)

        y, self.past = torch.vmap(step)(x, self.past)
        return y


@pytest.mark.parametrize("kind", [OverItems, Remembering])
def test_they_play_what_the_network_plays(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network = kind().eval()
    graph = capture(network, torch.randn(2, 3, 64))
    assert bool(graph.states) is (kind is Remembering)
    player, script = GraphPlayer(graph), to_torchscript(graph)
    with torch.no_grad():
        for samples in (64, 128, 64):
            x = torch.randn(2, 3, samples)
            expected = network(x)
            torch.testing.assert_close(player(x), expected)
            torch.testing.assert_close(script(x), expected)


class Decimating(nn.Module):
    """A convolution down, and one back up, for each item by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv1d(2, 3, 4, 2, padding=1), nn.ConvTranspose1d(3, 1, 4, 2, padding=1)
        self.norm = nn.LayerNorm(3)

    def one(self, x: Tensor) -> Tensor:
        return self.up(self.norm(self.down(x).mT).mT.tanh())

    def forward(self, x: Tensor) -> Tensor:
        return torch.vmap(self.one)(x)


def test_they_stream_as_without_it() -> None:
    """The conversion itself proves that it is equal in random blocks."""
    torch.manual_seed(0)
    network = Decimating().eval()
    streaming = to_streaming(network, torch.randn(1, 2, 64))
    network.forward = network.one
    plain = to_streaming(network, torch.randn(1, 2, 64))
    assert streaming.delay_samples == plain.delay_samples == 3
    assert streaming.receptive_field_samples == plain.receptive_field_samples


class Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.vmap(torch.tanh)(x)
        return y if y.sum() > 0 else -y


def test_what_decides_by_values_is_refused_all_the_same() -> None:
    with pytest.raises(CaptureError, match=r"Deciding decides by the values.*\n.*test_transforms.py:\d+\n.*y\.sum"):
        capture(Deciding(), torch.randn(1, 1, 64))
