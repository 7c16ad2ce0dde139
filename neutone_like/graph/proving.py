"""A graph is played beside its network, block by block, before anyone relies on it."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from neutone_like.errors import CaptureError
from neutone_like.graph.examples import Example
from neutone_like.graph.finding_state import CALLS, Memory, is_same, snapshot
from neutone_like.graph.graph import Graph
from neutone_like.graph.lines import LeavingLines
from neutone_like.graph.naming import counter_name
from neutone_like.graph.results import plain
from neutone_like.graph.running import GraphPlayer
from neutone_like.graph.slots import read_slots, unseen_places

TOLERANCE = 1e-5
"""Largest difference from the network, in parts of its output's peak."""

_QUIETEST = 1e-6  # a peak below is as good as silence
_SEED = 2
_MORE_CALLS = 4  # in which what is kept for some calls alone shows
_FARTHEST = 4096  # a block that is longer than all that is asked for is played where that costs little


def prove_graph(network: nn.Module, example: Example, graph: Graph, memory: Memory, lengths: Sequence[int]) -> None:
    """Play several blocks of several lengths through both.

    Raises:
        CaptureError: They differ; the message names the state that does so first, where one does.
    """
    eager, player = copy.deepcopy(network), GraphPlayer(graph)
    generator = torch.Generator().manual_seed(_SEED)
    sizes = [lengths[0], lengths[0], *lengths, lengths[0]]
    if graph.lengths.shortest < lengths[0]:
        sizes += [graph.lengths.shortest] * 2 + [lengths[-1]]
    peaks: list[float] = []
    for number, samples in enumerate(sizes, start=1):
        block = list(example.block(samples, generator).values())
        expected, played = _both(eager, example, player, block)
        if not is_close(played, expected, peaks):
            where = f"{type(network).__name__} and its graph differ in block {number}, of {samples} samples"
            reason = _differing_memory(eager, player, memory) or _lost_memory(network, example, memory, block)
            raise CaptureError(f"{where}{reason}{_left_at(eager, example, block)}")


def shortest_length(network: nn.Module, example: Example, graph: Graph) -> int:
    """The shortest block for which the graph gives what the network does: doubled until one is found, then halved."""
    step = graph.lengths.multiple_of
    found, refused = step, 0
    while found < example.samples and not _agrees_at(network, example, graph, found):
        found, refused = min(2 * found, example.samples), found
    while found - refused > step:
        middle = refused + (found - refused) // (2 * step) * step
        if _agrees_at(network, example, graph, middle):
            found = middle
        else:
            refused = middle
    return found


def longest_length(network: nn.Module, example: Example, graph: Graph) -> int | None:
    """The longest block for which the graph holds, where that is not much longer than those that were tried.

    A network may go another way from some length on. ``None``: a block of four times as many samples is the same, or
    takes too long to try.
    """
    step = graph.lengths.multiple_of
    found = (2 * example.samples + 3) if step == 1 else 3 * example.samples
    refused = 4 * found
    if not step or refused > _FARTHEST or _agrees_at(network, example, graph, refused):
        return None
    while refused - found > step:
        middle = found + (refused - found) // (2 * step) * step
        if _agrees_at(network, example, graph, middle):
            found = middle
        else:
            refused = middle
    return found


def _agrees_at(network: nn.Module, example: Example, graph: Graph, samples: int) -> bool:
    eager, player = copy.deepcopy(network), GraphPlayer(graph)
    generator = torch.Generator().manual_seed(_SEED)
    peaks: list[float] = []
    for size in (example.samples, samples, samples, example.samples, samples):
        try:
            expected, played = _both(eager, example, player, list(example.block(size, generator).values()))
        except Exception:  # a block that is too short may fail in any way: the next length is tried
            return False
        if not is_close(played, expected, peaks):
            return False
    return True


def _both(eager: nn.Module, example: Example, player: GraphPlayer, block: list[Tensor]) -> tuple[Any, Any]:
    """What both give for one block, with the same random numbers."""
    torch.manual_seed(_SEED)
    expected = plain(example.call(eager, [each.clone() for each in block]))
    torch.manual_seed(_SEED)
    return expected, player(*[each.clone() for each in block])


