"""What the tests of jobs share: a recording that takes long to render, and not long to make."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

MINUTES = 30


@pytest.fixture(scope="session")
def long_silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of silence in stereo, as FLAC: small, and nobody is done with it before a test interrupts them."""
    path = tmp_path_factory.mktemp("long") / "silence.flac"
    with soundfile.SoundFile(path, "w", 48000, 2) as file:
        for _ in range(MINUTES):
            file.write(np.zeros((48000 * 60, 2), dtype=np.int16))
    return path
