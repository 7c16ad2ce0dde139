"""The engine without Python: its unit tests, and hosts that know engine.h and an artifact."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from subprocess import PIPE

import numpy as np
import numpy.typing as npt
import pytest

from neutone_like.realtime_safety import check_realtime_safety
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.torch_backend import torch_backend_path
from support.compiled_files import delayed, write_late_model
from support.native_build import NativeBuild, build_native, configure, run, tool
from support.places import PROJECT
from support.realtime_safety_tools import needs_linux

RATE, BLOCK = 48000, 256
GAIN_MODEL = json.dumps(
    {
        "model_name": "Gain",
        "model_version": "1",
        "model_short_description": "",
        "native_sample_rates": [44100],
        "native_buffer_sizes": [],
        "look_behind_samples": 0,
        "neutone_like": {
            "schema_version": 1,
            "quality": "high",
            "in_channels": 2,
            "out_channels": 2,
            "parameters": [
                {
                    "name": "gain",
                    "description": "",
                    "type": "continuous",
                    "default": 1.0,
                    "minimum": 0.0,
                    "maximum": 4.0,
                    "unit": "",
                    "rate": "block",
                    "smoothing_seconds": 0.02,
                }
            ],
        },
    }
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def native() -> NativeBuild:
    return build_native()


@pytest.fixture(scope="module")
def consumer(native: NativeBuild, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project outside this one, built against what was installed."""
    folder = tmp_path_factory.mktemp("consumer")
    configure(PROJECT / "native" / "tests" / "consumer", folder, f"-DCMAKE_PREFIX_PATH={native.prefix}")
    run(tool("cmake"), "--build", folder)
    return folder


def play(host: Path, audio: npt.NDArray[np.float32], *arguments: object) -> "subprocess.CompletedProcess[bytes]":
    """Run the example with audio ``[2, N]`` on its standard input."""
    command = [str(host), *map(str, arguments)]
    given = np.ascontiguousarray(audio.T, np.float32).tobytes()
    return subprocess.run(command, input=given, capture_output=True, timeout=600, check=False)


def test_unit_tests(native: NativeBuild) -> None:
    """CTest runs the C++ unit tests (doctest), and holds src/signal to needing no operating system."""
    program = native.folder / "tests" / "unit_tests"
    if not program.is_file():
        reason = "no doctest for the C++ unit tests: apt-get install doctest-dev"
        assert os.environ.get("NEUTONE_LIKE_REQUIRE_DOCTEST") != "1", reason
        pytest.skip(reason)
    told = run(tool("ctest"), "--test-dir", native.folder, "--output-on-failure", "--parallel", "2")
    passed = re.search(r"100% tests passed.* out of (\d+)", told)
    assert passed is not None and int(passed[1]) >= 50, told[-4000:]  # noqa: PT018


def test_needs_neither_python_nor_torch(native: NativeBuild) -> None:
    needed = run("ldd", native.host)
    assert "python" not in needed
    assert "torch" not in needed


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("overdrive", {"drive": 24.0}),
        ("speech_denoiser", {"reduction": 10.0}),  # another rate, blocks of its own, look-behind, mono
        ("conv_tasnet", {}),  # mono to stereo
        ("stereo_widener", {"width": 1.5}),  # a value a sample
    ],
)
def test_plays_as_python_does(native: NativeBuild, name: str, settings: dict[str, float]) -> None:
    audio = np.random.default_rng(3).uniform(-0.3, 0.3, (2, 60 * BLOCK)).astype(np.float32)
    model = PROJECT / "exported" / name / "model.nm"
    given = [f"{parameter}={value}" for parameter, value in settings.items()]
    played = play(native.host, audio, model, torch_backend_path(), *given)
    assert played.returncode == 0, played.stderr
    heard = np.frombuffer(played.stdout, np.float32).reshape(-1, 2).T

    with Engine() as engine:
        session = engine.open(model, HostConfig(RATE, BLOCK, 2), mode="inline")
        for parameter, value in settings.items():
            session.set_parameter(parameter, value)
        blocks = [session.process(audio[:, at : at + BLOCK]) for at in range(0, audio.shape[1], BLOCK)]
        assert f"latency {session.latency_samples} samples" in played.stderr.decode()
    expected = np.concatenate([np.asarray(block) for block in blocks], axis=1)
    assert heard.shape == expected.shape
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(heard, expected, rtol=0, atol=1e-5)


