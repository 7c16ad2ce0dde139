"""Plays an artifact in the engine at real deadlines, and holds what was heard against the wrapper in Python."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from neutone_like.model.parameter_values import from_host_value, to_host_value
from neutone_like.runtime import Engine, HostConfig, ParameterChange, RealtimeReport, Session, SessionRun
from neutone_like.runtime.choosing import EngineBackendName
from neutone_like.validate.deadlines.findings import Comparison, PlayedSetting
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import first_difference, largest_difference
from neutone_like.validate.playing import HostSetting, latency_samples, play
from neutone_like.validate.subject import Values

WORKERS = 1
WAKE = "event"
FEWEST_MODEL_BLOCKS = 4
QUEUE_SECONDS = 10.0  # never full: a model that is too slow is late, and its sound can still be compared
AGREEMENT = 1e-5  # what two implementations of the same adaptation may differ by, at full scale
SECONDS = 1.0
QUICK_SECONDS = 0.4
LONGER = 2.0
NO_CHANGES: tuple[ParameterChange, ...] = ()


def play_fairly(subject: LiveSubject, setting: HostSetting, backend: EngineBackendName = "auto") -> PlayedSetting:
    """A run, and a second, longer one where blocks were late: machines have bad moments.

    Raises:
        RuntimeEngineError: The engine can't play this artifact.
    """
    seconds = QUICK_SECONDS if subject.quick else SECONDS
    first = play_setting(subject, setting, seconds, backend=backend)
    if not first.deserves_another_run:
        return first
    return replace(play_setting(subject, setting, LONGER * seconds, backend=backend), repeated=True)


def play_setting(
    subject: LiveSubject,
    setting: HostSetting,
    seconds: float,
    *,
    backend: EngineBackendName = "auto",
    compare: bool = True,
) -> PlayedSetting:
    """One run. Parameters begin at their defaults and jump in the middle.

    Args:
        subject: The artifact.
        setting: The host.
        seconds: Of sound, and so of time; longer where the model's blocks are.
        backend: What plays it.
        compare: Hold what was heard against the reference too, unless the model was too slow anyway.

    Raises:
        RuntimeEngineError: The engine can't play this artifact.
    """
    host = HostConfig(setting.sample_rate, setting.block_size, subject.channels)
    adaptation = "native" if subject.is_ours else "embedded"
    with Engine(WORKERS, wake=WAKE) as engine:
        session = engine.open(
            subject.artifact, host, backend=backend, adaptation=adaptation, queue_seconds=QUEUE_SECONDS
        )
        blocks = _callbacks(session, seconds)
        samples = blocks * setting.block_size
        sound = subject.sound(samples)
        rows, changes = _turned(subject, samples, blocks // 2 * setting.block_size)
        # Half a sample less, so that no rounding adds a callback.
        played_seconds = (samples - 0.5) / setting.sample_rate
        report = engine.run_realtime(
            session, played_seconds, input=sound.numpy(), parameter_changes=changes, record=compare
        )
        played = _played(setting, session, report)
    heard = report.sessions[0]
    if not compare or heard.ended_early or played.speed == "too slow":
        return played
    return replace(played, comparison=_compare(subject, setting, heard, sound, rows))


def _callbacks(session: Session, seconds: float) -> int:
    """Enough for so much time, and for a few blocks of the model to come out."""
    host = session.host
    samples = seconds * host.sample_rate
    if session.model_block_size is not None:
        model_blocks = FEWEST_MODEL_BLOCKS * session.model_block_size / session.model_sample_rate
        samples = max(samples, session.latency_samples + model_blocks * host.sample_rate)
    return math.ceil(samples / host.block_size)


def _turned(subject: LiveSubject, samples: int, sample: int) -> tuple[Tensor, tuple[ParameterChange, ...]]:
    """Parameters that jump at ``sample``: as host values ``[P, samples]``, and as changes for the engine."""
    rows = subject.defaults.knobs.repeat(1, samples)
    parameters = subject.artifact.numerical_parameters
    if not parameters:
        return rows, NO_CHANGES
    changes: list[ParameterChange] = []
    for row, parameter in enumerate(parameters):
        value = from_host_value(parameter, float(subject.value_sets()["drawn parameters"].knobs[row, 0]))
        rows[row, sample:] = to_host_value(parameter, value)
        changes.append(ParameterChange(sample, parameter.name, value))
    return rows, tuple(changes)


def _played(setting: HostSetting, session: Session, report: RealtimeReport) -> PlayedSetting:
    run = report.sessions[0]
    no_op = report.no_op_beside(run)
    seconds = max(run.seconds, no_op.seconds)
    return PlayedSetting(
        setting=setting,
        run=replace(run, output=None),
        no_op=no_op,
        model_sample_rate=session.model_sample_rate,
        model_block_size=session.model_block_size if session.settings.adaptation == "native" else None,
        worker_cpu_seconds=sum(worker.cpu_share for worker in report.workers) * seconds,
        worker_priority=all(worker.realtime_priority for worker in report.workers),
        trouble=_trouble(session, run),
    )


def _trouble(session: Session, run: SessionRun) -> str:
    stats = session.stats()
    if stats.hung:
        return "a block never came back, and the session was given up"
    if run.ended_early:
        return f"the run ended early: {run.ended_early}"
    if stats.failed_blocks:
        return f"{stats.failed_blocks} blocks failed: {stats.last_error}"
    if stats.nonfinite_samples:
        return f"{stats.nonfinite_samples} samples were not finite, and became silence"
    return "" if run.inference_time.count else f"no block came back within {run.seconds:.1f} s"


def _compare(subject: LiveSubject, setting: HostSetting, run: SessionRun, sound: Tensor, rows: Tensor) -> Comparison:
    assert run.output is not None
    module = subject.reused(setting)
    reference = play(module, sound, [setting.block_size] * (sound.size(1) // setting.block_size), rows)
    expected = _later(reference, run.latency_samples - latency_samples(module))
    heard = torch.from_numpy(run.output)
    allowed = AGREEMENT * max(1.0, float(reference.abs().max()))
    if _differing(heard, expected, allowed) > run.missing_samples:
        values = Values(rows)
        aligned = subject.play(subject.reused(setting), [sound], values, setting)
        allowed = max(allowed, subject.difference_allowed(setting, [sound], values, aligned))
    return Comparison(
        differing_samples=_differing(heard, expected, allowed),
        missing_samples=run.missing_samples,
        largest_difference=largest_difference(heard, expected),
        allowed_difference=allowed,
        first_sample=first_difference(heard, expected, allowed),
    )


def _later(sound: Tensor, samples: int) -> Tensor:
    """As long as before, with so many zeros in front (or, below 0, behind)."""
    return torch.nn.functional.pad(sound, (samples, -samples))


def _differing(heard: Tensor, expected: Tensor, allowed: float) -> int:
    if heard.shape != expected.shape:
        return max(heard.size(1), expected.size(1))
    return int(torch.logical_not((heard - expected).abs() <= allowed).any(0).sum())
