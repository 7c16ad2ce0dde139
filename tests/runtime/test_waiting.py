"""A callback that may wait for its worker: as early as the worker allows, late by the policy, and never for nothing."""

import threading

import numpy as np
import pytest

from neutone_like import Artifact, AudioError, load_artifact
from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, PythonBackend
from support.runtime_models import Audio, Rig, noise, play, regular, written

# So long a block, and so much of it, that no worker is ever late, however busy the machine is.
LONG = 16384
PATIENT = 0.9


def blocks_needed(worker_seconds: float, host: HostConfig) -> int:
    """By trying: output of the block of callback 0 is asked for, and waited for, by callback n."""
    block_seconds = host.block_size / host.sample_rate
    return next(n for n in range(1000) if n * block_seconds + host.wait_fraction * block_seconds >= worker_seconds)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("block", [64, 480, 1024])
def test_latency_is_the_least_that_the_worker_needs(fraction: float, block: int) -> None:
    host = HostConfig(48000, block, wait_fraction=fraction)
    with Engine() as engine:
        for seconds in (0.0002, 0.004, 0.011, 0.03):
            session = engine.open(BuiltinBackend("identity"), host, max_inference_seconds=seconds)
            stats = session.stats()
            assert session.latency_samples == block * blocks_needed(stats.worker_seconds, host)
            assert session.latency_parts().inference_samples == session.latency_samples
            session.close()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load_artifact(written(Rig((44100,), (1024,), 50), tmp_path_factory.mktemp("waiting") / "rig"))


@pytest.mark.parametrize(("workers", "wake"), [(1, "event"), (2, "poll")])
def test_as_early_as_inline_and_the_same_sound(rig: Artifact, workers: int, wake: str) -> None:
    """Rates, blocks and look-behind that don't fit, on one worker and on two, two sessions at once."""
    x = noise(4 * LONG)
    host = HostConfig(48000, LONG, wait_fraction=PATIENT)
    with Engine(workers, wake="poll" if wake == "poll" else "event") as engine:
        inline = engine.open(rig, HostConfig(48000, LONG), mode="inline")
        expected = play(inline, x, regular(x.shape[1], LONG))
        for session in [engine.open(rig, host, max_inference_seconds=1e-4) for _ in range(2)]:
            y = play(session, x, regular(x.shape[1], LONG))
            np.testing.assert_array_equal(y, expected)
            stats = session.stats()
            assert session.latency_samples == inline.latency_samples
            assert session.latency_parts().inference_samples == 0
            assert (stats.missing_samples, stats.underruns) == (0, 0)
            assert stats.waits <= stats.callbacks == 4  # a worker that is woken may be done before the callback goes on


def test_nothing_is_waited_for_that_is_there() -> None:
    """The control is the session whose result can't be there: it waits in every callback."""
    x = noise(64 * 40)
    with Engine() as engine:
        host = HostConfig(48000, 64, wait_fraction=0.5)
        early = engine.open(BuiltinBackend("identity"), host, max_inference_seconds=0.25)
        play(early, x, regular(x.shape[1], 64))  # which lets the worker finish after each block
        assert (early.stats().waits, early.stats().waited_seconds) == (0, 0.0)

    free = threading.Event()
    free.set()  # while it is measured

    def held(audio: Audio, parameters: dict[str, Audio]) -> Audio:
        free.wait(600.0)
        return audio

    host = HostConfig(48000, 1024, wait_fraction=0.1)
    engine = Engine(watchdog_seconds=600.0)  # as long as the model is held at most
    with engine, engine.open(PythonBackend(held), host, max_inference_seconds=1e-4) as session:
        assert session.latency_samples == 0
        free.clear()
        session.process(np.ascontiguousarray(x[:, :1024]))
        assert (session.stats().waits, session.stats().missing_samples) == (1, 1024)
        assert session.stats().waited_seconds > 0.0
        assert "1 callbacks waited" in str(session.stats())
        free.set()
        session.wait_idle()


