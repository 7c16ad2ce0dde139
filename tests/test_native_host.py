"""The engine without Python: the example of a host in C++ is built from the core alone, and plays an artifact."""

import re
import subprocess
from pathlib import Path

import pytest

from neutone_like.runtime.torch_backend import torch_backend_path

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = PROJECT / "native" / "src"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("host") / "host"
    sources = [str(path) for path in [PROJECT / "native" / "examples" / "host.cpp", *sorted(SOURCES.rglob("*.cpp"))]]
    folders = ["-I", str(SOURCES), "-I", str(PROJECT / "native" / "include")]
    command = ["c++", "-std=c++20", *folders, *sources, "-o", str(program), "-lpthread", "-ldl"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return program


def run(program: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_plays_an_artifact_without_python(host: Path) -> None:
    needed = subprocess.run(["ldd", str(host)], capture_output=True, text=True, check=True).stdout
    assert "python" not in needed
    assert "torch" not in needed
    played = run(host, PROJECT / "exported" / "overdrive" / "model.nm", torch_backend_path(), 44100, 256, 0.5)
    assert played.returncode == 0, played.stderr
    callbacks = re.search(r"(\d+) callbacks, .* 0 blocks failed", played.stdout)
    assert callbacks is not None, played.stdout
    assert int(callbacks[1]) == int(0.5 * 44100 / 256)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.nm",), "usage: host MODEL.nm"),
        (("nowhere.nm", "nowhere.so"), "nowhere.so can't be loaded"),
        (("nowhere.nm", "{backend}"), "could not open the model: .*nowhere.nm"),
        (("{model}", "{backend}", "10"), "sample_rate must lie in 1000..384000, got 10"),
        (("{model}", "{backend}", "48000", "0"), "block_size must lie in 1..1048576, got 0"),
    ],
)
def test_says_what_is_wrong(host: Path, arguments: tuple[str, ...], message: str) -> None:
    model = PROJECT / "exported" / "overdrive" / "model.nm"
    given = [argument.format(model=model, backend=torch_backend_path()) for argument in arguments]
    failed = run(host, *given)
    assert failed.returncode in (1, 2)
    assert re.search(message, failed.stderr, re.DOTALL), failed.stderr
