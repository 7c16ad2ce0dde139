"""neutone-sdk as a peer to compare with: installed into an environment of its own, and only ever called."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neutone_like.errors import NeutoneLikeError

VERSION = "1.5.2"
TORCH = "torch==2.13.0"
OTHERS = ("jsonschema", "requests", "soundfile", "tqdm", "numpy")
FOLDER = ".venv-peer"
PROGRAM = Path(__file__).with_name("peer_program.py")
START_SECONDS = 120.0

REFERENCE_US = {"pass-through": (22.0, 22.0), "48 kHz to 44.1 kHz": (40.0, 48.0)}
"""What it took, from and to, on another machine (two cores, x86-64 Linux, torch 2.13): for want of a run here."""


class PeerMissingError(NeutoneLikeError):
    """The peer can't be installed or does not start here."""


def peer_python(folder: Path) -> Path:
    """The Python of the peer's environment, which is made if it is not there.

    Raises:
        PeerMissingError: Something can't be installed; the message ends with what the installer said.
    """
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if _has_sdk(python):
        return python
    venv.create(folder, with_pip=True)
    folder.joinpath(".gitignore").write_text("*\n", encoding="utf-8")
    # torch first, and pinned: whatever asks for it later must not bring another build.
    for packages in ((TORCH,), (f"neutone-sdk=={VERSION}", "--no-deps"), (*OTHERS, TORCH)):
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PeerMissingError(f"pip install {' '.join(packages)} failed: {last}")
    return python


def _has_sdk(python: Path) -> bool:
    if not python.exists():
        return False
    question = f"import importlib.metadata as m; raise SystemExit(m.version('neutone_sdk') != '{VERSION}')"
    return subprocess.run([str(python), "-c", question], capture_output=True).returncode == 0


class Peer:
    """The running peer."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.versions: dict[str, str] = self._answer()

    def times(self, *, rate: int, model_rate: int, block: int, model_block: int, calls: int) -> list[float]:
        """Seconds of single warm calls."""
        assert self._process.stdin is not None
        ask = {"rate": rate, "model_rate": model_rate, "block": block, "model_block": model_block, "calls": calls}
        self._process.stdin.write(json.dumps(ask) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerMissingError(f"neutone-sdk stopped: its process ended with code {self._process.wait()}.")
        return json.loads(line)


@contextmanager
def running_peer(folder: Path) -> Iterator[Peer]:
    """Start the peer, and end it afterwards.

    Raises:
        PeerMissingError: It can't be installed or does not start.
    """
    python = peer_python(folder)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    process = subprocess.Popen(
        [str(python), "-I", "-W", "ignore", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.communicate()
