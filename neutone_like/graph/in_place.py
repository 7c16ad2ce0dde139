"""A pass that turns operations which write into their arguments into ones that give a new tensor."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.graph.graph import Graph, Node, Value, map_values, values_in
from neutone_like.graph.running import operation, writes


@checked_arguments(CaptureError)
def without_writes(graph: Graph) -> Graph:
    """The same graph, in which every tensor has one value.

    Raises:
        CaptureError: An operation writes into a part of a tensor that is used as a whole later; the message has its
            line.
    """
    renamed: dict[str, Value] = {}
    owner, whole = _owners(graph), _wholes(graph)
    nodes: list[Node] = []
    for index, node in enumerate(graph.nodes):
        if not writes(node):
            nodes.append(_with_names(node, renamed))
            continue
        written = node.args[0]
        _require_alone(graph, owner, whole, index)
        nodes.append(replace(_with_names(node, renamed), op=_giving(node)))
        renamed[written.name] = Value(node.name)
    states = tuple(replace(each, result=renamed.get(each.result.name, each.result)) for each in graph.states)
    outputs = map_values(graph.outputs, lambda each: renamed.get(each.name, each) if isinstance(each, Value) else each)
    return replace(graph, nodes=tuple(nodes), states=states, outputs=outputs)


def _with_names(node: Node, renamed: Mapping[str, Value]) -> Node:
    def current(value: Any) -> Any:
        return renamed.get(value.name, value) if isinstance(value, Value) else value

    return node.with_arguments(current)


def _giving(node: Node) -> str:
    """``aten::relu.default`` for ``aten::relu_.default``: the same arguments, also under another overload's name."""
    name, _, overload = node.op.rpartition(".")
    giving = name.removesuffix("_")
    wanted = [each.name for each in operation(node.op)._schema.arguments]
    packet = getattr(torch.ops.aten, giving.partition("::")[2], None)
    overloads = packet.overloads() if name.endswith("_") and packet is not None else []
    for each in sorted(overloads, key=lambda other: other != overload):
        schema = operation(f"{giving}.{each}")._schema
        if [argument.name for argument in schema.arguments] == wanted and not schema.is_mutable:
            return f"{giving}.{each}"
    raise CaptureError(f"{node.place} writes into its argument. Use one that doesn't.")


def _owners(graph: Graph) -> dict[str, str]:
    """For each name that of the tensor whose memory it may share."""
    owner: dict[str, str] = {}
    for node in graph.nodes:
        shares = node.op == "getitem" or any(each.alias_info is not None for each in operation(node.op)._schema.returns)
        sources = values_in(node.args[:1]) if shares else []
        owner[node.name] = owner.get(sources[0].name, sources[0].name) if sources else node.name
    return owner


def _wholes(graph: Graph) -> dict[str, str]:
    """For the result of each operation that writes the name of the tensor that it is."""
    whole: dict[str, str] = {}
    for node in graph.nodes:
        if writes(node):
            written: str = node.args[0].name
            whole[node.name] = whole.get(written, written)
    return whole


def _require_alone(graph: Graph, owner: Mapping[str, str], whole: Mapping[str, str], index: int) -> None:
    """Raise where another view of what is written is used afterwards."""
    written = graph.nodes[index].args[0].name
    memory, tensor = owner.get(written, written), whole.get(written, written)
    later = [value for node in graph.nodes[index + 1 :] for value in values_in([node.args, dict(node.kwargs)])]
    later += [*values_in(graph.outputs), *(each.result for each in graph.states)]
    writer = graph.nodes[index]
    for value in later:
        shares = owner.get(value.name, value.name) == memory and whole.get(value.name, value.name) != tensor
        if shares and not _is_made_later(graph, value, index):
            raise CaptureError(
                f"{writer.place} writes into a part of a tensor, or into one that "
                "has other views. Make a new tensor instead: torch.cat, torch.where, or F.pad."
            )


def _is_made_later(graph: Graph, value: Value, index: int) -> bool:
    """A view that is taken after the write shows what was written."""
    return any(node.name == value.name for node in graph.nodes[index + 1 :])
