"""The torch settings that rendering wants, put back as they were afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from neutone_like.torch_threads import one_thread


@contextmanager
def inference_settings(modules: Iterable[nn.Module] = ()) -> Iterator[None]:
    """No gradients, one thread, no denormals; ``modules`` in evaluation mode.

    Blocks of audio are too small for a second thread to pay, and the number of threads belongs to the calling thread.
    Denormals make decaying echoes 10 to 100 times slower and are 700 dB below full scale.
    """
    flushes = _flushes_denormals()
    training = [part for module in modules for part in module.modules() if part.training]
    try:
        torch.set_flush_denormal(True)
        for part in training:
            part.training = False
        with one_thread(), torch.no_grad():
            yield
    finally:
        for part in training:
            part.training = True
        torch.set_flush_denormal(flushes)


def _flushes_denormals() -> bool:
    """Torch can set this but not tell it."""
    return bool((torch.full((16,), 1e-39) * 0.5 == 0.0).all())
