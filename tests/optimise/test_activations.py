"""Activations in 8 bits: integer arithmetic, ranges, what is left alone, training, and every form that plays them."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from neutone_like.errors import AudioError, ModelError, ParameterError
from neutone_like.optimise import quantise
from neutone_like.optimise.quantising.grid import Grid
from neutone_like.optimise.quantising.rounded_layers import InputGrid, leave_inputs, round_inputs
from neutone_like.streaming import Conv1d, ConvTranspose1d, reset_streaming
from support.rounding_networks import SOUND, live, quantised, seeded


class Network(nn.Module):
    """Two layers that are rounded, one whose weight is used without calling it, and a recurrent one."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, width, 8)
        self.conv = nn.Conv1d(width, width, 3, dilation=2)
        self.unheard = nn.Linear(width, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.last = nn.Linear(width, 12)

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to ``[1, N]``."""
        y = torch.tanh(self.first(F.pad(4.0 * x, (7, 0))))
        y = torch.tanh(self.conv(F.pad(y, (4, 0))))
        hidden, _ = self.lstm(y.T)
        return self.last(hidden + F.linear(y.T, self.unheard.weight)).mean(1, keepdim=True).T


def network() -> Network:
    return seeded(Network)


def integers(x: Tensor, scale: float, zero_point: int = 0) -> NDArray[np.int32]:
    """By division, in float64, and with the limits of a byte."""
    whole = np.rint(x.detach().double().numpy() / scale) + zero_point
    return np.clip(whole, -128, 127).astype(np.int32)


LAYERS: list[tuple[Callable[[], Any], Callable[[Any, Any], Any]]] = [
    (lambda: nn.Linear(12, 9), lambda layer, x: x),
    (lambda: nn.Conv1d(12, 9, 3, dilation=2), lambda layer, x: x),
    (lambda: nn.Conv1d(12, 8, 5, stride=2, padding=2, groups=4), lambda layer, x: x),
    (lambda: nn.Conv2d(12, 8, (2, 3), padding=1), lambda layer, x: x),
    (lambda: nn.ConvTranspose1d(12, 9, 4, stride=2), lambda layer, x: x),
    (lambda: Conv1d(12, 9, 3, dilation=2), lambda layer, x: F.pad(x, (4, 0))),
    (lambda: ConvTranspose1d(12, 9, 4, stride=2), lambda layer, x: x),
]


def by_brute_force(layer: Any, x: NDArray[np.int64], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of products of whole numbers, in loops over taps; a linear layer's, ``[rows, inputs]``."""
    if isinstance(layer, nn.Linear):
        return x @ weight.T
    as_list = lambda value: list(value) if isinstance(value, tuple) else [value]  # noqa: E731
    stride, dilation = as_list(layer.stride), as_list(layer.dilation)
    taps, groups = weight.shape[2:], layer.groups
    is_transposed = isinstance(layer, (nn.ConvTranspose1d, ConvTranspose1d))
    if is_transposed:
        made = np.zeros(
            (x.shape[0], weight.shape[1], (x.shape[2] - 1) * stride[0] + dilation[0] * (taps[0] - 1) + 1), np.int64
        )
        for tap in range(taps[0]):
            at = tap * dilation[0]
            made[:, :, at : at + (x.shape[2] - 1) * stride[0] + 1 : stride[0]] += np.einsum(
                "bin,io->bon", x, weight[:, :, tap]
            )
        return made
    padding = as_list(getattr(layer, "padding", 0))
    x = np.pad(x, [(0, 0), (0, 0), *((each, each) for each in padding)]) if any(padding) else x
    sizes = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(x.shape[2:], dilation, taps, stride, strict=True)]
    parts = []
    for own_x, own in zip(np.split(x, groups, 1), np.split(weight, groups, 0), strict=True):
        made = np.zeros((x.shape[0], own.shape[0], *sizes), np.int64)
        for tap in np.ndindex(*taps):
            seen = tuple(
                slice(t * d, t * d + (n - 1) * s + 1, s)
                for t, d, n, s in zip(tap, dilation, sizes, stride, strict=True)
            )
            made += np.einsum(
                "bi...,oi->bo...", own_x[(slice(None), slice(None), *seen)], own[(slice(None), slice(None), *tap)]
            )
        parts.append(made)
    return np.concatenate(parts, 1)


