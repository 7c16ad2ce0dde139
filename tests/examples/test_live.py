"""What every example promises: declared well, the same scripted and eager, state kept, reset, and never shared."""

import importlib
import itertools
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from neutone_like import WaveformToWaveformBase
from neutone_like.host import SampleQueueWrapper
from support.places import EXAMPLES

MODELS = ("overdrive", "echo", "tone_control", "lstm_amp")
RATE = 48000
TOTAL = 6000

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

every_model = pytest.mark.parametrize("name", MODELS)


def build(name: str) -> Any:
    """The example's model, ready to play at 48 kHz in blocks of up to 512."""
    model = importlib.import_module(name).build_model()
    model.prepare_model(RATE, 512)
    model.reset_model()
    return model.eval().requires_grad_(False)


class Scripted(nn.Module):
    """The least that a host needs: one method to play, two to set up."""

    def __init__(self, model: WaveformToWaveformBase) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model.do_forward_pass(x, params)

    @torch.jit.export
    def reset(self) -> None:
        self.model.reset_model()

    @torch.jit.export
    def prepare(self, sample_rate: int, block_size: int) -> None:
        self.model.prepare_model(sample_rate, block_size)


def changing_signal(channels: int, total: int = TOTAL, seed: int = 0) -> Tensor:
    """Noise whose level and colour wander, so that no two blocks are alike. ``[channels, total]``"""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(channels, total, generator=generator)
    t = torch.arange(total) / RATE
    return 0.3 * (noise * torch.sin(11.0 * t).square() + torch.sin(6.28 * (200.0 + 3000.0 * t) * t))


def moving_parameters(model: WaveformToWaveformBase, total: int = TOTAL, seed: int = 0) -> dict[str, Tensor]:
    """Per-sample parameters wander over their whole range; the others stand at three quarters of theirs."""
    values = {}
    for index, parameter in enumerate(model.declaration().parameters):
        low, high = parameter.minimum, parameter.maximum
        if parameter.rate == "sample":
            t = torch.arange(total) / RATE
            share = 0.5 + 0.5 * torch.sin(2 * torch.pi * (5.0 + 7.0 * index) * t + seed)
        else:
            share = torch.tensor([0.75])
        values[parameter.name] = low + (high - low) * share
    return values


def play(run: Any, x: Tensor, params: dict[str, Tensor], sizes: Any = None) -> Tensor:
    """Play ``x`` in blocks of the given sizes, round and round (in one piece without)."""
    outputs, start = [], 0
    for size in itertools.cycle(sizes or [x.size(1)]):
        now = slice(start, min(start + size, x.size(1)))
        outputs.append(run(x[:, now], {key: v[now] if v.numel() > 1 else v for key, v in params.items()}))
        start = now.stop
        if start == x.size(1):
            return torch.cat(outputs, dim=1)
    raise AssertionError("unreachable")


@every_model
def test_declaration_is_valid_and_teaches(name: str) -> None:
    model = build(name)
    declaration = model.declaration()
    assert declaration.metadata.name
    assert declaration.metadata.short_description
    assert all(parameter.description for parameter in declaration.parameters)
    text = importlib.import_module(name).__doc__ or ""
    assert len(text.splitlines()) > 8
    assert f"python examples/{name}.py" in text


@every_model
@pytest.mark.parametrize("total", [1, 7, 512, 5000])
def test_shape_and_finite(name: str, total: int) -> None:
    model = build(name)
    y = model(changing_signal(model.in_channels, total))
    assert y.shape == (model.out_channels, total)
    assert y.dtype == torch.float32
    assert bool(torch.isfinite(y).all())


@every_model
def test_scripted_equals_eager_in_blocks_and_after_preparing_for_another_rate(name: str) -> None:
    eager, scripted = build(name), torch.jit.script(Scripted(build(name)))
    x, params = changing_signal(eager.in_channels), moving_parameters(eager)
    sizes = [64, 1, 500, 17, 2048]
    torch.testing.assert_close(
        play(scripted, x, params, sizes), play(eager.do_forward_pass, x, params, sizes), atol=1e-6, rtol=0
    )
    eager.prepare_model(44100, 128)
    eager.reset_model()
    scripted.prepare(44100, 128)
    scripted.reset()
    torch.testing.assert_close(
        play(scripted, x, params, sizes), play(eager.do_forward_pass, x, params, sizes), atol=1e-6, rtol=0
    )


