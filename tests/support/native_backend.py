"""Drives a backend through its C table alone: what ``native/include/neutone_like/backend.h`` says, in ctypes."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
OK, ERROR, WRONG_SHAPE, UNSUPPORTED = range(4)
FLOATS = ctypes.POINTER(ctypes.c_float)


class ErrorBuffer(ctypes.Structure):
    _fields_ = [("message", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Setup(ctypes.Structure):
    _fields_ = [
        ("sample_rate", ctypes.c_int32),
        ("longest_block", ctypes.c_int32),
        ("fixed_block", ctypes.c_int32),
        ("in_channels", ctypes.c_int32),
        ("out_channels", ctypes.c_int32),
        ("look_behind", ctypes.c_int32),
        ("parameter_count", ctypes.c_int32),
        ("parameter_names", ctypes.POINTER(ctypes.c_char_p)),
    ]


class Facts(ctypes.Structure):
    _fields_ = [("delay_samples", ctypes.c_int32), ("state_count", ctypes.c_int32), ("states", ctypes.c_void_p)]


class Block(ctypes.Structure):
    _fields_ = [
        ("samples", ctypes.c_int32),
        ("audio_in", FLOATS),
        ("audio_out", FLOATS),
        ("parameters", ctypes.POINTER(FLOATS)),
        ("parameter_lengths", ctypes.POINTER(ctypes.c_int32)),
        ("states_in", ctypes.c_void_p),
        ("states_out", ctypes.c_void_p),
    ]


class Table(ctypes.Structure):
    _fields_ = [
        ("abi", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        (
            "create",
            ctypes.CFUNCTYPE(
                ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), ErrorBuffer
            ),
        ),
        ("clone", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ErrorBuffer)),
        (
            "prepare",
            ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Setup), ctypes.POINTER(Facts), ErrorBuffer),
        ),
        ("process", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Block), ErrorBuffer)),
        ("reset", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ErrorBuffer)),
        ("destroy", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("thread_started", ctypes.CFUNCTYPE(None)),
    ]


class BackendFailure(Exception):
    """A status other than OK, with its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def load_table(path: Path) -> Any:
    """The table of the backend in a shared object."""
    library = ctypes.CDLL(str(path))
    library.neutone_like_backend.restype = ctypes.POINTER(Table)
    library.neutone_like_backend.argtypes = [ErrorBuffer]
    buffer = ctypes.create_string_buffer(1000)
    table = library.neutone_like_backend(ErrorBuffer(ctypes.cast(buffer, ctypes.c_char_p), len(buffer)))
    if not table:
        raise BackendFailure(ERROR, buffer.value.decode())
    return table.contents


class BackendInstance:
    """One instance. Arrays go in and come out; a failure raises :class:`BackendFailure`."""

    def __init__(self, table: Any, source: str | Path, options: str = "", handle: Any = None) -> None:
        self.table = table
        self.setup = Setup()
        self.buffer = ctypes.create_string_buffer(2000)
        self.handle = ctypes.c_void_p() if handle is None else handle
        if handle is None:
            self._check(table.create(str(source).encode(), options.encode(), ctypes.byref(self.handle), self._error()))

    def _error(self) -> ErrorBuffer:
        return ErrorBuffer(ctypes.cast(self.buffer, ctypes.c_char_p), len(self.buffer))

    def _check(self, status: int) -> None:
        if status != OK:
            raise BackendFailure(status, self.buffer.value.decode())

    def clone(self) -> "BackendInstance":
        copy = ctypes.c_void_p()
        self._check(self.table.clone(self.handle, ctypes.byref(copy), self._error()))
        other = BackendInstance(self.table, "", handle=copy)
        other.setup = self.setup
        return other

    def prepare(
        self,
        sample_rate: int,
        block: int,
        channels: tuple[int, int],
        *,
        names: Sequence[str] = (),
        look_behind: int = 0,
        fixed: bool = True,
    ) -> int:
        """Returns the delay that the instance reports."""
        texts = (ctypes.c_char_p * len(names))(*[name.encode() for name in names])
        self.setup = Setup(sample_rate, block, fixed, *channels, look_behind, len(names), texts)
        facts = Facts()
        self._check(self.table.prepare(self.handle, ctypes.byref(self.setup), ctypes.byref(facts), self._error()))
        assert facts.state_count == 0
        return int(facts.delay_samples)

    def process(self, audio: Audio, parameters: Sequence[Audio] = ()) -> Audio:
        """``audio`` has the look-behind in front; each parameter has one value, or one for each new sample."""
        audio = np.ascontiguousarray(audio, dtype=np.float32)
        samples = audio.shape[1] - self.setup.look_behind
        output = np.full((self.setup.out_channels, samples), np.nan, dtype=np.float32)
        values = [np.ascontiguousarray(value, dtype=np.float32) for value in parameters]
        block = Block(
            samples,
            audio.ctypes.data_as(FLOATS),
            output.ctypes.data_as(FLOATS),
            (FLOATS * len(values))(*[value.ctypes.data_as(FLOATS) for value in values]),
            (ctypes.c_int32 * len(values))(*[len(value) for value in values]),
        )
        status = self.table.process(self.handle, ctypes.byref(block), self._error())
        # The engine uses its buffers again: whoever kept a view of them would hear this.
        audio[:] = np.nan
        for value in values:
            value[:] = np.nan
        self._check(status)
        return output

    def reset(self) -> None:
        self._check(self.table.reset(self.handle, self._error()))

    def destroy(self) -> None:
        self.table.destroy(self.handle)