@pytest.mark.parametrize(("make", "with_past"), LAYERS)
@pytest.mark.parametrize("grid", [InputGrid(0.0146484375, 3), InputGrid(0.0048828125, -128)])
def test_a_layer_is_int8_arithmetic_with_scales(
    make: Callable[[], Any], with_past: Callable[[Any, Any], Any], grid: InputGrid
) -> None:
    """Products of bytes, summed in 32 bits, then times both scales: what the rounded layer gives, to float rounding."""
    layer = seeded(make)
    channel_dim = 1 if isinstance(layer, (nn.ConvTranspose1d, ConvTranspose1d)) else 0
    weight_grid = Grid("int8", channel_dim)
    with torch.no_grad():
        layer.weight.copy_(weight_grid.rounded(layer.weight))
    steps = weight_grid.steps(layer.weight.detach())
    assert steps is not None
    weight = torch.round(layer.weight.detach() / steps).long().numpy()
    shapes: dict[type, tuple[int, ...]] = {nn.Linear: (40, 12), nn.Conv2d: (1, 12, 7, 20)}
    shape = shapes.get(type(layer), (1, 12, 40))
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    whole = integers(x, grid.scale, grid.zero_point) - grid.zero_point
    sums = by_brute_force(layer, with_past(layer, torch.from_numpy(whole.astype(np.int64))).numpy(), weight)
    assert np.abs(sums).max() < 2**31
    per_channel = steps.movedim(channel_dim, 0).flatten(1)[:, 0].double().numpy()
    bias: Any = layer.bias
    is_linear = isinstance(layer, nn.Linear)
    along = (1, -1) if is_linear else (1, -1, *([1] * (sums.ndim - 2)))
    wanted = sums * (grid.scale * per_channel).reshape(along) + bias.detach().double().numpy().reshape(along)
    round_inputs(layer, grid)
    with torch.no_grad():
        made = layer(x).double().numpy()
    wanted = wanted[..., : made.shape[-1]]  # a stream keeps the rest for its next block
    assert np.abs(made - wanted).max() <= 2e-6 * np.abs(wanted).max()
    leave_inputs(layer)
    reset_streaming(layer)
    with torch.no_grad():
        assert np.abs(layer(x).double().numpy() - wanted).max() > 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.0, 3.0), (-2.0, 0.0), (0.5, 0.7), (-0.001, 1.0), (0.0, 0.0)])
def test_a_grid_reaches_over_its_range_and_holds_zero(ends: tuple[float, float]) -> None:
    grid = InputGrid.of_range(*ends)
    x = torch.tensor([0.0, *ends])
    rounded = torch.fake_quantize_per_tensor_affine(x, grid.scale, grid.zero_point, -128, 127)
    assert rounded[0] == 0.0
    assert float((rounded - x).abs().max()) <= 1.01 * grid.scale
    assert grid.scale == float(torch.tensor(grid.scale).bfloat16())
    assert max(ends + (0.0,)) - min(ends + (0.0,)) <= 255 * grid.scale
    assert bool(grid.beyond(torch.tensor([300.0 * grid.scale])).all())
    assert not bool(grid.beyond(0.99 * x).any())


def test_which_layers_round_and_why_others_do_not() -> None:
    original = network()
    result = quantised(original)
    told = {each.name: (each.precision, each.reason) for each in result.activations}
    assert told == {
        "first": ("int8", ""),
        "conv": ("int8", ""),
        "unheard": ("float32", "it was not called as a layer"),
        "lstm": ("float32", "recurrent layers stay as they are"),
        "last": ("int8", ""),
    }
    assert list(result.model.state_dict()) == list(original.state_dict())
    assert isinstance(result.model.conv, nn.Conv1d)
    levels = torch.unique(given_to(result.model, "conv"))
    assert len(levels) <= 256
    assert len(torch.unique(given_to(original, "conv"))) > 1000


def given_to(model: Any, name: str) -> Tensor:
    """What a layer multiplies: what its kind of layer without rounding is called with."""
    found: list[Tensor] = []
    layer = copy.deepcopy(model).get_submodule(name)
    function = F.conv1d

    def heard(x: Tensor, *more: Any, **named: Any) -> Tensor:
        if more and more[0] is layer.weight:
            found.append(x)
        return function(x, *more, **named)

    holder = copy.deepcopy(model)
    layer = holder.get_submodule(name)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(F, "conv1d", heard)
        holder(torch.from_numpy(SOUND))
    return found[0]


def test_more_is_lost_than_by_weights_alone_and_each_layer_says_how_much() -> None:
    weights, both = quantised(network(), activations=None), quantised(network(), error_limit=0.5)
    assert weights.quality is not None
    assert both.quality is not None
    assert weights.activations == ()
    assert weights.quality.error_to_signal_ratio < both.quality.error_to_signal_ratio < 0.01
    assert all(each.error_alone is not None for each in both.activations if each.precision == "int8")
    assert "activations: int8 in" in str(both)


