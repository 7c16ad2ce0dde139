"""Writes ``report.html``."""

import os
from pathlib import Path

from neutone_like.arguments import as_path, require_kind
from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.errors import ExportError
from neutone_like.validate.html.web_link import web_link_opening
from neutone_like.validate.report import ValidationReport
from neutone_like.whole_file import write_whole

REPORT_NAME = "report.html"


def write_report(
    artifact_or_path: Artifact | str | os.PathLike[str],
    validation: ValidationReport,
    out_path: str | os.PathLike[str],
    *,
    host_sample_rate: int | None = None,
) -> Path:
    """Write a page that shows an artifact: one file that needs no network, and opens from a disk.

    It measures what a picture needs and validation does not keep: response, parameter sweeps, time per block. Sounds
    are those of the ``samples`` folder beside the artifact; without one they are rendered.

    Args:
        artifact_or_path: An artifact, a ``.nm`` file, or a folder that holds ``model.nm``.
        validation: What :func:`validate_artifact` found.
        out_path: The file to write; a folder gets a ``report.html``. It appears whole or not at all.
        host_sample_rate: The host's rate in Hz for the response and the resampler; by default the first of 44.1, 48
            and 96 kHz that is not the model's own.

    Returns:
        The file written.

    Raises:
        ArtifactError: The artifact can't be loaded.
        AudioError: ``host_sample_rate`` is not a rate.
        ExportError: The file can't be written.
    """
    from neutone_like.validate.html.contents import gather  # here, because who writes no report needs no matplotlib
    from neutone_like.validate.html.page import render_page

    artifact = artifact_or_path if isinstance(artifact_or_path, Artifact) else load_artifact(artifact_or_path)
    require_kind(validation, ValidationReport, ExportError)
    target = as_path(out_path, "the report", ExportError)
    if target.is_dir():
        target /= REPORT_NAME
    text = render_page(gather(artifact, validation, host_sample_rate), web_link_opening(target.parent))
    return _write(text, target)


def _write(text: str, target: Path) -> Path:
    try:
        write_whole(target, text.encode())
    except OSError as error:
        raise ExportError(
            f"The report can't be written to {target}: {error.strerror or error}. "
            "Choose a folder that exists and is writable."
        ) from error
    return target
