"""The tables of a report, as rows of texts: the page and the documentation show the same ones."""

from collections.abc import Sequence

import numpy as np

from neutone_like.bench.suite.analysis import Analysis
from neutone_like.bench.suite.artifacts_words import aarch64_table, live_matrix, offline_table
from neutone_like.bench.suite.cells import Scope, cells_of
from neutone_like.bench.suite.networks import Example
from neutone_like.bench.suite.statistics import MixedModel
from neutone_like.bench.suite.targets import anira, automatic, bindings, callbacks, scaling
from neutone_like.bench.suite.written import Written


def tables(found: Analysis) -> list[Written]:
    """All that there are results for."""
    every = [
        _claims(found),
        _terms(found),
        _ratios(found),
        _boundaries(found),
        _cold(found),
        _paced(found),
        callbacks(found.paced),
        anira(found.paced),
        _parallel(found),
        scaling(found.scaling),
        _resampling(found),
        _sizes(found),
        live_matrix(found.live, "latency"),
        live_matrix(found.live, "cpu"),
        offline_table(found.offline),
        automatic(found.auto),
        bindings(found.binding),
        _safety(found),
        aarch64_table(found.aarch64),
        _skipped(found),
    ]
    return [each for each in every if each is not None and each.rows]


def conditions(found: Analysis) -> str:
    """Where, when and with what, in one paragraph."""
    run = found.conditions
    machine = "; ".join(f"{name} {value}" for name, value in run["machine"].items())
    versions = ", ".join(f"{name} {value}" for name, value in run["versions"].items())
    cells = len(found.results.rows)
    return (
        f"{machine}. {versions}; revision {run['git'] or 'unknown'}. {cells} cells in {len(found.results.runs)} "
        f"run(s), the last begun {run['started']} at a load of {run['load'] or 'unknown'}; a whole run has "
        f"{_in_all(found)}. No measurement was dropped."
    )


def _in_all(found: Analysis) -> int:
    """Cells of a whole run with the artifacts that this one played."""
    names = {(row["model"], row["kind"] != "offline") for row in found.results.rows if row["family"] == "example"}
    return len(cells_of(Scope(examples=[Example(name, is_live) for name, is_live in sorted(names)])))


def caution(found: Analysis) -> str:
    """What makes times worth less, for the top of the page; empty where nothing does."""
    busy: list[str] = []
    for run in found.results.runs:
        load, processors = _number(run["load"]), _number(run["machine"].get("logical processors", ""))
        if load > processors > 0.0:
            busy.append(f"{load:g} on {processors:g} processors")
    words: list[str] = []
    if busy:
        words.append(
            f"Measured on a busy machine, at a load of {' and of '.join(busy)}: microseconds, percentiles, missing "
            "samples and verdicts hold for such a machine only, and ratios are rough."
        )
    if found.mixed is not None and found.mixed.notes:
        words.append(
            "The statistical model did not fit cleanly (its notes are below): p-values and intervals are rough."
        )
    return " ".join(words)


