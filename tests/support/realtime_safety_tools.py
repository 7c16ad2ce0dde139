"""Compiles the C and C++ files of ``realtime_callbacks/`` for the tests of the real-time-safety checker."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from support.places import PROJECT

SOURCES = Path(__file__).resolve().parent / "realtime_callbacks"
INCLUDES = (PROJECT / "native" / "include", PROJECT / "native" / "realtime_safety")
WARM_UP, CALLBACKS = 100, 300

needs_linux = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the checker needs Linux on x86-64"
)


def build(name: str, folder: Path, *options: str) -> Path:
    """Compile one source; the test is skipped where there is no compiler."""
    source = SOURCES / name
    language = "c" if source.suffix == ".c" else "c++"
    compiler = shutil.which(os.environ.get("CC" if language == "c" else "CXX", "cc" if language == "c" else "c++"))
    if compiler is None:
        pytest.skip(f"no {language} compiler to build {name} with")
    standard = "-std=c11" if language == "c" else "-std=c++20"
    target = folder / source.with_suffix("" if "-shared" not in options else ".so").name
    includes = [f"-I{folder}" for folder in INCLUDES]
    flags = [standard, "-O1", "-g", "-fno-builtin", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, *options, *includes, str(source), "-o", str(target)], check=True, timeout=600)
    return target


def build_shared(name: str, folder: Path) -> Path:
    """Compile one source into a shared object."""
    return build(name, folder, "-shared", "-fPIC", "-pthread")
