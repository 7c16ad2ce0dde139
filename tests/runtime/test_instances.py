"""Several instances of a model at once: in order and bit for bit, and only for a model without memory."""

import numpy as np
import pytest

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig

BLOCK = 64
HOST = HostConfig(48000, 4 * BLOCK, channels=1)


def backend(name: str, options: dict[str, object], look_behind: int = 0) -> BuiltinBackend:
    return BuiltinBackend(
        name, options=options, in_channels=1, out_channels=1, block_size=BLOCK, look_behind_samples=look_behind
    )


def test_blocks_that_run_at_the_same_time_come_out_in_order() -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 200 * HOST.block_size)).astype(np.float32)
    model = backend("faults", {"work_us": 100}, look_behind=100)
    with Engine(workers=2) as engine, engine.open(model, HOST, instances=2) as session:
        y = engine.run_realtime(session, x.shape[1] / HOST.sample_rate, input=x, record=True).sessions[0].output
        assert y is not None
        latency = session.latency_samples
        aligned = y[:, latency:]
        expected = x[0] + 0.5 * np.pad(x[0], (100, 0))[: x.shape[1]]
        differing = np.count_nonzero(aligned[0] != expected[: aligned.shape[1]])
        assert differing == session.stats().missing_samples
        np.testing.assert_array_equal(session.process_offline(x)[0], expected)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "faults",
            {"delay_samples": 32},
            "depends on the blocks before, so that they must be run in order, by 1 instance",
        ),
        ("one_pole", {}, "a model with state must be run in order, by 1 instance, got 2"),
    ],
)
def test_a_model_with_memory_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with Engine(workers=2) as engine:
        with pytest.raises(RuntimeEngineError, match=message):
            engine.open(backend(name, options), HOST, instances=2)
        engine.open(backend(name, options), HOST).close()
