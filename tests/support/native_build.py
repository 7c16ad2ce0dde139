"""Builds the native part for its own tests: without Python and torch, into one folder that later runs build upon."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.places import PROJECT

FOLDER = PROJECT / "build" / "native-tests"
TARGETS = ("neutone_like_engine", "gain_backend", "host", "unit_tests", "corruptions")


@dataclass(frozen=True)
class NativeBuild:
    """What was built: programs in ``folder``, and the library for hosts installed into ``prefix``."""

    folder: Path
    prefix: Path

    @property
    def host(self) -> Path:
        """``native/examples/host.cpp``."""
        return self.folder / "examples" / "host"

    @property
    def gain_backend(self) -> Path:
        """``native/tests/gain_backend.c``, whose models are their own metadata."""
        return self.folder / "tests" / "gain_backend.so"


def tool(name: str) -> str:
    """CMake's programs: those of this Python's environment, or the system's."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"no {name} to build the native tests with: pip install cmake ninja")
    return found


def run(*command: object, timeout: float = 600.0) -> str:
    """Run something that must succeed; its output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def configure(source: Path, folder: Path, *options: str) -> None:
    """Configure a CMake project for Ninja."""
    ninja = tool("ninja")
    run(tool("cmake"), "-S", source, "-B", folder, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", *options)


def build_native() -> NativeBuild:
    """Build what changed. Parallel test processes wait for the first one."""
    if shutil.which(os.environ.get("CXX", "c++")) is None:
        pytest.skip("no C++ compiler to build the native tests with")
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = NativeBuild(FOLDER, FOLDER / "installed")
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        switches = {"PYTHON": "OFF", "REALTIME_SAFETY": "OFF", "TESTS": "ON", "EXAMPLES": "ON", "HOST": "ON"}
        options = [f"-DNEUTONE_LIKE_{name}={value}" for name, value in switches.items()]
        configure(
            PROJECT / "native", FOLDER, "-DCMAKE_BUILD_TYPE=Release", f"-DPython_EXECUTABLE={sys.executable}", *options
        )
        known = run(tool("ninja"), "-C", FOLDER, "-t", "targets", "all")
        targets = [name for name in TARGETS if f"/{name}" in known or f"\n{name}:" in known]
        run(tool("cmake"), "--build", FOLDER, "--target", *targets)
        run(tool("cmake"), "--install", FOLDER, "--prefix", made.prefix, "--component", "host")
    return made
