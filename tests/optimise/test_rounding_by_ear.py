"""Rounding whose errors cancel in what is heard: what is heard, what is made of it, and what it is worth."""

import itertools
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.compiler.weight_grids import find_grid
from neutone_like.optimise import quantise
from neutone_like.optimise.quantising import compensating
from neutone_like.optimise.quantising import hearing as hearing_module
from neutone_like.optimise.quantising.biases import biases_of, halved
from neutone_like.optimise.quantising.compensating import REACHES, compensated, round_by_ear
from neutone_like.optimise.quantising.grid import BITS, Grid, short_scale
from neutone_like.optimise.quantising.hearing import Hearing
from neutone_like.optimise.quantising.moments import Moments, heard_moments
from neutone_like.optimise.quantising.weights import weights_of
from neutone_like.optimise.sounds import Recording
from neutone_like.streaming import LSTM, Conv1d
from support.example_hosts import example

RATE = 48000


def seeded(make: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().requires_grad_(False)


def moments_of(network: nn.Module, *blocks: Tensor) -> dict[str, Moments]:
    with heard_moments(weights_of(network)) as found:
        for block in blocks:
            network(block)
    heard = {name: value.products.clone() for name, value in found.items()}
    network(torch.zeros_like(blocks[0]))
    assert all(torch.equal(found[name].products, value) for name, value in heard.items()), "nobody listens any more"
    return found


LAYERS: list[tuple[Any, tuple[int, ...]]] = [
    (lambda: nn.Linear(8, 9, bias=False), (3, 50, 8)),
    (lambda: nn.Conv1d(4, 6, 5, stride=2, dilation=3, padding=4, bias=False), (2, 4, 200)),
    (lambda: nn.Conv1d(8, 8, 9, padding="same", groups=4, bias=False), (2, 8, 150)),
    (lambda: nn.Conv1d(16, 16, 7, groups=16, bias=False), (16, 150)),
    (lambda: nn.Conv2d(3, 5, (3, 5), stride=(2, 1), padding=(1, 2), bias=False), (2, 3, 20, 30)),
    (lambda: Conv1d(4, 6, 5, dilation=7, bias=False), (1, 4, 200)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_moments_tell_the_power_of_what_a_layer_gives(
    make: Any, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the layer itself gives: the mean of (w x)^2 is w M w for each output channel, over two calls."""
    monkeypatch.setattr("neutone_like.optimise.quantising.moments._MOST_SEEN", 1 << 20)
    layer = seeded(make)
    blocks = [torch.randn(shape, generator=torch.Generator().manual_seed(at)) for at in range(2)]
    heard = moments_of(layer, *blocks)["weight"]
    found = heard.products
    if isinstance(layer, Conv1d):
        layer.reset_streaming_state()
    outputs = [layer(block) for block in blocks]
    channels = -1 if isinstance(layer, nn.Linear) else -3 if isinstance(layer, nn.Conv2d) else -2
    power = torch.cat([each.movedim(channels, 0).flatten(1) for each in outputs], 1).double().square().mean(1)
    rows = layer.weight.double().flatten(1).reshape(len(found), -1, found.size(1))
    assert torch.allclose(torch.einsum("gri,gij,grj->gr", rows, found, rows).flatten(), power, rtol=1e-4)
    mean = torch.cat([each.movedim(channels, 0).flatten(1) for each in outputs], 1).double().mean(1)
    assert torch.allclose(torch.einsum("gri,gi->gr", rows, heard.means).flatten(), mean, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_moments_of_recurrent_layers_are_of_their_states(kind: Any) -> None:
    """Two layers both ways, beside the same network made of layers of one."""
    whole = seeded(lambda: kind(5, 16, 2, bidirectional=True))
    x = torch.randn(300, 1, 5, generator=torch.Generator().manual_seed(1))
    given = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed(2))
    state = (given, given) if kind is nn.LSTM else given
    with heard_moments(weights_of(whole)) as found:
        made, _ = whole(x, state)
    step = max(1, 300 // 64)
    for name, columns in (("l1", slice(0, 16)), ("l1_reverse", slice(16, 32))):
        heard = made[:, 0, columns].double()[::step]
        assert torch.allclose(found[f"weight_hh_{name}"].products[0], heard.T @ heard / len(heard), atol=1e-6)
    heard = x[:, 0].double()[:: max(1, 300 // 20)]
    assert torch.allclose(found["weight_ih_l0"].products[0], heard.T @ heard / len(heard), atol=1e-6)
    assert found["weight_ih_l1"].products.shape == (1, 32, 32)


def test_a_streaming_lstm_is_heard_from_the_state_that_it_has() -> None:
    layer = seeded(lambda: LSTM(4, 8))
    x = torch.randn(1, 4, 64, generator=torch.Generator().manual_seed(1))
    layer(x)
    found = moments_of(layer, x)["weight_hh_l0"].products[0]
    layer.reset_streaming_state()
    layer(x)
    heard = layer(x)[0].double()[:, :: max(1, 64 // 32)]
    assert torch.allclose(found, heard @ heard.T / heard.size(1), atol=1e-6)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_errors_are_made_up_for(precision: Any) -> None:
    """Of inputs that belong together: far nearer than the nearest, and on the same grid."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(3, 24, generator=generator) * torch.logspace(0, -2, 3)[:, None]
    x = torch.randn(4000, 3, generator=generator) @ mixed + 0.001 * torch.randn(4000, 24, generator=generator)
    x = x.double()
    weight = torch.randn(10, 24, generator=generator)
    grid = Grid(precision, 0, 8 if precision == "int4" else None)
    made = compensated(weight, grid, Moments.of(x[None]), 1e-4, to_bias=False)
    assert made is not None
    errors = [(x @ (each - weight).double().T).square().mean() for each in (made, grid.rounded(weight))]
    assert float(errors[0]) < 0.1 * float(errors[1])
    found = find_grid(made.reshape(-1, grid.group_size or 24).double().numpy()[:, :, None])
    assert found is not None
    assert found.bits == BITS[precision], "what writes files finds the grid"


def test_it_lies_between_the_nearest_and_the_best_of_all() -> None:
    """By brute force over all neighbours on the grid."""
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(1)).cumsum(1).double()
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
    grid, moments = Grid("int4"), Moments.of(x[None])
    made, nearest = compensated(weight, grid, moments, 1e-9, to_bias=False), grid.rounded(weight)
    steps = grid.steps(weight)
    assert made is not None
    assert steps is not None
    moves = torch.tensor(list(itertools.product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=4)))

    def error(row: Tensor, at: int) -> float:
        return float((x @ (row - weight[at]).double()).square().mean())

    gained = []
    for at in range(6):
        best = float("inf")
        for reach in REACHES:
            step = short_scale(reach * steps[at])
            tried = ((weight[at] / step).round() + moves).clamp(*grid.levels()) * step
            best = min(best, *(error(row, at) for row in tried))
        assert best <= error(made[at], at) + 1e-12
        gained.append(error(made[at], at) / error(nearest[at], at))
    assert float(np.mean(gained)) < 0.9


def test_what_is_worse_in_what_is_heard_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: made-up weights that are far off leave the nearest ones."""
    monkeypatch.setattr(compensating, "compensated", lambda weight, *_, **__: torch.zeros_like(weight))
    sound = 0.2 * np.random.default_rng(0).standard_normal((1, 4096)).astype(np.float32)
    network = seeded(lambda: nn.Conv1d(1, 1, 65, padding="same"))
    made = quantise(network, "int8", sound, sample_rate=RATE, measure=False).model
    assert torch.equal(made.weight, Grid("int8").rounded(network.weight))


def test_silence_in_a_layer_leaves_the_nearest() -> None:
    weight = torch.randn(4, 16)
    assert compensated(weight, Grid("int8"), Moments.of(torch.zeros(1, 9, 16).double()), 1e-2, to_bias=True) is None
    assert compensated(weight, Grid("fp16"), Moments.of(torch.eye(16)[None].double()), 1e-2, to_bias=False) is None


@pytest.mark.parametrize("bias", [True, False])
def test_what_is_left_on_average_goes_into_the_bias(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of inputs with a large mean: by the layer's own outputs, which are right on average, and nearer than without."""
    monkeypatch.setattr("neutone_like.optimise.quantising.moments._MOST_SEEN", 1 << 20)
    generator = torch.Generator().manual_seed(0)
    x = 3.0 + torch.rand(1, 4096, 16, generator=generator)
    layer = seeded(lambda: nn.Linear(16, 8, bias=bias))
    wanted = layer(x)
    moments = moments_of(layer, x)["weight"]
    rounded = working_copy(layer)
    weights = weights_of(rounded)
    round_by_ear(
        weights, {"weight": Grid("int4")}, lambda: rounded(x), lambda: float((rounded(x) - wanted).square().mean())
    )
    left = (rounded(x) - wanted).mean((0, 1))
    assert bool((left.abs() <= 2.0**-11 * layer(x).abs().max()).all()) == bias  # to half precision
    if bias:
        alone = compensated(layer.weight, Grid("int4"), moments, 1e-4, to_bias=False)
        assert alone is not None
        without = x @ (alone - layer.weight).T
        assert float((rounded(x) - wanted).square().mean()) < 0.7 * float(without.square().mean())
        assert torch.equal(rounded.bias.half().float(), rounded.bias)


def test_a_bias_that_two_layers_share_takes_up_nothing() -> None:
    layers = seeded(lambda: nn.ModuleList([nn.Linear(16, 8), nn.Linear(16, 8)]))
    assert list(biases_of(weights_of(layers))) == ["0.weight", "1.weight"]
    layers[1].bias = layers[0].bias
    assert biases_of(weights_of(layers)) == {}


def test_inputs_that_do_not_move_are_no_trouble() -> None:
    x = torch.ones(1, 100, 16, dtype=torch.float64)
    for to_bias in (True, False):
        made = compensated(torch.randn(4, 16), Grid("int8"), Moments.of(x), 1e-6, to_bias=to_bias)
        assert made is not None
        assert bool(made.isfinite().all())


def test_biases_that_half_precision_cannot_hold_stay() -> None:
    bias = torch.tensor([1.0 + 2.0**-12, 1e6, 0.3])
    assert halved(bias).tolist() == [1.0, 1e6, float(torch.tensor(0.3).half())]


@pytest.mark.slow
def test_int8_adds_less_than_a_hundredth_to_the_error_of_a_recurrent_amp() -> None:
    """Rounded by riffs, judged by other notes, against the rig that it learned; the control is the nearest."""
    amp, training = example("lstm_amp"), example("amp_training")
    model = amp.build_model()
    heard = training.riff_pair(4.0, seed=5, held_out=False).dry.numpy()
    judged = training.held_out_pair()

    def esr(candidate: Any) -> float:
        network = candidate.model
        state = (torch.zeros(1, 1, amp.HIDDEN_SIZE), torch.zeros(1, 1, amp.HIDDEN_SIZE))
        with torch.no_grad():
            made = network(judged.dry[..., None], state)[0][..., 0]
        return float(training.error_to_signal_ratio(made, judged.wet))

    before = esr(model)
    after = [
        esr(quantise(model, "int8", heard, sample_rate=RATE, group_size=size, measure=False).model)
        for size in (None, 8)
    ]
    hidden = model.model.lstm.weight_hh_l0
    hidden.data = Grid("int8").rounded(hidden.data)
    nearest = esr(model)
    assert max(after) < 1.01 * before
    assert nearest > 1.03 * before


class Two(WaveformToWaveformBase):
    """One of two networks, which a knob chooses."""

    metadata = ModelMetadata(name="Two", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)
    parameters = (CategoricalParameter("which", labels=("left", "right")), ContinuousParameter("gain", default=0.5))

    def __init__(self) -> None:
        super().__init__(nn.ModuleList(nn.Conv1d(1, 16, 1, bias=False) for _ in range(2)))
        self.after = nn.ModuleList(nn.Linear(16, 16, bias=False) for _ in range(2))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        which, networks = int(params["which"]), cast("nn.ModuleList", self.model)
        y = torch.tanh(networks[which](30.0 * x)).T
        return params["gain"][0] * torch.tanh(self.after[which](y)).sum(1, keepdim=True).T


def test_every_setting_is_heard() -> None:
    """Each network plays at one place of a knob; the gain is told apart from what is heard."""
    model = seeded(Two)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 4096)).astype(np.float32)
    hearing = Hearing.of(model, [Recording("noise", sound, RATE)])
    assert hearing.settings[0] == {}
    assert {each.get("which") for each in hearing.settings} == {None, "left", "right"}
    assert len({each.get("gain") for each in hearing.settings}) == len(hearing.settings)
    assert hearing.error(model) == 0.0
    made = quantise(model, "int4", sound, sample_rate=RATE, measure=False).model
    for at in range(2):
        assert not torch.equal(made.after[at].weight, Grid("int4").rounded(model.after[at].weight)), at
    unheard = quantise(model, "int4", sample_rate=RATE, measure=False).model
    assert torch.equal(unheard.after[1].weight, Grid("int4").rounded(model.after[1].weight)), "no audio was given"
    assert hearing.error(made) < hearing.error(unheard)


def test_the_loudest_seconds_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing_module, "SECONDS", 0.1)
    sound = np.zeros((1, 48000), np.float32)
    sound[0, 20000:24800] = 0.1
    sound[0, 30000:30100] = 0.2
    hearing = Hearing.of(nn.Identity(), [Recording("burst", sound, RATE)])
    assert hearing.audio[0].samples.shape == (1, 4800)
    assert float(hearing.audio[0].samples.min()) == pytest.approx(0.1)
