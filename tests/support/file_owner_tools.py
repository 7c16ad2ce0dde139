"""A process that owns files, for as long as a test wants it to live."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neutone_like import file_owner

PROGRAM = """
import importlib.util, sys, time
spec = importlib.util.spec_from_file_location("file_owner", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.owner_mark(), flush=True)
time.sleep(600)
"""


@dataclass(frozen=True)
class Owner:
    process: subprocess.Popen[str]
    mark: str


@contextmanager
def writer_of_nothing() -> Iterator[Owner]:
    """Alive in the block, and dead behind it."""
    command = [sys.executable, "-c", PROGRAM, str(Path(file_owner.__file__))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Owner(process, process.stdout.readline().strip())
        finally:
            process.kill()
