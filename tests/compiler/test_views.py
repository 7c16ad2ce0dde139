"""Views of tables, changed at random, beside PyTorch doing the same to a tensor of places in memory."""

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import torch

from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.compiler.reshaping import reshaped
from neutone_like.compiler.tensor import ROW_FLOATS, Kind, View, new_tensor

N = Extent(Fraction(0), Fraction(1))
GRANULE = 64
LENGTHS = (64, 5, 1)
_Same = Callable[[torch.Tensor, int], torch.Tensor]
_Changed = tuple[View, _Same]
_Change = Callable[[View, random.Random], _Changed | None]


def places(view: View, samples: int) -> torch.Tensor:
    """Where each element of a view lies, with rows as long as they are made."""
    length = view.tensor.columns.at(GRANULE)
    pitch = length if view.tensor.kind is Kind.STATE else -(-length // ROW_FLOATS) * ROW_FLOATS
    found = torch.tensor(view.column.at(samples) + view.row * pitch)
    found = found.expand([each.at(samples) for each in view.dims])
    for dim, stride in enumerate(view.strides):
        along = [1] * view.rank
        along[dim] = view.dims[dim].at(samples)
        found = found + (stride.columns + stride.rows * pitch) * torch.arange(along[dim]).reshape(along)
    return found


def permuted(view: View, rng: random.Random) -> _Changed:
    order = rng.sample(range(view.rank), view.rank)
    return view.permuted(order), lambda x, _: x.permute(order)


def _dim_of_several(view: View, rng: random.Random) -> int | None:
    fitting = [dim for dim, each in enumerate(view.dims) if (each.constant or 0) > 1]
    return rng.choice(fitting) if fitting else None


def sliced(view: View, rng: random.Random) -> _Changed | None:
    if (dim := _dim_of_several(view, rng)) is None:
        return None
    size = view.dims[dim].constant or 0
    start, step = rng.randrange(size), rng.choice((1, 1, 2, 3))
    length = len(range(start, size, step))
    changed = view.sliced(dim, Extent.of(start), Extent.of(length), step)
    return changed, lambda x, _: x[(slice(None),) * dim + (slice(start, None, step),)]


def selected(view: View, rng: random.Random) -> _Changed | None:
    if view.rank < 3 or (dim := _dim_of_several(view, rng)) is None:
        return None
    index = rng.randrange(view.dims[dim].constant or 1)
    return view.selected(dim, Extent.of(index)), lambda x, _: x.select(dim, index)


def later(view: View, rng: random.Random) -> _Changed | None:
    """The last sample of a dimension of time, wherever the block ends; the dimension stays."""
    fitting = [dim for dim, each in enumerate(view.dims) if each == N and not view.strides[dim].rows]
    if not fitting or view.rank < 2:
        return None
    dim = rng.choice(fitting)
    return view.sliced(dim, N - 1, Extent.of(1)), lambda x, samples: x.narrow(dim, samples - 1, 1)


def flipped(view: View, rng: random.Random) -> _Changed | None:
    if (dim := _dim_of_several(view, rng)) is None:
        return None
    return view.flipped(dim), lambda x, _: x.flip(dim)


def expanded(view: View, rng: random.Random) -> _Changed | None:
    if view.rank > 4:
        return None
    dims = [Extent.of(rng.randint(1, 3)) if each.constant == 1 else each for each in view.dims]
    dims = [Extent.of(2), *dims] if rng.random() < 0.5 else dims
    return view.expanded(dims), lambda x, samples: x.expand([each.at(samples) for each in dims])


def unfolded(view: View, rng: random.Random) -> _Changed | None:
    if view.rank > 4 or (dim := _dim_of_several(view, rng)) is None:
        return None
    size, step = rng.randint(1, view.dims[dim].constant or 1), rng.randint(1, 3)
    count = ((view.dims[dim].constant or 1) - size) // step + 1
    windows = view.sliced(dim, ZERO, Extent.of(count), step).with_one(view.rank, view.strides[dim])
    return windows.sliced(view.rank, ZERO, Extent.of(size)), lambda x, _: x.unfold(dim, size, step)


def split(view: View, rng: random.Random) -> _Changed | None:
    if view.rank > 4 or (dim := _dim_of_several(view, rng)) is None:
        return None
    size = view.dims[dim].constant or 1
    inner = rng.choice([each for each in range(1, size + 1) if size % each == 0])
    return view.split(dim, inner), lambda x, _: x.unflatten(dim, (size // inner, inner))


def reshaped_at_random(view: View, rng: random.Random) -> _Changed | None:
    """Two neighbours as one, or one as two, with dimensions of one here and there."""
    dims = list(view.dims)
    dim = rng.randrange(len(dims))
    size = dims[dim].constant
    if rng.random() < 0.6 and dim + 1 < len(dims) and (inner := dims[dim + 1].constant) is not None:
        dims[dim : dim + 2] = [dims[dim] * inner]
    elif size is not None and size > 1:
        part = rng.choice([each for each in range(1, size + 1) if size % each == 0])
        dims[dim : dim + 1] = [Extent.of(size // part), Extent.of(part)]
    if rng.random() < 0.3:
        dims.insert(rng.randint(0, len(dims)), Extent.of(1))
    if len(dims) > 6 or (found := reshaped(view, dims)) is None:
        return None
    return found, lambda x, samples: x.reshape([each.at(samples) for each in dims])


CHANGES: tuple[_Change, ...] = (
    permuted, sliced, selected, later, flipped, expanded, unfolded, split, reshaped_at_random, reshaped_at_random,
)  # fmt: skip


def _begin(rng: random.Random) -> View:
    """A table of two to four dimensions, one of them time in most, in any order of memory."""
    dims = [Extent.of(rng.choice((1, 2, 3, 4, 6, 16))) for _ in range(rng.randint(1, 3))]
    dims.insert(rng.randint(0, len(dims)), rng.choice((N, N, N * 2 + 3, Extent.of(32))))
    view = new_tensor("x", dims, rng.sample(range(len(dims)), len(dims)), GRANULE)
    view.tensor.kind = rng.choice((Kind.BLOCK, Kind.STATE))
    return view


def test_changes_at_random_show_the_elements_that_pytorch_shows() -> None:
    rng = random.Random(4)
    made: Counter[str] = Counter()
    for _ in range(200):
        views, changes = [_begin(rng)], list[_Same]()
        for _ in range(6):
            change = rng.choice(CHANGES)
            if (found := change(views[-1], rng)) is not None:
                views.append(found[0])
                changes.append(found[1])
                made[change.__name__] += 1
        for samples in LENGTHS:
            expected = places(views[0], samples)
            for view, same in zip(views[1:], changes, strict=True):
                expected = same(expected, samples)
                assert torch.equal(places(view, samples), expected), (str(view), samples)
    assert set(made) == {each.__name__ for each in CHANGES}
    assert min(made.values()) > 25, made


def test_a_table_shows_each_place_once_and_rows_never_overlap() -> None:
    rng = random.Random(5)
    for _ in range(100):
        view = _begin(rng)
        for samples in LENGTHS:
            shown = places(view, samples).flatten()
            assert len(shown.unique()) == len(shown)


def test_a_shape_that_its_strides_do_not_allow_needs_a_copy() -> None:
    two = new_tensor("x", [Extent.of(3), N], [0, 1], GRANULE)
    assert reshaped(two, [N * 3]) is None
    assert reshaped(two.permuted([1, 0]), [N * 3]) is None
    assert reshaped(two, [Extent.of(1), Extent.of(3), N]) is not None
    assert not two.tensor.pinned


def test_rows_become_one_only_where_nothing_lies_between_them() -> None:
    """And from then on nothing may move them apart."""
    full = new_tensor("x", [Extent.of(3), Extent.of(64)], [0, 1], GRANULE)
    assert reshaped(full, [Extent.of(192)]) is not None
    assert full.tensor.pinned
    padded = new_tensor("x", [Extent.of(3), Extent.of(65)], [0, 1], GRANULE)
    assert reshaped(padded, [Extent.of(195)]) is None
    moved = new_tensor("x", [Extent.of(3), Extent.of(64)], [0, 1], GRANULE)
    moved.tensor.home = (padded.tensor, 0, ZERO)
    assert reshaped(moved, [Extent.of(192)]) is None
