"""An X server without a screen: a window in it for plugins, a hand on its mouse and keyboard, and pictures of it."""

import ctypes
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_ulong, c_void_p
from ctypes.util import find_library
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from support.programs import ends_with_us

Picture = npt.NDArray[np.uint8]
_ALL_PLANES = 2**64 - 1
_Z_PIXMAP = 2
_WITHIN_SECONDS = 600
_KEY_PRESS, _KEY_PRESS_MASK = 2, 1
_SELECTION_REQUEST, _SELECTION_NOTIFY = 30, 31
_REVERT_TO_PARENT = 2


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Ask until it holds: a server tells its clients of one another when it comes to it."""
    end = time.monotonic() + _WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < end, f"not within {_WITHIN_SECONDS} seconds: {what}"
        time.sleep(0.005)


class _Image(ctypes.Structure):
    """The beginning of XImage."""

    _fields_ = [
        *((name, c_int) for name in ("width", "height", "xoffset", "format")),
        ("data", c_void_p),
        *((name, c_int) for name in ("byte_order", "unit", "bit_order", "pad", "depth", "bytes_per_line", "bits")),
    ]


class _SelectionRequest(ctypes.Structure):
    """XSelectionRequestEvent."""

    _fields_ = [
        *((name, c_ulong) for name in ("type", "serial", "is_sent", "display", "owner", "requestor")),
        *((name, c_ulong) for name in ("selection", "target", "property", "time")),
    ]


def _libraries() -> tuple[Any, Any]:
    """Xlib and XTest; skips where they or the server are missing."""
    names = [find_library("X11"), find_library("Xtst"), find_library("cairo")]
    if shutil.which("Xvfb") is None or None in names:
        pytest.skip("no Xvfb, libX11, libXtst or libcairo (Debian: apt-get install xvfb libxtst6 libcairo2)")
    xlib, xtest = ctypes.CDLL(names[0]), ctypes.CDLL(names[1])
    xlib.XOpenDisplay.restype = c_void_p
    xlib.XOpenDisplay.argtypes = [c_char_p]
    xlib.XDefaultRootWindow.restype = c_ulong
    xlib.XCreateSimpleWindow.restype = c_ulong
    xlib.XCreateSimpleWindow.argtypes = [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_uint, c_ulong, c_ulong]
    xlib.XQueryTree.argtypes = [c_void_p, c_ulong, c_void_p, c_void_p, c_void_p, c_void_p]
    xlib.XGetImage.restype = POINTER(_Image)
    xlib.XGetImage.argtypes = [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_ulong, c_int]
    xlib.XGetInputFocus.argtypes = [c_void_p, c_void_p, c_void_p]
    xlib.XKeysymToKeycode.restype = ctypes.c_ubyte
    xlib.XKeysymToKeycode.argtypes = [c_void_p, c_ulong]
    one_window = [c_void_p, c_ulong]
    names = ["XSync", "XCloseDisplay", "XDefaultRootWindow", "XMapWindow", "XUnmapWindow", "XDestroyWindow"]
    names += ["XResizeWindow", "XSelectInput", "XSetInputFocus", "XCheckTypedWindowEvent"]
    for name in names:
        getattr(xlib, name).argtypes = {
            "XSync": [c_void_p, c_int],
            "XMapWindow": one_window,
            "XUnmapWindow": one_window,
            "XDestroyWindow": one_window,
            "XSelectInput": [*one_window, ctypes.c_long],
            "XSetInputFocus": [*one_window, c_int, c_ulong],
            "XCheckTypedWindowEvent": [*one_window, c_int, c_void_p],
            "XResizeWindow": [c_void_p, c_ulong, c_uint, c_uint],
        }.get(name, [c_void_p])
    xlib.XInternAtom.restype = c_ulong
    xlib.XInternAtom.argtypes = [c_void_p, c_char_p, c_int]
    xlib.XSetSelectionOwner.argtypes = [c_void_p, c_ulong, c_ulong, c_ulong]
    xlib.XChangeProperty.argtypes = [c_void_p, c_ulong, c_ulong, c_ulong, c_int, c_int, c_char_p, c_int]
    xlib.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, ctypes.c_long, c_void_p]
    xtest.XTestFakeMotionEvent.argtypes = [c_void_p, c_int, c_int, c_int, c_ulong]
    xtest.XTestFakeButtonEvent.argtypes = [c_void_p, c_uint, c_int, c_ulong]
    xtest.XTestFakeKeyEvent.argtypes = [c_void_p, c_uint, c_int, c_ulong]
    return xlib, xtest


@contextmanager
def virtual_display() -> Iterator["Screen"]:
    """A server of one's own, which ``DISPLAY`` names for as long as it lives."""
    xlib, xtest = _libraries()
    told, tells = os.pipe()
    command = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(ends_with_us(command), pass_fds=[tells], stderr=subprocess.DEVNULL)
    os.close(tells)
    before = os.environ.get("DISPLAY")
    try:
        number = _number(told)
        os.environ["DISPLAY"] = f":{number}"
        screen = Screen(xlib, xtest)
        yield screen
        screen.close()
    finally:
        os.close(told)
        os.environ.pop("DISPLAY", None)
        if before is not None:
            os.environ["DISPLAY"] = before
        server.terminate()
        server.wait()


