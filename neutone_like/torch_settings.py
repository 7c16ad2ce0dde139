"""Torch's own settings have no say in what we compute: they are set aside for a while, and put back."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import torch
import torch.jit


def optimiser(on: bool) -> AbstractContextManager[None]:
    """Modules that are first run inside use TorchScript's profiling optimiser, or do without.

    It is what hosts use. It also takes a third of a second for every module that is loaded, and more for every new
    shape, so that most checks turn it off.
    """
    return torch.jit.optimized_execution(on)  # pyright: ignore[reportPrivateImportUsage]


@contextmanager
def plain_settings() -> Iterator[None]:
    """Compute as a fresh program does, whatever the caller has set: float32 by default, on the CPU, without autocast,
    inference mode or gradients. Also a decorator.

    A tensor that is made in inference mode can't be written to outside it, so state made there would break later.
    """
    with ExitStack() as stack:
        stack.enter_context(_float32_by_default)
        if torch.get_default_device() != torch.device(
            "cpu"
        ):  # it costs a microsecond a call, so only where it is needed
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        yield


class _Float32ByDefault:
    """The default type belongs to the whole process: the first to come in sets it, the last to leave puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = torch.float32

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = torch.get_default_dtype()
                torch.set_default_dtype(torch.float32)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.set_default_dtype(self._before)


_float32_by_default = _Float32ByDefault()
