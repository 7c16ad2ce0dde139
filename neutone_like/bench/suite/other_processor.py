"""The compiled library for aarch64, played by qemu-user: what it plays and what it does, never how fast.

The library is made as ``neutone-like compile --target aarch64-linux`` makes it. A small host plays it on noise. Its
sound is held against the engine's on this processor; allocations are counted inside of it, system calls by qemu.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.bench.suite.cells import Cell
from neutone_like.bench.suite.workshop import NotThere
from neutone_like.errors import CompileError
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.compiled_model import load_compiled
from neutone_like.targets import TARGETS, build_targets

TARGET = "aarch64-linux"
HOST_PROGRAM = Path(__file__).with_name("aarch64_host.c")
ROOT = Path("/usr/aarch64-linux-gnu")
BLOCKS = 64
_SECONDS_AT_MOST = 300.0
_TOLD = re.compile(r"played (\d+) blocks, (\d+) allocations, (\d+) frees, latency (\d+) samples, (\S+)")
Audio = npt.NDArray[np.float32]


def aarch64(cell: Cell, artifact: Path) -> dict[str, Any]:
    """How far the emulated library's sound is from the engine's, and what it did in its blocks.

    Raises:
        NotThere: What is missing to emulate it.
        MissingExtraError: The compiler is.
    """
    qemu = shutil.which("qemu-aarch64")
    if qemu is None or not ROOT.is_dir():
        raise NotThere("there is no qemu-aarch64, or no C library for it: apt-get install qemu-user libc6-arm64-cross")
    with tempfile.TemporaryDirectory(prefix="neutone-like-suite-") as name:
        out = Path(name)
        (library,) = build_targets(load_compiled(artifact), out, [TARGET])
        host = build_host(library, out / "include", TARGETS[TARGET].triple)
        path = f"LD_LIBRARY_PATH={ROOT / 'lib'}:{library.parent}"
        command = [qemu, "-L", str(ROOT), "-E", path, "-strace", str(host)]
        return compared(cell, artifact, command)


def build_host(library: Path, include: Path, triple: str) -> Path:
    """The program that plays a library, beside it."""
    made = library.parent / "host"
    words = ["cc", "-target", triple, "-std=c99", "-D_DEFAULT_SOURCE", "-O2", f"-I{include}", str(HOST_PROGRAM)]
    link = [f"-L{library.parent}", f"-l{library.stem.removeprefix('lib')}", "-o", str(made)]
    done = subprocess.run([sys.executable, "-m", "ziglang", *words, *link], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CompileError(f"The host for {triple} does not compile: {done.stderr.strip()[-400:]}")
    return made


def compared(cell: Cell, artifact: Path, command: Sequence[str]) -> dict[str, Any]:
    """Play by a command, and by the engine here."""
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, BLOCKS * cell.block)).astype(np.float32)
    heard, told, calls = play(command, cell, noise)
    _, control, control_calls = play(command, cell, noise, "control")
    host = HostConfig(cell.host_rate, cell.block, channels=1)
    with (
        Engine(realtime_priority=False) as engine,
        engine.open(artifact, host, mode="inline", backend="compiled") as session,
    ):
        wanted = np.concatenate([session.process(each) for each in np.split(noise, BLOCKS, 1)], 1)
        latency = session.latency_samples
    peak = float(np.abs(wanted).max())
    return {
        "largest_difference": float(np.abs(heard - wanted).max()) / max(peak, 1e-9),
        "same_latency": told["latency"] == latency,
        "kernels": told["kernels"],
        "blocks": told["blocks"],
        "in_all": {"allocations": told["allocations"], "frees": told["frees"], "system calls": calls},
        "control": {"allocations": control["allocations"], "frees": control["frees"], "system calls": control_calls},
    }


def play(command: Sequence[str], cell: Cell, noise: Audio, *more: str) -> tuple[Audio, dict[str, Any], int]:
    """The sound, what the host told, and the system calls that it made while it played."""
    words = [*command, str(cell.host_rate), str(cell.block), *more]
    try:
        done = subprocess.run(words, input=noise.tobytes(), capture_output=True, timeout=_SECONDS_AT_MOST, check=False)
    except subprocess.TimeoutExpired as error:
        raise CompileError(f"The library for {TARGET} took more than {_SECONDS_AT_MOST:g} s.") from error
    said = done.stderr.decode(errors="replace")
    told = _TOLD.search(said)
    marks = [found.start() for found in re.finditer(r"\bgetppid\(", said)]
    if done.returncode != 0 or told is None or len(marks) != 2:
        raise CompileError(f"The library for {TARGET} did not play: {said.strip()[-400:]}")
    # Neither mark's own line begins between the two.
    between = re.findall(r"^\d+ (\w+)\(", said[marks[0] : marks[1]], re.MULTILINE)
    facts = {"blocks": int(told[1]), "allocations": int(told[2]), "frees": int(told[3])}
    heard = np.frombuffer(done.stdout, np.float32).reshape(1, -1)
    if heard.shape != noise.shape:
        raise CompileError(f"The library for {TARGET} gave {heard.shape[1]} samples for {noise.shape[1]}.")
    return heard, {**facts, "latency": int(told[4]), "kernels": told[5]}, len(between)
