"""TorchScript is what hosts load, and PyTorch warns of it with every call."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def expecting_torchscript() -> Iterator[None]:
    """Newer versions of PyTorch point to torch.export on every call, which is no news to whoever exports here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`?torch\.jit", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r"`?torch\.jit", category=FutureWarning)
        yield
