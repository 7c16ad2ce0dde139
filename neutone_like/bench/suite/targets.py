"""What this package sets itself to reach beside other engines, as tables of what the suite found."""

from typing import Any

import numpy as np

from neutone_like.bench.suite.anira_figures import CONDITIONS, FIGURES
from neutone_like.bench.suite.written import Written

LINEAR = 0.9
CALLBACK_RATIO = 1.1
BINDING_RATIO = 1.05
AUTO_RATIO = 1.05


def _met(value: float, limit: float, *, at_least: bool = False) -> str:
    return "met" if (value >= limit if at_least else value <= limit) else "missed"


def scaling(frame: Any) -> Written | None:
    """From one worker to two."""
    if not len(frame):
        return None
    rates = frame.groupby(["model", "engine", "workers"])["blocks_per_second"]
    rows: list[tuple[str, ...]] = []
    for (model, engine), group in rates.median().unstack("workers").dropna().groupby(["model", "engine"]):
        one, two = float(group[1].iloc[0]), float(group[2].iloc[0])
        share = two / one / 2.0
        times = frame[(frame["model"] == model) & (frame["engine"] == engine)]["repetition"].nunique()
        row = (f"{one:,.0f}", f"{two:,.0f}", f"{share:.2f}", _met(share, LINEAR, at_least=True), str(times))
        rows.append((str(model), str(engine), *row))
    block, sessions = int(frame["block"].iloc[0]), int(frame["sessions"].iloc[0])
    words = (
        f"Blocks a second of {block} samples at 48 kHz, {sessions} sessions with everything queued before the clock "
        f"starts, in the median of the repetitions. 1 is linear; {LINEAR} is aimed at. A machine with two processors "
        "has none left for anything else while two workers are at work."
    )
    head = ("network", "engine", "one worker", "two workers", "of linear", f"at least {LINEAR}", "repetitions")
    return Written("From one worker to two", words, head, tuple(rows))


def callbacks(frame: Any) -> Written | None:
    """The callback beside libtorch's."""
    if not len(frame):
        return None
    medians = frame.groupby(["model", "block", "engine"])[["callback_p50_us", "callback_p99_us"]].median()
    rows: list[tuple[str, ...]] = []
    for (model, block), group in medians.groupby(["model", "block"]):
        of = group.droplevel(["model", "block"])
        if "torchscript" not in of.index:
            continue
        base = of.loc["torchscript"]
        for engine, times in of.drop("torchscript").iterrows():
            p50, p99 = (float(times[each] / base[each]) for each in ("callback_p50_us", "callback_p99_us"))
            row = (f"{p50:.2f}", f"{p99:.2f}", _met(p50, CALLBACK_RATIO), _met(p99, CALLBACK_RATIO))
            rows.append((str(model), str(block), str(engine), *row))
    words = (
        "The callback hands audio to a worker, whoever computes there: its time over that with libtorch. Short and few "
        "callbacks (a second for each) make single p99 ratios rough."
    )
    limit = f"<= {CALLBACK_RATIO}"
    head = ("network", "block", "engine", "p50 over libtorch's", "p99 over", f"p50 {limit}", f"p99 {limit}")
    return Written("Callbacks beside libtorch's", words, head, tuple(rows))


def bindings(frame: Any) -> Written | None:
    """The native call beside the library's own Python."""
    if not len(frame):
        return None
    rows: list[tuple[str, ...]] = []
    for (engine, model, samples), group in frame.groupby(["engine", "model", "samples"]):
        native = float(np.median(group["native_us"]))
        faces = {
            name: float(np.median([each[name] for each in group["faces_us"]])) for name in group["faces_us"].iloc[0]
        }
        best = min(faces, key=faces.__getitem__)
        ratio = native / faces[best]
        rows.append(
            (str(engine), str(model), str(samples), f"{native:.1f}", f"{faces[best]:.1f}", best, f"{ratio:.2f}",
             _met(ratio, BINDING_RATIO))
        )  # fmt: skip
    words = "One call of the model, in medians of stretches by turns; state goes on from call to call in both."
    head = ("engine", "network", "samples", "native us", "Python us", "by", "ratio", f"<= {BINDING_RATIO}")
    return Written("Native calls beside the libraries' own Python", words, head, tuple(rows))


def automatic(frame: Any) -> Written | None:
    """``backend="auto"`` beside the best."""
    if not len(frame):
        return None
    rows: list[tuple[str, ...]] = []
    for _, row in frame.sort_values(["model", "block"]).iterrows():
        times: dict[str, float] = row["p50_us"]
        if row["chosen"] not in times:
            continue
        best = min(times, key=times.__getitem__)
        ratio = times[row["chosen"]] / times[best]
        others = ", ".join(f"{name} {time:.1f}" for name, time in times.items())
        rows.append(
            (row["model"], str(row["block"]), row["chosen"], best, f"{ratio:.2f}", _met(ratio, AUTO_RATIO), others)
        )
    words = (
        'Who plays with backend="auto", every file that could be made lying beside the artifact, and the median of a '
        "block's time of each who could, by turns in the callback. auto chooses by the 99th percentile, and stays with "
        "the compiled model where another is not clearly faster."
    )
    head = ("artifact", "block", "auto takes", "fastest", "ratio", f"<= {AUTO_RATIO}", "medians in us")
    return Written('backend="auto" beside the fastest', words, head, tuple(rows))


def anira(frame: Any) -> Written | None:
    """anira's callbacks beside those of the network of the same kind here."""
    if not len(frame):
        return None
    kinds = {"cnn": "cnn", "lstm": "rnn"}
    ours = frame[frame["engine"] == "torchscript"].groupby(["family", "block"])[["callback_p50_us", "callback_p99_us"]]
    medians = ours.median()
    rows: list[tuple[str, ...]] = []
    for each in FIGURES:
        key = (kinds[each.network], each.block)
        here = medians.loc[key] if key in medians.index else None
        if here is None:
            continue
        p50, p99 = float(here["callback_p50_us"]), float(here["callback_p99_us"])
        theirs = (f"{each.p50_us:.0f}", f"{each.p99_us:.0f}", str(each.missing_samples), str(each.latency_samples))
        rows.append((each.network, str(each.block), *theirs, f"{p50:.0f}", f"{p99:.0f}", f"{p50 / each.p50_us:.1f}"))
    head = ("network", "block", "anira p50 us", "p99", "missing samples", "latency", "here p50 us", "p99", "p50 over")
    return Written("anira's own callbacks", CONDITIONS, head, tuple(rows))
