"""What ``pip install`` brings: a wheel, built here without its compiled parts, against the files of the package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "neutone_like"


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel of this checkout."""
    pytest.importorskip("scikit_build_core", reason="scikit-build-core builds the wheel; `make` installs it")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--quiet"]
    command += ["--config-settings=wheel.cmake=false", "--wheel-dir", str(folder), str(PROJECT)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
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
def test_nothing_else_is_in_the_wheel_but_the_backends_sources(wheel_names: set[str]) -> None:
    native = PROJECT / "native"
    sources = {
        f"neutone_like/runtime/native/{path.relative_to(native).as_posix()}"
        for folder in ("include", "backends/torch")
        for path in (native / folder).rglob("*")
        if path.is_file()
    }
    assert sources
    assert sources <= wheel_names
    others = {name for name in wheel_names - sources if ".dist-info/" not in name}
    assert {name for name in others if not (PROJECT / name).is_file()} == set()
    assert {name for name in others if not name.startswith("neutone_like/")} == set()
    assert {name for name in others if name.endswith((".so", ".pyc"))} == set()
