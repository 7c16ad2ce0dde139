"""Everything that a file of results says, worked out once for the page and for the documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neutone_like.bench.suite.boundaries import Boundary, fit_boundaries
from neutone_like.bench.suite.cells import ENGINES
from neutone_like.bench.suite.claims import Claim, claims_of
from neutone_like.bench.suite.results import SuiteResults, read_results
from neutone_like.bench.suite.statistics import (
    ColdStart,
    MixedModel,
    TooLittle,
    cold_starts,
    fit_mixed_model,
)
from neutone_like.bench.suite.tables import engines_in, pandas, skipped, table_of, whole_blocks
from neutone_like.errors import BenchError
from neutone_like.extras import import_extra


@dataclass(frozen=True)
class Analysis:
    """What a report shows.

    Attributes:
        results: The file.
        inference, paced, parallel, resampling, sizes, safety: Tables of its cells.
        scaling, live, offline, auto, binding, aarch64: Likewise.
        mixed: The mixed-effects model of inference times; None where ``why_none`` says what it lacks.
        starts: First calls.
        boundaries: Where one engine overtakes another.
        claims: The paper's.
        skipped: Engine, reason, cells.
    """

    results: SuiteResults
    inference: Any
    paced: Any
    parallel: Any
    resampling: Any
    sizes: Any
    safety: Any
    scaling: Any
    live: Any
    offline: Any
    auto: Any
    binding: Any
    aarch64: Any
    mixed: MixedModel | None
    why_none: str
    starts: tuple[ColdStart, ...]
    boundaries: tuple[Boundary, ...]
    claims: tuple[Claim, ...]
    skipped: tuple[tuple[str, str, int], ...]

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Of the last run."""
        return self.results.runs[-1]


def analyse(path: Path) -> Analysis:
    """Read a file and work out what it says.

    Raises:
        BenchError: The file can't be read, or holds no result.
        MissingExtraError: The packages of the extra ``suite`` are missing.
    """
    pandas()
    import_extra("statsmodels", extra="suite", purpose="neutone-like bench-suite report")
    results = read_results(path)
    if not results.rows:
        raise BenchError(f"{path} holds no result yet. Measure some: neutone-like bench-suite run {path}")
    inference = whole_blocks(table_of(results, "inference"))
    safety = table_of(results, "safety")
    starts = tuple(cold_starts(table_of(results, "cold")))
    mixed, why_none = _mixed(inference)
    stateless = sorted(set(inference[inference["family"] == "cnn"]["model"])) if len(inference) else []
    return Analysis(
        results=results,
        inference=inference,
        paced=table_of(results, "paced"),
        parallel=table_of(results, "parallel"),
        resampling=table_of(results, "resampling"),
        sizes=table_of(results, "sizes"),
        safety=safety,
        scaling=table_of(results, "scaling"),
        live=table_of(results, "live"),
        offline=table_of(results, "offline"),
        auto=table_of(results, "auto"),
        binding=table_of(results, "binding"),
        aarch64=table_of(results, "aarch64"),
        mixed=mixed,
        why_none=why_none,
        starts=starts,
        boundaries=_boundaries(inference),
        claims=tuple(claims_of(safety, mixed, why_none, starts, stateless)),
        skipped=tuple(skipped(results)),
    )


def _mixed(inference: Any) -> tuple[MixedModel | None, str]:
    named = inference[inference["size"] != ""] if len(inference) else inference
    try:
        return fit_mixed_model(named, engines_in(named, ENGINES)), ""
    except TooLittle as error:
        return None, str(error)


def _boundaries(inference: Any) -> tuple[Boundary, ...]:
    """At the block that most networks were measured at."""
    if not len(inference):
        return ()
    block = inference.groupby("block")["model"].nunique().idxmax()
    at_block = inference[inference["block"] == block]
    engines = engines_in(at_block, ENGINES)
    pairs = [(one, other) for index, one in enumerate(engines) for other in engines[index + 1 :]]
    return tuple(found for pair in pairs for found in fit_boundaries(at_block, *pair))
