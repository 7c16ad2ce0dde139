"""Where one engine overtakes another: a line fitted to the ratio of their times, over width and depth of networks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neutone_like.bench.suite.statistics import CONFIDENCE
from neutone_like.bench.suite.tables import EXTRA, PURPOSE, pandas
from neutone_like.extras import import_extra


@dataclass(frozen=True)
class Boundary:
    """Where one engine overtakes another as networks grow.

    Attributes:
        family: Of networks.
        engine, over: The two.
        depth: Layers.
        width: Channels or units from which the other one is faster; None: not within what was measured.
        lowest, highest: The interval of ``width``; infinite where the fit leaves it open.
        text: In words.
    """

    family: str
    engine: str
    over: str
    depth: int
    width: float | None
    lowest: float
    highest: float
    text: str


def fit_boundaries(frame: Any, engine: str, over: str) -> list[Boundary]:
    """Fit the logarithm of the ratio of two engines' times, linear in those of width and depth, and find where it is 0.

    Args:
        frame: Of ``inference``, at one block.
        engine, over: The two.

    Raises:
        MissingExtraError: statsmodels is not installed.
    """
    found: list[Boundary] = []
    for family in sorted(set(frame["family"])):
        both = _side_by_side(frame[frame["family"] == family], engine, over)
        if len(both) >= 4 and both["width"].nunique() >= 3:
            found += _boundaries_of(family, both, engine, over)
    return found


def _side_by_side(frame: Any, engine: str, over: str) -> Any:
    medians = frame.groupby(["engine", "width", "depth"])["inference_p50_us"].median().unstack("engine")
    if engine not in medians or over not in medians:
        return pandas().DataFrame({"width": [], "depth": [], "log_ratio": []})
    medians = medians[[engine, over]].dropna().reset_index()
    medians["log_ratio"] = np.log(medians[engine] / medians[over])
    return medians


def _boundaries_of(family: str, both: Any, engine: str, over: str) -> list[Boundary]:
    api = import_extra("statsmodels.api", extra=EXTRA, purpose=PURPOSE)
    deep = both["depth"].nunique() > 1
    columns = [np.log2(both["width"])] + ([np.log2(both["depth"])] if deep else [])
    fitted = api.OLS(both["log_ratio"].to_numpy(), api.add_constant(np.column_stack(columns))).fit()
    narrowest, widest = both["width"].min(), both["width"].max()
    dense = np.geomspace(narrowest, widest, 200)
    out: list[Boundary] = []
    for depth in sorted(set(both["depth"])):
        extra = [np.full_like(dense, np.log2(depth))] if deep else []
        points = np.column_stack([np.ones_like(dense), np.log2(dense), *extra])
        predicted = fitted.get_prediction(points)
        interval = predicted.conf_int(alpha=1.0 - CONFIDENCE)
        out.append(_crossing(family, engine, over, int(depth), dense, predicted.predicted_mean, interval))
    return out


def _crossing(family: str, engine: str, over: str, depth: int, widths: Any, mean: Any, interval: Any) -> Boundary:
    """The width where the fitted line changes its sign, and those where its interval begins and ends to hold 0."""
    span = f"from {widths[0]:.0f} to {widths[-1]:.0f} wide, {depth} deep"
    undecided = (interval[:, 0] <= 0.0) & (interval[:, 1] >= 0.0)
    crosses = np.flatnonzero(np.diff(np.sign(mean)) != 0)
    if not len(crosses):
        faster = engine if mean[0] < 0.0 else over
        found = "; no difference shown in parts" if undecided.any() else f": {faster} is faster everywhere"
        return Boundary(family, engine, over, depth, None, -np.inf, np.inf, f"no crossing found{found}, {span}")
    at = int(crosses[0])
    lowest = float(widths[undecided][0]) if not undecided[0] else -np.inf
    highest = float(widths[undecided][-1]) if not undecided[-1] else np.inf
    first, then = (engine, over) if mean[at] < 0.0 else (over, engine)
    text = f"{first} is faster below {widths[at]:.0f} wide, {then} above, {depth} deep"
    return Boundary(family, engine, over, depth, float(widths[at]), lowest, highest, text)
