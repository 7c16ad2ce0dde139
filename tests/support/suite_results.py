"""Files of the benchmark suite's results with effects that are known."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import GRID_WIDTHS, Cell, EngineName
from neutone_like.bench.suite.networks import SIZES, Family, Shape
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


def write_results(path: Path, factors: dict[tuple[str, bool], float], crossing: float | None = None) -> Path:
    """Times of three engines.

    Args:
        path: The file.
        factors: Of an engine for networks without a state (True) and with one; 1 where nothing is said.
        crossing: The width from which ``torchscript`` is faster than ``compiled``, in a grid of convolutional networks.
    """
    random = np.random.default_rng(7)
    rows = [*_inference(random, factors), *(_grid(random, crossing) if crossing else [])]
    rows += [*_cold(), *_safety()]
    path.write_text("".join(json.dumps(each) + "\n" for each in (RUN, *rows)), "utf-8")
    return path


def _inference(random: np.random.Generator, factors: dict[tuple[str, bool], float]) -> Iterator[dict[str, Any]]:
    for repetition in range(3):
        drift = 1.0 + 0.05 * repetition  # what a repetition has in common
        for size in ("small", "medium"):
            for shape in SIZES[size].values():
                for block in (64, 256, 1024):
                    for engine in ENGINES:
                        us = 10.0 * shape.width * block**0.7 * drift * factors.get((engine, shape.is_stateless), 1.0)
                        cell = Cell("inference", engine, shape, block, repetition, "inline")
                        yield {**cell.to_dict(), "inference": _times(us * np.exp(random.normal(0.0, NOISE)))}


def _grid(random: np.random.Generator, crossing: float) -> Iterator[dict[str, Any]]:
    for width in GRID_WIDTHS:
        for depth in (2, 4, 8):
            for engine in ("compiled", "torchscript"):
                us = 10.0 * width**1.5 * depth if engine == "compiled" else 10.0 * width * depth * crossing**0.5
                cell = Cell("inference", engine, Shape("cnn", width, depth), 512, 0, "inline")
                yield {**cell.to_dict(), "inference": _times(us * np.exp(random.normal(0.0, NOISE)))}


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
