"""Linear recurrences over many samples at once."""

import torch
from torch import Tensor

from neutone_like.graph.whole_recurrences import recurrences_are_whole, whole_linear_scan


def linear_scan(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """The states of ``s[n + 1] = A[n] s[n] + u[n]``: what every sample finds, and last what the block leaves.

    Neighbouring steps are joined into longer ones, pairs first, so that the work is ``log2`` of the samples operations
    on whole blocks instead of one for each sample. It runs in TorchScript, and compiled models take it as one step. A
    product of steps is never larger than the recurrence itself makes it, so a stable one stays stable.

    Args:
        matrices: ``[..., samples or 1, order, order]``; 1 is the same for every sample, and what comes before may be 1
            and is repeated.
        inputs: ``[..., samples, order]``.
        state: ``[..., order]``, what the first sample finds.

    Returns:
        ``[..., samples + 1, order]``.

    Source: Hillis and Steele, Data Parallel Algorithms, 1986; Blelloch, Prefix Sums and Their Applications, 1990.
    """
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        if recurrences_are_whole():  # which TorchScript doesn't know: a condition of its own
            return whole_linear_scan(matrices, inputs, state)
    elif _may_write(matrices, inputs, state):
        return _scan_in_place(matrices, inputs, state)
    first = (matrices[..., 0, :, :] @ state.unsqueeze(-1)).squeeze(-1) + inputs[..., 0, :]
    found = torch.cat([first.unsqueeze(-2), inputs[..., 1:, :]], -2)
    if matrices.size(-3) == 1:
        return torch.cat([state.unsqueeze(-2), _unvarying_scan(matrices[..., 0, :, :], found)], -2)
    return torch.cat([state.unsqueeze(-2), _varying_scan(matrices, found)], -2)


def _may_write(matrices: Tensor, inputs: Tensor, state: Tensor) -> bool:
    """Whether a step for every sample is in float64, and nobody asks for gradients, which need what is written over."""
    if matrices.size(-3) == 1 or matrices.requires_grad or inputs.requires_grad or state.requires_grad:
        return False
    return matrices.dtype == torch.float64 and inputs.dtype == torch.float64 and state.dtype == torch.float64


def _unvarying_scan(step: Tensor, found: Tensor) -> Tensor:
    """``[..., samples, order]``, the states after each sample, where the first is found already."""
    reach, samples = 1, found.size(-2)
    while reach < samples:
        joined = found[..., : samples - reach, :] @ step.transpose(-1, -2) + found[..., reach:, :]
        found = torch.cat([found[..., :reach, :], joined], -2)
        step = step @ step
        reach *= 2
    return found


def _varying_scan(matrices: Tensor, found: Tensor) -> Tensor:
    """The same with a step for every sample. Samples come last: products of many small matrices would take much longer.

    A step that leads to a state which is found already is dropped.
    """
    reach, samples, order = 1, found.size(-2), found.size(-1)
    found = found.transpose(-1, -2).contiguous()
    steps = matrices.narrow(-3, 1, samples - 1).movedim(-3, -1).contiguous()
    while reach < samples:
        left = samples - reach
        entering = (steps * found.narrow(-1, 0, left).unsqueeze(-3)).sum(-2)
        found = torch.cat([found.narrow(-1, 0, reach), found.narrow(-1, reach, left) + entering], -1)
        left -= reach
        if left > 0:
            columns = steps.narrow(-1, reach, left).split(1, -2)
            rows = steps.narrow(-1, 0, left).split(1, -3)
            steps = columns[0] * rows[0]
            for inner in range(1, order):
                steps = torch.addcmul(steps, columns[inner], rows[inner])
        reach *= 2
    return found.transpose(-1, -2)


def _scan_in_place(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """A step for every sample, in TorchScript: short blocks take the time of their operations, not of their numbers.

    A step and what it brings in are one tensor, ``[groups, order, order + columns, samples]``: inputs that share a
    matrix are further columns beside it. With ``D = A - 1`` joining two steps is the same sum for all columns,

        later + earlier + D_later @ earlier

    and is written over the later ones. A product of steps that shrinks to nothing is then -1 to within rounding, which
    is why it takes float64.
    """
    leading: list[int] = list(inputs.size())[:-2]
    order, samples = inputs.size(-1), inputs.size(-2)
    groups, shared = inputs.numel() // (samples * order), samples * order * order
    columns = 1
    if matrices.numel() == shared:
        groups, columns = 1, groups
    elif matrices.numel() != groups * shared:
        matrices = matrices.expand(leading + [samples, order, order])  # noqa: RUF005  # TorchScript unpacks no lists
    steps = matrices.reshape([groups, samples, order, order]).permute(0, 2, 3, 1)
    driven = inputs.reshape([groups, columns, samples, order]).permute(0, 3, 1, 2)
    start = state.reshape([groups, columns, order]).transpose(1, 2)
    maps = torch.cat([steps, driven], 2)
    found = maps.narrow(2, order, columns)
    found.select(3, 0).baddbmm_(steps.select(3, 0), start)
    maps.narrow(2, 0, order).diagonal(0, 1, 2).sub_(1.0)
    widths = [1] * order + [columns]
    reach = 1
    while reach < samples:
        left = samples - reach
        later, earlier = maps.narrow(3, reach, left), maps.narrow(3, 0, left)
        changes, rows = later.split_with_sizes(widths, 2), earlier.split(1, 1)
        joined = torch.addcmul(earlier, changes[0], rows[0])
        for inner in range(1, order):
            joined.addcmul_(changes[inner], rows[inner])
        later.add_(joined)
        reach *= 2
    states = torch.cat([start.unsqueeze(3), found], 3).permute(0, 2, 3, 1)
    return states.reshape(leading + [samples + 1, order])  # noqa: RUF005
