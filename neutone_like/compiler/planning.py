"""From a captured network to a plan: passes over the graph, one rule for each operation, passes over the plan."""

from dataclasses import replace

from torch import Tag

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.facts import block_lengths, example_blocks
from neutone_like.compiler.lowering import RULES, lower
from neutone_like.compiler.passes import improve
from neutone_like.compiler.plan import Plan
from neutone_like.errors import CaptureError, CompileError
from neutone_like.graph import (
    SAMPLES,
    Graph,
    Lengths,
    Node,
    WholeNumber,
    decompose,
    fold_constants,
    functional,
    map_values,
    operation,
    without_writes,
)

GRANULE = 64
"""Samples of the longest block of a plan for blocks of any length: what it works on stays in the nearest cache."""

LONG_GRANULE = 1024
"""Samples of the longest block where short ones would cost more."""

FRAMES = 16
"""How many samples of the lowest rate are calculated at once, where that is no longer than a long block: a vector."""


def plan_graph(graph: Graph, *, look_behind: int = 0, block_size: int | None = None) -> Plan:
    """Plan a captured network of one input of sound, parameters, and one output.

    Args:
        graph: As captured.
        look_behind: How many samples of the graph's block are past ones.
        block_size: New samples of every block, where the model is only played with those; ``None``: any that the graph
            takes.

    Returns:
        The plan. ``print(plan)`` lists it.

    Raises:
        CompileError: An operation has no kernel, or the network does what can't be planned; with the operation and
            its line.
    """
    try:
        simple = simplified(specialised(graph, look_behind, block_size))
    except CaptureError as error:
        raise CompileError(str(error)) from error
    return planned(simple, look_behind, block_size)


def specialised(graph: Graph, look_behind: int, block_size: int | None) -> Graph:
    """The graph for the one length of block that it is played with, where there is only one."""
    return graph if block_size is None else at_length(graph, look_behind + block_size)


def planned(graph: Graph, look_behind: int, block_size: int | None) -> Plan:
    """The plan of a graph of operations that all have rules."""
    plan = lower(graph, block_size or granule_of(graph.lengths, look_behind), look_behind)
    improve(plan)
    return plan


def granule_of(lengths: Lengths, look_behind: int) -> int:
    """The longest block for a graph of these lengths, near :data:`GRANULE`.

    What is calculated for past samples is calculated with every block anew, so that blocks are about as long as these.
    Where a network goes down to lower rates, weights there are read once for each block, so that it is several of
    theirs.
    """
    step = lengths.multiple_of
    if step == 0 or look_behind % step:
        return lengths.shortest - look_behind
    slow = FRAMES * step if step > 1 else 0
    wanted = max(GRANULE, min(max(look_behind, slow), LONG_GRANULE))
    return max(-(-wanted // step) * step, lengths.shortest - look_behind)


def simplified(graph: Graph) -> Graph:
    """Without operations that write, with constants folded and everything in operations that have rules, where there
    are such."""
    blocks = [example_blocks(graph, samples) for samples in block_lengths(graph)]
    graph = fold_constants(functional(fold_constants(graph), blocks))
    graph = decompose(graph, _has_rule, blocks)
    _refuse_random(graph)
    return fold_constants(without_writes(graph))


def _refuse_random(graph: Graph) -> None:
    for node in graph.nodes:
        if not _has_rule(node) and node.op != "getitem" and Tag.nondeterministic_seeded in operation(node.op).tags:
            raise CompileError(
                f"{node.place} draws random numbers, and compiled models give the same for the same sound. Keep noise "
                "in a buffer that is played round and round, or leave it out; TorchScript plays it."
            )


def _has_rule(node: Node) -> bool:
    return node.op in RULES


def at_length(graph: Graph, samples: int) -> Graph:
    """The graph for blocks of one length: every number that depends on it is put down.

    Raises:
        CompileError: It does not take blocks of this length.
    """
    if not graph.lengths.accepts(samples):
        raise CompileError(f"The graph takes blocks of {graph.lengths}, and {samples} samples are asked for.")

    def fixed(value: object) -> object:
        if not isinstance(value, WholeNumber):
            return value
        counters = tuple((name, factor) for name, factor in value.terms if name not in ("", SAMPLES))
        rest = Extent.of(WholeNumber(tuple(term for term in value.terms if term not in counters))).at(samples)
        if not counters:
            return rest
        constant: tuple[tuple[str, object], ...] = (("", Extent.of(rest).base),) if rest else ()
        return WholeNumber((*counters, *constant))  # pyright: ignore[reportArgumentType]

    return replace(
        graph,
        inputs=tuple(replace(each, shape=map_values(each.shape, fixed)) for each in graph.inputs),
        nodes=tuple(node.with_arguments(fixed) for node in graph.nodes),
        counters=tuple(replace(each, result=fixed(each.result)) for each in graph.counters),  # pyright: ignore[reportArgumentType]
        lengths=Lengths(samples, 0),
    )
