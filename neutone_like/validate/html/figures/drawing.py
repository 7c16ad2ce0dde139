"""From a matplotlib figure to SVG for a page with a light and a dark theme.

Figures are drawn in marker colours; in the SVG each of them becomes a CSS variable of the page, so that one drawing
is right in both themes and on paper. Text stays text, in the page's font. matplotlib's settings are as they were
before when a drawing is done, and pyplot, which keeps figures, is not used.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID, CARD = "#010203", "#010204", "#010205", "#010206"
BEFORE, AFTER, ACCENT = "#010207", "#010208", "#010209"
GOOD, BAD = "#01020a", "#01020b"
SERIES = ("#01020c", "#01020d", "#01020e", "#01020f")
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    CARD: "--card",
    BEFORE: "--before",
    AFTER: "--after",
    ACCENT: "--accent",
    GOOD: "--good",
    BAD: "--bad",
    **{colour: f"--series-{index + 1}" for index, colour in enumerate(SERIES)},
}

WIDTH_POINTS = 390.0
TEXT_POINTS = 11.0
LEFT, RIGHT = 0.145, 0.965

SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are other people's, and "$" is a character like any other
    "text.usetex": False,
    "font.size": TEXT_POINTS,
    "axes.titlesize": TEXT_POINTS,
    "axes.labelsize": TEXT_POINTS,
    "xtick.labelsize": TEXT_POINTS - 1,
    "ytick.labelsize": TEXT_POINTS - 1,
    "legend.fontsize": TEXT_POINTS - 1,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "path.simplify_threshold": 0.3,
}

_IDENTIFIER = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(href="#|url\(#)([^")]+)')
_FONT = re.compile(r" font-family: [^;\"]*;?|(?<=font): [^;\"]*?([\d.]+px)[^;\"]*")
_COLOUR = re.compile("|".join(VARIABLES))
_SIZE = re.compile(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>')


@dataclass(frozen=True)
class Drawing:
    """An SVG element, and what it shows in a sentence for those who can't see it."""

    name: str
    svg: Markup
    text: str


@contextmanager
def drawing_settings() -> Iterator[None]:
    """matplotlib's own defaults and ours, whatever the user has set; theirs come back afterwards."""
    with matplotlib.style.context(["default", SETTINGS]):
        yield


def new_figure(height_points: float) -> Figure:
    """An empty figure as wide as a column of the page."""
    return Figure(figsize=(WIDTH_POINTS / 72.0, height_points / 72.0))


def new_axes(height_points: float, *, bottom: float = 0.18, top: float = 0.95) -> tuple[Figure, Axes]:
    """A figure with one set of axes."""
    figure = new_figure(height_points)
    axes = figure.add_axes((LEFT, bottom, RIGHT - LEFT, top - bottom))
    return figure, axes


def finish(figure: Figure, name: str, text: str) -> Drawing:
    """Write the figure as SVG.

    Args:
        figure: Made inside :func:`drawing_settings`.
        name: Unique on the page; made of letters, digits and hyphens.
        text: What a reader sees in it.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Drawing(name, Markup(_for_page(buffer.getvalue(), name)), text)


def _for_page(svg: str, name: str) -> str:
    """Without prologue, sizes and rules for the whole page; with identifiers, colours and a font that fit the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = _SIZE.sub(r'<svg viewBox="\1" aria-hidden="true">', svg, count=1)
    svg = re.sub(r"<[^>]*>", lambda found: _tag_for_page(found[0], name), svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _tag_for_page(tag: str, name: str) -> str:
    """Only tags are changed: texts may hold other people's names."""
    tag = tag.replace("xlink:href", "href")
    tag = _IDENTIFIER.sub(rf'id="{name}-\1"', tag)
    tag = _REFERENCE.sub(rf"\g<1>{name}-\2", tag)
    tag = _FONT.sub(lambda found: f"-size: {found[1]}" if found[1] else "", tag)
    return _COLOUR.sub(lambda found: f"var({VARIABLES[found[0]]})", tag)
