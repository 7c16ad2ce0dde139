"""Settings of torch that checks and exports run under, and that are as before when they are done."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
import torch.jit

from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread


def optimiser(on: bool) -> AbstractContextManager[None]:
    """Modules that are first run inside use TorchScript's profiling optimiser, or do without.

    It is what hosts use. It also takes a third of a second for every module that is loaded, and more for every new
    shape, so that most checks turn it off.
    """
    return torch.jit.optimized_execution(on)  # pyright: ignore[reportPrivateImportUsage]


@contextmanager
def steady_conditions() -> Iterator[None]:
    """For checks: one thread, no gradients, no optimiser, and the caller's random numbers left where they were."""
    with plain_settings(), one_thread(), torch.random.fork_rng(devices=[]), optimiser(False):
        yield
