"""Examples of offline models in hosts, and recordings to give them."""

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like import NonRealtimeSampleQueueWrapper
from neutone_like.validate.conditions import optimiser
from support.places import EXAMPLES


def example(name: str) -> Any:
    """A file of examples/ as a module."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    return importlib.import_module(name)


def hosted(model: Any, rate: int) -> Any:
    wrapper = NonRealtimeSampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    return wrapper


@cache
def scripted_wrapper(name: str) -> Any:
    return torch.jit.script(NonRealtimeSampleQueueWrapper(example(name).build_model()))


@pytest.fixture(autouse=True)
def without_optimiser() -> Iterator[None]:
    """TorchScript's optimiser takes seconds for each new length, and is worth it only where one comes often."""
    with optimiser(False):
        yield


def scripted(name: str, rate: int) -> Any:
    """As it is in the artifact: one for all tests, as every signal starts afresh."""
    wrapper = scripted_wrapper(name)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    return wrapper


def recording(shared_folder: Path, name: str, seconds: float = 4.0) -> Tensor:
    """A CC0 recording over and over, ``[2, N]`` at 44.1 kHz, RMS 0.1."""
    audio, rate = soundfile.read(shared_folder / "audio" / f"{name}.flac", dtype="float32", always_2d=True)
    assert rate == 44100
    sound = torch.from_numpy(audio.T.copy())
    sound = sound.repeat(2, 1) if sound.size(0) == 1 else sound
    total = round(seconds * rate)
    sound = sound.repeat(1, -(-total // sound.size(1)))[:, :total]
    return 0.1 * sound / sound.square().mean().sqrt()
