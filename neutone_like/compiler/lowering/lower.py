"""A whole graph as a plan: its inputs, its states as rings where they are histories, its operations, its output."""

from collections.abc import Mapping
from math import prod

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.facts import shapes_of
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.lowering.context import DOUBLES, KNOWN, Context
from neutone_like.compiler.lowering.elementwise import pointwise
from neutone_like.compiler.plan import Plan
from neutone_like.compiler.tensor import STILL, Kind, Stride, Tensor, View, new_tensor
from neutone_like.errors import CompileError
from neutone_like.graph import Counter, Graph, Lengths, State, Value

_CATS = ("aten::cat.default", "aten::concat.default")
_EXPAND = "aten::expand.default"
_SLICE = "aten::slice.Tensor"
_VIEWS = tuple(
    f"aten::{op}" for op in ("unsqueeze.default", "squeeze.dim", "reshape.default", "view.default", "expand.default")
)


class _NotARing(Exception):
    """A state that was taken for a history is none."""


def lower(graph: Graph, granule: int, look_behind: int = 0) -> Plan:
    """Steps for a graph of one input of sound and any number of parameters.

    Args:
        graph: Of operations that have rules; without operations that write, constants folded.
        granule: The longest block, without the look-behind.
        look_behind: How many samples of the graph's block are past ones.

    Raises:
        CompileError: Something in it can't be planned; the message has the operation and its line.
    """
    histories = _histories(graph)
    while True:
        try:
            return _lower(graph, granule, look_behind, histories)
        except _NotARing as found:
            histories = {name: dim for name, dim in histories.items() if name != str(found)}


def _histories(graph: Graph) -> dict[str, int]:
    """States to which something is appended, cut before or after, and along which dimension."""
    names = {each.name: each for each in graph.states}
    behind = {name: name for name in names}
    as_kept = set(names)  # with the state's own dimensions
    found: dict[str, int] = {}
    for node in graph.nodes:
        first = node.args[0] if node.args else None
        if node.op in _VIEWS and isinstance(first, Value) and first.name in behind:
            behind[node.name] = behind[first.name]
            if node.op == _EXPAND and first.name in as_kept:
                same_rank = len(node.args[1]) == names[behind[first.name]].initial.dim()
                as_kept |= {node.name} if same_rank else set()
        if node.op == _SLICE and isinstance(first, Value) and first.name in as_kept:
            behind[node.name] = behind[first.name]
            as_kept.add(node.name)
        if node.op in _CATS and isinstance(first, list) and isinstance(first[0], Value) and first[0].name in behind:
            state = names[behind[first[0].name]]
            direct = first[0].name in as_kept
            dim = node.args[1] if len(node.args) > 1 and direct else -1 if not direct else 0
            found.setdefault(state.name, dim % max(1, state.initial.dim()))
    return {
        name: dim
        for name, dim in found.items()
        if names[name].initial.dtype == torch.float32 and names[name].initial.dim()
    }


def _lower(graph: Graph, granule: int, look_behind: int, histories: Mapping[str, int]) -> Plan:
    context = Context(shapes_of(graph), granule + look_behind)
    for name, value in graph.parameters.items():
        context.values[name] = value
    inputs = [_input(context, each.name) for each in graph.inputs]
    begins = {each.name: _begin(context, each, histories.get(each.name)) for each in graph.states}
    begins.update((each.name, _begin_counting(context, each)) for each in graph.counters)
    for node in graph.nodes:
        context.lower(node)
    if not isinstance(graph.outputs, Value):
        raise CompileError("a network that returns several tensors; return one")
    output = context.view(context.values[graph.outputs.name])
    if output.tensor.kind is not Kind.BLOCK:
        output = _copied(context, output)
    _keep_states(context, graph, begins)
    rings = [each.tensor for each in begins.values() if each.tensor.kind is Kind.RING]
    states = [each.tensor for each in begins.values() if each.tensor.kind is Kind.STATE]
    audio, *parameters = inputs
    audio, output = _channels_first(audio), _channels_first(output)
    names = [each.name for each in graph.inputs[1:]]
    lengths = Lengths(max(1, graph.lengths.shortest - look_behind), graph.lengths.multiple_of)
    return Plan(
        lengths,
        granule,
        look_behind,
        audio,
        dict(zip(names, parameters, strict=True)),
        output,
        context.steps,
        rings,
        states,
    )


