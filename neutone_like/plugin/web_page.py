"""A page that plays a live model in a browser: a folder for any web server, complete in itself."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.artifact.reading.metadata_reading import read_metadata, resolve
from neutone_like.errors import CompileError
from neutone_like.plugin.web_facts import page_facts
from neutone_like.plugin.web_sounds import sounds_beside
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.targets.compiled_of import compiled_of
from neutone_like.version import __version__

INDEX = "index.html"
_SOURCES = Path(__file__).with_name("web")
_TEMPLATE = "index.html.jinja"
_MARK = '<meta name="generator" content="neutone-like'
_OFFLINE = (
    "This is an offline model, which takes whole sounds; a page plays live models block by block. Render sounds with "
    "it and put those on a page: neutone-like render PATH INPUT OUTPUT."
)


def build_web_page(model: str | PathLike[str], out: str | PathLike[str]) -> Path:
    """Write a page that plays a live model: its knobs, sounds, a microphone, a spectrogram, a download of the result.

    The folder needs nothing but a web server that gives out files; once opened, the page works without a network.

    Args:
        model: A ``.nm``, a ``.nlc``, or the folder of both. A ``.nm`` is compiled where no ``.nlc`` lies beside it.
        out: The folder. What else is in there stays; an older page is replaced.

    Returns:
        The page's ``index.html``.

    Raises:
        CompileError: The model is offline or can't be compiled, or ``out`` is a file or has another page in it.
        ArtifactError: It is no artifact, or a damaged one.
        AudioError: A sound beside it can't be read.
        OSError: ``out`` can't be written.
    """
    folder = Path(out)
    _require_place(folder)
    _require_live(resolve(model))
    compiled, home = compiled_of(model)
    if "audio_in_channels" in compiled.metadata:
        raise CompileError(_OFFLINE)
    with _appearing(folder) as staging:
        _write(compiled, home, staging)
    return folder / INDEX


def _require_live(file: Path) -> None:
    """Before an hour is spent on compiling."""
    if file.suffix != ".nlc" and isinstance(read_metadata(file), OfflineMetadata):
        raise CompileError(_OFFLINE)


def _require_place(folder: Path) -> None:
    """Nothing that somebody else made is lost."""
    if folder.exists() and not folder.is_dir():
        raise CompileError(f"{folder} is a file, and a folder is written. Choose another name with --out.")
    index = folder / INDEX
    if index.exists() and _MARK not in index.read_text("utf-8", errors="replace"):
        raise CompileError(f"{index} is another page, which would be lost. Choose another folder with --out.")


def _write(compiled: CompiledModel, home: Path, folder: Path) -> None:
    (folder / COMPILED_NAME).write_bytes(compiled.data)
    sounds = list(sounds_beside(home))
    for sound in sounds:
        (folder / sound.file).parent.mkdir(exist_ok=True)
        (folder / sound.file).write_bytes(sound.content)
    for source in _SOURCES.iterdir():
        if source.name != _TEMPLATE:
            (folder / source.name).write_bytes(source.read_bytes())
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    listed = [{"name": sound.name, "file": sound.file} for sound in sounds]
    page = _template().render(
        m=compiled.metadata,
        facts=page_facts(compiled.metadata, listed, names),
        version=__version__,
        generator=f"neutone-like {__version__}",
    )
    (folder / INDEX).write_text(page, "utf-8")


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_SOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside it to fill; its files come into the folder when all of them are there, the page itself last."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield staging
        paths = sorted((path for path in staging.rglob("*") if path.is_file()), key=lambda path: path.name == INDEX)
        for path in paths:
            target = folder / path.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
