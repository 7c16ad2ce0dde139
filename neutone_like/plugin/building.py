"""Plugins for DAWs of an artifact: a binary that is installed with this package, and the model in it."""

import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from neutone_like.errors import CompileError, RuntimeEngineError
from neutone_like.model.declaration import MAXIMUM_SAMPLE_RATE, MINIMUM_SAMPLE_RATE
from neutone_like.plugin import lv2
from neutone_like.plugin.binary import plugin_binary
from neutone_like.plugin.identity import PluginIdentity, plugin_identity
from neutone_like.plugin.load import measure_load
from neutone_like.plugin.placing import put_in_place, require_place, writing_to
from neutone_like.plugin.result import PluginFile, PluginResult
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.targets.compiled_of import compiled_of

FORMATS = ("clap", "vst3", "lv2")
"""What plugins are made for."""
_MOST_CHANNELS = 2
Parameters = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Plugin:
    """What the formats are written from."""

    identity: PluginIdentity
    parameters: Parameters
    binary: bytes
    worker: bool


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
        out: A folder, made where it is missing. Older files of the same plugin in it are replaced, others stay.
        formats: Of :data:`FORMATS`.
        worker: Whether the model gets a thread of its own, for 20 ms more of latency; ``None``: where it takes more
            than a third of a short block on this machine.

    Returns:
        The files, and who the plugins are.

    Raises:
        CompileError: The model can't be compiled, is offline, has more than two channels or a rate that isn't played;
            there is no such format; another plugin has the file's name, or ``out`` can't be written. The message says
            what to do, and nothing in ``out`` has changed.
        ArtifactError: The artifact is damaged, or was changed.
        RuntimeEngineError: This is not Linux, or there was no compiler when the package was installed.
    """
    wanted = _known(formats)
    model, _ = compiled_of(path)
    _require_live(model)
    _require_linux()
    identity = plugin_identity(model.metadata)
    parameters: Parameters = model.metadata["neutone_like"]["parameters"]
    folder = Path(out)
    with writing_to(folder), _scratch_in(folder) as scratch:
        require_place((folder / f"{identity.file_name}.{name}" for name in wanted), identity)
        playing = _written(scratch / "playing.so", plugin_binary(identity, model.data, len(parameters)))
        load = measure_load(playing, [float(record["default"]) for record in parameters])
        worker = load.is_heavy if worker is None else worker
        binary = plugin_binary(identity, model.data, len(parameters), worker=worker)
        plugin = _Plugin(identity, parameters, binary, worker)
        paths = put_in_place([_WRITERS[name](scratch, plugin) for name in wanted], folder, scratch)
        files = tuple(PluginFile(name, each, _size(each)) for name, each in zip(wanted, paths, strict=True))
    return PluginResult(identity, files, len(model.data), load, worker)


@contextmanager
def _scratch_in(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".neutone-like-", dir=folder) as scratch:
        yield Path(scratch)


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
    for rate in model.metadata["native_sample_rates"]:
        if not MINIMUM_SAMPLE_RATE <= rate <= MAXIMUM_SAMPLE_RATE:
            raise CompileError(
                f"A plugin plays models of {MINIMUM_SAMPLE_RATE} to {MAXIMUM_SAMPLE_RATE} Hz, and this one is for "
                f"{rate} Hz. Give the model sample rates in this range."
            )


def _clap(folder: Path, plugin: _Plugin) -> Path:
    return _written(folder / f"{plugin.identity.file_name}.clap", plugin.binary)


def _vst3(folder: Path, plugin: _Plugin) -> Path:
    name = plugin.identity.file_name
    _written(folder / f"{name}.vst3" / "Contents" / f"{platform.machine()}-linux" / f"{name}.so", plugin.binary)
    return folder / f"{name}.vst3"


def _lv2(folder: Path, plugin: _Plugin) -> Path:
    identity = plugin.identity
    bundle = folder / f"{identity.file_name}.lv2"
    described = lv2.description(identity, plugin.parameters, worker=plugin.worker)
    _written(bundle / f"{identity.file_name}.so", plugin.binary)
    _written(bundle / "manifest.ttl", lv2.manifest(identity).encode())
    _written(bundle / f"{identity.file_name}.ttl", described.encode())
    return bundle


_WRITERS: Mapping[str, Callable[[Path, _Plugin], Path]] = {"clap": _clap, "vst3": _vst3, "lv2": _lv2}


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)
