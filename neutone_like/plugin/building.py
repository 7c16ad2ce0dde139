"""Plugins for DAWs of an artifact: a binary that is installed with this package, and the model in it."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from neutone_like.errors import CompileError, RuntimeEngineError
from neutone_like.plugin import lv2
from neutone_like.plugin.binary import plugin_binary
from neutone_like.plugin.identity import PluginIdentity, plugin_identity
from neutone_like.plugin.load import measure_load
from neutone_like.plugin.result import PluginFile, PluginResult
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.targets.compiled_of import compiled_of

FORMATS = ("clap", "vst3", "lv2")
"""What plugins are made for."""
_MOST_CHANNELS = 2
Parameters = Sequence[Mapping[str, Any]]


def build_plugin(
    path: str | PathLike[str],
    out: str | PathLike[str],
    formats: Iterable[str] = FORMATS,
    *,
    worker: bool | None = None,
) -> PluginResult:
    """Make plugins of an artifact: ``NAME.clap``, ``NAME.vst3`` and ``NAME.lv2``, which need nothing but themselves.

    No compiler is needed. An artifact without a ``model.nlc`` is compiled first.

    Args:
        path: A ``.nm``, a ``.nlc``, or the folder of both.
        out: A folder, made where it is missing. Plugins of the same name in it are replaced, other files stay.
        formats: Of :data:`FORMATS`.
        worker: Whether the model gets a thread of its own, for 20 ms more of latency; ``None``: where it takes more
            than a third of a short block on this machine.

    Returns:
        The files, and who the plugins are.

    Raises:
        CompileError: The model can't be compiled, is offline, or has more than two channels; or there is no such
            format. The message says what to do.
        ArtifactError: The artifact is damaged, or was changed.
        RuntimeEngineError: This is not Linux, or there was no compiler when the package was installed.
        OSError: ``out`` can't be written; then nothing of it has changed.
    """
    wanted = _known(formats)
    _require_linux()
    model, _ = compiled_of(path)
    _require_live(model)
    identity = plugin_identity(model.metadata)
    parameters: Parameters = model.metadata["neutone_like"]["parameters"]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".neutone-like-", dir=folder) as scratch:
        playing = _written(Path(scratch) / "playing.so", plugin_binary(identity, model.data, len(parameters)))
        load = measure_load(playing, [float(record["default"]) for record in parameters])
        worker = load.is_heavy if worker is None else worker
        binary = plugin_binary(identity, model.data, len(parameters), worker=worker)
        made = [_WRITERS[name](Path(scratch), identity, parameters, binary) for name in wanted]
        files = tuple(
            PluginFile(name, _put_in_place(each, folder, Path(scratch)), _size(folder / each.name))
            for name, each in zip(wanted, made, strict=True)
        )
    return PluginResult(identity, files, len(model.data), load, worker)


def _known(formats: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise CompileError(
            f"There are plugins for {', '.join(FORMATS)}, got {unknown[0] if unknown else 'no format'!r}."
        )
    return wanted


def _require_linux() -> None:
    if sys.platform != "linux":
        raise RuntimeEngineError(
            f"Plugins are made on Linux and for Linux, and this is {sys.platform}. For a plugin of your own there are "
            "libraries for other platforms: neutone-like compile PATH --target."
        )


def _require_live(model: CompiledModel) -> None:
    if "audio_in_channels" in model.metadata:
        raise CompileError(
            "This is an offline model, which takes whole sounds; a plugin plays live models block by block. Render "
            "with it: neutone-like render PATH INPUT OUTPUT."
        )
    if max(model.in_channels, model.out_channels) > _MOST_CHANNELS:
        raise CompileError(
            f"A plugin plays mono and stereo, and this model takes {model.in_channels} channels and gives "
            f"{model.out_channels}. Give the model at most {_MOST_CHANNELS} of each, or play it with the engine."
        )


def _clap(folder: Path, identity: PluginIdentity, parameters: Parameters, binary: bytes) -> Path:
    return _written(folder / f"{identity.file_name}.clap", binary)


def _vst3(folder: Path, identity: PluginIdentity, parameters: Parameters, binary: bytes) -> Path:
    bundle = folder / f"{identity.file_name}.vst3"
    _written(bundle / "Contents" / f"{platform.machine()}-linux" / f"{identity.file_name}.so", binary)
    return bundle


def _lv2(folder: Path, identity: PluginIdentity, parameters: Parameters, binary: bytes) -> Path:
    bundle = folder / f"{identity.file_name}.lv2"
    _written(bundle / f"{identity.file_name}.so", binary)
    _written(bundle / "manifest.ttl", lv2.manifest(identity).encode())
    _written(bundle / f"{identity.file_name}.ttl", lv2.description(identity, parameters).encode())
    return bundle


_WRITERS: Mapping[str, Callable[[Path, PluginIdentity, Parameters, bytes], Path]] = {
    "clap": _clap,
    "vst3": _vst3,
    "lv2": _lv2,
}


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _put_in_place(made: Path, folder: Path, scratch: Path) -> Path:
    """Under its name, in the place of an older one, which a host may have open and keeps."""
    target = folder / made.name
    if target.exists():
        os.replace(target, scratch / f"old {made.name}")
    os.replace(made, target)
    return target


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)
