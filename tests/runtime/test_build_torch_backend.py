"""A torch that came later, or changed: what the engine says, and the command that builds the backend for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from neutone_like import RuntimeEngineError
from neutone_like.runtime import Engine, HostConfig, native_files, torch_backend
from neutone_like.runtime import build_torch_backend as builder
from support.native_backend import BackendFailure, BackendInstance, load_table
from support.places import EXPORTED, PROJECT

COMMAND = "python -m neutone_like.runtime.build_torch_backend"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The package's folder of compiled files and the user's, both empty."""
    native, cache = tmp_path / "native", tmp_path / "cache"
    native.mkdir()
    monkeypatch.setattr(torch_backend, "NATIVE_FOLDER", native)
    monkeypatch.setattr(builder, "NATIVE_FOLDER", native)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    user = torch_backend.user_folder()
    user.mkdir(parents=True)
    return native, user


def test_no_backend_at_all(folders: tuple[Path, Path]) -> None:
    version = torch.__version__.replace("+", r"\+")
    with pytest.raises(RuntimeEngineError, match=rf"has not been built, and .* torch {version}\. .*{COMMAND}"):
        torch_backend.torch_backend_path()


def test_backends_for_other_torches(folders: tuple[Path, Path]) -> None:
    native, user = folders
    (native / "neutone_like_torch-2.6.0-abi0.so").touch()
    (user / "neutone_like_torch-2.9.1+cu128-abi1.so").touch()
    (user / "something_else.so").touch()
    with pytest.raises(
        RuntimeEngineError,
        match=r"built for torch 2\.6\.0 \(with the C\+\+ ABI from before C\+\+11\), torch 2\.9\.1\+cu128, and the",
    ):
        torch_backend.torch_backend_path()


def test_a_backend_for_the_same_torch_with_the_other_abi_is_not_taken(folders: tuple[Path, Path]) -> None:
    other = str(1 - int(torch.compiled_with_cxx11_abi()))
    (folders[0] / f"neutone_like_torch-{torch.__version__}-abi{other}.so").touch()
    with pytest.raises(RuntimeEngineError, match="with the C.. ABI from before C..11"):
        torch_backend.torch_backend_path()


@pytest.mark.parametrize("where", [0, 1], ids=["package", "user"])
def test_the_backend_for_this_torch_is_found(folders: tuple[Path, Path], where: int) -> None:
    path = folders[where] / torch_backend.backend_file_name()
    path.touch()
    (folders[where] / "neutone_like_torch-2.6.0-abi1.so").touch()
    assert torch_backend.torch_backend_path() == path


def test_a_backend_in_a_process_with_another_torch_refuses(tmp_path: Path) -> None:
    """A renamed file, as far as the backend can tell: its record of the torch it was built for is another."""
    version = torch.__version__.encode()
    code = torch_backend.torch_backend_path().read_bytes()
    record, other = b"\0" + version + b"\0", b"\0" + b"9" * len(version) + b"\0"
    assert code.count(record) == 1
    path = tmp_path / "renamed.so"
    path.write_bytes(code.replace(record, other))
    with pytest.raises(BackendFailure, match=rf"was built for torch 9+, but torch [0-9.]+ is loaded.*{COMMAND}"):
        load_table(path)


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeEngineError, match=r"none of c\+\+, g\+\+, clang\+\+ is on the PATH.*install g\+\+"):
        builder.build_torch_backend(tmp_path)


def test_a_compiler_that_fails_or_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "old"
    compiler.write_text("#!/bin/sh\necho unknown option >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", f"{compiler} -q")
    with pytest.raises(RuntimeEngineError, match=r"compiler failed\. It must know C\+\+20.*\n.*old -q .*\nunknown"):
        builder.build_torch_backend(tmp_path)
    monkeypatch.setenv("CXX", "/absent/c++")
    with pytest.raises(RuntimeEngineError, match="'/absent/c\\+\\+' does not start: .*No such file"):
        builder.build_torch_backend(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"], "nothing half done is left"


def test_nowhere_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeEngineError, match="can't be written to .*/file/folder"):
        builder.build_torch_backend(tmp_path / "file" / "folder")


def test_a_package_that_may_not_be_changed_leaves_the_users_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(folders[0])
    folders[0].touch()  # no folder can be made here
    monkeypatch.setenv("CXX", "/absent/c++")
    with pytest.raises(RuntimeEngineError, match="does not start"):
        builder.build_torch_backend()
    assert folders[1].is_dir()
    assert list(folders[1].iterdir()) == []


