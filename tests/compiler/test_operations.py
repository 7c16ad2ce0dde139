"""Every kind of operation that compiles, against PyTorch in float64, at several block lengths and instruction sets."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from neutone_like.compiler import plan_graph
from neutone_like.runtime.native_module import native_module
from support.compiled_networks import Function, captured, noise, opened, play_beside
from support.operations import ELEMENTWISE, LAYERS, MOVEMENT, REDUCTIONS, SIZES, Causal


@pytest.mark.parametrize(
    "name",
    [*ELEMENTWISE, *(f"{each} (movement)" for each in MOVEMENT), *(f"{each} (reduction)" for each in REDUCTIONS)],
)
def test_an_operation_gives_what_float64_does(name: str) -> None:
    body = {
        **ELEMENTWISE,
        **{f"{k} (movement)": v for k, v in MOVEMENT.items()},
        **{f"{k} (reduction)": v for k, v in REDUCTIONS.items()},
    }[name]
    graph = captured(Function(body), channels=6)
    for kernels in native_module().compiled_kernels():
        found = play_beside(graph, noise(6, SIZES), kernels)
        assert found.good, (kernels, found)
        assert found.peak > 0.01


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_what_float64_does(name: str) -> None:
    make, channels = LAYERS[name]
    graph = captured(make(), channels)
    for kernels in native_module().compiled_kernels():
        found = play_beside(graph, noise(channels, SIZES), kernels)
        assert found.good, (kernels, found)


@pytest.mark.parametrize("seed", range(8))
def test_a_convolution_of_any_form_keeps_its_past(seed: int) -> None:
    """Short and long pasts: both kinds of rings, gone round several times."""
    torch.manual_seed(seed)

    def pick(*choices: int) -> int:
        return choices[int(torch.randint(len(choices), ()))]

    groups = pick(1, 1, 2, 3)
    channels, outputs = groups * pick(1, 2, 5), groups * pick(1, 3, 8)
    network = Causal(channels, outputs, pick(2, 3, 9, 33), pick(1, 2, 7, 40), groups)
    sizes = [pick(1, 2, 16, 31, 64, 150) for _ in range(24)]
    found = play_beside(captured(network, channels), noise(channels, sizes))
    assert found.good, found


class Counted(nn.Module):
    """A ramp that begins anew every second, at a place that is counted as a number or as a tensor."""

    def __init__(self, samples: int, in_python: bool) -> None:
        super().__init__()
        self.samples: int | Tensor = samples
        if not in_python:
            del self.samples
            self.register_buffer("samples", torch.tensor(samples))

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.samples, int):
            places = torch.arange(self.samples, self.samples + x.shape[-1])
        else:
            places = torch.arange(x.shape[-1]) + self.samples
        self.samples = self.samples + x.shape[-1]
        return 0.1 * x + (places % 48000).float() / 48000


@pytest.mark.parametrize("in_python", [True, False])
def test_what_counts_samples_is_exact_after_months(in_python: bool) -> None:
    """float32 counts to 349 seconds of 48 kHz, and 32 bits to half a day."""
    for samples in (0, 2**24 + 3, 2**40 + 7):
        found = play_beside(captured(Counted(samples, in_python), 1), noise(1, (64, 1, 37)))
        assert found.good, (samples, found)


class Recurrent(nn.Module):
    """A recurrent layer that keeps its state."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer
        self.state: object = None

    def forward(self, x: Tensor) -> Tensor:
        y, self.state = self.layer(x.transpose(1, 2), self.state)
        return y.transpose(1, 2)[:, :40]


@pytest.mark.parametrize("hidden", [1, 8, 16, 24, 40, 70])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_keeps_its_state(kind: Callable[..., nn.RNNBase], hidden: int) -> None:
    layers = 2 if hidden == 8 else 1
    network = Recurrent(kind(3, hidden, num_layers=layers, batch_first=True, bias=hidden != 24))
    graph = captured(network, 3)
    for kernels in native_module().compiled_kernels():
        found = play_beside(graph, noise(3, SIZES, level=2.0), kernels)
        assert found.good, (kernels, found)


class Frames(nn.Module):
    """Strides and transposed convolutions: only blocks of whole frames."""

    def __init__(self, stride: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.down = nn.Conv1d(2, 6, kernel, stride=stride, padding=(kernel - stride) // 2, groups=groups)
        self.up = nn.ConvTranspose1d(6, 2, kernel, stride=stride, padding=(kernel - stride) // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(torch.tanh(self.down(x)))


@pytest.mark.parametrize(("stride", "kernel", "groups"), [(2, 4, 1), (4, 8, 2), (8, 8, 1), (3, 9, 1)])
def test_frames_are_made_and_put_together(stride: int, kernel: int, groups: int) -> None:
    graph = captured(Frames(stride, kernel, groups), 2, samples=16 * stride)
    granule = -(-64 // (16 * stride)) * 16 * stride
    native = opened(plan_graph(graph, block_size=granule))
    found = play_beside(graph, noise(2, (granule, granule)), native=native)
    assert found.good, found
