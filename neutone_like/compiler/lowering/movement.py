"""Operations that only say where elements are."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import torch

from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.compiler.kernels import KernelId, Operation
from neutone_like.compiler.lowering.context import DOUBLES, Complex, Context, Joined, Lowered, Reshaped, lowers, rank_of
from neutone_like.compiler.lowering.elementwise import pointwise
from neutone_like.compiler.plan import Expression
from neutone_like.compiler.reshaping import reshaped
from neutone_like.compiler.tensor import Stride, View
from neutone_like.errors import CompileError
from neutone_like.graph import Node

_END = 2**62


def _moved(context: Context, value: Lowered, change: Any) -> Lowered:
    """The same of a value's view; the last dimension of complex numbers stays the last."""
    if isinstance(value, Complex):
        return Complex(change(value.view))
    return change(context.view(value))


@lowers("transpose.int", "swapaxes")
def _transpose(context: Context, node: Node, self: Lowered, dim0: int, dim1: int) -> Lowered:
    order = list(range(rank_of(self)))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permuted(context, self, order)


@lowers("t", "numpy_T")
def _t(context: Context, node: Node, self: Lowered) -> Lowered:
    return _permuted(context, self, list(range(rank_of(self)))[::-1])


@lowers("permute")
def _permute(context: Context, node: Node, self: Lowered, dims: Sequence[int]) -> Lowered:
    return _permuted(context, self, [each % rank_of(self) for each in dims])


@lowers("movedim.int")
def _movedim(context: Context, node: Node, self: Lowered, source: int, destination: int) -> Lowered:
    order = list(range(rank_of(self)))
    order.insert(destination % len(order), order.pop(source))
    return _permuted(context, self, order)


def _permuted(context: Context, value: Lowered, order: list[int]) -> Lowered:
    if isinstance(value, Joined):
        parts = tuple(each.permuted(order) for each in value.parts)
        return Joined(parts, order.index(value.dim), tuple(value.dims[each] for each in order))
    return _moved(context, value, lambda view: view.permuted([*order, *range(len(order), view.rank)]))


@lowers("unsqueeze")
def _unsqueeze(context: Context, node: Node, self: Lowered, dim: int) -> Lowered:
    place = dim % (rank_of(self) + 1)
    if isinstance(self, Joined):
        parts = tuple(each.with_one(place) for each in self.parts)
        dims = (*self.dims[:place], Extent.of(1), *self.dims[place:])
        return Joined(parts, self.dim + (place <= self.dim), dims)
    return _moved(context, self, lambda view: view.with_one(place))


@lowers(
    "squeeze.dim",
    "squeeze.dims",
    "squeeze",
    "view",
    "reshape",
    "_unsafe_view",
    "flatten.using_ints",
    "unflatten.int",
    "contiguous",
    "clone",
    "alias",
    "detach",
    "lift_fresh_copy",
    "_reshape_alias",
    "view_copy",
    "ravel",
)
def _reshape(context: Context, node: Node, self: Lowered, **_: Any) -> Lowered:
    dims = context.shape(node).dims
    if isinstance(self, Complex):
        found = reshaped(self.view, (*dims, Extent.of(2)))
        if found is None:
            raise CompileError("complex numbers under another shape that would need a copy")
        return Complex(found)
    if isinstance(self, Joined) and self.dims == dims:
        return self
    view = context.view(self)
    if view.dims == dims:
        return view
    return reshaped(view, dims) or Reshaped(view, dims)


@lowers("expand", "broadcast_to", "expand_as")
def _expand(context: Context, node: Node, self: Lowered, **_: Any) -> Lowered:
    dims = context.shape(node).dims
    if isinstance(self, Complex):
        return Complex(self.view.expanded((*dims, Extent.of(2))))
    return context.view(self).expanded(dims)


@lowers("repeat")
def _repeat(context: Context, node: Node, self: Lowered, repeats: Sequence[Any]) -> Lowered:
    """Dimensions of one are repeated for nothing; others as an outer dimension that stands still."""
    view = context.view(self)
    dims = context.shape(node).dims
    view = _with_leading(view, len(dims))
    if all(mine == whole or mine.constant == 1 for mine, whole in zip(view.dims, dims, strict=True)):
        return view.expanded(dims)
    for dim in reversed(range(view.rank)):
        times = Extent.of(repeats[dim]).constant
        if times is None:
            raise CompileError("repeated as often as the block says")
        if times != 1:
            view = view.with_one(dim)
            view = view.expanded([*view.dims[:dim], Extent.of(times), *view.dims[dim + 1 :]])
        else:
            view = view.with_one(dim)
    return reshaped(view, dims) or Reshaped(view, dims)


def _with_leading(view: View, rank: int) -> View:
    while view.rank < rank:
        view = view.with_one(0)
    return view


@lowers("select.int")
def _select(context: Context, node: Node, self: Lowered, dim: int, index: Any) -> Lowered:
    dim %= rank_of(self)
    if isinstance(self, Complex):
        return Complex(self.view.selected(dim, _place(index, self.view.dims[dim])))
    view = context.view(self)
    return view.selected(dim, _place(index, view.dims[dim]))


def _place(index: Any, length: Extent) -> Extent:
    place = Extent.of(index)
    return place + length if place.factor == 0 and place.base < 0 else place


@lowers("slice.Tensor", "narrow")
def _slice(context: Context, node: Node, self: Lowered, dim: int = 0, **given: Any) -> Lowered:
    dim %= rank_of(self)
    step = given.get("step", 1)
    dims = context.shape(node).dims

    def cut(view: View) -> View:
        length = view.dims[dim]
        wanted: Any = given.get("end")
        end = Extent.of(_END if wanted is None else wanted)
        to_the_end = "length" not in given and step == 1 and (end == length or (not end.factor and end.base >= _END))
        # What is asked for before the beginning is not there.
        start = length - dims[dim] if to_the_end else _place(given.get("start") or 0, length)
        return view.sliced(dim, start, dims[dim], step)

    if isinstance(self, Joined) and self.dims == dims:
        return self
    return _moved(context, self, cut)


@lowers("split.Tensor", "split_with_sizes", "chunk", "unbind.int", "split.sizes", "tensor_split.sections")
def _split(context: Context, node: Node, self: Lowered, dim: int = 0, **given: Any) -> list[Lowered]:
    view = context.view(self)
    dim %= view.rank
    length = view.dims[dim]
    most = given.get("split_size")
    if length.constant is None and isinstance(most, int) and length.at(context.granule) <= most:
        return [self]  # as long as a block of the plan may be
    sizes = _sizes(node, length, given)
    parts: list[Lowered] = []
    start = ZERO
    for size in sizes:
        part = view.sliced(dim, start, size)
        parts.append(part.without(dim) if "unbind" in node.op else part)
        start = start + size
    return parts


def _sizes(node: Node, length: Extent, given: dict[str, Any]) -> list[Extent]:
    if "split_sizes" in given and isinstance(given["split_sizes"], list):
        return [Extent.of(each) for each in given["split_sizes"]]
    whole = length.constant
    if whole is None:
        raise CompileError("split along time, into as many parts as the block says")
    if "unbind" in node.op:
        return [Extent.of(1)] * whole
    parts = given.get("chunks")
    size = -(-whole // parts) if parts else given["split_size"]
    return [Extent.of(min(size, whole - start)) for start in range(0, whole, size)]


@lowers("unfold")
def _unfold(context: Context, node: Node, self: Lowered, dimension: int, size: int, step: int) -> Lowered:
    view = context.view(self)
    dimension %= view.rank
    stride = view.strides[dimension]
    windows = view.sliced(dimension, ZERO, context.shape(node).dims[dimension], step)
    inner = windows.with_one(view.rank, stride)
    return inner.sliced(view.rank, ZERO, Extent.of(size))


@lowers("flip")
def _flip(context: Context, node: Node, self: Lowered, dims: Sequence[int]) -> Lowered:
    view = context.view(self)
    for dim in dims:
        view = view.flipped(dim % view.rank)
    return view


@lowers("diagonal")
def _diagonal(context: Context, node: Node, self: Lowered, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Lowered:
    view = context.view(self)
    a, b = dim1 % view.rank, dim2 % view.rank
    view = view.moved(b, Extent.of(offset)) if offset > 0 else view.moved(a, Extent.of(-offset))
    both = Stride(view.strides[a].rows + view.strides[b].rows, view.strides[a].columns + view.strides[b].columns)
    for dim in sorted((a, b), reverse=True):
        view = view.without(dim)
    length = context.shape(node).dims[-1]
    view = view.with_one(view.rank, both)
    return view.sliced(view.rank - 1, ZERO, length)


@lowers("as_strided")
def _as_strided(
    context: Context, node: Node, self: Lowered, size: Any, stride: Any, storage_offset: Any = None
) -> Lowered:
    """Strides of PyTorch's memory, in which the tensor lies in one piece, as steps along its dimensions."""
    view = context.view(self)
    dims = context.shape(node).dims
    found = view.moved(0, ZERO)
    for _ in range(view.rank):
        found = found.without(0)
    if storage_offset:
        raise CompileError("as_strided with an offset; slice the tensor first")
    for place, (length, step) in enumerate(zip(dims, stride, strict=True)):
        found = found.with_one(place, _own_stride(view, Extent.of(step))).sliced(place, ZERO, length)
    return found


def _own_stride(view: View, step: Extent) -> Stride:
    """A step through memory in one piece as a sum of this view's strides."""
    total = Stride(0, 0)
    whole = Extent.of(1)
    wholes: list[Extent] = []
    for length in reversed(view.dims):
        wholes.insert(0, whole)
        size = whole.constant
        whole = length * size if size is not None else whole * (length.constant or Fraction(0))
    for whole, stride in zip(wholes, view.strides, strict=True):
        times = _times(step, whole)
        if times:
            total = Stride(total.rows + stride.rows * times, total.columns + stride.columns * times)
            step = step - whole * times
    if step != ZERO:
        raise CompileError("as_strided with a stride that is no sum of the tensor's own")
    return total


def _times(step: Extent, whole: Extent) -> int:
    if whole.factor:
        return int(step.factor / whole.factor)
    return int(step.base // whole.base) if not step.factor and whole.base else 0


@lowers("to.dtype", "_to_copy", "to.dtype_layout", "type_as", "to.device", "to.other", "float", "double")
def _convert(context: Context, node: Node, self: Lowered, **_: Any) -> Lowered:
    dtype = context.shape(node).dtype
    view = context.view(self)
    source = context.shapes.get(node.args[0].name)
    if dtype in DOUBLES and dtype != torch.float64 and source is not None and source.dtype.is_floating_point:
        return pointwise(context, node, lambda x: Expression(Operation.TRUNCATE, (x,)), [view])
    if dtype == torch.bool and source is not None and source.dtype != torch.bool:
        zero = Expression(Operation.NUMBER, (0.0,))
        return pointwise(context, node, lambda x: Expression(Operation.NOT_EQUAL, (x, zero)), [view])
    if view.tensor.double == (dtype in DOUBLES):
        return view
    converted = context.new(view.dims, double=dtype in DOUBLES)
    context.add(KernelId.COPY, [converted], [view])
    return converted


@lowers("slice_scatter")
def _slice_scatter(
    context: Context,
    node: Node,
    self: Lowered,
    src: Lowered,
    dim: int = 0,
    start: Any = None,
    end: Any = None,
    step: int = 1,
) -> Lowered:
    """The whole with one part replaced."""
    part = context.view(src)
    dim %= part.rank
    whole = _copy_of(context, self)
    begin = _place(start or 0, whole.dims[dim])
    context.add(KernelId.COPY, [whole.sliced(dim, begin, part.dims[dim], step)], [part]).overwrites = True
    return whole


@lowers("select_scatter")
def _select_scatter(context: Context, node: Node, self: Lowered, src: Lowered, dim: int, index: Any) -> Lowered:
    whole = _copy_of(context, self)
    dim %= whole.rank
    part = whole.selected(dim, _place(index, whole.dims[dim]))
    context.add(KernelId.COPY, [part], [context.view(src)]).overwrites = True
    return whole


@lowers("copy")
def _copy(context: Context, node: Node, self: Lowered, src: Lowered, **_: Any) -> Lowered:
    return context.view(src).expanded(context.shape(node).dims)


def _copy_of(context: Context, value: Lowered) -> View:
    view = context.view(value)
    whole = context.new(view.dims, double=view.tensor.double)
    context.add(KernelId.COPY, [whole], [view]).overwrites = True
    return whole
