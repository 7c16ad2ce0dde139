"""A pass for networks that write into parts of tensors: PyTorch itself says what each write makes of the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.graph.graph import SAMPLES, Graph, Value
from neutone_like.graph.in_place import without_writes
from neutone_like.graph.joining import join_nodes
from neutone_like.graph.running import play_each, play_node, writes
from neutone_like.graph.tracing import Trace, read_graph


@checked_arguments(CaptureError)
def functional(graph: Graph, blocks: Sequence[Sequence[Tensor]]) -> Graph:
    """The same graph without operations that write, also where they write into a part of a tensor.

    Args:
        graph: As captured.
        blocks: Inputs of one or more lengths, to look at it with.

    Raises:
        CaptureError: What is written depends on the block's length in no simple way, or on a counter; or the graph does
            not take a block.
    """
    try:
        return without_writes(graph)
    except CaptureError:
        if graph.counters:
            raise
    if not any(map(writes, graph.nodes)):
        return graph
    play_each(graph, blocks)  # what does not fit is refused there, in words
    points = [{SAMPLES: block[0].shape[-1]} for block in blocks]
    names = [*graph.parameters, *(each.name for each in graph.states), *(each.name for each in graph.inputs)]
    traces = [_trace(graph, block, point, names) for block, point in zip(blocks, points, strict=True)]
    first = traces[0]
    nodes = join_nodes(traces, points)
    own = {each.name: f"whole_{each.name}" for each in nodes}
    own.update({name: f"whole_{name}" for name in first.constants})

    def rename(value: Any) -> Any:
        return Value(own.get(value.name, value.name)) if isinstance(value, Value) else value

    nodes = tuple(replace(node.with_arguments(rename), name=own[node.name]) for node in nodes)
    results = [rename(each) for each in first.results]
    leaves, form = pytree.tree_flatten(graph.outputs)
    states = tuple(
        replace(state, result=result) for state, result in zip(graph.states, results[len(leaves) :], strict=True)
    )
    parameters = {**graph.parameters, **{own[name]: value for name, value in first.constants.items()}}
    outputs = pytree.tree_unflatten(results[: len(leaves)], form)
    return replace(graph, nodes=nodes, states=states, parameters=parameters, outputs=outputs)


def _trace(graph: Graph, block: Sequence[Tensor], point: Mapping[str, int], names: Sequence[str]) -> Trace:
    def run(*tensors: Tensor) -> list[Tensor]:
        values: dict[str, Any] = dict(zip(names, tensors, strict=True))
        for node in graph.nodes:
            values[node.name] = play_node(node, values, point)
        outputs = [values[each.name] for each in pytree.tree_leaves(graph.outputs)]
        return [*outputs, *(values[state.result.name] for state in graph.states)]

    tensors = [*graph.parameters.values(), *(state.initial for state in graph.states), *block]
    whole: Any = torch.func.functionalize(run, remove="mutations")
    with torch.no_grad():
        module: fx.GraphModule = make_fx(whole, tracing_mode="real")(*[each.detach().clone() for each in tensors])
    module.graph.eliminate_dead_code()
    nodes, constants, results = read_graph(module, names, None)
    return Trace(nodes, constants, None, tuple(results), ())
