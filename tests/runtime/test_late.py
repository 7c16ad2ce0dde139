"""Late blocks cost exactly their own samples: the stream is never shifted, and the count is exact."""

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, PythonBackend, RealtimeReport, Session, SessionRun
from support.runtime_models import Audio, noise

HOST_BLOCKS = (64, 128, 256, 512, 1024)
MODEL_BLOCKS = (128, 256, 512)
LOOK_BEHINDS = (0, 100)


def faults(model_block: int | None = None, look_behind: int = 0, **options: object) -> BuiltinBackend:
    return BuiltinBackend("faults", block_size=model_block, look_behind_samples=look_behind, options=options)


def expected_output(x: Audio, run: SessionRun, look_behind: int) -> Audio:
    """What would be heard if nothing was late."""
    looped = np.tile(x, -(-run.samples // x.shape[1]))[:, : run.samples]
    y = looped.copy()
    if look_behind:
        y[:, look_behind:] += np.float32(0.5) * looped[:, :-look_behind]
    return np.pad(y, ((0, 0), (run.latency_samples, 0)))[:, : run.samples]


def differing(x: Audio, run: SessionRun, look_behind: int = 0) -> npt.NDArray[np.bool_]:
    """Where something else is heard than should be, by sample."""
    assert run.output is not None
    return (run.output != expected_output(x, run, look_behind)).any(0)


def late_stretches(wrong: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each run of late samples. A busy machine may add short ones to the one that was asked for."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wrong, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def play_all(engine: Engine, sessions: Sequence[Session], x: Audio, seconds: float) -> RealtimeReport:
    return engine.run_realtime(sessions, seconds, input=x, record=True)


@pytest.mark.parametrize("options", [{"stall_count": 1}, {"stall_count": 20}], ids=["one stall", "twenty in a row"])
@pytest.mark.parametrize("look_behind", LOOK_BEHINDS)
def test_exactly_the_late_samples_differ(look_behind: int, options: dict[str, int]) -> None:
    """A worker stalls for 30 ms; all host and model blocks at once, each with a worker of its own."""
    x = noise(48000)
    cells = [(host_block, model_block) for host_block in HOST_BLOCKS for model_block in MODEL_BLOCKS]
    with Engine(workers=len(cells)) as engine:
        sessions = [
            engine.open(
                faults(model_block, look_behind, stall_ms=30, stall_block=12, **options), HostConfig(48000, host_block)
            )
            for host_block, model_block in cells
        ]
        report = play_all(engine, sessions, x, 0.5 + 0.04 * options["stall_count"])
        for cell, session, run in zip(cells, sessions, report.sessions, strict=True):
            wrong = differing(x, run, look_behind)
            stats = session.stats()
            assert run.missing_samples > 0, cell
            assert wrong.sum() == run.missing_samples == stats.missing_samples, cell
            assert stats.dropped_samples == stats.restarts == stats.failed_blocks == 0, cell
            host = cell[0]
            callbacks = np.add.reduceat(wrong, np.arange(0, run.samples, host))
            assert (callbacks > 0).sum() == run.underruns, cell
            assert not wrong[: run.latency_samples].any(), cell


@pytest.mark.parametrize("policy", ["fade", "hold", "dry"])
def test_what_is_heard_instead(policy: str) -> None:
    x = noise(48000)
    with Engine() as engine:
        backend = faults(128, stall_ms=30, stall_block=12)
        session = engine.open(
            backend,
            HostConfig(48000, 128),
            late_policy="hold" if policy == "hold" else "dry" if policy == "dry" else "fade",
        )
        run = play_all(engine, [session], x, 0.4).sessions[0]
        wrong = differing(x, run)
        assert run.output is not None
        assert run.missing_samples > 0
        if policy == "dry":  # which is what this model gives, too
            assert not wrong.any()
            return
        assert wrong.sum() == run.missing_samples
        stretches = late_stretches(wrong)
        assert max(stop - start for start, stop in stretches) >= 240  # a stall of 30 ms leaves more than 5 ms
        for start, stop in stretches:
            before, late = run.output[:, start - 1 : start], run.output[:, start:stop]
            gain = 1.0 if policy == "hold" else np.maximum(1 - np.arange(1, stop - start + 1) / 240, 0.0)
            np.testing.assert_allclose(late, np.broadcast_to(before * gain, late.shape), rtol=1e-6, atol=1e-7)


def test_state_survives_a_late_block() -> None:
    """The late block is worked on all the same: what follows knows of it."""

    class SleepySum:
        def __init__(self) -> None:
            self.reset()

        def reset(self) -> None:
            self.total = np.zeros((2, 1))
            self.blocks = 0

        def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
            self.blocks += 1
            if self.blocks == 20:
                time.sleep(0.05)
            y = self.total + np.cumsum(x, 1, dtype=np.float64)
            self.total = y[:, -1:]
            return y.astype(np.float32)

    x = noise(48000)
    with Engine() as engine:
        session = engine.open(PythonBackend(SleepySum()), HostConfig(48000, 256), max_inference_seconds=0.01)
        run = play_all(engine, [session], x, 0.5).sessions[0]
        assert run.output is not None
        sums = np.cumsum(x[:, : run.samples], 1, dtype=np.float64)
        expected = np.pad(sums, ((0, 0), (run.latency_samples, 0)))[:, : run.samples]
        wrong = (np.abs(run.output - expected) > 1e-4).any(axis=0)
        assert 0 < int(wrong.sum()) <= run.missing_samples


def test_a_full_queue_restarts_the_stream_and_counts_what_it_lost() -> None:
    x = noise(48000)
    with Engine() as engine:
        backend = faults(128, stall_ms=400, stall_block=12)
        session = engine.open(backend, HostConfig(48000, 128), queue_seconds=0.05)
        run = play_all(engine, [session], x, 1.0).sessions[0]
        stats = session.stats()
        assert stats.restarts >= 1
        assert stats.dropped_samples >= 0.2 * 48000
        assert differing(x, run).sum() == run.missing_samples >= stats.dropped_samples


def test_a_model_that_never_returns_is_given_up_and_the_others_play_on() -> None:
    x = noise(48000)
    with Engine(workers=2, watchdog_seconds=0.1) as engine:
        hanging = engine.open(faults(hang_block=20, hang_seconds=1.5), HostConfig(48000, 128))
        healthy = engine.open(faults(), HostConfig(48000, 128), max_inference_seconds=0.1)
        runs = play_all(engine, [hanging, healthy], x, 1.0).sessions
        assert hanging.stats().hung
        assert runs[0].ended_early == ""
        assert runs[0].output is not None
        np.testing.assert_array_equal(runs[0].output[:, -4800:], 0.0)
        assert differing(x, runs[0]).sum() == runs[0].missing_samples > 0
        assert not healthy.stats().hung
        assert differing(x, runs[1]).sum() == runs[1].missing_samples
        assert any(worker.left_behind for worker in engine.worker_statistics())
        assert not hanging.is_closed


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({"throw_block": 40}, {"failed_blocks": 1, "nonfinite_samples": 0}),
        ({"wrong_size_block": 40}, {"failed_blocks": 1, "nonfinite_samples": 0}),
        ({"nan_block": 40}, {"failed_blocks": 0, "nonfinite_samples": 1}),
    ],
    ids=str,
)
def test_a_broken_block_is_silence_and_counted(options: dict[str, int], counts: dict[str, int]) -> None:
    x = noise(128 * 100)
    with Engine() as engine:
        session = engine.open(faults(128, **options), HostConfig(48000, 128), mode="inline")
        y = np.concatenate([session.process(np.ascontiguousarray(x[:, k : k + 128])) for k in range(0, 12800, 128)], 1)
        wrong = (y != x).any(0)
        stats = session.stats()
        assert {name: getattr(stats, name) for name in counts} == counts
        assert bool(stats.last_error) == (counts["failed_blocks"] > 0)
        np.testing.assert_array_equal(np.flatnonzero(wrong), np.arange(40 * 128, 41 * 128))
        assert not y[:, 40 * 128 : 41 * 128].any()


def test_input_that_is_not_a_number_never_reaches_the_model() -> None:
    x = noise(1280)
    x[0, 300:310] = np.nan
    x[1, 305] = np.inf
    with Engine() as engine:
        session = engine.open(BuiltinBackend("one_pole"), HostConfig(48000, 128), mode="inline")
        y = np.concatenate([session.process(np.ascontiguousarray(x[:, k : k + 128])) for k in range(0, 1280, 128)], 1)
        assert np.isfinite(y).all()
        assert session.stats().nonfinite_input_samples == 11
        assert session.stats().nonfinite_samples == 0
