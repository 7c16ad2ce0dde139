"""Fourier transforms as products with tables, and windows that are added over each other."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_like.compiler.extent import Extent
from neutone_like.errors import CompileError
from neutone_like.formats.fourier_tables import LONGEST, cosines, scale, sines, weights_of_bins
from neutone_like.formats.onnx.context import Context, Written, is_complex, writes
from neutone_like.graph import Node


@writes("_fft_r2c")
def _real_to_complex(
    context: Context, node: Node, x: Written, dim: Sequence[int], normalization: int, onesided: bool
) -> Written:
    *others, last = [each % x.rank for each in dim]
    points = _points(x, last)
    bins = points // 2 + 1 if onesided else points
    cosine, sine, factor = cosines(points, bins), sines(points, bins), scale(normalization, points)
    table = torch.stack([cosine * factor, -sine * factor], -1).reshape(points, 2 * bins)
    found = _multiplied(context, x, last, table, bins)
    return _all(context, found, others, normalization, True)


@writes("_fft_c2r", takes_complex=True)
def _complex_to_real(
    context: Context, node: Node, x: Written, dim: Sequence[int], normalization: int, last_dim_size: int
) -> Written:
    *others, last = [each % x.rank for each in dim]
    x = _all(context, x, others, normalization, False)
    points, bins = last_dim_size, _points(x, last)
    needed = points // 2 + 1
    if bins > needed:
        x = context.sliced(x, last, 0, needed, dims=[*x.dims[:last], Extent.of(needed), *x.dims[last + 1 :]])
        bins = needed
    cosine, sine = cosines(points, bins).T, sines(points, bins).T
    factor = weights_of_bins(points, bins) * scale(normalization, points)
    table = torch.stack([cosine * factor, -sine * factor], 1).reshape(2 * bins, points)
    return _multiplied(context, x, last, table, points)


@writes("_fft_c2c", takes_complex=True)
def _complex_to_complex(
    context: Context, node: Node, x: Written, dim: Sequence[int], normalization: int, forward: bool
) -> Written:
    return _all(context, x, [each % x.rank for each in dim], normalization, forward)


def _all(context: Context, x: Written, dims: Sequence[int], normalization: int, forward: bool) -> Written:
    for dim in dims:
        points = _points(x, dim)
        cosine, sine = cosines(points, points), sines(points, points) * (-1 if forward else 1)
        real = torch.stack([cosine, sine], -1)  # what a real part adds to both
        imaginary = torch.stack([-sine, cosine], -1)
        table = (torch.stack([real, imaginary], 1) * scale(normalization, points)).reshape(2 * points, 2 * points)
        x = _multiplied(context, x, dim, table, points)
        x = Written(x.name, torch.complex64, x.dims)
    return x


def _points(x: Written, dim: int) -> int:
    points = x.dims[dim].constant
    if points is None or not 0 < points <= LONGEST:
        raise CompileError(f"a Fourier transform of {x.dims[dim]} points; up to {LONGEST} are written")
    return points


def _multiplied(context: Context, x: Written, dim: int, table: Tensor, size: int) -> Written:
    """``x`` with the table applied along a dimension; real and imaginary part lie side by side in the table."""
    own = torch.float64 if x.dtype in (torch.float64, torch.complex128) else torch.float32
    goes_last = [each for each in range(x.rank) if each != dim] + [dim]
    turned = context.permuted(x, goes_last) if dim != x.rank - 1 else x
    rows, columns = table.shape
    flat = turned
    if is_complex(x):  # [..., points, 2] -> [..., 2 * points]
        real = Written(turned.name, own, (*turned.dims, Extent.of(2)))
        flat = context.reshaped(real, [*turned.dims[:-1], rows])
    product = context.emit("MatMul", [flat, context.constant(table.to(own), "table")], own)
    dims = [*turned.dims[:-1], Extent.of(size)]
    if columns == 2 * size:
        parts = context.reshaped(Written(product.name, own, ()), [*dims, 2])
        product = Written(parts.name, torch.complex64 if own == torch.float32 else torch.complex128, tuple(dims))
    else:
        product = Written(product.name, own, tuple(dims))
    if dim == x.rank - 1:
        return product
    back = [*range(dim), x.rank - 1, *range(dim, x.rank - 1)]
    return context.permuted(product, back)


@writes("unfold_backward")
def _unfold_backward(
    context: Context, node: Node, grad_in: Written, input_sizes: Sequence[int], dim: int, size: int, step: int
) -> Written:
    """Windows added where they lie over each other; what ``unfold`` takes apart."""
    shape = context.shape(node)
    if size % step or dim % len(shape.dims) != len(shape.dims) - 1:
        raise CompileError("windows that are added over each other and are not whole steps long")
    return _overlap_added(context, grad_in, size, step, shape.dims)


@writes("col2im")
def _col2im(
    context: Context,
    node: Node,
    x: Written,
    output_size: Sequence[int],
    kernel_size: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Written:
    """``torch.nn.functional.fold``."""
    dims = context.shape(node).dims
    size, step = kernel_size[-1], stride[-1]
    if kernel_size[0] == 1 and dims[-2].constant == 1 and not any(padding) and size % step == 0:
        rows = [*dims[:-2], Extent.of(size), x.dims[-1]]
        turned = context.permuted(context.reshaped(x, rows), [*range(len(rows) - 2), len(rows) - 1, len(rows) - 2])
        return context.reshaped(_overlap_added(context, turned, size, step, [*dims[:-2], dims[-1]]), dims)
    batched = x if x.rank == 3 else context.with_one(x, 0)
    sizes = [context.integers(output_size), context.integers(kernel_size)]
    given: dict[str, Any] = {"dilations": list(dilation), "pads": [*padding, *padding], "strides": list(stride)}
    if x.rank == 3:
        return context.result(node, "Col2Im", [x, *sizes], **given)
    found = context.emit("Col2Im", [batched, *sizes], x.dtype, **given)
    return context.result(node, "Squeeze", [found, context.integers([0])])


def _overlap_added(context: Context, frames: Written, size: int, step: int, dims: Sequence[Extent]) -> Written:
    """``[..., windows, size]`` as ``[..., length]``: as many sums as a window has steps."""
    windows = frames.dims[-2]
    total: Written | None = None
    for each in range(size // step):
        piece = context.sliced(frames, frames.rank - 1, each * step, (each + 1) * step)
        flat = context.reshaped(Written(piece.name, frames.dtype, ()), [*frames.dims[:-2], windows * step])
        zeros = [0] * (len(dims) - 1)
        behind = dims[-1] - windows * step - each * step
        pads = context.integers([*zeros, each * step, *zeros, behind])
        placed = context.emit("Pad", [flat, pads], frames.dtype, mode="constant")
        total = placed if total is None else context.emit("Add", [total, placed], frames.dtype)
    assert total is not None
    return Written(total.name, frames.dtype, tuple(dims))
