"""Block sizes of a wrapper that names none, and yet plays only the size that it was last told."""

import torch

from neutone_like.artifact.writing.probe import ANY_RATE, ANY_SIZES, example_arguments
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.model import WaveformToWaveformBase

# What hosts use. The Neutone SDK tells such a wrapper the host's block, and calls it with nothing else.
USUAL_SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


def sizes_it_is_told(model: WaveformToWaveformBase) -> tuple[int, ...]:
    """Which of the usual sizes work once ``prepare_model`` has named them; empty if any shorter block works as well."""
    told, other = ANY_SIZES[0], ANY_SIZES[1]
    if not _plays(model, told, told) or _plays(model, told, other):
        return ()
    return tuple(size for size in USUAL_SIZES if _plays(model, size, size))


def _plays(model: WaveformToWaveformBase, told: int, samples: int) -> bool:
    copy = working_copy(model)
    rate = copy.sample_rates[0] if copy.sample_rates else ANY_RATE
    try:
        with torch.no_grad():
            copy.prepare_model(rate, told)
            y = copy.do_forward_pass(*example_arguments(copy, samples))
    except Exception:  # a trial: what does not work at all is reported by the export's own probe, with its line
        return False
    return tuple(y.shape) == (copy.out_channels, samples)