def test_compiled_files_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert native_files.native_file(torch_backend.torch_backend_path().name).is_file()
    with pytest.raises(RuntimeEngineError, match=r"absent\.so is not in .*no working C\+\+ compiler.*make native"):
        native_files.native_file("absent.so")
    monkeypatch.setattr(native_files, "NATIVE_FOLDER", tmp_path / "a" / "b")
    monkeypatch.setattr(native_files, "RUNTIME_FOLDER", tmp_path / "c" / "d")
    with pytest.raises(RuntimeEngineError, match="sources of the backends are neither in"):
        native_files.native_sources()


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler in name: each call is a line in its log, takes a moment, and makes a file of nine bytes."""
    program = tmp_path / "compiler"
    program.write_text(
        "#!/bin/sh\n"
        f"echo call >> {tmp_path}/calls\n"
        "sleep 0.5\n"
        'while [ "$1" != -o ]; do shift; done\n'
        'printf "a backend" > "$2"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("CXX", str(program))
    return program


def calls(compiler: Path) -> int:
    log = compiler.with_name("calls")
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_first_use_builds_it_and_says_so_in_one_line(
    folders: tuple[Path, Path], compiler: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = torch_backend.ensure_torch_backend()
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"neutone-like: building the libtorch backend for torch {torch.__version__}, once")
    assert said.err.count("\n") == 1
    assert first == folders[0] / torch_backend.backend_file_name()
    assert first.read_bytes() == b"a backend"
    assert os.listdir(folders[0]) == [first.name], "and nothing beside it"
    assert torch_backend.ensure_torch_backend() == first
    assert (calls(compiler), capfd.readouterr().err) == (1, "")


def test_two_that_need_it_at_once_build_it_once(
    folders: tuple[Path, Path], compiler: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        paths = {made.result() for made in [pool.submit(torch_backend.ensure_torch_backend) for _ in range(3)]}
    assert paths == {folders[0] / torch_backend.backend_file_name()}
    assert calls(compiler) == 1
    assert capfd.readouterr().err.count("waiting for another") <= 2


def test_first_use_without_a_compiler_names_one_to_install(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with Engine() as engine, pytest.raises(RuntimeEngineError, match=r"C\+\+20 compiler.*install g"):
        engine.open(EXPORTED / "overdrive", HostConfig(48000, 64, 2), backend="torchscript")
    assert [*folders[0].iterdir(), *folders[1].iterdir()] == []


def test_an_interrupted_build_leaves_no_file_and_no_process(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    compiler = tmp_path / "slow"
    compiler.write_text(f"#!/bin/sh\nsleep 300 & echo $! > {tmp_path}/child\nwait\n")
    compiler.chmod(0o755)
    code = (
        "import sys, pathlib; from neutone_like.runtime.build_torch_backend import build_torch_backend; "
        "build_torch_backend(pathlib.Path(sys.argv[1]))"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(folders[0])],
        env={**os.environ, "CXX": str(compiler), "PYTHONPATH": str(PROJECT)}, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    ) as process:  # fmt: skip
        until(lambda: (tmp_path / "child").is_file() and (tmp_path / "child").read_text().endswith("\n"))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=600)[1]
    assert b"KeyboardInterrupt" in said
    assert list(folders[0].iterdir()) == []
    child = int((tmp_path / "child").read_text())
    until(lambda: not runs(child))


def test_a_compiler_whose_start_is_interrupted_ends_too(
    tmp_path: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "slow"
    compiler.write_text("#!/bin/sh\nsleep 300\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    reading = os.read
    started: list[bytes] = []

    def read(file: int, size: int) -> bytes:
        """What waits until the child has become the compiler."""
        if not started and "_execute_child" in {each.name for each in traceback.extract_stack()}:
            started.append(reading(file, size))
            raise KeyboardInterrupt
        return reading(file, size)

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(KeyboardInterrupt):
        builder.build_torch_backend(folders[0])
    monkeypatch.undo()
    assert started == [b""]
    assert not any(is_run_by(each, compiler) for each in Path("/proc").iterdir() if each.name.isdecimal())


def is_run_by(process: Path, program: Path) -> bool:
    try:
        return str(program).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 600
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def runs(process: int) -> bool:
    """A zombie doesn't: nobody may be there to take it away."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_importing_builds_nothing(tmp_path: Path, compiler: Path) -> None:
    code = """
import sys
from pathlib import Path
import neutone_like.runtime.native_files as files
files.NATIVE_FOLDER = Path(sys.argv[1])
import neutone_like, neutone_like.runtime, neutone_like.validate, neutone_like.render
from neutone_like.runtime import Engine
Engine().close()
"""
    native = tmp_path / "native"
    native.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code, str(native)], env=environment, check=True, timeout=600)
    assert (calls(compiler), list(native.iterdir()), (tmp_path / "cache").exists()) == (0, [], False)


@pytest.mark.slow
def test_the_command_builds_a_backend_that_plays(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    """From a copy of what a wheel installs, in a package folder that has no backend yet."""
    if shutil.which("c++") is None:
        pytest.skip("no C++ compiler")
    package = Path(native_files.__file__).parents[1]
    copy = tmp_path / "site" / "neutone_like"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "*torch-*.so"))
    for folder in ("include", "backends/torch"):
        target = copy / "runtime" / "native" / folder
        shutil.copytree(native_files.native_sources() / folder, target, dirs_exist_ok=True)
    environment = {**subprocess_environment, "PYTHONPATH": str(copy.parent)}
    run = subprocess.run(
        [sys.executable, "-m", "neutone_like.runtime.build_torch_backend"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    path = Path(run.stdout.splitlines()[-1].removeprefix("Built "))
    assert path == copy / "runtime" / "native" / torch_backend.backend_file_name()
    assert os.access(path, os.R_OK)

    instance = BackendInstance(load_table(path), EXPORTED / "overdrive" / "model.nm")
    instance.prepare(48000, 64, (2, 2), names=["drive"])
    x = torch.randn(2, 64)
    core = torch.jit.load(EXPORTED / "overdrive" / "model.nm").w2w_base
    expected = core.do_forward_pass(x.clone(), {"drive": torch.tensor([6.0])}).detach().numpy()
    np.testing.assert_array_equal(instance.process(x.numpy().copy(), [np.array([6.0], dtype=np.float32)]), expected)
    instance.destroy()
