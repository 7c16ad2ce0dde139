"""What the times say, and how surely: the anira paper's mixed-effects model, and what follows from it.

The logarithm of a cell's median time is explained by engine, network and block and by all of their interactions; what
one repetition has in common is a random effect. A difference of logarithms is a ratio of times, with an interval. All
intervals of a table hold together with 95 % (Bonferroni), so that a table in which nothing differs says so.
"""

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neutone_like.bench.suite.tables import EXTRA, PURPOSE, pandas
from neutone_like.extras import import_extra

CONFIDENCE = 0.95
_NO_VARIANCE = 1e-6  # over that of what is left


@dataclass(frozen=True)
class Ratio:
    """How much time an engine takes, over another one's, in the geometric mean over blocks.

    Attributes:
        engine, over: The two.
        model: The network.
        ratio: Below 1: ``engine`` is faster.
        lowest, highest: The interval.
    """

    engine: str
    over: str
    model: str
    ratio: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """``"faster"``, ``"slower"``, or ``"no difference shown"``."""
        if self.highest < 1.0:
            return "faster"
        return "slower" if self.lowest > 1.0 else "no difference shown"


@dataclass(frozen=True)
class Term:
    """A main effect or an interaction: whether it is there at all.

    Attributes:
        name: Of the factors.
        freedom: Degrees of freedom.
        chi_square: Wald's.
        p_value: How often chance alone gives as much.
    """

    name: str
    freedom: int
    chi_square: float
    p_value: float


@dataclass(frozen=True)
class MixedModel:
    """A fitted model.

    Attributes:
        ratios: Of each pair of engines and each network.
        terms: Main effects and interactions.
        observations, repetitions: How much it is fitted to.
        repetition_deviation: Standard deviation of the random effect, as a ratio of times minus 1.
        residual_deviation: Of what is left, likewise.
        left_out: Engines, networks and blocks without a full set of times.
        notes: What the fit complained about.
        has_random_effect: Whether the repetitions differ by more than chance; else the model without their effect is
            fitted, which is what the other one comes to.
    """

    ratios: tuple[Ratio, ...]
    terms: tuple[Term, ...]
    observations: int
    repetitions: int
    repetition_deviation: float
    residual_deviation: float
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    has_random_effect: bool = True


class TooLittle(Exception):
    """There are not enough results for a statement; says what is missing."""


def fit_mixed_model(frame: Any, engines: Sequence[str]) -> MixedModel:
    """Fit the model.

    Args:
        frame: Columns ``engine``, ``model``, ``block``, ``repetition``, ``inference_p50_us``.
        engines: Which are compared, the one that others are held against last.

    Raises:
        TooLittle: Fewer than two engines or repetitions, or no block that all of them have.
        MissingExtraError: statsmodels is not installed.
    """
    data, left_out = _balanced(frame, engines)
    names = ["engine", "model", "block"]
    levels = [list(engines), *(sorted(set(data[name])) for name in names[1:])]
    # A mean for each cell: the same model as with main effects and all interactions, and easier to compare within.
    cells = list(itertools.product(*levels))
    columns = {cell: column for column, cell in enumerate(cells)}
    design = np.zeros((len(data), len(cells)))
    design[np.arange(len(data)), [columns[key] for key in data[names].itertuples(index=False, name=None)]] = 1.0
    times = np.log(data["inference_p50_us"].to_numpy())
    fixed, covariance, between, within, notes = _fitted(times, design, data["repetition"].to_numpy())
    contrasts = [
        (engine, over, network, _mean(cells, engine, network) - _mean(cells, over, network))
        for index, engine in enumerate(engines)
        for over in engines[index + 1 :]
        for network in levels[1]
    ]
    width = _quantile(len(contrasts), len(data) - len(fixed))
    ratios = [
        _ratio(engine, over, network, float(row @ fixed), width * float(np.sqrt(max(0.0, row @ covariance @ row))))
        for engine, over, network, row in contrasts
    ]
    return MixedModel(
        ratios=tuple(ratios),
        terms=_terms(levels, fixed, covariance),
        observations=len(data),
        repetitions=data["repetition"].nunique(),
        repetition_deviation=float(np.exp(np.sqrt(between)) - 1.0),
        residual_deviation=float(np.exp(np.sqrt(within)) - 1.0),
        left_out=tuple(left_out),
        notes=notes,
        has_random_effect=between > 0.0,
    )


