"""What every test shares: isolated random numbers, one thread, and the folder of recordings where there is one."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.jit

from neutone_like import export

PROJECT = Path(__file__).resolve().parents[1]
SPECIALISED_AS_IN_HOSTS = ("runtime", "realtime_safety")
FOR_SHAPES = [("STATIC", 2), ("DYNAMIC", 10)]  # what libtorch does where nobody tells it
GOLDEN = ("test_exported_live", "test_exported_offline")  # a few blocks of many modules, which are optimised for longer
OPTIMISED_AS_IN_HOSTS = ("runtime", "realtime_safety", "examples")
NO_SHARED_FOLDER = "no shared folder: set NEUTONE_LIKE_SHARED, or put it at ../shared beside the project"


def pytest_configure() -> None:
    # Blocks this small only lose time to a second thread, and xdist already keeps every core busy.
    torch.set_num_threads(1)
    # In the background, as by nohup, a process ignores SIGINT or SIGHUP, and so do all that it starts: tests send them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    # What is there by now, torch and the tests, stays: a tenth of all time went into looking through it for garbage.
    gc.set_threshold(10_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """TorchScript's optimiser takes a third of a second for every module, and more for every new shape.

    It is on where tests play as hosts do; validation, which exports are put through, turns it on by itself. Two thirds
    of that time go into a version for the shapes that were seen, which plays no faster on a CPU: only tests of the
    engine wait for it.
    """
    on = item.path.parent.name in OPTIMISED_AS_IN_HOSTS and item.path.stem not in GOLDEN
    shapes = FOR_SHAPES if item.path.parent.name in SPECIALISED_AS_IN_HOSTS else []
    torch.jit.set_fusion_strategy(shapes)
    with torch.jit.optimized_execution(on), _compiling(item):  # pyright: ignore[reportPrivateImportUsage]
        return (yield)


@contextmanager
def _compiling(item: pytest.Item) -> Iterator[None]:
    """Exports leave the compiled model out, which takes a second of each, but where the test is about it."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("compiles") is None:
            patch.setattr(export, "_compile", lambda *_: "left out: this test is about something else")
        yield


# What the reasons say of skips for want of what must be there where such a variable is 1.
_REQUIRED = {
    "NEUTONE_LIKE_REQUIRE_SHARED": ("shared",),
    "NEUTONE_LIKE_REQUIRE_PROGRAMS": ("apt-get install", "does not start here"),
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip for want of the shared folder, or of a program of the system's, is a failure where it is required."""
    report = yield
    for variable, words in _REQUIRED.items():
        is_meant = report.skipped and any(each in str(report.longrepr) for each in words)
        if is_meant and os.environ.get(variable) == "1":
            report.outcome = "failed"
            report.longrepr = f"{variable}=1, so this may not be skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def isolated_random_numbers() -> Iterator[None]:
    """Every test starts from the same seed and leaves no trace in the generators."""
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    yield
    torch.set_rng_state(torch_state)
    np.random.set_state(numpy_state)  # noqa: NPY002


@pytest.fixture(scope="session")
def project_folder() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with ``audio/`` and ``nam/``; the test is skipped where it is absent."""
    folder = Path(os.environ.get("NEUTONE_LIKE_SHARED", PROJECT.parent / "shared"))
    if not (folder / "audio").is_dir():
        pytest.skip(NO_SHARED_FOLDER)
    return folder.resolve()


@pytest.fixture
def subprocess_environment() -> dict[str, Any]:
    """For Python processes that a test starts: this checkout and its tests first on the path, warnings are errors."""
    path = os.pathsep.join(filter(None, [str(PROJECT), str(PROJECT / "tests"), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}
