"""Programs of the system's that run what was made for other platforms."""

import shutil

import pytest

WINE = ("wine", "wine64", "/usr/lib/wine/wine64")  # Debian's wine64 alone brings the last


def needs(*programs: str, package: str) -> str:
    """The path of the first that is there, or the test is skipped."""
    for program in programs:
        found = shutil.which(program)
        if found is not None:
            return found
    pytest.skip(f"no {programs[0]} to run it with (Debian: apt-get install {package})")
