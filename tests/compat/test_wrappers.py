"""Wrappers written for the Neutone SDK: what they play is their do_forward_pass, called as that SDK calls it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, load_artifact, render_file
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.compat.neutone_sdk import CategoricalNeutoneParameter, NeutoneParameter, SampleQueueWrapper
from neutone_like.compat.neutone_sdk.live_model import LiveModel
from neutone_like.compat.neutone_sdk.utils import load_neutone_model, save_neutone_model
from support import compat_wrappers
from support.lighter_exports import ALL, only_checks, without_pictures, without_times

NAMES = tuple(compat_wrappers.build_all())
RATES = {"averager": 44100, "delayed": 44100}
BLOCKS = {"averager": 256, "delayed": 256, "tone": 128, "lstm": 128}
BLOCK_COUNT = 12


def setting(name: str) -> tuple[int, int]:
    """A host that needs no conversion."""
    return RATES.get(name, 48000), BLOCKS.get(name, 512)


def sound_and_knobs(name: str, moving: bool) -> tuple[Tensor, Tensor]:
    rate, block = setting(name)
    samples = block * BLOCK_COUNT
    generator = torch.Generator().manual_seed(4)
    x = torch.rand(1, samples, generator=generator) * 1.6 - 0.8
    x = torch.cat((x, x if compat_wrappers.build_all()[name].is_input_mono() else x.flip(1)))
    knobs = torch.rand(4, 1, generator=generator).repeat(1, samples)
    if moving:
        knobs = (knobs + torch.arange(samples) / rate * torch.tensor([[3.0], [5.0], [7.0], [11.0]])) % 1.0
    return x, knobs


def by_hand(wrapper: Any, x: Tensor, knobs: Tensor, rate: int, block: int) -> Tensor:
    """Block by block: the past before each block, knobs aggregated, a row for each parameter by its name."""
    wrapper.set_model_sample_rate_and_buffer_size(rate, block)
    past = wrapper.get_look_behind_samples()
    if wrapper.is_input_mono():
        x = x.mean(0, keepdim=True)
    x = torch.cat((torch.zeros(x.size(0), past), x), 1)
    defaults = [parameter.default_value_0to1 for parameter in wrapper.get_neutone_parameters()]
    before = torch.tensor((defaults + [0.0] * 4)[:4]).unsqueeze(1).repeat(1, past)
    used = torch.arange(4).unsqueeze(1) < len(defaults)
    knobs = torch.cat((before, torch.where(used, knobs, 0.0)), 1)
    outputs: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, x.size(1) - past, block):
            rows = wrapper.aggregate_params(knobs[:, start : start + past + block].clone())
            params = {parameter.name: rows[i] for i, parameter in enumerate(wrapper.get_neutone_parameters())}
            outputs.append(wrapper.do_forward_pass(x[:, start : start + past + block].clone(), params).clone())
    y = torch.cat(outputs, 1)
    return y.repeat(2 // y.size(0), 1)


def played(module: Any, x: Tensor, knobs: Tensor, block: int) -> Tensor:
    cuts = range(0, x.size(1), block)
    return torch.cat([module.forward(x[:, at : at + block], knobs[:, at : at + block]) for at in cuts], 1)


def assert_equal_to_hand(name: str, module: Any, moving: bool) -> None:
    rate, block = setting(name)
    module.set_daw_sample_rate_and_buffer_size(rate, block)
    x, knobs = sound_and_knobs(name, moving)
    expected = by_hand(compat_wrappers.build_all()[name], x, knobs, rate, block)
    torch.testing.assert_close(played(module, x, knobs, block), expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_wrapper_plays_as_by_hand(name: str) -> None:
    module = SampleQueueWrapper(compat_wrappers.build_all()[name])
    assert_equal_to_hand(name, module, moving=False)


@pytest.mark.parametrize("name", NAMES)
def test_scripted_wrapper_plays_as_by_hand(name: str) -> None:
    module = SampleQueueWrapper(compat_wrappers.build_all()[name])
    module.prepare_for_inference()
    assert_equal_to_hand(name, script_wrapper(module), moving=False)


@pytest.mark.parametrize("name", ["clipper", "averager", "lstm", "tone"])
def test_moving_knobs_are_aggregated_as_by_hand(name: str) -> None:
    assert_equal_to_hand(name, SampleQueueWrapper(compat_wrappers.build_all()[name]), moving=True)


class Level(compat_wrappers.Described):
    """Plays its knob, in blocks of any size."""

    def get_model_name(self) -> str:
        return "level"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [NeutoneParameter("level", "", 0.5)]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return params["level"].expand(2, x.size(1))


def test_moving_knob_of_a_wrapper_for_any_block_is_its_value_now() -> None:
    """Within 32 samples, whatever the host's block; the mean over the host's block is further away."""
    module = SampleQueueWrapper(Level(nn.Identity()))
    x = torch.zeros(2, 3072)
    knobs = (torch.arange(3072) / 4096).repeat(4, 1)
    for block in (512, 96, 1024):
        module.set_daw_sample_rate_and_buffer_size(48000, block)
        assert (played(module, x, knobs, block) - knobs[0]).abs().max() < 32 / 4096
    mean_of_block = by_hand(Level(nn.Identity()), x, knobs, 48000, 512)
    assert (mean_of_block - knobs[0]).abs().max() > 250 / 4096


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_wrapper_exports(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == NAMES[0]:
        only_checks(monkeypatch, *ALL)
    else:
        without_times(monkeypatch)
        without_pictures(monkeypatch)
    wrapper = compat_wrappers.build_all()[name]
    state = {key: value.clone() for key, value in wrapper.state_dict().items()}
    result = save_neutone_model(wrapper, tmp_path / name, submission=True)
    assert result.validation is not None
    assert result.validation.passed
    assert wrapper.use_debug_mode, "prepare_for_inference was called on the user's own wrapper"
    torch.testing.assert_close(dict(wrapper.state_dict()), state, rtol=0, atol=0)

    module, metadata = load_neutone_model(str(result.model_path))
    assert_equal_to_hand(name, module, moving=False)
    expected = {**wrapper.to_metadata(), "date_created": metadata["date_created"]}
    assert {key: metadata[key] for key in expected} == json.loads(json.dumps(expected))
    assert metadata["model_name"] == name
    assert metadata["citation"] == "Ada (1843). Notes."
    assert load_artifact(result.model_path).verify_test_vector() == 0.0


class Shaper(compat_wrappers.Described):
    """A choice, and a gain in its own unit, which the Neutone SDK has neither of in live models."""

    def get_model_name(self) -> str:
        return "shaper"

    def get_neutone_parameters(self) -> list[Any]:
        gain = ContinuousParameter("gain", "Gain", default=6.0, minimum=-24.0, maximum=24.0, unit="dB")
        return [CategoricalNeutoneParameter("shape", "Curve", 3, 1, ["none", "soft", "hard"]), gain]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x * torch.pow(10.0, params["gain"] / 20.0)
        shape = int(params["shape"])
        if shape == 0:
            return y
        return torch.tanh(y) if shape == 1 else y.clamp(-1.0, 1.0)


@pytest.mark.slow
def test_choice_and_unit_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_times(monkeypatch)
    without_pictures(monkeypatch)
    save_neutone_model(Shaper(nn.Identity()), tmp_path, submission=True)
    module, metadata = load_neutone_model(tmp_path)
    assert metadata["neutone_parameters"]["p1"]["labels"] == ["none", "soft", "hard"]
    x = torch.linspace(-1.0, 1.0, 512).repeat(2, 1)
    module.set_daw_sample_rate_and_buffer_size(48000, 512)
    torch.testing.assert_close(module.forward(x), torch.tanh(x * 10.0 ** (6.0 / 20.0)))
    for index, expected in enumerate((x * 10.0**0.6, torch.tanh(x * 10.0**0.6), (x * 10.0**0.6).clamp(-1.0, 1.0))):
        module.reset()
        y = module.forward(x, torch.tensor([[index / 2.0], [0.75]]).expand(2, 512))
        torch.testing.assert_close(y, expected)


@pytest.mark.slow
def test_export_renders_at_another_rate_and_reports_its_delay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    import soundfile

    only_checks(monkeypatch, "delay as reported")
    without_pictures(monkeypatch)
    save_neutone_model(compat_wrappers.Delayed(), tmp_path / "delayed")
    x = np.sin(np.arange(22050) * 0.05).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", x, 22050, subtype="FLOAT")
    render_file(tmp_path / "delayed" / "model.nm", tmp_path / "in.wav", tmp_path / "out.wav")
    y, rate = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert rate == 22050
    np.testing.assert_allclose(y[500:-500, 0], x[500:-500], atol=1e-3)


class Kernel(compat_wrappers.Described):
    """A filter whose buffer is designed for the rate, beside one that is state; no reset_model."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.register_buffer("gain", torch.ones(1))
        self.register_buffer("past", torch.zeros(2, 1))

    def get_model_name(self) -> str:
        return "kernel"

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.gain = torch.full((1,), sample_rate / 48000.0)
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x * self.gain + self.past
        self.past = y[:, -1:]
        return y


