"""The proof passes what streams, and each of its checks trips on a layer that is broken in its own way."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import (
    FIR,
    STFT,
    ChannelNorm,
    Conv1d,
    ConvTranspose1d,
    Delay,
    FractionalDelay,
    Interpolate,
    MelSpectrogram,
    OverlapAddCrossfade,
    Pool1d,
    Residual,
    Sequential,
    SilentStart,
    StreamingLayer,
    StreamingReport,
    verify_streaming,
)


class Forgetful(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        self.past = self.initial_past
        return super().forward(x)


class Seeing(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x.mean(2, keepdim=True)


class Remembering(Conv1d):
    def reset_streaming_state(self) -> None:
        pass


class Mixing(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x.mean(0, keepdim=True)


class Detaching(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.past = self.past.detach()
        return y


class Exploding(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / (x.abs().amax() > 0)


def verify(network: nn.Module, **options: Any) -> StreamingReport:
    return verify_streaming(network, chunkings=12, **options)


def test_what_streams_passes() -> None:
    ordinary: Any = nn.Sequential(nn.Conv1d(1, 2, 4, 2, 1), nn.Tanh(), nn.ConvTranspose1d(2, 1, 4, 2, 1)).double()
    network = Sequential(Conv1d.from_torch(ordinary[0]), nn.Tanh(), ConvTranspose1d.from_torch(ordinary[2]))
    report = verify(network, reference=ordinary)
    assert report.passed, report
    assert len(report.checks) == 9
    assert not any(check.skipped for check in report.checks)
    report.raise_if_failed()


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (Forgetful, "any blocks equal the whole"),
        (Seeing, "the future changes nothing"),
        (Remembering, "a reset repeats"),
        (Mixing, "a batch is independent"),
        (Detaching, "gradients as of the whole"),
        (Exploding, "finite"),
    ],
)
def test_each_check_trips_and_names_the_layer(broken: type[Conv1d], name: str) -> None:
    network = Sequential(Conv1d(1, 2, 3), nn.Tanh(), Sequential(nn.Identity(), broken(2, 2, 3)))
    if broken is Exploding:
        network = Sequential(broken(1, 1, 3))
    report = verify(network)
    failed = {check.name: check for check in report.checks if not check.passed}
    assert name in failed, report
    if broken not in (Remembering, Exploding):
        assert "2.1 " in failed[name].layer, report
    with pytest.raises(ModelError, match=name):
        report.raise_if_failed()


def test_layers_whose_field_is_at_most_as_declared_pass() -> None:
    windowed = nn.Conv1d(1, 1, 3, padding=1)
    layers = (
        STFT(32, 8),
        MelSpectrogram(16000, 64, 16, mels=5),
        FractionalDelay(7),
        OverlapAddCrossfade(windowed, 32, 8),
        FIR(torch.tensor([0.0, 0.5, 0.25, 0.0])),
        Sequential(STFT(32, 8), nn.Identity()),
    )
    for layer in layers:
        report = verify(layer)
        assert report.passed, report
    assert STFT(32, 8, torch.ones(32)).receptive_field_is_exact


def test_zeros_among_the_weights_make_no_field_shorter_than_it_is_declared() -> None:
    for outer in ([0], [4], [0, 4], range(5)):
        first = Conv1d(1, 2, 5, dilation=3)
        network = Sequential(first, nn.Tanh(), Conv1d(2, 1, 3))
        with torch.no_grad():
            first.weight[..., list(outer)] = 0.0
        before = copy.deepcopy(network.state_dict())
        report = verify(network)
        assert report.passed, report
        torch.testing.assert_close(dict(network.state_dict()), dict(before), rtol=0, atol=0)
        first.receptive_field_samples = 14  # of 13
        assert not verify(first).passed
    for channels, groups in ((1, 1), (4, 4)):  # each less its own mean is 0
        assert verify(ChannelNorm(channels, groups=groups)).passed


def test_a_field_behind_a_relu_that_holds_all_back_is_that_of_its_layers() -> None:
    first = Conv1d(1, 2, 4)
    network = Sequential(first, nn.ReLU(), Conv1d(2, 1, 3))
    assert first.bias is not None
    with torch.no_grad():
        first.bias.fill_(-100.0)
    assert {check.name for check in verify(network).checks if not check.passed} == set()
    network.receptive_field_samples = 7  # of 6
    assert not verify(network).passed


def test_where_no_gradient_goes_through_the_field_is_left_out_and_said() -> None:
    report = verify(Sequential(nn.ReLU(), nn.LeakyReLU(0.1, inplace=True), Conv1d(1, 1, 3)))
    checks = {check.name: check for check in report.checks}
    assert not checks["gradients as of the whole"].passed
    field = checks["receptive field, samples"]
    assert field.skipped
    assert "no gradient: one of the variables needed" in field.note


def test_a_network_without_parameters_is_tried_in_its_own_precision() -> None:
    assert verify(Sequential(Interpolate(2, 3), Delay(2, 2)).double()).passed


def test_a_field_behind_a_relu_is_found_and_a_layer_that_only_keeps_its_past_gets_its_channels() -> None:
    torch.manual_seed(0)
    for seed in range(8):
        network = Sequential(Conv1d(1, 1, 4), nn.ReLU(), Conv1d(1, 1, 3), nn.ReLU(), Conv1d(1, 1, 3))
        with torch.no_grad():
            for weight in network.parameters():  # that something comes through every layer
                weight.copy_(torch.rand_like(weight) + 0.1 if weight.dim() > 1 else torch.zeros_like(weight))
        report = verify(network, seed=seed)
        assert report.passed, report
    for layer in (Pool1d(3, 4, 2), Delay(5, 3)):
        assert verify(layer).passed


def test_wrong_declarations_are_found() -> None:
    ordinary = nn.Conv1d(1, 1, 5, padding=2).double()
    layer = Conv1d.from_torch(ordinary)
    layer.delay_samples, layer.receptive_field_samples = 1, 7
    failed = {check.name: check for check in verify(layer, reference=ordinary).checks if not check.passed}
    assert failed.keys() == {"equals the reference", "delay, samples", "receptive field, samples"}
    assert (failed["delay, samples"].measured, failed["receptive field, samples"].measured) == (2, 5)


class Shy(StreamingLayer):
    """Whose field is declared, and which lets nothing through at most times."""

    def __init__(self, field: Any) -> None:
        super().__init__()
        self.inner = Conv1d(1, 1, 5)
        self.receptive_field_samples = field
        self.receptive_field_is_exact = False

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.inner(x))


def test_a_field_that_is_declared_too_short_is_found_where_the_last_sample_lets_nothing_through() -> None:
    torch.manual_seed(0)
    for seed in range(8):
        for field, good in ((4, False), (5, True), (9, True)):
            checks = {check.name: check for check in verify(Shy(field), seed=seed).checks}
            assert (checks["receptive field, samples"].passed, checks["receptive field, samples"].measured) == (good, 5)


def test_what_is_no_number_of_samples_or_no_signal_is_refused_in_words() -> None:
    for wrong in (1.5, "x", float("inf"), float("nan"), -1, True, [3]):
        with pytest.raises(ModelError, match=r"Shy.receptive_field_samples must be a whole number from 0 \(None"):
            verify(Shy(wrong))
    with pytest.raises(ModelError, match=r"Shy.receptive_field_samples must be"):
        verify(Sequential(Shy(1.5)))
    for name, value in (("delay_samples", 0.5), ("block_multiple_samples", 0), ("ratio", 0.5), ("ratio", 0)):
        layer = Shy(5)
        setattr(layer, name, value)
        with pytest.raises(ModelError, match=f"Shy.{name} must be"):
            verify(layer)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ModelError, match="tolerance must"):
            verify(Shy(5), tolerance=wrong)
    for example in (torch.zeros(1, 1, 64, dtype=torch.int32), torch.zeros(1, 1, 64, device="meta")):
        with pytest.raises(ModelError, match="example must be a signal of floating-point numbers"):
            verify(Shy(5), example=example)


class Detached(StreamingLayer):
    """It gives an ordinary convolution its past, and keeps no gradient of it."""

    def __init__(self, field: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 3)
        self.register_state("past", torch.zeros(1, 2, 2))
        self.receptive_field_samples = field

    def forward(self, x: Tensor) -> Tensor:
        heard = torch.cat([self.past.expand(x.size(0), -1, -1), x], 2)
        self.past = heard[:, :, -2:].detach()
        return self.conv(heard)

    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()


class OfOne(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        torch.cat([self.past[:1], x], 2)  # which takes no batch of two
        return super().forward(x)


class Hidden(nn.Module):
    """An ordinary network that holds its layers in a list, which nobody calls."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Conv1d(1, 2, 3), layer, Conv1d(2, 1, 3)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def test_layers_that_work_in_place_are_no_fault() -> None:
    """They change what they are given, which the next trial must not hear."""
    first = nn.Sequential(nn.LeakyReLU(0.1, inplace=True), Conv1d(1, 2, 3))
    assert verify(first, reference=copy.deepcopy(first)).passed
    later = nn.Sequential(Conv1d(1, 2, 3), nn.LeakyReLU(0.1, inplace=True), nn.Conv1d(2, 1, 3, padding=1))
    failed = {check.name: check.layer for check in verify(later).checks if not check.passed}
    assert set(failed.values()) == {"2 (Conv1d)"}