def _fitted(times: Any, design: Any, repetitions: Any) -> tuple[Any, Any, float, float, tuple[str, ...]]:
    """Effects, their covariance, the variance of repetitions and of what is left, and what the fit complained about.

    A variance can't be negative, and where repetitions are no less alike than chance makes them, its best estimate is
    0, at the end of what it may be. There the mixed model is the one without a random effect, and least squares fits it
    exactly; the other's search for a maximum has no gradient to end at.
    """
    models = import_extra("statsmodels.regression.mixed_linear_model", extra=EXTRA, purpose=PURPOSE)
    api = import_extra("statsmodels.api", extra=EXTRA, purpose=PURPOSE)
    plain = api.OLS(times, design).fit()
    without = np.asarray(plain.params), np.asarray(plain.cov_params()), 0.0, float(plain.scale), ()
    estimate = _variance_between(plain.resid, repetitions, len(times) - design.shape[1])
    if estimate <= 0.0:
        return without
    # statsmodels takes any variance below 0.01 for one at the boundary, whatever the unit is.
    unit = float(np.sqrt(estimate))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = models.MixedLM(times / unit, design, repetitions).fit(reml=True, method=["lbfgs", "powell"])
    if float(np.asarray(fitted.cov_re)[0, 0]) <= _NO_VARIANCE * float(fitted.scale):
        return without  # its likelihood is largest at 0, where its own covariance of the effects is undefined
    fixed = unit * np.asarray(fitted.fe_params)
    covariance = unit**2 * np.asarray(fitted.cov_params())[: len(fixed), : len(fixed)]
    between = unit**2 * max(0.0, float(np.asarray(fitted.cov_re)[0, 0]))
    notes = tuple(dict.fromkeys(str(each.message) for each in caught))
    return fixed, covariance, between, unit**2 * float(fitted.scale), notes


def _variance_between(residuals: Any, repetitions: Any, freedom: int) -> float:
    """The estimate for repetitions, which may be negative: in a balanced design, by what the mean square between them
    exceeds the one within."""
    names, counts = np.unique(repetitions, return_counts=True)
    means = np.array([residuals[repetitions == name].mean() for name in names])
    between = float(np.sum(counts * means**2))
    within = (float(residuals @ residuals) - between) / max(1, freedom - (len(names) - 1))
    return (between / (len(names) - 1) - within) / float(counts.mean())


def _balanced(frame: Any, engines: Sequence[str]) -> tuple[Any, list[str]]:
    """The networks and blocks that every engine has a time of in every repetition that counts."""
    if len(engines) < 2:
        raise TooLittle(f"a comparison needs two engines, and there are times of {', '.join(engines) or 'none'}")
    needed = ["engine", "model", "block", "repetition", "inference_p50_us"]
    data = frame[frame["engine"].isin(engines)][needed]
    data = data[data["inference_p50_us"] > 0.0]
    repetitions = sorted(set(data["repetition"]))
    best = data.iloc[:0]
    while len(repetitions) >= 2:
        counted = data[data["repetition"].isin(repetitions)]
        counts = counted.groupby(["model", "block"]).size()
        full = counts[counts == len(engines) * len(repetitions)].reset_index()[["model", "block"]]
        whole = _whole_grid(pandas(), counted.merge(full, on=["model", "block"]))
        if len(whole) > len(best):
            best = whole
        repetitions.pop()  # a run that was stopped in its last repetition
    if len(best):
        return best.copy(), _left_out(frame, best)
    raise TooLittle("a random effect needs two repetitions of some network and block with all engines")


