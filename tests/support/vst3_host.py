"""A small VST3 host in Python, for what pedalboard doesn't do: points at their samples, and latency that changes.

Objects are pointers to tables of functions, by their place in the interface.
"""

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_double,
    c_int32,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
Steps = Iterable[tuple[int, int, float]]  # sample, which parameter, its value in 0..1
COMPONENT = bytes.fromhex("E831FF31F2D54301928EBBEE25697802")
PROCESSOR = bytes.fromhex("42043F99B7DA453CA569E79D9AAEC33D")
RUN_LOOP = bytes.fromhex("18C3536697764F1A9C5B83857A871389")
CONTROLLER = bytes.fromhex("DCD7BBE37742448DA874AACC979C759E")
LATENCY_CHANGED = 1 << 3
_OK = 0


class _ClassInfo(Structure):
    _fields_ = [
        ("id", c_uint8 * 16),
        ("cardinality", c_int32),
        ("category", ctypes.c_char * 32),
        ("name", ctypes.c_char * 64),
    ]


class _ParameterInfo(Structure):
    _fields_ = [
        ("id", c_uint32),
        *((name, ctypes.c_uint16 * 128) for name in ("title", "short_title", "unit")),
        ("steps", c_int32),
        ("default", c_double),
        ("group", c_int32),
        ("flags", c_int32),
    ]


class _Setup(Structure):
    _fields_ = [("mode", c_int32), ("size", c_int32), ("longest", c_int32), ("rate", c_double)]


class _Bus(Structure):
    _fields_ = [("channels", c_int32), ("silence", c_uint64), ("rows", c_void_p)]


class _ProcessData(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("mode", "size", "samples", "input_count", "output_count")),
        *((name, c_void_p) for name in ("inputs", "outputs", "input_changes", "output_changes")),
        *((name, c_void_p) for name in ("input_events", "output_events", "context")),
    ]


def call(made: int, place: int, kind: Any, *arguments: Any) -> Any:
    """A function of an object, by its place."""
    table = ctypes.cast(made, POINTER(POINTER(c_void_p))).contents
    types = [type(each) if hasattr(each, "value") else c_void_p for each in arguments]
    return CFUNCTYPE(kind, c_void_p, *types)(table[place])(made, *arguments)


def utf16(units: Any) -> str:
    return bytes(units).decode("utf-16-le").partition("\0")[0]


class _Object:
    """An object of the host's: what every one has, then these functions."""

    def __init__(self, *functions: Any, faces: "Mapping[bytes, _Object] | None" = None) -> None:
        def query(_: int, name: int, found: Any) -> int:
            face = (faces or {}).get(ctypes.string_at(name, 16))
            found[0] = None if face is None else face.address
            return -1 if face is None else _OK

        nothing = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(c_void_p))(query)
        one = CFUNCTYPE(c_uint32, c_void_p)(lambda _: 1)
        self._functions = (nothing, one, one, *functions)
        self._faces = faces
        self._table = (c_void_p * len(self._functions))(
            *(ctypes.cast(each, c_void_p).value for each in self._functions)
        )
        self._at = (c_void_p * 1)(ctypes.addressof(self._table))
        self.address = ctypes.addressof(self._at)


def _queue(parameter: int, points: Sequence[tuple[int, float]]) -> _Object:
    def point(_: int, index: int, sample: Any, value: Any) -> int:
        sample[0], value[0] = points[index]
        return _OK

    return _Object(
        CFUNCTYPE(c_uint32, c_void_p)(lambda _: parameter),
        CFUNCTYPE(c_int32, c_void_p)(lambda _: len(points)),
        CFUNCTYPE(c_int32, c_void_p, c_int32, POINTER(c_int32), POINTER(c_double))(point),
    )


def _changes(queues: Sequence[_Object]) -> _Object:
    return _Object(
        CFUNCTYPE(c_int32, c_void_p)(lambda _: len(queues)),
        CFUNCTYPE(c_void_p, c_void_p, c_int32)(lambda _, index: queues[index].address),
    )


