"""The platforms that plugins are made for, and how each lays out a bundle."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from neutone_like.errors import CompileError
from neutone_like.targets.target import TARGETS, Target


@dataclass(frozen=True)
class Platform:
    """A platform.

    Attributes:
        name: As the command line has it; empty: this machine's, whose binary is installed.
        vst3_folder: Of a VST3 bundle's ``Contents``.
        vst3_ending: Of the file in it.
        lv2_ending: Of the file in an LV2 bundle.
        is_mac: A CLAP plugin is a folder like a VST3 one, with ``Info.plist``; and a binary is signed when it is built,
            so that what makes it one model's plugin lies beside it.
    """

    name: str
    vst3_folder: str
    vst3_ending: str = ".so"
    lv2_ending: str = ".so"
    is_mac: bool = False

    @property
    def target(self) -> Target:
        """As the compiler has it."""
        return TARGETS[self.name]


PLATFORMS = {
    each.name: each
    for each in (
        Platform("x86_64-linux", "x86_64-linux"),
        Platform("aarch64-linux", "aarch64-linux"),
        Platform("x86_64-windows", "x86_64-win", ".vst3", ".dll"),
        Platform("aarch64-macos", "MacOS", "", ".dylib", is_mac=True),
    )
}


def this_machine() -> Platform:
    """Of the binary that is installed."""
    return Platform("", f"{platform.machine()}-linux")


def platforms_named(names: Iterable[str]) -> tuple[Platform, ...]:
    """These, each once.

    Raises:
        CompileError: There are no plugins for such a platform.
    """
    wanted = tuple(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in PLATFORMS]
    if unknown:
        raise CompileError(f"There are plugins for {', '.join(PLATFORMS)}, got {unknown[0]!r}.")
    return tuple(PLATFORMS[name] for name in wanted)
