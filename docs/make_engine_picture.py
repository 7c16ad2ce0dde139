"""Draws the two sides of the real-time engine. Run after changing what they do."""

from make_pictures import save
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

HOST_COLOR, SHARED_COLOR, WORKER_COLOR = "#e8eaf6", "#fff3e0", "#e8f5e9"
COLUMNS = (
    (0.0, 2.7, HOST_COLOR, "audio thread"),
    (2.9, 2.2, SHARED_COLOR, "between them"),
    (5.3, 4.7, WORKER_COLOR, "workers"),
)


def draw_engine() -> None:
    _, axes = pyplot.subplots(figsize=(8.0, 3.9), layout="constrained")
    axes.set(xlim=(-0.05, 10.05), ylim=(0.0, 5.2))
    axes.axis("off")
    for left, width, color, title in COLUMNS:
        axes.add_patch(
            FancyBboxPatch((left, 0.05), width, 5.0, boxstyle="round,pad=0,rounding_size=0.08", fc=color, ec="none")
        )
        axes.text(left + width / 2, 4.8, title, ha="center", va="center", weight="bold")
    box(axes, 0.2, 3.4, 2.3, 0.9, "process(in, …)\ncopies the block in")
    box(axes, 0.2, 1.95, 2.3, 0.9, "wakes a worker\n(or lets it look)")
    box(axes, 0.2, 0.3, 2.3, 1.1, "process(…, out)\nreads a fixed number\nof samples behind")
    box(axes, 3.1, 3.4, 1.8, 0.9, "input ring\nand packets")
    box(axes, 3.1, 1.95, 1.8, 0.9, "parameters\n(atomic floats)")
    box(axes, 3.1, 0.4, 1.8, 0.9, "output ring,\nby position")
    box(axes, 5.5, 3.4, 2.1, 0.9, "channels, rate\nin, block, history")
    box(axes, 7.85, 3.4, 2.0, 0.9, "parameters:\nsmooth, map, align")
    box(axes, 6.6, 1.95, 2.1, 0.9, "the model\n(a backend)")
    box(axes, 6.6, 0.4, 2.1, 0.9, "rate out,\nchannels")
    for start, end in (
        ((2.5, 3.85), (3.1, 3.85)),
        ((4.9, 3.85), (5.5, 3.85)),
        ((6.8, 3.4), (7.3, 2.85)),
        ((8.6, 3.4), (8.1, 2.85)),
        ((7.65, 1.95), (7.65, 1.3)),
        ((6.6, 0.85), (4.9, 0.85)),
        ((3.1, 0.85), (2.5, 0.85)),
    ):
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color="#455a64", linewidth=1.2))
    save("engine.svg")


def box(axes: Axes, left: float, bottom: float, width: float, height: float, text: str) -> None:
    shape = FancyBboxPatch(
        (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.06", fc="white", ec="#90a4ae"
    )
    axes.add_patch(shape)
    axes.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=8.5)


if __name__ == "__main__":
    draw_engine()
