"""Programs of the system's: what runs things that were made for other platforms, and servers that end with us."""

import shutil

import pytest

WINE = ("wine", "wine64", "/usr/lib/wine/wine64")  # Debian's wine64 alone brings the last


def ends_with_us(words: list[str]) -> list[str]:
    """The command of a server that ends in order when this process is killed, and can't do it (where setpriv is)."""
    setpriv = shutil.which("setpriv")
    return words if setpriv is None else [setpriv, "--pdeathsig", "TERM", *words]


def needs(*programs: str, package: str) -> str:
    """The path of the first that is there, or the test is skipped."""
    for program in programs:
        found = shutil.which(program)
        if found is not None:
            return found
    pytest.skip(f"no {programs[0]} to run it with (Debian: apt-get install {package})")
