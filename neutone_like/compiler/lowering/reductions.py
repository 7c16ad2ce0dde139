"""Operations that make one number of many: sums, means, variances, extremes, pooling and running sums."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.kernels import KernelId, Reduction
from neutone_like.compiler.kernels import Operation as O
from neutone_like.compiler.lowering.context import DOUBLES, Context, Joined, Lowered, lowers
from neutone_like.compiler.lowering.elementwise import apply, number, pointwise
from neutone_like.compiler.reshaping import reshaped
from neutone_like.compiler.tensor import View
from neutone_like.errors import CompileError
from neutone_like.graph import Node


def reduced(context: Context, view: View, dims: Sequence[int], how: Reduction, double: bool) -> View:
    """One number for all along ``dims``, each of which stays as a dimension of one."""
    for dim in dims:
        order = [*(each for each in range(view.rank) if each != dim), dim]
        kept = [size if each != dim else ONE for each, size in enumerate(view.dims)]
        out = context.new(kept, double=double)
        context.add(KernelId.REDUCE, [out.without(dim)], [view.permuted(order)], [how])
        view = out
    return view


def _reduce(context: Context, node: Node, value: Lowered, dim: Any, keepdim: bool, how: Reduction) -> View:
    view = context.view(value)
    dims = _dims(dim, view.rank)
    result = reduced(context, view, dims, how, context.shape(node).dtype in DOUBLES)
    return result if keepdim else _without(result, dims)


def _dims(dim: Any, rank: int) -> list[int]:
    given = range(rank) if dim is None or dim == [] else dim if isinstance(dim, (list, tuple)) else [dim]
    return [each % rank for each in given]


def _without(view: View, dims: Sequence[int]) -> View:
    for dim in sorted(dims, reverse=True):
        view = view.without(dim)
    return view


@lowers("sum", "sum.dim_IntList")
def _sum(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False, **_: Any) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.SUM)


@lowers("mean", "mean.dim")
def _mean(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False, **_: Any) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.MEAN)


@lowers("amax", "max")
def _amax(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.LARGEST)


@lowers("amin", "min")
def _amin(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.SMALLEST)


@lowers("any", "any.dim", "any.dims")
def _any(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.LARGEST)


@lowers("all", "all.dim", "all.dims")
def _all(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.SMALLEST)


@lowers("max.dim", "min.dim")
def _extreme_and_place(context: Context, node: Node, self: Lowered, dim: int, keepdim: bool = False) -> Any:
    largest = "max" in node.op
    how = Reduction.LARGEST if largest else Reduction.SMALLEST
    view = context.view(self)
    value = reduced(context, view, [dim % view.rank], how, view.tensor.double)
    place = _argument_of(context, view, dim % view.rank, smallest=not largest)
    return (value, place) if keepdim else (value.without(dim % view.rank), place.without(dim % view.rank))


@lowers("prod", "prod.dim_int")
def _prod(context: Context, node: Node, self: Lowered, dim: Any = None, keepdim: bool = False, **_: Any) -> Lowered:
    return _reduce(context, node, self, dim, keepdim, Reduction.PRODUCT)


@lowers("var.correction", "var.dim", "var_mean.correction", "std.correction")
def _var(
    context: Context,
    node: Node,
    self: Lowered,
    dim: Any = None,
    correction: Any = 1,
    keepdim: bool = False,
    **given: Any,
) -> Any:
    """From the mean, in two rounds: differences, then their squares."""
    view = context.view(self)
    dims = _dims(dim, view.rank)
    double = view.tensor.double
    dtype = torch.float64 if double else torch.float32
    mean = reduced(context, view, dims, Reduction.MEAN, double)

    def squared(a: Any, b: Any) -> Any:
        return apply(O.MULTIPLY, apply(O.SUBTRACT, a, b), apply(O.SUBTRACT, a, b))

    squares = pointwise(context, None, squared, [view, mean], view.dims, dtype)
    variance = reduced(context, squares, dims, Reduction.MEAN, double)
    count = 1
    for each in dims:
        count *= view.dims[each].constant or 0
    correction = 1 if correction is None else correction
    if "unbiased" in given:  # the older overloads name it so
        correction = int(given["unbiased"])
    if correction:
        if count <= correction:
            raise CompileError("a variance over as many values as the block has, with a correction")
        factor = count / (count - correction)
        variance = pointwise(
            context, None, lambda x: apply(O.MULTIPLY, x, number(factor)), [variance], variance.dims, dtype
        )
    if "std" in node.op:
        variance = pointwise(context, None, lambda x: apply(O.SQUARE_ROOT, x), [variance], variance.dims, dtype)
    variance, mean = (variance, mean) if keepdim else (_without(variance, dims), _without(mean, dims))
    return (variance, mean) if "var_mean" in node.op else variance


@lowers("argmax", "argmin")
def _argument(context: Context, node: Node, self: Lowered, dim: int | None = None, keepdim: bool = False) -> Lowered:
    view = context.view(self)
    if dim is None:
        raise CompileError("argmax of everything; name a dimension")
    place = _argument_of(context, view, dim % view.rank, smallest="argmin" in node.op)
    return place if keepdim else place.without(dim % view.rank)


def _argument_of(context: Context, view: View, dim: int, smallest: bool) -> View:
    kept = [size if each != dim else ONE for each, size in enumerate(view.dims)]
    out = context.new(kept, double=True)
    rows = view.permuted([*(each for each in range(view.rank) if each != dim), dim])
    target = out.without(dim)
    while rows.rank > 2:
        ones = [each for each in range(rows.rank - 1) if rows.dims[each] == ONE]
        if not ones:
            raise CompileError("argmax of a tensor of more than two dimensions")
        rows, target = rows.without(ones[0]), target.without(ones[0])
    if rows.rank == 1:
        rows, target = rows.with_one(0), target.with_one(0)
    context.add(KernelId.ARGUMENT, [target], [rows], [int(smallest)])
    return out


@lowers("cumsum", "cumprod")
def _cumulative(context: Context, node: Node, self: Lowered, dim: int, **_: Any) -> Lowered:
    view = context.view(self)
    dim %= view.rank
    double = context.shape(node).dtype in DOUBLES
    order = [*(each for each in range(view.rank) if each != dim), dim]
    out = context.new(view.dims, order, double)
    rows, target = view.permuted(order), out.permuted(order)
    rows, target = _two(rows), _two(target)
    context.add(KernelId.CUMULATIVE, [target], [rows], ["cumprod" in node.op])
    return out


@lowers("cummax", "cummin")
def _largest_so_far(context: Context, node: Node, self: Lowered, dim: int) -> Any:
    """Values, and where they are: the last place so far whose value is the largest so far."""
    view = context.view(self)
    dim %= view.rank
    order = [*(each for each in range(view.rank) if each != dim), dim]
    largest, dtype = "cummax" in node.op, torch.float64 if view.tensor.double else torch.float32

    def turned(of: View) -> View:
        return of if largest else pointwise(context, None, lambda x: apply(O.NEGATE, x), [of], of.dims, dtype)

    def so_far(of: View, how: int, double: bool) -> View:
        out = context.new(view.dims, order, double)
        context.add(KernelId.CUMULATIVE, [_two(out.permuted(order))], [_two(of.permuted(order))], [how])
        return out

    given = turned(view)
    value = so_far(given, 2, view.tensor.double)
    count = so_far(context.constant(torch.ones((), dtype=torch.float64)).expanded(view.dims), 0, True)
    place = pointwise(
        context,
        None,
        lambda x, most, n: apply(
            O.SELECT, apply(O.GREATER_EQUAL, x, most), apply(O.SUBTRACT, n, number(1.0)), number(-1.0)
        ),
        [given, value, count],
        view.dims,
        torch.float64,
    )
    return (turned(value), so_far(place, 2, True))


def _two(view: View) -> View:
    """All but the last dimension as one."""
    while view.rank > 2:
        ones = [each for each in range(view.rank - 1) if view.dims[each] == ONE]
        if ones:
            view = view.without(ones[0])
            continue
        count = view.dims[0].constant
        inner = view.dims[1].constant
        found = reshaped(view, (Extent.of((count or 0) * (inner or 0)), *view.dims[2:])) if count and inner else None
        if found is None:
            raise CompileError("a running sum over a tensor whose other dimensions lie apart; call contiguous() first")
        view = found
    return view if view.rank == 2 else view.with_one(0)


@lowers("max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d")
def _pool(
    context: Context,
    node: Node,
    self: Lowered,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
) -> Lowered:
    view = context.view(self)
    count = 2 if "2d" in node.op else 1
    largest = "max" in node.op
    kernels, paddings = _each(kernel_size, count), _each(padding, count)
    strides, dilations = _each(stride or kernel_size, count), _each(dilation, count)
    if (not largest and any(paddings) and not count_include_pad) or divisor_override is not None:
        raise CompileError("average pooling that counts padding in another way")
    fill = context.constant(torch.tensor(float("-inf") if largest else 0.0))
    dims = context.shape(node).dims
    for index in range(count):
        dim = view.rank - count + index
        kernel, pad = kernels[index], paddings[index]
        if kernel == 1 and strides[index] == 1:
            continue
        length = dims[len(dims) - count + index]
        if pad:
            edge = fill.expanded([*view.dims[:dim], Extent.of(pad), *view.dims[dim + 1 :]])
            whole = [*view.dims[:dim], view.dims[dim] + 2 * pad, *view.dims[dim + 1 :]]
            view = context.view(Joined((edge, view, edge), dim, tuple(whole)))
        stride_of = view.strides[dim]
        windows = view.sliced(dim, ZERO, length, strides[index]).with_one(view.rank, stride_of)
        windows = windows.sliced(view.rank, ZERO, Extent.of(kernel), dilations[index])
        how = Reduction.LARGEST if largest else Reduction.MEAN
        view = reduced(context, windows, [windows.rank - 1], how, view.tensor.double).without(windows.rank - 1)
    return view


def _each(value: Any, count: int) -> list[int]:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values * count if len(values) == 1 else values
