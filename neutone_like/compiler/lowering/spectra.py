"""Fourier transforms, and what can be done with complex numbers."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.kernels import Operation as O
from neutone_like.compiler.lowering.context import Complex, Context, Joined, Lowered, lowers, lowers_complex
from neutone_like.compiler.lowering.elementwise import apply, complex_of, number, pointwise
from neutone_like.compiler.tensor import View
from neutone_like.errors import CompileError
from neutone_like.graph import Node

_REAL_TO_HALF, _HALF_TO_REAL, _FORWARD, _BACKWARD = range(4)
_MOST_LOOPS = 64


@lowers("_fft_r2c")
def _real_to_half(
    context: Context, node: Node, self: Lowered, dim: Sequence[int], normalization: int, onesided: bool
) -> Lowered:
    view = context.view(self)
    if not onesided:
        raise CompileError("a two-sided transform of real numbers; use torch.fft.rfft")
    along = _only(dim, view.rank)
    length = _length(view.dims[along])
    return Complex(_transformed(context, view, along, length, _REAL_TO_HALF, _factor(normalization, length)))


@lowers("_fft_c2r")
def _half_to_real(
    context: Context, node: Node, self: Lowered, dim: Sequence[int], normalization: int, last_dim_size: Any
) -> Lowered:
    assert isinstance(self, Complex)
    along = _only(dim, self.view.rank - 1)
    length = _length(Extent.of(last_dim_size))
    return _transformed(context, self.view, along, length, _HALF_TO_REAL, _factor(normalization, length))


@lowers("_fft_c2c")
def _complex_to_complex(
    context: Context, node: Node, self: Lowered, dim: Sequence[int], normalization: int, forward: bool
) -> Lowered:
    value = (
        self
        if isinstance(self, Complex)
        else complex_of(context, context.view(self), _zeros(context, context.view(self)))
    )
    along = _only(dim, value.view.rank - 1)
    length = _length(value.view.dims[along])
    kind = _FORWARD if forward else _BACKWARD
    return Complex(_transformed(context, value.view, along, length, kind, _factor(normalization, length)))


def _zeros(context: Context, like: View) -> View:
    return context.constant(torch.zeros(())).expanded(like.dims)


def _only(dims: Sequence[int], rank: int) -> int:
    if len(dims) != 1:
        raise CompileError("a transform over several dimensions")
    return dims[0] % rank


def _length(size: Extent) -> int:
    length = size.constant
    if length is None:
        raise CompileError("a transform as long as the block; use one of a fixed length (an STFT)")
    return length


def _factor(normalization: int, length: int) -> float:
    return (1.0, 1.0 / math.sqrt(length), 1.0 / length)[normalization]


def _transformed(context: Context, view: View, along: int, length: int, kind: int, factor: float) -> View:
    """Along one dimension; the last of complex numbers is their own."""
    gives_complex, takes_complex = kind != _HALF_TO_REAL, kind != _REAL_TO_HALF
    rank = view.rank - takes_complex
    size = Extent.of(length // 2 + 1 if kind == _REAL_TO_HALF else length)
    dims = [size if dim == along else view.dims[dim] for dim in range(rank)]
    others = [dim for dim in range(rank) if dim != along]
    order = [*others, along]
    full = [*dims, Extent.of(2)] if gives_complex else dims
    out = context.new(full, [*order, rank] if gives_complex else order)
    loops = [dim for dim in others if dims[dim] != ONE]
    batch = max(loops, key=lambda dim: (bool(dims[dim].factor), dims[dim].base)) if loops else None
    constants = (context.constant(torch.tensor([factor])), context.constant(_twiddles(length)))
    for source, target in _pairs(view, out, [dim for dim in loops if dim != batch]):
        outputs, inputs = _batched(target, batch, along, gives_complex), _batched(source, batch, along, takes_complex)
        context.add(KernelId.FOURIER, [outputs], [inputs, *constants], [kind, length])
    return out


def _pairs(view: View, out: View, loops: Sequence[int]) -> list[tuple[View, View]]:
    pairs = [(view, out)]
    for dim in sorted(loops, reverse=True):
        count = view.dims[dim].constant
        if count is None or len(pairs) * count > _MOST_LOOPS:
            raise CompileError("a transform of too many batches")
        pairs = [
            (a.sliced(dim, Extent.of(place), ONE), b.sliced(dim, Extent.of(place), ONE))
            for a, b in pairs
            for place in range(count)
        ]
    return pairs


def _batched(view: View, batch: int | None, along: int, is_complex: bool) -> View:
    """``[batch, length]``, and a last dimension of two for complex numbers; all others are one."""
    kept = [dim for dim in (batch, along) if dim is not None] + ([view.rank - 1] if is_complex else [])
    view = replace(view, dims=tuple(view.dims[dim] for dim in kept), strides=tuple(view.strides[dim] for dim in kept))
    return view if batch is not None else view.with_one(0)


def _twiddles(length: int) -> torch.Tensor:
    angles = -2.0 * math.pi * torch.arange(length, dtype=torch.float64) / length
    return torch.stack((angles.cos(), angles.sin()), dim=1)


def _parts(value: Complex) -> tuple[View, View]:
    rank = value.view.rank - 1
    return value.view.selected(rank, Extent.of(0)), value.view.selected(rank, Extent.of(1))


@lowers("view_as_real")
def _view_as_real(context: Context, node: Node, self: Lowered) -> Lowered:
    assert isinstance(self, Complex)
    return self.view


@lowers("real")
def _real(context: Context, node: Node, self: Lowered) -> Lowered:
    return _parts(self)[0] if isinstance(self, Complex) else self


@lowers("imag")
def _imag(context: Context, node: Node, self: Lowered) -> Lowered:
    assert isinstance(self, Complex)
    return _parts(self)[1]


@lowers_complex("abs")
def _abs(context: Context, node: Node, self: Complex) -> Lowered:
    def build(a: Any, b: Any) -> Any:
        return apply(O.SQUARE_ROOT, apply(O.ADD, apply(O.MULTIPLY, a, a), apply(O.MULTIPLY, b, b)))

    return pointwise(context, node, build, _parts(self))


@lowers_complex("angle")
def _angle(context: Context, node: Node, self: Complex) -> Lowered:
    real, imaginary = _parts(self)
    return pointwise(context, node, lambda y, x: apply(O.ARCTANGENT2, y, x), [imaginary, real])


@lowers_complex("_conj", "conj", "conj_physical", "resolve_conj")
def _conj(context: Context, node: Node, self: Complex) -> Lowered:
    if "resolve" in node.op:
        return self
    real, imaginary = _parts(self)
    turned = pointwise(context, None, lambda x: apply(O.NEGATE, x), [imaginary], imaginary.dims, torch.float32)
    return complex_of(context, real, turned)


@lowers("polar")
def _polar(context: Context, node: Node, abs: Lowered, angle: Lowered) -> Lowered:
    dims = context.shape(node).dims
    parts = [
        pointwise(
            context, None, lambda a, b, how=how: apply(O.MULTIPLY, a, apply(how, b)), [abs, angle], dims, torch.float32
        )
        for how in (O.COSINE, O.SINE)
    ]
    return complex_of(context, parts[0], parts[1])


@lowers_complex("mul.Tensor", "mul.Scalar")
def _mul(context: Context, node: Node, self: Any, other: Any) -> Lowered:
    dims = context.shape(node).dims
    if isinstance(other, complex) or (not isinstance(self, Complex) and not isinstance(other, Complex)):
        return _by_number(context, self, complex(other), dims)
    a, b = (self, other) if isinstance(self, Complex) else (other, self)
    if not isinstance(b, Complex) and not (isinstance(b, torch.Tensor) and b.is_complex()):
        return _by_real(context, a, b, dims, O.MULTIPLY)
    (ar, ai), (br, bi) = _both(context, a), _both(context, b)

    def cross(how: O) -> Any:
        return lambda x, y, z, w: apply(how, apply(O.MULTIPLY, x, y), apply(O.MULTIPLY, z, w))

    real = pointwise(context, None, cross(O.SUBTRACT), [ar, br, ai, bi], dims, torch.float32)
    imaginary = pointwise(context, None, cross(O.ADD), [ar, bi, ai, br], dims, torch.float32)
    return complex_of(context, real, imaginary)


@lowers_complex("exp")
def _exp(context: Context, node: Node, self: Complex) -> Lowered:
    real, imaginary = _parts(self)
    parts = [
        pointwise(
            context,
            None,
            lambda a, b, how=how: apply(O.MULTIPLY, apply(O.EXP, a), apply(how, b)),
            [real, imaginary],
            real.dims,
            torch.float32,
        )
        for how in (O.COSINE, O.SINE)
    ]
    return complex_of(context, parts[0], parts[1])


@lowers_complex("div.Tensor")
def _div(context: Context, node: Node, self: Any, other: Any) -> Lowered:
    if isinstance(other, Complex) or not isinstance(self, Complex):
        raise CompileError("division by complex numbers; multiply by conj and divide by the square of abs")
    return _by_real(context, self, other, context.shape(node).dims, O.DIVIDE)


def _by_number(context: Context, value: Any, factor: complex, dims: Sequence[Extent]) -> Complex:
    """Times one complex number."""
    if isinstance(value, Complex):
        real, imaginary = _parts(value)

        def turned(a: Any, b: Any, x: float, y: float) -> Any:
            return apply(O.ADD, apply(O.MULTIPLY, a, number(x)), apply(O.MULTIPLY, b, number(y)))

        pairs = ((factor.real, -factor.imag), (factor.imag, factor.real))
        parts = [
            pointwise(context, None, lambda a, b, x=x, y=y: turned(a, b, x, y), [real, imaginary], dims, torch.float32)
            for x, y in pairs
        ]
    else:
        view = context.view(value)
        parts = [
            pointwise(context, None, lambda a, x=x: apply(O.MULTIPLY, a, number(x)), [view], dims, torch.float32)
            for x in (factor.real, factor.imag)
        ]
    return complex_of(context, parts[0], parts[1])


def _by_real(context: Context, a: Complex, b: Any, dims: Sequence[Extent], how: O) -> Complex:
    other = b if isinstance(b, (int, float)) else _with_last(context.view(b))
    both = pointwise(
        context, None, lambda x, y: apply(how, x, y), [a.view, other], (*dims, Extent.of(2)), torch.float32
    )
    return Complex(both)


def _with_last(view: View) -> View:
    return view.with_one(view.rank)


def _both(context: Context, value: Any) -> tuple[View, View]:
    if isinstance(value, Complex):
        return _parts(value)
    return context.view(value.real.contiguous()), context.view(value.imag.contiguous())


@lowers_complex("add.Tensor", "sub.Tensor")
def _add(context: Context, node: Node, self: Any, other: Any, alpha: Any = 1) -> Lowered:
    if alpha != 1:
        raise CompileError("sums of complex numbers with a factor (alpha)")
    how = O.ADD if "add" in node.op else O.SUBTRACT
    dims = context.shape(node).dims
    if isinstance(self, Complex) and isinstance(other, Complex):
        both = (*dims, Extent.of(2))
        return Complex(
            pointwise(context, None, lambda x, y: apply(how, x, y), [self.view, other.view], both, torch.float32)
        )
    (ar, ai), (br, bi) = (
        _both(context, each) if isinstance(each, (Complex, torch.Tensor)) and _is_complex(each) else (each, 0.0)
        for each in (self, other)
    )
    parts = [
        pointwise(context, None, lambda x, y: apply(how, x, y), pair, dims, torch.float32)
        for pair in ((ar, br), (ai, bi))
    ]
    return complex_of(context, parts[0], parts[1])


def _is_complex(value: Any) -> bool:
    return isinstance(value, Complex) or value.is_complex()


@lowers_complex("cat", "stack")
def _cat(context: Context, node: Node, tensors: Sequence[Complex], dim: int = 0) -> Lowered:
    rank = len(context.shape(node).dims)
    views = [each.view.with_one(dim % rank) if "stack" in node.op else each.view for each in tensors]
    return Complex(context.view(Joined(tuple(views), dim % rank, (*context.shape(node).dims, Extent.of(2)))))


@lowers("unfold_backward")
def _unfold_backward(
    context: Context, node: Node, grad_in: Lowered, input_sizes: Any, dim: int, size: int, step: int
) -> Lowered:
    """Frames added where they overlap: what the inverse STFT ends with."""
    frames = context.view(grad_in)
    dims = context.shape(node).dims
    dim %= len(dims)
    out = context.new(dims)
    rows, target = frames, out
    for other in reversed(range(len(dims))):
        if other != dim and dims[other] == ONE:
            rows, target = rows.without(other), target.without(other)
    if target.rank == 1:
        rows, target = rows.with_one(0), target.with_one(0)
    if target.rank != 2 or target.strides[1].rows:
        raise CompileError("overlap-add over more than two dimensions")
    context.add(KernelId.OVERLAP_ADD, [target], [rows], [step])
    return out


@lowers("col2im")
def _col2im(
    context: Context,
    node: Node,
    self: Lowered,
    output_size: Any,
    kernel_size: Any,
    dilation: Any,
    padding: Any,
    stride: Any,
) -> Lowered:
    """``torch.nn.functional.fold`` along one dimension."""
    along = 1 if kernel_size[0] == 1 else 0
    if kernel_size[1 - along] != 1 or any(padding) or dilation[along] != 1:
        raise CompileError("fold over two dimensions, with padding or dilation")
    view = context.view(self)
    dims = context.shape(node).dims
    out = context.new(dims)
    batched = view.rank == 3
    for batch in range((view.dims[0].constant or 0) if batched else 1):
        columns = view.selected(0, Extent.of(batch)) if batched else view
        target = out.selected(0, Extent.of(batch)) if batched else out
        target = target.without(1 if along == 1 else 2)
        frames = columns.split(0, kernel_size[along]).permuted((0, 2, 1))
        context.add(KernelId.OVERLAP_ADD, [target], [frames], [stride[along]])
    return out
