"""Plugins of the exported artifacts, built once, and what they should sound like."""

import atexit
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.plugin import build_player_plugin, build_plugin
from neutone_like.render import Board, ModelPlugin, render_file
from neutone_like.runtime.compiled_model import COMPILED_KEY, load_compiled
from support.compiled_files import late_model
from support.places import EXPORTED

Audio = npt.NDArray[np.float32]

# With the engine comes the plugin's binary; where it is missing alone, that is a fault.
needs_plugin = pytest.mark.skipif(
    sys.platform != "linux" or find_spec("neutone_like.runtime._native") is None,
    reason="plugins are made on Linux, and need the native engine",
)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="neutone-like-plugins-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _artifact(name: str) -> Artifact:
    return load_artifact(EXPORTED / name)


@cache
def built(kind: str, name: str, *, worker: bool = False) -> Path:
    """The plugin of an exported artifact in one format."""
    return build_plugin(EXPORTED / name, _folder() / str(worker), [kind], worker=worker).files[0].path


@cache
def player(kind: str) -> Path:
    """The player in one format, which begins with nothing."""
    return build_player_plugin(_folder() / "player", [kind]).files[0].path


def hand_made(folder: Path, **changes: Any) -> Path:
    """A model that nobody exported: overdrive's metadata with these changes, and a plan that does nothing."""
    metadata: dict[str, Any] = dict(load_compiled(EXPORTED / "overdrive").metadata)
    ours = {**metadata["neutone_like"], "in_channels": 2, "out_channels": 2}
    parameters = changes.pop("parameters", ours["parameters"])
    metadata |= {"neutone_like": {**ours, "parameters": parameters}, **changes}
    metadata[COMPILED_KEY] = {"defaults": [float(each["default"]) for each in parameters]}
    path = folder / "model.nlc"
    path.write_bytes(late_model(json.dumps(metadata), parameters=len(parameters)))
    return path


def noise(seed: int, samples: int, channels: int = 2) -> Audio:
    """Noise whose loudness moves."""
    random = np.random.default_rng(seed)
    loudness = 0.05 + 0.3 * np.abs(np.sin(np.arange(samples) / 700 + seed))
    return (loudness * random.standard_normal((channels, samples))).astype(np.float32)


def late(sound: Audio, samples: int) -> Audio:
    """With as much silence behind it as a latency takes to bring the end of it out."""
    return np.pad(sound, ((0, 0), (0, samples)))


def board_plays(name: str, sound: Audio, rate: int, params: Mapping[str, Any] | None = None) -> Audio:
    """What a render of the artifact gives, in step with the sound."""
    plugin = ModelPlugin(_artifact(name), params, wet=1.0, dry=0.0)
    return np.asarray(Board([plugin])(sound, rate), np.float32)


def file_plays(folder: Path, name: str, sound: Audio, rate: int, params: Mapping[str, Any] | None = None) -> Audio:
    """The same by way of files."""
    soundfile.write(folder / "in.wav", sound.T, rate, "FLOAT")
    render_file(EXPORTED / name, folder / "in.wav", folder / "out.wav", params=params, wet=1.0, dry=0.0, progress=False)
    made, _ = soundfile.read(folder / "out.wav", dtype="float32", always_2d=True)
    return np.ascontiguousarray(made.T)
