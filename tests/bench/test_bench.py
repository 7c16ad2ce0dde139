"""The benchmarks measure what they say; how long things take is printed, never asserted."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.bench import (
    BlockTimes,
    bench_artifact,
    conversions,
    fidelity,
    identity,
    streaming_cost,
    time_calls,
)
from neutone_like.bench import peer as peers
from neutone_like.bench.latency_matrix import latency_matrix_table, measure_combination, measure_matrix
from neutone_like.bench.models import Delay
from neutone_like.bench.render_memory import render_memory_table
from neutone_like.bench.streaming_networks import DilatedNetwork
from neutone_like.errors import AudioError
from neutone_like.host import SampleQueueWrapper
from neutone_like.validate import HostSetting
from neutone_like.validate.conditions import optimiser
from support.validate_models import Delayed, Silent


def shown(*tables: Table) -> str:
    console = Console(width=220, record=True)
    console.print(*tables)
    return console.export_text()


def artifact_of(model: Any, folder: Path) -> Artifact:
    with optimiser(False):
        write_artifact(model, folder, render_samples=False)
    return load_artifact(folder)


# --- timing ---


def test_percentiles_are_of_the_calls_and_drop_nothing() -> None:
    times = BlockTimes((0.5, 0.9), tuple(n * 1e-6 for n in range(1000, 0, -1)))
    assert times.median_us == pytest.approx(500.0)
    assert times.percentile_us(99.0) == pytest.approx(990.0)
    assert times.percentile_us(99.9) == pytest.approx(999.0)
    assert times.max_us == pytest.approx(1000.0)
    assert times.mean_us == pytest.approx(500.5)
    assert (times.first_us, times.slowest_first_us) == (0.5e6, 0.9e6)


def test_the_real_time_factor_is_computing_time_over_duration() -> None:
    assert BlockTimes((1.0,), (0.001, 0.003)).real_time_factor(480, 48000) == pytest.approx(0.2)


def test_first_calls_are_kept_apart_from_warm_ones() -> None:
    calls: list[int] = []

    def slow_at_first() -> None:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.05)

    times = time_calls(slow_at_first, calls=200)
    assert times.first[0] >= 0.05
    assert len(times.warm) == 200
    assert len(calls) == len(times.first) + 50 + 200


def test_timing_ends_when_its_time_is_up() -> None:
    assert len(time_calls(lambda: time.sleep(1e-4), calls=10**9, seconds_at_most=0.0).warm) == 100


# --- an artifact ---


def test_an_artifact_is_timed_and_its_latency_measured(tmp_path: Path) -> None:
    report = bench_artifact(artifact_of(Delayed(), tmp_path), (44100, 48000), (64, 480), calls=150)
    assert [(r.setting.sample_rate, r.setting.block_size) for r in report.results] == [
        (44100, 64),
        (44100, 480),
        (48000, 64),
        (48000, 480),
    ]
    for result in report.results:
        assert result.latency is not None
        assert abs(result.latency.error) < 0.05
        assert result.latency.reported == result.reported_latency_samples
        assert len(result.times.warm) == 150
        assert result.model_sample_rate == 48000
    equal_rates = report.results[2]
    assert equal_rates.reported_latency_samples == 37 + 128 - 64
    text = shown(*report.tables())
    for heading in ("first call", "median", "p99", "p99.9", "max", "RTF", "reported", "measured", "processor"):
        assert heading in text
    content = json.loads(json.dumps(report.to_dict()))
    assert content["results"][2]["measured_latency_samples"] == pytest.approx(101.0, abs=0.05)
    assert content["conditions"]["threads"] == "1"


def test_a_silent_artifact_is_timed_without_a_measured_latency(tmp_path: Path) -> None:
    report = bench_artifact(artifact_of(Silent(), tmp_path), (48000,), (64,), calls=100)
    assert report.results[0].latency is None
    assert "silent" in shown(*report.tables())


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    artifact = artifact_of(Silent(), tmp_path)
    with pytest.raises(AudioError, match=r"at least 1, and one of each, got \(48000,\) Hz and \(0,\) samples"):
        bench_artifact(artifact, (48000,), (0,))
    with pytest.raises(AudioError, match=r"got \(\) Hz"):
        bench_artifact(artifact, (), (64,))


# --- latency ---


def test_the_latency_matrix_is_exact_at_its_corners() -> None:
    results = list(measure_matrix((48000, 96000), (44100, 48000), (1, 100), (0, 480), (37,)))
    assert len(results) == 16
    assert max(abs(result.error) for result in results) <= 0.05
    assert max(result.buffering_above_least for result in results) <= 0.0
    assert "worst of 16 combinations" in shown(latency_matrix_table(results))


class _Misreports:
    def __init__(self, module: Any, by: int) -> None:
        self._module, self._by = module, by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def calc_buffering_delay_samples(self) -> int:
        return self._module.calc_buffering_delay_samples() + self._by


@pytest.mark.parametrize("by", [1, -3, 60])
def test_a_wrong_report_shows_in_the_matrix(by: int) -> None:
    with optimiser(False):
        module = script_wrapper(SampleQueueWrapper(Delay(37, (44100,), (512,), channels=1)))
        result = measure_combination(_Misreports(module, by), HostSetting(48000, 128), 44100, 512, 37)
    assert result.error == pytest.approx(-by, abs=0.01)


# --- sound ---


def test_fidelity_beside_soxr() -> None:
    pytest.importorskip("soxr")
    ours = fidelity.round_trip(1000.0, 48000, 44100, "high")
    best = fidelity.round_trip(1000.0, 48000, 44100, fidelity.SOXR)
    assert ours.snr_db >= 110.0
    assert abs(ours.gain_db) <= 0.1
    assert best.snr_db >= 120.0
    assert fidelity.alias_db(23000.0, 48000, 44100, "high") < -100.0
    assert fidelity.image_db(19845.0, 48000, 44100, "high") < -100.0
    # Positive control: a tone that the model can hold is no alias, and is seen.
    assert fidelity.alias_db(10000.0, 48000, 44100, "high") > -1.0


def test_the_fidelity_tables_name_every_quality() -> None:
    text = shown(*fidelity.fidelity_tables(("fast",)))
    assert "fast" in text
    assert "23000" in text


@pytest.mark.parametrize("quality", ["high", "fast"])
def test_a_conversion_gives_as_many_samples_as_the_ratio_says(quality: str) -> None:
    convert = conversions.our_conversion(48000, 44100, 160, quality)
    counts: list[int] = []
    for _ in range(10):
        y: Any = convert()
        counts.append(y.size(1))
    assert counts[5:] == [147] * 5


# --- the peer ---

FAKE_PEER = """
import json, sys
print(json.dumps({"neutone_sdk": "0", "torch": "2.0"}), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    print(json.dumps([1e-3] * ask["calls"]), flush=True)
"""


@pytest.fixture
def small_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "BLOCKS", (64,))
    monkeypatch.setattr(identity, "MODEL_BLOCKS", (0,))
    monkeypatch.setattr(identity, "ROUNDS", 2)


@pytest.fixture
def fake_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the peer's place; returns where it is, for a test to write another one."""

    def python(folder: Path) -> Path:
        return Path(sys.executable)

    program = tmp_path / "peer.py"
    program.write_text(FAKE_PEER)
    monkeypatch.setattr(peers, "PROGRAM", program)
    monkeypatch.setattr(peers, "peer_python", python)
    return program


@pytest.mark.usefixtures("small_comparison", "fake_peer")
def test_the_peer_is_timed_by_turns() -> None:
    text = shown(identity.identity_table(Path("unused")))
    assert "both in this run, 2 rounds by turns, torch 2.0" in text
    assert text.count("1000.0") >= 4  # their median and mean, for both ways


@pytest.mark.usefixtures("small_comparison")
def test_without_the_peer_the_reference_is_labelled(fake_peer: Path) -> None:
    fake_peer.write_text("raise SystemExit(3)")
    text = shown(identity.identity_table(Path("unused")))
    assert "neutone-sdk did not run here (neutone-sdk stopped: its process ended with code 3.)" in text
    assert "its times are from another machine" in text
    assert "(40..48)" in text


@pytest.mark.usefixtures("small_comparison")
def test_the_peer_can_be_left_out() -> None:
    assert "did not run here (left out)" in shown(identity.identity_table(Path("unused"), with_peer=False))


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        returncode = 1
        stderr = "looking\nERROR: no such package\n"

    (tmp_path / "venv").mkdir()
    monkeypatch.setattr(peers.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(peers.subprocess, "run", lambda *_, **__: Failed())
    with pytest.raises(peers.PeerMissingError, match=r"pip install torch==2\.13\.0 failed: ERROR: no such package"):
        peers.peer_python(tmp_path / "venv")


# --- memory and the command ---


def test_the_memory_of_a_render_is_measured_in_its_own_process() -> None:
    pytest.importorskip("pedalboard")
    text = shown(render_memory_table(0.2))
    assert "Render of 0.2 minutes of stereo" in text
    assert "not measured" not in text or not Path("/proc/self/status").exists()


def test_the_command_prints_the_tables_asked_for_and_refuses_others(monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from neutone_like.bench import __main__ as command

    app = typer.Typer()
    app.command()(command.main)
    monkeypatch.setattr(command, "fidelity_tables", lambda: [Table("Fidelity")])
    done = CliRunner().invoke(app, ["fidelity"])
    assert done.exit_code == 0, done.output
    assert "Fidelity" in done.output
    assert "processor" in done.output
    assert CliRunner().invoke(app, ["speed"]).exit_code == 2


def test_a_block_with_state_beside_its_past_again() -> None:
    measured = streaming_cost.measure_cost("small", DilatedNetwork(4, 2), 64, rounds=2)
    assert (measured.block_samples, measured.past_samples, len(measured.again)) == (64, 7, 2)
    text = shown(streaming_cost.cost_table([measured]), streaming_cost.attention_table((1.0, 2.0), rounds=2))
    assert "small" in text
    assert "2 s" in text
    cost = streaming_cost.StreamingCost("x", 1, 1, (1.0, 2.0, 1.0), (4.0, 4.0, 3.0))
    assert cost.ratio == 3.0
