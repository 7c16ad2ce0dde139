"""A pass: chains of elementwise steps as one program."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from neutone_like.compiler.extent import ONE
from neutone_like.compiler.kernels import Operation
from neutone_like.compiler.plan import Expression, Plan, Pointwise, Step, untouched
from neutone_like.compiler.tensor import STILL, Kind, Tensor, View

_LONGEST = 48
_MOST_INPUTS = 12


def fuse_elementwise(plan: Plan) -> None:
    """Let each elementwise step calculate what only it reads, where that is elementwise too."""
    writers = writers_of(plan)
    readers = readers_of(plan)
    for step in list(plan.steps):
        if isinstance(step, Pointwise):
            while (found := _fusable(plan, step, writers, readers)) is not None:
                index, earlier, order = found
                _fuse(step, index, earlier, order)
                plan.steps.remove(earlier)
                for view in earlier.inputs:
                    readers[view.tensor].discard(earlier)
                    readers[view.tensor].add(step)
            merge_inputs(step)


def writers_of(plan: Plan) -> dict[Tensor, list[Step]]:
    """The steps that write into each tensor."""
    found: dict[Tensor, list[Step]] = {}
    for step in plan.steps:
        for view in step.outputs:
            found.setdefault(view.tensor, []).append(step)
    return found


def readers_of(plan: Plan) -> dict[Tensor, set[Step]]:
    """The steps that read each tensor."""
    found: dict[Tensor, set[Step]] = {}
    for step in plan.steps:
        for view in step.views[len(step.outputs) :]:
            found.setdefault(view.tensor, set()).add(step)
    return found


def _fusable(
    plan: Plan, step: Pointwise, writers: dict[Tensor, list[Step]], readers: dict[Tensor, set[Step]]
) -> tuple[int, Pointwise, list[int | None]] | None:
    counts = Counter(each.tensor for each in step.inputs)
    for index, view in enumerate(step.inputs):
        tensor = view.tensor
        made = writers.get(tensor, [])
        alone = len(made) == 1 and readers[tensor] == {step} and counts[tensor] == 1
        if tensor.kind is not Kind.BLOCK or not alone or tensor is plan.output.tensor:
            continue
        earlier = made[0]
        if not isinstance(earlier, Pointwise) or (order := same_places(view, earlier.outputs[0])) is None:
            continue
        size = step.expression.size() + earlier.expression.size()
        twice = sum(each == index for each in step.expression.loads()) > 1
        if (
            size > _LONGEST
            or len(step.inputs) + len(earlier.inputs) > _MOST_INPUTS
            or (twice and earlier.expression.size() > 3)
            or not untouched(plan, earlier, step)
        ):
            continue
        return index, earlier, order
    return None


def same_places(view: View, whole: View) -> list[int | None] | None:
    """For each dimension of ``view`` that of ``whole`` which it is, where both are the same elements once each."""
    if view.tensor is not whole.tensor or view.row != whole.row or view.column != whole.column:
        return None
    left = [dim for dim in range(whole.rank) if whole.dims[dim] != ONE]
    order: list[int | None] = []
    for size, stride in zip(view.dims, view.strides, strict=True):
        if size == ONE:
            order.append(None)
            continue
        match = next((dim for dim in left if whole.dims[dim] == size and whole.strides[dim] == stride), None)
        if match is None or stride == STILL:
            return None
        left.remove(match)
        order.append(match)
    return order if not left else None


def reordered(view: View, dims: Sequence[int | None]) -> View:
    """A view's dimensions in another order, with ones between them."""
    return replace(
        view,
        dims=tuple(ONE if dim is None else view.dims[dim] for dim in dims),
        strides=tuple(STILL if dim is None else view.strides[dim] for dim in dims),
    )


def _fuse(step: Pointwise, index: int, earlier: Pointwise, order: list[int | None]) -> None:
    kept = [each for place, each in enumerate(step.inputs) if place != index]
    inner = [Expression(Operation.LOAD, (len(kept) + place,)) for place in range(len(earlier.inputs))]
    places = iter(range(len(kept)))
    outer = [
        earlier.expression.with_loads(inner) if place == index else Expression(Operation.LOAD, (next(places),))
        for place in range(len(step.inputs))
    ]
    step.inputs = [*kept, *(reordered(each, order) for each in earlier.inputs)]
    step.expression = step.expression.with_loads(outer)
    step.double = step.double or earlier.double


def merge_inputs(step: Pointwise) -> None:
    """The same view once."""
    kept: list[View] = []
    loads: list[Expression] = []
    for view in step.inputs:
        if view not in kept:
            kept.append(view)
        loads.append(Expression(Operation.LOAD, (kept.index(view),)))
    step.inputs, step.expression = kept, step.expression.with_loads(loads)
