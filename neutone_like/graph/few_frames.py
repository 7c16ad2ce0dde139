"""A pass for graphs that play short blocks: wide convolutions that change the rate as products over their frames."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph.graph import Graph, Node, Value

_CONVOLUTION, _TRANSPOSED = "aten::conv1d.default", "aten::conv_transpose1d.default"
_DEFAULTS: dict[str, list[Any]] = {_CONVOLUTION: [None, [1], [0], [1], 1], _TRANSPOSED: [None, [1], [0], [0], 1, [1]]}
_MANY_WEIGHTS = 32768


def with_products_of_frames(graph: Graph) -> Graph:
    """The same graph, with wide strided ``conv1d`` and ``conv_transpose1d`` as one product over all frames.

    Deep in a codec a block is a few frames. PyTorch's convolutions on a CPU (2.13) multiply the matrix of weights by as
    few columns; as few rows times the matrix take a third to a tenth of the time for 2 to 8 frames. From 16 on, both
    take the same.
    """
    nodes: list[Node] = []
    parameters = dict(graph.parameters)
    for node in graph.nodes:
        weight = _weight(node, graph)
        if weight is None:
            nodes.append(node)
            continue
        # No name of a network's own: where it has a weight, it has no module of that name with more of them.
        flat = f"{node.args[1].name}.flat"
        parameters[flat] = weight.flatten(1)
        written = _Written(node)
        if node.op == _CONVOLUTION:
            nodes += _strided(written, node, Value(flat), weight)
        else:
            column, bias = None, node.args[2]
            if bias is not None:
                column = Value(f"{bias.name}.column")
                parameters[column.name] = graph.parameters[bias.name].unsqueeze(1)
            nodes += _transposed(written, node, Value(flat), column, weight)
    return replace(graph, nodes=tuple(nodes), parameters=parameters)


def _weight(node: Node, graph: Graph) -> Tensor | None:
    """That of a wide convolution of one group which changes the rate, without padding or dilation."""
    if node.op not in _DEFAULTS or node.kwargs or node.args[1].name not in graph.parameters:
        return None
    weight = graph.parameters[node.args[1].name]
    bias, stride, *others = [*node.args[2:], *_DEFAULTS[node.op][len(node.args) - 2 :]]
    if bias is not None and bias.name not in graph.parameters:
        return None
    plain = others == _DEFAULTS[node.op][2:] and 1 < stride[0] <= weight.shape[2]
    return weight if plain and weight.numel() >= _MANY_WEIGHTS else None


@dataclass
class _Written:
    """What stands for a node, operation by operation."""

    node: Node
    nodes: list[Node] = field(default_factory=list[Node])

    def __call__(self, op: str, *args: Any, **named: Any) -> Value:
        name = f"{self.node.name}.frames{len(self.nodes)}"
        self.nodes.append(Node(name, f"aten::{op}", args, named, self.node.line, self.node.layer))
        return Value(name)

    def ended(self) -> list[Node]:
        """The last one takes the node's name."""
        return [*self.nodes[:-1], replace(self.nodes[-1], name=self.node.name)]


def _strided(written: _Written, node: Node, flat: Value, weight: Tensor) -> list[Node]:
    windows = written("unfold.default", node.args[0], -1, weight.shape[2], node.args[3][0])
    frames = written("flatten.using_ints", written("transpose.int", windows, -3, -2), -2, -1)
    channels_first = written("transpose.int", written("linear.default", frames, flat, node.args[2]), -2, -1)
    # With a convolution's strides, of a single frame too: operations that follow may rely on them.
    written("clone.default", channels_first, memory_format=torch.contiguous_format)
    return written.ended()


def _transposed(written: _Written, node: Node, flat: Value, column: Value | None, weight: Tensor) -> list[Node]:
    """Each frame's piece in parts of a stride; every part begins a stride after the one before it."""
    (_, outputs, kernel), (stride,) = weight.shape, node.args[3]
    parts = -(-kernel // stride)
    product = written("matmul.default", written("transpose.int", node.args[0], -2, -1), flat)
    pieces = written("unflatten.int", product, -1, [outputs, kernel])
    missing = parts * stride - kernel
    if missing:
        pieces = written("constant_pad_nd.default", pieces, [0, missing])
    pieces = written("transpose.int", pieces, -3, -2)
    total: Value | None = None
    for part in range(parts):
        before = part * stride
        own = written("flatten.using_ints", written("slice.Tensor", pieces, -1, before, before + stride), -2, -1)
        own = written("constant_pad_nd.default", own, [before, (parts - 1) * stride - before])
        total = own if total is None else written("add.Tensor", total, own)
    if missing:
        total = written("slice.Tensor", total, -1, 0, -missing)
    if column is not None:
        written("add.Tensor", total, column)
    elif missing:
        written("contiguous.default", total)
    return written.ended()
