"""Torch's own settings have no say in what we compute: they are set aside for a while, and put back."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

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
    # Each only where it is needed, since they cost a microsecond a call.
    is_on_cpu = torch.get_default_device() == torch.device("cpu")
    user = object()
    try:
        _float32_by_default.enter(user)
        with (
            nullcontext() if is_on_cpu else torch.device("cpu"),
            torch.autocast("cpu", enabled=False) if torch.is_autocast_enabled("cpu") else nullcontext(),
            torch.autocast("cuda", enabled=False) if torch.is_autocast_enabled("cuda") else nullcontext(),
            torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext(),
            torch.no_grad(),
        ):
            yield
    finally:
        try:
            _float32_by_default.leave(user)
        except KeyboardInterrupt:  # on its threshold, perhaps
            _float32_by_default.leave(user)
            raise


class _Float32ByDefault:
    """The default type belongs to the whole process: the first to come in sets it, the last to leave puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[object, int] = {}  # and in which thread
        self._before = torch.float32

    def enter(self, user: object) -> None:
        with self._lock:
            if not self._users:
                self._before = torch.get_default_dtype()
            self._users[user] = threading.get_ident()
            torch.set_default_dtype(torch.float32)

    def leave(self, user: object) -> None:
        """Twice does nothing."""
        with self._lock:
            if self._users.keys() == {user}:
                torch.set_default_dtype(self._before)
            self._users.pop(user, None)

    def forget_other_threads(self) -> None:
        """In a forked child there is none of them, and nobody to leave for them."""
        self._lock = threading.Lock()
        here = {user: thread for user, thread in self._users.items() if thread == threading.get_ident()}
        if self._users and not here:
            torch.set_default_dtype(self._before)
        self._users = here


_float32_by_default = _Float32ByDefault()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_float32_by_default.forget_other_threads)