def _whole_grid(library: Any, data: Any) -> Any:
    """Interactions need every network at every block: the largest set of blocks that all networks share."""
    if not len(data):
        return data
    networks = data["model"].nunique()
    shared = data.groupby("block")["model"].nunique()
    blocks = shared[shared == networks].index
    if len(blocks):
        return data[data["block"].isin(blocks)]
    common = shared.idxmax()
    return data[data["block"] == common]


def _left_out(frame: Any, data: Any) -> list[str]:
    before = set(zip(frame["model"], frame["block"], strict=True))
    after = set(zip(data["model"], data["block"], strict=True))
    return [f"{network} at {block}" for network, block in sorted(before - after)]


def _mean(cells: Sequence[tuple[Any, ...]], engine: str, network: str) -> Any:
    """What gives the mean over blocks."""
    wanted = np.array([cell[:2] == (engine, network) for cell in cells], float)
    return wanted / wanted.sum()


def _terms(levels: Sequence[Sequence[Any]], fixed: Any, covariance: Any) -> tuple[Term, ...]:
    """Wald's test of each main effect and interaction: contrasts of the factors in it, means over the others."""
    names = ("engine", "network", "block")
    stats = import_extra("scipy.stats", extra=EXTRA, purpose=PURPOSE)
    found: list[Term] = []
    for count in range(1, len(names) + 1):
        for chosen in itertools.combinations(range(len(names)), count):
            rows = np.ones((1, 1))
            for factor, each in enumerate(levels):
                size = len(each)
                contrast = np.eye(size)[1:] - np.eye(size)[:1] if factor in chosen else np.full((1, size), 1.0 / size)
                rows = np.kron(rows, contrast)
            if not len(rows):  # a factor with one level has no effect
                continue
            effect = rows @ fixed
            chi_square = float(effect @ np.linalg.solve(rows @ covariance @ rows.T, effect))
            name = " x ".join(names[factor] for factor in chosen)
            found.append(Term(name, len(rows), chi_square, float(stats.chi2.sf(chi_square, len(rows)))))
    return tuple(found)


def _quantile(comparisons: int, freedom: int) -> float:
    """Of Student's t, for this many intervals that hold together."""
    stats = import_extra("scipy.stats", extra=EXTRA, purpose=PURPOSE)
    return float(stats.t.ppf(1.0 - (1.0 - CONFIDENCE) / 2.0 / max(1, comparisons), max(1, freedom)))


def _ratio(engine: str, over: str, network: str, log_ratio: float, width: float) -> Ratio:
    lowest, highest = np.exp([log_ratio - width, log_ratio + width])
    return Ratio(engine, over, network, float(np.exp(log_ratio)), float(lowest), float(highest))


@dataclass(frozen=True)
class ColdStart:
    """First calls of a fresh process, in the median of its repetitions.

    Attributes:
        engine, model: Who, and what.
        warm_up: Calls before.
        first_us: The first one's time.
        settled_us: The median of the last ten's.
        calls_to_settle: How many take more than one and a half times that before the first that doesn't.
        calls_us: All of them, in the median of the repetitions.
        peak_mb: The most memory that the process had.
    """

    engine: str
    model: str
    warm_up: int
    first_us: float
    settled_us: float
    calls_to_settle: int
    calls_us: tuple[float, ...]
    peak_mb: float

    @property
    def ratio(self) -> float:
        """Of the first call over those that have settled."""
        return self.first_us / self.settled_us


def cold_starts(frame: Any) -> list[ColdStart]:
    """All that were measured."""
    if not len(frame):
        return []
    found: list[ColdStart] = []
    for (engine, network, warm_up), group in frame.groupby(["engine", "model", "warm_up"]):
        calls = np.median(np.array(group["calls_us"].tolist()), axis=0)
        settled = float(np.median(calls[-10:]))
        slow = calls > 1.5 * settled
        to_settle = int(np.argmin(slow)) if not slow.all() else len(calls)
        found.append(
            ColdStart(
                engine,
                network,
                int(warm_up),
                float(calls[0]),
                settled,
                to_settle,
                tuple(calls.tolist()),
                float(np.median(group["peak_resident_mb"])),
            )
        )
    return found
