"""Quantised weights: on their grids, as near as any, in an ordinary model; what is refused; what the result says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import AudioError, ModelError, ParameterError
from neutone_like.optimise import QuantiseResult, quality, quantise
from neutone_like.optimise.quantising.grid import Grid
from neutone_like.optimise.quantising.weights import precision_of, weights_of
from neutone_like.streaming import to_streaming

RATE = 48000
SOUND = (0.2 * np.random.default_rng(0).standard_normal((1, 2048))).astype(np.float32)


class Network(nn.Module):
    """One of each: a convolution, a transposed one, a recurrent layer, a linear one, and weights that are too small."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 12, 3)
        self.conv = nn.Conv1d(12, 10, 3)
        self.down = nn.ConvTranspose1d(10, 16, 2)
        self.lstm = nn.LSTM(16, 12, batch_first=True)
        self.last = nn.Linear(12, 12)
        self.head = nn.Linear(12, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to ``[1, N]``."""
        y = torch.tanh(self.first(nn.functional.pad(8.0 * x, (4, 0))))
        y = torch.tanh(self.down(self.conv(y))[:, : x.size(1)])
        hidden, _ = self.lstm(y.T)
        return self.head(torch.tanh(self.last(hidden))).T


class Shaper(nn.Module):
    """Sample by sample, so that any block does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 16, 1)
        self.last = nn.Conv1d(16, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to ``[1, N]``."""
        return torch.tanh(self.last(torch.tanh(self.conv(x)))).mean(0, keepdim=True)


class Live(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Live", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


def network(seed: int = 0) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Network()


def live() -> Live:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Live(Shaper())


def quantised(model: nn.Module, *args: Any, **more: Any) -> QuantiseResult:
    return quantise(model, *args, **{"audio": SOUND, "sample_rate": RATE, "measure": False, **more})


BIASES = ["conv.bias", "down.bias", "last.bias"]
WEIGHTS = ["conv.weight", "down.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "last.weight"]


def test_what_is_quantised_and_what_is_not() -> None:
    original = network()
    result = quantised(original, "int8")
    assert [each.name for each in result.weights] == WEIGHTS
    before, after = dict(original.named_parameters()), dict(result.model.named_parameters())
    assert list(before) == list(after)
    for name in before:
        is_rounded = name in (*WEIGHTS, *BIASES)
        assert torch.equal(before[name], after[name]) != is_rounded or name.startswith("lstm.bias"), name
    nearest = dict(quantised(original, "int8", audio=None, sample_rate=None).model.named_parameters())
    for name in before:
        if name not in WEIGHTS:
            assert torch.equal(nearest[name], before[name].half().float() if name in BIASES else before[name]), name
    assert all(torch.equal(after[name].half().float(), after[name]) for name in BIASES)
    # A scale of 2 bytes for each output channel, one byte for each weight.
    sizes = {each.name: (each.bytes_before, each.bytes_after) for each in result.weights}
    assert sizes["conv.weight"] == (4 * 360, 360 + 2 * 10)
    assert sizes["down.weight"] == (4 * 320, 320 + 2 * 16)
    assert result.bytes_before == 4 * sum(each.numel() for each in original.parameters())
    assert result.other_bytes_saved == 2 * (10 + 16 + 12)
    saved = sum(before - after for before, after in sizes.values())
    assert result.bytes_before - result.bytes_after == saved + result.other_bytes_saved


@pytest.mark.parametrize(("precision", "lowest", "highest"), [("int8", -127, 127), ("int4", -8, 7)])
def test_each_channel_has_one_scale_and_the_nearest_integers(precision: str, lowest: int, highest: int) -> None:
    """Where nothing is heard."""
    original = network()
    changed = dict(quantised(original, precision, audio=None, sample_rate=None).model.named_parameters())
    for name, channel_dim in [("conv.weight", 0), ("down.weight", 1), ("lstm.weight_hh_l0", 0)]:
        rows = changed[name].movedim(channel_dim, 0).flatten(1).double()
        wanted = dict(original.named_parameters())[name].detach().movedim(channel_dim, 0).flatten(1).double()
        for row, ideal in zip(rows, wanted, strict=True):
            scale = _scale_of(row, lowest, highest)
            assert scale is not None, name
            nearest = torch.clamp(torch.round(ideal / scale), min(lowest, -highest), max(highest, -lowest)) * scale
            assert float((row - ideal).abs().max()) <= float((nearest - ideal).abs().max()) + abs(scale) / 2


def _scale_of(row: Tensor, lowest: int, highest: int) -> float | None:
    """By brute force: a number of which all are whole multiples within the range, either way round."""
    largest = float(row.abs().max())
    for count in range(1, max(highest, -lowest) + 1):
        for scale in (largest / count, -largest / count):
            multiples = row / scale
            if torch.equal(multiples, multiples.round()) and lowest <= multiples.min() <= multiples.max() <= highest:
                return scale
    return None


def test_int8_is_what_pytorch_makes_with_the_same_scales() -> None:
    weight = torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(1))
    made = Grid("int8").rounded(weight)
    scales = (weight.abs().amax((1, 2)) / 127).to(torch.bfloat16).float()
    expected = torch.fake_quantize_per_channel_affine(weight, scales, torch.zeros(6, dtype=torch.int32), 0, -127, 127)
    assert torch.equal(made, expected)


def test_groups_have_scales_of_their_own_and_pay_for_them() -> None:
    weight = torch.randn(4, 20, 3, generator=torch.Generator().manual_seed(1))
    weight[:, :8] *= 100.0
    whole, groups = Grid("int4").rounded(weight), Grid("int4", group_size=8).rounded(weight)
    assert float((groups - weight)[:, 8:].square().mean()) < 0.01 * float((whole - weight)[:, 8:].square().mean())
    assert Grid("int4", group_size=8).stored_bits(weight) == 240 * 4 + 4 * 3 * 3 * 16  # 8 + 8 + 4 along the inputs
    assert torch.unique(groups[0, :8, 0]).numel() <= 16


def test_more_bits_are_nearer() -> None:
    original = network()
    errors = [quantised(original, each).quality for each in ("fp16", "int8", "int4")]
    ratios = [each.error_to_signal_ratio for each in errors if each is not None]
    assert ratios == sorted(ratios)
    assert 0.0 < ratios[0] < 1e-5 < 0.001 < ratios[2]


def test_the_original_stays_as_it_is_and_the_result_exports(tmp_path: Any) -> None:
    model = live()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = quantised(model, "int8")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert type(result.model) is Live
    loaded = load_artifact(write_artifact(result.model, tmp_path, render_samples=False).model_path)
    mine, theirs = dict(result.model.named_parameters()), dict(loaded.module.w2w_base.named_parameters())
    assert all(torch.equal(mine[f"model.{name}"], theirs[f"model.{name}"]) for name in ("conv.weight", "last.weight"))


def test_a_target_tells_the_error_before_and_after() -> None:
    target = SOUND * 0.5
    result = quantised(network(), "int4", target=target)
    made = quality(target, lambda x: network()(x), SOUND, sample_rate=RATE)
    assert result.error_before == pytest.approx(made.error_to_signal_ratio, rel=1e-5)
    assert result.error_after != result.error_before
    assert "against the target" in str(result)


def test_layers_choose_by_pattern() -> None:
    result = quantised(network(), "int4", layers={"lstm": "int8", "last*": "float32"})
    assert [each.precision for each in result.weights] == ["int4", "int4", "int8", "int8", "float32"]
    assert torch.equal(result.model.last.weight, network().last.weight)


def test_mixed_takes_the_fewest_bits_that_are_good_enough() -> None:
    def error(limit: float) -> tuple[float, int]:
        result = quantised(network(), "mixed", error_limit=limit)
        assert result.quality is not None
        assert all(each.error_alone is not None for each in result.weights)
        return result.quality.error_to_signal_ratio, result.bytes_after

    found = [error(limit) for limit in (1e-6, 1e-4, 0.1)]
    assert all(got <= limit for (got, _), limit in zip(found, (1e-6, 1e-4, 0.1), strict=True))
    sizes = [size for _, size in found]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]
    with pytest.raises(ParameterError, match="no weight can be quantised for so little"):
        error(1e-30)


def test_training_feels_the_rounding_and_is_folded() -> None:
    seen: list[Tensor] = []

    def train(model: Any) -> None:
        seen.append(model.conv.weight.detach().clone())
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, 60)
        x = torch.from_numpy(SOUND[:, :512])
        target = network()(x).detach()
        for _ in range(60):
            loss = (model(x) - target).square().mean() / target.square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()

    nearest = quantised(network(), "int4", audio=None, sample_rate=None)
    rounded, trained = quantised(network(), "int4"), quantised(network(), "int4", fine_tune=train)
    assert torch.equal(seen[0], nearest.model.conv.weight)
    assert not any("parametrizations" in name for name, _ in trained.model.named_parameters())
    assert [precision_of(each) for each in weights_of(trained.model)] == ["int4"] * 5
    assert rounded.quality is not None
    assert trained.quality is not None
    assert trained.quality.error_to_signal_ratio < 0.8 * rounded.quality.error_to_signal_ratio


def test_a_diverging_training_is_told() -> None:
    def spoil(model: Any) -> None:
        loss = model(torch.from_numpy(SOUND[:, :64])).sum() * float("nan")
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=1.0).step()

    with pytest.raises(ModelError, match="not finite after fine_tune: the training diverged"):
        quantised(network(), fine_tune=spoil)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_what_is_quantised_is_not_quantised_again(precision: str) -> None:
    with pytest.raises(ModelError, match=r"conv\.weight is quantised already, to int"):
        quantised(quantised(network(), precision).model)
    if precision == "int4":
        with pytest.raises(ModelError, match="quantised already, to int4"):
            quantised(quantised(network(), precision, group_size=8).model)
    assert quantised(quantised(network(), "fp16").model, "int8").quality is not None
    with pytest.raises(ModelError, match="quantised already, to fp16"):
        quantised(quantised(network(), "fp16").model, "fp16")


def bad_rate() -> None:
    quantise(live(), "int8", SOUND, sample_rate=44100)


def noise_of_another_rate() -> None:
    quantise(live(), "int8", sample_rate=44100, measure=False)


def only_nan() -> None:
    quantised(live(), audio=SOUND * np.nan)


def with_infinity() -> Network:
    broken = network()
    with torch.no_grad():
        broken.conv.weight[3, 2, 1] = float("inf")
    return broken


def a_path() -> Any:
    return "model.nm"


REFUSED: list[tuple[Callable[[], object], type[Exception], str]] = [
    (bad_rate, AudioError, "a rate of the model, 48000 Hz, got 44100 Hz"),
    (noise_of_another_rate, AudioError, "noise from -40 to 0 dB: expected audio at a rate of the model, 48000 Hz"),
    (lambda: quantised(network(), audio=SOUND * 0), AudioError, "the audio is silent"),
    (lambda: quantised(network(), audio=SOUND[:, :100]), AudioError, "at least 2048 samples, got 100"),
    (only_nan, AudioError, "finite"),
    (
        lambda: quantised(nn.Linear(3, 3)),
        ModelError,
        r"Linear has nothing to quantise.*its largest is weight, \[3, 3\]",
    ),
    (lambda: quantised(nn.Tanh()), ModelError, "Tanh has nothing to quantise.*it has no parameters"),
    (lambda: quantised(network(), layers={"*": "float32"}), ModelError, "nothing to quantise"),
    (lambda: quantised(network(), layers={"lstn": "int8"}), ParameterError, "'lstn' fits no weight; the model has"),
    (lambda: quantised(network(), layers={"lstm": "int3"}), ParameterError, "got 'int3'"),
    (lambda: quantised(with_infinity()), ModelError, "conv.weight holds NaN or infinity"),
    (lambda: quantised(a_path()), ModelError, "got 'model.nm'. Quantise what an artifact was exported from"),
    (lambda: quantised(network(), fine_tune=3), ParameterError, "a function that takes the model, got 3"),
    (lambda: quantised(network(), "int2"), ParameterError, "got 'int2'"),
    (lambda: quantised(network(), "int4", group_size=7), ParameterError, "group_size: expected one of .*, got 7"),
    (lambda: quantised(network(), "fp16", group_size=8), ParameterError, "with 'fp16'"),
    (lambda: quantised(network(), "mixed"), ParameterError, "error_limit belongs to"),
    (lambda: quantised(network(), "mixed", error_limit=0.1, audio=None), AudioError, "pass audio"),
    (lambda: quantised(network(), "int8", target=[SOUND, SOUND]), AudioError, "a sound for each of 1"),
    (lambda: quantised(network(), "int8", target=SOUND[:, 1:]), ModelError, "as its reference has"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_refused(call: Callable[[], object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.compiles
def test_a_live_model_is_measured_as_played() -> None:
    result = quantise(live(), "int8")
    assert result.played_before is not None
    assert result.played_after is not None
    assert 0.0 < result.played_after.block_us < 1e6
    assert "model.nlc" in str(result)
    assert result.to_dict()["played_before"]["file_bytes"] == result.played_before.file_bytes


def test_a_converted_network_is_told_what_to_quantise_instead() -> None:
    """The advice is followed: what is converted then holds the rounded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = nn.Sequential(nn.Conv1d(1, 16, 5, padding=2), nn.Tanh(), nn.Conv1d(16, 1, 5, padding=2)).eval()
    example = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ModelError, match=r"'player' is TorchScript.*to_streaming\(quantise\(network\)"):
        quantised(to_streaming(plain, example), "int8")
    made = quantise(plain, "int8", measure=False).model
    streamed: Any = to_streaming(made, example)
    assert torch.equal(streamed.player._0_weight, made[0].weight)
    assert not torch.equal(made[0].weight, plain.state_dict()["0.weight"])


def test_biases_beyond_half_precision_stay_and_save_nothing() -> None:
    large = torch.full((16,), 7e4)
    made = nn.Sequential(nn.Conv1d(4, 16, 5), nn.Conv1d(16, 4, 5))
    made.load_state_dict({**made.state_dict(), "0.bias": large})
    result = quantise(made, "int8", measure=False)
    model: Any = result.model
    assert torch.equal(model[0].bias, large)
    assert result.other_bytes_saved == 2 * 4
    with pytest.raises(ModelError, match="in Python, got RecursiveScriptModule"):
        quantise(torch.jit.script(made), "int8", measure=False)
