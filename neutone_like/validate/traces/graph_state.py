"""A trace's graph, where its source is not at hand: recurrent layers that begin every call at the same place.

A recurrent layer that is called without a state makes zeros in the graph. One that was given a tensor which is no
parameter has it in the graph as a constant: what was a state when the network was traced, and is none any more.
"""

from collections.abc import Iterator
from typing import Any

from neutone_like.validate.conditions import optimiser

RECURRENT = frozenset(
    f"aten::{name}{kind}"
    for name in ("lstm", "gru", "rnn_tanh", "rnn_relu", "quantized_lstm", "quantized_gru")
    for kind in ("", "_cell")
)
VIEWS = frozenset(
    f"aten::{name}"
    for name in (
        "to", "contiguous", "expand", "expand_as", "unsqueeze", "squeeze", "permute", "transpose", "reshape", "view",
        "slice", "select", "clone", "detach", "alias", "repeat", "narrow", "type_as", "index_select",
    )
)  # fmt: skip


def whole_graph(method: Any) -> Any:
    """The graph of a method or module, with those of all that it calls in it."""
    with optimiser(True):  # without, calls stay calls
        return method.inlined_graph


def frozen_recurrent_layers(graph: Any, buffers: frozenset[str] = frozenset()) -> list[str]:
    """The recurrent layers of a graph whose state is a constant, or one of ``buffers``; by name."""
    found: list[str] = []
    for node in _nodes(graph):
        if node.kind() not in RECURRENT:
            continue
        inputs = list(node.inputs())
        states, weights = _listed(inputs[1]), [each for value in inputs[2:] for each in _listed(value)]
        if any(_is_constant_tensor(each) for each in weights):
            continue  # the whole network was frozen: its parameters look the same
        sources = [_source(each) for each in states]
        if any(_is_constant_tensor(each) or _path(each) in buffers for each in sources):
            found.append(_layer(weights) or node.kind().removeprefix("aten::"))
    return found


def written_buffers(graph: Any) -> frozenset[str]:
    """Attributes, by path, that an operation of the graph writes into, or sets."""
    written: set[str] = set()
    for node in _nodes(graph):
        kind, inputs = node.kind(), list(node.inputs())
        if kind.startswith("aten::") and kind.endswith("_") and not kind.endswith("__") and inputs:
            written.add(_path(_source(inputs[0])))
        elif kind == "prim::SetAttr":
            written.add(".".join(filter(None, (_path(inputs[0]), node.s("name")))))
    return frozenset(written)


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _listed(value: Any) -> list[Any]:
    node = value.node()
    return list(node.inputs()) if node.kind() in ("prim::ListConstruct", "prim::TupleConstruct") else [value]


def _source(value: Any) -> Any:
    """What a value is a view or a copy of."""
    while value.node().kind() in VIEWS:
        value = next(iter(value.node().inputs()))
    return value


def _is_constant_tensor(value: Any) -> bool:
    is_tensor = value.type().kind() == "TensorType"
    return is_tensor and value.node().kind() == "prim::Constant" and value.node().hasAttribute("value")


def _path(value: Any) -> str:
    """The dotted name of an attribute of the network; empty for anything else."""
    names: list[str] = []
    while value.node().kind() == "prim::GetAttr":
        names.append(value.node().s("name"))
        value = next(iter(value.node().inputs()))
    return ".".join(reversed(names))


def _layer(weights: list[Any]) -> str:
    """The layer that the weights belong to."""
    paths = [path for each in weights if (path := _path(_source(each)))]
    return paths[0].rpartition(".")[0] if paths else ""
