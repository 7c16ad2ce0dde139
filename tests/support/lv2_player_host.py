"""An LV2 host for the player: messages in atoms, a worker, and state; as lv2plug.in/ns describes them."""

import ctypes
import struct
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

from support.lv2_host import Lv2Instance

ATOM, PATCH = "http://lv2plug.in/ns/ext/atom#", "http://lv2plug.in/ns/ext/patch#"
_ROOM = 8192


class _Feature(Structure):
    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


class _Handled(Structure):
    """A handle and a function."""

    _fields_ = [("handle", c_void_p), ("function", c_void_p)]


class _Functions(Structure):
    """Two functions of an extension."""

    _fields_ = [("first", c_void_p), ("second", c_void_p)]


_MAP = CFUNCTYPE(c_uint32, c_void_p, c_char_p)
_SCHEDULE = CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)
_WORK = CFUNCTYPE(c_int, c_void_p, _SCHEDULE, c_void_p, c_uint32, c_char_p)
_WORKED = CFUNCTYPE(c_int, c_void_p, c_uint32, c_char_p)
_STORE = CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p, c_size_t, c_uint32, c_uint32)
_RETRIEVE = CFUNCTYPE(c_void_p, c_void_p, c_uint32, POINTER(c_size_t), POINTER(c_uint32), POINTER(c_uint32))
_SAVE = CFUNCTYPE(c_int, c_void_p, _STORE, c_void_p, c_uint32, c_void_p)
_RESTORE = CFUNCTYPE(c_int, c_void_p, _RETRIEVE, c_void_p, c_uint32, c_void_p)


class Lv2Player:
    """The player, and what a host offers it."""

    def __init__(self, bundle: Path, rate: float) -> None:
        self.names: list[str] = [""]
        self.scheduled: list[bytes] = []
        self._keep: list[Any] = []
        features = [
            self._feature("http://lv2plug.in/ns/ext/urid#map", _MAP(lambda _, uri: self.name(uri.decode()))),
            self._feature("http://lv2plug.in/ns/ext/worker#schedule", _SCHEDULE(self._schedule)),
        ]
        pointers = (POINTER(_Feature) * 3)(*(ctypes.pointer(each) for each in features), None)
        self._keep.append(pointers)
        self.plugin = Lv2Instance(bundle, "", rate, ctypes.addressof(pointers))
        self.uri = self.plugin.descriptor.uri.decode()
        self._messages = {"control": ctypes.create_string_buffer(_ROOM), "notify": ctypes.create_string_buffer(_ROOM)}
        for symbol, room in self._messages.items():
            self.plugin.connect(symbol, ctypes.addressof(room))
        self.send(b"")

    def name(self, uri: str) -> int:
        if uri not in self.names:
            self.names.append(uri)
        return self.names.index(uri)

    def _feature(self, uri: str, function: Any) -> Any:
        made = _Handled(None, ctypes.cast(function, c_void_p))
        self._keep += [function, made]
        return _Feature(uri.encode(), ctypes.addressof(made))

    def _schedule(self, _: int, size: int, data: int) -> int:
        self.scheduled.append(ctypes.string_at(data, size))
        return 0

    # ---- messages

    def send(self, events: bytes) -> None:
        """Into the control port, and room in the other one."""
        sequence = struct.pack("<IIII", 8 + len(events), self.name(f"{ATOM}Sequence"), 0, 0) + events
        ctypes.memmove(self._messages["control"], sequence, len(sequence))
        ctypes.memmove(self._messages["notify"], struct.pack("<II", _ROOM - 8, 0), 8)

    def message(self, kind: str, path: bytes | None = None, which: str = "artifact") -> bytes:
        """A patch:Set or patch:Get."""
        body = struct.pack("<II", 0, self.name(f"{PATCH}{kind}"))
        body += self._property("property", "URID", struct.pack("<I", self.name(f"{self.uri}#{which}")))
        if path is not None:
            body += self._property("value", "Path", path + b"\0")
        return struct.pack("<qII", 0, len(body), self.name(f"{ATOM}Object")) + body

    def _property(self, key: str, kind: str, value: bytes) -> bytes:
        head = struct.pack("<IIII", self.name(f"{PATCH}{key}"), 0, len(value), self.name(f"{ATOM}{kind}"))
        return head + value + bytes(-len(value) % 8)

    def told(self) -> str | None:
        """The path in the notify port."""
        data = self._messages["notify"].raw
        (size, kind) = struct.unpack_from("<II", data)
        assert kind == self.name(f"{ATOM}Sequence")
        if size == 8:
            return None
        assert struct.unpack_from("<I", data, 36)[0] == self.name(f"{PATCH}Set")
        (length, kind) = struct.unpack_from("<II", data, 72)
        assert kind == self.name(f"{ATOM}Path")
        return data[80 : 80 + length].rstrip(b"\0").decode()

    def run(self, samples: int = 0) -> None:
        self.plugin.descriptor.run(self.plugin.handle, samples)

    # ---- the worker

    def work(self) -> None:
        """What was scheduled, and its answers."""
        kind = self._extension("http://lv2plug.in/ns/ext/worker#interface")
        answers: list[bytes] = []

        def respond(_: int, size: int, data: int) -> int:
            answers.append(ctypes.string_at(data, size))
            return 0

        while self.scheduled:
            data = self.scheduled.pop(0)
            assert _WORK(kind.first)(self.plugin.handle, _SCHEDULE(respond), None, len(data), data) == 0
        for answer in answers:
            assert _WORKED(kind.second)(self.plugin.handle, len(answer), answer) == 0

    # ---- state

    def save(self) -> dict[str, tuple[bytes, str]]:
        saved: dict[str, tuple[bytes, str]] = {}

        def store(_: int, key: int, value: int, size: int, kind: int, flags: int) -> int:
            assert flags == 3
            saved[self.names[key]] = (ctypes.string_at(value, size), self.names[kind])
            return 0

        kind = self._extension("http://lv2plug.in/ns/ext/state#interface")
        assert _SAVE(kind.first)(self.plugin.handle, _STORE(store), None, 0, None) == 0
        return saved

    def restore(self, saved: dict[str, tuple[bytes, str]]) -> None:
        def retrieve(_: int, key: int, size: Any, kind: Any, flags: Any) -> int | None:
            found = saved.get(self.names[key])
            if found is None:
                return None
            keep = ctypes.create_string_buffer(found[0], len(found[0]))
            self._keep.append(keep)
            size[0], kind[0], flags[0] = len(found[0]), self.name(found[1]), 3
            return ctypes.addressof(keep)

        kind = self._extension("http://lv2plug.in/ns/ext/state#interface")
        made: Callable[..., int] = _RESTORE(kind.second)
        assert made(self.plugin.handle, _RETRIEVE(retrieve), None, 0, None) == 0

    def _extension(self, uri: str) -> Any:
        found = self.plugin.descriptor.extension_data(uri.encode())
        assert found
        return ctypes.cast(found, POINTER(_Functions)).contents
