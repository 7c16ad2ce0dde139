"""Which backend was the fastest, by artifact, machine, host and versions: kept in the user's cache folder."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.processor import processor_name
from neutone_like.runtime.compiled_backend import compiled_beside
from neutone_like.runtime.exchange_backend import exported_beside
from neutone_like.runtime.exchange_libraries import EXCHANGE_LIBRARIES
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.torch_backend import user_folder
from neutone_like.version import __version__
from neutone_like.whole_file import write_whole

FORMAT = 1


@dataclass(frozen=True)
class Measured:
    """What was measured of each backend, and who was chosen.

    Attributes:
        backend: The chosen one.
        p99_us: What 99 of 100 blocks stay within, of those who could be chosen.
        notes: Why others could not.
    """

    backend: str
    p99_us: Mapping[str, float]
    notes: Mapping[str, str]


def choice_file(artifact: Artifact, host: HostConfig) -> Path:
    """Where the choice for an artifact and a host on this machine is kept."""
    sidecars = [path for each in EXCHANGE_LIBRARIES.values() for path in exported_beside(artifact, each)]
    files = [artifact.path, compiled_beside(artifact), *sidecars]  # a sidecar names its file's digest
    facts = {
        "format": FORMAT,
        "files": {path.name: digest_of_file(path) for path in files if path.is_file()},
        "host": [host.sample_rate, host.block_size, host.channels, host.varying_blocks],
        "machine": [platform.node(), processor_name(), os.cpu_count()],
        "versions": {
            "neutone-like": __version__,
            "torch": str(torch.__version__),
            **{each.name: each.version for each in EXCHANGE_LIBRARIES.values()},
        },
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return user_folder() / "backends" / f"{key[:32]}.json"


def read_choice(path: Path) -> Measured | None:
    """What is kept; None where there is nothing, or nothing that can be read: it is measured again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        backend, times, notes = content["backend"], content["p99_us"], content["notes"]
        measured = Measured(
            str(backend),
            {str(name): float(value) for name, value in times.items()},
            {str(name): str(value) for name, value in notes.items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return measured if measured.backend in measured.p99_us else None


def keep_choice(path: Path, measured: Measured) -> str:
    """Keep it for the next time.

    Returns:
        ``""``, or why that can't be: a cache that can't be written is no reason not to play.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(asdict(measured), indent=1).encode())
    except OSError as error:
        return f"can't be kept in {path.parent}: {error.strerror}"
    return ""
