"""Runs at real deadlines: what the report says, for people and for programs, and what can't be run."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from neutone_like import AudioError, ParameterError, RuntimeEngineError
from neutone_like.model import ContinuousParameter
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, ParameterChange, PythonBackend, RealtimeReport
from neutone_like.runtime.time_distribution import TimeDistribution, distribution
from support.runtime_models import noise

HOST = HostConfig(48000, 256)


@pytest.fixture(scope="module")
def report() -> RealtimeReport:
    """Two busy sessions of two hosts, and one in the callback."""
    with Engine(workers=2) as engine:
        busy = BuiltinBackend("faults", block_size=128, options={"work_us": 200})
        sessions = [
            engine.open(busy, HOST),
            engine.open(busy, HostConfig(44100, 64, varying_blocks=True)),
            engine.open(busy, HOST, mode="inline"),
        ]
        engine.run_realtime(sessions, 0.05)  # what was counted before the run is not the run's
        return engine.run_realtime(sessions, 0.5)


def test_every_session_is_reported_beside_one_that_does_nothing(report: RealtimeReport) -> None:
    assert [(run.host, run.mode) for run in report.sessions] == [
        ("48000 Hz / 256", "async"),
        ("44100 Hz / up to 64", "async"),
        ("48000 Hz / 256", "inline"),
    ]
    assert [(run.host, run.mode) for run in report.no_op] == [(run.host, run.mode) for run in report.sessions]
    assert all(run.name == "identity" for run in report.no_op)
    for run in report.sessions:
        assert report.no_op_beside(run).callbacks == run.callbacks
    assert len(report.workers) == len(report.no_op_workers) == 2
    assert sum(worker.turns for worker in report.workers) > 0


def test_counts_and_times_are_of_this_run(report: RealtimeReport) -> None:
    async_run, varying_run, inline_run = report.sessions
    assert (async_run.callbacks, async_run.samples) == (94, 94 * 256)
    assert varying_run.callbacks == round(0.5 * 44100 / 64 + 0.5)
    for run in report.sessions:
        assert 0.4 < run.seconds < 5.0
        assert run.callback_time.count == run.wake_lateness.count == run.callbacks
        blocks = run.samples // 128
        assert blocks - 4 <= run.inference_time.count <= blocks + 4
        assert run.inference_time.p50_us >= 190.0
        assert run.turnaround_time.count == pytest.approx(run.inference_time.count, abs=3)
        assert run.turnaround_time.max_us >= run.inference_time.p50_us
        assert run.inference_load == pytest.approx(run.inference_time.p99_us / run.inference_budget_us)
        assert run.ended_early == ""
        assert run.output is None
    assert async_run.inference_budget_us == pytest.approx(1e6 * 128 / 48000)
    assert inline_run.callback_time.p50_us > 350.0 > async_run.callback_time.p50_us
    assert inline_run.cpu_share > async_run.cpu_share
    work = sum(run.inference_time.count for run in report.sessions[:2]) * 200e-6 / 0.5
    assert sum(worker.cpu_share for worker in report.workers) > 0.5 * work


def test_no_worker_uses_more_than_a_processor() -> None:
    """One that polls computes before a run and after it, too: of a short one, longer than it lasts."""
    with Engine(workers=1, wake="poll") as engine:
        session = engine.open(BuiltinBackend("identity"), HOST)
        shares = [engine.run_realtime(session, 0.005).workers[0].cpu_share for _ in range(3)]
    assert all(0.0 < share <= 1.001 for share in shares), shares


def test_percentiles_rise_and_lose_nothing(report: RealtimeReport) -> None:
    for run in (*report.sessions, *report.no_op):
        for times in (run.callback_time, run.inference_time, run.wake_lateness, run.turnaround_time):
            assert 0.0 < times.p50_us <= times.p99_us <= times.p999_us <= times.max_us
            assert sum(count for _, count in times.buckets) == times.count
            assert times.buckets[-1][0] >= times.max_us
            assert times.fraction_above(times.max_us * 1.1) == 0.0
            assert times.fraction_above(0.0) == 1.0


def test_percentiles_are_those_of_the_values() -> None:
    """Against NumPy on the same values, to a bucket's width."""
    from neutone_like.runtime.native_module import native_module

    values = np.random.default_rng(0).lognormal(9.0, 2.0, 5000).astype(np.uint64)
    ends = native_module().histogram_bucket_ends_ns()
    counts = np.bincount(np.searchsorted(ends, values), minlength=ends.size).astype(np.uint64)
    times = distribution((counts, int(values.max())))
    for fraction, got in ((0.5, times.p50_us), (0.99, times.p99_us), (0.999, times.p999_us), (1.0, times.max_us)):
        exact = float(np.quantile(values, fraction, method="inverted_cdf")) / 1000.0
        assert exact <= got <= exact * 1.033
    half = np.bincount(np.searchsorted(ends, values[:2500]), minlength=ends.size).astype(np.uint64)
    rest = distribution((counts, int(values.max())), (half, 0))
    exact = float(np.quantile(values[2500:], 0.5, method="inverted_cdf")) / 1000.0
    assert exact <= rest.p50_us <= exact * 1.033
    assert rest.count == 2500
    assert distribution((counts, 1), (counts, 1)) == TimeDistribution(0, 0.0, 0.0, 0.0, 0.0, ())


