"""Rounding whose errors cancel, of layers that are called in their own ways, of states, and of models that err."""

import itertools
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.errors import AudioError
from neutone_like.optimise import quantise
from neutone_like.optimise.quantising import compensating, moments
from neutone_like.optimise.quantising.compensating import compensated, rounded_in_order
from neutone_like.optimise.quantising.grid import Grid
from neutone_like.optimise.quantising.hearing import Hearing
from neutone_like.optimise.quantising.moments import heard_moments
from neutone_like.optimise.quantising.weights import weights_of
from neutone_like.optimise.sounds import Recording
from neutone_like.render.audio_arrays import Audio
from neutone_like.streaming import LSTM, Conv1d

RATE = 48000


def noise(samples: int = 4096, level: float = 0.3) -> Audio:
    return np.float32(level) * np.random.default_rng(0).standard_normal((1, samples)).astype(np.float32)


def seeded(make: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().requires_grad_(False)


class Causal(nn.Conv1d):
    """Makes its sound longer before it convolves."""

    def forward(self, input: Any) -> Any:
        return super().forward(F.pad(input, ((self.kernel_size[0] - 1) * self.dilation[0], 0)))


class AcrossChannels(nn.Linear):
    """Is given time last."""

    def forward(self, input: Any) -> Any:
        return F.linear(input.transpose(-1, -2), self.weight, self.bias).transpose(-1, -2)


class Widened(nn.Conv1d):
    """Is given fewer channels than it convolves."""

    def forward(self, input: Any) -> Any:
        return super().forward(torch.cat([input, -input], -2))


class Conditioned(nn.GRU):
    """Is given something else beside its sound."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        return super().forward(input.transpose(-1, -2)[None] + (0.0 if hx is None else hx))


class TimeFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = Conditioned(16, 16, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(x, torch.ones(16))[0][0].T


@pytest.mark.parametrize(
    "make",
    [
        lambda: Causal(16, 16, 3, dilation=4096),
        lambda: AcrossChannels(16, 16),
        lambda: Widened(32, 16, 1),
        TimeFirst,
    ],
)
def test_layers_with_a_forward_of_their_own_are_rounded_all_the_same(make: Any) -> None:
    """What comes in is not what is multiplied: that is not heard, or no worse than the nearest."""
    network = seeded(lambda: nn.Sequential(nn.Conv1d(1, 16, 1), make(), nn.Conv1d(16, 1, 1)))
    sound = noise(1000)
    for length in (1000, 16):
        with heard_moments(weights_of(network)) as found:
            network(torch.from_numpy(sound[:, :length]))
        for each in weights_of(network):
            assert each.name not in found or found[each.name].means.size(1) == each.value[0].numel()
    made = quantise(network, "int4", noise(), sample_rate=RATE, measure=False)
    nearest = quantise(network, "int4", measure=False).model
    assert made.quality is not None
    x = torch.from_numpy(noise())
    wanted = network(x)
    error = float((nearest(x) - wanted).square().sum() / wanted.square().sum())
    assert made.quality.error_to_signal_ratio <= 1.001 * error


def test_arguments_may_have_names() -> None:
    layer = seeded(lambda: nn.LSTM(4, 8, batch_first=True))
    x = torch.randn(1, 200, 4, generator=torch.Generator().manual_seed(1))
    state = (torch.full((1, 1, 8), 0.5), torch.full((1, 1, 8), 2.0))
    heard: list[Tensor] = []
    for call in (lambda: layer(x, state), lambda: layer(input=x, hx=state), lambda: layer(x, hx=state)):
        with heard_moments(weights_of(layer)) as found:
            call()
        heard.append(found["weight_hh_l0"].products)
    with heard_moments(weights_of(layer)) as from_rest:
        layer(x)
    assert all(torch.equal(each, heard[0]) for each in heard)
    assert not torch.equal(from_rest["weight_hh_l0"].products, heard[0]), "the control"


def test_long_sound_and_wide_layers_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """All windows of ten seconds of a filter of a second would be 90 GB."""
    made: list[int] = []
    unfold = F.unfold

    def counted(*arguments: Any) -> Tensor:
        columns = unfold(*arguments)
        made.append(columns.numel())
        return columns

    monkeypatch.setattr(moments.F, "unfold", counted)
    x = torch.randn(1, 48000, generator=torch.Generator().manual_seed(0))
    for layer in (nn.Conv1d(1, 4, 65), nn.Conv1d(1, 1, 4097)):
        with heard_moments(weights_of(layer)) as found, torch.no_grad():
            layer(x)
    assert found == {}, "a wide one is not heard"
    assert len(made) == 1
    assert made[0] <= 65 * 65 * 5, "four observations of each input"


def test_a_network_begins_at_rest_and_is_given_back_so() -> None:
    """Also where it has played before: all play the same, and no state of a calibration is in what comes out."""
    network = seeded(lambda: nn.Sequential(Conv1d(1, 16, 9), nn.Tanh(), LSTM(16, 8), Conv1d(8, 1, 1)))

    class Batched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return self.network(x[None])[0]

    given = Batched()
    made = quantise(given, "int8", noise(), sample_rate=RATE, measure=False)
    for one, other in zip(given.buffers(), made.model.buffers(), strict=True):
        assert torch.equal(one, other)
    assert made.quality is not None
    x = torch.from_numpy(noise())
    with torch.no_grad():
        wanted, played = given(x), made.model(x)
    error = float((played - wanted).square().sum() / wanted.square().sum())
    assert made.quality.error_to_signal_ratio == pytest.approx(error, rel=1e-3)


@pytest.mark.parametrize("live", [False, True])
def test_a_training_that_leaves_states_behind_is_begun_after(live: bool) -> None:
    """Of eight sounds side by side, with the graph that they came from."""
    network = seeded(lambda: nn.Sequential(Conv1d(1, 16, 9), nn.Tanh(), LSTM(16, 8), Conv1d(8, 1, 1)))

    class Model(WaveformToWaveformBase):
        metadata = ModelMetadata(name="Model", authors=("Ada",), version="1.0.0")
        in_channels = 1
        out_channels = 1
        sample_rates = (RATE,)

        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return cast("nn.Module", self.model)(x[None])[0]

    class Unbatched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = network

        def forward(self, x: Tensor) -> Tensor:
            return self.model(x[None])[0]

    def fine_tune(copy: Any) -> None:
        copy.model(torch.ones(8, 1, 256)).square().mean().backward()

    given: Any = Model(network) if live else Unbatched()
    made = quantise(given, "int8", noise(), sample_rate=RATE, measure=False, fine_tune=fine_tune)
    for one, other in zip(given.buffers(), made.model.buffers(), strict=True):
        assert torch.equal(one, other)
    assert cast(Any, made.quality).error_to_signal_ratio < 1e-3


def test_each_input_takes_up_what_is_left_as_algebra_has_it() -> None:
    """Beside solving for all that is not rounded yet, anew after each input."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(400, 12, generator=generator) @ torch.randn(12, 75, generator=generator)
    x = (mixed + 0.3 * torch.randn(400, 75, generator=generator)).double()
    heard, rows = x.T @ x / 400, torch.randn(3, 75, generator=generator).double()
    steps = torch.full_like(rows, 0.125)
    found = rounded_in_order(rows, steps, (-127, 127), heard)
    order = heard.diagonal().argsort(descending=True).tolist()
    wanted = rows.clone()
    for at in range(75):
        done, rest = order[:at], order[at:]
        left = rows[:, rest]
        if done:
            apart = rows[:, done] - wanted[:, done]
            left = left + torch.linalg.solve(heard[rest][:, rest], heard[rest][:, done] @ apart.T).T
        wanted[:, order[at]] = torch.round(left[:, 0] / 0.125) * 0.125
    assert torch.equal(found, wanted)
    assert not torch.equal(found, torch.round(rows / 0.125) * 0.125), "the control"


def test_a_grid_with_which_a_model_is_not_finite_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    network = seeded(lambda: nn.Conv1d(1, 1, 65, padding="same"))
    tried: list[float] = []

    def unstable(weight: Tensor, grid: Grid, heard: Any, damping: float, **_: Any) -> Tensor:
        tried.append(damping)
        return torch.full_like(weight, float("inf"))

    monkeypatch.setattr(compensating, "compensated", unstable)
    made = quantise(network, "int8", noise(), sample_rate=RATE, measure=False).model
    assert torch.equal(made.weight, Grid("int8").rounded(network.weight))
    assert tried == list(compensating.DAMPINGS)


def test_what_rounding_hears_does_not_break_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears ten seconds of all, at other settings too; the limit is of the whole, at the defaults."""
    network = seeded(lambda: nn.Conv1d(1, 8, 65, padding="same"))
    falling = itertools.count(0.0, -1.0)
    monkeypatch.setattr(Hearing, "error", lambda self, model: next(falling))
    monkeypatch.setattr(compensating, "compensated", lambda weight, *_, **__: 2.0 * weight)
    loud = quantise(network, "int8", noise(), sample_rate=RATE, measure=False)
    assert cast(Any, loud.quality).error_to_signal_ratio > 0.5, "the control: it is taken where there is no limit"
    made = quantise(network, "mixed", noise(), sample_rate=RATE, error_limit=1e-3, measure=False)
    assert cast(Any, made.quality).error_to_signal_ratio <= 1e-3
    (weight,) = made.weights
    assert torch.equal(made.model.weight, Grid(weight.precision).rounded(network.weight))
    assert torch.equal(made.model.bias, network.bias)


class Explodes(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Explodes", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)
    parameters = (ContinuousParameter("drive", default=0.0),)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        network = cast("nn.Module", self.model)
        return network(x[None])[0] / (params["drive"][0] < 0.5).float()


def test_a_setting_at_which_a_model_is_not_finite_is_named() -> None:
    model = Explodes(seeded(lambda: nn.Conv1d(1, 1, 65, padding="same")))
    with pytest.raises(AudioError, match=r"Explodes at drive=0\.\d+, playing audio 1: every sample must be"):
        quantise(model, "int8", noise(), sample_rate=RATE, measure=False)


def test_nothing_is_made_of_what_is_not_finite() -> None:
    heard = moments.Moments.of(torch.full((1, 3, 16), float("nan")).double())
    assert compensated(torch.randn(4, 16), Grid("int8"), heard, 1e-2, to_bias=False) is None


def test_sounds_of_which_a_model_makes_silence_count_for_nothing() -> None:
    sounds: Sequence[Recording] = [Recording("noise", noise(), RATE), Recording("soft", noise(level=3e-4), RATE)]
    gate = seeded(lambda: nn.Threshold(0.01, 0.0))
    hearing = Hearing.of(gate, sounds)
    assert not hearing.reference[0][1].samples.any()
    assert hearing.error(nn.Threshold(0.02, 0.0)) > 0.0
    assert hearing.error(gate) == 0.0