def test_what_is_not_there_by_then_is_late_and_nothing_shifts() -> None:
    """The worker sleeps for longer than the wait: exactly the samples that were counted are other ones."""
    x = noise(48000)
    host = HostConfig(48000, 1024, wait_fraction=0.5)
    with Engine() as engine:
        backend = BuiltinBackend("faults", options={"stall_ms": 60, "stall_block": 12})
        session = engine.open(backend, host, max_inference_seconds=0.001)
        assert session.latency_samples == 0
        report = engine.run_realtime(session, 0.6, input=x, record=True)
        run = report.sessions[0]
        assert run.output is not None
        wrong = (run.output != x[:, : run.samples]).any(0)
        assert wrong.sum() == run.missing_samples >= 1024
        assert run.waits > 0
        assert run.waited_seconds > 0.0
        assert report.no_op_beside(run).latency_samples == 0
        assert run.to_dict()["waits"] == run.waits


def test_varying_blocks_wait_but_get_no_earlier() -> None:
    x = noise(40 * 256)
    sizes = [int(size) for size in np.random.default_rng(3).integers(1, 257, 40)]
    with Engine() as engine:
        latencies: list[int] = []
        for fraction in (0.0, 0.5):
            host = HostConfig(48000, 256, varying_blocks=True, wait_fraction=fraction)
            with engine.open(BuiltinBackend("identity"), host, max_inference_seconds=0.25) as session:
                latencies.append(session.latency_samples)
        assert latencies[0] == latencies[1]
        # A host that breaks its promise is given the latency of one that never made it.
        promised = engine.open(
            BuiltinBackend("identity"), HostConfig(48000, 256, wait_fraction=0.9), max_inference_seconds=1e-4
        )
        first = promised.latency_samples
        y = play(promised, x[:, : sum(sizes)], sizes)
        assert promised.latency_samples > first
        assert promised.latency_samples == first + promised.stats().inserted_silence_samples
        late = promised.latency_samples
        np.testing.assert_array_equal(y[:, late:], x[:, : y.shape[1] - late])


def test_no_wait_outlasts_half_of_what_looks_like_a_hang() -> None:
    with Engine(watchdog_seconds=0.5) as engine:
        host = HostConfig(48000, 48000, wait_fraction=0.9)
        with engine.open(BuiltinBackend("identity"), host, max_inference_seconds=0.3) as session:
            assert session.latency_samples == 48000  # 0.3 s do not fit into the 0.25 s that it may wait
        with engine.open(BuiltinBackend("identity"), host, max_inference_seconds=0.2) as session:
            assert session.latency_samples == 0


def test_python_models_are_waited_for_without_the_gil() -> None:
    x = noise(2 * LONG)
    with Engine() as engine:
        half = PythonBackend(lambda audio, parameters: 0.5 * audio)
        session = engine.open(half, HostConfig(48000, LONG, wait_fraction=PATIENT), max_inference_seconds=0.001)
        np.testing.assert_array_equal(play(session, x, regular(x.shape[1], LONG)), np.float32(0.5) * x)


def test_wrong_values_are_refused() -> None:
    for wrong in (1.0, -0.1, float("nan"), float("inf"), "half", True):
        with pytest.raises(AudioError, match="wait_fraction must be at least 0 and below 1, got"):
            HostConfig(48000, 64, wait_fraction=wrong)  # pyright: ignore[reportArgumentType]
    waiting = HostConfig(48000, 64, wait_fraction=0.5)
    assert str(waiting) == "48000 Hz / 64, waits up to 50 %"
    with Engine() as engine:
        with pytest.raises(RuntimeEngineError, match='waits for a worker, and with mode="inline"'):
            engine.open("nowhere.nm", waiting, mode="inline")
        session = engine.open(BuiltinBackend("identity"), HostConfig(48000, 64), mode="inline")
        with pytest.raises(RuntimeEngineError, match="Use wait_fraction=0"):
            session.prepare(waiting)
        assert not session.is_closed
        session.process(np.zeros((2, 64), np.float32))
