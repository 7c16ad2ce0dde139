"""The interface that hosts call, scripted: methods, types, channels, mix, gains, and the guard against NaN."""

import io
import json
from typing import Any, cast

import pytest
import torch
from torch import nn

from neutone_like import AudioError, ModelError, ModelMetadata, ParameterError, SampleQueueWrapper
from neutone_like.host import contract_metadata
from neutone_like.validate.conditions import optimiser
from support.host_models import DelayModel, Fragile, KnobRecorder, noise, play_regularly, scripted

PRESERVED = [
    "forward_bt", "forward_offline", "set_daw_sample_rate_and_buffer_size", "reset", "is_resampling",
    "calc_buffering_delay_samples", "calc_model_delay_samples", "is_input_mono", "is_output_mono",
    "get_native_sample_rates", "get_native_buffer_sizes", "get_default_param_values", "get_wet_default_value",
    "get_dry_default_value", "get_input_gain_default_value", "get_output_gain_default_value", "to_metadata",
    "get_metadata_json", "get_model_name", "get_model_authors", "get_preserved_attributes",
]  # fmt: skip


def reloaded(wrapper: SampleQueueWrapper) -> torch.jit.ScriptModule:
    buffer = io.BytesIO()
    torch.jit.save(wrapper, buffer)
    buffer.seek(0)
    return torch.jit.load(buffer)


def test_every_method_answers_after_loading() -> None:
    module = reloaded(scripted(KnobRecorder(sample_rates=(44100, 48000), block_sizes=(512,))))
    assert module.realtime is True
    assert module.use_debug_mode is False
    assert set(PRESERVED) <= {*module.get_preserved_attributes(), "forward_offline"}
    for name in module.get_preserved_attributes():
        assert hasattr(module, name), name
    assert module.get_native_sample_rates() == [44100, 48000]
    assert module.get_native_buffer_sizes() == [512]
    assert (module.is_input_mono(), module.is_output_mono()) == (False, False)
    assert module.get_default_param_values().shape == (4, 1)
    assert (module.get_wet_default_value(), module.get_dry_default_value()) == (1.0, 0.0)
    assert (module.get_input_gain_default_value(), module.get_output_gain_default_value()) == (0.5, 0.5)
    assert module.get_model_name() == "Knob recorder"
    assert module.get_model_authors() == ["Ada"]
    assert isinstance(module.set_daw_sample_rate_and_buffer_size(44100, 64), int)
    assert module.is_resampling() is False
    module.set_daw_sample_rate_and_buffer_size(88200, 64)
    assert module.is_resampling() is True
    assert module.current_model_sample_rate() == 48000  # nothing above 88.2 kHz: the highest there is
    assert module.w2w_base is not None


def test_metadata_is_one_and_the_same_everywhere() -> None:
    model = KnobRecorder()
    wrapper = scripted(model)
    expected = contract_metadata(model.declaration())
    told = json.loads(wrapper.get_metadata_json())
    assert told.keys() == expected.keys()
    dictionary = wrapper.to_metadata()
    assert dictionary == {key: told[key] for key in told if key not in ("sample_sound_files", "neutone_like")}
    assert told["neutone_parameters"]["p1"] == {
        "name": "value", "description": "", "default_value": 5.0, "used": True, "type": "continuous",
        "min_value": 0.0, "max_value": 10.0,
    }  # fmt: skip
    assert told["neutone_parameters"]["p4"]["used"] is False
    assert told["model_type"] == "stereo-stereo"


def test_the_rate_is_the_hosts_own_or_the_next_above() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (96000, 22050, 44100)))
    for host, expected in ((44100, 44100), (32000, 44100), (48000, 96000), (16000, 22050), (192000, 96000)):
        wrapper.set_daw_sample_rate_and_buffer_size(host, 64)
        assert wrapper.current_model_sample_rate() == expected
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64, 22050)
    assert wrapper.current_model_sample_rate() == 22050


def test_what_a_host_may_not_ask_for() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (44100,), (512,)))
    with pytest.raises(AudioError, match="at least 1, got 0 Hz"):
        wrapper.set_daw_sample_rate_and_buffer_size(0, 512)
    with pytest.raises(AudioError, match="got 48000 Hz and 0 samples"):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 0)
    with pytest.raises(AudioError, match=r"sample rates are \[44100\] .* got 48000"):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, 48000)
    with pytest.raises(AudioError, match=r"block sizes are \[512\] .* got 128"):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, None, 128)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (torch.zeros(2, 0), "at least one sample"),
        (torch.zeros(512), "shape"),
        (torch.zeros(1, 2, 512), "shape"),
        (torch.zeros(2, 512, dtype=torch.float64), "got another type of shape .*2, 512"),
        (torch.zeros(2, 512, dtype=torch.int16), "got another type of shape .*2, 512"),
        (torch.zeros(3, 512), "with 2 channels, got 3"),
        (torch.zeros(0, 512), "with 2 channels, got 0"),
    ],
)
def test_audio_of_the_wrong_kind_is_refused(audio: torch.Tensor, message: str) -> None:
    wrapper = SampleQueueWrapper(DelayModel())
    with pytest.raises(AudioError, match=message):
        wrapper.forward(audio)
    with pytest.raises(torch.jit.Error, match=message):  # scripted: the same words
        scripted(DelayModel()).forward(audio)