class FramesFirst(nn.Module):
    """A norm over channels, which it hears last, does not hear the future; the convolution does."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.LayerNorm(2), nn.Conv1d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.norm(x.transpose(1, 2)).transpose(1, 2))


def test_a_scripted_network_is_named_as_a_whole() -> None:
    failed = {
        check.name: check.layer
        for check in verify(torch.jit.script(nn.Conv1d(1, 1, 3, padding=1))).checks
        if not check.passed
    }
    assert set(failed.values()) == {"(RecursiveScriptModule)"}


@pytest.mark.parametrize(
    ("layer", "name", "culprit"),
    [
        (nn.Conv1d(2, 2, 3, padding=1), "any blocks equal the whole", "layers.1 (Conv1d)"),
        (nn.Sequential(nn.Tanh(), nn.GroupNorm(1, 2)), "the future changes nothing", "layers.1.1 (GroupNorm)"),
        (FramesFirst(), "the future changes nothing", "layers.1.conv (Conv1d)"),
        (Detached(), "gradients as of the whole", "layers.1 (Detached)"),
        (Detached(5), "receptive field, samples", "layers.1 (Detached)"),
        (OfOne(2, 2, 3), "a batch is independent", "layers.1 (OfOne)"),
    ],
    ids=["conv", "norm", "frames first", "detached", "field", "raising"],
)
def test_the_layer_is_named_in_ordinary_modules_and_where_it_raises(layer: nn.Module, name: str, culprit: str) -> None:
    failed = {check.name: check for check in verify(Hidden(layer)).checks if not check.passed}
    assert failed[name].layer == culprit
    assert ("RuntimeError: Sizes of tensors" in failed[name].note) is isinstance(layer, OfOne)


def test_beside_a_reference_of_the_same_names_the_layer_that_differs_is_named() -> None:
    ordinary = nn.Sequential(nn.Conv1d(1, 2, 3, padding=1), nn.Conv1d(2, 1, 3, padding=1))
    layers = [Conv1d.from_torch(layer) for layer in ordinary if isinstance(layer, nn.Conv1d)]
    assert verify(Sequential(*layers), reference=ordinary).passed
    with torch.no_grad():
        layers[1].weight.add_(0.1)
    failed = {check.name: check for check in verify(Sequential(*layers), reference=ordinary).checks if not check.passed}
    assert {name: check.layer for name, check in failed.items()} == {"equals the reference": "1 (Conv1d)"}


class Cancelling(Conv1d):
    """What is left after a large number that differs with the block: rounding, and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        large = 1e5 * x.size(2)
        return (super().forward(x) + large) - large


