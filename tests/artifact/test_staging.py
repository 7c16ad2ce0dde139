"""A folder changes all at once: a process killed at any moment leaves old or new, and files of others stay."""

import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from neutone_like import ExportError
from neutone_like.artifact import load_artifact, write_artifact
from neutone_like.artifact.writing import staging
from neutone_like.artifact.writing.staging import staged_directory
from neutone_like.file_owner import owner_mark
from support.artifact_models import Identity
from support.places import TESTS

# Each step of the new export in turn is the last one before SIGKILL; an audit hook counts them.
# The packages are entered without their __init__, which would bring PyTorch: a process without it forks in no time.
KILL_EVERY_STEP = """
import os, shutil, signal, sys, types
from pathlib import Path
for name in ("neutone_like", "neutone_like.artifact", "neutone_like.artifact.writing", "neutone_like.artifact.format"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [os.path.join(sys.argv[3], *name.split("."))]
from neutone_like.artifact.writing import staging
staging._sync = lambda path: None  # it waits for the disk, and SIGKILL does not empty its cache

def publish(target, version, files):
    with staging.staged_directory(target) as folder:
        for file in files:
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(version)

def die_at(step):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event == "open" or event.split(".")[0] in ("os", "shutil", "ctypes", "pathlib"):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

SOUNDS = ("samples/guitar_riff_in.wav", "samples/drum_loop_out_2.wav", "samples/generated_out.wav")
OLD = ("model.nm", "metadata.json", "validation.json", *SOUNDS)
NEW = ("model.nm", "metadata.json", "samples/guitar_riff_in.wav")
exchanged, target = sys.argv[1] == "exchange", Path(sys.argv[2]) / "artifact"
if not exchanged:
    staging.exchange_folders = lambda first, second: False
states = []
for step in range(1, 400):
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    publish(target, "old", OLD)
    (target / "notes.txt").write_text("mine")
    (target / "samples" / "take 1.wav").write_text("mine")
    child = os.fork()
    if child == 0:
        die_at(step)
        publish(target, "new", NEW)
        os._exit(0)
    killed = os.waitpid(child, 0)[1] != 0
    found = {str(p.relative_to(target)): p.read_text() for p in target.rglob("*") if p.is_file()}
    assert found.pop("notes.txt") == found.pop("samples/take 1.wav") == "mine", (step, found)
    version = found["model.nm"]
    assert set(found.values()) == {version}, (step, "files of two artifacts side by side", found)
    if exchanged:
        assert sorted(found) == sorted({"old": OLD, "new": NEW}[version]), (step, found)
    states.append(version)
    publish(target, "last", NEW)
    left = os.listdir(target.parent)
    assert left == ["artifact"], (step, "leftovers of a killed export stay", left)
    if not killed:
        break
assert not killed and states[0] == "old" and states[-1] == "new", states
print(len(states))
"""

KILL_EXPORTS = """
import json, os, random, signal, sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import torch
from support.artifact_models import Identity, metadata_of
from neutone_like.artifact import load_artifact, write_artifact

torch.set_num_threads(1)
target = Path(sys.argv[1]) / "artifact"

def export(version):
    model = Identity()
    model.metadata = metadata_of(f"take {version}")
    write_artifact(model, target)

export(0)
started = time.monotonic()
export(0)
duration = time.monotonic() - started
found = []
random.seed(0)
for version in range(1, int(sys.argv[3]) + 1):
    child = os.fork()
    if child == 0:
        export(version)
        os._exit(0)
    time.sleep(random.uniform(0.0, 1.3 * duration))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with torch.jit.optimized_execution(False):  # it would take longer than the rest
        artifact = load_artifact(target, verify_test_vector=True)
    assert json.loads((target / "metadata.json").read_text())["model_name"] == artifact.metadata.model_name
    assert len(list((target / "samples").iterdir())) == 4
    found.append(artifact.metadata.model_name)
print(*found, sep=",")
"""


def run(script: str, *arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="exchanges folders and counts steps as Linux does")
@pytest.mark.parametrize("how", ["exchange", "one by one"])
def test_killed_at_every_step(
    how: str, tmp_path: Path, project_folder: Path, subprocess_environment: dict[str, str]
) -> None:
    arguments = how, str(tmp_path / "work"), str(project_folder)
    steps = int(run(KILL_EVERY_STEP, *arguments, environment=subprocess_environment))
    assert steps > 15, "positive control: the steps were seen"


