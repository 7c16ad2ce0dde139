"""What a parameter does to level and spectrum."""

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from neutone_like.model import CategoricalParameter, NumericalParameter
from neutone_like.validate.html.figures.drawing import ACCENT, AFTER, LEFT, RIGHT, Drawing, finish, new_figure
from neutone_like.validate.html.figures.sound_figures import short_hertz
from neutone_like.validate.html.sweep import Sweep

RANGE_DB = 70.0
LONGEST_LABEL = 40
LONGEST_TICK = 10
MOST_LABELLED = 8


def sweep_figure(sweep: Sweep, index: int) -> Drawing:
    """Output level above, third-octave spectrum below, over the parameter's value."""
    figure = new_figure(280.0)
    level = figure.add_axes((LEFT, 0.68, RIGHT - LEFT, 0.25))
    spectrum = figure.add_axes((LEFT, 0.15, RIGHT - LEFT, 0.46))
    level.plot(sweep.values, sweep.level_db, color=AFTER, marker="o", markersize=4)
    low, high = float(sweep.level_db.min()), float(sweep.level_db.max())
    level.set_ylim(min(low, high - 6.0) - 1.5, high + 1.5)
    level.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    level.set_ylabel("dBFS", labelpad=2.0)
    level.tick_params(labelbottom=False)
    top = float(sweep.bands_db.max())
    spectrum.pcolormesh(
        _edges(sweep.values),
        sweep.band_edges,
        np.maximum(sweep.bands_db, top - RANGE_DB).T,
        cmap="magma",
        vmin=top - RANGE_DB,
        vmax=top,
        rasterized=True,
    )
    spectrum.set_yscale("log")
    spectrum.set_yticks([100.0, 1000.0, 10000.0][: 3 if sweep.band_edges[-1] > 10000.0 else 2])
    spectrum.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_hertz(value)))
    spectrum.yaxis.set_minor_locator(NullLocator())
    spectrum.grid(visible=False)
    default = float(sweep.parameter.default)
    for axes, colour in ((level, ACCENT), (spectrum, "#ffffff")):
        axes.axvline(default, color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.set_xlim(float(_edges(sweep.values)[0]), float(_edges(sweep.values)[-1]))
    level.annotate(
        "default", (default, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
        color=ACCENT, ha="center",
    )  # fmt: skip
    if isinstance(sweep.parameter, CategoricalParameter):
        shown = range(0, sweep.values.size, -(-sweep.values.size // MOST_LABELLED))
        labels = [_shortened(sweep.parameter.labels[i], LONGEST_TICK) for i in shown]
        spectrum.set_xticks([float(sweep.values[i]) for i in shown], labels)
    spectrum.set_xlabel(_label(sweep.parameter))
    return finish(figure, f"parameter-{index}", _describe(sweep))


def _edges(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Each value stands in the middle of its column."""
    middle = 0.5 * (values[1:] + values[:-1])
    return np.concatenate(([values[0] - (middle[0] - values[0])], middle, [values[-1] + (values[-1] - middle[-1])]))


def _describe(sweep: Sweep) -> str:
    first, last = (_spoken(sweep.parameter, float(sweep.values[i])) for i in (0, -1))
    return (
        f"Output level and spectrum over {sweep.parameter.name}: {sweep.level_db[0]:+.1f} dBFS at {first}, "
        f"{sweep.level_db[-1]:+.1f} dBFS at {last}."
    )


def _spoken(parameter: NumericalParameter, value: float) -> str:
    if isinstance(parameter, CategoricalParameter):
        return parameter.labels[round(value)]
    return f"{value:g} {parameter.unit}".rstrip()


def _label(parameter: NumericalParameter) -> str:
    name = f"{parameter.name}, {parameter.unit}" if parameter.unit else parameter.name
    return _shortened(name, LONGEST_LABEL)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