def test_layers_that_cost_too_much_are_left_alone() -> None:
    def rounded(limit: float | None) -> set[str]:
        result = quantised(network(), error_limit=limit)
        assert result.quality is not None
        assert limit is None or result.quality.error_to_signal_ratio <= limit
        dear = [each.name for each in result.activations if each.reason == "it costs too much"]
        assert all(type(result.model.get_submodule(name)) in (nn.Conv1d, nn.Linear) for name in dear)
        return {each.name for each in result.activations if each.precision == "int8"}

    everything = rounded(None)
    whole = quantised(network()).quality
    alone = quantised(network(), activations=None).quality
    assert whole is not None
    assert alone is not None
    some = rounded((whole.error_to_signal_ratio * alone.error_to_signal_ratio) ** 0.5)
    assert some < everything
    assert some
    with pytest.raises(ParameterError, match="no layer's activations can be quantised for so little"):
        rounded(0.5 * alone.error_to_signal_ratio)


def test_loud_sound_is_clipped_where_only_quiet_sound_was_heard_and_that_is_told() -> None:
    quiet, loud = quantised(live(), audio=0.02 * SOUND), quantised(live(), audio=SOUND / np.abs(SOUND).max())
    shares = [
        max(each.clipped_at_full_scale or 0.0 for each in result.activations if each.precision == "int8")
        for result in (quiet, loud)
    ]
    assert shares[0] > 0.05 > 0.002 > shares[1]
    assert "calibrate with the" in str(quiet)
    # It is so: what is heard at full scale is far from the original for the one, and near for the other.
    whole = torch.from_numpy(SOUND / np.abs(SOUND).max())
    errors: list[float] = []
    for result in (quiet, loud):
        with torch.no_grad():
            wanted = live().do_forward_pass(whole, {})
            made = copy.deepcopy(result.model).do_forward_pass(whole, {})
        errors.append(float((made - wanted).square().sum() / wanted.square().sum()))
    assert errors[0] > 50.0 * errors[1]


class NotLoud(Network):
    """Takes nothing near full scale."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to ``[1, N]``."""
        if float(x.abs().max()) > 0.99:
            raise ValueError("too loud")
        return super().forward(x)


def test_full_scale_is_not_played_where_no_activations_are_rounded() -> None:
    whole = SOUND / np.abs(SOUND).max()
    with pytest.raises(ValueError, match="too loud"):
        seeded(NotLoud)(torch.from_numpy(whole))
    assert quantised(seeded(NotLoud), audio=0.5 * whole, activations=None).quality is not None


def test_training_feels_the_rounding() -> None:
    original = network()
    kinds: list[Any] = []

    def train(model: Any) -> None:
        kinds.append((model.conv.input_scale, len(torch.unique(given_to_conv(model)))))
        optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, 80)
        x = torch.from_numpy(SOUND[:, :1024])
        target = original(x).detach()
        for _ in range(80):
            loss = (model(x) - target).square().mean() / target.square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()

    nearest = quantised(network(), "int4")
    trained = quantised(network(), "int4", fine_tune=train)
    assert kinds[0][1] <= 256
    assert nearest.quality is not None
    assert trained.quality is not None
    assert trained.quality.error_to_signal_ratio < 0.8 * nearest.quality.error_to_signal_ratio
    assert trained.model.conv.input_scale == kinds[0][0]
    assert [each.precision for each in trained.activations] == [each.precision for each in nearest.activations]
    assert not any("parametrizations" in name for name, _ in trained.model.named_parameters())


def given_to_conv(model: Any) -> Tensor:
    x = torch.tanh(model.first(F.pad(4.0 * torch.from_numpy(SOUND), (7, 0)))).detach()
    return torch.fake_quantize_per_tensor_affine(x, model.conv.input_scale, model.conv.input_zero_point, -128, 127)


def other_rate() -> None:
    quantise(live(), "int8", SOUND, sample_rate=44100, activations="int8")


def only_recurrent() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, 12)

        def forward(self, x: Tensor) -> Tensor:
            return self.lstm(x.T)[0].mean(1, keepdim=True).T

    quantised(seeded(Recurrent))


REFUSED: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: quantised(live(), audio=None), AudioError, "activations: how far they reach .* Pass audio"),
    (lambda: quantised(live(), audio=0.0 * SOUND), AudioError, "the audio is silent"),
    (other_rate, AudioError, "a rate of the model, 48000 Hz, got 44100 Hz"),
    (lambda: quantised(live(), activations="int4"), ParameterError, "expected \"int8\", with .* got 'int4'"),
    (lambda: quantised(live(), "fp16"), ParameterError, "got 'int8' with 'fp16'"),
    (lambda: quantised(live(), "mixed", error_limit=0.1), ParameterError, "got 'int8' with 'mixed'"),
    (lambda: quantised(live(), error_limit=0.0), ParameterError, "error_limit: expected a finite number above 0"),
    (
        lambda: quantised(quantised(live()).model),
        ModelError,
        r"model\.convs\.0 is quantised already: it rounds what it is given",
    ),
    (only_recurrent, ModelError, "no layer can round what it is given. lstm: recurrent layers stay"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_refused(call: Callable[[], object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