KILLS = 8


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_while_exporting(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    here = str(TESTS)
    found = run(KILL_EXPORTS, str(tmp_path), here, str(KILLS), environment=subprocess_environment).split(",")
    assert len(found) == KILLS


def fill(folder: Path, version: str, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(version)


def fill_and_raise(folder: Path, error: Exception) -> None:
    fill(folder, "new", "model.nm", "metadata.json")
    raise error


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_new_folder_and_its_parents_are_made(tmp_path: Path) -> None:
    with staged_directory(tmp_path / "a" / "b") as folder:
        fill(folder, "new", "model.nm")
    assert contents(tmp_path) == {"a/b/model.nm": "new"}


def test_exception_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    fill(tmp_path / "x", "old", "model.nm")
    error = FileNotFoundError(2, "of the caller's own", "elsewhere")
    with pytest.raises(FileNotFoundError, match="the caller's own"), staged_directory(tmp_path / "x") as folder:
        fill_and_raise(folder, error)
    assert contents(tmp_path) == {"x/model.nm": "old"}


@pytest.mark.parametrize("crowd", ["a few files", "a folder", "many files", "the working folder", "a symbolic link"])
def test_files_of_others_stay(crowd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x"
    target.mkdir()
    fill(target, "old", "model.nm", "metadata.json", "validation.json", "samples/guitar_riff_in.wav")
    others = ["notes.txt", "samples/mine.wav"]
    if crowd == "a folder":
        others += ["weights/a.pt"]
    elif crowd == "many files":
        others += [f"take {number}.txt" for number in range(300)]
    elif crowd == "the working folder":
        monkeypatch.chdir(target)
    fill(target, "mine", *others)
    if crowd == "a symbolic link":
        (target / "link").symlink_to(tmp_path / "nowhere")
    with staged_directory(target) as folder:
        fill(folder, "new", "model.nm", "metadata.json")
    assert contents(target) == {"model.nm": "new", "metadata.json": "new", **dict.fromkeys(others, "mine")}
    assert (target / "link").is_symlink() == (crowd == "a symbolic link")
    assert os.listdir(tmp_path) == ["x"]
    if crowd == "the working folder":
        assert sorted(os.listdir()) == ["metadata.json", "model.nm", "notes.txt", "samples"]


def test_samples_folder_goes_with_its_last_file(tmp_path: Path) -> None:
    for files in (("model.nm", "samples/drum_loop_in.wav"), ("model.nm",)):
        with staged_directory(tmp_path / "x") as folder:
            fill(folder, "new", *files)
    assert os.listdir(tmp_path / "x") == ["model.nm"]


def test_symbolic_link_to_the_folder_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with staged_directory(tmp_path / "link") as folder:
        fill(folder, "new", "model.nm")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "real") == {"model.nm": "new"}


def test_permissions_of_the_folder_stay(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.mkdir(mode=0o750)
    with staged_directory(target) as folder:
        fill(folder, "new", "model.nm")
    assert target.stat().st_mode & 0o777 == 0o750


def test_running_exports_to_the_same_place_are_not_disturbed(tmp_path: Path) -> None:
    with staged_directory(tmp_path / "x") as first:
        fill(first, "first", "model.nm")
        with staged_directory(tmp_path / "x") as second:
            fill(second, "second", "model.nm")
        assert contents(tmp_path / "x") == {"model.nm": "second"}
    assert contents(tmp_path) == {"x/model.nm": "first"}


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
@pytest.mark.parametrize("exchanged", [True, False])
def test_exports_to_the_same_place_publish_after_one_another(
    exchanged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes when the first has looked which files are there."""
    target, look = tmp_path / "x", staging._foreign_files  # pyright: ignore[reportPrivateUsage]
    with staged_directory(target) as folder:
        fill(folder, "old", "model.nm", "samples/drum_loop_in.wav")
    began = threading.Event()

    def export() -> None:
        with staged_directory(target) as second:
            fill(second, "second", "model.nm", "model.nlc")
            began.set()

    other = threading.Thread(target=export)

    def look_and_meet_the_other(folder: Path) -> list[Path] | None:
        monkeypatch.setattr(staging, "_foreign_files", look)
        other.start()
        assert began.wait(600)
        other.join(0.2)
        assert other.is_alive(), "it didn't wait"
        return look(folder)

    monkeypatch.setattr(staging, "_foreign_files", look_and_meet_the_other)
    if not exchanged:
        monkeypatch.setattr(staging, "exchange_folders", lambda first, second: False)
    with staged_directory(target) as folder:
        fill(folder, "first", "model.nm", "metadata.json")
    other.join(600)
    assert contents(tmp_path) == {"x/model.nm": "second", "x/model.nlc": "second"}


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_a_lock_that_somebody_else_keeps_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of ``flock FOLDER neutone-like export ...``."""
    import fcntl

    waited: list[float] = []
    monkeypatch.setattr(staging, "_MOST_WAITING_SECONDS", 0.05)
    monkeypatch.setattr(staging.time, "sleep", waited.append)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with staged_directory(tmp_path / "x") as folder:
            fill(folder, "new", "model.nm")
    finally:
        os.close(descriptor)
    assert waited
    assert contents(tmp_path) == {"x/model.nm": "new"}


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_who_stands_in_the_folder_waits_for_the_same_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, locked = tmp_path / "x", list[Path]()
    one_at_a_time = staging._one_at_a_time  # pyright: ignore[reportPrivateUsage]

    def noted(folder: Path) -> AbstractContextManager[None]:
        locked.append(folder)
        return one_at_a_time(folder)

    monkeypatch.setattr(staging, "_one_at_a_time", noted)
    for where in (tmp_path, target):
        target.mkdir(exist_ok=True)
        monkeypatch.chdir(where)
        with staged_directory(target) as folder:
            fill(folder, "new", "model.nm")
    assert locked == [tmp_path, tmp_path]


def test_only_our_own_leftovers_are_cleared(tmp_path: Path) -> None:
    (tmp_path / ".x.notes").mkdir()
    (tmp_path / ".y.00000000-1-aa.exporting").mkdir()
    with staged_directory(tmp_path / "x") as folder:
        fill(folder, "new", "model.nm")
    assert sorted(os.listdir(tmp_path)) == [".x.notes", ".y.00000000-1-aa.exporting", "x"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them")
def test_an_export_of_another_container_is_not_disturbed(tmp_path: Path) -> None:
    """Which may have this host's name, and processes of the same numbers; and one to a longer name, whatever it is."""
    machine, process, _, number = owner_mark().split("-")
    other = f"{int(machine, 16) ^ 1:08x}"
    living = {f".x.{other}-{2**22 + 1}-00000000-{number}.exporting", f".x.y.{owner_mark()}.exporting"}
    dead = f".x.{machine}-{process}-00000000-{number}.exporting"  # the number is used again
    for name in (*living, dead):
        (tmp_path / name).mkdir()
    with staged_directory(tmp_path / "x") as folder:
        fill(folder, "new", "model.nm")
    assert set(os.listdir(tmp_path)) == {"x", *living}


def test_a_folder_of_the_longest_name(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    for _ in range(2):
        with staged_directory(target) as folder:
            fill(folder, "new", "model.nm")
    assert os.listdir(tmp_path) == [target.name]


def test_output_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(ExportError, match=rf"{tmp_path}/x is a file, and an artifact is a folder"):
        write_artifact(Identity(), tmp_path / "x")
    with pytest.raises(ExportError, match=rf"Can't write the artifact to {tmp_path}/x/y: .*Choose a folder"):
        write_artifact(Identity(), tmp_path / "x" / "y")
    assert contents(tmp_path) == {"x": "mine"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody may write to, root included")
def test_unwritable_output() -> None:
    with pytest.raises(ExportError, match=r"Can't write the artifact to /proc/artifact: .*Choose a folder"):
        write_artifact(Identity(), "/proc/artifact")


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(Identity(), tmp_path / "x", render_samples=False)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging, "_sync", full)
    with pytest.raises(ExportError, match=rf"Can't write the artifact to {tmp_path}/x: No space left.*with room"):
        write_artifact(Identity(), tmp_path / "x", render_samples=False)
    assert os.listdir(tmp_path) == ["x"]
    load_artifact(tmp_path / "x", verify_test_vector=True)
