"""Results as tables of pandas: one a kind of cell, with what could not be measured told apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from neutone_like.bench.suite.cells import Kind
from neutone_like.bench.suite.results import SuiteResults
from neutone_like.extras import import_extra

EXTRA = "suite"
PURPOSE = "neutone-like bench-suite report"
_TIMES = ("inference", "callback", "turnaround", "wake_lateness", "no_op_callback")


def pandas() -> Any:
    """The package.

    Raises:
        MissingExtraError: It is not installed.
    """
    return import_extra("pandas", extra=EXTRA, purpose=PURPOSE)


def table_of(results: SuiteResults, kind: Kind) -> Any:
    """The cells of a kind that were measured, a row each; times as columns such as ``inference_p99_us``."""
    rows = [_flat(row) for row in results.rows if row["kind"] == kind and "skipped" not in row]
    return pandas().DataFrame(rows)


def whole_blocks(frame: Any) -> Any:
    """The times of ``"inference"`` cells, of a whole block each: a file of fixed length, as LiteRT's, is called often.

    The model plays in the callback there, so that the callback is all of these calls, and little beside them.
    """
    of_callback = [name for name in frame.columns if name.startswith("callback_")]
    return frame.assign(**{f"inference_{name.removeprefix('callback_')}": frame[name] for name in of_callback})


def skipped(results: SuiteResults) -> list[tuple[str, str, int]]:
    """Engine, why it could not be measured, and how many cells that is."""
    counts: dict[tuple[str, str], int] = {}
    for row in results.rows:
        if "skipped" in row:
            key = (row["engine"], row["skipped"])
            counts[key] = counts.get(key, 0) + 1
    return [(engine, reason, count) for (engine, reason), count in counts.items()]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name not in _TIMES}
    for name in _TIMES:
        for figure, value in row.get(name, {}).items():
            flat[f"{name}_{figure}"] = value
    return flat


def engines_in(frame: Any, order: Sequence[str]) -> list[str]:
    """Those that are in a table, in an order that is the same everywhere."""
    there = set(frame["engine"]) if len(frame) else set()
    return [engine for engine in order if engine in there]
