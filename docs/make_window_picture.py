"""Draws a plugin's window as a host on an X server without a screen has it. Run after changing how it looks.

It needs what its tests need: Xvfb and libXtst.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib import image

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from neutone_like.plugin import build_plugin  # noqa: E402
from support.clap_host import opened  # noqa: E402
from support.plugin_tools import noise  # noqa: E402
from support.virtual_display import virtual_display  # noqa: E402

RATE, BLOCK = 48000, 256
SECONDS_TO_MEASURE_LOAD = 0.6
SECONDS_TO_BE_DRAWN = 0.3


def draw_window(path: Path) -> None:
    with TemporaryDirectory() as folder, virtual_display() as screen:
        plugin = build_plugin(DOCS.parent / "exported" / "equaliser", folder, ["clap"]).files[0].path
        with opened(plugin) as host:
            gui = host.gui()
            assert gui.create(host.at, b"x11", False)
            width, height = host.window_size()
            parent = screen.window(width, height)
            assert host.open_window(parent)
            for name, value in (("gain 1", 3.0), ("gain 3", -4.5), ("gain 5", 2.0), ("frequency 5", 5200.0)):
                host.set(name, value)
            host.activate(RATE, BLOCK)
            for _ in range(3):
                host.play(0.5 * noise(1, RATE // 2), (BLOCK,))
                host.tick()
                time.sleep(SECONDS_TO_MEASURE_LOAD)
            host.play(0.5 * noise(1, BLOCK), (BLOCK,))
            screen.move(150, 220)  # over a knob
            host.tick()
            time.sleep(SECONDS_TO_BE_DRAWN)
            image.imsave(path, screen.picture(parent, width, height))
            gui.destroy(host.at)


if __name__ == "__main__":
    draw_window(DOCS / "pictures" / "window.png")
