"""A plugin's binary played in this process, as an LV2 host would."""

import _ctypes
import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.errors import CompileError
from neutone_like.plugin.lv2 import Layout


class _Descriptor(ctypes.Structure):
    """LV2_Descriptor."""

    _fields_ = [
        ("uri", ctypes.c_char_p),
        (
            "instantiate",
            ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double, ctypes.c_char_p, ctypes.c_void_p),
        ),
        ("connect_port", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)),
        ("activate", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("run", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32)),
        ("deactivate", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("cleanup", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ]


class PlayingPlugin:
    """An instance.

    Attributes:
        inputs, outputs: ``[channels, block]`` float32: what the next :meth:`run` plays, and what the last one gave.
    """

    def __init__(self, descriptor: Any, handle: ctypes.c_void_p, parameters: int, layout: Layout, block: int) -> None:
        self._descriptor = descriptor
        self._handle = handle
        self.inputs = np.zeros((layout.inputs, block), np.float32)
        self.outputs = np.zeros((layout.outputs, block), np.float32)
        self._controls = np.zeros(parameters + 2, np.float32)  # and enabled, and latency
        ports = [*self.inputs, *self.outputs, *np.split(self._controls, parameters + 2)]
        for index, port in enumerate(ports):
            descriptor.connect_port(handle, index, port.ctypes.data)

    def begin(self, values: Sequence[float]) -> None:
        """As if nothing had been played, with these values of the parameters in their own units."""
        self.turn(values)
        self.run(0)  # takes the values, to which a fresh start jumps
        self._descriptor.activate(self._handle)

    def turn(self, values: Sequence[float]) -> None:
        """Set the parameters, in their own units, for the next :meth:`run`."""
        self._controls[:-1] = [*values, 1.0]

    def run(self, samples: int) -> None:
        """Play the first samples of ``inputs``."""
        self._descriptor.run(self._handle, samples)

    @property
    def latency_samples(self) -> int:
        """As :meth:`begin`, or the last :meth:`run`, was told."""
        return int(self._controls[-1])


@contextmanager
def playing(binary: Path, sample_rate: float, parameters: int, layout: Layout, block: int) -> Iterator[PlayingPlugin]:
    """An instance of a file's first plugin, as long as it is needed.

    Args:
        binary: The file of any format: they are the same.
        sample_rate: Of the host, in Hz.
        parameters: How many the model has.
        layout: The channels of that plugin.
        block: The most samples that are played at once.

    Raises:
        CompileError: The system doesn't load programs from there.
    """
    try:
        library = ctypes.CDLL(str(binary))
    except OSError as error:
        raise CompileError(
            f"The system doesn't load the plugin from {binary.parent}, so that it can't be measured: {error}. A file "
            "system may be mounted with noexec, where no host could load it either. Choose another folder."
        ) from error
    library.lv2_descriptor.restype = ctypes.POINTER(_Descriptor)
    descriptor: Any = library.lv2_descriptor(0).contents
    handle = ctypes.c_void_p(descriptor.instantiate(ctypes.byref(descriptor), sample_rate, b"", None))
    try:
        yield PlayingPlugin(descriptor, handle, parameters, layout, block)
    finally:
        descriptor.cleanup(handle)
        _ctypes.dlclose(vars(library)["_handle"])
