"""Libraries for other platforms, built by ``ziglang`` and run where this machine can: ``make targets``."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neutone_like.runtime.compiled_model import load_compiled
from neutone_like.targets import TARGETS, build_targets
from support.library_hosts import (
    C_FLAGS,
    EXAMPLE,
    Heard,
    assert_same,
    engine_plays,
    example_plays,
    noise,
)
from support.places import EXPORTED, PROJECT
from support.programs import WINE, needs

MODEL = EXPORTED / "speech_denoiser" / "model.nm"
NAME = "speech_denoiser"
VALUES = {"reduction": 6.0}
NODE_HOST = PROJECT / "tests" / "support" / "play_library.mjs"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="no ziglang: make targets brings it"),
]


@pytest.fixture(scope="module")
def expected() -> Heard:
    return engine_plays(MODEL, noise(), VALUES)


@pytest.fixture(scope="module", params=list(TARGETS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library for one platform."""
    out = tmp_path_factory.mktemp("built") / request.param
    start = time.monotonic()
    (library,) = build_targets(load_compiled(MODEL), out, [request.param])
    print(f"\n{request.param}: {time.monotonic() - start:.1f} s, {library.stat().st_size} bytes")
    return library.parent


def example(folder: Path, triple: str, ending: str = "") -> Path:
    """The example, built for a platform with the library beside it."""
    made = folder / f"compiled{ending}"
    includes = [f"-I{folder.parent / 'include'}", f"-L{folder}"]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", triple, *C_FLAGS, *includes, str(EXAMPLE)]
    done = subprocess.run([*command, f"-l{NAME}", "-o", str(made)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def host_of(folder: Path) -> list[str]:
    """What plays the library of a folder here."""
    name = folder.name
    if name == "x86_64-linux":
        return ["env", f"LD_LIBRARY_PATH={folder}", str(example(folder, TARGETS[name].triple))]
    if name == "aarch64-linux":
        qemu = needs("qemu-aarch64", package="qemu-user")
        root = Path("/usr/aarch64-linux-gnu")
        if not root.is_dir():
            pytest.skip("no C library for aarch64 (Debian: apt-get install libc6-arm64-cross)")
        built = str(example(folder, TARGETS[name].triple))
        return [qemu, "-L", str(root), "-E", f"LD_LIBRARY_PATH={root / 'lib'}:{folder}", built]
    if name == "x86_64-windows":
        return [needs(*WINE, package="wine64"), str(example(folder, TARGETS[name].triple, ".exe"))]
    if name == "wasm32":
        return [needs("node", package="nodejs"), str(NODE_HOST), str(folder / f"{NAME}.wasm")]
    pytest.skip(f"nothing here runs {name}: it was built, and not run")


def test_a_library_sounds_as_the_engine_does(
    folder: Path, expected: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINEDEBUG", "-all")
    monkeypatch.setenv("WINEPREFIX", str(tmp_path / "wine"))
    heard = example_plays(host_of(folder), noise(), VALUES, timeout=600.0)
    print(f"\n{folder.name}: {heard.kernels}, differs by {np.max(np.abs(heard.audio - expected.audio)):.1e}")
    assert_same(heard, expected)


def test_a_module_for_the_web_needs_nothing(folder: Path) -> None:
    if folder.name != "wasm32":
        pytest.skip("the other platforms have a C library")
    read = "new WebAssembly.Module(require('fs').readFileSync(process.argv[1]))"
    script = f"console.log(JSON.stringify(WebAssembly.Module.imports({read})))"
    command = [needs("node", package="nodejs"), "-e", script, str(folder / f"{NAME}.wasm")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []
