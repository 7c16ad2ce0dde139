"""Other shapes for the same memory, where strides allow it."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.compiler.tensor import ROW_FLOATS, STILL, Kind, Stride, View

_PROBES = (7919, 104729)  # numbers of samples at which products of sizes are compared

Sizes = tuple[Fraction, ...]


def reshaped(view: View, dims: Sequence[Extent]) -> View | None:
    """The same elements in the same order under other dimensions; ``None``: they would have to be copied."""
    found = _reshaped(view, dims)
    if found is None and (flat := _in_one_row(view)) is not None:
        found = _reshaped(flat, dims)
        if found is not None:
            view.tensor.pinned = True
    return found


def _reshaped(view: View, dims: Sequence[Extent]) -> View | None:
    sources = [each for each in range(view.rank) if view.dims[each] != ONE]
    targets = [each for each in range(len(dims)) if dims[each] != ONE]
    strides = [STILL] * len(dims)
    while sources and targets:
        taken, given = [sources.pop(0)], [targets.pop(0)]
        while (mine := _product(view.dims, taken)) != (theirs := _product(dims, given)):
            smaller = sources if mine < theirs else targets
            if not smaller:
                return None
            (taken if mine < theirs else given).append(smaller.pop(0))
        merged = _merged(view, taken)
        if merged is None or not _spread(merged, dims, given, strides):
            return None
    if sources or targets:
        return None
    return replace(view, dims=tuple(dims), strides=tuple(strides))


def _product(dims: Sequence[Extent], which: Sequence[int]) -> Sizes:
    totals = [Fraction(1)] * len(_PROBES)
    for each in which:
        totals = [t * (dims[each].base + dims[each].factor * n) for t, n in zip(totals, _PROBES, strict=True)]
    return tuple(totals)


def _merged(view: View, which: Sequence[int]) -> Stride | None:
    """The stride of dimensions that follow each other without a gap, as one."""
    stride = view.strides[which[-1]]
    whole = 1
    for outer, inner in zip(which[-2::-1], which[:0:-1], strict=True):
        size = view.dims[inner].constant
        if size is None:
            return None
        whole *= size
        if view.strides[outer] != Stride(stride.rows * whole, stride.columns * whole):
            return None
    return stride


def _spread(stride: Stride, dims: Sequence[Extent], which: Sequence[int], strides: list[Stride]) -> bool:
    step = 1
    for place, dim in enumerate(reversed(which)):
        strides[dim] = Stride(stride.rows * step, stride.columns * step)
        size = dims[dim].constant
        if size is None and place != len(which) - 1:
            return False
        step *= size or 1
    return True


def _in_one_row(view: View) -> View | None:
    """The same with rows as parts of one, where no padding lies between them and nothing will move them apart."""
    tensor = view.tensor
    pitch = tensor.columns.constant
    movable = tensor.home is not None and not tensor.pinned
    if pitch is None or pitch % ROW_FLOATS or movable or tensor.kind not in (Kind.BLOCK, Kind.CONSTANT):
        return None
    return replace(
        view,
        strides=tuple(Stride(0, each.rows * pitch + each.columns) for each in view.strides),
        row=0,
        column=view.column + view.row * pitch,
    )
