"""Linear recurrences, whole: recursive filters, whose coefficients may change with every sample."""

import torch

from neutone_like.compiler.extent import ONE, ZERO
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.lowering.context import Context, Lowered, lowers
from neutone_like.compiler.lowering.products import picked_at, places_of
from neutone_like.compiler.tensor import View
from neutone_like.errors import CompileError
from neutone_like.graph import LINEAR_SCAN, Node

MOST_STATES = 16


@lowers(LINEAR_SCAN)
def _linear_scan(context: Context, node: Node, matrices: Lowered, inputs: Lowered, state: Lowered) -> View:
    """The state before the block, and behind it what the kernel makes of it: ``[..., samples + 1, order]``."""
    *others, columns, order = context.shape(node).dims
    if (order.constant or 0) not in range(1, MOST_STATES + 1):
        raise CompileError(f"a recurrence of {order} states; 1 to {MOST_STATES} compile: use sections (Biquad)")
    dims, samples = (*others, order), columns - 1
    whole = _time_last(context.new((*dims, columns), double=context.shape(node).dtype == torch.float64))
    begin, end = context.view(state).expanded(dims), context.new(dims, double=True)
    context.add(KernelId.COPY, [whole.selected(len(others), ZERO)], [begin])
    context.add(KernelId.COPY, [end], [begin])
    out = _time_last(whole.sliced(len(others), ONE, samples))
    steps = context.view(matrices).expanded((*others, samples, order, order))
    _recur(context, len(others), [out, _time_last(steps, 2), _time_last(context.view(inputs)), end])
    return whole


def _recur(context: Context, rank: int, views: list[View]) -> None:
    """One step for each place of all dimensions before the states but the longest, which the kernel loops over."""
    if not rank:
        rank, views = 1, [each.with_one(0) for each in views]
    sizes = views[0].dims[:rank]
    rows = max(range(rank), key=lambda dim: sizes[dim].constant or 0)
    loops = [dim for dim in range(rank) if dim != rows]
    for places in places_of([sizes[dim] for dim in loops]):
        out, *read = [picked_at(each, loops, places) for each in views]
        context.add(KernelId.RECURRENCE, [out], read)


def _time_last(view: View, behind: int = 1) -> View:
    """``[..., samples, states]`` with samples last, or the other way round."""
    dims = list(range(view.rank))
    dims.append(dims.pop(-1 - behind))
    return view.permuted(dims)
