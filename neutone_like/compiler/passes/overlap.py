"""Whether two views of a table may show the same place."""

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.tensor import View

_PROBES = (1, 64, 4096)

_Range = tuple[int, int]


def may_overlap(a: View, b: View) -> bool:
    """``False`` only where no element of one is an element of the other, whatever the block's length."""
    return a.tensor is b.tensor and any(_meet_at(a, b, samples) for samples in _PROBES)


def _meet_at(a: View, b: View, samples: int) -> bool:
    boxes = [_box(each, samples) for each in (a, b)]
    if any(not _is_whole(each, samples) for each in (a, b)):
        return False  # such a block is not played, and one view or the other is empty
    if all(_within_rows(each, columns, samples) for each, (_, columns) in zip((a, b), boxes, strict=True)):
        return all(_meet(mine, theirs) for mine, theirs in zip(*boxes, strict=True))
    return True  # rows that follow each other as one


def _is_whole(view: View, samples: int) -> bool:
    return all(_size(each, samples) > 0 for each in view.dims)


def _size(extent: Extent, samples: int) -> int:
    return int(extent.base + extent.factor * samples)


def _box(view: View, samples: int) -> tuple[_Range, _Range]:
    """First and last row, first and last column."""
    lows, highs = [view.row, _size(view.column, samples)], [view.row, _size(view.column, samples)]
    for size, stride in zip(view.dims, view.strides, strict=True):
        for axis, step in enumerate(stride):
            reach = step * (_size(size, samples) - 1)
            lows[axis] += min(0, reach)
            highs[axis] += max(0, reach)
    return (lows[0], highs[0]), (lows[1], highs[1])


def _within_rows(view: View, columns: _Range, samples: int) -> bool:
    tensor = view.tensor
    return not tensor.pinned or (columns[0] >= 0 and columns[1] < _size(tensor.columns, samples))


def _meet(a: _Range, b: _Range) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]
