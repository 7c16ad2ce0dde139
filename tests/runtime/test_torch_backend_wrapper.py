"""The libtorch backend plays a whole wrapper, as a plugin does: equal to Python's to the last bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like.runtime.torch_backend import torch_backend_path
from support.host_models import DelayModel, scripted
from support.native_backend import Audio, BackendFailure, BackendInstance, load_table
from support.places import EXPORTED
from support.torch_backend_models import ForeignWrapper


@pytest.fixture(scope="module")
def table() -> Any:
    return load_table(torch_backend_path())


def noise(channels: int, samples: int) -> Audio:
    return torch.randn(channels, samples).mul(0.3).numpy()


def one_value(value: float) -> Audio:
    return np.array([value], dtype=np.float32)


def play_wrapper(wrapper: Any, x: Audio, values: Audio) -> Audio:
    return wrapper.forward(torch.from_numpy(x.copy()), torch.from_numpy(values.copy())).numpy()


@pytest.mark.parametrize(("rate", "block"), [(48000, 128), (44100, 100), (96000, 256)])
def test_plays_the_whole_wrapper_as_python_does(table: Any, rate: int, block: int) -> None:
    path = EXPORTED / "overdrive" / "model.nm"
    wrapper = torch.jit.load(path)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, block)
    instance = BackendInstance(table, path, "part=wrapper")
    assert instance.prepare(rate, block, (2, 2), names=["drive"]) == wrapper.latency_samples()
    warm = instance.clone()
    warm.process(noise(2, block), [one_value(0.7)])
    for index in range(8):
        x = noise(2, block)
        knob = np.linspace(0, index / 8, block, dtype=np.float32)
        flat = np.full(block, knob[-1], dtype=np.float32)
        value = knob if index < 4 else flat[:1]
        expected = play_wrapper(wrapper, x, (knob if index < 4 else flat)[None])
        np.testing.assert_array_equal(instance.process(x, [value.copy()]), expected)
    instance.destroy()
    warm.destroy()


def test_the_wrapper_is_told_of_varying_blocks_and_of_the_models_rate(table: Any, tmp_path: Path) -> None:
    path = tmp_path / "delay.nm"
    model = DelayModel(5, sample_rates=(44100, 48000), block_sizes=(64, 100))
    torch.jit.save(scripted(model), path)  # pyright: ignore[reportArgumentType]
    wrapper = torch.jit.load(path)
    instance = BackendInstance(table, path, "part=wrapper\nmodel_rate=44100\nmodel_block=100\n")
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 1, 44100, 100)
    latency = instance.prepare(48000, 256, (2, 2), fixed=False)
    assert latency == wrapper.latency_samples()
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 1)
    assert latency > wrapper.latency_samples(), "the options changed something"
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 1, 44100, 100)
    for samples in (256, 1, 77, 256, 3):
        x = noise(2, samples)
        np.testing.assert_array_equal(instance.process(x.copy()), wrapper.forward(torch.from_numpy(x)).numpy())
    instance.destroy()


def test_a_wrapper_of_another_tool(table: Any, tmp_path: Path) -> None:
    path = tmp_path / "foreign.nm"
    torch.jit.save(torch.jit.script(ForeignWrapper()), path)
    instance = BackendInstance(table, path, "part=wrapper")
    with pytest.raises(BackendFailure, match="loses samples when the host's blocks vary"):
        instance.prepare(48000, 64, (2, 2), names=["gain"], fixed=False)
    assert instance.prepare(48000, 64, (2, 2), names=["gain"]) == 64 + 7
    x = noise(2, 64)
    np.testing.assert_array_equal(instance.process(x.copy(), [one_value(0.25)]), x * np.float32(0.25))
    instance.destroy()
