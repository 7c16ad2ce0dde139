"""Time per block of a model that does nothing: what the wrapper itself costs, beside neutone-sdk's in the same run."""

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.bench.models import Delay, eager_wrapper
from neutone_like.bench.peer import REFERENCE_US, VERSION, Peer, PeerMissingError, running_peer
from neutone_like.bench.timing import BlockTimes

HOST_RATE = 48000
BLOCKS = (64, 128, 256, 512)
WAYS = (("pass-through", 48000), ("48 kHz to 44.1 kHz", 44100))
MODEL_BLOCKS = (0, 512)
ROUNDS = 30
CALLS_A_ROUND = 96  # whole cycles of a 512-sample model block, for every host block


Rounds = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Comparison:
    """Times of one setting, in seconds a call, round by round. ``theirs`` is empty where the peer could not run."""

    way: str
    block: int
    model_block: int
    ours: Rounds
    theirs: Rounds

    @property
    def ratio(self) -> float:
        """Our time over theirs: median over the rounds, so that what disturbs a round disturbs both its halves.

        A round counts by its median call; by its mean where the model's block is longer than the host's, since only
        some calls then run the model.
        """
        average = statistics.fmean if self.model_block > self.block else statistics.median
        ratios = [average(ours) / average(theirs) for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        return statistics.median(ratios)


def scripted_identity(model_rate: int, block: int, model_block: int, quality: str = "high") -> Any:
    """The scripted wrapper, warm, at the benchmark's host rate."""
    model = Delay(0, (model_rate,), (model_block,) if model_block else ())
    module = script_wrapper(eager_wrapper(HOST_RATE, block, model, quality))
    with torch.inference_mode():
        module.set_daw_sample_rate_and_buffer_size(HOST_RATE, block)
        x = torch.rand(2, block) - 0.5
        for _ in range(100):
            module.forward(x)
    return module


def compare(peer: Peer | None) -> list[Comparison]:
    """Time both by turns, a few milliseconds each, so that whatever else the machine does hits both."""
    return [
        _compare_setting(peer, way, model_rate, block, model_block)
        for model_block in MODEL_BLOCKS
        for way, model_rate in WAYS
        for block in BLOCKS
    ]


def _compare_setting(peer: Peer | None, way: str, model_rate: int, block: int, model_block: int) -> Comparison:
    module = scripted_identity(model_rate, block, model_block)
    ours: list[tuple[float, ...]] = []
    theirs: list[tuple[float, ...]] = []
    for _ in range(ROUNDS):
        ours.append(tuple(_round(module, block)))
        if peer is not None:
            times = peer.times(
                rate=HOST_RATE, model_rate=model_rate, block=block, model_block=model_block, calls=CALLS_A_ROUND
            )
            theirs.append(tuple(times))
    return Comparison(way, block, model_block, tuple(ours), tuple(theirs))


def _round(module: Any, block: int) -> list[float]:
    x = torch.rand(2, block) - 0.5
    times: list[float] = []
    with torch.inference_mode():
        forward = module.forward
        for _ in range(CALLS_A_ROUND):
            start = time.perf_counter()
            forward(x)
            times.append(time.perf_counter() - start)
    return times


def identity_table(peer_folder: Path, with_peer: bool = True) -> Table:
    """Run the comparison; without the peer, its times are those of another machine, and said to be."""
    with ExitStack() as stack:
        peer, why = None, "left out"
        if with_peer:
            try:
                peer = stack.enter_context(running_peer(peer_folder))
            except PeerMissingError as error:
                why = str(error)
        comparisons = compare(peer)
        title = f"Identity model, scripted, 48 kHz host, one thread: us per block, beside neutone-sdk {VERSION}"
        caption = (
            f"both in this run, {ROUNDS} rounds by turns, torch {peer.versions['torch']}; ratio: median over the rounds"
            if peer is not None
            else f"neutone-sdk did not run here ({why}): its times are from another machine"
        )
    table = Table(title=title, caption=caption, title_justify="left")
    headings = ("way", "model block", "host block", "median", "mean", "p99", "max")
    for heading in (*headings, "their median", "their mean", "their p99", "ratio"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for comparison in comparisons:
        table.add_row(*_row(comparison))
    return table


def _row(comparison: Comparison) -> tuple[str, ...]:
    ours = _summary(comparison.ours)
    row = (comparison.way, str(comparison.model_block or "any"), str(comparison.block), *map(_shown, ours))
    if comparison.theirs:
        return (*row, *map(_shown, _summary(comparison.theirs)[:3]), f"{comparison.ratio:.2f}")
    low, high = REFERENCE_US[comparison.way]
    return (*row, f"({low:.0f}..{high:.0f})", "-", "-", f"({ours[0] / high:.2f}..{ours[0] / low:.2f})")


def _shown(microseconds: float) -> str:
    return f"{microseconds:.1f}"


def _summary(rounds: Rounds) -> tuple[float, float, float, float]:
    """Median, mean, p99 and maximum of all calls, in microseconds."""
    times = BlockTimes((), tuple(seconds for calls in rounds for seconds in calls))
    return times.median_us, times.mean_us, times.percentile_us(99.0), times.max_us
