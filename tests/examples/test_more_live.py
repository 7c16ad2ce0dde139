"""Eight examples, from the TCN amp to the linear-phase shelf: what each promises when a host plays it."""

import importlib
import itertools
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neutone_like import SampleQueueWrapper
from support.example_programs import run_here
from support.lighter_exports import ALL, FRESH_PROCESS, only_checks, without_pictures
from support.places import EXAMPLES

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

NAMES = (
    "tcn_amp", "spectral_gate", "stereo_widener", "speech_denoiser", "conv_tasnet", "equaliser", "crossover",
    "linear_phase_shelf",
)  # fmt: skip
DELAYS = {  # at the model's rate
    "spectral_gate": 768, "speech_denoiser": 384, "conv_tasnet": 256, "crossover": 511, "linear_phase_shelf": 255,
}  # fmt: skip
LARGEST_BYTES = 300_000

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str) -> Any:
    """The example's model; skips where what it needs is not installed."""
    if name == "conv_tasnet" and find_spec("torchaudio") is None:
        pytest.skip('torchaudio is not installed: pip install "neutone-like[torchaudio]"')
    return importlib.import_module(name).build_model()


def own_rate(model: Any) -> int:
    return (model.sample_rates or (48000,))[0]


def sound(total: int, channels: int = 2, seed: int = 0) -> Tensor:
    """Noise and a sweep whose levels wander, so that no two blocks are alike: ``[channels, total]``."""
    noise = torch.randn(channels, total, generator=torch.Generator().manual_seed(seed))
    t = torch.arange(total) / 48000
    return 0.2 * (noise * torch.sin(9.0 * t + seed).square() + torch.sin(6.28 * (150.0 + 2500.0 * t) * t))


def moving(model: Any, total: int) -> Tensor | None:
    """Host values that wander over the whole range, ``[P, total]``; None for a model without parameters."""
    t = torch.arange(total) / 48000
    rows = [0.5 + 0.5 * torch.sin((17.0 + 9.0 * row) * t) for row in range(len(model.declaration().parameters))]
    return torch.stack(rows) if rows else None


def play(wrapper: Any, x: Tensor, sizes: Sequence[int], params: Tensor | None = None) -> Tensor:
    """Feed ``x`` in blocks of the given sizes, round and round; as many samples come out."""
    outputs, start = [], 0
    for size in itertools.cycle(sizes):
        now = slice(start, min(start + size, x.size(1)))
        outputs.append(wrapper.forward(x[:, now], None if params is None else params[:, now]))
        start = now.stop
        if start == x.size(1):
            return torch.cat(outputs, dim=1)
    raise AssertionError("unreachable")


def hosted(model: Any, sample_rate: int, block_size: int) -> SampleQueueWrapper:
    wrapper = SampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(sample_rate, block_size)
    return wrapper


# Every one of them


@every_model
def test_declaration_is_valid_and_teaches(name: str) -> None:
    model = build(name)
    declaration = model.declaration()
    assert declaration.metadata.short_description
    assert all(parameter.unit for parameter in declaration.parameters)
    text = importlib.import_module(name).__doc__ or ""
    assert len(text.splitlines()) > 12
    assert f"python examples/{name}.py" in text
    assert model.model_delay_samples() == DELAYS.get(name, 0)


@every_model
@given(sizes=st.lists(st.one_of(st.integers(1, 40), st.integers(41, 2000)), min_size=1, max_size=5))
@settings(max_examples=8, deadline=None)
def test_any_chunking_equals_the_whole_from_the_first_sample(name: str, sizes: list[int]) -> None:
    model = build(name)
    wrapper = hosted(model, own_rate(model), 1)  # 1: a host that promises nothing about its blocks
    total = 6000 if max(sizes) > 40 else 1500
    x, params = sound(total), moving(model, total)
    whole = play(wrapper, x, [total], params)
    wrapper.reset()
    difference = (play(wrapper, x, sizes, params) - whole).abs().amax(0)
    assert float(difference.max()) <= 1e-6, f"first difference at sample {int((difference > 1e-6).nonzero()[0])}"


@every_model
def test_reset_repeats_bit_for_bit_and_state_matters(name: str) -> None:
    model = build(name)
    wrapper = hosted(model, own_rate(model), 128)
    x, params = sound(4096), moving(model, 4096)
    first = play(wrapper, x, [128], params)
    assert float(first.abs().max()) > 0.01
    assert not torch.equal(play(wrapper, x, [128], params), first)
    wrapper.reset()
    assert torch.equal(play(wrapper, x, [128], params), first)


@every_model
@pytest.mark.parametrize("host_rate", [44100, 96000])
def test_scripted_equals_eager_at_another_rate(name: str, host_rate: int) -> None:
    model = build(name)
    model.sample_rates = (own_rate(model),)  # so that those that take any rate are resampled too
    eager = SampleQueueWrapper(model)
    second = build(name)
    second.sample_rates = model.sample_rates
    scripted = torch.jit.script(SampleQueueWrapper(second))
    outputs = []
    for wrapper in (eager, scripted):
        wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 160)
        assert wrapper.is_resampling()
        outputs.append(play(wrapper, sound(8000), [160], moving(model, 8000)))
    assert float(outputs[0].abs().max()) > 0.01
    torch.testing.assert_close(outputs[1], outputs[0], atol=1e-6, rtol=0)


@every_model
def test_two_instances_are_independent(name: str) -> None:
    sounds = [sound(2048, seed=seed) for seed in (1, 2)]
    alone = [play(hosted(build(name), 48000, 256), x, [256]) for x in sounds]
    wrappers = [hosted(build(name), 48000, 256) for _ in sounds]
    together: list[list[Tensor]] = [[], []]
    for start in range(0, 2048, 256):
        for index in range(2):
            together[index].append(wrappers[index].forward(sounds[index][:, start : start + 256]))
    for index in range(2):
        assert torch.equal(torch.cat(together[index], dim=1), alone[index])


@pytest.mark.slow
@every_model
def test_as_a_program_it_writes_a_small_artifact_that_passes_its_checks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build(name)
    # That network comes from a package, of which nothing may be needed to play the file.
    only_checks(monkeypatch, *(ALL if name == "conv_tasnet" else ALL - {FRESH_PROCESS}))
    without_pictures(monkeypatch)
    run_here(name, [], tmp_path, monkeypatch)
    assert f"Wrote build/{name}/model.nm" in capsys.readouterr().out
    folder = tmp_path / "build" / name
    assert (folder / "model.nm").stat().st_size < LARGEST_BYTES
    checks = json.loads((folder / "validation.json").read_text(encoding="utf-8"))["checks"]
    assert len(checks) > 5
