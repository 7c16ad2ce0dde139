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
    reach, samples, still = 1, inputs.size(-2), matrices.size(-3) == 1
    while reach < samples:
        earlier = found[..., : samples - reach, :]
        if still:
            joined = earlier @ matrices[..., 0, :, :].transpose(-1, -2) + found[..., reach:, :]
            matrices = matrices @ matrices
        else:
            later = matrices[..., reach:, :, :]
            joined = (later * earlier.unsqueeze(-2)).sum(-1) + found[..., reach:, :]
            matrices = torch.cat([matrices[..., :reach, :, :], later @ matrices[..., : samples - reach, :, :]], -3)
        found = torch.cat([found[..., :reach, :], joined], -2)
        reach *= 2
    return torch.cat([state.unsqueeze(-2), found], -2)
