"""Traces of several block lengths become one graph: numbers that differ are put down as what they depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from neutone_like.errors import CaptureError
from neutone_like.graph.graph import Node
from neutone_like.graph.tracing import Trace
from neutone_like.graph.whole_number import WholeNumber, fit_whole_number

Points = Sequence[Mapping[str, int]]
"""For each trace the block length and the counters it was taken at."""


def join_nodes(traces: Sequence[Trace], points: Points) -> tuple[Node, ...]:
    """One list of operations that is each trace's own at its point.

    Raises:
        CaptureError: The traces differ by more than numbers that depend on the variables.
    """
    first = traces[0]
    for trace in traces[1:]:
        if [node.op for node in trace.nodes] != [node.op for node in first.nodes]:
            raise CaptureError(f"What is calculated depends on the block's length: {_first_difference(first, trace)}")
        _require_equal_constants(first, trace)
    joined: list[Node] = []
    for index, node in enumerate(first.nodes):
        same = [trace.nodes[index] for trace in traces]
        args = join_values([each.args for each in same], points, node.line)
        kwargs = join_values([dict(each.kwargs) for each in same], points, node.line)
        joined.append(replace(node, args=args, kwargs=kwargs))
    return tuple(joined)


def join_values(values: Sequence[Any], points: Points, line: str) -> Any:
    """Arguments that are those of each trace at its point.

    Raises:
        CaptureError: They differ by more than that.
    """
    first = values[0]
    if isinstance(first, (list, tuple)) and all(
        type(each) is type(first) and len(each) == len(first) for each in values
    ):
        return type(first)(join_values(each, points, line) for each in zip(*values, strict=True))  # pyright: ignore[reportUnknownVariableType, reportCallIssue]
    if isinstance(first, dict) and all(isinstance(each, dict) and each.keys() == first.keys() for each in values):
        return {key: join_values([each[key] for each in values], points, line) for key in first}
    if all(type(each) is type(first) and each == first for each in values[1:]):
        return first
    number: int | WholeNumber | None = None
    if all(type(each) is int for each in values):
        number = fit_whole_number(values, points)
    if number is None:
        raise CaptureError(
            f"A number of the network depends on the block's length in no simple way: {list(values)!r} for "
            f"{[dict(point) for point in points]}, at {line or 'an unknown line'}."
        )
    return number


def _first_difference(first: Trace, other: Trace) -> str:
    for mine, theirs in zip(first.nodes, other.nodes, strict=False):
        if mine.op != theirs.op:
            return f"{mine.op} at {mine.line}, or {theirs.op} at {theirs.line}."
    return f"{len(first.nodes)} operations, or {len(other.nodes)}."


def _require_equal_constants(first: Trace, other: Trace) -> None:
    for name, value in first.constants.items():
        if name not in other.constants or not _is_equal(value, other.constants[name]):
            line = next((node.line for node in first.nodes if name in str(node)), "")
            raise CaptureError(
                f"A tensor of shape {list(value.shape)} that the network makes depends on the block's length, used at "
                f"{line or 'an unknown line'}."
            )


def _is_equal(a: Tensor, b: Tensor) -> bool:
    return a is b or (a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b))
