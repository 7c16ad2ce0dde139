"""More than four knobs, more than two channels: what hosts of the wrapper may send, and what comes back."""

import pytest
import torch
from torch import Tensor

from neutone_like import NonRealtimeSampleQueueWrapper, ParameterError, SampleQueueWrapper
from neutone_like.errors import AudioError
from neutone_like.host import contract_metadata, offline_contract_metadata
from neutone_like.model.format_room import beyond_format, model_type
from support.host_models import scripted
from support.wide_models import Wide, WideOffline


def noise(channels: int, samples: int, seed: int = 0) -> Tensor:
    return torch.rand(channels, samples, generator=torch.Generator().manual_seed(seed)) - 0.5


def test_what_the_format_has_room_for() -> None:
    assert beyond_format(["continuous"] * 3 + ["categorical", "text", "tokens"], (1, 2), (2,)) == ()
    assert beyond_format(["continuous"] * 5, (1,), (1,)) == ("5 knobs, where the format has room for 4",)
    assert beyond_format(["text"] * 2 + ["tokens"] * 3, (), (2, 2)) == (
        "2 texts, where the format has room for 1",
        "3 lists of tokens, where the format has room for 1",
    )
    assert beyond_format([], (3,), (1, 6)) == (
        "3 channels in, where the format knows mono and stereo",
        "1 and 6 channels out, where the format knows mono and stereo",
    )
    assert [model_type(*sides) for sides in ((1, 2), (2, 1), (1, 6), (3, 2))] == [
        "mono-stereo", "stereo-mono", "mono-6ch", "3ch-stereo",
    ]  # fmt: skip


def test_metadata_is_marked_only_beyond() -> None:
    within = contract_metadata(Wide(2, 1, knobs=4).declaration())
    assert "hosts" not in within["neutone_like"]
    assert within["model_type"] == "stereo-mono"
    beyond = contract_metadata(Wide(1, 6, knobs=18).declaration())
    assert beyond["neutone_like"]["hosts"] == "neutone_like"
    assert (beyond["model_type"], beyond["is_input_mono"], beyond["is_output_mono"]) == ("mono-6ch", True, False)
    assert [slot["name"] for slot in beyond["neutone_parameters"].values()] == [f"knob {n}" for n in (1, 2, 3, 4)]
    assert len(beyond["neutone_like"]["parameters"]) == 18
    offline = offline_contract_metadata(WideOffline().declaration())
    assert offline["neutone_like"]["hosts"] == "neutone_like"
    assert [slot["name"] for slot in offline["neutone_parameters"].values()] == [
        "knob 1", "knob 2", "knob 3", "knob 4", "one", "three",
    ]  # fmt: skip


def test_eighteen_knobs_are_rows_and_further_ones_are_ignored() -> None:
    wrapper = scripted(Wide(2, 2, knobs=18))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    assert wrapper.get_default_param_values().flatten().tolist() == pytest.approx([0.5 / n for n in range(1, 19)])
    x, values = noise(2, 64), torch.rand(20, 1, generator=torch.Generator().manual_seed(1)).repeat(1, 64)
    gain = 1.0 + sum(0.1 * (row + 1) * 2.0 * float(values[row, 0]) for row in range(18))
    torch.testing.assert_close(wrapper.forward(x, values), x * gain)
    wrapper.reset()
    torch.testing.assert_close(wrapper.forward(x, values[:18]), x * gain)
    wrapper.reset()
    torch.testing.assert_close(wrapper.forward(x, None), x * 2.8)
    with pytest.raises(Exception, match=r"parameters of shape \(18 or more, 64\).*got \[4, 64\]"):
        wrapper.forward(x, values[:4])


def test_stereo_and_mono_hosts_of_a_model_with_six_outputs() -> None:
    """What comes in is converted, as ever; all that the model gives goes out."""
    for takes, rates in ((1, ()), (2, (44100,)), (1, (96000,))):
        wrapper = SampleQueueWrapper(Wide(takes, 6, sample_rates=rates))
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 100)
        assert bool(rates) == wrapper.is_resampling()
        stereo = noise(2, 1000)
        for x in (stereo, stereo[:1]):
            y = wrapper.forward_offline(x)
            heard = x.mean(0, keepdim=True) if takes == 1 else x.expand(2, -1)
            assert y.shape == (6, 1000)
            torch.testing.assert_close(y, wrapper.forward_offline(heard.contiguous()), rtol=0.0, atol=0.0)
            alone = SampleQueueWrapper(Wide(1, 1, sample_rates=rates))
            alone.set_daw_sample_rate_and_buffer_size(48000, 100)
            for channel in range(6):
                side = heard[channel % takes : channel % takes + 1].contiguous()
                torch.testing.assert_close(y[channel : channel + 1], alone.forward_offline(side), rtol=0.0, atol=1e-6)
        wrapper.reset()
        given = [block for x in stereo.split(100, 1) if (block := wrapper.forward_bt(x)) is not None]
        assert {block.size(0) for block in given} == {6}


def test_other_counts_are_refused_with_both_numbers() -> None:
    for takes, gives, came in ((3, 2, 2), (3, 2, 1), (6, 6, 2), (2, 6, 6), (1, 6, 3), (3, 1, 4)):
        wrapper = SampleQueueWrapper(Wide(takes, gives))
        with pytest.raises(AudioError, match=rf"with {takes} channels, got {came}\. Only mono and stereo"):
            wrapper.forward(noise(came, 64))
        assert wrapper.forward(noise(takes, 64)).shape == (gives, 64)
    offline = NonRealtimeSampleQueueWrapper(WideOffline())
    with pytest.raises(AudioError, match="expected 3 channels, got 2"):
        offline.forward([noise(2, 64)])


def test_dry_needs_as_many_channels_in_as_out() -> None:
    wrapper = SampleQueueWrapper(Wide(6, 6, sample_rates=(44100,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    x = noise(6, 2000)
    wrapper.set_mix(0.0, 1.0)
    torch.testing.assert_close(wrapper.forward_offline(x), x, rtol=0.0, atol=1e-6)
    with pytest.raises(ParameterError, match="dry must be 0 for a model with 2 channels in and 6 out, got 0.5"):
        SampleQueueWrapper(Wide(2, 6)).set_mix(0.5, 0.5)


def test_an_offline_model_hears_all_of_its_parameters() -> None:
    wrapper = torch.jit.script(NonRealtimeSampleQueueWrapper(WideOffline()))
    x = noise(3, 500)
    values = torch.tensor([0.5, 0.0, 0.0, 0.25, 1.0, 0.9]).unsqueeze(1).repeat(1, 500)  # the last row is not declared
    first, second = wrapper.forward([x], values, ["", "abcd"], [[1, 2, 3], []])
    torch.testing.assert_close(first, torch.cat((x, x[:1])) * -3.0)
    torch.testing.assert_close(second, x[:1] * 340.0)
    first, second = wrapper.forward([x])
    torch.testing.assert_close(first, torch.cat((x, x[:1])) * 4.1)
    torch.testing.assert_close(second, x[:1] * 1232.0)
    assert list(wrapper.to_metadata()["neutone_parameters"]) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert wrapper.to_metadata()["neutone_parameters"]["p6"]["name"] == "three"
