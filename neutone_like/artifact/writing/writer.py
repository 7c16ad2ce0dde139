"""From a model to the files of an artifact."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch.jit import ScriptModule

from neutone_like.artifact.format.archive import METADATA_NAME, MODEL_NAME
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.format.packing import fingerprints, repack
from neutone_like.artifact.format.schema import SCHEMA_VERSION, Metadata, parse_metadata
from neutone_like.artifact.writing.exporters import exporter_for
from neutone_like.artifact.writing.samples import SampleSound, to_mp3_pairs, write_wav_files
from neutone_like.artifact.writing.scripting import reload_script, save_script, script_wrapper
from neutone_like.artifact.writing.staging import staged_directory
from neutone_like.errors import ExportError
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.version import __version__

Progress = Callable[[str], None]


@dataclass(frozen=True)
class WrittenArtifact:
    """The files of an artifact, and what they say about it."""

    directory: Path
    model_path: Path
    metadata_path: Path
    sample_paths: tuple[Path, ...]
    metadata: Metadata

    def moved_to(self, directory: Path) -> "WrittenArtifact":
        """The same files after their folder was renamed."""
        return replace(
            self,
            directory=directory,
            model_path=directory / self.model_path.relative_to(self.directory),
            metadata_path=directory / self.metadata_path.relative_to(self.directory),
            sample_paths=tuple(directory / path.relative_to(self.directory) for path in self.sample_paths),
        )


@plain_settings()
def write_artifact(
    model: Model,
    out_dir: str | PathLike[str],
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
) -> WrittenArtifact:
    """Write ``model.nm``, ``metadata.json`` and ``samples/`` into a folder, all at once. The model is left as it was.

    Args:
        model: A live model, or one that is not real-time.
        out_dir: Made if it does not exist. Files of an earlier artifact are replaced, other files stay.
        render_samples: Render a riff and a drum loop (of a generator: what it generates) beside the model, as WAV.
        mp3_samples: Put them into the metadata too, as MP3.
        quality: Of the resampler: ``"high"`` or ``"fast"``.
        progress: Called with what is being done now.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: The format can't hold it, it fails or returns the wrong shape, it can't be scripted, or the folder
            can't be written.
    """
    with staged_directory(out_dir) as staging:
        written = write_files(
            model,
            staging,
            render_samples=render_samples,
            mp3_samples=mp3_samples,
            quality=quality,
            progress=progress,
        )
    return written.moved_to(Path(out_dir))


def write_files(
    model: Model,
    folder: Path,
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
) -> WrittenArtifact:
    """As :func:`write_artifact`, straight into an empty folder such as :func:`staged_directory` gives."""
    report: Progress = progress or (lambda _: None)
    exporter = exporter_for(model, quality)
    with (
        one_thread(),
        torch.random.fork_rng(devices=[]),
    ):  # whatever the model draws, the caller's generator stays where it is
        report("Trying the model")
        exporter.probe()
        report("Compiling to TorchScript")
        script = script_wrapper(exporter.wrapper())
        runnable = reload_script(script)  # playing leaves traces, so what is played is not what is saved
        measured = exporter.measure(runnable)
        sounds: tuple[SampleSound, ...] = ()
        if render_samples or mp3_samples:
            report("Rendering sounds")
            sounds = exporter.render(runnable)
    content = json.loads(script.get_metadata_json())
    content["sample_sound_files"] = to_mp3_pairs(sounds) if mp3_samples else []
    content["neutone_like"] |= _stamps(quality) | measured
    report("Writing")
    metadata = _write_model(script, folder, content)
    (folder / METADATA_NAME).write_text(metadata.to_json(), encoding="utf-8")
    return WrittenArtifact(
        directory=folder,
        model_path=folder / MODEL_NAME,
        metadata_path=folder / METADATA_NAME,
        sample_paths=write_wav_files(sounds, folder) if render_samples else (),
        metadata=metadata,
    )


def _stamps(quality: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "neutone_like_version": __version__,
        "torch_version": str(torch.__version__),
        "created_by": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "quality": quality,
    }


def _write_model(script: ScriptModule, folder: Path, content: dict[str, Any]) -> Metadata:
    """Write ``model.nm`` with that metadata, to which fingerprints of all that is in the archive are added."""
    raw = folder / "model.raw"  # PyTorch names the folder inside the archive after the file
    try:
        try:
            save_script(script, raw, "{}")
        except RuntimeError as error:  # PyTorch's writer has no other error for a full disk
            raise ExportError(f"Can't write {raw}: {str(error).splitlines()[0]} Is the disk full?") from error
        content["neutone_like"]["members_sha256"] = fingerprints(raw)
        metadata = parse_metadata(json.dumps(content), METADATA_NAME)
        repack(raw, folder / MODEL_NAME, metadata.to_json())
        return metadata
    finally:
        raw.unlink(missing_ok=True)
