"""A pass that writes operations as simpler ones, by PyTorch's own definitions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, fx
from torch._decomp import core_aten_decompositions, get_decompositions
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.graph.attention import attention, is_plain_attention
from neutone_like.graph.graph import SAMPLES, Graph, Node, Value, map_values, values_in
from neutone_like.graph.joining import join_nodes
from neutone_like.graph.running import operation, play_each, play_node
from neutone_like.graph.tracing import Trace, read_graph

_ALSO = (
    "native_group_norm",
    "native_layer_norm",
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "_softmax",
    "_log_softmax",
    "upsample_linear1d",
    "upsample_nearest1d",
    "_upsample_nearest_exact1d",
    "elu",
    "hardtanh",
    "glu",
    "_adaptive_avg_pool2d",
    "pixel_shuffle",
    "_cdist_forward",
    "linalg_vector_norm",
)


def _log_cumulative(x: Tensor, dim: int) -> Tensor:
    """torch.logcumsumexp, which PyTorch has no definition of: each place against all, so that none is rounded to 0."""
    last = x.transpose(dim, -1)
    places = torch.arange(last.shape[-1])
    so_far = places.unsqueeze(1) >= places
    return torch.where(so_far, last.unsqueeze(-2), -torch.inf).logsumexp(-1).transpose(dim, -1)


_WRITTEN: dict[str, Callable[..., Tensor]] = {"aten::logcumsumexp.default": _log_cumulative}


@cache
def _definitions() -> dict[Any, Any]:
    """PyTorch's own definitions, also of operations that it calls basic."""
    more = [getattr(torch.ops.aten, name) for name in _ALSO if hasattr(torch.ops.aten, name)]
    return {**core_aten_decompositions(), **get_decompositions(more)}


@checked_arguments(CaptureError)
def decompose(graph: Graph, keep: Callable[[Node], bool], blocks: Sequence[Sequence[Tensor]]) -> Graph:
    """Write every operation that ``keep`` does not want by PyTorch's own definition, as often as there is one.

    Args:
        graph: Without operations that write.
        keep: Whether a node may stay.
        blocks: Inputs of one or more lengths, to look at it with.

    Returns:
        A graph that computes the same. What has no simpler form stays.

    Raises:
        CaptureError: The graph does not take a block, or PyTorch does not say what an operation is made of.
    """
    for _ in range(4):
        if all(map(keep, graph.nodes)):
            break
        before = len(graph.nodes), {node.op for node in graph.nodes}
        graph = _decompose_once(graph, keep, blocks)
        if (len(graph.nodes), {node.op for node in graph.nodes}) == before:
            break
    return graph


def _decompose_once(graph: Graph, keep: Callable[[Node], bool], blocks: Sequence[Sequence[Tensor]]) -> Graph:
    played = play_each(graph, blocks)
    points = [{SAMPLES: block[0].shape[-1]} for block in blocks]
    nodes: list[Node] = []
    parameters = dict(graph.parameters)
    for node in graph.nodes:
        if keep(node) or node.op == "getitem":
            nodes.append(node)
            continue
        traces = [_trace(node, values, point) for values, point in zip(played, points, strict=True)]
        if traces[0] is None:
            nodes.append(node)
            continue
        nodes += _spliced(node, [each for each in traces if each is not None], points, parameters)
    return _without_pairs(replace(graph, nodes=tuple(nodes), parameters=parameters))


def _trace(node: Node, values: Any, point: dict[str, int]) -> Trace | None:
    """One operation by its definition; ``None`` where that is itself."""
    names = list(dict.fromkeys(each.name for each in values_in([node.args, dict(node.kwargs)])))
    written = attention if is_plain_attention(node) else _WRITTEN.get(node.op)

    def run(*given: Tensor) -> list[Tensor]:
        known = dict(zip(names, given, strict=True))
        return pytree.tree_leaves(play_node(node, known, point, function=written))

    # istft looks whether its windows leave gaps, which does not change what it is made of
    table, looks = _definitions(), not node.op.startswith("aten::istft")
    given = [values[name].clone() for name in names]
    try:
        with torch.no_grad():
            module: fx.GraphModule = make_fx(
                run, decomposition_table=table, tracing_mode="real", _error_on_data_dependent_ops=looks
            )(*given)
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise CaptureError(f"{node.place}: PyTorch does not say what it is made of: {reason}") from error
    module.graph.eliminate_dead_code()
    if None in pytree.tree_leaves(module.graph.output_node().args[0]):
        return None  # a definition that PyTorch can't follow itself
    found, constants, results = read_graph(module, names, None)
    if [each.op for each in found] == [node.op]:
        return None
    return Trace(found, constants, None, tuple(results), ())


def _spliced(
    node: Node, traces: Sequence[Trace], points: Sequence[dict[str, int]], parameters: dict[str, Tensor]
) -> list[Node]:
    try:
        joined = join_nodes(traces, points)
    except CaptureError as error:
        raise CaptureError(f"{node.place}: {error}") from error
    first = traces[0]
    inner = {each.name: f"{node.name}_{each.name}" for each in joined}
    for name, value in first.constants.items():
        inner[name] = f"{node.name}_{name}"
        parameters[inner[name]] = value.detach()

    def rename(value: Any) -> Any:
        return Value(inner.get(value.name, value.name)) if isinstance(value, Value) else value

    nodes = [
        replace(each.with_arguments(rename), name=inner[each.name], line=node.line, layer=node.layer) for each in joined
    ]
    results = [rename(each) for each in first.results]
    returns = operation(node.op)._schema.returns
    multiple = len(returns) != 1 or isinstance(returns[0].type, torch.ListType)
    return [*nodes, Node(node.name, "pack", (results,) if multiple else (results[0],), {}, node.line, node.layer)]


def _without_pairs(graph: Graph) -> Graph:
    """What is packed goes straight to who unpacks it."""
    packed = {node.name: node.args[0] for node in graph.nodes if node.op == "pack"}
    known: dict[str, Value] = {}

    def current(value: Any) -> Any:
        while isinstance(value, Value) and (value.name in known or isinstance(packed.get(value.name), Value)):
            value = known.get(value.name) or packed[value.name]
        return value

    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op == "pack":
            continue
        if node.op == "getitem" and isinstance(packed.get(node.args[0].name), (list, tuple)):
            known[node.name] = packed[node.args[0].name][node.args[1]]
            continue
        nodes.append(node.with_arguments(current))
    states = tuple(replace(each, result=current(each.result)) for each in graph.states)
    return replace(graph, nodes=tuple(nodes), states=states, outputs=map_values(graph.outputs, current))