def test_reset_puts_state_back_and_leaves_what_the_rate_decides() -> None:
    module = SampleQueueWrapper(Kernel())
    x = torch.rand(2, 64, generator=torch.Generator().manual_seed(0))
    scripted = script_wrapper(SampleQueueWrapper(Kernel()).eval())
    for wrapper in (module, scripted):
        for rate in (96000, 24000):
            wrapper.set_daw_sample_rate_and_buffer_size(rate, 64)
            first = wrapper.forward(x)
            torch.testing.assert_close(first, x * (rate / 48000.0))
            second = wrapper.forward(x)
            assert not torch.equal(first, second)
            wrapper.reset()
            assert torch.equal(wrapper.forward(x), first)


def test_state_buffers_are_found() -> None:
    found = Kernel().live_model()
    assert isinstance(found, LiveModel)
    assert set(found.initial_buffers) == {".past"}
    overdrive = compat_wrappers.Overdrive().live_model()
    assert isinstance(overdrive, LiveModel)
    assert set(overdrive.initial_buffers) == {"model.blocks.0.pad", "model.blocks.1.pad"}
    own_reset = compat_wrappers.Delayed().live_model()
    assert isinstance(own_reset, LiveModel)
    assert not own_reset.restores_buffers


def test_without_putting_back_state_stays() -> None:
    """The control of the test above: it is this package that resets such wrappers."""
    live = LiveModel(Kernel())
    x = torch.ones(2, 64)
    first = live.do_forward_pass(x, {})
    live.reset_model()
    assert not torch.equal(live.do_forward_pass(x, {}), first)


