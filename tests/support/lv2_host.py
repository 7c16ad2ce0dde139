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
