"""How the files of a job are rendered, and a digest of all that their content depends on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import numpy as np
import torch

from neutone_like.numbers import as_finite_number
from neutone_like.runtime.choosing import BackendName
from neutone_like.version import __version__

# They decode, resample, compute and encode: with another version of one, a file may come out differently.
_PACKAGES = ("numpy", "pedalboard", "soundfile", "soxr", "torch")


@dataclass(frozen=True)
class RenderSettings:
    """What :func:`neutone_like.render_file` takes, for every file of a job. ``None`` means as it does there."""

    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    wet: float | None = None
    dry: float | None = None
    input_gain_db: float | None = None
    output_gain_db: float | None = None
    out_sample_rate: int | None = None
    bit_depth: int | None = None
    quality: str | float | None = None
    device: str = "cpu"
    backend: BackendName = "auto"

    def digest(self) -> str:
        """SHA-256 of every setting; the same for values that are the same in another type (24, 24.0)."""
        return _sha256_of_json({name: _plain(value) for name, value in asdict(self).items()})


def versions() -> dict[str, str]:
    """The packages in this process whose versions the output may depend on."""
    found = {"neutone-like": __version__}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def key_of(
    input_sha256: str, artifact_sha256: str, settings: RenderSettings, ending: str, compiled_sha256: str = ""
) -> str:
    """SHA-256 of all that decides what a rendered file holds. Equal keys: the file need not be rendered again."""
    return _sha256_of_json(
        {
            "input": input_sha256,
            "artifact": artifact_sha256,
            "compiled": compiled_sha256,
            "settings": settings.digest(),
            "ending": ending.lower(),
            "versions": versions(),
        }
    )


def _sha256_of_json(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON has it; arrays by their content."""
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(each) for each in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    number = as_finite_number(value)
    return repr(value) if number is None else number
