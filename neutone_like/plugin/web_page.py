"""A page that plays a live model in a browser: a folder for any web server, complete in itself."""

import gzip
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.artifact.reading.metadata_reading import read_metadata, resolve
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CompileError
from neutone_like.plugin.web_facts import page_facts
from neutone_like.plugin.web_folder import link_report, replace_page, require_place
from neutone_like.plugin.web_sounds import PageSound, sounds_beside
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.targets.compiled_of import compiled_of
from neutone_like.version import __version__

_SOURCES = Path(__file__).with_name("web")
_TEMPLATE_ENDING = ".jinja"
_PACKED_ENDING = ".gz"
_PACKED = "player_relaxed.wasm"
"""Packed, as it is only for browsers that can unpack it."""
_OFFLINE = (
    "This is an offline model, which takes whole sounds; a page plays live models block by block. Render sounds with "
    "it and put those on a page: neutone-like render PATH INPUT OUTPUT."
)


@checked_arguments(CompileError)
def build_web_page(model: str | PathLike[str], out: str | PathLike[str]) -> Path:
    """Write a page that plays a live model: its knobs, sounds, a microphone, a spectrogram, a download of the result.

    The folder needs nothing but a web server that gives out files; once opened, the page works without a network. An
    artifact's ``report.html`` links to the page in the folder ``web`` beside it.

    Args:
        model: A ``.nm``, a ``.nlc``, or the folder of both. A ``.nm`` is compiled where no ``.nlc`` lies beside it.
        out: The folder. What else is in there stays; an older page is replaced, but nothing that is of no such page.

    Returns:
        The page's ``index.html``.

    Raises:
        CompileError: The model is offline or can't be compiled, or ``out`` can't be written, is a file, or has another
            page or files of the same names in it.
        ArtifactError: It is no artifact, or a damaged one.
        AudioError: A sound beside it can't be read.
    """
    return write_web_page(model, out)[-1]


def write_web_page(model: str | PathLike[str], out: str | PathLike[str]) -> list[Path]:
    """As ``build_web_page``; returns all files that were written, ``index.html`` last."""
    folder = as_path(out, "a folder to write", CompileError)
    always = [source.name.removesuffix(_TEMPLATE_ENDING) for source in _SOURCES.iterdir() if source.name != _PACKED]
    require_place(folder, [COMPILED_NAME, _PACKED + _PACKED_ENDING, *always])
    _require_live(resolve(model))
    compiled, home = compiled_of(model)
    if "audio_in_channels" in compiled.metadata:
        raise CompileError(_OFFLINE)
    sounds = list(sounds_beside(home))
    files = replace_page(folder, lambda staging: _write(compiled, sounds, staging))
    link_report(folder)
    return files


def _require_live(file: Path) -> None:
    """Before an hour is spent on compiling."""
    if file.suffix != ".nlc" and isinstance(read_metadata(file), OfflineMetadata):
        raise CompileError(_OFFLINE)


def _write(compiled: CompiledModel, sounds: Sequence[PageSound], folder: Path) -> None:
    (folder / COMPILED_NAME).write_bytes(compiled.data)
    for sound in sounds:
        (folder / sound.file).parent.mkdir(exist_ok=True)
        (folder / sound.file).write_bytes(sound.content)
    for source in _SOURCES.iterdir():
        if source.name == _PACKED:
            (folder / (_PACKED + _PACKED_ENDING)).write_bytes(gzip.compress(source.read_bytes(), mtime=0))
        elif source.suffix != _TEMPLATE_ENDING:
            (folder / source.name).write_bytes(source.read_bytes())
    _write_templates(compiled, sounds, folder)


def _write_templates(compiled: CompiledModel, sounds: Sequence[PageSound], folder: Path) -> None:
    """The files that know of the others: the page, and what keeps it for when there is no network."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    listed = [{"name": sound.name, "file": sound.file} for sound in sounds]
    values = {
        "m": compiled.metadata,
        "facts": page_facts(compiled.metadata, listed, sorted([*names, "service.js"])),
        "version": __version__,
        "generator": f"neutone-like {__version__}",
    }
    environment = _environment()
    for name in environment.list_templates([_TEMPLATE_ENDING[1:]]):
        text = environment.get_template(name).render(values)
        (folder / name.removesuffix(_TEMPLATE_ENDING)).write_text(text, "utf-8")


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_SOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
