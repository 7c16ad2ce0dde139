"""Files of the benchmark suite's results with effects that are known."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import GRID_WIDTHS, Cell, EngineName
from neutone_like.bench.suite.networks import SIZES, Example, Family, Shape
from neutone_like.bench.suite.results import FORMAT, VERSION

RUN = {
    "format": FORMAT,
    "version": VERSION,
    "machine": {"processor": "made up"},
    "versions": {"neutone-like": "0.1.0"},
    "git": "abc",
    "started": "2026-11-30T00:00:00+00:00",
    "load": "0.0",
}
ENGINES: tuple[EngineName, ...] = ("compiled", "torchscript", "onnxruntime")
NOISE = 0.03


def write_results(
    path: Path, factors: dict[tuple[str, bool], float], crossing: float | None = None, drift: float = 0.05
) -> Path:
    """Times of three engines.

    Args:
        path: The file.
        factors: Of an engine for networks without a state (True) and with one; 1 where nothing is said.
        drift: By which part of itself each repetition is slower than the one before.
        crossing: The width from which ``torchscript`` is faster than ``compiled``, in a grid of convolutional networks.
    """
    random = np.random.default_rng(7)
    rows = [*_inference(random, factors, drift), *(_grid(random, crossing) if crossing else [])]
    rows += [*_cold(), *_safety(), *_paced(), *_scaling(), *_artifacts(), *_other_faces(), _aarch64()]
    path.write_text("".join(json.dumps(each) + "\n" for each in (RUN, *rows)), "utf-8")
    return path


def _inference(
    random: np.random.Generator, factors: dict[tuple[str, bool], float], drift: float
) -> Iterator[dict[str, Any]]:
    for repetition in range(3):
        slower = 1.0 + drift * repetition  # what a repetition has in common
        for size in ("small", "medium"):
            for shape in SIZES[size].values():
                for block in (64, 256, 1024):
                    for engine in ENGINES:
                        us = 10.0 * shape.width * block**0.7 * slower * factors.get((engine, shape.is_stateless), 1.0)
                        cell = Cell("inference", engine, shape, block, repetition, "inline")
                        yield {**cell.to_dict(), **_called(us * np.exp(random.normal(0.0, NOISE)), engine)}


def _grid(random: np.random.Generator, crossing: float) -> Iterator[dict[str, Any]]:
    for width in GRID_WIDTHS:
        for depth in (2, 4, 8):
            for engine in ("compiled", "torchscript"):
                us = 10.0 * width**1.5 * depth if engine == "compiled" else 10.0 * width * depth * crossing**0.5
                cell = Cell("inference", engine, Shape("cnn", width, depth), 512, 0, "inline")
                yield {**cell.to_dict(), **_called(us * np.exp(random.normal(0.0, NOISE)), engine)}


def _cold() -> Iterator[dict[str, Any]]:
    for warm_up, calls in ((0, [5000.0, 900.0, *[100.0] * 28]), (100, [100.0] * 30)):
        cell = Cell("cold", "torchscript", _shape("cnn"), 256, 0, "inline", warm_up=warm_up)
        yield {**cell.to_dict(), "calls_us": calls, "load_seconds": 0.1, "peak_resident_mb": 300.0}


def _safety() -> Iterator[dict[str, Any]]:
    for engine, count in zip(ENGINES, (0.0, 300.0, 38.0), strict=True):
        titles = ("allocations", "frees", "mutex locks", "other locks", "waits", "system calls", "minor page faults")
        counts = dict.fromkeys(titles, 0.0) | {"allocations": count}
        cell = Cell("safety", engine, _shape("cnn"), 256, mode="inline")
        yield {**cell.to_dict(), "callbacks": 300, "passed": count == 0, "ending": "finished", "in_a_call": counts}
    yield {**Cell("inference", "litert", _shape("cnn"), 256).to_dict(), "skipped": "not installed"}


def _paced() -> Iterator[dict[str, Any]]:
    """ONNX Runtime's callback takes half as long again as libtorch's, the compiled model's as long."""
    counts = dict.fromkeys(("callbacks", "samples", "deadline_misses", "underruns", "missing_samples"), 1000)
    counts |= {"deadline_misses": 0, "underruns": 0, "missing_samples": 0}
    for engine, us in zip(ENGINES, (10.0, 10.0, 15.0), strict=True):
        yield {
            **Cell("paced", engine, _shape("cnn"), 256).to_dict(),
            **{name: _times(us) for name in ("callback", "inference", "turnaround", "wake_lateness")},
            "no_op_callback": _times(5.0),
            **counts,
            **{f"no_op_{name}": value for name, value in counts.items()},
            "worker_shares": [0.1],
            "caller_share": 0.01,
            "resident_mb": 1.0,
        }