def _number(text: str) -> float:
    """0 where the system didn't tell."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def model_words(found: Analysis) -> str:
    """What was fitted, and how well it does."""
    mixed = found.mixed
    if mixed is None:
        return f"No mixed-effects model was fitted: {found.why_none}."
    notes = f" The fit noted: {'; '.join(mixed.notes)}" if mixed.notes else ""
    left = f" Left out, since not every engine has them: {', '.join(mixed.left_out)}." if mixed.left_out else ""
    return (
        f"log(time) by engine, network, block and all of their interactions, repetition as a random effect: "
        f"{mixed.observations} medians, {mixed.repetitions} repetitions. {_between(mixed)} "
        f"Intervals hold together "
        f"with 95 %. Calls are timed without real-time priority: what else runs on the machine is in them.{left}{notes}"
    )


def _between(mixed: MixedModel) -> str:
    if mixed.has_random_effect:
        return (
            f"From one repetition to the next times move by {mixed.repetition_deviation:.1%}, and by "
            f"{mixed.residual_deviation:.1%} beyond that."
        )
    return (
        "Repetitions are no less alike than chance makes them: the variance of their effect is estimated as 0, and the "
        f"model is fitted without it, by least squares. Times move by {mixed.residual_deviation:.1%}."
    )


def _claims(found: Analysis) -> Written:
    rows = tuple((each.text, each.verdict, each.evidence) for each in found.claims)
    return Written("The paper's claims", "", ("claim", "here", "what was found"), rows)


def _ratios(found: Analysis) -> Written | None:
    if found.mixed is None:
        return None
    rows = tuple(
        (
            each.model,
            each.engine,
            each.over,
            f"{each.ratio:.2f}",
            f"{each.lowest:.2f} to {each.highest:.2f}",
            each.verdict,
        )
        for each in found.mixed.ratios
    )
    head = ("network", "time of", "over that of", "ratio", "interval", "it is")
    words = "In the geometric mean over blocks; all intervals hold together with 95 %."
    return Written("Effect sizes", words, head, rows)


def _terms(found: Analysis) -> Written | None:
    if found.mixed is None:
        return None
    rows = tuple(
        (
            each.name,
            str(each.freedom),
            f"{each.chi_square:,.0f}",
            "< 0.001" if each.p_value < 0.001 else f"{each.p_value:.3f}",
        )
        for each in found.mixed.terms
    )
    head = ("term", "degrees of freedom", "Wald's chi-square", "p")
    return Written("What matters", model_words(found), head, rows)


def _boundaries(found: Analysis) -> Written:
    rows = tuple(
        (each.family, f"{each.engine} / {each.over}", each.text, _interval(each.lowest, each.highest, each.width))
        for each in found.boundaries
    )
    words = "From a line fitted to the logarithm of the ratio of times, over those of width and depth."
    return Written("Where one engine overtakes another", words, ("family", "engines", "result", "width, 95 %"), rows)


def _interval(lowest: float, highest: float, width: float | None) -> str:
    if width is None:
        return ""
    ends = [f"{end:.0f}" if np.isfinite(end) else "beyond what was measured" for end in (lowest, highest)]
    return f"{ends[0]} to {ends[1]}"


def _cold(found: Analysis) -> Written:
    rows = tuple(
        (
            each.engine, each.model, str(each.warm_up), f"{each.first_us:,.0f}", f"{each.settled_us:,.0f}",
            f"{each.ratio:.1f}", str(each.calls_to_settle), f"{each.peak_mb:.0f}",
        )
        for each in found.starts
    )  # fmt: skip
    head = (
        "engine",
        "network",
        "calls before",
        "first call us",
        "settled us",
        "ratio",
        "calls to settle",
        "peak memory MB",
    )
    return Written(
        "Cold start",
        "A fresh process, each engine through its own Python face; memory is all of the process's, Python among it.",
        head,
        rows,
    )


def _paced(found: Analysis) -> Written | None:
    if not len(found.paced):
        return None
    rows: list[tuple[str, ...]] = []
    for _, row in found.paced.sort_values(["model", "block", "engine", "repetition"]).iterrows():
        times = [f"{row[f'callback_{name}']:.0f}" for name in ("p50_us", "p99_us", "p999_us", "max_us")]
        inference = [f"{row[f'inference_{name}']:.0f}" for name in ("p50_us", "p999_us", "max_us")]
        missing = [_percent(row[f"{who}missing_samples"], row[f"{who}samples"]) for who in ("", "no_op_")]
        late = [str(row[f"{who}deadline_misses"]) for who in ("", "no_op_")]
        rest = (f"{row['wake_lateness_p99_us']:.0f}", f"{sum(row['worker_shares']):.1%}", f"{row['resident_mb']:.0f}")
        rows.append((row["model"], str(row["block"]), row["engine"], *times, *inference, *missing, *late, *rest))
    percentiles = ("callback p50 us", "p99", "p99.9", "max", "inference p50 us", "p99.9", "max")
    misses = ("missing", "no-op", "too late", "no-op")
    head = ("network", "block", "engine", *percentiles, *misses, "jitter p99 us", "worker", "memory MB gained")
    words = (
        "On a worker, event wake-up; beside each a session that does nothing. Of fewer than 1000 callbacks p99.9 is "
        "the maximum. Inference is of one call: LiteRT files are of a fixed length and are called several times for a "
        "longer block. Memory is what the process gained meanwhile, and is negative where it gave some back."
    )
    return Written("At real deadlines", words, head, tuple(rows))


def _parallel(found: Analysis) -> Written | None:
    if not len(found.parallel):
        return None
    rows = tuple(
        (
            row["engine"], str(row["sessions"]), str(row["workers"]), f"{row['callback_p50_us']:.0f}",
            f"{row['callback_p99_us']:.0f}", _percent(row["missing_samples"], row["samples"]),
            _percent(row["no_op_missing_samples"], row["no_op_samples"]),
            ", ".join(f"{share:.0%}" for share in row["worker_shares"]),
        )
        for _, row in found.parallel.sort_values(["engine", "workers", "sessions"]).iterrows()
    )  # fmt: skip
    network = ", ".join(sorted(set(found.parallel["model"])))
    head = ("engine", "sessions", "workers", "callback p50 us", "p99", "missing", "no-op", "worker load")
    return Written("Sessions side by side", f"All of {network}.", head, rows)


def _resampling(found: Analysis) -> Written | None:
    if not len(found.resampling):
        return None
    rows = tuple(
        (
            row["engine"], str(row["model_rate"]), row["mode"], f"{row['callback_p50_us']:.0f}",
            f"{row['callback_p99_us']:.0f}", str(row["latency_samples"]),
        )
        for _, row in found.resampling.sort_values(["engine", "model_rate", "mode"]).iterrows()
    )  # fmt: skip
    head = ("engine", "model Hz", "mode", "callback p50 us", "p99", "latency")
    return Written("Rate conversion in the callback (inline) and out of it", "Host at 48000 Hz.", head, rows)


def _sizes(found: Analysis) -> Written | None:
    if not len(found.sizes):
        return None
    rows = tuple(
        (
            row["engine"], str(row["block"]), str(row["model_block"]), f"{row['callback_p50_us']:.0f}",
            f"{row['callback_p99_us']:.0f}", str(row["latency_samples"]), f"{row['buffering_samples']:.0f}",
        )
        for _, row in found.sizes.sort_values(["engine", "block"]).iterrows()
    )  # fmt: skip
    head = ("engine", "host block", "model block", "callback p50 us", "p99", "latency", "of it buffering")
    return Written("Host and model blocks that differ", "", head, rows)


def _safety(found: Analysis) -> Written | None:
    if not len(found.safety):
        return None
    titles = ("allocations", "frees", "mutex locks", "system calls", "minor page faults")
    rows = tuple(
        (row["engine"], row["model"], *(f"{row['in_a_call'][title]:.1f}" for title in titles))
        for _, row in found.safety.sort_values(["engine", "model"]).iterrows()
    )
    words = "Counted by `neutone-like check-callback`, the model in the callback, in the mean of a call."
    return Written("What a call does that an audio thread must not", words, ("engine", "network", *titles), rows)


def _skipped(found: Analysis) -> Written:
    rows = tuple((engine, str(count), reason) for engine, reason, count in found.skipped)
    return Written("What could not be measured", "", ("engine", "cells", "why"), rows)


def _percent(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.2f} %" if whole else "none played"


def as_markdown(table: Written, level: int = 2) -> Sequence[str]:
    """Lines of Markdown."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (table.head, *table.rows)]
    lines = [f"{'#' * level} {table.title}", ""]
    if table.words:
        lines += [table.words, ""]
    lines += ["| " + " | ".join(cells[0]) + " |", "|" + "---|" * len(cells[0])]
    return [*lines, *("| " + " | ".join(row) + " |" for row in cells[1:]), ""]
