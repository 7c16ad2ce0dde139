"""The libtorch backend, through its C table alone, against the same modules run by Python: equal to the last bit."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from neutone_like import WaveformToWaveformBase
from neutone_like.runtime.torch_backend import torch_backend_path
from support.host_models import Smear, scripted
from support.native_backend import ERROR, WRONG_SHAPE, Audio, BackendFailure, BackendInstance, load_table
from support.places import EXPORTED
from support.torch_backend_models import InPlace, KeepsViews, Troublesome

# Folder, rate, block, channels, look-behind, parameters with their ranges, whether they have a value a sample.
ARTIFACTS: list[tuple[str, int, int, tuple[int, int], int, dict[str, tuple[float, float]], bool]] = [
    ("overdrive", 48000, 256, (2, 2), 0, {"drive": (0, 36)}, False),
    ("lstm_amp", 48000, 128, (1, 1), 0, {}, False),
    ("tcn_amp", 48000, 128, (1, 1), 0, {}, False),
    ("echo", 44100, 200, (2, 2), 0, {"time": (0.01, 0.5), "feedback": (0, 0.9), "mix": (0, 1)}, True),
    ("spectral_gate", 44100, 512, (2, 2), 2304, {"threshold": (-60, -30), "reduction": (0, 30)}, False),
    ("speech_denoiser", 16000, 128, (1, 1), 384, {"reduction": (0, 30)}, False),
]


@pytest.fixture(scope="module")
def table() -> Any:
    return load_table(torch_backend_path())


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[WaveformToWaveformBase], Path]:
    """Saves a model in a wrapper, and gives the file."""

    def save(model: WaveformToWaveformBase) -> Path:
        path = tmp_path / f"{type(model).__name__}.nm"
        torch.jit.save(scripted(model), path)  # pyright: ignore[reportArgumentType]
        return path

    return save


def noise(channels: int, samples: int) -> Audio:
    return torch.randn(channels, samples).mul(0.3).numpy()


def one_value(value: float) -> Audio:
    return np.array([value], dtype=np.float32)


def play_in_python(core: Any, x: Audio, parameters: dict[str, Audio]) -> Audio:
    with torch.no_grad():
        tensors = {name: torch.from_numpy(value.copy()) for name, value in parameters.items()}
        return core.do_forward_pass(torch.from_numpy(x.copy()), tensors).numpy().copy()


@pytest.mark.parametrize(
    ("name", "rate", "block", "channels", "look_behind", "ranges", "per_sample"),
    ARTIFACTS,
    ids=lambda value: str(value),
)
def test_plays_an_exported_core_as_python_does(
    table: Any,
    name: str,
    rate: int,
    block: int,
    channels: tuple[int, int],
    look_behind: int,
    ranges: dict[str, tuple[float, float]],
    per_sample: bool,
) -> None:
    path = EXPORTED / name / "model.nm"
    core = torch.jit.load(path).w2w_base
    core.prepare_model(rate, block)
    core.reset_model()
    instance = BackendInstance(table, path)
    delay = instance.prepare(rate, block, channels, names=list(ranges), look_behind=look_behind)
    assert delay == core.model_delay_samples()

    signal = noise(channels[0], look_behind + 12 * block)
    values = np.random.default_rng(0)
    for start in range(0, 12 * block, block):
        x = signal[:, start : start + look_behind + block]
        length = block if per_sample else 1
        knobs = {name: values.uniform(*limits, length).astype(np.float32) for name, limits in ranges.items()}
        expected = play_in_python(core, x, knobs)
        np.testing.assert_array_equal(instance.process(x.copy(), list(knobs.values())), expected)
        assert np.isfinite(expected).all()
        if start == 5 * block:
            core.reset_model()
            instance.reset()
    instance.destroy()


@pytest.mark.parametrize("model", [InPlace(), KeepsViews()], ids=lambda model: type(model).__name__)
def test_state_of_every_kind(table: Any, saved: Callable[..., Path], model: WaveformToWaveformBase) -> None:
    path = saved(model)
    names = [parameter.name for parameter in model.parameters]
    core = torch.jit.load(path).w2w_base
    instance = BackendInstance(table, path)
    instance.prepare(48000, 40, (2, 2), names=names)
    for samples in (40, 13, 40, 1, 27, 40, 39, 40):
        x = noise(2, samples)
        knobs = {name: one_value(samples / 10) for name in names}
        expected = play_in_python(core, x, knobs)
        np.testing.assert_array_equal(instance.process(x, list(knobs.values())), expected)
    instance.reset()
    core.reset_model()
    x = noise(2, 40)
    knobs = {name: one_value(1.0) for name in names}
    expected = play_in_python(core, x, knobs)
    np.testing.assert_array_equal(instance.process(x, list(knobs.values())), expected)
    instance.destroy()


def test_a_clone_starts_from_the_same_state_and_shares_none(table: Any, saved: Callable[..., Path]) -> None:
    path = saved(InPlace())
    instance = BackendInstance(table, path)
    instance.prepare(48000, 64, (2, 2))
    core = torch.jit.load(path).w2w_base
    for _ in range(3):
        x = noise(2, 64)
        instance.process(x.copy())
        play_in_python(core, x, {})

    clone = instance.clone()
    for _ in range(20):
        clone.process(noise(2, 64))  # as the engine warms up
    again = instance.clone()
    x, more = noise(2, 64), noise(2, 64)
    expected, expected_more = play_in_python(core, x, {}), play_in_python(core, more, {})
    np.testing.assert_array_equal(instance.process(x.copy()), expected)
    instance.destroy()  # a clone outlives it
    np.testing.assert_array_equal(again.process(x.copy()), expected)
    np.testing.assert_array_equal(again.process(more.copy()), expected_more)
    assert np.abs(clone.process(x.copy()) - expected).max() > 1e-3, "the busy clone has a state of its own"
    clone.destroy()
    again.destroy()


@pytest.mark.parametrize(
    ("wish", "status", "message"),
    [
        (1, ERROR, "^ModelError: This model says\nno\\.$"),
        (2, ERROR, r"^RuntimeError: mat1 and mat2 shapes cannot be multiplied \(2x8 and 2x8\)"),
        (
            3,
            WRONG_SHAPE,
            r"must return float32 of shape \(2, 8\) for input of shape \[2, 8\], got float32 of shape \[2, 7",
        ),
        (4, WRONG_SHAPE, r"got another type of shape \[2, 8\]\. Return as many samples as are new"),
    ],
)
def test_a_model_that_fails_says_so_and_goes_on(
    table: Any, saved: Callable[..., Path], wish: int, status: int, message: str
) -> None:
    path = saved(Troublesome())
    instance = BackendInstance(table, path)
    instance.prepare(48000, 8, (2, 2))
    bad = np.full((2, 8), wish, dtype=np.float32)
    good = np.full((2, 8), 0.5, dtype=np.float32)
    with pytest.raises(BackendFailure, match=message) as failure:
        instance.process(bad.copy())
    assert failure.value.status == status
    np.testing.assert_array_equal(instance.process(good.copy()), good)
    if status == WRONG_SHAPE:
        wrapper = torch.jit.load(path)
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 8)
        with pytest.raises(torch.jit.Error) as python:  # pyright: ignore[reportPrivateImportUsage]
            wrapper.forward(torch.from_numpy(bad))
        assert str(failure.value) in str(python.value), "the wrapper says the same"
    instance.destroy()


def test_output_of_any_layout_and_nan_arrive_as_they_are(table: Any, saved: Callable[..., Path]) -> None:
    instance = BackendInstance(table, saved(Troublesome()))
    instance.prepare(48000, 8, (2, 2))
    transposed = 5.0 + np.arange(16, dtype=np.float32).reshape(2, 8) / 100
    np.testing.assert_array_equal(instance.process(transposed.copy()), transposed + 1)
    assert np.isnan(instance.process(np.full((2, 8), 6.5, dtype=np.float32))).all()
    instance.destroy()


def test_what_cannot_be_opened_is_refused(table: Any, saved: Callable[..., Path], tmp_path: Path) -> None:
    path = saved(Smear(3))
    text = tmp_path / "text.nm"
    text.write_text("no archive")
    plain = tmp_path / "plain.nm"
    torch.jit.save(torch.jit.script(nn.ReLU()), plain)
    for source, options, message in (
        (tmp_path / "absent.nm", "", r"absent\.nm is no TorchScript archive that torch .* can load: .*No such file"),
        (text, "", r"text\.nm is no TorchScript archive that torch .* can load: PytorchStreamReader failed"),
        (plain, "", r"plain\.nm has no submodule 'w2w_base', so it is no live artifact"),
        (plain, "part=wrapper", r"plain\.nm has no method reset, so it is no live artifact"),
        (path, "part=half", r"Option part must be 'model' or 'wrapper', got 'half'"),
        (path, "speed=2", r"has the options part, model_rate and model_block, not 'speed'"),
        (path, "part", r"Expected key=value, got 'part'"),
        (path, "part=wrapper\nmodel_rate=0", r"Option model_rate must be a whole number of at least 1, got '0'"),
        (path, "model_block=64", r"model_rate and model_block belong to part=wrapper"),
    ):
        with pytest.raises(BackendFailure, match=message):
            BackendInstance(table, source, options)


def test_a_worker_has_one_thread_and_leaves_the_others_theirs(table: Any) -> None:
    counts: list[int] = []

    def worker() -> None:
        table.thread_started()  # without the GIL
        counts.append(torch.get_num_threads())

    def bystander() -> None:
        counts.append(torch.get_num_threads())

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        for work in (bystander, worker, bystander):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert counts == [3, 1, 3]
        together = threading.Barrier(8)
        for _ in range(10):  # an engine's workers all at once
            counts.clear()
            workers = [threading.Thread(target=lambda: (together.wait(), worker())) for _ in range(8)]
            for thread in workers:
                thread.start()
            for thread in workers:
                thread.join()
            thread = threading.Thread(target=bystander)
            thread.start()
            thread.join()
            assert counts == [1] * 8 + [3]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
