"""Saving and loading as the Neutone SDK's scripts do it."""

import json
import os
import tempfile
import warnings
from os import PathLike
from pathlib import Path
from typing import Any

from torch.jit import ScriptModule

from neutone_like.artifact import load_artifact
from neutone_like.artifact.format.archive import METADATA_NAME
from neutone_like.artifact.format.packing import repack
from neutone_like.artifact.format.schema import parse_metadata
from neutone_like.compat.neutone_sdk.audio import AudioSamplePair
from neutone_like.compat.neutone_sdk.constants import MAX_N_AUDIO_SAMPLES
from neutone_like.compat.neutone_sdk.non_realtime_wrapper import NonRealtimeBase
from neutone_like.compat.neutone_sdk.wavform_to_wavform import WaveformToWaveformBase
from neutone_like.errors import ExportError
from neutone_like.export import ExportResult, export_model


def save_neutone_model(
    model: WaveformToWaveformBase | NonRealtimeBase,
    root_dir: str | PathLike[str],
    dump_samples: bool = False,
    submission: bool = False,
    audio_sample_pairs: list[AudioSamplePair] | None = None,
    max_n_samples: int = MAX_N_AUDIO_SAMPLES,
    freeze: bool = False,
    optimize: bool = False,
    speed_benchmark: bool = True,
    test_offline_mode: bool = True,
) -> ExportResult:
    """Export a wrapper as :func:`neutone_like.export_model` does: validated, and with no access to the network.

    Args:
        model: A wrapper. It is left as it was; ``prepare_for_inference`` is called on a copy.
        root_dir: Gets ``model.nm``, ``metadata.json``, ``validation.json`` and, if wanted, ``samples/``.
        dump_samples: Render sounds, as WAV files and, as MP3, inside the ``.nm``.
        submission: Export only what passes validation. Otherwise a failed check is a warning.
        audio_sample_pairs: Sounds for the ``.nm`` instead of the rendered ones.
        max_n_samples: At most so many of them, up to 3.
        freeze, optimize, speed_benchmark, test_offline_mode: Without effect; a warning says what happens instead.

    Raises:
        ModelError: The getters say what a ``.nm`` has no room for.
        ExportError: As of ``export_model``; with ``submission``, also a failed check.
    """
    _warn_about_options(freeze, optimize, speed_benchmark, test_offline_mode)
    if not isinstance(model, (WaveformToWaveformBase, NonRealtimeBase)):
        raise ExportError(_explain_other_model(model))
    result = export_model(
        model.live_model() if isinstance(model, WaveformToWaveformBase) else model.non_realtime_model(),
        root_dir,
        render_samples=dump_samples,
        mp3_samples=dump_samples and audio_sample_pairs is None,
        allow_failed_validation=not submission,
    )
    if dump_samples and audio_sample_pairs is not None:
        _embed(audio_sample_pairs[:max_n_samples], result)
    if result.validation is not None and not result.validation.passed:
        failures = "\n".join(f"- {check.line()}" for check in result.validation.failures)
        warnings.warn(
            f"{result.model_path} was exported although it failed {len(result.validation.failures)} of "
            f"{len(result.validation.checks)} checks (submission=True would refuse it):\n{failures}",
            stacklevel=2,
        )
    return result


def load_neutone_model(path: str | PathLike[str]) -> tuple[ScriptModule, dict[str, Any]]:
    """Load a ``.nm`` of this package or of the Neutone SDK, and its ``metadata.json``.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    artifact = load_artifact(path)
    return artifact.module, json.loads(artifact.metadata.to_json())


def _warn_about_options(freeze: bool, optimize: bool, speed_benchmark: bool, test_offline_mode: bool) -> None:
    notes: list[str] = []
    if freeze:
        notes.append("freeze: nothing is frozen, which changes nothing that a host can notice")
    if optimize:
        notes.append("optimize: optimize_for_inference is not applied, because it may change the output")
    if not speed_benchmark:
        notes.append("speed_benchmark: validation always measures the time for a block")
    if not test_offline_mode:
        notes.append("test_offline_mode: validation always compares whole and cut-up playing")
    if notes:
        warnings.warn("save_neutone_model ignores these arguments. " + "; ".join(notes) + ".", stacklevel=3)


def _explain_other_model(model: Any) -> str:
    origins = [base.__module__ for base in type(model).__mro__]
    if any(origin.split(".")[0] == "neutone_sdk" for origin in origins):
        return (
            f"{type(model).__name__} still has its base class from neutone_sdk. Import WaveformToWaveformBase or "
            "NonRealtimeBase from neutone_like.compat.neutone_sdk instead."
        )
    return (
        "Expected an instance of a subclass of neutone_like.compat.neutone_sdk.WaveformToWaveformBase or "
        "NonRealtimeBase, got "
        f"{model!r:.200}. Models of neutone_like's own base class are exported with neutone_like.export_model."
    )


def _embed(pairs: list[AudioSamplePair], result: ExportResult) -> None:
    """Write the artifact once more, with these sounds in its metadata."""
    content = json.loads(result.metadata_path.read_text(encoding="utf-8"))
    content["sample_sound_files"] = [pair.to_metadata_format() for pair in pairs]
    text = parse_metadata(json.dumps(content), METADATA_NAME).to_json()
    with tempfile.TemporaryDirectory(dir=result.directory) as folder:
        packed, metadata = Path(folder, "model.nm"), Path(folder, METADATA_NAME)
        repack(result.model_path, packed, text)
        metadata.write_text(text, encoding="utf-8")
        os.replace(packed, result.model_path)
        os.replace(metadata, result.metadata_path)