def test_compiled_models_need_nothing_beside_the_host(native: NativeBuild, tmp_path: Path) -> None:
    """The sound is that of the plan, and the whole process stays small while it plays."""
    for name in ("model.nm", "metadata.json"):
        shutil.copy(PROJECT / "exported" / "overdrive" / name, tmp_path / name)
    audio = np.random.default_rng(3).uniform(-0.3, 0.3, (2, 200 * BLOCK)).astype(np.float32)
    given = tmp_path / "in.f32"
    given.write_bytes(np.ascontiguousarray(audio.T).tobytes())
    command = [str(native.host), str(write_late_model(tmp_path / "model.nm")), "drive=3"]
    with given.open("rb") as source, subprocess.Popen(command, stdin=source, stdout=PIPE, stderr=PIPE) as host:
        assert host.stdout is not None
        half = host.stdout.read(audio.nbytes // 2)  # the rest doesn't fit into a pipe: the host waits, and lives
        status = Path(f"/proc/{host.pid}/status")
        resident = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        rest, told = host.communicate()
    heard = np.frombuffer(half + rest, np.float32).reshape(-1, 2).T
    np.testing.assert_array_equal(heard, delayed(audio))
    assert "latency 3 samples" in told.decode()
    if resident is not None:
        assert 1000 < int(resident[1]) < 15_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "usage: host MODEL [BACKEND.so]"),
        (("nowhere.nlc",), "nowhere.nlc can't be read: No such file"),
        (("{model}",), "does not begin as a compiled model does. Expected a model.nlc."),
        (("{model}", "nowhere.so"), "nowhere.so can't be loaded"),
        (("nowhere.nm", "{backend}"), "There is no file nowhere.nm"),
        (("{readme}", "{backend}"), "README.md is no TorchScript archive"),
        (("{offline}", "{backend}"), "This model is not live"),
        (("{model}", "{backend}", "drvie=3"), "The model has no parameter 'drvie'; it has drive."),
        (("{model}", "{backend}", "drive=37"), "'drive': allowed is 0..36 dB, got the text '37'"),
    ],
)
def test_says_what_is_wrong(native: NativeBuild, arguments: tuple[str, ...], message: str) -> None:
    paths = {
        "model": PROJECT / "exported" / "overdrive" / "model.nm",
        "offline": PROJECT / "exported" / "loudness_normaliser" / "model.nm",
        "readme": PROJECT / "README.md",
        "backend": torch_backend_path(),
    }
    failed = play(native.host, np.zeros((2, 0), np.float32), *(text.format(**paths) for text in arguments))
    assert failed.returncode in (1, 2)
    assert message in failed.stderr.decode()


def test_an_outside_project_finds_it(native: NativeBuild, consumer: Path) -> None:
    """find_package, a host in C, the version header; and the engine's own headers are not to be had."""
    model = GAIN_MODEL.replace("[44100]", "[]")
    told = run(consumer / "consumer", model, native.gain_backend, "gain", "1.5")
    assert re.fullmatch(r"(\d+\.\d+\.\d+) \1 latency 0 output 0\.7500\n", told), told
    shown = run("nm", "--dynamic", "--defined-only", consumer / "realtime_callback.so")
    assert "neutone_like_callback_process" in shown, "the plugin's own"
    assert "nl_" not in shown, "what it holds stays inside"
    headers = sorted(path.name for path in native.prefix.rglob("*.h*"))
    assert {"engine.h", "engine.hpp", "backend.h", "version.h"} <= set(headers)
    assert not {"session.hpp", "ring.hpp", "config.hpp"} & set(headers)


@needs_linux
@pytest.mark.parametrize("wake", ["event", "poll"])
def test_processing_is_real_time_safe(
    native: NativeBuild, consumer: Path, monkeypatch: pytest.MonkeyPatch, wake: str
) -> None:
    """Asynchronous, with rate conversion and a knob that never stands still: at most the call that wakes a worker."""
    monkeypatch.setenv("NL_MODEL", GAIN_MODEL)
    monkeypatch.setenv("NL_BACKEND", str(native.gain_backend))
    if wake == "poll":
        monkeypatch.setenv("NL_POLLING", "1")
    path = consumer / "realtime_callback.so"
    report = check_realtime_safety(path, callbacks=3000, wake="event" if wake == "event" else "poll")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert (report["futex_wake_ups"].count > 0) == (wake == "event")
