"""Which of its rates a model runs at for a host."""

from typing import List, Optional

from neutone_like.errors import AudioError


def choose_rate(rates: List[int], host_rate: int, wanted: Optional[int]) -> int:
    """The host's own rate where the model has it, else the next one above, else the highest; or what is wanted.

    Args:
        rates: The model's, in Hz; empty for any.

    Raises:
        AudioError: A rate is wanted that is not the model's.
    """
    if wanted is not None:
        if wanted < 1 or (len(rates) > 0 and wanted not in rates):
            raise AudioError(f"The model's sample rates are {rates} (empty: any), got {wanted} Hz.")
        return wanted
    if len(rates) == 0 or host_rate in rates:
        return host_rate
    best = rates[0]
    for rate in rates:
        if best < host_rate:
            better = rate > best
        else:
            better = host_rate < rate and rate < best
        if better:
            best = rate
    return best
