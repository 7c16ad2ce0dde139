"""How long inference and callbacks took at real deadlines: a histogram for every host setting."""

import math
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from neutone_like.runtime import TimeDistribution
from neutone_like.validate.deadlines.findings import ALLOWED_SHARE, DeadlineFindings
from neutone_like.validate.html.figures.drawing import BAD, INK, SERIES, Drawing, finish, new_axes
from neutone_like.validate.html.figures.host_figures import TIME_TICKS, short_time
from neutone_like.validate.measure import FloatArray

BINS_PER_DECADE = 12
PERCENT_TICKS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)


def inference_figure(findings: DeadlineFindings) -> Drawing:
    """Inference as percent of its budget; what is allowed is marked."""
    figure, axes = new_axes(230.0)
    limit = 100.0 * ALLOWED_SHARE
    ends = [limit]
    for index, one in enumerate(findings.played):
        percent = one.run.inference_budget_us / 100.0
        ends += _draw(axes, one.run.inference_time, percent, SERIES[index % len(SERIES)], str(one.setting))
    axes.axvline(limit, color=BAD, linewidth=1.4, linestyle=(0, (4, 3)))
    axes.text(limit / 1.1, 0.6, f"{limit:.0f} %", transform=axes.get_xaxis_transform(), color=BAD, ha="right")
    _finish_axes(axes, ends, PERCENT_TICKS, lambda value: f"{value:g} %")
    axes.set_xlabel("inference, of what its block lasts")
    text = "Histogram of inference, of its budget: " + "; ".join(
        f"{one.setting}: 99 % below {one.run.inference_load:.1%}" for one in findings.played
    )
    return finish(figure, "inference-histogram", text + ".")


def callback_figure(findings: DeadlineFindings) -> Drawing:
    """Callbacks in microseconds, those of the session that does nothing dotted."""
    figure, axes = new_axes(230.0)
    ends: list[float] = []
    for index, one in enumerate(findings.played):
        colour = SERIES[index % len(SERIES)]
        ends += _draw(axes, one.run.callback_time, 1.0, colour, str(one.setting))
        ends += _draw(axes, one.no_op.callback_time, 1.0, colour, "", dotted=True)
    _finish_axes(axes, ends, TIME_TICKS, short_time)
    axes.set_xlabel("callback (dotted: of the session that does nothing)")
    text = "Histogram of callbacks: " + "; ".join(
        f"{one.setting}: 99 % below {one.run.callback_time.p99_us:.0f} us, doing nothing "
        f"{one.no_op.callback_time.p99_us:.0f} us"
        for one in findings.played
    )
    return finish(figure, "callback-histogram", text + ".")


def _draw(
    axes: Axes, times: TimeDistribution, unit_us: float, colour: str, label: str, *, dotted: bool = False
) -> list[float]:
    """One histogram over bins of equal width on a logarithmic axis; gives back the shortest and the longest time."""
    if times.count == 0:
        axes.plot([], [], color=colour, label=label or None)  # for the legend
        return []
    ends = np.array([time for time, _ in times.buckets]) / unit_us
    counts = np.array([count for _, count in times.buckets], np.float64)
    edges, shares = binned(ends, counts)
    style = (0, (1, 1.5)) if dotted else "-"
    axes.stairs(
        100.0 * shares, edges, color=colour, label=label or None, linewidth=1.0 if dotted else 1.5, linestyle=style
    )
    if not dotted:
        axes.stairs(100.0 * shares, edges, color=colour, alpha=0.12, fill=True)
    return [float(ends[0]), float(ends[-1])]


def binned(ends: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Edges of the bins, and the share of all times in each."""
    positions = np.floor(np.log10(np.maximum(ends, 1e-6)) * BINS_PER_DECADE).astype(int)
    first, last = int(positions.min()), int(positions.max())
    edges = 10.0 ** (np.arange(first, last + 2) / BINS_PER_DECADE)
    return edges, np.bincount(positions - first, counts) / counts.sum()


def _finish_axes(axes: Axes, ends: list[float], ticks: tuple[float, ...], name: Callable[[float], str]) -> None:
    axes.set_xscale("log")
    left, right = min(ends, default=1.0) / 2.0, max(ends, default=1.0) * 2.5
    axes.set_xlim(left, right)
    # A label that is centred on the edge would be cut off.
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if left * 1.2 < tick < right / 1.2]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: name(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    top = float(axes.dataLim.ymax)
    axes.set_ylim(0.0, 1.45 * top if math.isfinite(top) and top > 0.0 else 1.0)  # room for the legend
    axes.set_ylabel("% of all", labelpad=2.0)
    axes.legend(loc="upper left", labelcolor=INK, borderaxespad=0.1, handlelength=1.2, ncols=2, columnspacing=1.0)
