"""A small LV2 host in Python, which connects the ports that the bundle's Turtle names."""

import ctypes
import re
from collections.abc import Iterable, Mapping
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_double, c_float, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
Steps = Mapping[int, Mapping[str, float]]


class _Descriptor(Structure):
    _fields_ = [
        ("uri", c_char_p),
        ("instantiate", CFUNCTYPE(c_void_p, c_void_p, c_double, c_char_p, c_void_p)),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("cleanup", CFUNCTYPE(None, c_void_p)),
        ("extension_data", CFUNCTYPE(c_void_p, c_char_p)),
    ]


class Lv2Instance:
    """One of a bundle's plugins: ``ending`` is what its URI has behind that of the stereo one."""

    def __init__(self, bundle: Path, ending: str, rate: float, features: Any = None) -> None:
        name = bundle.stem
        self.library = ctypes.CDLL(str(bundle / f"{name}.so"))
        self.library.lv2_descriptor.restype = POINTER(_Descriptor)
        self.descriptors: list[Any] = []
        while found := self.library.lv2_descriptor(len(self.descriptors)):
            self.descriptors.append(found.contents)
        (self.descriptor,) = [each for each in self.descriptors if each.uri.decode().partition("#")[2] == ending[1:]]
        text = (bundle / f"{name}.ttl").read_text("utf-8")
        mine = text[text.index(f"<{self.descriptor.uri.decode()}> a") :].partition(" .\n")[0]
        self.symbols = re.findall(r'lv2:symbol "(\w+)"', mine)
        self.indices = [int(index) for index in re.findall(r"lv2:index (\d+)", mine)]
        defaults = dict(re.findall(r'lv2:symbol "(\w+)"[^\[\]]*?lv2:default ([\d.e+-]+)', mine))
        self.controls = {symbol: c_float(float(defaults.get(symbol, "0"))) for symbol in self.symbols}
        self.handle: Any = self.descriptor.instantiate(byref(self.descriptor), rate, str(bundle).encode(), features)
        assert self.handle
        for symbol, control in self.controls.items():
            self.connect(symbol, ctypes.addressof(control))
        self.rows = {kind: [s for s in self.symbols if s.startswith(kind)] for kind in ("input_", "output_")}

    def connect(self, symbol: str, memory: int) -> None:
        self.descriptor.connect_port(self.handle, self.indices[self.symbols.index(symbol)], memory)

    def activate(self) -> None:
        self.descriptor.activate(self.handle)

    def play(self, sound: Audio, blocks: Iterable[int], steps: Steps | None = None) -> Audio:
        """In blocks of these lengths, over and over; the controls of ``steps`` at the blocks that begin there."""
        outputs = np.full((len(self.rows["output_"]), sound.shape[1]), 9.0, np.float32)
        lengths, at, turn = list(blocks), 0, 0
        while at < sound.shape[1]:
            for symbol, value in (steps or {}).get(at, {}).items():
                self.controls[symbol].value = value
            end = min(at + lengths[turn % len(lengths)], sound.shape[1])
            given = np.ascontiguousarray(sound[:, at:end])
            got = np.full((len(outputs), end - at), 9.0, np.float32)
            for kind, rows in (("input_", given), ("output_", got)):
                for symbol, row in zip(self.rows[kind], rows, strict=True):
                    self.connect(symbol, row.ctypes.data)
            self.descriptor.run(self.handle, end - at)
            outputs[:, at:end] = got
            at, turn = end, turn + 1
        return outputs

    def latency(self) -> int:
        self.descriptor.run(self.handle, 0)
        return int(self.controls["latency"].value)

    def close(self) -> None:
        self.descriptor.deactivate(self.handle)
        self.descriptor.cleanup(self.handle)


class _UiDescriptor(Structure):
    _fields_ = [
        ("uri", c_char_p),
        (
            "instantiate",
            CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_char_p, c_void_p, c_void_p, POINTER(c_void_p), POINTER(c_void_p)),
        ),
        ("cleanup", CFUNCTYPE(None, c_void_p)),
        ("port_event", CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_uint32, c_void_p)),
        ("extension_data", CFUNCTYPE(c_void_p, c_char_p)),
    ]


class _Feature(Structure):
    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


class _Handled(Structure):
    """A function that a host gives, and what it wants to get with it."""

    _fields_ = [("handle", c_void_p), ("function", c_void_p)]


_UI = "http://lv2plug.in/ns/extensions/ui#"


class Lv2Window:
    """The window of an instance. ``edits``: "begin", "value" or "end", of which port, and to what."""

    def __init__(self, instance: Lv2Instance, parent: int, *, has_instance: bool = True) -> None:
        self.edits: list[tuple[str, str, float]] = []
        self.size = (0, 0)
        self._instance = instance
        instance.library.lv2ui_descriptor.restype = POINTER(_UiDescriptor)
        self.descriptor: Any = instance.library.lv2ui_descriptor(0).contents
        write = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32, c_uint32, POINTER(c_float))(self._written)
        touch = CFUNCTYPE(None, c_void_p, c_uint32, ctypes.c_bool)(self._touched)
        resize = CFUNCTYPE(ctypes.c_int, c_void_p, ctypes.c_int, ctypes.c_int)(self._resized)
        touching = _Handled(None, ctypes.cast(touch, c_void_p))
        resizing = _Handled(None, ctypes.cast(resize, c_void_p))
        given = {
            f"{_UI}parent": parent,
            f"{_UI}touch": ctypes.addressof(touching),
            f"{_UI}resize": ctypes.addressof(resizing),
            "http://lv2plug.in/ns/ext/instance-access": instance.handle if has_instance else None,
        }
        features = [_Feature(uri.encode(), data) for uri, data in given.items() if data is not None]
        table = (c_void_p * (len(features) + 1))(*(ctypes.addressof(each) for each in features), None)
        self._kept = (write, touch, resize, touching, resizing, features, table)
        widget = c_void_p()
        self.handle = self.descriptor.instantiate(
            byref(self.descriptor), instance.descriptor.uri, b"", ctypes.cast(write, c_void_p), None,
            byref(widget), table,
        )  # fmt: skip
        self.widget = widget.value
        idle = self.descriptor.extension_data(f"{_UI}idleInterface".encode())
        self._idle = CFUNCTYPE(ctypes.c_int, c_void_p)(ctypes.cast(idle, POINTER(c_void_p))[0] or 0)

    def _name(self, port: int) -> str:
        return self._instance.symbols[self._instance.indices.index(port)]

    def _written(self, _: int, port: int, size: int, protocol: int, value: Any) -> None:
        assert (size, protocol) == (4, 0)
        self.edits.append(("value", self._name(port), value[0]))
        self._instance.controls[self._name(port)].value = value[0]

    def _touched(self, _: int, port: int, is_held: bool) -> None:
        self.edits.append(("begin" if is_held else "end", self._name(port), 0.0))

    def _resized(self, _: int, width: int, height: int) -> int:
        self.size = (width, height)
        return 0

    def tick(self) -> None:
        assert self._idle(self.handle) == 0

    def close(self) -> None:
        self.descriptor.cleanup(self.handle)
