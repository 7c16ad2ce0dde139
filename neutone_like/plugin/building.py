"""Plugins for DAWs of an artifact: a binary that is installed with this package, and the model in it."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

from neutone_like.arguments import as_path
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CompileError, RuntimeEngineError
from neutone_like.model.declaration import MAXIMUM_SAMPLE_RATE, MINIMUM_SAMPLE_RATE
from neutone_like.plugin import lv2
from neutone_like.plugin.binary import plugin_binary, plugin_code
from neutone_like.plugin.bundles import FORMATS, Bundle, known_formats, size_of, write_bundles, written
from neutone_like.plugin.identity import PluginIdentity, plugin_identity
from neutone_like.plugin.load import measure_load
from neutone_like.plugin.placing import put_in_place, require_place, writing_to
from neutone_like.plugin.platforms import Platform, platforms_named, this_machine
from neutone_like.plugin.result import PluginFile, PluginResult
from neutone_like.plugin.tail import PluginTail, measure_tail
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.scratch_folder import scratch_folder
from neutone_like.targets.compiled_of import compiled_of
from neutone_like.uninterrupted import uninterrupted

_MOST_CHANNELS = 8  # native/plugin/port_layout.hpp
_ANY_RATE = 48000  # where a model that takes any is measured
Parameters = Sequence[Mapping[str, Any]]


@checked_arguments(CompileError)
def build_plugin(
    path: str | PathLike[str],
    out: str | PathLike[str],
    formats: Iterable[str] = FORMATS,
    *,
    worker: bool | None = None,
    targets: Iterable[str] = (),
) -> PluginResult:
    """Make plugins of an artifact: ``NAME.clap``, ``NAME.vst3`` and ``NAME.lv2``, which need nothing but themselves.

    No compiler is needed. An artifact without a ``model.nlc`` is compiled first.

    Args:
        path: A ``.nm``, a ``.nlc``, or the folder of both.
        out: A folder, made where it is missing. Older files of the same plugin in it are replaced, others stay.
        formats: Of :data:`FORMATS`.
        worker: Whether the model gets a thread of its own, for 20 ms more of latency; ``None``: where it takes more
            than a third of a short block on this machine.
        targets: Platforms of :data:`PLATFORMS`: each gets a folder of its own in ``out``. They need the extra
            ``compile``, and minutes once for each. None: this machine's, in ``out`` itself.

    Returns:
        The files, and who the plugins are.

    Raises:
        CompileError: The model can't be compiled, is offline, has more than eight channels or a rate that isn't played;
            there is no such format; another plugin has the file's name, or ``out`` can't be written. The message says
            what to do, and nothing in ``out`` has changed.
        ArtifactError: The artifact is damaged, or was changed.
        RuntimeEngineError: This is not Linux, or there was no compiler when the package was installed.
    """
    folder = as_path(out, "a folder to write", CompileError)
    wanted, platforms = known_formats(formats), platforms_named(targets) or (this_machine(),)
    model, _ = compiled_of(path)
    require_playable(model)
    require_linux()
    identity = plugin_identity(model.metadata)
    parameters: Parameters = model.metadata["neutone_like"]["parameters"]
    channels = model.in_channels, model.out_channels
    layouts = lv2.layouts_of(*channels)
    with writing_to(folder), scratch_in(folder) as scratch:
        binary = plugin_binary(identity, model.data, len(parameters), channels=channels)
        playing = written(scratch / "playing.so", binary)
        load = measure_load(playing, [float(record["default"]) for record in parameters], layouts[0])
        tail = _tail_of(playing, model, parameters, layouts[0])
        heavy = load.is_heavy if worker is None else worker
        described = lv2.description(identity, parameters, worker=heavy, layouts=layouts)

        def bundle(platform: Platform) -> Bundle:
            code = plugin_code(
                platform, identity, model.data, len(parameters), worker=heavy, channels=channels, tail=tail
            )
            return Bundle(identity, platform, code, lv2.manifest(identity, platform.lv2_ending, layouts), described)

        files = put_bundles(folder, scratch, wanted, platforms, identity, bundle)
    return PluginResult(identity, files, len(model.data), load, heavy, tail)


def _tail_of(binary: Path, model: CompiledModel, parameters: Parameters, layout: lv2.Layout) -> PluginTail | None:
    rate = model.sample_rate or next(iter(model.sample_rates), _ANY_RATE)
    block = max([1, *model.metadata["native_buffer_sizes"]])
    return measure_tail(binary, parameters, layout, rate, block, model.memory_bytes)


def put_bundles(
    out: Path,
    scratch: Path,
    formats: Sequence[str],
    platforms: Sequence[Platform],
    identity: PluginIdentity,
    bundle: Callable[[Platform], Bundle],
) -> tuple[PluginFile, ...]:
    """Write and place a plugin's bundles for every platform; where one can't be, none is there.

    Raises:
        CompileError: Another plugin has a file's name, or a binary can't be compiled.
    """
    for platform in platforms:
        require_place((out / platform.name / f"{identity.file_name}.{name}" for name in formats), identity)
    made = [write_bundles(formats, scratch / f"for {each.name}", bundle(each)) for each in platforms]

    def placed() -> Iterator[PluginFile]:
        for platform, paths in zip(platforms, made, strict=True):
            folder, old = out / platform.name, scratch / f"before {platform.name}"
            folder.mkdir(parents=True, exist_ok=True)
            old.mkdir()
            for name, path in zip(formats, put_in_place(paths, folder, old), strict=True):
                yield PluginFile(name, path, size_of(path), platform.name)

    return uninterrupted(lambda: tuple(placed()))


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """A folder for what is not finished, in one that is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as scratch:
            yield scratch
    except BaseException:
        with suppress(OSError):  # something was there before
            folder.rmdir()
        raise


def require_linux() -> None:
    """Raise RuntimeEngineError elsewhere."""
    if sys.platform != "linux":
        raise RuntimeEngineError(
            f"Plugins are made on Linux, and this is {sys.platform}. For a plugin of your own there are "
            "libraries for other platforms: neutone-like compile PATH --target."
        )


def require_playable(model: CompiledModel) -> None:
    if "audio_in_channels" in model.metadata:
        raise CompileError(
            "This is an offline model, which takes whole sounds; a plugin plays live models block by block. Render "
            "with it: neutone-like render PATH INPUT OUTPUT."
        )
    if max(model.in_channels, model.out_channels) > _MOST_CHANNELS:
        raise CompileError(
            f"A plugin has at most {_MOST_CHANNELS} channels on a side, and this model takes {model.in_channels} and "
            f"gives {model.out_channels}. Give the model at most {_MOST_CHANNELS} of each, or play it with the engine."
        )
    for rate in model.metadata["native_sample_rates"]:
        if not MINIMUM_SAMPLE_RATE <= rate <= MAXIMUM_SAMPLE_RATE:
            raise CompileError(
                f"A plugin plays models of {MINIMUM_SAMPLE_RATE} to {MAXIMUM_SAMPLE_RATE} Hz, and this one is for "
                f"{rate} Hz. Give the model sample rates in this range."
            )