def _scaling() -> Iterator[dict[str, Any]]:
    """Two workers do 1.9 times as much with the compiled model, and 1.2 times with libtorch."""
    for engine, two in (("compiled", 1900.0), ("torchscript", 1200.0)):
        for workers, rate in ((1, 1000.0), (2, two)):
            cell = Cell("scaling", engine, _shape("cnn"), 128, sessions=4, workers=workers)  # pyright: ignore[reportArgumentType]
            yield {**cell.to_dict(), "blocks_per_second": rate, "model_blocks": 1000}


def _artifacts() -> Iterator[dict[str, Any]]:
    for rate, latency in ((48000, 480), (44100, 882)):
        cell = Cell("live", "compiled", Example("amp"), 64, model_rate=0, host_rate=rate)
        yield {
            **cell.to_dict(), "latency_samples": latency, "inline_latency_samples": 0, "cpu_share": 0.125,
            "missing_samples": 10, "samples": 1000,
        }  # fmt: skip
    cell = Cell("offline", "torchscript", Example("stems", is_live=False), 0, model_rate=0)
    told = {"first_seconds": 3.0, "compute_seconds": 0.5, "cpu_share": 0.25, "played_by": "torchscript"}
    yield {**cell.to_dict(), "audio_seconds": 2.0, **told}
    times = {"compiled": 12.0, "torchscript": 30.0, "onnxruntime": 10.0}
    cell = Cell("auto", "compiled", Example("amp"), 64, model_rate=0)
    yield {**cell.to_dict(), "chosen": "compiled", "p50_us": times, "p99_us": times, "notes": {}}


def _other_faces() -> Iterator[dict[str, Any]]:
    for engine, native in (("onnxruntime", 10.0), ("litert", 14.0)):
        cell = Cell("binding", engine, _shape("rnn"), 64, mode="inline")  # pyright: ignore[reportArgumentType]
        yield {**cell.to_dict(), "native_us": native, "faces_us": {"slow": 20.0, "quick": 10.0}, "samples": 16}


def _aarch64() -> dict[str, Any]:
    counts = {"allocations": 0, "frees": 0, "system calls": 0}
    return {
        **Cell("aarch64", "compiled", _shape("hybrid"), 256, mode="inline").to_dict(),
        "largest_difference": 2e-7, "same_latency": True, "kernels": "neon", "blocks": 64, "in_all": counts,
        "control": dict.fromkeys(counts, 64),
    }  # fmt: skip


def _called(us: float, engine: EngineName) -> dict[str, Any]:
    """A block's time, for which one of the engines is called four times, as one with files of a fixed length is."""
    return {"inference": _times(us / 4 if engine == "torchscript" else us), "callback": _times(us)}


def _shape(family: Family) -> Shape:
    return SIZES["medium"][family]


def _times(us: float) -> dict[str, Any]:
    quantiles = [us * (0.9 + 0.01 * at) for at in range(33)]
    return {
        "count": 100,
        "p50_us": us,
        "p99_us": 1.2 * us,
        "p999_us": 1.3 * us,
        "max_us": 1.4 * us,
        "quantiles_us": quantiles,
    }
