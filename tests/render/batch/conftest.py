"""What the tests of jobs share: a recording that takes long to render, and workers that take no time to start."""

import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from neutone_like.render.batch import pool

MINUTES = 30


@pytest.fixture(scope="session")
def long_silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of silence in stereo, as FLAC: small, and nobody is done with it before a test interrupts them."""
    path = tmp_path_factory.mktemp("long") / "silence.flac"
    with soundfile.SoundFile(path, "w", 48000, 2) as file:
        for _ in range(MINUTES):
            file.write(np.zeros((48000 * 60, 2), dtype=np.int16))
    return path


@pytest.fixture
def quick_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are forked off a process that has loaded torch and done nothing yet, instead of starting from nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["neutone_like.render.batch.pool"])
    monkeypatch.setattr(pool, "multiprocessing", SimpleNamespace(get_context=lambda _: context))
