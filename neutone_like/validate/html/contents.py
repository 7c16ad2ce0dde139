"""Everything the page shows, measured and drawn. A part that can't be measured says why; the rest goes on."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import matplotlib

from neutone_like.artifact.reading.loader import Artifact
from neutone_like.errors import AudioError
from neutone_like.runtime.latency_budget import LatencyBudget, WayToPlay, latency_budget, model_delay_ms
from neutone_like.validate.check_lists import DEADLINES
from neutone_like.validate.conditions import steady_conditions
from neutone_like.validate.deadlines.findings import DeadlineFindings
from neutone_like.validate.html.conversion import Conversion, describe_conversion
from neutone_like.validate.html.figures.deadline_figures import callback_figure, inference_figure
from neutone_like.validate.html.figures.drawing import AFTER, BEFORE, Drawing, drawing_settings
from neutone_like.validate.html.figures.host_figures import (
    conversion_figure,
    gain_figure,
    impulse_figure,
    pass_band_figure,
    time_figure,
)
from neutone_like.validate.html.figures.parameter_figures import sweep_figure
from neutone_like.validate.html.figures.sound_figures import sound_figures
from neutone_like.validate.html.latencies import LatencyTable, read_latencies
from neutone_like.validate.html.response import Response, measure_response
from neutone_like.validate.html.sounds import Sound, sounds_of, to_mp3
from neutone_like.validate.html.sweep import Sweep, sweep_parameters
from neutone_like.validate.html.timing import BlockTime, time_blocks
from neutone_like.validate.html.whole_sounds import whole_sounds_of
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.playing import HostSetting
from neutone_like.validate.report import ValidationReport
from neutone_like.version import __version__

RESPONSE_BLOCK = 128
HOST_RATES = (44100, 48000, 96000)

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Part(Generic[Measured]):
    """A part of the page: what was measured, or the reason why nothing was."""

    content: Measured | None
    missing: str = ""


@dataclass(frozen=True)
class Listening:
    """A sound with its pictures and its MP3s (base64)."""

    sound: Sound
    figures: tuple[Drawing, Drawing]
    mp3: tuple[str, str]


@dataclass(frozen=True)
class ResponseShown:
    response: Response
    impulse: Drawing
    gain: Drawing


@dataclass(frozen=True)
class ConversionShown:
    there: Conversion
    back: Conversion
    whole: Drawing
    close: Drawing


@dataclass(frozen=True)
class SweepShown:
    sweep: Sweep
    figure: Drawing


@dataclass(frozen=True)
class TimesShown:
    times: list[BlockTime]
    figure: Drawing


@dataclass(frozen=True)
class DeadlinesShown:
    findings: DeadlineFindings
    budget: LatencyBudget
    inference: Drawing
    callbacks: Drawing


@dataclass(frozen=True)
class LiveParts:
    """What makes sense for a model that plays while somebody listens."""

    host_rate: int
    native_rate: int
    latencies: Part[LatencyTable]
    response: Part[ResponseShown]
    conversion: Part[ConversionShown]
    sweeps: Part[list[SweepShown]]
    times: Part[TimesShown]
    deadlines: Part[DeadlinesShown]


@dataclass(frozen=True)
class Contents:
    """What the page is made from; ``live`` is there for live models only."""

    artifact: Artifact
    validation: ValidationReport
    listening: Part[list[Listening]]
    live: LiveParts | None
    conditions: tuple[tuple[str, str], ...]


def gather(artifact: Artifact, validation: ValidationReport, host_rate: int | None) -> Contents:
    """Measure and draw. Takes a few seconds at most; a slow model is measured at fewer points.

    Raises:
        AudioError: ``host_rate`` is not a rate.
    """
    rate = _host_rate(artifact) if host_rate is None else host_rate
    if rate < 1:
        raise AudioError(f"host_sample_rate: expected a rate in Hz, at least 1, got {rate!r}.")
    with steady_conditions(), drawing_settings():
        if artifact.is_realtime:
            subject = LiveSubject(artifact, quick=True)
            listening, live = _part(lambda: _listening(sounds_of(subject))), _live_parts(subject, rate, validation)
        else:
            whole = OfflineSubject(artifact, quick=True)
            listening, live = _part(lambda: _listening(whole_sounds_of(whole))), None
        return Contents(artifact, validation, listening, live, (*validation.conditions, *_conditions(artifact)))


def _live_parts(subject: LiveSubject, rate: int, validation: ValidationReport) -> LiveParts:
    return LiveParts(
        host_rate=rate,
        native_rate=subject.native_rate,
        latencies=_part(lambda: read_latencies(subject, rate)),
        response=_part(lambda: _response(subject, rate)),
        conversion=_part(lambda: _conversion(subject, rate)),
        sweeps=_part(lambda: _sweeps(subject)),
        times=_part(lambda: _times(subject)),
        deadlines=_part(lambda: _deadlines(validation, subject)),
    )


def _host_rate(artifact: Artifact) -> int:
    """The first usual rate at which the artifact has something to resample."""
    return next((rate for rate in HOST_RATES if artifact.sample_rates and rate not in artifact.sample_rates), 48000)


class _NothingToShow(Exception):
    """A part that this artifact has no need of; the message says why."""


def _part(measure: Callable[[], Measured]) -> Part[Measured]:
    try:
        return Part(measure())
    except _NothingToShow as reason:
        return Part(None, str(reason))
    except Exception as error:  # a model's code can raise anything; the page says what, in the part's place
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no message"]
        return Part(None, f"This could not be measured: {type(error).__name__}: {lines[-1]}")


def _listening(sounds: list[Sound]) -> list[Listening]:
    result: list[Listening] = []
    for sound in sounds:
        mp3 = tuple(to_mp3(side, sound.sample_rate, sound.scale) for side in (sound.before, sound.after))
        result.append(Listening(sound, sound_figures(sound, BEFORE, AFTER), (mp3[0], mp3[1])))
    return result


def _response(subject: LiveSubject, rate: int) -> ResponseShown:
    response = measure_response(subject, HostSetting(rate, RESPONSE_BLOCK))
    if response is None:
        raise _NothingToShow("Nothing comes out for quiet noise at the default parameters, so there is no response.")
    return ResponseShown(response, impulse_figure(response), gain_figure(response))


def _conversion(subject: LiveSubject, rate: int) -> ConversionShown:
    ours = subject.artifact.metadata.neutone_like
    if ours is None:
        raise _NothingToShow("Another tool made this file, and it does not say what its resampler does.")
    module = subject.reused(HostSetting(rate, RESPONSE_BLOCK))
    model_rate = int(module.current_model_sample_rate())
    if model_rate == rate:
        if not subject.artifact.sample_rates:
            raise _NothingToShow("The model runs at whatever rate the host has, so nothing is resampled.")
        raise _NothingToShow(f"{rate} Hz is a rate of the model's own, so nothing is resampled.")
    there = describe_conversion(rate, model_rate, ours.quality)
    back = describe_conversion(model_rate, rate, ours.quality)
    return ConversionShown(there, back, conversion_figure(there, back), pass_band_figure(there, back))


def _sweeps(subject: LiveSubject) -> list[SweepShown]:
    if not subject.artifact.numerical_parameters:
        raise _NothingToShow("This model has no parameters.")
    return [SweepShown(sweep, sweep_figure(sweep, index)) for index, sweep in enumerate(sweep_parameters(subject))]


def _times(subject: LiveSubject) -> TimesShown:
    times = time_blocks(subject, subject.native_rate)
    return TimesShown(times, time_figure(times))


def _deadlines(validation: ValidationReport, subject: LiveSubject) -> DeadlinesShown:
    """What validation found; it is not played again."""
    found = [check.findings for check in validation if isinstance(check.findings, DeadlineFindings)]
    if not found:
        why = next((check.measured for check in validation if check.name == DEADLINES), "not run")
        raise _NothingToShow(f"The check at real deadlines has nothing to show: {why}")
    budget = _budget(found[0], subject)
    return DeadlinesShown(found[0], budget, inference_figure(found[0]), callback_figure(found[0]))


def _budget(findings: DeadlineFindings, subject: LiveSubject) -> LatencyBudget:
    """What fits which use, of what was played: on a worker, so that it is heard a little later than in the callback."""
    ways = [
        WayToPlay(
            backend=one.run.backend_name,
            sample_rate=one.setting.sample_rate,
            block_size=one.setting.block_size,
            latency_samples=one.run.latency_samples,
            p99_us=one.run.inference_time.p99_us,
            lasts_us=one.run.inference_budget_us,
        )
        for one in findings.played
    ]
    return latency_budget(ways, model_delay_ms(subject.artifact))


def _conditions(artifact: Artifact) -> tuple[tuple[str, str], ...]:
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        ("neutone_like", __version__),
        ("matplotlib", matplotlib.__version__),
        ("load when drawn", f"{load} processes on {os.cpu_count()} logical processors"),
        ("report drawn", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("model.nm, SHA-256", hashlib.sha256(artifact.path.read_bytes()).hexdigest()),
    )
