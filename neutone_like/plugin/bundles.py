"""A plugin's binary in each format: the files and folders that hosts look for."""

import plistlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neutone_like.errors import CompileError
from neutone_like.plugin.binary import PluginCode
from neutone_like.plugin.identity import PluginIdentity
from neutone_like.plugin.platforms import Platform

FORMATS = ("clap", "vst3", "lv2")
"""What plugins are made for."""
_OLDEST_MACOS = "15.0"  # what the compiler takes where nothing is said, and writes into the binary


@dataclass(frozen=True)
class Bundle:
    """What the formats are written from.

    Attributes:
        identity: Whose they are.
        platform: For which.
        code: The same in each.
        manifest: LV2's.
        description: LV2's.
    """

    identity: PluginIdentity
    platform: Platform
    code: PluginCode
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
    path = folder / f"{bundle.identity.file_name}.clap"
    return _mac_bundle(path, bundle) if bundle.platform.is_mac else written(path, bundle.code.binary)


def _vst3(folder: Path, bundle: Bundle) -> Path:
    name, platform = bundle.identity.file_name, bundle.platform
    path = folder / f"{name}.vst3"
    if platform.is_mac:
        return _mac_bundle(path, bundle)
    written(path / "Contents" / platform.vst3_folder / f"{name}{platform.vst3_ending}", bundle.code.binary)
    return path


def _lv2(folder: Path, bundle: Bundle) -> Path:
    name = bundle.identity.file_name
    path = folder / f"{name}.lv2"
    written(path / f"{name}{bundle.platform.lv2_ending}", bundle.code.binary)
    for beside, content in bundle.code.beside.items():
        written(path / beside, content)
    written(path / "manifest.ttl", bundle.manifest.encode())
    written(path / f"{name}.ttl", bundle.description.encode())
    return path


def _mac_bundle(path: Path, bundle: Bundle) -> Path:
    identity = bundle.identity
    facts = {
        "CFBundleExecutable": identity.file_name,
        "CFBundleIdentifier": identity.clap_id,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": identity.name,
        "CFBundlePackageType": "BNDL",
        "CFBundleShortVersionString": identity.version,
        "CFBundleSignature": "????",
        "CFBundleVersion": identity.version,
        "LSMinimumSystemVersion": _OLDEST_MACOS,
    }
    written(path / "Contents" / "Info.plist", plistlib.dumps(facts))
    written(path / "Contents" / "PkgInfo", b"BNDL????")
    written(path / "Contents" / "MacOS" / identity.file_name, bundle.code.binary)
    for beside, content in bundle.code.beside.items():
        written(path / "Contents" / "Resources" / beside, content)
    return path


_WRITERS: Mapping[str, Callable[[Path, Bundle], Path]] = {"clap": _clap, "vst3": _vst3, "lv2": _lv2}
