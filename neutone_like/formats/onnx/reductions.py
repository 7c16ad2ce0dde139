"""Operations that make one number of many."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ONE
from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Context, Written, writes
from neutone_like.graph import Node

_MOST_FACTORS = 64
Dims = int | Sequence[int] | None


def _axes(x: Written, dim: Dims) -> list[int]:
    given = [dim] if isinstance(dim, int) else list(dim or [])
    return [each % max(1, x.rank) for each in given] or list(range(x.rank))


def _reduced(context: Context, op: str, x: Written, axes: Sequence[int], keepdim: bool) -> Written:
    dims = [each for place, each in enumerate(x.dims) if keepdim or place not in axes]
    return context.emit(op, [x, context.integers(axes)], x.dtype, dims, keepdims=int(keepdim))


def _simple(op: str) -> Any:
    def rule(context: Context, node: Node, x: Written, dim: Dims = None, keepdim: bool = False, **_: Any) -> Written:
        value = context.cast(x, context.shape(node).dtype)
        return value if not value.rank else _reduced(context, op, value, _axes(value, dim), keepdim)

    return rule


writes("sum", "sum.dim_IntList")(_simple("ReduceSum"))
writes("mean", "mean.dim")(_simple("ReduceMean"))
writes("prod", "prod.dim_int")(_simple("ReduceProd"))
writes("amax", "max")(_simple("ReduceMax"))
writes("amin", "min")(_simple("ReduceMin"))


@writes("any", "any.dim", "any.dims")
def _any(context: Context, node: Node, x: Written, dim: Dims = None, keepdim: bool = False) -> Written:
    return _counted(context, "ReduceMax", x, dim, keepdim)


@writes("all", "all.dim", "all.dims")
def _all(context: Context, node: Node, x: Written, dim: Dims = None, keepdim: bool = False) -> Written:
    return _counted(context, "ReduceMin", x, dim, keepdim)


def _counted(context: Context, op: str, x: Written, dim: Dims, keepdim: bool) -> Written:
    number = context.cast(context.cast(x, torch.bool), torch.int32)
    return context.cast(_reduced(context, op, number, _axes(x, dim), keepdim), torch.bool)


@writes("max.dim")
def _max(context: Context, node: Node, x: Written, dim: int, keepdim: bool = False) -> list[Written]:
    return _best(context, "Max", x, dim, keepdim)


@writes("min.dim")
def _min(context: Context, node: Node, x: Written, dim: int, keepdim: bool = False) -> list[Written]:
    return _best(context, "Min", x, dim, keepdim)


def _best(context: Context, which: str, x: Written, dim: int, keepdim: bool) -> list[Written]:
    dim %= x.rank
    found = _reduced(context, f"Reduce{which}", x, [dim], keepdim)
    place = context.emit(f"Arg{which}", [x], torch.int64, found.dims, axis=dim, keepdims=int(keepdim))
    return [found, place]


def _place(op: str) -> Any:
    def rule(context: Context, node: Node, x: Written, dim: int | None = None, keepdim: bool = False) -> Written:
        if dim is None:
            x, dim = Written(context.emit("Reshape", [x, context.integers([-1])], x.dtype).name, x.dtype, (ONE,)), 0
        return context.result(node, op, [x], axis=dim % x.rank, keepdims=int(keepdim))

    return rule


writes("argmax")(_place("ArgMax"))
writes("argmin")(_place("ArgMin"))


@writes("softmax.int", "_softmax")
def _softmax(context: Context, node: Node, x: Written, dim: int, **_: Any) -> Written:
    return context.result(node, "Softmax", [context.cast(x, context.shape(node).dtype)], axis=dim % x.rank)


@writes("log_softmax.int", "_log_softmax")
def _log_softmax(context: Context, node: Node, x: Written, dim: int, **_: Any) -> Written:
    return context.result(node, "LogSoftmax", [context.cast(x, context.shape(node).dtype)], axis=dim % x.rank)


@writes("var.dim", "var.correction")
def _var(
    context: Context,
    node: Node,
    x: Written,
    dim: Dims = None,
    unbiased: bool = True,
    correction: float | None = None,
    keepdim: bool = False,
) -> Written:
    return _variance(context, x, dim, float(unbiased) if correction is None else correction, keepdim)


@writes("std.correction")
def _std(
    context: Context, node: Node, x: Written, dim: Dims = None, correction: float | None = None, keepdim: bool = False
) -> Written:
    return context.result(
        node, "Sqrt", [_variance(context, x, dim, 1.0 if correction is None else correction, keepdim)]
    )


@writes("var_mean.correction")
def _var_mean(
    context: Context, node: Node, x: Written, dim: Dims = None, correction: float | None = None, keepdim: bool = False
) -> list[Written]:
    variance = _variance(context, x, dim, 1.0 if correction is None else correction, keepdim)
    return [variance, _reduced(context, "ReduceMean", x, _axes(x, dim), keepdim)]


def _variance(context: Context, x: Written, dim: Dims, correction: float, keepdim: bool) -> Written:
    axes = _axes(x, dim)
    mean = _reduced(context, "ReduceMean", x, axes, True)
    away = context.emit("Sub", [x, mean], x.dtype, x.dims)
    squares = context.emit("Mul", [away, away], x.dtype, x.dims)
    if correction == 0:
        return _reduced(context, "ReduceMean", squares, axes, keepdim)
    total = _reduced(context, "ReduceSum", squares, axes, keepdim)
    count = context.constant(torch.ones((), dtype=x.dtype))
    for axis in axes:
        count = context.emit("Mul", [count, context.tensor(x.dims[axis], x.dtype)], x.dtype)
    count = context.emit("Sub", [count, context.tensor(float(correction), x.dtype)], x.dtype)
    return context.emit("Div", [total, count], x.dtype, total.dims)


@writes("cumsum")
def _cumsum(context: Context, node: Node, x: Written, dim: int, **_: Any) -> Written:
    """In float64, as PyTorch adds: ONNX Runtime adds in float32, and a phase has run 0.6 % ahead after ten seconds."""
    dtype = context.shape(node).dtype
    value = context.cast(x, torch.float64 if dtype == torch.float32 else dtype)
    sums = context.emit("CumSum", [value, context.integer(dim % max(1, x.rank))], value.dtype, x.dims)
    return context.cast(sums, dtype)


@writes("cumprod")
def _cumprod(context: Context, node: Node, x: Written, dim: int, **_: Any) -> Written:
    """ONNX has none: one factor after the other."""
    dim %= x.rank
    size = x.dims[dim].constant
    if size is None or size > _MOST_FACTORS:
        raise CompileError(f"running products of more than {_MOST_FACTORS} numbers, or along the block")
    parts = [context.sliced(x, dim, 0, 1)]
    for place in range(1, size):
        parts.append(context.emit("Mul", [parts[-1], context.sliced(x, dim, place, place + 1)], x.dtype))
    return context.result(node, "Concat", parts, axis=dim)


@writes("layer_norm")
def _layer_norm(
    context: Context,
    node: Node,
    x: Written,
    normalized_shape: Sequence[int],
    weight: Written | None = None,
    bias: Written | None = None,
    eps: float = 1e-5,
    **_: Any,
) -> Written:
    scale = weight or context.constant(torch.ones(*normalized_shape, dtype=x.dtype))
    inputs = [x, scale, *([] if bias is None else [bias])]
    return context.result(node, "LayerNormalization", inputs, axis=-len(normalized_shape), epsilon=eps)
