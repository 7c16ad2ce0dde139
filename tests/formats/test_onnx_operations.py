"""Every operation that has a form in ONNX, played by ONNX Runtime, against PyTorch in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neutone_like.errors import CompileError
from neutone_like.graph import capture, whole_recurrences
from neutone_like.optimise import quantise
from neutone_like.streaming import Biquad
from support.compiled_networks import Function, captured, noise
from support.onnx_networks import OnnxNetwork, play_onnx_beside
from support.operations import ELEMENTWISE, LAYERS, MOVEMENT, REDUCTIONS, SIZES, Causal

OPERATIONS = {**ELEMENTWISE, **MOVEMENT, **{f"{name}, reduced": body for name, body in REDUCTIONS.items()}}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_gives_what_float64_does(name: str) -> None:
    found = play_onnx_beside(captured(Function(OPERATIONS[name]), channels=6), noise(6, SIZES))
    assert found.good, found
    assert found.peak > 0.01


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_what_float64_does(name: str) -> None:
    make, channels = LAYERS[name]
    found = play_onnx_beside(captured(make(), channels), noise(channels, SIZES))
    assert found.good, found


@pytest.mark.parametrize("seed", range(6))
def test_a_convolution_keeps_its_past(seed: int) -> None:
    torch.manual_seed(seed)
    groups, kernel, dilation = 1 + seed % 3, 1 + seed, 1 + 3 * (seed % 2)
    layer = Causal(2 * groups, 3 * groups, kernel, dilation, groups)
    found = play_onnx_beside(captured(layer, 2 * groups), noise(2 * groups, SIZES))
    assert found.good, found


class Recurrent(nn.Module):
    """A recurrent layer of any kind that keeps its state."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer
        shape = (layer.num_layers, 1, layer.hidden_size)
        state = torch.zeros(shape)
        self.state = (state, state.clone()) if isinstance(layer, nn.LSTM) else state

    def forward(self, x: Tensor) -> Tensor:
        y, self.state = self.layer(x.transpose(1, 2), self.state)
        return y.transpose(1, 2)


