"""Operations that make tensors of numbers."""

from typing import Any

import torch

from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Context, Written, writes
from neutone_like.graph import Node, WholeNumber

Number = int | float | WholeNumber


@writes("zeros", "zeros_like", "new_zeros", "empty_like", "ones", "ones_like", "new_ones")
def _same_number(context: Context, node: Node, **_: Any) -> Written:
    return _filled(context, node, 1 if "ones" in node.op else 0)


@writes("full", "full_like", "new_full")
def _full(context: Context, node: Node, fill_value: Number, **_: Any) -> Written:
    return _filled(context, node, fill_value)


@writes("scalar_tensor")
def _scalar(context: Context, node: Node, s: Number, **_: Any) -> Written:
    return _filled(context, node, s)


def _filled(context: Context, node: Node, value: Number) -> Written:
    shape = context.shape(node)
    if shape.dtype.is_complex:
        raise CompileError("complex numbers from nothing: make them of two real tensors")
    single = context.tensor(value, shape.dtype)
    return context.result(node, "Expand", [single, context.integers(shape.dims)]) if shape.dims else single


@writes("arange", "arange.start", "arange.start_step")
def _arange(context: Context, node: Node, end: Number, start: Number = 0, step: Number = 1, **_: Any) -> Written:
    dtype = context.shape(node).dtype
    fixed = [each for each in (start, end, step) if isinstance(each, (int, float))]
    if len(fixed) == 3:
        return context.constant(torch.arange(fixed[0], fixed[1], fixed[2], dtype=dtype))
    return context.result(node, "Range", [context.tensor(each, dtype) for each in (start, end, step)])


@writes("eye", "eye.m")
def _eye(context: Context, node: Node, n: int, m: int | None = None, **_: Any) -> Written:
    return context.constant(torch.eye(n, m if m is not None else n, dtype=context.shape(node).dtype))
