"""Backends beside each other: who is timed, and what is said of those who are missing."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from neutone_like import RuntimeEngineError, load_artifact
from neutone_like.bench import timing
from neutone_like.bench.backend_bench import BACKENDS, bench_backends
from neutone_like.bench.timing import FIRST_CALLS, WARM_UP_CALLS, time_in_turns
from support.cli_runner import GOOD, WRONG_USE, runner

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from support.exchange_files import overdriven, write_sidecar


def test_calls_are_timed_by_turns() -> None:
    made: list[str] = []
    times = time_in_turns([lambda: made.append("a"), lambda: made.append("b")], rounds=3, seconds_at_most=0.0)
    start = 2 * FIRST_CALLS + 2 * WARM_UP_CALLS
    assert made[:start] == ["a"] * FIRST_CALLS + ["b"] * FIRST_CALLS + ["a", "b"] * WARM_UP_CALLS
    turns = [len(list(same)) for _, same in itertools.groupby(made[start:])]
    assert [name for name, _ in itertools.groupby(made[start:])] == ["a", "b"] * 3
    assert set(turns) <= {2, 3, 4}  # the last of each is timed
    for each in times:
        assert (len(each.first), len(each.warm)) == (FIRST_CALLS, 3)
        assert each.min_us == 1e6 * np.min(each.warm)


@pytest.mark.parametrize("every", [2, 3, 4, 5, 8])
def test_what_is_computed_in_every_nth_call_only_is_timed_as_often(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def call() -> None:
        nonlocal calls
        calls += 1

    monkeypatch.setattr(timing, "_timed", lambda call: (call(), float(calls % every == 0))[1])
    (times,) = time_in_turns([call], rounds=600, seconds_at_most=60.0)
    assert np.mean(times.warm) == pytest.approx(1.0 / every, abs=0.06)


def test_the_budget_of_an_artifact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("bench", overdriven(tmp_path), "--budget", "--backends", "torchscript", "--blocks", "48,96")
    code, printed, _ = runner(capsys)(*words, "--json")
    assert code == GOOD
    found = json.loads(printed)
    assert [each["block_size"] for each in found["ways"]] == [48, 96]
    assert [each["latency_ms"] for each in found["ways"]] == [2.0, 4.0]  # without buffering: two blocks at 48 kHz
    assert [each["name"] for each in found["targets"]] == ["live", "voice", "interactive", "streaming"]
    code, printed, _ = runner(capsys)(*words)
    assert "live, 10 ms" in printed


def test_every_backend_is_timed_or_says_what_brings_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = overdriven(tmp_path)
    code, printed, _ = runner(capsys)("bench", artifact, "--backends", "all", "--blocks", "64", "--json")
    assert code == GOOD
    results = {each["backend"]: each for each in json.loads(printed)["results"]}
    assert tuple(results) == BACKENDS
    for backend in ("torchscript", "onnxruntime"):
        figures = [results[backend][key] for key in ("min_us", "median_us", "p99_us", "p99_9_us", "max_us")]
        assert figures == sorted(figures)
        assert figures[0] > 0.0
        assert results[backend]["calls"] >= 100
    assert "neutone-like compile" in results["compiled"]["note"]
    assert 'formats=("nm", "litert")' in results["litert"]["note"]
    table = bench_backends(load_artifact(artifact), ("litert",), block_sizes=(64,), calls=1).tables()[0]
    assert "litert: There is no .tflite file" in str(table.caption)


def test_what_is_no_backend_or_of_another_model_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = overdriven(tmp_path)
    code, _, complaint = runner(capsys)("bench", artifact, "--backends", "compiled,abacus")
    assert code == WRONG_USE
    assert "got 'abacus'" in complaint
    with pytest.raises(RuntimeEngineError, match=r"backends must be some of .*, got \('abacus',\)"):
        bench_backends(load_artifact(artifact), ("abacus",))  # pyright: ignore[reportArgumentType]
    write_sidecar(tmp_path / "model.onnx")  # of another model
    report = bench_backends(load_artifact(artifact), ("onnxruntime",), block_sizes=(64,), calls=1)
    assert "was exported from another model" in report.results[0].note
