"""A plugin's window, open in a host of our own, and a hand in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.clap_host import ClapInstance, opened
from support.lv2_host import Lv2Window
from support.virtual_display import Screen, eventually
from support.vst3_host import Vst3Instance

DIAL = (200, 110)  # where overdrive's only one is in a window of its natural size
LOWEST, HIGHEST = 0.0, 36.0
HOME = 0xFF50
ACCENT, WARNING = (0x5B, 0xC8, 0xB4), (0xF2, 0xB4, 0x4B)


@contextmanager
def shown(screen: Screen, path: Path, *, artifact: Path | None = None, scale: float = 0.0) -> Iterator[Any]:
    """A plugin whose window is open: it, and the window of the host's around it."""
    with opened(path) as host:
        if artifact is not None:
            assert host.open_artifact(artifact)
        gui = host.gui()
        assert gui.create(host.at, b"x11", False)
        assert scale == 0.0 or gui.set_scale(host.at, scale)
        parent = screen.window(*host.window_size())
        assert host.open_window(parent)
        host.tick()
        yield host, parent
        gui.destroy(host.at)
        assert host.calls.timers == {}
        assert screen.children(parent) == []
        screen.destroy(parent)


def told(host: ClapInstance) -> list[tuple[str, int, float]]:
    """What the host hears of what the hand did, to the end of the gesture."""

    def is_at_its_end() -> bool:
        host.tick()
        host.flush()
        return bool(host.calls.told) and host.calls.told[-1][0] == "end"

    eventually(is_at_its_end, "the end of a gesture")
    heard = list(host.calls.told)
    host.calls.told.clear()
    return heard


def drag(screen: Screen, host: ClapInstance | Vst3Instance | Lv2Window, pixels: int, steps: int = 4) -> None:
    screen.move(*DIAL)
    screen.button(1, is_down=True)
    for step in range(1, steps + 1):
        screen.move(DIAL[0], DIAL[1] - pixels * step / steps)
        host.tick()
    screen.button(1, is_down=False)


def is_painted(screen: Screen, parent: int, host: ClapInstance, color: tuple[int, int, int], least: int) -> bool:
    """Whether at least as many pixels have it."""
    return painted(screen, parent, host, color) >= least


def painted(screen: Screen, parent: int, host: ClapInstance, color: tuple[int, int, int]) -> int:
    host.tick()
    picture = screen.picture(parent, *host.window_size())
    return int((picture == color).all(axis=2).sum())
