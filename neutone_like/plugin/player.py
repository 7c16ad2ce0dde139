"""A plugin that plays whichever artifact its user chooses, for trying models in a DAW."""

import hashlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import MODEL_NAME
from neutone_like.artifact.reading.metadata_reading import resolve
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CompileError
from neutone_like.plugin import lv2, lv2_player
from neutone_like.plugin.binary import player_code
from neutone_like.plugin.building import put_bundles, require_linux, require_playable, scratch_in
from neutone_like.plugin.bundles import FORMATS, Bundle, known_formats
from neutone_like.plugin.identity import PluginIdentity
from neutone_like.plugin.placing import writing_to
from neutone_like.plugin.platforms import Platform, platforms_named, this_machine
from neutone_like.plugin.result import PlayerResult
from neutone_like.runtime.compiled_model import load_compiled
from neutone_like.version import __version__

SLOTS = 32
"""Knobs of the player: native/plugin/knob.hpp has as many."""
_MOST_CHANNELS = 2
_LONGEST_PATH = 3000  # bytes; the binary has room for 4096 with all else
_ID = "neutone-like.player"


@checked_arguments(CompileError)
def build_player_plugin(
    out: str | PathLike[str],
    formats: Iterable[str] = FORMATS,
    *,
    artifact: str | PathLike[str] | None = None,
    targets: Iterable[str] = (),
) -> PlayerResult:
    """Make the player: one plugin that opens artifacts at run time, which are read from where they lie.

    Its knobs are the parameters of the artifact that it plays, at most 32. A host's project holds the artifact's path
    and digest, and the parameters' values.

    Args:
        out: A folder, made where it is missing. An older player in it is replaced, all else stays.
        formats: Of :data:`FORMATS`.
        artifact: What it begins with where a project says nothing else: a ``.nm`` with its ``.nlc``, a ``.nlc``, or the
            folder of both. ``None``: nothing, and sound passes through.
        targets: As :func:`build_plugin` has them.

    Returns:
        The files.

    Raises:
        CompileError: The artifact can't be played by a plugin; there is no such format; another plugin has the file's
            name, or ``out`` can't be written. The message says what to do, and nothing in ``out`` has changed.
        ArtifactError: The artifact has no ``model.nlc``, is damaged, or was changed.
        RuntimeEngineError: This is not Linux, or there was no compiler when the package was installed.
    """
    folder = as_path(out, "a folder to write", CompileError)
    wanted, platforms = known_formats(formats), platforms_named(targets) or (this_machine(),)
    first = None if artifact is None else _playable(artifact)
    require_linux()
    identity = _identity()
    begins_with = "" if first is None else str(first)

    def bundle(platform: Platform) -> Bundle:
        code = player_code(platform, identity, begins_with, SLOTS)
        manifest = lv2.manifest(identity, platform.lv2_ending)
        return Bundle(identity, platform, code, manifest, lv2_player.description(identity, SLOTS))

    with writing_to(folder), scratch_in(folder) as scratch:
        files = put_bundles(folder, scratch, wanted, platforms, identity, bundle)
    return PlayerResult(identity, files, first)


def _identity() -> PluginIdentity:
    return PluginIdentity(
        name="Neutone-like Player",
        vendor="neutone-like",
        version=__version__,
        description="Plays the artifact that its user chooses.",
        file_name="Neutone-like_Player",
        clap_id=_ID,
        lv2_uri=f"urn:{_ID.replace('.', ':')}",
        vst3_id=hashlib.sha256(f"vst3 {_ID}".encode()).hexdigest()[:32],
    )


def _playable(artifact: str | PathLike[str]) -> Path:
    """Its absolute path, when the player can play it."""
    given = resolve(artifact)
    model = load_compiled(given)
    require_playable(model)
    if max(model.in_channels, model.out_channels) > _MOST_CHANNELS:
        raise CompileError(
            f"The player's ports are for mono and stereo, and this model takes {model.in_channels} channels and gives "
            f"{model.out_channels}. Make a plugin of its own of it: neutone-like plugin {artifact}"
        )
    parameters = len(model.metadata["neutone_like"]["parameters"])
    if parameters > SLOTS:
        raise CompileError(
            f"The player has {SLOTS} knobs, and this model has {parameters} parameters. Make a plugin of its own of "
            f"it: neutone-like plugin {artifact}"
        )
    path = (given.parent if given.name == MODEL_NAME else given).absolute()
    if len(str(path).encode()) > _LONGEST_PATH:
        raise CompileError(f"{path} is longer than {_LONGEST_PATH} bytes. Put the artifact where its path is shorter.")
    return path