@pytest.mark.parametrize("channels", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_mono_and_stereo_are_converted_both_ways(channels: tuple[int, int]) -> None:
    wrapper = scripted(DelayModel(0, in_channels=channels[0], out_channels=channels[1]))
    stereo = torch.stack((torch.full((64,), 1.0), torch.full((64,), 3.0)))
    y = wrapper.forward(stereo)
    expected = stereo if channels == (2, 2) else torch.full((2, 64), 2.0)
    torch.testing.assert_close(y, expected)
    assert y.is_contiguous()
    torch.testing.assert_close(wrapper.forward(stereo[:1]), stereo[:1])


def test_many_channels_are_taken_as_they_are_or_refused() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, in_channels=6, out_channels=6))
    assert torch.equal(wrapper.forward(noise(64, 6)), noise(64, 6))
    with pytest.raises(AudioError, match="with 6 channels, got 2"):
        wrapper.forward(noise(64))


@pytest.mark.parametrize("rates", [(), (44100,)])
@pytest.mark.parametrize("sizes", [(), (480,)])
def test_the_dry_path_is_delayed_like_the_wet_one(rates: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    wrapper = scripted(DelayModel(37, rates, sizes))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    wrapper.set_mix(0.5, 0.5)
    x = noise(64 * 100)
    x = torch.nn.functional.avg_pool1d(x.unsqueeze(0), 9, 1, 4, count_include_pad=True)[0]  # keep below the filter
    mixed = play_regularly(wrapper, x, 64)
    wrapper.set_mix(0.0, 1.0)
    wrapper.reset()
    dry = play_regularly(wrapper, x, 64)
    latency = wrapper.latency_samples()
    assert torch.equal(dry[:, latency:], x[:, : x.size(1) - latency])
    wrapper.set_mix(1.0, 0.0)
    wrapper.reset()
    wet = play_regularly(wrapper, x, 64)
    torch.testing.assert_close(mixed, 0.5 * wet + 0.5 * dry, atol=1e-6, rtol=0)
    aligned = slice(latency + 200, None)
    assert float((wet - dry)[:, aligned].abs().max()) < 0.05  # in phase: nothing cancels
    # In the background it is the same mix.
    wrapper.set_mix(0.5, 0.5)
    wrapper.reset()
    background = [result for result in (wrapper.forward_bt(block) for block in x.split(64, 1)) if result is not None]
    joined = torch.cat(background, 1)
    start = int(wrapper.latency_parts()["buffering"] + 1e-9) // 64 * 64  # whole blocks of silence are left out
    length = min(joined.size(1), mixed.size(1) - start)
    assert length >= 64 * 80
    torch.testing.assert_close(joined[:, :length], mixed[:, start : start + length], atol=1e-6, rtol=0)


def test_gains_are_decibels_around_the_middle() -> None:
    wrapper = scripted(DelayModel())
    x = noise(64) * 0.01
    for knob, decibels in ((0.5, 0.0), (1.0, 30.0), (0.0, -30.0), (0.6, 6.0)):
        wrapper.set_gains(knob, 0.5)
        wrapper.reset()
        torch.testing.assert_close(wrapper.forward(x), x * 10 ** (decibels / 20), rtol=1e-5, atol=0)
        wrapper.set_gains(0.5, knob)
        wrapper.reset()
        torch.testing.assert_close(wrapper.forward(x), x * 10 ** (decibels / 20), rtol=1e-5, atol=0)


def test_turning_gain_and_mix_makes_no_click_and_does_not_depend_on_blocks() -> None:
    outputs: list[torch.Tensor] = []
    for block in (1, 64, 1000):
        wrapper = scripted(DelayModel())
        ones = torch.ones(2, 4000)
        head = play_regularly(wrapper, ones[:, :1000], block if block != 64 else 8)
        wrapper.set_gains(0.5, 0.6)
        wrapper.set_mix(0.25, 0.0)
        tail = play_regularly(wrapper, ones[:, :3000], block if block != 64 else 60)
        outputs.append(torch.cat((head, tail), 1))
    for other in outputs[1:]:
        torch.testing.assert_close(other, outputs[0], atol=1e-5, rtol=0)
    assert float(outputs[0].diff(dim=1).abs().max()) < 0.003
    assert float(outputs[0][0, -1]) == pytest.approx(0.25 * 10 ** (6 / 20), rel=1e-5)


def test_mix_and_gain_out_of_range_are_refused() -> None:
    wrapper = SampleQueueWrapper(DelayModel())
    with pytest.raises(ParameterError, match=r"0\.\.1, got 1.5"):
        wrapper.set_mix(1.5, 0.0)
    with pytest.raises(ParameterError, match=r"0\.\.1 .*got 0.5 and -0.1"):
        wrapper.set_gains(0.5, -0.1)


@pytest.mark.parametrize("poison", [float("nan"), float("inf"), 100.0])
def test_a_poisoned_model_falls_silent_is_counted_and_recovers(poison: float) -> None:
    wrapper = scripted(Fragile())
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    x = torch.full((2, 64), 0.5)
    clean = wrapper.forward(x)
    bad = x.clone()
    bad[0, 20] = poison
    assert torch.equal(wrapper.forward(bad), torch.zeros(2, 64))
    assert wrapper.nonfinite_samples() == (1 if poison == 100.0 else 44)
    torch.testing.assert_close(wrapper.forward(x), clean)
    wrapper.reset()
    assert wrapper.nonfinite_samples() == 0


def test_nan_in_the_input_passes_through_the_resampler_and_leaves() -> None:
    wrapper = scripted(DelayModel(0, (44100,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    wrapper.set_mix(1.0, 0.5)
    x = noise(64 * 40)
    x[:, 500] = float("nan")
    y = play_regularly(wrapper, x, 64)
    assert bool(torch.isfinite(y).all())
    assert wrapper.nonfinite_samples() > 0
    clean = SampleQueueWrapper(DelayModel(0, (44100,)))
    clean.set_daw_sample_rate_and_buffer_size(48000, 64)
    clean.set_mix(1.0, 0.5)
    torch.testing.assert_close(y[:, 1000:], play_regularly(clean, torch.nan_to_num(x), 64)[:, 1000:])


def test_loud_but_finite_output_is_left_alone() -> None:
    wrapper = SampleQueueWrapper(DelayModel())
    loud = torch.full((2, 64), 3e38)  # the sum overflows, no sample does
    assert torch.equal(wrapper.forward(loud), loud)
    assert wrapper.nonfinite_samples() == 0


def test_no_graph_is_built_and_inference_mode_is_no_trap() -> None:
    class Linear(DelayModel):
        def __init__(self) -> None:
            super().__init__(3, (44100,))
            self.weight = nn.Parameter(torch.ones(1))

        def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
            return x * self.weight

    wrapper = SampleQueueWrapper(Linear())
    with torch.inference_mode():
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
        first = wrapper.forward(noise(64))
    second = wrapper.forward(noise(64))
    assert not first.requires_grad
    assert not second.requires_grad
    assert next(iter(wrapper.w2w_base.parameters())).requires_grad  # pyright: ignore[reportCallIssue]


def test_only_a_declared_model_and_a_known_quality_can_be_wrapped() -> None:
    with pytest.raises(ModelError, match=r"quality must be one of .*'soxr'.* got 'best'"):
        SampleQueueWrapper(DelayModel(), "best")
    bare = DelayModel()
    bare.metadata = "nothing"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ModelError, match="metadata: expected a ModelMetadata, got 'nothing'"):
        SampleQueueWrapper(bare)
    bare.metadata = ModelMetadata(name="x", authors=("Ada",), version="1")
    SampleQueueWrapper(bare)


@pytest.mark.parametrize("rates", [(), (44100,)])
def test_turning_dry_up_in_mid_stream_makes_no_click(rates: tuple[int, ...]) -> None:
    for host, sizes in ((64, (2048,)), (480, ()), (480, (4096,))):
        wrapper = SampleQueueWrapper(DelayModel(0, rates, sizes))
        wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
        x = torch.ones(2, host * (24000 // host))
        play_regularly(wrapper, x, host)
        wrapper.set_mix(0.0, 1.0)
        y = play_regularly(wrapper, x, host)
        assert float(y.diff(dim=1).abs().max()) < 0.003, (host, sizes)
        assert float((y - 1.0).abs().max()) < 1e-3
        # In the background too.
        wrapper.set_mix(1.0, 0.0)
        wrapper.reset()
        wrapper.forward_bt(x[:, :host])
        wrapper.set_mix(0.5, 0.5)
        for block in x.split(host, 1):
            wrapper.forward_bt(block)


def test_dry_is_refused_where_there_is_no_dry_signal() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, in_channels=2, out_channels=6))
    with pytest.raises(ParameterError, match="dry must be 0 for a model with 2 channels in and 6 out"):
        wrapper.set_mix(0.5, 0.5)


def test_freezing_keeps_everything_a_host_calls() -> None:
    wrapper = scripted(DelayModel(37, (44100,)))
    module = reloaded(wrapper)
    x = noise(64 * 50)
    with optimiser(True):  # without, a frozen module lacks methods that it calls
        frozen = torch.jit.freeze(module.eval(), preserved_attrs=module.get_preserved_attributes())
        for plays in (module, frozen):
            plays.set_daw_sample_rate_and_buffer_size(48000, 64)
        expected = play_regularly(wrapper_like(module), x, 64)
        torch.testing.assert_close(play_regularly(wrapper_like(frozen), x, 64), expected)


def wrapper_like(module: Any) -> SampleQueueWrapper:
    return cast(SampleQueueWrapper, module)


def test_offline_tells_of_samples_that_became_silence() -> None:
    wrapper = SampleQueueWrapper(Fragile())
    x = torch.full((2, 2000), 0.5)
    x[0, 700] = float("nan")
    wrapper.forward_offline(x)
    assert wrapper.nonfinite_samples() > 0
