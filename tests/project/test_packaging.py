"""What ``pip install`` brings where nothing can be compiled: all of the package, and an engine that says why not."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from neutone_like.targets.native_code import ROOMS
from support.places import PROJECT

PACKAGE = PROJECT / "neutone_like"


USE_EVERYTHING = """
import sys, numpy, torch
import neutone_like
from neutone_like.runtime import Engine
assert neutone_like.__file__.startswith(sys.argv[1]), neutone_like.__file__
module = neutone_like.load_artifact(sys.argv[2]).module
module.set_daw_sample_rate_and_buffer_size(48000, 64)
print(tuple(module.forward(torch.zeros(2, 64)).shape))
try:
    Engine(workers=1)
except neutone_like.RuntimeEngineError as error:
    print(error)
"""


def build_wheel(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel of this checkout with a compiler that does not exist."""
    pytest.importorskip("scikit_build_core", reason="scikit-build-core builds the wheel; `make` installs it")
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--verbose"]
    command += [f"--config-settings=build-dir={folder / 'build'}", "--wheel-dir", str(folder), str(PROJECT)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        env={**os.environ, "CXX": "/absent/c++", "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout without compiled parts."""
    folder = tmp_path_factory.mktemp("wheel")
    run = build_wheel(folder, NEUTONE_LIKE_REQUIRE_NATIVE="0")
    assert run.returncode == 0, run.stdout
    assert "/absent/c++" in run.stdout, "CMake was asked, and failed"
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_everything_in_the_package_is_in_the_wheel(wheel_names: set[str]) -> None:
    runtime = PACKAGE / "runtime"
    files = {
        path.relative_to(PROJECT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so") and runtime / "native" not in path.parents
    }
    assert {"neutone_like/py.typed", "neutone_like/runtime/native_files.py"} <= files
    assert any(name.endswith(".jinja") for name in files)
    assert files - wheel_names == set()


@pytest.mark.slow
def test_nothing_else_is_in_the_wheel_but_sources_that_users_compile(wheel_names: set[str]) -> None:
    native = PROJECT / "native"
    sources = {
        f"neutone_like/runtime/native/{path.relative_to(native).as_posix()}"
        for folder in ("include", "backends/torch", "plugin", "src/digest", *(f"src/{room}" for room in ROOMS))
        for path in (native / folder).rglob("*")
        if path.is_file()
    }
    assert sources
    sources.add("neutone_like/runtime/native/examples/compiled.c")
    assert sources <= wheel_names
    others = {name for name in wheel_names - sources if ".dist-info/" not in name}
    assert {name for name in others if not (PROJECT / name).is_file()} == set()
    assert {name for name in others if not name.startswith("neutone_like/")} == set()
    assert {name for name in others if name.endswith((".so", ".pyc"))} == set()


@pytest.mark.slow
def test_without_a_compiler_all_but_the_engine_works(
    wheel: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    artifact = PROJECT / "exported" / "overdrive" / "model.nm"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USE_EVERYTHING, str(tmp_path), str(artifact)],
        cwd=tmp_path,
        env={**subprocess_environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    shape, message = run.stdout.split("\n", 1)
    assert shape == "(2, 64)"
    assert "Install a C++20 compiler" in message
    assert "pip install --force-reinstall" in message


@pytest.mark.slow
def test_uninstalling_removes_what_was_built_after_installing(wheel: Path, tmp_path: Path) -> None:
    """In an environment that shares this one's packages; the compiler only makes a file."""
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nprintf built > "$2"\n')
    compiler.chmod(0o755)
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    shared = [path for path in sys.path if path.endswith("-packages")]
    (site / "shared.pth").write_text("\n".join(shared))
    environment = {**os.environ, "CXX": str(compiler), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": ""}

    def run(*arguments: str) -> str:
        command = [str(python), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = files_below(site)
    run("-m", "pip", "install", "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    built = run("-m", "neutone_like.runtime.build_torch_backend").splitlines()[-1].removeprefix("Built ")
    assert Path(built).read_text() == "built"
    assert Path(built).is_relative_to(site)
    run("-m", "neutone_like.runtime.build_torch_backend")
    (record,) = site.glob("neutone_like-*/RECORD")
    assert record.read_text().count(Path(built).name) == 1, "listed once, however often it was built"
    run("-m", "pip", "uninstall", "--yes", "neutone-like")
    assert files_below(site) == before
    assert not (tmp_path / "cache").exists()


def files_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.slow
def test_where_the_engine_is_required_a_missing_compiler_is_an_error(tmp_path: Path) -> None:
    run = build_wheel(tmp_path, NEUTONE_LIKE_REQUIRE_NATIVE="1")
    assert run.returncode != 0
    assert "/absent/c++" in run.stdout
    assert list(tmp_path.glob("*.whl")) == []
