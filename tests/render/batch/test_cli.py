"""``neutone-like render`` on many files: what it prints and exits with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import nn

from neutone_like.render import batch
from support.batch_tools import artifact_of, contents, lines, make_tree, rendered_counts
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.render_models import Poison, Volume

INTERRUPTED = 130


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Volume(nn.Identity()), tmp_path_factory.mktemp("volume") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


def test_a_folder(run: Run, volume: Path, tree: Path, tmp_path: Path) -> None:
    code, out, err = run("render", volume, tree, tmp_path / "out", "--workers", 0, "--param", "gain=2")
    assert (code, err) == (GOOD, "")
    assert re.fullmatch(r"5 of 5 files rendered; [\d.]+ s, [\d.]+ x real time\n", out)
    x, y = (soundfile.read(folder / "a/b/three.wav")[0] for folder in (tree, tmp_path / "out"))
    np.testing.assert_allclose(y, 2 * x, atol=1e-6)
    code, out, err = run(
        "render", volume, tree, tmp_path / "out", "--workers", 0, "--param", "gain=2.0", "--resume", "--json"
    )
    assert (code, err) == (GOOD, "")
    told = json.loads(out)
    assert (told["done"], told["skipped"], told["failed"]) == (0, 5, [])
    assert told["manifest"] == str(tmp_path / "out" / "manifest.jsonl")


def test_processes_are_the_default(run: Run, volume: Path, tree: Path, tmp_path: Path) -> None:
    code, out, _ = run("render", volume, f"{tree}/**/t*.wav", tmp_path / "out", "--format", "flac")
    assert code == GOOD
    assert out.startswith("2 of 2 files rendered")
    assert set(contents(tmp_path / "out")) == {"a/two.flac", "a/b/three.flac"}
    workers = [line["worker"] for line in lines(tmp_path / "out" / "manifest.jsonl") if line["kind"] == "file"]
    assert not any(worker.endswith(f":{os.getpid()}") for worker in workers)


def test_a_list(run: Run, volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("in/a/two.wav\nin/a/b/four.wav\n")
    arguments = ("render", volume, "list.txt", "out", "--workers", 0, "--manifest", "m.jsonl")
    assert run(*arguments, "--list", "--root", "in")[0] == GOOD
    assert set(contents(tmp_path / "out")) == {"a/two.wav", "a/b/four.wav"}
    assert rendered_counts(tmp_path / "m.jsonl") == {"two.wav": 1, "four.wav": 1}


def test_a_file_into_a_folder(run: Run, volume: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run("render", volume, tree / "one.wav", tmp_path / "out", "--workers", 0)[0] == GOOD
    assert run("render", volume, tree / "a/two.wav", f"{tmp_path}/new/", "--workers", 0)[0] == GOOD
    assert set(contents(tmp_path / "out")) == {"one.wav"}
    assert set(contents(tmp_path / "new")) == {"two.wav"}


def test_failures_are_listed(run: Run, volume: Path, tree: Path, tmp_path: Path) -> None:
    (tree / "bad.wav").write_text("no audio")
    code, out, err = run("render", volume, tree, tmp_path / "out", "--workers", 0)
    assert code == FELL_SHORT
    assert out.startswith("5 of 6 files rendered, 1 failed; ")
    assert err.startswith(f"Failed: {tree}/bad.wav can't be read as audio")
    for number in range(30):
        (tree / f"bad{number}.wav").write_text("no audio")
    code, _, err = run("render", volume, tree, tmp_path / "out", "--workers", 0, "--resume")
    assert err.count("Failed: ") == 21
    assert err.endswith(f"Failed: 11 more, see {tmp_path}/out/manifest.jsonl")


def test_a_model_that_fell_short(run: Run, tree: Path, tmp_path: Path) -> None:
    poison = artifact_of(Poison(nn.Identity()), tmp_path / "poison")
    soundfile.write(tree / "loud.wav", np.full((100, 2), 0.95), 48000, subtype="FLOAT")
    code, out, err = run("render", poison, tree, tmp_path / "out", "--workers", 0)
    assert code == FELL_SHORT
    assert out.startswith("6 of 6 files rendered; ")
    assert err.startswith("Warning: 1 file is with samples that the model gave as NaN")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_names_that_are_no_text(volume: Path, tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    names = {os.fsdecode(b"\xff.wav"), "\x1b[31mred.wav"}
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).write_text("no audio")
    for more in (["--json"], []):
        arguments = (tmp_path / "in", tmp_path / "out", subprocess_environment, "--workers", "0", *more)
        with start(volume, *arguments) as process:
            out, err = process.communicate(timeout=600)
        assert process.returncode == FELL_SHORT
        assert "Traceback" not in err
        assert "\x1b" not in err
        if more:
            assert {os.path.basename(failure["input"]) for failure in json.loads(out)["failed"]} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "out"], "There is no file or folder"),
        (["in", "in"], "Input and output must be different folders"),
        (["in/*.flac", "out"], "There are no audio files in"),
        (["in", "out", "--format", "doc"], "The format must be one of .aiff, .flac"),
        (["in", "out", "--workers", "-1"], "Invalid value for '--workers'"),
        (["in", "out", "--engine", "spark"], "Invalid value for '--engine'"),
        (["in", "out", "--engine", "dask"], "engine 'dask' needs the address of a scheduler"),
        (["in", "out", "--scheduler", "x:1"], "is for engine 'dask' only"),
        (["in", "out", "--device", "cuda"], "device: a live model runs on the CPU, got 'cuda'."),
        (["in", "out", "--bit-depth", "13"], "output.wav can't be written at 44100 Hz"),
        (["in", "out", "--param", "drive=3"], "The model has no parameter 'drive'"),
        (["in/one.wav", "out.wav", "--resume"], "a single file has none unless it is named"),
        (["nonsense://in", "out"], "Protocol not known: nonsense"),
        (["in/one.wav", "in"], "An output may not be one of the inputs"),
    ],
)
def test_wrong_use(
    run: Run,
    volume: Path,
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("render", volume, *arguments)
    assert (code, out) == (WRONG_USE, "")
    assert message in err
    assert not (tmp_path / "out").exists()


def test_what_is_no_manifest(run: Run, volume: Path, tree: Path, tmp_path: Path) -> None:
    before = (tree / "one.wav").read_bytes()
    code, _, err = run(
        "render", volume, tree, tmp_path / "out", "--workers", 0, "--resume", "--manifest", tree / "one.wav"
    )
    assert code == FELL_SHORT
    assert "is not one of a render's manifest" in err
    assert (tree / "one.wav").read_bytes() == before


def test_an_interruption_says_how_to_go_on(
    run: Run, volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Any:
        def stop(done: int, total: int) -> None:
            if done == 2:
                raise KeyboardInterrupt

        return whole(*arguments, **{**options, "progress": stop})

    whole = batch.render_files
    monkeypatch.setattr("neutone_like.render.render_files", interrupted)
    code, out, err = run("render", volume, tree, tmp_path / "out", "--workers", 0)
    assert (code, out) == (INTERRUPTED, "")
    assert err.startswith("Interrupted: 2 of 5 files rendered, 3 are left; ")
    assert err.endswith("To go on, give the same command with --resume.")


def start(volume: Path, source: Path, target: Path, environment: dict[str, str], *more: str) -> Any:
    program = "from neutone_like.cli import main; main()"
    command = [sys.executable, "-W", "ignore", "-c", program, "render", str(volume), str(source), str(target), *more]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 600
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_signal_in_the_middle_of_a_file(
    volume: Path, long_silence: Path, tmp_path: Path, subprocess_environment: dict[str, str], sent: int, code: int
) -> None:
    """Ctrl-C, as a terminal sends it: to all processes of the group."""
    (tmp_path / "in").mkdir()
    for name in ("a.flac", "b.flac"):
        (tmp_path / "in" / name).symlink_to(long_silence)
    out = tmp_path / "out"
    with start(volume, tmp_path / "in", out, subprocess_environment, "--workers", "2", "--format", "wav") as process:
        wait_until(lambda: len(list(out.glob(".*.part"))) == 2)
        os.killpg(process.pid, sent)
        _, err = process.communicate(timeout=600)
    assert process.returncode == code
    assert [path.name for path in out.iterdir()] == ["manifest.jsonl"]
    if sent == signal.SIGINT:
        assert err.startswith("Interrupted: 0 of 2 files rendered, 2 are left; ")
        assert "To go on, give the same command with --resume." in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.usefixtures("quick_starts")
def test_killed_after_half_and_resumed(
    run: Run, volume: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    names = [f"{number % 4}/{number:03}.wav" for number in range(60)]
    source = make_tree(tmp_path / "in", names, samples=60_000)
    assert run("render", volume, source, tmp_path / "whole", "--workers", 0)[0] == GOOD
    out, book = tmp_path / "out", tmp_path / "out" / "manifest.jsonl"
    with start(volume, source, out, subprocess_environment, "--workers", "2") as process:
        wait_until(lambda: book.exists() and book.read_bytes().count(b'"status": "done"') >= len(names) // 2)
        process.kill()
        process.wait(timeout=600)
    finished = book.read_bytes().count(b'"status": "done"')
    assert len(names) // 2 <= finished < len(names)
    # Whether or not the kill has torn a line, the next run must take one.
    with book.open("ab") as file:
        file.write(b'{"kind": "file", "run": "')
    code, out_text, _ = run("render", volume, source, out, "--workers", 2, "--resume", "--json")
    assert code == GOOD
    told = json.loads(out_text)
    assert (told["done"], told["skipped"]) == (len(names) - finished, finished)
    assert contents(out) == contents(tmp_path / "whole")
    assert rendered_counts(book) == {Path(name).name: 1 for name in names}
    assert set(rendered_counts(tmp_path / "whole" / "manifest.jsonl")) == set(rendered_counts(book))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only an administrator can mount a tmpfs")
@pytest.mark.usefixtures("quick_starts")
def test_a_full_disk(run: Run, volume: Path, tmp_path: Path) -> None:
    source = make_tree(tmp_path / "in", [f"{number}.wav" for number in range(12)], samples=10_000)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a tmpfs")
    try:
        code, _, err = run("render", volume, source, disk / "out", "--workers", 2)
        assert code == FELL_SHORT
        assert "can't be written: No space left on device. " in err
        assert "Make room, and resume." in err
        finished = contents(disk / "out")
        assert 1 <= len(finished) <= 5
        assert rendered_counts(disk / "out" / "manifest.jsonl") == dict.fromkeys(finished, 1)
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        assert run("render", volume, source, disk / "out", "--workers", 2, "--resume")[0] == GOOD
        assert run("render", volume, source, tmp_path / "whole", "--workers", 0)[0] == GOOD
        assert contents(disk / "out") == contents(tmp_path / "whole")
        assert set(rendered_counts(disk / "out" / "manifest.jsonl").values()) == {1}
    finally:
        subprocess.run(["umount", str(disk)], check=True)
