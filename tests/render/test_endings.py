"""Full disks, inputs that change and processes that end: no half file, and the old one stays."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import nn

from neutone_like import AudioError, ModelError, NeutoneLikeError
from neutone_like.render import render_file
from support.places import TESTS
from support.render_models import Failing, PureDelay

RATE = 48000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (2, 20_000)))


def write(path: Path, x: Any, rate: int = RATE, **options: Any) -> Path:
    soundfile.write(path, np.asarray(x, dtype=np.float32).T, rate, **(options or {"subtype": "FLOAT"}))
    return path


def refused(error: type[NeutoneLikeError], message: str, model: Any, source: Any, target: Path, **options: Any) -> None:
    """The message, and a folder with nothing new in it."""
    before = sorted(target.parent.iterdir()) if target.parent.is_dir() else None
    with pytest.raises(error, match=re.escape(message)):
        render_file(model, source, target, **options)
    assert before is None or sorted(target.parent.iterdir()) == before


# ---------------------------------------------------------------------- the input


LIMITED = """
import resource, signal, sys
sys.path[:0] = [{tests!r}]
from support.render_models import PureDelay
from neutone_like import AudioError
from neutone_like.render import render_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    render_file(PureDelay(), {source!r}, {target!r})
except AudioError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to fill a disk with")
def test_a_full_disk(tmp_path: Path, source: Path, subprocess_environment: dict[str, str]) -> None:
    target = tmp_path / "old.wav"
    target.write_bytes(b"what was there before")
    code = LIMITED.format(tests=str(TESTS), source=str(source), target=str(target))
    run = subprocess.run(
        [sys.executable, "-c", code], env=subprocess_environment, capture_output=True, text=True, timeout=600
    )
    assert run.stdout.startswith(f"{target} can't be written: File too large"), run.stderr
    assert target.read_bytes() == b"what was there before"
    assert sorted(tmp_path.iterdir()) == [source, target]


FULL_DISK = """
import subprocess, sys
sys.path[:0] = [{tests!r}]
disk = {disk!r}
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk]).returncode:
    sys.exit(77)
try:
    from support.render_models import PureDelay
    from neutone_like import AudioError
    from neutone_like.render import render_file
    for target in ("old.wav", "old.flac", "old.mp3", "new.ogg"):
        if target.startswith("old"):
            open(f"{{disk}}/{{target}}", "wb").write(b"old")
        try:
            render_file(PureDelay(), {source!r}, f"{{disk}}/{{target}}")
        except AudioError as error:
            print(target, str(error).replace(disk, ""))
    import os
    print(sorted((name, open(f"{{disk}}/{{name}}", "rb").read()) for name in os.listdir(disk)))
finally:
    subprocess.run(["umount", disk], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may make a disk that is small")
def test_a_disk_that_is_really_full(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 400_000))
    source = write(tmp_path / "in.wav", x)
    disk = tmp_path / "disk"
    disk.mkdir()
    code = FULL_DISK.format(tests=str(TESTS), source=str(source), disk=str(disk))
    command = ["unshare", "--mount", sys.executable, "-c", code]  # nobody else sees that disk
    run = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    if run.returncode == 77 or "unshare failed" in run.stderr:
        pytest.skip("this root may not mount a disk")
    *said, left = run.stdout.splitlines()
    names = ("old.wav", "old.flac", "old.mp3", "new.ogg")
    assert said == [f"{name} /{name} can't be written: No space left on device." for name in names], run.stderr
    assert left == "[('old.flac', b'old'), ('old.mp3', b'old'), ('old.wav', b'old')]"


# ---------------------------------------------------------------------- half way


def test_an_input_that_grows_leaves_no_output(tmp_path: Path) -> None:
    def grow(done: int, total: int) -> None:
        with source.open("ab") as file:
            file.write(bytes(8))

    source = write(tmp_path / "in.wav", np.zeros((2, 100_000)))
    for old in (None, b"what was there before"):
        target = tmp_path / "out.wav"
        if old is not None:
            target.write_bytes(old)
        refused(AudioError, "in.wav was changed while it was read.", PureDelay(), source, target, progress=grow)
        assert old is None or target.read_bytes() == old


def test_a_failure_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    x = np.zeros((2, 300_000))
    x[:, 200_000] = 1.0
    source = write(tmp_path / "in.wav", x)
    target = tmp_path / "out.wav"
    target.write_bytes(b"what was there before")
    message = "Failing failed at 4.096 s of the audio: too loud for me"
    refused(ModelError, message, Failing(nn.Identity()), source, target)
    assert target.read_bytes() == b"what was there before"


def test_an_interrupt_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        seen.extend(path.name for path in tmp_path.iterdir() if path.name.endswith(".part"))
        raise KeyboardInterrupt

    seen: list[str] = []
    source = write(tmp_path / "in.wav", np.zeros((2, 300_000)))
    target = tmp_path / "out.wav"
    target.write_bytes(b"what was there before")
    with pytest.raises(KeyboardInterrupt):
        render_file(PureDelay(), source, target, progress=interrupt)
    assert len(seen) == 1  # there was something to clean up
    assert target.read_bytes() == b"what was there before"
    assert sorted(tmp_path.iterdir()) == [source, target]


ENDLESS = """
import sys, time
sys.path[:0] = [{tests!r}]
from support.render_models import PureDelay
from neutone_like.render import render_file
def pause(done, total):
    print(done, flush=True)
    time.sleep(600)
render_file(PureDelay(), {source!r}, {target!r}, progress=pause)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_killed_process_leaves_the_old_file(
    tmp_path: Path, source: Path, subprocess_environment: dict[str, str]
) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"what was there before")
    code = ENDLESS.format(tests=str(TESTS), source=str(source), target=str(target))
    with subprocess.Popen(
        [sys.executable, "-c", code], env=subprocess_environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdecimal()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=600)
    assert target.read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["in.wav", "out.wav"]


# ---------------------------------------------------------------------- the model and its knobs