def test_json_holds_every_number(report: RealtimeReport) -> None:
    told = json.loads(report.to_json())
    assert told["report_version"] == 1
    first = told["sessions"][0]
    assert first["callback_time"]["p999_us"] == report.sessions[0].callback_time.p999_us
    assert len(first["callback_time"]["buckets"]) == len(report.sessions[0].callback_time.buckets)
    assert first["missing_samples"] == report.sessions[0].missing_samples
    assert "output" not in first
    assert told["workers"][0]["cpu_share"] == report.workers[0].cpu_share


def test_the_table_fits_a_terminal(report: RealtimeReport) -> None:
    console = Console(width=80, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(report.table())
    text = captured.get()
    assert max(map(len, text.splitlines())) <= 80
    for word in ("p99.9", "94 callbacks", "underruns", "missing", "latency", "(no-op)", "real-time priority"):
        assert word in text
    assert f"{report.sessions[0].callback_time.max_us:.1f}" in text
    assert not re.search("…", text)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_input_from_a_file(channels: int, tmp_path: Path) -> None:
    import soundfile

    x = noise(20000, channels)
    soundfile.write(tmp_path / "in.wav", x.T, 48000, subtype="FLOAT")
    with Engine() as engine:
        backend = BuiltinBackend("identity", in_channels=channels, out_channels=channels)
        session = engine.open(backend, HostConfig(48000, 256, channels), mode="inline")
        run = engine.run_realtime(session, 0.2, input=tmp_path / "in.wav", record=True).sessions[0]
        assert run.output is not None
        np.testing.assert_array_equal(run.output, x[:, : run.samples])


@pytest.mark.parametrize("prepares", [False, True])
def test_a_session_that_is_closed_or_prepared_in_mid_run_ends_it_early(prepares: bool) -> None:
    import threading

    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST)
        timer = threading.Timer(0.2, (lambda: session.prepare(HOST)) if prepares else session.close)
        timer.start()
        run = engine.run_realtime(session, 1.0).sessions[0]
        timer.join()
        assert run.ended_early == "the session was closed"
        assert 0 < run.callbacks < 180
        assert session.is_closed == (not prepares)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seconds": 0.0}, RuntimeEngineError, "seconds must lie above 0 and up to 86400, got 0.0"),
        ({"seconds": float("nan")}, RuntimeEngineError, "seconds must lie above 0 and up to 86400, got nan"),
        ({"seconds": "1"}, RuntimeEngineError, "seconds must lie above 0 and up to 86400, got '1'"),
        ({"jitter_seconds": -1.0}, RuntimeEngineError, "jitter_seconds must lie in 0..1, got -1.0"),
        ({"seed": -1}, RuntimeEngineError, "seed must be an integer in 0..18446744073709551615, got -1"),
        ({"input": noise(100, 1)}, AudioError, "with 2 channels, as the HostConfig says, got 1"),
        ({"input": noise(0)}, AudioError, "at least one sample of input"),
        ({"input": "nowhere.wav"}, AudioError, "nowhere.wav can't be read as audio"),
        ({"output": "nowhere/out.wav"}, AudioError, "nowhere/out.wav can't be written"),
        ({"output": "out.strange"}, AudioError, "out.strange can't be written: its ending must be .*wav"),
        ({"output": "out.mp3"}, AudioError, "out.mp3 can't be written: .*, which hold float32"),
        ({"parameter_changes": [ParameterChange(0, "gian", 1.0)]}, ParameterError, "Did you mean 'gain'"),
        ({"parameter_changes": [ParameterChange(0, "gain", 7.0)]}, ParameterError, "allowed is 0.0..4.0, got 7.0"),
        ({"parameter_changes": [ParameterChange(-1, "gain", 1)]}, RuntimeEngineError, "must be 0 or more, got -1"),
        ({"sessions": []}, RuntimeEngineError, "needs at least one session"),
    ],
)  # fmt: skip
def test_runs_that_cannot_be(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    backend = PythonBackend(lambda x, p: x * p["gain"], parameters=(ContinuousParameter("gain", maximum=4.0),))
    with Engine() as engine:
        session = engine.open(backend, HOST)
        run: Any = engine.run_realtime
        with pytest.raises(error, match=message):
            run(**{"sessions": session, "seconds": 0.02, **arguments})


def test_the_input_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    source, link, hard = tmp_path / "take.wav", tmp_path / "link.wav", tmp_path / "hard.wav"
    soundfile.write(source, noise(20000).T, 48000, subtype="FLOAT")
    link.symlink_to(source)
    hard.hardlink_to(source)
    monkeypatch.chdir(tmp_path)
    before = source.read_bytes()
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST, mode="inline")
        for output in (source, str(source), "take.wav", f"../{tmp_path.name}/take.wav", link, hard):
            with pytest.raises(AudioError, match="Input and output must be different files"):
                engine.run_realtime(session, 0.02, input=source, output=output)
        assert source.read_bytes() == before
        engine.run_realtime(session, 0.02, input=source, output="other.aif")
    assert soundfile.info("other.aif").subtype == "FLOAT"


