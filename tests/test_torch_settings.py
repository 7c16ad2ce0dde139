"""Torch's own settings change nothing of what is rendered, and stay as the caller has set them."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact import load_artifact, write_artifact
from neutone_like.errors import RuntimeEngineError
from neutone_like.graph import capture
from neutone_like.render import Board, ModelPlugin
from neutone_like.runtime import Engine, HostConfig
from neutone_like.streaming import to_streaming, verify_streaming
from neutone_like.torch_settings import plain_settings


class Recurrent(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Recurrent", authors=("Ada",), version="1.0.0")
    parameters = (ContinuousParameter("gain", default=0.5, rate="sample"), ContinuousParameter("decay", default=0.5))
    sample_rates = (44100,)

    def __init__(self) -> None:
        convolution = nn.Conv1d(2, 2, 1, bias=False, dtype=torch.float32, device="cpu")
        nn.init.constant_(convolution.weight, 0.5)
        super().__init__(convolution)
        self.past = torch.zeros(2, 1, dtype=torch.float32, device="cpu")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.model(x.unsqueeze(0)).squeeze(0) * params["gain"] + self.past * params["decay"]
        self.past = y[:, -1:].clone()
        return y

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 1)  # of the default type, on the default device


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "meta device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu"),
    "inference mode": torch.inference_mode,
    "gradients": torch.enable_grad,
}


def settings_now() -> tuple[object, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_autocast_enabled("cpu"),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
    )


def rendered() -> np.ndarray:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 2400)).astype(np.float32)
    return Board([ModelPlugin(Recurrent(), {"gain": 0.25})])(x, 48000)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_board_plays_the_same_and_leaves_settings_as_they_were(name: str) -> None:
    expected = rendered()
    with SETTINGS[name]():
        before = settings_now()
        got = rendered()
        assert settings_now() == before
    assert np.array_equal(got, expected)


def test_the_engine_says_that_the_default_type_is_another(tmp_path: Path) -> None:
    """The type belongs to the whole process, whose other threads go on: the engine can't put it aside for a block."""
    artifact = load_artifact(write_artifact(Recurrent(), tmp_path, render_samples=False).model_path)
    host, x = HostConfig(44100, 64), np.full((2, 640), 0.5, np.float32)
    with Engine(realtime_priority=False) as engine:
        with engine.open(artifact, host, mode="inline", backend="torchscript") as session:
            expected = session.process_offline(x)
        assert expected.any()
        with default_dtype(torch.float64):
            with pytest.raises(RuntimeEngineError, match=r"default type is torch.float64 .*\n?.*dtype=torch.float32"):
                engine.open(artifact, host, mode="inline", backend="torchscript")
            assert torch.get_default_dtype() is torch.float64


def test_the_last_to_leave_puts_the_default_type_back() -> None:
    first, second = plain_settings(), plain_settings()
    # Left in another order than nested, the gradients' contexts of one thread would not find back.
    with torch.enable_grad(), default_dtype(torch.float64):
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert torch.get_default_dtype() is torch.float32, "somebody is still inside"
        second.__exit__(None, None, None)
        assert torch.get_default_dtype() is torch.float64


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_its_own_default_type_back() -> None:
    """The thread that had set it aside isn't there to put it back."""
    inside, go_on = threading.Event(), threading.Event()

    @plain_settings()
    def hold() -> None:
        inside.set()
        go_on.wait(600)

    holder = threading.Thread(target=hold)
    with default_dtype(torch.float64):
        holder.start()
        assert inside.wait(600)
        assert torch.get_default_dtype() is torch.float32
        child = os.fork()
        if child == 0:
            try:
                before = torch.get_default_dtype()
                with plain_settings():
                    within = torch.get_default_dtype()
                os._exit(0 if (before, within, torch.get_default_dtype()) == IN_CHILD else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        go_on.set()
        holder.join()
        assert torch.get_default_dtype() is torch.float64
    assert status == 0


IN_CHILD = (torch.float64, torch.float32, torch.float64)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv1d(1, 1, 3, padding=2, dtype=torch.float32, device="cpu")
        for parameter, value in zip(self.layer.parameters(), (0.3, 0.1), strict=True):
            nn.init.constant_(parameter, value)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.layer(x)[:, :, : x.size(2)])


def captured_converted_and_verified() -> list[object]:
    network, x = Plain(), torch.full((1, 1, 64), 0.5, dtype=torch.float32, device="cpu")
    graph, streaming = capture(network, x), to_streaming(network, x)
    report = verify_streaming(streaming, reference=network, example=x, chunkings=2)
    return [
        [str(node) for node in graph.nodes],
        {name: each.tolist() for name, each in streaming.state_dict().items()},
        [(check.name, check.passed) for check in report.checks],
    ]


@pytest.mark.parametrize("name", ["float64", "bfloat16", "meta device", "autocast", "inference mode"])
def test_networks_are_captured_and_stream_the_same(name: str) -> None:
    expected = captured_converted_and_verified()
    assert all(passed for _, passed in expected[2])  # type: ignore[attr-defined]
    with SETTINGS[name]():
        before = settings_now()
        assert captured_converted_and_verified() == expected
        assert settings_now() == before
