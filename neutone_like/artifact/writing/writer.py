"""From a model to the files of an artifact."""

import io
import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
from torch.jit import ScriptModule

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import METADATA_NAME, MODEL_NAME
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.format.packing import fingerprints, repack
from neutone_like.artifact.format.schema import SCHEMA_VERSION, Metadata, parse_metadata
from neutone_like.artifact.reading.agreement import MEASURED_KEYS
from neutone_like.artifact.reading.operators import checked_operators
from neutone_like.artifact.writing.capturing import SCRIPTED, Capture, scripted_or_captured
from neutone_like.artifact.writing.exporters import exporter_for
from neutone_like.artifact.writing.hooks import refuse_global_hooks
from neutone_like.artifact.writing.plain_network import unwrapped
from neutone_like.artifact.writing.samples import SampleSound, to_mp3_pairs, write_wav_files
from neutone_like.artifact.writing.script_check import check_script
from neutone_like.artifact.writing.scripting import explaining_failures, reload_script, save_script
from neutone_like.artifact.writing.staging import require_room, staged_directory
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ExportError
from neutone_like.printing import Printed, Row
from neutone_like.torch_settings import optimiser, plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.version import __version__

Progress = Callable[[str], None]

_JUDGED_INSIDE = ("model", "out_dir", "folder", "quality", "allow_operators", "capture")  # in words of their own


@dataclass(frozen=True, repr=False)
class WrittenArtifact(Printed):
    """The files of an artifact, and what they say about it."""

    directory: Path
    model_path: Path
    metadata_path: Path
    sample_paths: tuple[Path, ...]
    metadata: Metadata
    way_in: str = SCRIPTED

    def _title(self) -> str:
        return f"WrittenArtifact: {self.metadata.model_name!r} {self.metadata.model_version} in {self.directory}"

    def _rows(self) -> list[Row]:
        beside = (self.metadata_path, *self.sample_paths)
        return [
            ("model", str(self.model_path)),
            ("beside it", *(path.name for path in beside)),
            ("way in", self.way_in),
        ]

    def moved_to(self, directory: Path) -> "WrittenArtifact":
        """The same files after their folder was renamed."""
        return replace(
            self,
            directory=directory,
            model_path=directory / self.model_path.relative_to(self.directory),
            metadata_path=directory / self.metadata_path.relative_to(self.directory),
            sample_paths=tuple(directory / path.relative_to(self.directory) for path in self.sample_paths),
        )


@checked_arguments(ExportError, but=_JUDGED_INSIDE)
@plain_settings()
def write_artifact(
    model: Model,
    out_dir: str | PathLike[str],
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
    allow_operators: Iterable[str] = (),
    capture: Capture = "auto",
) -> WrittenArtifact:
    """Write ``model.nm``, ``metadata.json`` and ``samples/`` into a folder, all at once. The model is left as it was.

    Args:
        model: A live or an offline model.
        out_dir: Made if it does not exist. Files of an earlier artifact are replaced, other files stay.
        render_samples: Render a riff and a drum loop (of a generator: what it generates) beside the model, as WAV.
        mp3_samples: Put them into the metadata too, as MP3.
        quality: Of the resampler: ``"high"`` or ``"fast"``.
        progress: Called with what is being done now.
        allow_operators: What the model may use although artifacts may not, such as ``["aten::save"]``.
        capture: As of ``export_model``.

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
            allow_operators=allow_operators,
            capture=capture,
        )
    return written.moved_to(Path(out_dir))


@checked_arguments(ExportError, but=_JUDGED_INSIDE)
def write_files(
    model: Model,
    folder: Path,
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
    allow_operators: Iterable[str] = (),
    capture: Capture = "auto",
) -> WrittenArtifact:
    """As :func:`write_artifact`, straight into an empty folder such as :func:`staged_directory` gives.

    Raises:
        ModelError, ExportError: As there, or ``folder`` is none.
        OSError: It can't be written.
    """
    folder = as_path(folder, "a folder to write", ExportError)
    if not folder.is_dir():
        raise ExportError(f"{folder} is no folder. Make it, or use write_artifact, which does.")
    report: Progress = progress or (lambda _: None)
    refuse_global_hooks()
    model = cast(Model, unwrapped(model))
    exporter = exporter_for(model, quality)
    with (
        one_thread(),
        torch.random.fork_rng(devices=[]),  # whatever the model draws, the caller's generator stays where it is
        optimiser(False),  # a few blocks are heard here, and it would take longer than they do
    ):
        report("Trying the model")
        exporter.probe()
        report("Compiling to TorchScript")
        way, script = scripted_or_captured(model, quality, exporter, capture)
        sounds: tuple[SampleSound, ...] = ()
        with explaining_failures(model):
            check_script(script, model, checked_operators(allow_operators))
            runnable = reload_script(script)  # playing leaves traces, so what is played is not what is saved
            measured = exporter.measure(runnable)
            if render_samples or mp3_samples:
                report("Rendering sounds")
                sounds = exporter.render(runnable)
    content = json.loads(script.get_metadata_json())
    content["sample_sound_files"] = to_mp3_pairs(sounds) if mp3_samples else []
    content["neutone_like"] |= _stamps(quality) | measured
    script.metadata_json = _with_measured(script.get_metadata_json(), content["neutone_like"])
    report("Writing")
    metadata = _write_model(script, folder, content)
    (folder / METADATA_NAME).write_text(metadata.to_json(), encoding="utf-8")
    return WrittenArtifact(
        directory=folder,
        model_path=folder / MODEL_NAME,
        metadata_path=folder / METADATA_NAME,
        sample_paths=write_wav_files(sounds, folder) if render_samples else (),
        metadata=metadata,
        way_in=way,
    )


def _stamps(quality: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "neutone_like_version": __version__,
        "torch_version": str(torch.__version__),
        "created_by": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "quality": quality,
    }


def _with_measured(inside: str, section: dict[str, Any]) -> str:
    """The module's own metadata with what was measured: a reader compares the two, and need not run the module."""
    told = json.loads(inside)
    told["neutone_like"] |= {key: section[key] for key in MEASURED_KEYS if key in section}
    return json.dumps(told)


def _write_model(script: ScriptModule, folder: Path, content: dict[str, Any]) -> Metadata:
    """Write ``model.nm`` with that metadata, to which fingerprints of all that is in the archive are added.

    PyTorch's own writer aborts the whole process when a disk is full, so it writes to memory.
    """
    raw, packed = io.BytesIO(), io.BytesIO()
    save_script(script, raw, "{}")
    content["neutone_like"]["members_sha256"] = fingerprints(raw)
    metadata = parse_metadata(json.dumps(content), METADATA_NAME)
    repack(raw, packed, metadata.to_json())
    require_room(folder, packed.getbuffer().nbytes)
    (folder / MODEL_NAME).write_bytes(packed.getbuffer())
    return metadata