def _number(told: int) -> str:
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([told], [], [], _WITHIN_SECONDS)
        part = os.read(told, 64) if ready else b""
        assert part, "Xvfb did not start"
        text += part
    return text.decode().strip()


class Screen:
    """A connection, and a window of the host's in the upper left corner."""

    def __init__(self, xlib: Any, xtest: Any) -> None:
        self._xlib, self._xtest = xlib, xtest
        self._display = xlib.XOpenDisplay(None)
        assert self._display, "Xvfb takes no connection"
        self._root = xlib.XDefaultRootWindow(self._display)

    def window(self, width: int, height: int) -> int:
        made = self._xlib.XCreateSimpleWindow(self._display, self._root, 0, 0, width, height, 0, 0, 0)
        self._xlib.XMapWindow(self._display, made)
        self.sync()
        return int(made)

    def destroy(self, window: int) -> None:
        self._xlib.XDestroyWindow(self._display, window)
        self.sync()

    def hide(self, window: int) -> None:
        self._xlib.XUnmapWindow(self._display, window)
        self.sync()

    def show(self, window: int) -> None:
        self._xlib.XMapWindow(self._display, window)
        self.sync()

    def children(self, window: int) -> list[int]:
        root, parent, count, list_at = c_ulong(), c_ulong(), c_uint(), POINTER(c_ulong)()
        assert self._xlib.XQueryTree(self._display, window, byref(root), byref(parent), byref(list_at), byref(count))
        return [int(list_at[at]) for at in range(count.value)]

    def sync(self) -> None:
        """All that was asked for has arrived at the server."""
        self._xlib.XSync(self._display, 0)

    def has_focus(self, window: int) -> bool:
        focused, revert = c_ulong(), c_int()
        self._xlib.XGetInputFocus(self._display, byref(focused), byref(revert))
        return focused.value == window

    def give_keyboard(self, window: int) -> None:
        """To a window of the host's, which listens to it."""
        self._xlib.XSelectInput(self._display, window, _KEY_PRESS_MASK)
        self._xlib.XSetInputFocus(self._display, window, _REVERT_TO_PARENT, 0)
        self.sync()

    def heard_keys(self, window: int) -> int:
        """How many a window of the host's was given since it was last asked."""
        self.sync()
        event, count = (c_ulong * 24)(), 0
        while self._xlib.XCheckTypedWindowEvent(self._display, window, _KEY_PRESS, byref(event)):
            count += 1
        return count

    # ---- a hand

    def move(self, x: float, y: float) -> None:
        self._xtest.XTestFakeMotionEvent(self._display, -1, round(x), round(y), 0)
        self.sync()

    def button(self, which: int, *, is_down: bool) -> None:
        self._xtest.XTestFakeButtonEvent(self._display, which, is_down, 0)
        self.sync()

    def click(self, x: float, y: float, which: int = 1) -> None:
        self.move(x, y)
        self.button(which, is_down=True)
        self.button(which, is_down=False)

    def double_click(self, x: float, y: float) -> None:
        """All in one breath, however busy the machine is."""
        self.move(x, y)
        for is_down in (True, False, True, False):
            self._xtest.XTestFakeButtonEvent(self._display, 1, is_down, 0)
        self.sync()

    def key(self, symbol: int, *, is_down: bool | None = None) -> None:
        code = self._xlib.XKeysymToKeycode(self._display, symbol)
        for down in (True, False) if is_down is None else (is_down,):
            self._xtest.XTestFakeKeyEvent(self._display, code, down, 0)
        self.sync()

    # ---- a clipboard

    def copy(self, window: int, text: str) -> None:
        """Have a window of the host's own the clipboard, which holds this."""
        self._copied = text.encode()
        clipboard = self._xlib.XInternAtom(self._display, b"CLIPBOARD", 0)
        self._xlib.XSetSelectionOwner(self._display, clipboard, window, 0)
        self.sync()

    def give_copied(self, window: int) -> int:
        """Answer whoever asks for it meanwhile; how many did."""
        self.sync()
        event, count = (c_ulong * 24)(), 0
        while self._xlib.XCheckTypedWindowEvent(self._display, window, _SELECTION_REQUEST, byref(event)):
            asked = _SelectionRequest.from_buffer(event)
            self._xlib.XChangeProperty(
                self._display, asked.requestor, asked.property, asked.target, 8, 0, self._copied, len(self._copied)
            )
            answer = (c_ulong * 24)()
            words = (_SELECTION_NOTIFY, 0, 1, self._display, asked.requestor)
            answer[:9] = [*words, asked.selection, asked.target, asked.property, asked.time]
            self._xlib.XSendEvent(self._display, asked.requestor, 0, 0, byref(answer))
            count += 1
        self.sync()
        return count

    # ---- an eye

    def picture(self, window: int, width: int, height: int) -> Picture:
        """Red, green and blue of each pixel: ``[height, width, 3]``."""
        self.sync()
        image = self._xlib.XGetImage(self._display, window, 0, 0, width, height, _ALL_PLANES, _Z_PIXMAP).contents
        assert image.bits == 32
        data = ctypes.string_at(image.data, image.bytes_per_line * height)
        rows = np.frombuffer(data, np.uint8).reshape(height, image.bytes_per_line)[:, : 4 * width]
        return rows.reshape(height, width, 4)[..., 2::-1].copy()

    def close(self) -> None:
        self._xlib.XCloseDisplay(self._display)
