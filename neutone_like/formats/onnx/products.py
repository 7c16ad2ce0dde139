"""Matrix products, convolutions and pooling."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Context, Written, writes
from neutone_like.graph import Node


@writes("mm", "bmm", "matmul")
def _matmul(
    context: Context, node: Node, x: Written, mat2: Written | None = None, other: Written | None = None
) -> Written:
    second = mat2 or other
    assert second is not None
    return _multiplied(context, node, x, second)


@writes("addmm", "baddbmm")
def _addmm(
    context: Context,
    node: Node,
    x: Written,
    mat1: Written | None = None,
    mat2: Written | None = None,
    batch1: Written | None = None,
    batch2: Written | None = None,
    beta: float = 1,
    alpha: float = 1,
) -> Written:
    first, second = mat1 or batch1, mat2 or batch2
    assert first is not None
    assert second is not None
    dtype = context.shape(node).dtype
    product = context.emit("MatMul", [first, second], dtype)
    if alpha != 1:
        product = context.emit("Mul", [product, context.tensor(float(alpha), dtype)], dtype)
    if beta != 1:
        x = context.emit("Mul", [x, context.tensor(float(beta), dtype)], dtype)
    return context.result(node, "Add", [product, x])


@writes("linear")
def _linear(context: Context, node: Node, x: Written, weight: Written, bias: Written | None = None) -> Written:
    turned = context.permuted(weight, [1, 0]) if weight.rank == 2 else weight
    product = _multiplied(context, node, x, turned)
    return product if bias is None else context.result(node, "Add", [product, bias])


def _multiplied(context: Context, node: Node, x: Written, second: Written) -> Written:
    """A vector as a matrix of one column: ONNX Runtime 1.32 is wrong on a transposed matrix times a vector."""
    if second.rank != 1 or x.rank == 1:
        return context.result(node, "MatMul", [x, second])
    product = context.emit("MatMul", [x, context.with_one(second, 1)], x.dtype)
    return context.result(node, "Squeeze", [product, context.integers([-1])])


@writes("conv_transpose1d", "conv_transpose2d.input")
def _transposed_of(
    context: Context,
    node: Node,
    x: Written,
    weight: Written,
    bias: Written | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    output_padding: Sequence[int] = (0,),
    groups: int = 1,
    dilation: Sequence[int] = (1,),
) -> Written:
    return _convolved(context, node, x, weight, bias, stride, padding, dilation, groups, output_padding)


@writes("convolution")
def _convolution(
    context: Context,
    node: Node,
    x: Written,
    weight: Written,
    bias: Written | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Written:
    more = output_padding if transposed else None
    return _convolved(context, node, x, weight, bias, stride, padding, dilation, groups, more)


@writes("conv1d", "conv2d", "conv1d.padding")
def _convolved(
    context: Context,
    node: Node,
    x: Written,
    weight: Written,
    bias: Written | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] | str = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
    output_padding: Sequence[int] | None = None,
) -> Written:
    sizes = weight.constant_dims
    if sizes is None:
        raise CompileError("a convolution whose kernel's size depends on the block")
    kernel = list(sizes[2:])
    space = len(kernel)
    alone = x.rank == space + 1
    x = context.with_one(x, 0) if alone else x
    given: dict[str, Any] = {
        "kernel_shape": kernel,
        "strides": _each(stride, space),
        "dilations": _each(dilation, space),
        "pads": _pads(padding, kernel, _each(dilation, space)),
        "group": groups,
    }
    if output_padding is not None:
        given["output_padding"] = _each(output_padding, space)
    op = "Conv" if output_padding is None else "ConvTranspose"
    inputs = [x, weight, *([] if bias is None else [bias])]
    if not alone:
        return context.result(node, op, inputs, **given)
    return context.result(node, "Squeeze", [context.emit(op, inputs, x.dtype, **given), context.integers([0])])


def _each(values: Sequence[int], space: int) -> list[int]:
    return [int(each) for each in values] * (space if len(values) == 1 else 1)


def _pads(padding: Sequence[int] | str, kernel: Sequence[int], dilation: Sequence[int]) -> list[int]:
    if isinstance(padding, str):
        totals = [(size - 1) * step if padding == "same" else 0 for size, step in zip(kernel, dilation, strict=True)]
        before = [each // 2 for each in totals]
        return [*before, *(total - first for total, first in zip(totals, before, strict=True))]
    return _each(padding, len(kernel)) * 2


@writes("avg_pool1d", "avg_pool2d")
def _average(
    context: Context,
    node: Node,
    x: Written,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Written:
    if divisor_override is not None:
        raise CompileError("divisor_override: divide by it behind the pooling")
    given = {"ceil_mode": int(ceil_mode), "count_include_pad": int(count_include_pad)}
    return _pooled(context, node, "AveragePool", x, kernel_size, stride, padding, given)


@writes("max_pool1d", "max_pool2d")
def _largest(
    context: Context,
    node: Node,
    x: Written,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil_mode: bool = False,
) -> Written:
    space = 2 if "2d" in node.op else 1
    given = {"ceil_mode": int(ceil_mode), "dilations": _each(dilation, space)}
    return _pooled(context, node, "MaxPool", x, kernel_size, stride, padding, given)


def _pooled(
    context: Context,
    node: Node,
    op: str,
    x: Written,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    given: dict[str, Any],
) -> Written:
    space = 2 if "2d" in node.op else 1
    kernel = _each(kernel_size, space)
    given |= {
        "kernel_shape": kernel,
        "strides": _each(stride, space) if stride else kernel,
        "pads": _each(padding, space) * 2,
    }
    alone = x.rank == space + 1
    x = context.with_one(x, 0) if alone else x
    if not alone:
        return context.result(node, op, [x], **given)
    pooled = context.emit(op, [x], torch.float32, **given)
    return context.result(node, "Squeeze", [pooled, context.integers([0])])
