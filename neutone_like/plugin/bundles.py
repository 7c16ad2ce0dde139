"""A plugin's binary in each format: the files and folders that hosts look for."""

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neutone_like.errors import CompileError
from neutone_like.plugin.identity import PluginIdentity

FORMATS = ("clap", "vst3", "lv2")
"""What plugins are made for."""


@dataclass(frozen=True)
class Bundle:
    """What the formats are written from.

    Attributes:
        identity: Whose they are.
        binary: The file that is the same in each.
        manifest: LV2's.
        description: LV2's.
    """

    identity: PluginIdentity
    binary: bytes
    manifest: str
    description: str


def known_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """These, each once.

    Raises:
        CompileError: There is no such format, or none is asked for.
    """
    wanted = tuple(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise CompileError(
            f"There are plugins for {', '.join(FORMATS)}, got {unknown[0] if unknown else 'no format'!r}."
        )
    return wanted


def write_bundles(formats: Sequence[str], folder: Path, bundle: Bundle) -> list[Path]:
    """Write each format into a folder, and return what a host's folder gets."""
    return [_WRITERS[name](folder, bundle) for name in formats]


def written(path: Path, content: bytes) -> Path:
    """A file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def size_of(path: Path) -> int:
    """Bytes of a file, or of all in a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def _clap(folder: Path, bundle: Bundle) -> Path:
    return written(folder / f"{bundle.identity.file_name}.clap", bundle.binary)


def _vst3(folder: Path, bundle: Bundle) -> Path:
    name = bundle.identity.file_name
    written(folder / f"{name}.vst3" / "Contents" / f"{platform.machine()}-linux" / f"{name}.so", bundle.binary)
    return folder / f"{name}.vst3"


def _lv2(folder: Path, bundle: Bundle) -> Path:
    name = bundle.identity.file_name
    written(folder / f"{name}.lv2" / f"{name}.so", bundle.binary)
    written(folder / f"{name}.lv2" / "manifest.ttl", bundle.manifest.encode())
    written(folder / f"{name}.lv2" / f"{name}.ttl", bundle.description.encode())
    return folder / f"{name}.lv2"


_WRITERS: Mapping[str, Callable[[Path, Bundle], Path]] = {"clap": _clap, "vst3": _vst3, "lv2": _lv2}
