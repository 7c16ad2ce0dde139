"""Settings of torch that checks and exports run under, and that are as before when they are done."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from neutone_like.torch_settings import optimiser as optimiser
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread


@contextmanager
def steady_conditions() -> Iterator[None]:
    """For checks: one thread, no gradients, no optimiser, and the caller's random numbers left where they were."""
    with plain_settings(), one_thread(), torch.random.fork_rng(devices=[]), optimiser(False):
        yield
