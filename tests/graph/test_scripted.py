"""Networks that come as TorchScript, their Python code lost: captured like any other."""

import io

import torch
from torch import Tensor, nn

from neutone_like.graph import GraphPlayer, capture


class Inner(nn.Module):
    """An attribute that begins empty, as voice detectors have it, and a list."""

    large: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.context = torch.zeros(0)
        self.levels = [torch.zeros(1), torch.zeros(1)]
        self.register_buffer("large", torch.randn(1000, 1000))

    def forward(self, x: Tensor) -> Tensor:
        if len(self.context) == 0:
            self.context = torch.zeros(1, 1, 3)
        heard = torch.cat([self.context, x], 2)
        self.context = heard[:, :, -3:]
        self.levels[1] = 0.5 * self.levels[1] + x.abs().mean()
        return heard[:, :, :-3] * self.large[0, 0] + self.levels[1]


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.inner(x))


def loaded() -> nn.Module:
    """Saved and read again, as a package ships it."""
    torch.manual_seed(0)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Outer()), file)
    file.seek(0)
    return torch.jit.load(file)


@torch.no_grad()
def test_state_of_scripted_submodules_is_found_and_large_buffers_take_no_time() -> None:
    """TorchScript prints an attribute's name with its value only: a million numbers here, and again in every trace."""
    script = loaded()
    graph = capture(nn.Sequential(script), torch.randn(1, 1, 64))
    assert {state.name for state in graph.states} == {"0.inner.context", "0.inner.levels.1"}
    play = GraphPlayer(graph)
    for length in (64, 7, 1, 64):
        x = torch.randn(1, 1, length)
        torch.testing.assert_close(play(x), script(x))