RECURRENT: dict[str, Callable[[], nn.RNNBase]] = {
    "LSTM": lambda: nn.LSTM(3, 8, batch_first=True),
    "LSTM of two layers": lambda: nn.LSTM(3, 8, 2, batch_first=True),
    "LSTM without biases": lambda: nn.LSTM(3, 8, bias=False, batch_first=True),
    "GRU": lambda: nn.GRU(3, 8, batch_first=True),
    "tanh": lambda: nn.RNN(3, 8, batch_first=True),
    "relu": lambda: nn.RNN(3, 8, nonlinearity="relu", batch_first=True),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_keeps_its_state_at_any_length(name: str) -> None:
    torch.manual_seed(3)
    found = play_onnx_beside(captured(Recurrent(RECURRENT[name]()), 3), noise(3, SIZES))
    assert found.good, found
    assert found.peak > 0.01


def test_both_directions_of_a_recurrent_layer() -> None:
    torch.manual_seed(4)
    layer = nn.GRU(3, 5, batch_first=True, bidirectional=True)
    network = Function(lambda x, layer: layer(x.transpose(1, 2))[0].transpose(1, 2), layer)
    found = play_onnx_beside(captured(network, 3), noise(3, SIZES))
    assert found.good, found


def test_a_recursive_filter_is_a_loop_over_any_number_of_samples() -> None:
    with whole_recurrences():
        graph = capture(Biquad(torch.tensor([[0.2, 0.3, 0.2, 1.0, -0.9, 0.5]])), 0.4 * torch.randn(1, 2, 48))
    network = OnnxNetwork(graph)
    assert b"Scan" in network.data
    found = play_onnx_beside(graph, noise(2, SIZES))
    assert found.good, found


def _put_back(x: Tensor, length: int, size: int, step: int) -> Tensor:
    """Windows over the channels, added where they were."""
    windows = x.unfold(1, size, step).permute(0, 2, 3, 1).flatten(0, 1)
    return F.fold(windows, (1, length), (1, size), stride=(1, step))[:, 0, 0].t()[None]


class Counting(nn.Module):
    """Counts samples in Python, as oscillators do."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0

    def forward(self, x: Tensor) -> Tensor:
        phase = 0.01 * (torch.arange(x.size(-1)) + self.heard)
        self.heard += x.size(-1)
        return x * torch.sin(phase)


def test_a_count_in_python_is_a_state() -> None:
    graph = captured(Counting(), 2)
    assert [each.initial for each in graph.counters] == [0]
    found = play_onnx_beside(graph, noise(2, SIZES))
    assert found.good, found
    assert found.peak > 0.1


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "windows": lambda x: x.unfold(1, 4, 2).sum(-1),
    "windows of odd length": lambda x: x.unfold(1, 3, 2).sum(-1),
    "windows put back": lambda x: _put_back(x, 6, 4, 2),
    "windows of odd length put back": lambda x: F.pad(_put_back(x[:, :5], 5, 3, 2), (0, 0, 0, 1)),
    "diagonal": lambda x: x[:, :4].unflatten(1, (2, 2)).diagonal(0, 1, 2).transpose(1, 2),
    "written into": lambda x: torch.slice_scatter(x, 2.0 * x[:, 1:3], 1, 1, 3),
    "every other one written": lambda x: torch.slice_scatter(x, 2.0 * x[:, ::2], 1, 0, 6, 2),
    "padded": lambda x: F.pad(x, (0, 0, 2, 1), value=0.5),
    "sorted out": lambda x: torch.where(torch.isnan(torch.relu(x) / torch.relu(x)), x, x.sign()),
    "whole quotients": lambda x: torch.floor_divide((x * 10).round() / 10 + 1.0, 0.1) + torch.floor_divide(x, -0.3),
    "whole numbers": lambda x: torch.relu((x * 9).long()).floor().float() + (x * 9).int().round(),
    "complex table": lambda x: torch.view_as_real(x * torch.polar(torch.ones(6, 1), torch.arange(6.0)[:, None])).sum(
        -1
    ),
    "yes and no": lambda x: ((x > 0) & (x < 0.3) | ~(x > -0.2)).float() + (x > 0).any(1, keepdim=True).float(),
    "several places": lambda x: x.transpose(0, 1)[torch.tensor([1, 3, 5])].transpose(0, 1),
    "largest with its place": lambda x: x.max(1, keepdim=True)[0] + x.min(1, keepdim=True)[1].float(),
    "complex": lambda x: torch.view_as_real(torch.polar(x.abs(), 3.0 * x) * (1 + 2j)).flatten(1, 2).flatten(2),
}


@pytest.mark.parametrize("name", OTHERS)
def test_rarer_operations(name: str) -> None:
    graph = captured(Function(OTHERS[name]), channels=6)
    if name == "complex":  # of another length than the block
        network = OnnxNetwork(graph)
        for block in noise(6, (48, 17)):
            assert torch.allclose(network(block), OTHERS[name](block), atol=1e-5)
        return
    found = play_onnx_beside(graph, noise(6, SIZES))
    assert found.good, found


def test_a_network_that_gives_nan_or_another_shape_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = captured(Function(torch.tanh), channels=6)
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda self, x: torch.full_like(x, torch.nan))
    assert not play_onnx_beside(graph, noise(6, SIZES)).good
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda self, x: torch.tanh(x[:, :1]))
    with pytest.raises(AssertionError):
        play_onnx_beside(graph, noise(6, SIZES))


def test_tables_of_spectra_are_those_of_the_transform() -> None:
    for points in (5, 48):
        graph = capture(
            Function(lambda x, n=points: torch.view_as_real(torch.fft.rfft(x, n=n)).flatten(2)),
            torch.randn(1, 2, points),
        )
        block = torch.randn(1, 2, points)
        bins = np.fft.rfft(block.numpy())
        wanted = np.stack([bins.real, bins.imag], -1).reshape(1, 2, -1)
        np.testing.assert_allclose(OnnxNetwork(graph)(block), wanted, atol=2e-5)
    for points in (5, 48, 96):
        graph = capture(
            Function(lambda x, n=points: torch.fft.irfft(torch.fft.rfft(x, n=n, norm="ortho"), n=n, norm="ortho")),
            torch.randn(1, 2, points),
        )
        block = torch.randn(1, 2, points)
        assert torch.allclose(OnnxNetwork(graph)(block), block, atol=1e-5)


def test_a_phase_stays_in_tune_over_a_long_block() -> None:
    """ONNX Runtime adds float32 in float32, and would be 0.6 % sharp."""
    cycles = torch.full((1, 1, 480000), 440.0 / 48000.0)
    found = play_onnx_beside(captured(Function(lambda x: x.cumsum(-1)), channels=1), [cycles])
    assert found.good, found
    assert found.peak == pytest.approx(4400.0, abs=1e-3)


def test_a_transposed_matrix_times_a_vector() -> None:
    """ONNX Runtime 1.32 is wrong where the vector has one dimension only."""

    def body(x: Tensor, layer: nn.Linear) -> Tensor:
        turned = x.transpose(1, 2)
        return x * (turned @ layer.weight[0])[:, None] + F.linear(turned, layer.weight[0])[:, None]

    found = play_onnx_beside(captured(Function(body, nn.Linear(6, 1, bias=False)), channels=6), noise(6, SIZES))
    assert found.good, found


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "no form": (lambda x: torch.special.bessel_j0(x), "bessel_j0"),
    "another one": (lambda x: torch.special.digamma(x), "digamma"),
    "a matrix as long as the block": (lambda x: x @ torch.eye(x.size(-1)), "eye"),
    "along no dimension": (lambda x: x * x.mean().softmax(0), "softmax"),
    "complex in double precision": (lambda x: torch.fft.rfft(x.double(), dim=1).abs().float(), "double precision"),
    "complex quotient": (lambda x: torch.view_as_real(1.0 / torch.polar(x, x)).flatten(2), "complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_form_is_refused_by_its_name(name: str) -> None:
    body, word = REFUSED[name]
    with pytest.raises(CompileError, match=word):
        OnnxNetwork(captured(Function(body), channels=6))


@pytest.mark.parametrize(
    ("precision", "group_size", "most"), [("fp16", None, 0.55), ("int8", None, 0.32), ("int4", 8, 0.45)]
)
def test_quantised_weights_are_held_as_such_and_are_the_same_numbers(
    precision: Any, group_size: int | None, most: float
) -> None:
    torch.manual_seed(0)
    lstm = Recurrent(nn.LSTM(16, 64, batch_first=True))
    network = nn.Sequential(Causal(6, 16, 5, 2, 1), nn.Tanh(), lstm, nn.Conv1d(64, 64, 1)).eval()
    small = quantise(network, precision, group_size=group_size, measure=False).model
    large_file, small_file = (OnnxNetwork(captured(each, 6)).data for each in (network, small))
    assert len(small_file) <= most * len(large_file)
    found = play_onnx_beside(captured(small, 6), noise(6, SIZES))
    assert found.good, found


@pytest.mark.parametrize("name", ["of a spectrum", "of real numbers"])
def test_phases(name: str) -> None:
    phases: dict[str, Callable[[Tensor], Tensor]] = {
        "of a spectrum": lambda x: torch.fft.rfft(x, dim=1).angle(),
        "of real numbers": lambda x: x.angle() * x,
    }
    found = play_onnx_beside(captured(Function(phases[name]), channels=6), noise(6, SIZES))
    assert found.good, found
    assert found.peak > 0.01
