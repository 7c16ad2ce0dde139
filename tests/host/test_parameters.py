"""Parameters on their way to the model: range, smoothing, alignment, and independence of the host's blocks."""

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelMetadata,
    ParameterError,
    SampleQueueWrapper,
    WaveformToWaveformBase,
)
from support.host_models import KnobRecorder, noise, play, scripted

RAMP = 960  # 20 ms at 48 kHz


def step(samples: int, at: int, low: float = 0.2, high: float = 0.7) -> Tensor:
    values = torch.full((4, samples), low)
    values[:, at:] = high
    return values


def ramp(samples: int, at: int, low: float = 2.0, high: float = 7.0) -> Tensor:
    """What a step becomes: a straight line, in the parameter's range of 0..10."""
    progress = ((torch.arange(samples) - at + 1) / RAMP).clamp(0.0, 1.0)
    return low + (high - low) * progress


def told(wrapper: SampleQueueWrapper, params: Tensor | None, blocks: list[int], samples: int) -> Tensor:
    return play(wrapper, torch.zeros(2, samples), blocks, params)[0]


def test_defaults_reach_the_model_in_its_own_unit() -> None:
    for rate in ("block", "sample"):
        wrapper = scripted(KnobRecorder(rate))
        assert wrapper.get_default_param_values().tolist() == [[0.5], [0.0], [0.0], [0.0]]
        torch.testing.assert_close(told(wrapper, None, [64] * 10, 640), torch.full((640,), 5.0))


def test_the_first_value_is_taken_as_it_is() -> None:
    wrapper = scripted(KnobRecorder())
    torch.testing.assert_close(told(wrapper, step(640, 9999, low=0.9), [64] * 10, 640), torch.full((640,), 9.0))


@pytest.mark.parametrize("blocks", [[64], [512], [1], [3, 1000, 77], [5000]])
def test_a_jump_becomes_a_straight_line_at_sample_rate(blocks: list[int]) -> None:
    wrapper = scripted(KnobRecorder("sample"))
    y = told(wrapper, step(5000, 1234), blocks * 5000, 5000)
    torch.testing.assert_close(y, ramp(5000, 1234), atol=1e-5, rtol=0)


@pytest.mark.parametrize("blocks", [[64], [512], [1], [3, 1000, 77], [5000]])
def test_a_jump_becomes_small_steps_at_block_rate(blocks: list[int]) -> None:
    wrapper = scripted(KnobRecorder("block"))
    y = told(wrapper, step(5000, 1234), blocks * 5000, 5000)
    expected = ramp(5000, 1234)[torch.arange(5000) // 32 * 32]
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)
    assert float(y.diff().abs().max()) < 5.0 * 33 / RAMP


