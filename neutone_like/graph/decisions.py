"""Where a network looks at the values of its tensors: allowed for constants and in assertions, and nowhere else."""

import ast
import linecache
from collections.abc import Sequence

import torch

from neutone_like.errors import CaptureError
from neutone_like.graph.graph import Node, values_in
from neutone_like.graph.running import operation, writes


def refuse_decisions(name: str, nodes: Sequence[Node], given: Sequence[str]) -> None:
    """Look for values that are read although they depend on what the network is given, or keeps.

    Args:
        name: Of the network.
        nodes: A trace's operations.
        given: Names of its inputs and states.

    Raises:
        CaptureError: There is one; with the line.
    """
    varying = _varying(nodes, given)
    for node in nodes:
        if node.name in varying and _reads_values(node) and not _is_assertion(node.line):
            raise CaptureError(
                f"{name} decides by the values of a tensor, which a graph of operations can't{_source(node.line)} What "
                "to do: compute both ways and choose with torch.where, or take the number out of the network, as an "
                "attribute that does not change or as a tensor that is only calculated with."
            )


def _source(line: str) -> str:
    """The end of a sentence: the line and what stands there."""
    if not line:
        return ". TorchScript does not say in which line; the Python model does, where it is captured or exported."
    path, _, number = line.rpartition(":")
    return f":\n{line}\n    {linecache.getline(path, int(number)).strip()}\n"


def _varying(nodes: Sequence[Node], given: Sequence[str]) -> set[str]:
    """Names of what depends on the inputs, also by way of memory that an operation writes into."""
    sources = {node.name: [value.name for value in values_in([node.args, dict(node.kwargs)])] for node in nodes}
    varying = set(given)
    size = 0
    while len(varying) > size:
        size = len(varying)
        for node in nodes:
            if varying.intersection(sources[node.name]):
                varying.add(node.name)
                if writes(node):
                    _add_sources(sources[node.name][:1], sources, varying)
    return varying


def _add_sources(names: Sequence[str], sources: dict[str, list[str]], varying: set[str]) -> None:
    """What is written into may be a view: all that it was made of counts as written."""
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in varying:
            pending += sources.get(name, [])
        varying.add(name)


def _reads_values(node: Node) -> bool:
    return node.op != "getitem" and torch.Tag.data_dependent_output in operation(node.op).tags


def _is_assertion(line: str) -> bool:
    """Whether this line of a file belongs to an ``assert``, or asks whether to do nothing but raise."""
    path, _, number = line.rpartition(":")
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:
        return False
    asked = (_assertion(each) for each in ast.walk(tree))
    return any(each is not None and each.lineno <= int(number) <= (each.end_lineno or each.lineno) for each in asked)


def _assertion(node: ast.AST) -> ast.Assert | ast.expr | None:
    if isinstance(node, ast.If) and all(isinstance(each, ast.Raise) for each in node.body):
        return node.test
    return node if isinstance(node, ast.Assert) else None
