"""Runs the checks on an artifact, one after the other."""

import os
import platform
import time
from collections.abc import Callable
from functools import partial

import torch

from neutone_like.artifact.loader import Artifact, load_artifact
from neutone_like.model import WaveformToWaveformBase
from neutone_like.validate.checks.chunking import check_any_chunking_equals_whole
from neutone_like.validate.checks.contract import check_contract_methods, check_metadata
from neutone_like.validate.checks.equivalence import check_scripted_equals_eager
from neutone_like.validate.checks.extremes import check_extremes_stay_finite, check_recovers_from_nan, check_silence
from neutone_like.validate.checks.inputs import check_inputs_are_untouched
from neutone_like.validate.checks.latency import check_reported_delay
from neutone_like.validate.checks.model_delay import check_declared_delay
from neutone_like.validate.checks.realtime import check_realtime_deadlines
from neutone_like.validate.checks.reload import FreshProcess, check_reloads_in_a_fresh_process
from neutone_like.validate.checks.speed import check_inference_time
from neutone_like.validate.checks.state import check_instances_are_independent, check_reset_repeats
from neutone_like.validate.conditions import steady_conditions
from neutone_like.validate.context import CheckFunction, Context, Outcome
from neutone_like.validate.report import Check, ValidationReport

CHECKS: tuple[tuple[str, CheckFunction], ...] = (
    ("metadata", check_metadata),
    ("contract methods", check_contract_methods),
    ("scripted equals eager", check_scripted_equals_eager),
    ("any chunking equals whole", check_any_chunking_equals_whole),
    ("delay as reported", check_reported_delay),
    ("delay as declared", check_declared_delay),
    ("reset repeats", check_reset_repeats),
    ("instances independent", check_instances_are_independent),
    ("extremes stay finite", check_extremes_stay_finite),
    ("recovers from NaN", check_recovers_from_nan),
    ("silence", check_silence),
    ("inputs untouched", check_inputs_are_untouched),
    ("inference time", check_inference_time),
    ("real-time deadlines", check_realtime_deadlines),
)
OWN_ARTIFACTS_ONLY = frozenset(
    {
        "metadata",
        "scripted equals eager",
        "any chunking equals whole",
        "delay as reported",
        "delay as declared",
        "extremes stay finite",
        "recovers from NaN",
    }
)
"""These ask the module what only ours can answer."""
FRESH_PROCESS = "reloads in a fresh process"

Progress = Callable[[str], None]


def validate_artifact(
    path_or_artifact: str | os.PathLike[str] | Artifact,
    *,
    quick: bool = False,
    eager_model: WaveformToWaveformBase | None = None,
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
    context = Context(_loaded(path_or_artifact), eager_model, quick, quality)
    started = time.perf_counter()
    checks: list[Check] = []
    with steady_conditions():
        process = FreshProcess(context)
        try:
            steps = [*CHECKS, (FRESH_PROCESS, partial(check_reloads_in_a_fresh_process, process=process))]
            for name, function in steps:
                if progress is not None:
                    progress(name)
                checks.append(_run(name, function, context))
        finally:
            process.close()
    conditions = _conditions(context, time.perf_counter() - started)
    return ValidationReport(str(context.artifact.metadata.model_name), tuple(checks), conditions)


def _loaded(path_or_artifact: str | os.PathLike[str] | Artifact) -> Artifact:
    if not isinstance(path_or_artifact, (str, os.PathLike)):
        return path_or_artifact
    return load_artifact(path_or_artifact)


def _run(name: str, function: CheckFunction, context: Context) -> Check:
    started = time.perf_counter()
    if name in OWN_ARTIFACTS_ONLY and not context.is_ours:
        return Check(name, "skipped", "not run: another tool made this file, which can't answer what this asks", "")
    try:
        outcome = function(context)
    except Exception as error:  # a model's code can raise anything; what it raised is the check's result
        outcome = _stopped(error)
    seconds = time.perf_counter() - started
    return Check(name, outcome.status, outcome.measured, outcome.allowed, outcome.advice, seconds, outcome.information)


def _stopped(error: Exception) -> Outcome:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no message"]
    return Outcome(
        "failed",
        f"stopped by {type(error).__name__}: {lines[-1]}",
        "no error",
        "Make the model take what this check plays: any block size it declares, any sound, any parameter value.",
        tuple(lines[:-1][-8:]),
    )


def _conditions(context: Context, seconds: float) -> tuple[tuple[str, str], ...]:
    return (
        ("host settings", ", ".join(str(setting) for setting in context.settings)),
        ("thoroughness", "quick" if context.quick else "full"),
        ("python model at hand", "yes" if context.eager_model is not None else "no"),
        ("torch", torch.__version__),
        ("python", platform.python_version()),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical processors"),
        ("seconds", f"{seconds:.1f}"),
    )