def is_close(played: Any, expected: Any, peaks: list[float] | None = None) -> bool:
    """Whether two results have the same form and values, within :data:`TOLERANCE` of the peak.

    Args:
        played: Tensors in any form.
        expected: Alike.
        peaks: The largest value of each tensor in the blocks before, which this one's are added to: a single sample may
            be near zero by chance.
    """
    mine, form = pytree.tree_flatten(played)
    theirs, other = pytree.tree_flatten(expected)
    if form != other:
        return False
    loudest = [_peak(each) for each in theirs]
    if peaks is not None:
        loudest = [max(pair) for pair in zip(loudest, peaks or loudest, strict=True)]
        peaks[:] = loudest
    return all(_is_close(a, b, peak) for a, b, peak in zip(mine, theirs, loudest, strict=True))


def _peak(tensor: Tensor) -> float:
    number = tensor.numel() and (tensor.is_floating_point() or tensor.is_complex())
    return float(tensor.abs().nan_to_num().max()) if number else 0.0


def _is_close(a: Tensor, b: Tensor, peak: float) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if not a.numel():
        return True
    if not (a.is_floating_point() or a.is_complex()):
        return torch.equal(a, b)
    difference = (a - b).abs().nan_to_num(0.0 if torch.equal(a.isnan(), b.isnan()) else torch.inf)
    return float(difference.max()) <= TOLERANCE * max(_QUIETEST, peak)


def _differing_memory(eager: nn.Module, player: GraphPlayer, memory: Memory) -> str:
    """The end of a sentence: the state or counter that is another one in the network."""
    now = read_slots(eager)
    for slot in memory.states:
        if str(slot) in player.states and not is_close(player.states[str(slot)], now.get(slot)):
            begin = (
                " It is not there before the first call, and was taken to begin as zeros: register it as a buffer with "
                "what it begins with."
                if slot in memory.from_nothing
                else ""
            )
            return f": {slot} has another value then.{begin}"
    for slot in memory.counters:
        counted = player.counters[counter_name(slot)]
        if counted != now.get(slot):
            return (
                f": {slot} counts to {now.get(slot)}, the graph to {counted}. Keep it as a "
                "tensor, and calculate with it as one (torch.remainder, torch.where, index_select)."
            )
    return ""


def _lost_memory(network: nn.Module, example: Example, memory: Memory, block: list[Tensor]) -> str:
    """The end of a sentence: what calls change, and is no state; or where else something may be kept."""
    called = copy.deepcopy(network)
    _call(called, example, block, CALLS)
    seen = snapshot(called)
    _call(called, example, block, _MORE_CALLS)
    weights = dict(called.named_parameters())
    for name, before in network.named_parameters():
        if not is_same(before, weights[name]):
            return f": {name}, a parameter, is changed by calls. Register it as a buffer, which may be state."
    for slot, value in read_slots(called).items():
        known = slot in memory.states or slot in memory.counters
        if not known and type(seen.get(slot)) is type(value) and not is_same(seen[slot], value):
            return f": {slot} changes in some calls, and was left as it was by the first three. Write it in each."
    if places := unseen_places(network):
        return (
            f". It may keep something in {', '.join(places)}, where no state is looked for: put modules into "
            "nn.ModuleList, and state into attributes."
        )
    return (
        ", and no attribute shows why. It may keep something outside its attributes (a closure, a global), leave "
        "PyTorch for NumPy, or draw random numbers of its own."
    )


def _left_at(eager: nn.Module, example: Example, block: list[Tensor]) -> str:
    """A sentence on the lines at which it leaves PyTorch."""
    with LeavingLines() as leaving:
        _call(eager, example, block, 1)
    if not leaving.lines:
        return ""
    return f" It takes values out of PyTorch at {', '.join(leaving.lines)}: calculate there with tensors."


def _call(network: nn.Module, example: Example, block: list[Tensor], count: int) -> None:
    """Whatever it raises after so many calls: what is told is the difference that there is."""
    with suppress(Exception):
        for _ in range(count):
            example.call(network, [each.clone() for each in block])
