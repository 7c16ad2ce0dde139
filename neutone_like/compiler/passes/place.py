"""A pass: what would only be copied is calculated where it is needed."""

from dataclasses import replace
from typing import Any

from neutone_like.compiler.extent import ONE
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.passes.fuse_elementwise import readers_of, writers_of
from neutone_like.compiler.passes.overlap import may_overlap
from neutone_like.compiler.plan import MOVED_ON, Plan, Step
from neutone_like.compiler.tensor import STILL, Kind, Tensor, View

_PROBES = (64, 4096)


def place(plan: Plan) -> None:
    """Let tensors lie within those that they are copied into, whole and only once."""
    for step in list(plan.steps):
        if step.kernel is not KernelId.COPY or step.overwrites:
            continue
        source, target = step.inputs[0], step.outputs[0]
        if not _fits(plan, source, target) or not _has_it_alone(plan, step):
            continue
        plan.steps.remove(step)
        inner, outer = source.tensor, target.tensor
        row, column = target.row - source.row, target.column - source.column
        inner.home = (outer, row, column)

        def moved(
            view: View, inner: Tensor = inner, outer: Tensor = outer, row: int = row, column: Any = column
        ) -> View:
            if view.tensor is not inner:
                return view
            return replace(view, tensor=outer, row=view.row + row, column=view.column + column)

        plan.replace_views(moved)


def _fits(plan: Plan, source: View, target: View) -> bool:
    inner, outer = source.tensor, target.tensor
    if inner.kind is not Kind.BLOCK or inner.home is not None or inner.pinned or outer is inner:
        return False
    if outer.kind not in (Kind.BLOCK, Kind.RING) or inner.double != outer.double or inner is plan.output.tensor:
        return False
    if not _is_whole(source):
        return False
    for size, mine, theirs in zip(source.dims, source.strides, target.strides, strict=True):
        if size != ONE and mine != theirs:
            return False
    return True


def _has_it_alone(plan: Plan, copy: Step) -> bool:
    """Whether what is copied may be there all along: nobody needs what is there before, or writes there besides."""
    inner, target = copy.inputs[0].tensor, copy.outputs[0]
    given = inner in (plan.audio.tensor, *(each.tensor for each in plan.parameters.values()))
    at = plan.steps.index(copy)
    used = [index for index, step in enumerate(plan.steps) if any(view.tensor is inner for view in step.views)]
    for index in range(0 if given else used[0], used[-1] + 1):
        step = plan.steps[index]
        if step is copy:
            continue
        if index > at and any(view.tensor is inner for view in step.written):
            return False
        touching = step.views if index < at else step.written
        if any(may_overlap(view, target) for view in touching):
            return False
    return True


def _is_whole(view: View) -> bool:
    """Whether a view shows each element of its tensor once."""
    if any(stride == STILL and size != ONE for stride, size in zip(view.strides, view.dims, strict=True)):
        return False
    for samples in _PROBES:
        count = 1
        for size in view.dims:
            count *= size.base + size.factor * samples
        columns = view.tensor.columns
        if count != view.tensor.rows * (columns.base + columns.factor * samples):
            return False
    return True


def keep_states_in_place(plan: Plan) -> None:
    """Recurrent layers work on their states themselves instead of on copies that are written back."""
    writers, readers = writers_of(plan), readers_of(plan)
    for last in list(plan.steps):
        state = last.outputs[0].tensor
        if last.kernel is not KernelId.COPY or state.kind is not Kind.STATE:
            continue
        work = last.inputs[0].tensor
        if work.kind is not Kind.BLOCK or not _is_whole(last.inputs[0]) or not _is_whole(last.outputs[0]):
            continue
        firsts = [each for each in writers.get(work, []) if each.kernel is KernelId.COPY]
        begins = _same_layout(last.inputs[0], last.outputs[0]) and all(
            each.inputs[0].tensor is state and _same_place(each.inputs[0], each.outputs[0]) for each in firsts
        )
        begins = begins and all(_comes_first(plan, each) for each in firsts) and _comes_last(plan, last)
        alone = readers.get(state, set()) <= set(firsts) and writers[state] == [last] and bool(firsts)
        if not begins or not alone or plan.output.tensor is work:
            continue
        plan.steps = [each for each in plan.steps if each is not last and each not in firsts]
        plan.replace_views(lambda view, a=work, b=state: replace(view, tensor=b) if view.tensor is a else view)
        writers, readers = writers_of(plan), readers_of(plan)


def _comes_first(plan: Plan, copy: Step) -> bool:
    """Whether nothing is written before it to the place that it writes."""
    before = plan.steps[: plan.steps.index(copy)]
    return not any(may_overlap(view, copy.outputs[0]) for step in before for view in step.written)


def _comes_last(plan: Plan, copy: Step) -> bool:
    """Whether nothing is written after it to the place that it reads."""
    after = plan.steps[plan.steps.index(copy) + 1 :]
    return not any(view.tensor is copy.inputs[0].tensor for step in after for view in step.written)


def _same_layout(a: View, b: View) -> bool:
    same = all(size == ONE or x == y for size, x, y in zip(a.dims, a.strides, b.strides, strict=True))
    return same and a.row == b.row and a.column == b.column and a.tensor.columns == b.tensor.columns


def _same_place(a: View, b: View) -> bool:
    return a.dims == b.dims and _same_layout(a, b)


def drop_unread(plan: Plan) -> None:
    """Leave out steps whose results nobody reads."""
    kept: list[Step] = []
    read = {plan.output.tensor}
    for step in reversed(plan.steps):
        lasting = any(each.tensor.kind is not Kind.BLOCK for each in step.views if each in step.outputs)
        moved = step.kernel in MOVED_ON
        if lasting or moved or any(each.tensor in read for each in step.outputs):
            kept.append(step)
            read |= {each.tensor for each in step.views}
    plan.steps = kept[::-1]