def test_a_block_of_fixed_size_has_the_value_of_its_first_sample() -> None:
    wrapper = scripted(KnobRecorder("block", block_sizes=(256,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    y = told(wrapper, step(64 * 80, 1000), [64] * 80, 64 * 80)[wrapper.latency_samples() :]
    expected = ramp(y.size(0), 1000)[torch.arange(y.size(0)) // 256 * 256]
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("model_rate", [44100, 16000, 96000])
@pytest.mark.parametrize("block_sizes", [(), (480,)])
@pytest.mark.parametrize("host", [64, 480])
def test_values_stay_with_the_audio_they_belong_to(model_rate: int, block_sizes: tuple[int, ...], host: int) -> None:
    """Seen from the host, once the latency is gone, the line is where it is without resampling."""
    wrapper = scripted(KnobRecorder("sample", sample_rates=(model_rate,), block_sizes=block_sizes))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
    samples = host * (9600 // host)
    y = told(wrapper, step(samples, 4000), [host] * samples, samples)[wrapper.latency_samples() :]
    expected = ramp(y.size(0), 4000)
    middle = slice(1000, y.size(0) - 200)
    torch.testing.assert_close(y[middle], expected[middle], atol=0.02, rtol=0)
    assert float((y[middle] - expected[middle]).mean().abs()) < 1e-4


def test_automation_does_not_depend_on_how_the_stream_is_cut() -> None:
    params = torch.cumsum(torch.randn(4, 3000) * 0.01, 1) * 0.5 + 0.5
    params[:, 1000:] = 0.25
    for rate in ("block", "sample"):
        for rates, sizes in (((), ()), ((44100,), ()), ((16000,), (128,))):
            wrapper = scripted(KnobRecorder(rate, sample_rates=rates, block_sizes=sizes))
            outputs: list[Tensor] = []
            for host, blocks in ((512, [512]), (1, [1]), (1, [7, 1500, 64])):
                wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
                y = told(wrapper, params, blocks * 3000, 3000 - 3000 % host)
                outputs.append(y[wrapper.latency_samples() :][:2000])
            for other in outputs[1:]:
                torch.testing.assert_close(other, outputs[0], atol=1e-5, rtol=0, msg=f"{rate} {rates} {sizes}")


def test_smoothing_can_be_turned_off_and_restarted() -> None:
    wrapper = scripted(KnobRecorder("sample", smoothing_seconds=0.0))
    y = told(wrapper, step(3000, 1000), [64] * 100, 3000)
    torch.testing.assert_close(y, step(3000, 1000)[0] * 10.0, atol=1e-5, rtol=0)
    wrapper.reset()
    y = told(wrapper, None, [64] * 100, 3000)
    torch.testing.assert_close(y, torch.full((3000,), 5.0))


def test_a_jump_of_a_gain_makes_no_click() -> None:
    class Gain(KnobRecorder):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x * params["value"]

    loudest: list[float] = []
    for smoothing in (0.02, 0.0):
        wrapper = SampleQueueWrapper(Gain(smoothing_seconds=smoothing))
        y = play(wrapper, torch.ones(2, 4096), [512] * 8, step(4096, 2000, 0.0, 0.1))
        loudest.append(float(y.diff(dim=1).abs().max()))
    assert loudest[0] < 0.05 < loudest[1]  # without smoothing it clicks: the check can fail


class Switch(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Switch", authors=("Ada",), version="1.0.0")
    parameters = (
        CategoricalParameter("mode", labels=("a", "b", "c"), default="b"),
        ContinuousParameter("level", default=-6.0, minimum=-60.0, maximum=12.0, unit="dB"),
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.stack((params["mode"].expand(x.size(1)), params["level"].expand(x.size(1))))


def test_categories_jump_to_whole_indices() -> None:
    wrapper = scripted(Switch(nn.Identity()))
    assert wrapper.forward(noise(64))[:, 0].tolist() == pytest.approx([1.0, -6.0])
    wrapper.reset()
    for value, index in ((0.0, 0.0), (0.24, 0.0), (0.26, 1.0), (0.74, 1.0), (0.76, 2.0), (1.0, 2.0)):
        y = wrapper.forward(noise(32), torch.full((4, 32), value))
        assert set(y[0].tolist()) == {index}


def test_nothing_can_spoil_the_next_block() -> None:
    """A model may change what it is given, and a host may send NaN or values out of range."""

    class Vandal(KnobRecorder):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            y = torch.zeros_like(x) + params["value"]
            params["value"].mul_(3.0)
            return y

    for rate in ("block", "sample"):
        wrapper = SampleQueueWrapper(Vandal(rate))
        for _ in range(3):
            torch.testing.assert_close(wrapper.forward(noise(64), torch.full((4, 64), 0.3))[0], torch.full((64,), 3.0))
        for sent, got in ((2.0, 10.0), (-1.0, 0.0)):
            wrapper.reset()
            assert set(wrapper.forward(noise(64), torch.full((4, 64), sent))[0].tolist()) == {got}
        wrapper.reset()
        assert set(wrapper.forward(noise(64), torch.full((4, 64), float("nan")))[0].tolist()) == {5.0}


def test_rows_beyond_the_declared_ones_are_ignored() -> None:
    wrapper = scripted(KnobRecorder())
    for _ in range(5):
        params = torch.rand(6, 64)
        params[0] = 0.3
        torch.testing.assert_close(wrapper.forward(noise(64), params)[0], torch.full((64,), 3.0))
    single = wrapper.forward(noise(64), torch.full((1, 64), 0.3))
    torch.testing.assert_close(single[0], torch.full((64,), 3.0))


@pytest.mark.parametrize("shape", [(0, 64), (4, 63), (4,)])
def test_parameters_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"shape \(1 or more, 64\), .* got"):
        SampleQueueWrapper(KnobRecorder()).forward(noise(64), torch.zeros(shape))


def test_offline_parameters_are_as_long_as_the_audio() -> None:
    wrapper = scripted(KnobRecorder())
    y = wrapper.forward_offline(noise(700), torch.full((4, 700), 0.2))
    torch.testing.assert_close(y[0], torch.full((700,), 2.0))
    with pytest.raises(torch.jit.Error, match=r"shape \(1 or more, 700\).* got \[4, 1\]"):
        wrapper.forward_offline(noise(700), torch.full((4, 1), 0.2))


def test_parameters_of_another_type_are_values_all_the_same() -> None:
    wrapper = SampleQueueWrapper(KnobRecorder("sample"))
    wrapper.forward(noise(512), torch.full((1, 512), 0.2))
    y = wrapper.forward(noise(512), torch.full((1, 512), 0.7, dtype=torch.float64))
    assert y.dtype == torch.float32


def test_nan_leaves_a_moving_knob_where_it_was() -> None:
    wrapper = SampleQueueWrapper(KnobRecorder("sample", smoothing_seconds=0.0))
    values = torch.full((1, 300), 0.2)
    values[:, 100:] = 0.9
    values[:, 200:] = float("nan")
    y = torch.cat([wrapper.forward(noise(100), piece) for piece in values.split(100, 1)], 1)[0]
    assert y[[50, 150, 250]].tolist() == pytest.approx([2.0, 9.0, 9.0])