def test_an_error_that_float64_does_not_have_is_told_as_rounding() -> None:
    failed = {check.name: check for check in verify(Sequential(Cancelling(1, 2, 3))).checks if not check.passed}
    check = failed["any blocks equal the whole"]
    assert "in float64, so that it is float32's rounding" in check.note
    assert "(Cancelling)" in check.layer
    assert not any("float64" in check.note for check in verify(Sequential(Forgetful(1, 2, 3))).checks)


class Silent(StreamingLayer):
    """Gives nothing, and says that it hears five samples."""

    def __init__(self) -> None:
        super().__init__()
        self.receptive_field_samples, self.source = 5, "None"

    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


class Squared(Conv1d):
    """Has no gradient in silence."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).square()


def test_a_layer_that_gives_nothing_at_all_has_no_field() -> None:
    failed = [check for check in verify(Silent()).checks if not check.passed]
    assert [(check.name, check.measured) for check in failed] == [("receptive field, samples", 0)]
    behind = nn.Sequential(Delay(400), Squared(1, 1, 3, bias=False))  # whose noise is short, as it declares no delay
    assert verify(behind).passed


def test_a_delay_longer_than_noise_for_its_field_is_verified_all_the_same() -> None:
    for network in (Delay(100), Sequential(Delay(100), Conv1d(1, 1, 3)), Residual(Delay(80)), SilentStart(100)):
        report = verify(network)
        assert report.passed, report
    wrong = Delay(100)
    wrong.receptive_field_samples = 2  # of 1
    assert not verify(wrong).passed
    short = verify(Sequential(Delay(30), Conv1d(1, 1, 20)), example=torch.randn(1, 1, 45))
    assert short.passed, short