def _channels_first(view: View) -> View:
    """``[channels, samples]`` of sound with a batch of one before it."""
    while view.rank > 2 and view.dims[0] == ONE:
        view = view.without(0)
    if view.rank == 1:
        view = view.with_one(0)
    if view.rank != 2:
        raise CompileError(f"sound of {view.rank} dimensions; [channels, samples], with a batch of one, compiles")
    return view


def _input(context: Context, name: str) -> View:
    shape = context.shapes[name]
    if shape.dtype != torch.float32:
        raise CompileError(f"input {name} is {shape.dtype}; sound and parameters are float32")
    view = new_tensor(name, shape.dims, range(len(shape.dims)), context.granule)
    context.values[name] = view
    return view


def _begin(context: Context, state: State, time: int | None) -> View:
    """What the state is before the block."""
    if state.initial.dtype not in KNOWN:
        advice = " Keep its real and imaginary parts, each as a buffer." if state.initial.is_complex() else ""
        raise CompileError(
            f"state {state.name} is {state.initial.dtype}; states are float32, float64 or whole numbers.{advice} "
            "TorchScript plays it."
        )
    dims = tuple(Extent.of(size) for size in state.initial.shape)
    double = state.initial.dtype in DOUBLES
    if time is None:
        view = new_tensor(state.name, dims, range(len(dims)), context.granule, double)
        view.tensor.kind, view.tensor.data = Kind.STATE, state.initial
    else:
        view = _history(state, time)
    context.values[state.name] = view
    return view


def _begin_counting(context: Context, counter: Counter) -> View:
    """A number that Python counts, as a state."""
    view = new_tensor(counter.name, (), (), context.granule, double=True)
    view.tensor.kind, view.tensor.data = Kind.STATE, torch.tensor(float(counter.initial), dtype=torch.float64)
    context.counters[counter.name] = view
    return view


def _history(state: State, time: int) -> View:
    sizes = state.initial.shape
    others = [dim for dim in range(len(sizes)) if dim != time]
    length = sizes[time]
    data = state.initial.permute(*others, time).reshape(-1, length)
    tensor = Tensor(
        state.name, prod(sizes[dim] for dim in others), Extent.of(length), kind=Kind.RING, data=data, history=length
    )
    strides = [STILL] * len(sizes)
    strides[time] = Stride(0, 1)
    rows = 1
    for dim in reversed(others):
        strides[dim] = Stride(rows, 0)
        rows *= sizes[dim]
    return View(tensor, tuple(map(Extent.of, sizes)), tuple(strides), 0, Extent.of(-length))


def _keep_states(context: Context, graph: Graph, begins: Mapping[str, View]) -> None:
    kept: list[tuple[View, View]] = []
    for state in graph.states:
        begin, end = begins[state.name], context.view(context.values[state.result.name])
        if begin.tensor.kind is Kind.RING:
            _walk(begin, end)
        elif end != begin:
            kept.append((begin, _copied(context, end) if end.tensor.kind is Kind.STATE else end))
    for counter in graph.counters:
        count = [context.resolve(counter.result)]
        end = pointwise(context, None, lambda x: x, count, (), torch.float64)
        kept.append((begins[counter.name], end))
    for begin, end in kept:
        context.add(KernelId.COPY, [begin], [end])


def _walk(begin: View, end: View) -> None:
    """A history's new content must be its old one, further on."""
    tensor = begin.tensor
    advance = end.column - begin.column
    same = end.tensor is tensor and end.dims == begin.dims and end.row == 0 and _strides(end) == _strides(begin)
    if not same or tensor.written == ZERO or any((tensor.written - advance).at(n) < 0 for n in (64, 4096)):
        raise _NotARing(tensor.name)
    tensor.advance = advance


def _strides(view: View) -> list[Stride]:
    return [stride for stride, size in zip(view.strides, view.dims, strict=True) if size.constant != 1]


def _copied(context: Context, view: View) -> View:
    copy = context.new(view.dims, double=view.tensor.double)
    context.add(KernelId.COPY, [copy], [view])
    return copy
