"""Models on workers: the output is the offline reference, exactly as late as the session says, from sample one."""

import threading
from pathlib import Path

import numpy as np
import pytest

from neutone_like import Artifact, load_artifact
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, ParameterChange, PythonBackend, Session
from support.runtime_models import Audio, Rig, RunningSum, noise, play, regular, written

# So long that no worker is ever late, however busy the machine is.
PATIENT = 0.25


def delayed(x: Audio, samples: int) -> Audio:
    """``x`` after so many zeros, cut to its length."""
    return np.pad(x, ((0, 0), (samples, 0)))[:, : x.shape[1]]


def assert_aligned(y: Audio, reference: Audio, latency: int, tolerance: float = 0.0) -> None:
    """``y`` is the reference, ``latency`` late. Before it there is nothing but the resampler's own beginning."""
    np.testing.assert_allclose(y[:, latency:], reference[:, : y.shape[1] - latency], rtol=0.0, atol=tolerance)
    assert np.abs(y[:, : max(0, latency - 200)]).max(initial=0.0) < 1e-6
    assert np.abs(y[:, :latency]).max(initial=0.0) < 0.3


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load_artifact(written(Rig((44100,), (128,), 50), tmp_path_factory.mktemp("async") / "rig"))


@pytest.fixture(scope="module")
def running_sum(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load_artifact(written(RunningSum((128,)), tmp_path_factory.mktemp("async") / "sum"))


@pytest.mark.parametrize("wake", ["event", "poll"])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("host", [HostConfig(48000, 64), HostConfig(44100, 300), HostConfig(96000, 1024)], ids=str)
def test_output_is_the_offline_reference_delayed(rig: Artifact, wake: str, workers: int, host: HostConfig) -> None:
    samples = max(6000, 4 * host.block_size) // host.block_size * host.block_size
    x = noise(samples)
    with Engine(workers, wake="poll" if wake == "poll" else "event") as engine, engine.open(rig, host) as session:
        reference = session.process_offline(x)
        y = play(session, x, regular(samples, host.block_size))
        assert_aligned(y, reference, session.latency_samples)
        stats = session.stats()
        assert (stats.missing_samples, stats.underruns) == (0, 0)
        assert (stats.callbacks, stats.samples) == (samples // host.block_size, samples)
        assert session.latency_parts().inference_samples > 0


def test_latency_is_the_sum_of_its_parts(rig: Artifact) -> None:
    with Engine() as engine:
        inline = engine.open(rig, HostConfig(48000, 100), mode="inline")
        for seconds in (0.0005, 0.0031, PATIENT):
            session = engine.open(rig, HostConfig(48000, 100), max_inference_seconds=seconds)
            parts = session.latency_parts()
            whole = parts.resample_in_samples + parts.buffering_samples + parts.model_samples
            whole += parts.resample_out_samples + parts.inference_samples
            assert whole == pytest.approx(parts.total_samples, abs=1e-6)
            assert parts.total_samples == session.latency_samples
            assert parts.inference_samples == session.latency_samples - inline.latency_samples
            assert session.stats().max_inference_seconds == pytest.approx(seconds)
            assert parts.inference_samples >= session.stats().worker_seconds * 48000 >= seconds * 48000


def test_varying_blocks_come_out_whole(rig: Artifact) -> None:
    sizes = [int(size) for size in np.random.default_rng(3).integers(1, 257, 80)]
    x = noise(sum(sizes))
    with Engine() as engine:
        session = engine.open(rig, HostConfig(48000, 256, varying_blocks=True))
        reference = session.process_offline(x)
        y = play(session, x, sizes)
        assert_aligned(y, reference, session.latency_samples, 1e-6)


@pytest.mark.parametrize("mode", ["async", "inline"])
def test_first_block_of_a_model_with_state_shows_no_warm_up(running_sum: Artifact, mode: str) -> None:
    x = noise(1280)
    expected = np.cumsum(x, 1, dtype=np.float64).astype(np.float32)
    with Engine() as engine:
        session = engine.open(running_sum, HostConfig(48000, 128), mode="inline" if mode == "inline" else "async")
        reference = session.process_offline(x)
        y = play(session, x, regular(1280, 128))
        np.testing.assert_array_equal(y, delayed(reference, session.latency_samples))
        np.testing.assert_allclose(reference, expected, rtol=0.0, atol=1e-5)
        np.testing.assert_array_equal(reference[:, :128], expected[:, :128])


def test_state_that_the_engine_keeps_starts_untouched() -> None:
    """The built-in low-pass is a pure function; its state is the engine's."""
    x = noise(4096)
    low_passed = np.zeros((2, 4096))
    for n in range(4096):
        low_passed[:, n] = x[:, n] + 0.5 * low_passed[:, n - 1]
    with Engine() as engine:
        session = engine.open(BuiltinBackend("one_pole"), HostConfig(48000, 128))
        expected = delayed(low_passed.astype(np.float32), session.latency_samples)
        for _ in range(2):
            np.testing.assert_allclose(play(session, x, regular(4096, 128)), expected, rtol=0.0, atol=1e-6)
            session.reset()


def test_instances_work_side_by_side_and_stay_in_order() -> None:
    x = noise(128 * 60)
    with Engine(workers=3) as engine:
        session = engine.open(
            BuiltinBackend("faults", block_size=32, options={"work_us": 300}), HostConfig(48000, 128), instances=3
        )
        y = play(session, x, regular(x.shape[1], 128))
        np.testing.assert_array_equal(y, delayed(x, session.latency_samples))
        assert session.stats().model_blocks == 4 * 60


def test_real_deadlines_give_the_same_sound(rig: Artifact, tmp_path: Path) -> None:
    import soundfile

    x = noise(9000)
    changes = [ParameterChange(4000, "gain", 3.0), ParameterChange(2000, "polarity", "inverted")]
    sound = tmp_path / "heard.wav"
    with Engine(workers=2) as engine:
        host = HostConfig(48000, 128)
        session = engine.open(rig, host, max_inference_seconds=PATIENT)
        report = engine.run_realtime(session, 0.6, input=x, parameter_changes=changes, output=sound)
        run = report.sessions[0]
        assert (run.missing_samples, run.underruns, run.ended_early) == (0, 0, "")
        looped = np.ascontiguousarray(np.tile(x, 5)[:, : run.samples])
        inline = engine.open(rig, host, mode="inline")
        by_block = {2000 // 128: {"polarity": "inverted"}, 4000 // 128: {"gain": 3.0}}
        expected = play(inline, looped, regular(run.samples, 128), by_block)
        late = session.latency_samples - inline.latency_samples
        assert run.output is not None
        np.testing.assert_array_equal(run.output, delayed(expected, late))
        heard, rate = soundfile.read(sound, dtype="float32")
        assert rate == 48000
        np.testing.assert_array_equal(heard.T, run.output)


def test_random_blocks_and_jitter_lose_nothing(rig: Artifact) -> None:
    x = noise(48000)
    with Engine() as engine:
        session = engine.open(rig, HostConfig(48000, 256, varying_blocks=True), max_inference_seconds=PATIENT)
        report = engine.run_realtime(session, 0.8, input=x, vary_blocks=True, jitter_seconds=0.002, record=True, seed=5)
        run = report.sessions[0]
        assert run.missing_samples == 0
        assert len(set(run.block_sizes)) > 20
        assert sum(run.block_sizes) == run.samples
        reference = session.process_offline(np.ascontiguousarray(np.tile(x, 2)[:, : run.samples]))
        assert run.output is not None
        assert_aligned(run.output, reference, session.latency_samples, 1e-6)


def test_many_sessions_share_the_workers(rig: Artifact) -> None:
    hosts = [HostConfig(rate, block) for rate in (44100, 48000) for block in (64, 100, 512)]
    x = noise(30000)
    with Engine(workers=2) as engine:
        sessions = [engine.open(rig, host, max_inference_seconds=PATIENT) for host in hosts]
        report = engine.run_realtime(sessions, 0.5, input=x, record=True)
        assert len(report.no_op) == len(hosts)
        for session, run in zip(sessions, report.sessions, strict=True):
            assert run.missing_samples == 0
            reference = session.process_offline(np.ascontiguousarray(x[:, : run.samples]))
            assert run.output is not None
            assert_aligned(run.output, reference, session.latency_samples)


def test_parameters_are_set_from_any_thread_while_audio_plays() -> None:
    """The last value set is the one that is heard, and no other value than those that were set ever is."""

    def told(x: Audio, parameters: dict[str, Audio]) -> Audio:
        return np.broadcast_to(parameters["polarity"], x.shape).astype(np.float32)

    x = np.zeros((2, 64), np.float32)
    heard: set[float] = set()
    stop = threading.Event()

    def turn(session: Session, label: str) -> None:
        while not stop.is_set():
            session.set_parameter("polarity", label)

    with Engine() as engine:
        session = engine.open(PythonBackend(told, parameters=Rig.parameters), HostConfig(48000, 64), mode="inline")  # pyright: ignore[reportArgumentType]
        threads = [threading.Thread(target=turn, args=(session, label)) for label in ("soft", "inverted")]
        for thread in threads:
            thread.start()
        for _ in range(1500):
            heard.update(np.unique(session.process(x)).tolist())
        stop.set()
        for thread in threads:
            thread.join()
        assert heard <= {0.0, 1.0, 2.0}
        assert heard >= {1.0, 2.0}
        session.set_parameter("polarity", "normal")
        assert session.process(x).max() == 0.0