def test_a_damaged_input_is_refused(tmp_path: Path) -> None:
    import soundfile

    source = tmp_path / "take.wav"
    soundfile.write(source, noise(20000).T, 48000, subtype="FLOAT")
    source.write_bytes(source.read_bytes()[:-8000])
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST, mode="inline")
        with pytest.raises(AudioError, match="take.wav is cut off: its header promises 20000 samples"):
            engine.run_realtime(session, 0.02, input=source)


def test_sessions_that_cannot_be_run(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "in.wav", noise(100).T, 44100)
    with Engine() as engine, Engine() as other:
        session = engine.open(BuiltinBackend("identity"), HOST)
        with pytest.raises(AudioError, match="in.wav has 44100 Hz, the host 48000 Hz. Convert the file first"):
            engine.run_realtime(session, 0.1, input=tmp_path / "in.wav")
        with pytest.raises(RuntimeEngineError, match="was opened on another engine: run it there"):
            other.run_realtime(session, 0.1)
        with pytest.raises(RuntimeEngineError, match="given twice"):
            engine.run_realtime([session, session], 0.1)
        second = engine.open(BuiltinBackend("identity"), HOST)
        with pytest.raises(RuntimeEngineError, match="output= writes the sound of one session, and 2 are played"):
            engine.run_realtime([session, second], 0.1, output=tmp_path / "out.wav")
        session.close()
        with pytest.raises(RuntimeEngineError, match="is closed. Open another one"):
            engine.run_realtime(session, 0.1)
