"""How long a plugin's block takes, measured by playing it."""

import _ctypes
import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.errors import CompileError
from neutone_like.plugin.lv2 import Layout

_SAMPLE_RATE = 48000
_BLOCK = 64
_BLOCKS = 400
_PART_OF_A_BLOCK = 1 / 3


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


@dataclass(frozen=True)
class PluginLoad:
    """What a host's blocks take on the machine where the plugin was made.

    Attributes:
        sample_rate: In Hz.
        block_size: Samples of each block.
        median_seconds: Of one in the middle.
        p99_seconds: All but one in a hundred take less. A model with blocks of its own computes them at once, in one of
            several of the host's.
    """

    sample_rate: int
    block_size: int
    median_seconds: float
    p99_seconds: float

    @property
    def part(self) -> float:
        """Of the time that a block lasts, which nothing may exceed: ``p99_seconds``."""
        return self.p99_seconds * self.sample_rate / self.block_size

    @property
    def is_heavy(self) -> bool:
        """Whether that is more than a third: too much for the host's callback, where other plugins play as well."""
        return self.part > _PART_OF_A_BLOCK

    def __str__(self) -> str:
        median, p99 = (f"{seconds * 1e6:.0f} us" for seconds in (self.median_seconds, self.p99_seconds))
        block = f"{self.block_size} samples at {self.sample_rate} Hz"
        return f"{median} for {block}, 99 in 100 below {p99} ({self.part:.0%})"


def measure_load(binary: Path, defaults: Sequence[float], layout: Layout) -> PluginLoad:
    """Play noise through a plugin, as an LV2 host would.

    Args:
        binary: The file of any format: they are the same.
        defaults: Of the model's parameters.
        layout: The channels of its first plugin.

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
    plugin: Any = library.lv2_descriptor(0).contents
    instance = ctypes.c_void_p(plugin.instantiate(ctypes.byref(plugin), _SAMPLE_RATE, b"", None))
    try:
        ports = _ports(defaults, layout)
        for index, port in enumerate(ports):
            plugin.connect_port(instance, index, port.ctypes.data)
        plugin.activate(instance)
        seconds = [_seconds_of(plugin.run, instance) for _ in range(_BLOCKS)]
    finally:
        plugin.cleanup(instance)
        _ctypes.dlclose(vars(library)["_handle"])
    median, p99 = np.percentile(seconds, [50, 99])
    return PluginLoad(_SAMPLE_RATE, _BLOCK, float(median), float(p99))


def _ports(defaults: Sequence[float], layout: Layout) -> list[npt.NDArray[np.float32]]:
    """Inputs, outputs, parameters, enabled, latency."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (layout.inputs, _BLOCK)).astype(np.float32)
    controls = [np.full(1, value, np.float32) for value in (*defaults, 1.0, 0.0)]
    return [*noise, *np.zeros((layout.outputs, _BLOCK), np.float32), *controls]


def _seconds_of(run: Callable[[ctypes.c_void_p, int], None], instance: ctypes.c_void_p) -> float:
    start = perf_counter()
    run(instance, _BLOCK)
    return perf_counter() - start
