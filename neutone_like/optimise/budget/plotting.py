"""The points as a picture: time across, error upwards, bytes as area."""

import io
from pathlib import Path

from neutone_like.optimise.budget.report import BudgetReport
from neutone_like.whole_file import write_whole

_LEAST_ERROR = 1e-6
_LARGEST_AREA = 600.0


def write_plot(report: BudgetReport, path: Path) -> None:
    """Draw a report as a PNG file.

    Raises:
        OSError: It can't be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here, since who draws nothing needs no matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    largest = max(each.cost.file_bytes for each in report.points)
    for each in report.points:
        x, y = each.time_ratio, max(each.error_to_signal_ratio, _LEAST_ERROR)
        area = max(20.0, _LARGEST_AREA * each.cost.file_bytes / largest)
        axes.scatter([x], [y], s=area, alpha=0.6, color="C0" if each.on_front else "0.7")
        axes.annotate(each.name, (x, y), fontsize=7, xytext=(4, 4), textcoords="offset points", parse_math=False)
    front = report.front
    axes.plot(
        [each.time_ratio for each in front], [max(each.error_to_signal_ratio, _LEAST_ERROR) for each in front], "C0:"
    )
    axes.axvline(report.budget, color="C3", linewidth=1)
    axes.axhline(report.allowed_error, color="C3", linewidth=1)
    axes.set(
        yscale="log",
        xlabel="time of a block, over the original's",
        ylabel=f"error-to-signal ratio ({_LEAST_ERROR:g} stands for less)",
        title="Area: bytes of the file. Red: the limits. Blue: nothing else is better in all three.",
    )
    axes.set_xlim(left=0.0)
    axes.title.set_fontsize(9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    write_whole(path, buffer.getvalue())
