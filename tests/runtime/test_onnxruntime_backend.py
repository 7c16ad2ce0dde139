"""ONNX files in the native engine, beside NumPy: states of every type, blocks of every length, and all that is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from neutone_like import ArtifactError, MissingExtraError, RuntimeEngineError
from neutone_like.runtime import Engine, HostConfig, Session
from neutone_like.runtime.exchange_libraries import ONNXRUNTIME
from support.exchange_files import (
    MANY_PARAMETERS,
    MANY_STATES,
    many_states,
    state,
    write_many_states,
    write_onnx,
    write_sidecar,
)
from support.native_build import compile_shared_object
from support.runtime_models import noise, play

MONO = HostConfig(48000, 64, channels=1, varying_blocks=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exchange") / "model.onnx"
    write_many_states(path)
    return path


def open_inline(engine: Engine, path: Path, host: HostConfig = MONO) -> Session:
    session = engine.open(path, host, mode="inline")
    assert session.backend_name == "onnxruntime"
    return session


def test_states_and_parameters_are_what_they_should_be_at_any_length(model: Path) -> None:
    random = np.random.default_rng(3)
    with Engine(realtime_priority=False) as engine, open_inline(engine, model) as session:
        for _ in range(6):  # each from a fresh state, more lengths than bindings are kept for
            blocks = [int(each) for each in random.integers(1, 65, 40)]
            x = random.uniform(-0.5, 0.5, (1, sum(blocks))).astype(np.float32)
            expected = many_states(x, np.ones(x.shape[1]), 0.25, blocks)
            np.testing.assert_allclose(play(session, x, blocks), expected, rtol=0.0, atol=2e-5)
            session.reset()
        assert session.stats().failed_blocks == 0


def test_a_parameter_moves_within_a_block_where_the_model_takes_it_so(model: Path) -> None:
    x = noise(4096, channels=1)
    with Engine(realtime_priority=False) as engine, open_inline(engine, model, HostConfig(48000, 64, 1)) as session:
        gain = np.linspace(0.0, 2.0, 4096)
        heard = session.process_offline(x, {"gain": gain, "offset": 0.5})
        # A gain's ramp follows the host's values at every sample; whoever holds it for a block is 0.03 off.
        expected = many_states(x, gain, 0.5, [64] * 64)
        np.testing.assert_allclose(np.asarray(heard)[:, 2048:], expected[:, 2048:], rtol=0.0, atol=2e-3)


def test_two_instances_know_nothing_of_each_other(model: Path) -> None:
    x, y = noise(640, seed=1, channels=1), noise(640, seed=2, channels=1)
    with Engine(realtime_priority=False) as engine, open_inline(engine, model) as one, open_inline(engine, model) as two:
        heard = [np.concatenate([play(s, a[:, i : i + 64], [64]) for s, a in ((one, x), (two, y))]) for i in range(0, 640, 64)]
    for row, audio in enumerate((x, y)):
        expected = many_states(audio, np.ones(640), 0.25, [64] * 10)
        np.testing.assert_allclose(np.concatenate(heard, axis=1)[row : row + 1], expected, rtol=0.0, atol=2e-5)
