"""Comparisons and logic."""

import torch

from neutone_like.formats.onnx.context import Context, Operand, Written, writes
from neutone_like.formats.onnx.maths import Build
from neutone_like.graph import Node

_COMPARISONS = {
    "eq": "Equal",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt": "Less",
    "le": "LessOrEqual",
    "ne": "Equal",
}


def _comparison(name: str, op: str) -> Build:
    def rule(context: Context, node: Node, x: Written, other: Operand) -> Written:
        dtype = torch.promote_types(x.dtype, _own_type(x, other))
        if dtype == torch.bool:
            dtype = torch.uint8 if op != "Equal" else torch.bool
        operands = [context.tensor(each, dtype) for each in (x, other)]
        if name != "ne":
            return context.result(node, op, operands)
        return context.result(node, "Not", [context.emit(op, operands, torch.bool)])

    return rule


def _own_type(x: Written, other: Operand) -> torch.dtype:
    if isinstance(other, Written):
        return other.dtype
    if isinstance(other, float) and not x.dtype.is_floating_point:
        return torch.float32
    return torch.int64 if x.dtype == torch.bool and not isinstance(other, bool) else x.dtype


for _aten, _onnx in _COMPARISONS.items():
    writes(f"{_aten}.Tensor", f"{_aten}.Scalar")(_comparison(_aten, _onnx))


def _logic(op: str) -> Build:
    def rule(context: Context, node: Node, x: Written, other: Written) -> Written:
        dtype = context.shape(node).dtype
        if dtype == torch.bool:
            return context.result(node, op, [context.cast(each, torch.bool) for each in (x, other)])
        return context.result(node, f"Bitwise{op}", [context.cast(each, dtype) for each in (x, other)])

    return rule


writes("logical_and", "bitwise_and.Tensor", "__and__.Tensor")(_logic("And"))
writes("logical_or", "bitwise_or.Tensor", "__or__.Tensor")(_logic("Or"))


@writes("logical_not", "bitwise_not")
def _not(context: Context, node: Node, x: Written) -> Written:
    boolean = context.shape(node).dtype == torch.bool
    return context.result(node, "Not" if boolean else "BitwiseNot", [context.cast(x, torch.bool) if boolean else x])


@writes("isnan")
def _isnan(context: Context, node: Node, x: Written) -> Written:
    return context.result(node, "IsNaN", [x])
