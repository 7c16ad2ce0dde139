"""A small CLAP host in Python: audio on a thread of its own, and it notes on which thread a plugin calls it."""

import _ctypes
import ctypes
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import byref, c_void_p, cast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from support import clap_abi as abi

Audio = npt.NDArray[np.float32]
Steps = Iterable[tuple[int, str, float]]  # at which sample, which parameter, which value
LAYOUTS = {(2, 2): 0, (1, 1): 1, (1, 2): 2}
_PARAM_VALUE = 5
_CONTINUE, _TAIL = 1, 3
_GESTURES = {7: "begin", 8: "end"}


@dataclass
class Calls:
    """What a plugin asked of its host: the function, and whether it came on the main thread."""

    made: list[tuple[str, bool]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    told: list[tuple[str, int, float]] = field(
        default_factory=list
    )  # "begin", "value" or "end", of which, and the value
    timers: dict[int, int] = field(default_factory=dict)  # ms between two calls


class ClapFile:
    """A ``.clap``, loaded."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.entry: Any = abi.Entry.in_dll(self.library, "clap_entry")
        assert self.entry.init(str(path).encode())
        self.factory: Any = cast(self.entry.get_factory(b"clap.plugin-factory"), ctypes.POINTER(abi.Factory)).contents
        assert self.factory.count(byref(self.factory)) == 1
        self.descriptor: Any = self.factory.descriptor(byref(self.factory), 0).contents

    def close(self) -> None:
        """Unload it."""
        self.entry.deinit()
        handle = vars(self.library)["_handle"]
        del self.library, self.entry, self.factory, self.descriptor
        _ctypes.dlclose(handle)


@contextmanager
def opened(path: Path) -> Iterator["ClapInstance"]:
    """One instance of a file."""
    file = ClapFile(path)
    instance = ClapInstance(file)
    try:
        yield instance
    finally:
        instance.close()


class ClapInstance:
    """A plugin and the host around it."""

    def __init__(self, file: ClapFile) -> None:
        self.file = file
        self.calls = Calls()
        self._main = threading.get_ident()
        self._audio = ThreadPoolExecutor(1)
        self._host = self._make_host()
        made = file.factory.create(byref(file.factory), byref(self._host), file.descriptor.id)
        assert made, "the factory made nothing"
        self.plugin: Any = made.contents
        self._at: Any = c_void_p(ctypes.addressof(self.plugin))
        assert self.plugin.init(self._at)
        self.params: Any = self._extension("clap.params", abi.Params)
        self.parameters = self._read_parameters()
        self.is_active = False
        self.layout = (2, 2)
        self.status = 0  # of the last process

    # ---- the host's side

    def _make_host(self) -> Any:
        def note(name: str) -> Any:
            return lambda *_: self.calls.made.append((name, threading.get_ident() == self._main))

        def log(_host: int, _severity: int, message: bytes) -> None:
            self.calls.log.append(message.decode(errors="replace"))

        def failed(_host: int, _kind: int, _location: bytes, _key: bytes, _error: int, message: bytes) -> None:
            self.calls.made.append(("preset.on_error", threading.get_ident() == self._main))
            self.calls.log.append(message.decode(errors="replace"))

        def register(_host: int, milliseconds: int, timer: Any) -> bool:
            timer[0] = len(self.calls.timers) + 7
            self.calls.timers[timer[0]] = milliseconds
            return True

        def unregister(_host: int, timer: int) -> bool:
            return self.calls.timers.pop(timer, None) is not None

        timers = abi.HostTimers(abi.TimerRegister(register), abi.TimerUnregister(unregister))
        self._extensions: Mapping[bytes, Any] = {
            b"clap.timer-support": timers,
            b"clap.latency": abi.HostLatency(abi.HostCall(note("latency.changed"))),
            b"clap.tail": abi.HostTail(abi.HostCall(note("tail.changed"))),
            b"clap.state": abi.HostState(abi.HostCall(note("state.mark_dirty"))),
            b"clap.params": abi.HostParams(
                abi.HostRescan(note("params.rescan")), abi.HostClear(note("clear")), abi.HostCall(note("request_flush"))
            ),
            b"clap.log": abi.HostLogging(abi.HostLog(log)),
            b"clap.preset-load/2": abi.HostPresets(abi.PresetError(failed), abi.PresetLoaded(note("preset.loaded"))),
        }

        def extension(_host: int, name: bytes) -> int | None:
            found = self._extensions.get(name)
            return None if found is None else ctypes.addressof(found)

        texts = (b"test host", b"tests", b"", b"1")
        requests = (abi.HostCall(note(name)) for name in ("request_restart", "request_process", "request_callback"))
        return abi.Host(abi.Version(1, 1, 1), None, *texts, abi.HostExtension(extension), *requests)

    def _extension(self, name: str, kind: Any) -> Any:
        found = self.plugin.get_extension(self._at, name.encode())
        assert found, name
        return cast(found, ctypes.POINTER(kind)).contents

    def _read_parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for index in range(self.params.count(self._at)):
            info: Any = abi.ParamInfo()
            assert self.params.get_info(self._at, index, byref(info))
            found[info.name.decode()] = info
        return found

    def read_again(self) -> None:
        """The parameters, as after a rescan."""
        self.parameters = self._read_parameters()

    def open_artifact(self, path: Path | str) -> bool:
        """As a preset of the player's."""
        presets = self._extension("clap.preset-load/2", abi.Presets)
        is_good = bool(presets.from_location(self._at, 0, os.fsencode(path), None))
        self.read_again()
        return is_good

    # ---- a window

    def offers_window(self) -> bool:
        return bool(self.plugin.get_extension(self._at, b"clap.gui"))

    def gui(self) -> Any:
        return self._extension("clap.gui", abi.Gui)

    def open_window(self, parent: int) -> bool:
        gui = self.gui()
        window = abi.Window(b"x11", parent)
        return bool(gui.set_parent(self._at, byref(window)) and gui.show(self._at))

    def window_size(self) -> tuple[int, int]:
        width, height = ctypes.c_uint32(), ctypes.c_uint32()
        assert self.gui().get_size(self._at, byref(width), byref(height))
        return width.value, height.value

    def tick(self) -> None:
        """Each timer that the plugin has, once."""
        on_timer = self._extension("clap.timer-support", abi.Timer).on_timer
        for timer in list(self.calls.timers):
            on_timer(self._at, timer)

    @property
    def at(self) -> Any:
        return self._at

    # ---- what tests ask for

    def value(self, name: str) -> float:
        got = ctypes.c_double()
        assert self.params.get_value(self._at, self.parameters[name].id, byref(got))
        return got.value

    def text(self, name: str, value: float) -> str:
        room = ctypes.create_string_buffer(64)
        assert self.params.value_to_text(self._at, self.parameters[name].id, value, room, 64)
        return room.value.decode()

    def value_of(self, name: str, text: str) -> float | None:
        got = ctypes.c_double()
        known = self.params.text_to_value(self._at, self.parameters[name].id, text.encode(), byref(got))
        return got.value if known else None

    def ports(self) -> tuple[int, int]:
        kind = self._extension("clap.audio-ports", abi.AudioPorts)
        channels: list[int] = []
        for is_input in (True, False):
            info: Any = abi.PortInfo()
            assert kind.count(self._at, is_input) == 1
            assert kind.get(self._at, 0, is_input, byref(info))
            channels.append(info.channels)
        return channels[0], channels[1]

    def offers(self, which: int) -> bool:
        """Whether it has a layout of this number."""
        return bool(self._extension("clap.audio-ports-config", abi.PortsConfig).select(self._at, which))

    def choose(self, layout: tuple[int, int], which: int | None = None) -> None:
        assert self.offers(LAYOUTS[layout] if which is None else which)
        self.layout = layout
        assert self.ports() == layout

    def activate(self, rate: float, longest: int) -> None:
        assert self.plugin.activate(self._at, rate, 1, longest)
        self.is_active = True
        assert self._audio.submit(self.plugin.start_processing, self._at).result()

    def deactivate(self) -> None:
        self._audio.submit(self.plugin.stop_processing, self._at).result()
        self.plugin.deactivate(self._at)
        self.is_active = False

    def reset(self) -> None:
        self._audio.submit(self.plugin.reset, self._at).result()

    def latency(self) -> int:
        return self._extension("clap.latency", abi.Samples).get(self._at)

    def tail(self) -> int:
        return self._extension("clap.tail", abi.Samples).get(self._at)

    def set(self, name: str, value: float) -> None:
        """By a flush, on the thread that the rules name."""
        events, keep = self.events([(0, name, value)])
        self._flush(events)
        del keep

    def flush(self) -> None:
        """Let the plugin tell what it has, as after request_flush."""
        events, keep = self.events(())
        self._flush(events)
        del keep

    def _flush(self, events: Any) -> None:
        listening = self._listening()
        call = (self.params.flush, self._at, byref(events), byref(listening))
        if self.is_active:
            self._audio.submit(*call).result()
        else:
            self.params.flush(*call[1:])

    def _listening(self) -> Any:
        return abi.OutputEvents(None, abi.EventPush(self._hear))

    def _hear(self, _: int, at: int) -> bool:
        kind = cast(at, ctypes.POINTER(abi.Event)).contents
        if kind.type == _PARAM_VALUE:
            value = cast(at, ctypes.POINTER(abi.ParamValue)).contents
            self.calls.told.append(("value", value.id, value.value))
        else:
            gesture = cast(at, ctypes.POINTER(abi.Gesture)).contents
            self.calls.told.append((_GESTURES[kind.type], gesture.id, 0.0))
        return True

    def play(self, sound: Audio, blocks: Iterable[int], steps: Steps = (), in_place: bool = False) -> Audio:
        """All of ``sound`` in blocks of these lengths, over and over; parameter events where ``steps`` says."""
        outputs = np.empty((self.layout[1], sound.shape[1]), np.float32)
        lengths, at, todo = list(blocks), 0, sorted(steps)
        for turn in range(10**9):
            if at == sound.shape[1]:
                return outputs
            end = min(at + lengths[turn % len(lengths)], sound.shape[1])
            now = [(when - at, name, value) for when, name, value in todo if at <= when < end]
            outputs[:, at:end] = self._audio.submit(self.block, sound[:, at:end], now, in_place).result()
            at = end
        raise AssertionError

    def block(self, sound: Audio, steps: Steps = (), in_place: bool = False) -> Audio:
        """One call of process, on this thread."""
        inputs = np.ascontiguousarray(sound)
        outputs = inputs if in_place else np.full((self.layout[1], sound.shape[1]), 9.0, np.float32)
        into, outof = _rows(inputs), _rows(outputs)
        given, got = abi.AudioBuffer(into, None, len(inputs)), abi.AudioBuffer(outof, None, len(outputs))
        events, keep = self.events(steps)
        pushing = self._listening()
        process = abi.Process(
            -1, sound.shape[1], None, *(ctypes.addressof(each) for each in (given, got)), 1, 1,
            *(ctypes.addressof(each) for each in (events, pushing)),
        )  # fmt: skip
        self.status = self.plugin.process(self._at, byref(process))
        assert self.status in (_CONTINUE, _TAIL)
        del keep
        return outputs

    def events(self, steps: Steps) -> tuple[Any, Any]:
        """The list of a call, and what must live as long."""
        size = ctypes.sizeof(abi.ParamValue)
        made = [
            abi.ParamValue(
                abi.Event(size, time, 0, _PARAM_VALUE, 0), self.parameters[name].id, None, -1, -1, -1, -1, value
            )
            for time, name, value in steps
        ]
        count = abi.EventCount(lambda _: len(made))
        each = abi.EventAt(lambda _, index: ctypes.addressof(made[index]))
        return abi.InputEvents(None, count, each), (made, count, each)

    def save(self, most: int = 7) -> bytes:
        """The state, by a stream that takes a few bytes at a time."""
        saved = bytearray()

        def write(_: int, data: int, count: int) -> int:
            taken = min(count, most)
            saved.extend(ctypes.string_at(data, taken))
            return taken

        stream = abi.Stream(None, abi.StreamCall(write))
        assert self._extension("clap.state", abi.State).save(self._at, byref(stream))
        return bytes(saved)

    def load(self, state: bytes, most: int = 5) -> bool:
        left = bytearray(state)

        def read(_: int, data: int, count: int) -> int:
            part = bytes(left[: min(count, most)])
            del left[: len(part)]
            ctypes.memmove(data, part, len(part))
            return len(part)

        stream = abi.Stream(None, abi.StreamCall(read))
        return bool(self._extension("clap.state", abi.State).load(self._at, byref(stream)))

    def close(self, unload: bool = False) -> None:
        if self.is_active:
            self.deactivate()
        self.plugin.destroy(self._at)
        self._audio.shutdown()
        if unload:
            self.file.close()


def _rows(audio: Audio) -> Any:
    return (c_void_p * len(audio))(*(row.ctypes.data for row in audio))
