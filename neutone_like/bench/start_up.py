"""What it costs to start: processor seconds of a fresh process, from its first instruction to its exit."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.table import Table

from neutone_like.artifact import write_artifact
from neutone_like.bench.models import Delay

RUNS = 5
_PROGRAM = ("-m", "neutone_like")


def start_up_table(runs: int = RUNS) -> Table:
    """The least of ``runs`` starts of each command, beside what Python and torch cost alone."""
    table = Table(title=f"Start-up, processor seconds (least of {runs})", title_justify="left")
    table.add_column("command")
    table.add_column("seconds", justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in _commands(Path(folder)).items():
            table.add_row(name, f"{min(processor_seconds(arguments) for _ in range(runs)):.2f}")
    return table


def _commands(folder: Path) -> dict[str, tuple[str, ...]]:
    artifact = str(write_artifact(Delay(), folder / "delay", render_samples=False).model_path)
    return {
        "python": ("-c", "pass"),
        "import neutone_like": ("-c", "import neutone_like"),
        "neutone-like --help": (*_PROGRAM, "--help"),
        "neutone-like --version": (*_PROGRAM, "--version"),
        "neutone-like render --help": (*_PROGRAM, "render", "--help"),
        "neutone-like inspect MODEL --json": (*_PROGRAM, "inspect", artifact, "--json"),
        "neutone-like inspect MODEL": (*_PROGRAM, "inspect", artifact),
        "import torch": ("-c", "import torch"),
    }


def processor_seconds(arguments: tuple[str, ...]) -> float:
    """User and system time of one Python process, which must end well.

    Raises:
        subprocess.CalledProcessError: It did not.
    """
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
