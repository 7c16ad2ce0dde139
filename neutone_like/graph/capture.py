"""From a network in Python to a graph of tensor operations: run, compare, write down, and prove."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError, NeutoneLikeError
from neutone_like.graph.examples import Example, take_apart
from neutone_like.graph.finding_state import Memory, find_memory
from neutone_like.graph.folding import drop_unread_states
from neutone_like.graph.graph import SAMPLES, Counter, Graph, Input, Lengths, State, Value, map_values
from neutone_like.graph.joining import join_nodes, join_values
from neutone_like.graph.naming import counter_name, graph_names, state_name
from neutone_like.graph.proving import longest_length, prove_graph, shortest_length
from neutone_like.graph.tracing import Trace, detached, trace_call
from neutone_like.numbers import whole_number
from neutone_like.torch_settings import plain_settings

_LONGEST = 1 << 24  # is played while a network is captured, which takes memory
_FAR = 1_000_003
"""How much further counters are once set than they have counted."""


@checked_arguments(CaptureError)
@plain_settings()
def capture(network: nn.Module, example_inputs: Any, example_named_inputs: Mapping[str, Any] | None = None) -> Graph:
    """Write a network down as a graph of tensor operations with explicit state. The network stays as it was.

    It is run several times, in evaluation mode and without gradients, with the example and with blocks of other
    lengths. What its calls change (buffers, attributes, and tensors in lists, tuples, dictionaries and objects) becomes
    a named state. The graph is played beside the network over several blocks and lengths before it is returned.

    Args:
        network: Any module whose tensor operations don't depend on the values of tensors; TorchScript need not know it.
        example_inputs: What to call it with: a tensor, or a tuple of arguments. The first tensor is a block: its last
            dimension is time, and so is that of every other tensor of the same length. Arguments that are not tensors
            stay what they are here.
        example_named_inputs: Arguments by name.

    Returns:
        The graph, for as many block lengths as it holds for: any, multiples of the example's, or only that one.

    Raises:
        CaptureError: The network decides by values, keeps something that would be frozen or lost, or does not give the
            same as its graph; the message says which attribute or line.
    """
    arguments = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    example = take_apart(network, arguments, example_named_inputs or {})
    graph = capture_call(network, example)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        longest = longest_length(own_copy(network).eval(), example, graph)
    return graph if longest is None else replace(graph, lengths=replace(graph.lengths, longest=longest))


@checked_arguments(CaptureError)
def capture_call(
    network: nn.Module, example: Example, *, only_length: bool = False, longest: int | None = None
) -> Graph:
    """:func:`capture` for a call that is already taken apart.

    Args:
        network: As there.
        example: As there.
        only_length: Blocks of another length than the example's are never played.
        longest: Longer blocks are never played, and the example is less than half as long: what a network does in
            pieces is then done in one. At most 2**24 samples.

    Raises:
        CaptureError: As there, or ``longest`` is out of its range.
    """
    if longest is not None:
        whole_number(longest, "longest", 2 * example.samples + 1, _LONGEST, unit="samples", error=CaptureError)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        subject = own_copy(network).eval()
        warm = own_copy(subject)
        memory = _memory(warm, example)
        length = example.samples
        reasons: list[CaptureError] = []
        longer = () if only_length else ((length, length + 1, 2 * length + 3), (length, 2 * length, 3 * length))
        for lengths in (*longer, (length,)) if longest is None else longer[:1]:
            try:
                graph = _capture_lengths(subject, warm, example, memory, lengths, longest)
                alone = len(lengths) == 1 and bool(reasons)
                return replace(graph, lengths=replace(graph.lengths, reason=str(reasons[-1]) if alone else ""))
            except CaptureError as error:
                reasons.append(error)
        raise reasons[-1]


def _memory(warm: nn.Module, example: Example) -> Memory:
    try:
        return find_memory(warm, example)
    except NeutoneLikeError:
        raise
    except Exception as error:  # whatever the network raises
        shapes = ", ".join(f"{name} {list(each.shape)}" for name, each in example.tensors.items())
        raise CaptureError(f"{type(warm).__name__} fails on its example ({shapes}): {error}") from error


def _capture_lengths(
    subject: nn.Module,
    warm: nn.Module,
    example: Example,
    memory: Memory,
    lengths: Sequence[int],
    longest: int | None,
) -> Graph:
    # More traces than variables, so that a number that fits by chance shows.
    tried = [*lengths, lengths[-1], lengths[0]] if memory.counters else lengths
    traces, points = _traces(warm, example, memory, tried)
    graph = _join(warm, example, memory, traces, points, _lengths_of(lengths))
    shortest = shortest_length(subject, example, graph) if len(lengths) > 1 else example.samples
    graph = drop_unread_states(replace(graph, lengths=replace(graph.lengths, shortest=shortest, longest=longest)))
    prove_graph(subject, example, graph, memory, lengths if longest is None else (*lengths, longest))
    return graph


def _lengths_of(lengths: Sequence[int]) -> Lengths:
    if len(lengths) == 1:
        return Lengths(lengths[0], 0)
    return Lengths(1, 1) if lengths[1] == lengths[0] + 1 else Lengths(lengths[0], lengths[0])


def _traces(
    warm: nn.Module, example: Example, memory: Memory, lengths: Sequence[int]
) -> tuple[list[Trace], list[dict[str, int]]]:
    generator = torch.Generator().manual_seed(1)
    counts = dict(memory.counters)
    traces: list[Trace] = []
    points: list[dict[str, int]] = []
    # Once from far on: what is calculated may change when something has counted to some number.
    for index, samples in enumerate([*lengths, lengths[0]] if counts else lengths):
        if index == len(lengths):
            counts = {slot: count + _FAR for slot, count in counts.items()}
        points.append({SAMPLES: samples, **{counter_name(slot): count for slot, count in counts.items()}})
        try:
            trace = trace_call(warm, example.call, example.block(samples, generator), memory.states, counts)
        except CaptureError:
            raise
        except Exception as error:  # whatever the network raises at a length that it does not take
            counted = f" once {', '.join(map(str, counts))} has counted far" if index == len(lengths) else ""
            raise CaptureError(
                f"{type(warm).__name__} fails on a block of {samples} samples{counted}: {error}"
            ) from error
        counts = dict(zip(counts, trace.counts, strict=True))
        traces.append(trace)
    return traces, points


def _join(
    warm: nn.Module,
    example: Example,
    memory: Memory,
    traces: Sequence[Trace],
    points: Sequence[Mapping[str, int]],
    lengths: Lengths,
) -> Graph:
    first = traces[0]
    try:
        nodes = join_nodes(traces, points)
    except CaptureError as error:
        if not memory.counters:
            raise
        counted = ", ".join(map(str, memory.counters))
        raise CaptureError(
            f"{error} It may also depend on how far {counted} has counted. Keep that as a tensor, calculate both ways, "
            "and choose with torch.where."
        ) from error
    if any(_signature(trace) != _signature(first) for trace in traces[1:]):
        raise CaptureError("What is returned or kept depends on the block's length.")
    names = graph_names(warm, example.names, memory.states, first.constants, len(nodes))

    def rename(value: Any) -> Any:
        return Value(names.get(value.name, value.name)) if isinstance(value, Value) else value

    shapes = [[list(_length_shape(example, name, point[SAMPLES])) for point in points] for name in example.tensors]
    inputs = zip(example.tensors, (tuple(join_values(each, points, "")) for each in shapes), strict=True)
    counts = [
        Counter(counter_name(slot), initial, join_values([each.counts[index] for each in traces], points, str(slot)))
        for index, (slot, initial) in enumerate(memory.counters.items())
    ]
    states = zip(memory.states.items(), first.results, strict=True)
    return Graph(
        inputs=tuple(Input(name, shape) for name, shape in inputs),
        fixed=example.fixed,
        arguments=example.names,
        states=tuple(
            State(names[state_name(index)], initial, rename(result))
            for index, ((_, initial), result) in enumerate(states)
        ),
        counters=tuple(counts),
        parameters={names[name]: detached(value) for name, value in first.constants.items()},
        nodes=tuple(replace(each.with_arguments(rename), name=names[each.name]) for each in nodes),
        outputs=map_values(first.outputs, rename),
        lengths=lengths,
    )


def _signature(trace: Trace) -> tuple[Any, ...]:
    leaves, form = pytree.tree_flatten(trace.outputs)
    return (leaves, form, trace.results)


def _length_shape(example: Example, name: str, samples: int) -> tuple[int, ...]:
    shape = example.tensors[name].shape
    return (*shape[:-1], shape[-1] + samples - example.samples) if name in example.varying else tuple(shape)


@checked_arguments(CaptureError)
def own_copy(network: nn.Module) -> nn.Module:
    """A copy that shares nothing with the original; tensors that gradients were calculated for are copied without.

    Raises:
        CaptureError: Python can't copy it.
    """
    memo: dict[int, Any] = {}
    for module in network.modules():
        for value in vars(module).values():
            for leaf in pytree.tree_leaves(value):
                if isinstance(leaf, Tensor) and not leaf.is_leaf:
                    memo[id(leaf)] = leaf.detach().clone()
    try:
        return copy.deepcopy(network, memo)
    except Exception as error:  # whatever a __deepcopy__ of the network raises
        raise CaptureError(
            f"{type(network).__name__} can't be copied, and capture never works on the original: copy.deepcopy raised "
            f"{type(error).__name__}: {error}. Remove the attribute it names."
        ) from error
