"""Hosts for libraries that hold a model: ``native/examples/compiled.c``, and the engine beside it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neutone_like.runtime import Engine, HostConfig
from support.places import PROJECT

Audio = npt.NDArray[np.float32]
EXAMPLE = PROJECT / "native" / "examples" / "compiled.c"
RATE, BLOCK, BLOCKS = 44100, 100, 40
C_FLAGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations")


@dataclass(frozen=True)
class Heard:
    """What came out of a host."""

    audio: Audio
    latency_samples: int
    kernels: str


def noise(seed: int = 3) -> Audio:
    """Noise at several loudnesses, ``[2, BLOCKS * BLOCK]``."""
    random = np.random.default_rng(seed)
    loudness = np.repeat(10.0 ** random.uniform(-4, 0, BLOCKS), BLOCK)
    return (loudness * random.standard_normal((2, BLOCKS * BLOCK))).astype(np.float32)


def engine_plays(model: Path, sound: Audio, values: dict[str, float]) -> Heard:
    """The same by the engine in inline mode."""
    with Engine() as engine, engine.open(model, HostConfig(RATE, BLOCK), mode="inline", backend="compiled") as session:
        for name, value in values.items():
            session.set_parameter(name, value)
        blocks = [session.process(sound[:, at : at + BLOCK]) for at in range(0, sound.shape[1], BLOCK)]
        return Heard(np.concatenate(blocks, axis=1), session.latency_samples, session.backend_name)


def example_plays(command: list[str], sound: Audio, values: dict[str, float], timeout: float = 600.0) -> Heard:
    """A build of the example, by whatever runs it."""
    words = [*command, str(RATE), str(BLOCK), "2", *(f"{name}={value}" for name, value in values.items())]
    done = subprocess.run(words, input=sound.T.tobytes(), capture_output=True, timeout=timeout, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    told = re.search(r"latency (\d+) samples, (\S+)", said)
    assert told is not None, said
    heard = np.frombuffer(done.stdout, np.float32).reshape(-1, 2).T
    return Heard(heard, int(told[1]), told[2])


def assert_same(heard: Heard, expected: Heard, tolerance: float = 2e-6) -> None:
    """The same sound to float32's rounding, and the same latency."""
    assert heard.latency_samples == expected.latency_samples
    assert heard.audio.shape == expected.audio.shape
    peak = float(np.max(np.abs(expected.audio)))
    assert peak > 0.01
    assert float(np.max(np.abs(heard.audio - expected.audio))) <= tolerance * max(1.0, peak)
