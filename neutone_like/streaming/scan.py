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
    if not torch.jit.is_scripting():  # noqa: SIM102  # pyright: ignore[reportPrivateImportUsage]
        if recurrences_are_whole():  # which TorchScript doesn't know: a condition of its own
            return whole_linear_scan(matrices, inputs, state)
    first = (matrices[..., 0, :, :] @ state.unsqueeze(-1)).squeeze(-1) + inputs[..., 0, :]
    found = torch.cat([first.unsqueeze(-2), inputs[..., 1:, :]], -2)
    if matrices.size(-3) == 1:
        return torch.cat([state.unsqueeze(-2), _unvarying_scan(matrices[..., 0, :, :], found)], -2)
    return torch.cat([state.unsqueeze(-2), _varying_scan(matrices, found)], -2)


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