@pytest.mark.parametrize("call", [lambda w: w(torch.ones(2, 8)), lambda w: w.forward(torch.ones(2, 8), None)])
def test_wrapper_can_be_called_in_a_notebook(call: Callable[[Any], Tensor]) -> None:
    wrapper = compat_wrappers.Clipper(compat_wrappers.ClipperModel())
    torch.testing.assert_close(call(wrapper), torch.full((2, 8), 0.25))
    knobs = torch.tensor([[0.0], [0.5], [0.5], [0.0]]).repeat(1, 8)
    torch.testing.assert_close(wrapper(torch.ones(2, 8), knobs), torch.full((2, 8), 0.25))
    knobs[1] = torch.arange(8) / 8.0
    torch.testing.assert_close(wrapper(torch.ones(2, 8), knobs), (torch.arange(8) / 16.0).repeat(2, 1))


class Normed(compat_wrappers.Described):
    """Takes its parametrization off for inference."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 2, 1))

    def get_model_name(self) -> str:
        return "Normed"

    def prepare_for_inference(self) -> None:
        super().prepare_for_inference()
        nn.utils.parametrize.remove_parametrizations(self.convolution, "weight")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.convolution(x.unsqueeze(0))[0]


def test_a_parametrized_wrapper_stays_as_it_is() -> None:
    wrapper = Normed()
    x = torch.rand(2, 64)
    expected = wrapper(x)
    for _ in range(2):
        torch.testing.assert_close(wrapper.live_model().do_forward_pass(x, {}), expected)
    torch.testing.assert_close(wrapper(x), expected)
    assert nn.utils.parametrize.is_parametrized(wrapper.convolution)


class Smoother(compat_wrappers.Described):
    """Its state is another tensor after each block: of another size at first, then a number that was expanded."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.register_buffer("level", torch.full((2, 1), 0.25))

    def get_model_name(self) -> str:
        return "smoother"

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + self.level
        self.level = x.mean().expand(2, x.size(1))
        return y


def test_a_buffer_that_is_replaced_by_an_expanded_one_is_put_back() -> None:
    module = script_wrapper(SampleQueueWrapper(Smoother()))
    module.set_daw_sample_rate_and_buffer_size(48000, 256)
    x = torch.rand(2, 256)
    first = [module.forward(x, torch.zeros(4, 256)) for _ in range(3)]
    module.reset()
    again = [module.forward(x, torch.zeros(4, 256)) for _ in range(3)]
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert not torch.equal(first[0], first[2])
