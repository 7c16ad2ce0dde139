"""Runs the checks on an artifact, one after the other."""

import os
import platform
import time
from collections.abc import Callable
from functools import partial
from typing import cast

import torch

from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ExportError
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase
from neutone_like.torch_settings import plain_settings
from neutone_like.validate.check_lists import LIVE_CHECKS, OFFLINE_CHECKS, NamedCheck
from neutone_like.validate.checks.reload import FreshProcess, check_reloads_in_a_fresh_process
from neutone_like.validate.conditions import steady_conditions
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome
from neutone_like.validate.report import Check, ValidationReport
from neutone_like.validate.subject import Subject

FRESH_PROCESS = "reloads in a fresh process"

Progress = Callable[[str], None]


@checked_arguments(ExportError, but=("path_or_artifact", "eager_model"))
@plain_settings()
def validate_artifact(
    path_or_artifact: str | os.PathLike[str] | Artifact,
    *,
    quick: bool = False,
    eager_model: Model | None = None,
    quality: str = "high",
    progress: Progress | None = None,
) -> ValidationReport:
    """Check an artifact as hosts will use it. Takes a few seconds, most of them a new process starting.

    Args:
        path_or_artifact: A ``.nm`` file, a folder that holds ``model.nm``, or a loaded artifact.
        quick: Fewer host settings and parameter values, and at most a few seconds for each check: of a model that takes
            long only the most telling cases are tried, and the report says what was left out.
        eager_model: The Python model that the artifact was made from, for comparison; it is copied, not used. Without
            it, the artifact's test vector takes its place.
        quality: Resampler quality that the artifact was exported with; used with ``eager_model``.
        progress: Called with the name of each check before it runs.

    Raises:
        ArtifactError: The file can't be loaded. What is wrong with a file that can is in the report.
        ExportError: Another argument is not what it must be.
    """
    subject = _subject(_loaded(path_or_artifact), eager_model, quick, quality)
    listed = LIVE_CHECKS if isinstance(subject, LiveSubject) else OFFLINE_CHECKS
    concerned = [check for check in listed if check.concerns(subject)]
    started = time.perf_counter()
    checks: list[Check] = []
    with steady_conditions():
        process = FreshProcess(subject)
        try:
            last = NamedCheck(FRESH_PROCESS, partial(check_reloads_in_a_fresh_process, process=process))
            for check in (*concerned, last):
                if progress is not None:
                    progress(check.name)
                checks.append(_run(check, subject))
        finally:
            process.close()
    conditions = _conditions(subject, time.perf_counter() - started)
    return ValidationReport(str(subject.artifact.metadata.model_name), tuple(checks), conditions)


def _subject(artifact: Artifact, eager_model: Model | None, quick: bool, quality: str) -> Subject:
    wanted = WaveformToWaveformBase if artifact.is_realtime else NonRealtimeBase
    if eager_model is not None and not isinstance(eager_model, wanted):
        raise ExportError(
            f"eager_model: {artifact.path} was made from a {wanted.__name__}, got {eager_model!r:.200}. Give the model "
            "that was exported, or none."
        )
    kind = LiveSubject if artifact.is_realtime else OfflineSubject
    return kind(artifact, eager_model, quick, quality)


def _loaded(path_or_artifact: str | os.PathLike[str] | Artifact) -> Artifact:
    # An artifact, or what stands for one; the class itself is none.
    if hasattr(path_or_artifact, "fresh_module") and not isinstance(path_or_artifact, type):
        return cast("Artifact", path_or_artifact)
    return load_artifact(cast("str", path_or_artifact))


def _run(check: NamedCheck, subject: Subject) -> Check:
    started = time.perf_counter()
    if check.ours_only and not subject.is_ours:
        reason = "not run: another tool made this file, which can't answer what this asks"
        return Check(check.name, "skipped", reason, "")
    try:
        outcome = check.run(subject)
    except Exception as error:  # a model's code can raise anything; what it raised is the check's result
        outcome = _stopped(error)
    return Check(
        check.name,
        outcome.status,
        outcome.measured,
        outcome.allowed,
        outcome.advice,
        time.perf_counter() - started,
        (*outcome.information, *subject.effort.taken_notes()),
        outcome.findings,
    )


def _stopped(error: Exception) -> Outcome:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no message"]
    return Outcome(
        "failed",
        f"stopped by {type(error).__name__}: {lines[-1]}",
        "no error",
        "Make the model take what this check plays: any block size it declares, any sound, any parameter value.",
        tuple(lines[:-1][-8:]),
    )


def _conditions(subject: Subject, seconds: float) -> tuple[tuple[str, str], ...]:
    return (
        ("host settings", ", ".join(map(str, subject.settings))),
        ("thoroughness", "quick" if subject.quick else "full"),
        ("python model at hand", "yes" if subject.eager_model is not None else "no"),
        ("torch", torch.__version__),
        ("python", platform.python_version()),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical processors"),
        ("seconds", f"{seconds:.1f}"),
    )
