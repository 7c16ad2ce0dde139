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

from neutone_like.artifact.archive import METADATA_NAME, MODEL_NAME
from neutone_like.artifact.packing import fingerprints, repack
from neutone_like.artifact.probe import probe_model
from neutone_like.artifact.samples import SampleSound, render_sounds, to_mp3_pairs, write_wav_files
from neutone_like.artifact.schema import SCHEMA_VERSION, ArtifactMetadata, parse_metadata
from neutone_like.artifact.scripting import reload_script, save_script, script_wrapper
from neutone_like.artifact.staging import staged_directory
from neutone_like.artifact.test_vector import make_test_vector
from neutone_like.artifact.working_copy import working_copy
from neutone_like.errors import ExportError
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import Declaration, WaveformToWaveformBase
from neutone_like.torch_threads import one_thread
from neutone_like.version import __version__

MAXIMUM_PARAMETERS = 4
QUALITIES = ("high", "fast")
_ANY_RATE = 48000
_ANY_BLOCK = 512

Progress = Callable[[str], None]


@dataclass(frozen=True)
class WrittenArtifact:
    """The files of an artifact, and what they say about it."""

    directory: Path
    model_path: Path
    metadata_path: Path
    sample_paths: tuple[Path, ...]
    metadata: ArtifactMetadata

    def moved_to(self, directory: Path) -> "WrittenArtifact":
        """The same files after their folder was renamed."""
        return replace(
            self,
            directory=directory,
            model_path=directory / self.model_path.relative_to(self.directory),
            metadata_path=directory / self.metadata_path.relative_to(self.directory),
            sample_paths=tuple(directory / path.relative_to(self.directory) for path in self.sample_paths),
        )


def write_artifact(
    model: WaveformToWaveformBase,
    out_dir: str | PathLike[str],
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
) -> WrittenArtifact:
    """Write ``model.nm``, ``metadata.json`` and ``samples/`` into a folder, all at once. The model is left as it was.

    Args:
        model: A live model.
        out_dir: Made if it does not exist. Files of an earlier artifact are replaced, other files stay.
        render_samples: Render a riff and a drum loop beside the model, as WAV.
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
    model: WaveformToWaveformBase,
    folder: Path,
    *,
    render_samples: bool = True,
    mp3_samples: bool = False,
    quality: str = "high",
    progress: Progress | None = None,
) -> WrittenArtifact:
    """As :func:`write_artifact`, straight into an empty folder such as :func:`staged_directory` gives."""
    report: Progress = progress or (lambda _: None)
    declaration = check_format(model, quality)
    with (
        one_thread(),
        torch.random.fork_rng(devices=[]),
    ):  # whatever the model draws, the caller's generator stays where it is
        report("Trying the model")
        probe_model(model)
        report("Compiling to TorchScript")
        script = _scripted(model, quality)
        runnable = reload_script(script)  # playing leaves traces, so what is played is not what is saved
        measured = _measure(runnable, declaration)
        sounds: tuple[SampleSound, ...] = ()
        if render_samples or mp3_samples:
            report("Rendering sounds")
            sounds = render_sounds(runnable, declaration)
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


def check_format(model: WaveformToWaveformBase, quality: str = "high") -> Declaration:
    """What the model declares, if a ``.nm`` can hold it.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: It is, and the format is too small for it; every reason is named.
    """
    if not isinstance(model, WaveformToWaveformBase):
        way = "Subclass it, and export an instance of it."
        if hasattr(model, "live_model"):
            way = "Export what its live_model() returns, or use save_neutone_model of the module it was imported from."
        raise ExportError(
            f"Expected an instance of a subclass of neutone_like.WaveformToWaveformBase, got {model!r:.200}. {way}"
        )
    declaration = model.declaration()
    problems: list[str] = []
    for field in ("in_channels", "out_channels"):
        if (count := getattr(declaration, field)) > 2:
            problems.append(f"{field}: a .nm takes 1 or 2, got {count}. Our own runtime plays any count.")
    if (count := len(declaration.parameters)) > MAXIMUM_PARAMETERS:
        names = [parameter.name for parameter in declaration.parameters]
        problems.append(
            f"parameters: a .nm takes up to {MAXIMUM_PARAMETERS}, got {count}: {names}. Leave out "
            f"{count - MAXIMUM_PARAMETERS}, or make one choice out of several knobs."
        )
    if quality not in QUALITIES:
        why = " It is for offline use in Python, too slow to answer for a live host." if quality == "soxr" else ""
        problems.append(f"quality: a .nm takes {' or '.join(map(repr, QUALITIES))}, got {quality!r}.{why}")
    if problems:
        raise ExportError(f"{type(model).__name__} does not fit into a .nm:\n" + "\n".join(problems))
    return declaration


def _scripted(model: WaveformToWaveformBase, quality: str) -> ScriptModule:
    wrapper = SampleQueueWrapper(working_copy(model), quality).eval()
    wrapper.reset()  # TorchScript saves attributes with the values they have
    wrapper.requires_grad_(False)
    return script_wrapper(wrapper)


def _stamps(quality: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "neutone_like_version": __version__,
        "torch_version": str(torch.__version__),
        "created_by": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "quality": quality,
    }


def _measure(runnable: ScriptModule, declaration: Declaration) -> dict[str, Any]:
    defaults = [parameter.default_0to1 for parameter in declaration.parameters]
    vector = make_test_vector(runnable, declaration.in_channels, defaults)
    rate = declaration.sample_rates[0] if declaration.sample_rates else _ANY_RATE
    block = declaration.block_sizes[0] if declaration.block_sizes else _ANY_BLOCK
    runnable.set_daw_sample_rate_and_buffer_size(rate, block)
    return {
        "model_delay_samples": int(runnable.w2w_base.model_delay_samples()),
        "reported_latency": {
            "sample_rate": rate,
            "block_size": block,
            "latency_samples": int(runnable.latency_samples()),
        },
        "test_vector": vector.model_dump(mode="json"),
    }


def _write_model(script: ScriptModule, folder: Path, content: dict[str, Any]) -> ArtifactMetadata:
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
