"""The torch settings that rendering wants, put back as they were afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread


@contextmanager
def inference_settings(modules: Iterable[nn.Module] = ()) -> Iterator[None]:
    """No gradients, one thread, no denormals; ``modules`` in evaluation mode.

    Blocks of audio are too small for a second thread to pay, and the number of threads belongs to the calling thread.
    Denormals make decaying echoes 10 to 100 times slower and are 700 dB below full scale.
    """
    flushes = _flushes_denormals()
    try:
        torch.set_flush_denormal(True)
        with plain_settings(), evaluating(modules), one_thread():
            yield
    finally:
        torch.set_flush_denormal(flushes)


@contextmanager
def evaluating(modules: Iterable[nn.Module]) -> Iterator[None]:
    """``modules`` in evaluation mode, and then each part as it was."""
    training = [part for module in modules for part in module.modules() if part.training]
    try:
        for part in training:
            part.training = False
        yield
    finally:
        for part in training:
            part.training = True


def _flushes_denormals() -> bool:
    """Torch can set this but not tell it."""
    return bool((torch.full((16,), 1e-39, dtype=torch.float32, device="cpu") * 0.5 == 0.0).all())
