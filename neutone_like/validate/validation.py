"""Runs the checks on an artifact, one after the other."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.errors import ExportError
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase
from neutone_like.torch_settings import plain_settings
from neutone_like.validate.checks.reload import FreshProcess, PlayingProcess, check_reloads_in_a_fresh_process
from neutone_like.validate.conditions import steady_conditions
from neutone_like.validate.context import Context, Outcome
from neutone_like.validate.live_checks import CHECKS as CHECKS
from neutone_like.validate.live_checks import OWN_ARTIFACTS_ONLY as OWN_ARTIFACTS_ONLY
from neutone_like.validate.offline.checks import NON_REALTIME_CHECKS, NON_REALTIME_OWN_ONLY
from neutone_like.validate.offline.context import OfflineContext
from neutone_like.validate.offline.reload import OfflineFreshProcess
from neutone_like.validate.report import Check, ValidationReport

FRESH_PROCESS = "reloads in a fresh process"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Plan:
    """What is done with an artifact of one kind."""

    context: Any
    checks: tuple[tuple[str, Callable[[Any], Outcome]], ...]
    own_only: frozenset[str]
    start_process: Callable[[Any], PlayingProcess]
    settings: str


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
        quick: Fewer host settings and parameter values.
        eager_model: The Python model that the artifact was made from, for comparison; it is copied, not used. Without
            it, the artifact's test vector takes its place.
        quality: Resampler quality that the artifact was exported with; used with ``eager_model``.
        progress: Called with the name of each check before it runs.

    Raises:
        ArtifactError: The file can't be loaded. What is wrong with a file that can is in the report.
    """
    plan = _plan(_loaded(path_or_artifact), eager_model, quick, quality)
    started = time.perf_counter()
    checks: list[Check] = []
    with steady_conditions():
        process = plan.start_process(plan.context)
        try:
            steps = [*plan.checks, (FRESH_PROCESS, partial(check_reloads_in_a_fresh_process, process=process))]
            for name, function in steps:
                if progress is not None:
                    progress(name)
                checks.append(_run(name, function, plan))
        finally:
            process.close()
    conditions = _conditions(plan, time.perf_counter() - started)
    return ValidationReport(str(plan.context.artifact.metadata.model_name), tuple(checks), conditions)


def _plan(artifact: Artifact, eager_model: Model | None, quick: bool, quality: str) -> _Plan:
    wanted = WaveformToWaveformBase if artifact.is_realtime else NonRealtimeBase
    if eager_model is not None and not isinstance(eager_model, wanted):
        raise ExportError(
            f"eager_model: {artifact.path} was made from a {wanted.__name__}, got {eager_model!r:.200}. Give the model "
            "that was exported, or none."
        )
    if isinstance(eager_model, NonRealtimeBase) or not artifact.is_realtime:
        whole = OfflineContext(artifact, eager_model, quick, quality)  # pyright: ignore[reportArgumentType]
        settings = ", ".join(f"{rate} Hz" for rate in whole.rates)
        return _Plan(whole, NON_REALTIME_CHECKS, NON_REALTIME_OWN_ONLY, OfflineFreshProcess, settings)
    live = Context(artifact, eager_model, quick, quality)
    return _Plan(live, CHECKS, OWN_ARTIFACTS_ONLY, FreshProcess, ", ".join(map(str, live.settings)))


def _loaded(path_or_artifact: str | os.PathLike[str] | Artifact) -> Artifact:
    if not isinstance(path_or_artifact, (str, os.PathLike)):
        return path_or_artifact
    return load_artifact(path_or_artifact)


def _run(name: str, function: Callable[[Any], Outcome], plan: _Plan) -> Check:
    started = time.perf_counter()
    if name in plan.own_only and not plan.context.is_ours:
        return Check(name, "skipped", "not run: another tool made this file, which can't answer what this asks", "")
    try:
        outcome = function(plan.context)
    except Exception as error:  # a model's code can raise anything; what it raised is the check's result
        outcome = _stopped(error)
    seconds = time.perf_counter() - started
    return Check(
        name,
        outcome.status,
        outcome.measured,
        outcome.allowed,
        outcome.advice,
        seconds,
        outcome.information,
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


def _conditions(plan: _Plan, seconds: float) -> tuple[tuple[str, str], ...]:
    context = plan.context
    return (
        ("host settings", plan.settings),
        ("thoroughness", "quick" if context.quick else "full"),
        ("python model at hand", "yes" if context.eager_model is not None else "no"),
        ("torch", torch.__version__),
        ("python", platform.python_version()),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical processors"),
        ("seconds", f"{seconds:.1f}"),
    )