class Vst3Instance:
    """One instance of a bundle's plugin: stereo, or with as many outputs as it is told to have."""

    def __init__(self, bundle: Path, outputs: int = 2) -> None:
        self.outputs = outputs
        (binary,) = bundle.rglob("*.so")
        self._library = ctypes.CDLL(str(binary))
        self._library.GetPluginFactory.restype = c_void_p
        assert self._library.ModuleEntry(None)
        factory = self._library.GetPluginFactory()
        info: Any = _ClassInfo()
        assert call(factory, 5, c_int32, c_int32(0), byref(info)) == _OK
        made = c_void_p()
        assert call(factory, 6, c_int32, c_char_p(bytes(info.id)), c_char_p(COMPONENT), byref(made)) == _OK
        assert made.value is not None
        self.component = made.value
        self.processor, self.controller = self._face(PROCESSOR), self._face(CONTROLLER)
        self.restarts: list[int] = []
        self.when_restarted: Callable[[], None] = lambda: None
        self.edits: list[tuple[str, int, float]] = []  # "begin", "value" or "end", of which, and to what in 0..1
        self.timers: list[int] = []
        restart = CFUNCTYPE(c_int32, c_void_p, c_int32)(self._restarted)
        self._handler = _Object(
            CFUNCTYPE(c_int32, c_void_p, c_uint32)(lambda _, which: self._edited("begin", which, 0.0)),
            CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double)(lambda _, which, to: self._edited("value", which, to)),
            CFUNCTYPE(c_int32, c_void_p, c_uint32)(lambda _, which: self._edited("end", which, 0.0)),
            restart,
        )
        assert call(self.component, 3, c_int32, c_void_p(None)) == _OK
        assert call(self.controller, 16, c_int32, c_void_p(self._handler.address)) == _OK

    def _face(self, name: bytes) -> int:
        found = c_void_p()
        assert call(self.component, 0, c_int32, c_char_p(name), byref(found)) == _OK
        assert found.value is not None
        return found.value

    def _restarted(self, _: int, flags: int) -> int:
        self.restarts.append(flags)
        self.when_restarted()
        return _OK

    def _edited(self, kind: str, which: int, to: float) -> int:
        self.edits.append((kind, which, to))
        return _OK

    def frame(self, *, has_loop: bool = True) -> _Object:
        """What a window lies in: with timers, or without."""

        def take(_: int, handler: int, _milliseconds: int) -> int:
            self.timers.append(handler)
            return _OK

        def drop(_: int, handler: int) -> int:
            self.timers.remove(handler)
            return _OK

        unused = CFUNCTYPE(c_int32, c_void_p, c_void_p)(lambda *_: _OK)
        loop = _Object(
            unused,
            unused,
            CFUNCTYPE(c_int32, c_void_p, c_void_p, c_uint64)(take),
            CFUNCTYPE(c_int32, c_void_p, c_void_p)(drop),
        )
        return _Object(unused, faces={RUN_LOOP: loop} if has_loop else {})

    def tick(self) -> None:
        """Each timer that the plugin has, once."""
        for timer in list(self.timers):
            call(timer, 3, None)

    def arrange(self, inputs: int, outputs: int) -> bool:
        """Ask for speakers on each side, as bits; whether the plugin has them."""
        asked = [c_uint64(each) for each in (inputs, outputs)]
        return call(self.processor, 3, c_int32, byref(asked[0]), c_int32(1), byref(asked[1]), c_int32(1)) == _OK

    def arrangement(self, *, is_output: bool) -> int:
        """Which speakers it has, as bits."""
        found = c_uint64()
        assert call(self.processor, 4, c_int32, c_int32(is_output), c_int32(0), byref(found)) == _OK
        return found.value

    def latency(self) -> int:
        return call(self.processor, 6, c_uint32)

    def tail(self) -> int:
        return call(self.processor, 10, c_uint32)

    def parameter(self, index: int) -> Any:
        info: Any = _ParameterInfo()
        assert call(self.controller, 9, c_int32, c_int32(index), byref(info)) == _OK
        return info

    def parameter_id(self, index: int) -> int:
        return self.parameter(index).id

    def shown(self, parameter: int) -> float:
        return call(self.controller, 14, c_double, c_uint32(parameter))

    def prepare(self, rate: float, longest: int) -> None:
        call(self.component, 11, c_int32, c_uint8(0))
        assert call(self.processor, 7, c_int32, byref(_Setup(0, 0, longest, rate))) == _OK
        assert call(self.component, 11, c_int32, c_uint8(1)) == _OK

    def play(self, sound: Audio, block: int, steps: Steps = ()) -> Audio:
        todo = list(steps)
        parts: list[Audio] = []
        for at in range(0, sound.shape[1], block):
            part = sound[:, at : at + block]
            now = [(when - at, which, value) for when, which, value in todo if at <= when < at + block]
            parts.append(self.block(part, now))
        return np.concatenate(parts, axis=1)

    def block(self, sound: Audio, steps: Steps = ()) -> Audio:
        """One call of process; without sound it only takes the parameters."""
        given = np.ascontiguousarray(sound)
        got = np.full((self.outputs, given.shape[1]), 9.0, np.float32)
        points: dict[int, list[tuple[int, float]]] = {}
        for when, which, value in steps:
            points.setdefault(which, []).append((when, value))
        queues = [_queue(which, sorted(of)) for which, of in points.items()]
        changes = _changes(queues)
        rows = [(c_void_p * len(each))(*(row.ctypes.data for row in each)) for each in (given, got)]
        buses = [_Bus(len(each), 0, ctypes.addressof(each)) for each in rows]
        data = _ProcessData(
            0, 0, sound.shape[1], 1, 1, ctypes.addressof(buses[0]), ctypes.addressof(buses[1]), changes.address
        )
        assert call(self.processor, 9, c_int32, byref(data)) == _OK
        return got

    def save(self) -> bytes:
        saved = bytearray()

        def write(_: int, data: int, count: int, written: Any) -> int:
            saved.extend(ctypes.string_at(data, count))
            written[0] = count
            return _OK

        stream = _Object(c_void_p(None), CFUNCTYPE(c_int32, c_void_p, c_void_p, c_int32, POINTER(c_int32))(write))
        assert call(self.component, 13, c_int32, c_void_p(stream.address)) == _OK
        return bytes(saved)

    def load(self, state: bytes) -> bool:
        left = bytearray(state)

        def read(_: int, data: int, count: int, got: Any) -> int:
            part = bytes(left[: min(count, 5)])
            del left[: len(part)]
            ctypes.memmove(data, part, len(part))
            got[0] = len(part)
            return _OK

        stream = _Object(CFUNCTYPE(c_int32, c_void_p, c_void_p, c_int32, POINTER(c_int32))(read))
        return call(self.component, 12, c_int32, c_void_p(stream.address)) == _OK

    def view(self) -> int:
        """The window's object; 0: there is none."""
        return call(self.controller, 17, c_void_p, c_char_p(b"editor")) or 0

    def text(self, parameter: int, value: float) -> str:
        room = (ctypes.c_uint16 * 128)()
        assert call(self.controller, 10, c_int32, c_uint32(parameter), c_double(value), byref(room)) == _OK
        return utf16(room)

    def close(self) -> None:
        call(self.component, 11, c_int32, c_uint8(0))
        call(self.component, 4, c_int32)
        for face in (self.processor, self.controller, self.component):
            call(face, 2, c_uint32)