@every_model
@given(sizes=st.lists(st.one_of(st.just(1), st.integers(2, 700), st.integers(701, 5000)), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None)
def test_any_chunking_equals_the_whole_from_the_first_sample(name: str, sizes: list[int]) -> None:
    model = build(name)
    total = TOTAL if max(sizes) > 1 else 600  # a thousand blocks of one sample prove no more than these
    x, params = changing_signal(model.in_channels, total), moving_parameters(model, total)
    whole = play(model.do_forward_pass, x, params)
    model.reset_model()
    chunked = play(model.do_forward_pass, x, params, sizes)
    difference = (chunked - whole).abs().amax(0)
    assert float(difference.max()) <= 1e-6, f"first difference at sample {int((difference > 1e-6).nonzero()[0])}"


@every_model
def test_a_model_that_keeps_state_hears_the_past(name: str) -> None:
    """Positive control of the two tests round this one: without state they could not fail."""
    model = build(name)
    x, params = changing_signal(model.in_channels, 3000), moving_parameters(model, 3000)
    if name == "echo":
        params["time"] = torch.full((3000,), 20.0)
    first = play(model.do_forward_pass, x, params)
    second = play(model.do_forward_pass, x, params)
    assert torch.equal(first, second) == (name == "overdrive")


@every_model
def test_reset_repeats_bit_for_bit(name: str) -> None:
    for module in (build(name), torch.jit.script(Scripted(build(name)))):
        scripted = isinstance(module, torch.jit.ScriptModule)
        run, reset = (module, module.reset) if scripted else (module.do_forward_pass, module.reset_model)
        example = build(name)
        x, params = changing_signal(example.in_channels), moving_parameters(example)
        first = play(run, x, params, [100, 333])
        play(run, changing_signal(example.in_channels, seed=5), params, [64])
        reset()
        assert torch.equal(play(run, x, params, [100, 333]), first)


@every_model
def test_two_instances_are_independent(name: str) -> None:
    one, other = build(name), build(name)
    signals = [changing_signal(one.in_channels, seed=seed) for seed in (1, 2)]
    params = [moving_parameters(one, seed=seed) for seed in (1, 2)]
    alone = [play(build(name).do_forward_pass, x, p, [250]) for x, p in zip(signals, params)]
    together: list[list[Tensor]] = [[], []]
    for start in range(0, TOTAL, 250):
        now = slice(start, start + 250)
        for index, model in enumerate((one, other)):
            values = {key: v[now] if v.numel() > 1 else v for key, v in params[index].items()}
            together[index].append(model.do_forward_pass(signals[index][:, now], values))
    for index in range(2):
        assert torch.equal(torch.cat(together[index], dim=1), alone[index])


@every_model
def test_state_does_not_travel_with_the_weights_file(name: str) -> None:
    """An artifact stays small: what a model holds after a reset is its weights and next to nothing else."""
    model = build(name)
    play(model.do_forward_pass, changing_signal(model.in_channels), moving_parameters(model))
    model.reset_model()
    state_bytes = sum(buffer.untyped_storage().nbytes() for buffer in model.buffers())
    assert state_bytes < 50_000


@every_model
@pytest.mark.parametrize("host_rate", [44100, 96000])
def test_scripted_wrapper_equals_eager_wrapper_while_resampling(name: str, host_rate: int) -> None:
    eager = SampleQueueWrapper(build(name))
    scripted = torch.jit.script(SampleQueueWrapper(build(name)))
    x = changing_signal(eager.in_channels)
    outputs = []
    for wrapper in (eager, scripted):
        wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 160, RATE)
        assert wrapper.is_resampling()
        outputs.append(torch.cat([wrapper.forward(block) for block in x[:, : 37 * 160].split(160, dim=1)], dim=1))
    assert float(outputs[0].abs().max()) > 0.01
    torch.testing.assert_close(outputs[1], outputs[0], atol=1e-6, rtol=0)
