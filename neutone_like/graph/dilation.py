"""A pass for graphs that play short blocks: dilated convolutions as products, which PyTorch plays faster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from neutone_like.graph.graph import Graph, Node, Value

_MOST_TAPS = 8
_TO_THE_END = 2**63 - 1


def without_dilation(graph: Graph) -> Graph:
    """The same graph, with dilated ``conv1d`` as one product of its weights with its taps side by side.

    PyTorch's own dilated convolution on a CPU (2.13) begins with loops over batch and kernel in which it makes views;
    for blocks of 64 to 512 samples and 16 to 64 channels the product takes a half to a quarter of its time. For whole
    signals it takes longer.
    """
    nodes: list[Node] = []
    parameters = dict(graph.parameters)
    for node in graph.nodes:
        if not _is_dilated(node, graph.parameters):
            nodes.append(node)
            continue
        weight, bias = node.args[1:3]
        taps = graph.parameters[weight.name]
        # No name of a network's own: where it has a weight, it has no module of that name with more of them.
        parameters[f"{weight.name}.taps"] = taps_side_by_side(taps)
        if bias is not None:
            parameters[f"{bias.name}.column"] = graph.parameters[bias.name].unsqueeze(1)
        nodes += _product(node, taps.shape[2])
    return replace(graph, nodes=tuple(nodes), parameters=parameters)


def taps_side_by_side(weight: Tensor) -> Tensor:
    """``[out, in, kernel]`` as ``[out, kernel * in]``."""
    return weight.permute(0, 2, 1).flatten(1)


def _is_dilated(node: Node, parameters: Mapping[str, Tensor]) -> bool:
    """Of one group and stride, few taps, without padding, with weights and bias that are parameters."""
    if node.op != "aten::conv1d.default" or len(node.args) < 6:
        return False
    if any(each is not None and each.name not in parameters for each in node.args[1:3]):
        return False
    if not 1 < parameters[node.args[1].name].shape[2] <= _MOST_TAPS:
        return False
    strides, padding, dilation = node.args[3:6]
    groups = node.args[6] if len(node.args) > 6 else 1
    return strides == [1] and padding == [0] and dilation != [1] and groups == 1


def _product(node: Node, taps: int) -> list[Node]:
    x, weight, bias = node.args[:3]
    dilation = node.args[5][0]

    def written(name: str, op: str, *args: Any) -> Node:
        return Node(f"{node.name}.{name}", op, args, {}, node.line, node.layer)

    ends = [-dilation * (taps - 1 - tap) or _TO_THE_END for tap in range(taps)]
    slices = [written(f"tap{tap}", "aten::slice.Tensor", x, 2, tap * dilation, end) for tap, end in enumerate(ends)]
    joined = written("taps", "aten::cat.default", [Value(each.name) for each in slices], 1)
    product = written("product", "aten::matmul.default", Value(f"{weight.name}.taps"), Value(joined.name))
    if bias is None:
        return [*slices, joined, replace(product, name=node.name)]
    added = (Value(product.name), Value(f"{bias.name}.column"))
    return [*slices, joined, product, replace(node, op="aten::add.Tensor", args=added)]
