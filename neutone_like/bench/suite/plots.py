"""Pictures of a file of results, as SVG texts that stand in the page themselves."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from neutone_like.bench.suite.analysis import Analysis
from neutone_like.bench.suite.cells import ENGINES
from neutone_like.bench.suite.tables import engines_in

_COLOURS = {"compiled": "#0b6e4f", "torchscript": "#c8553d", "onnxruntime": "#2b59c3", "litert": "#8a5a00"}


def pictures(found: Analysis) -> Iterator[tuple[str, str, str]]:
    """Title, what it shows, and the picture, of each that there are results for."""
    for title, words, frame, draw in _all(found):
        if len(frame):
            yield title, words, _svg(lambda axes, frame=frame, draw=draw: draw(axes, frame))


def _all(found: Analysis) -> list[tuple[str, str, Any, Callable[[Any, Any], None]]]:
    named = found.inference[found.inference["size"] != ""] if len(found.inference) else found.inference
    cold = [each for each in found.starts if each.warm_up == 0]
    return [
        ("Inference over block", "One call of the model; quantiles of all networks together.", named, _violins),
        ("Engines and networks", "Median time of a call, in us, in the geometric mean over blocks.", named, _heatmap),
        ("Latency of the callback", "Share of callbacks at real deadlines that take no longer.", found.paced, _ecdf),
        ("Misses over load", "Missing samples of all, over sessions for each worker.", found.parallel, _misses),
        ("Cold start", "First calls of a fresh process over those that have settled.", cold, _cold),
        (
            "Width and depth",
            "Time of the fastest engine's rivals over its own; CNN, by width.",
            found.inference,
            _widths,
        ),
        (
            "Where one engine overtakes another",
            "CNN: the fitted width at each depth, with its interval; what has none was measured and does not cross.",
            [each for each in found.boundaries if each.family == "cnn"],
            _boundary,
        ),
        ("Processor time of a worker", "At real deadlines; medians over all networks.", found.paced, _cpu),
        ("Jitter", "How late callbacks are begun: the 99th percentile, in the median.", found.paced, _jitter),
        ("Whole artifacts", "Processor time at 48 kHz, in per cent of one processor.", _at_48(found.live), _artifacts),
    ]


def _at_48(frame: Any) -> Any:
    return frame[frame["host_rate"] == 48000] if len(frame) else frame


def _svg(draw: Callable[[Any], None]) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    FigureCanvasSVG(figure)
    draw(figure.subplots())
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _violins(axes: Any, frame: Any) -> None:
    blocks = sorted(set(frame["block"]))
    engines = engines_in(frame, ENGINES)
    for order, engine in enumerate(engines):
        at = frame[frame["engine"] == engine]
        quantiles = [at[at["block"] == block]["inference_quantiles_us"].tolist() for block in blocks]
        samples = [np.log10(np.concatenate(each)) if each else None for each in quantiles]
        places = [index + 0.8 * (order + 0.5) / len(engines) for index, each in enumerate(samples) if each is not None]
        drawn = axes.violinplot([each for each in samples if each is not None], places, widths=0.7 / len(engines))
        for body in drawn["bodies"]:
            body.set_facecolor(_COLOURS[engine])
        axes.plot([], [], color=_COLOURS[engine], linewidth=6, label=engine)
    axes.set_xticks([index + 0.4 for index in range(len(blocks))], [str(block) for block in blocks])
    axes.yaxis.set_major_formatter(lambda value, _: f"{10**value:g}")
    axes.set(xlabel="block, samples", ylabel="us")
    axes.legend(fontsize="small")


def _heatmap(axes: Any, frame: Any) -> None:
    table = frame.assign(log=np.log10(frame["inference_p50_us"])).groupby(["engine", "model"])["log"].mean().unstack()
    table = table.loc[engines_in(frame, ENGINES)]
    axes.imshow(table, cmap="viridis_r", aspect="auto")
    for row, column in np.ndindex(table.shape):
        value = table.iloc[row, column]
        text = "" if np.isnan(value) else f"{10**value:.0f}"
        axes.text(column, row, text, ha="center", va="center", color="white", fontweight="bold")
    axes.set_xticks(range(len(table.columns)), table.columns, rotation=30, ha="right", fontsize="small")
    axes.set_yticks(range(len(table)), table.index)


def _ecdf(axes: Any, frame: Any) -> None:
    for engine in engines_in(frame, ENGINES):
        times = np.sort(
            np.concatenate([np.array(each) for each in frame[frame["engine"] == engine]["callback_quantiles_us"]])
        )
        axes.step(times, np.arange(1, len(times) + 1) / len(times), color=_COLOURS[engine], label=engine, where="post")
    idle = np.sort(np.concatenate([np.array(each) for each in frame["no_op_callback_quantiles_us"]]))
    axes.step(idle, np.arange(1, len(idle) + 1) / len(idle), color="grey", label="does nothing", where="post")
    axes.set(xscale="log", xlabel="us in the callback", ylabel="share")
    axes.legend(fontsize="small")


def _misses(axes: Any, frame: Any) -> None:
    for engine in engines_in(frame, ENGINES):
        at = frame[frame["engine"] == engine]
        for workers, group in at.groupby("workers"):
            group = group.sort_values("sessions")
            share = 100.0 * group["missing_samples"] / group["samples"]
            style = "-" if workers == 1 else "--"
            axes.plot(
                group["sessions"],
                share,
                style,
                marker="o",
                color=_COLOURS[engine],
                label=f"{engine}, {workers} worker(s)",
            )
    axes.set(xlabel="sessions", ylabel="missing, %")
    axes.legend(fontsize="small")


def _cold(axes: Any, starts: Any) -> None:
    for each in starts:
        ratios = np.array(each.calls_us) / each.settled_us
        axes.plot(
            range(1, len(ratios) + 1),
            ratios,
            color=_COLOURS[each.engine],
            alpha=0.7,
            label=f"{each.engine}, {each.model}",
        )
    axes.set(yscale="log", xlabel="call", ylabel="over the settled time")
    axes.legend(fontsize="x-small", ncols=2)


def _widths(axes: Any, frame: Any) -> None:
    grid = frame[frame["family"] == "cnn"]
    medians = grid.groupby(["engine", "width", "depth"])["inference_p50_us"].median().unstack("engine")
    engines = engines_in(grid, ENGINES)
    base = engines[0]
    for engine in engines[1:]:
        ratio = (medians[engine] / medians[base]).dropna()
        for depth, group in ratio.groupby("depth"):
            widths = group.index.get_level_values("width")
            axes.plot(
                widths,
                group,
                marker="o",
                color=_COLOURS[engine],
                alpha=0.4 + 0.06 * min(8, depth),
                label=f"{engine}, {depth} deep",
            )
    axes.axhline(1.0, color="grey", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="width, channels", ylabel=f"time over {base}'s")
    axes.legend(fontsize="x-small", ncols=2)


def _boundary(axes: Any, boundaries: Any) -> None:
    pairs = sorted({(each.engine, each.over) for each in boundaries})
    depths = sorted({each.depth for each in boundaries})
    for order, (engine, over) in enumerate(pairs):
        found = [each for each in boundaries if (each.engine, each.over) == (engine, over) and each.width is not None]
        label, shift = f"{engine} / {over}", 1.0 + 0.04 * order
        if not found:
            axes.plot([], [], " ", label=f"{label}: no crossing found")
            continue
        widths = np.array([each.width for each in found])
        ends = np.array([[max(1.0, each.lowest), min(256.0, each.highest)] for each in found])
        axes.errorbar(
            widths,
            [each.depth * shift for each in found],
            xerr=np.maximum(0.0, [widths - ends[:, 0], ends[:, 1] - widths]),
            marker="o",
            capsize=3,
            label=label,
        )
    axes.set(xscale="log", yscale="log", xlim=(1, 256), xlabel="width, channels", ylabel="depth, layers")
    axes.set_yticks(depths, [str(depth) for depth in depths])
    axes.set_ylim(0.7 * depths[0], 1.5 * depths[-1])
    axes.legend(fontsize="x-small")


def _over_block(axes: Any, frame: Any, values: Any, label: str) -> None:
    for engine in engines_in(frame, ENGINES):
        at = values[frame["engine"] == engine].groupby(frame["block"]).median()
        axes.plot(at.index, at, marker="o", color=_COLOURS[engine], label=engine)
    axes.set(xscale="log", xlabel="block, samples", ylabel=label)
    blocks = sorted(set(frame["block"]))
    axes.set_xticks(blocks, [str(block) for block in blocks])
    axes.minorticks_off()
    axes.legend(fontsize="small")


def _cpu(axes: Any, frame: Any) -> None:
    _over_block(axes, frame, frame["worker_shares"].map(lambda shares: 100.0 * sum(shares)), "% of a processor")
    axes.set_ylim(bottom=0.0)


def _jitter(axes: Any, frame: Any) -> None:
    _over_block(axes, frame, frame["wake_lateness_p99_us"], "us")
    axes.set_ylim(bottom=0.0)


def _artifacts(axes: Any, frame: Any) -> None:
    table = 100.0 * frame.groupby(["model", "block"])["cpu_share"].median().unstack()
    axes.imshow(np.log10(table.clip(lower=0.1)), cmap="viridis_r", aspect="auto")
    for row, column in np.ndindex(table.shape):
        value = table.iloc[row, column]
        axes.text(column, row, "" if np.isnan(value) else f"{value:.1f}", ha="center", va="center", color="white")
    axes.set_xticks(range(len(table.columns)), [str(block) for block in table.columns])
    axes.set_yticks(range(len(table)), table.index, fontsize="small")
    axes.set(xlabel="block, samples")
