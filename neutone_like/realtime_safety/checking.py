"""Runs an artifact, or a user's own callback, under the real-time-safety checker."""

import json
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from neutone_like.arguments import as_path, is_one_of
from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import real_number, whole_number
from neutone_like.realtime_safety.process import run_child
from neutone_like.realtime_safety.reading import read_result
from neutone_like.realtime_safety.report import RealtimeSafetyReport, SafetyConditions
from neutone_like.runtime.exchange_libraries import LIBRARY_OF_SUFFIX
from neutone_like.runtime.mode import Mode
from neutone_like.runtime.native_files import native_file

Wake = Literal["event", "poll"]

INTERPOSER = "neutone_like_realtime_safety.so"
CONTROLS = "neutone_like_realtime_controls.so"
DRIVER = "neutone_like_realtime_driver"
ARTIFACT_CHILD = "neutone_like.realtime_safety.artifact_child"
SECONDS_TO_BEGIN = 120.0
MAXIMUM_CALLBACKS = 1_000_000_000


def check_realtime_safety(
    path: str | os.PathLike[str],
    *,
    callbacks: int = 100_000,
    warm_up_callbacks: int = 100,
    block_size: int = 64,
    sample_rate: int | None = None,
    channels: int | None = None,
    wake: Wake | None = None,
    mode: Mode = "async",
    wait_fraction: float = 0.0,
    longest_callback_seconds: float = 10.0,
    timeout_seconds: float | None = None,
    allow_operators: Iterable[str] = (),
) -> RealtimeSafetyReport:
    """Count what an audio callback may not do, in a child process, on the audio thread only.

    An artifact is played by the native engine, with rate conversion and parameters that change all the time. A shared
    object is your own code, with the functions of ``neutone_like/realtime_callback.h``.

    Args:
        path: A ``.nm`` file, the folder that holds ``model.nm``, an exported ``.onnx`` or ``.tflite`` file with its
            sidecar, or a shared object (``.so``).
        callbacks: How many are made.
        warm_up_callbacks: The first ones, whose page faults are told but not judged; everything else of them is.
        block_size: Samples of each.
        sample_rate: In Hz; None for 48000, or for a rate that an artifact does not have, so that it is converted.
        channels: As many as the callback is given; None for 2, or for what an artifact takes beyond stereo.
        wake: ``"event"`` allows one futex wake-up in a callback, ``"poll"`` none; an artifact's engine is opened with
            it. None for ``"event"`` with an artifact, ``"poll"`` with a shared object.
        mode: Of an artifact's session: ``"async"``, or ``"inline"``, where the model itself is in the callback.
        wait_fraction: Of an artifact's host (:class:`neutone_like.runtime.HostConfig`): above 0, one wait for the
            worker is allowed in a callback, for no longer than this part of a block.
        longest_callback_seconds: One that takes longer is taken for one that never returns.
        timeout_seconds: For the whole; None for what the callbacks take in real time, and two minutes.
        allow_operators: What an artifact may use although artifacts may not, as of :func:`neutone_like.load_artifact`.

    Returns:
        Counters with verdicts. Code that crashed or did not return is a report that did not pass.

    Raises:
        RuntimeEngineError: Not Linux on x86-64, the native part was not built, ``path`` is nothing that can be run, a
            value out of range, or the checker could not prove that its counters count.
        ArtifactError: What is wrong with the artifact.
    """
    target = as_path(path, "an artifact or a shared object", RuntimeEngineError)
    is_artifact = _is_artifact(target)
    _require_linux()
    callbacks = _within("callbacks", callbacks, 1, MAXIMUM_CALLBACKS)
    warm_up_callbacks = _within("warm_up_callbacks", warm_up_callbacks, 0, callbacks - 1)
    block_size = _within("block_size", block_size, 1, 65536)
    sample_rate = None if sample_rate is None else _within("sample_rate", sample_rate, 1000, 768000)
    chosen_channels = 2 if channels is None else _within("channels", channels, 1, 64)
    chosen_wake = ("event" if is_artifact else "poll") if wake is None else wake
    if not is_one_of(chosen_wake, get_args(Wake)):
        raise RuntimeEngineError(f"wake must be one of {get_args(Wake)}, got {wake!r}.")
    if not is_one_of(mode, get_args(Mode)):
        raise RuntimeEngineError(f"mode must be one of {get_args(Mode)}, got {mode!r}.")
    waiting = real_number(wait_fraction, "wait_fraction", 0.0, 0.99, error=RuntimeEngineError)
    if waiting > 0.0 and not is_artifact:
        raise RuntimeEngineError(
            f"wait_fraction is for artifacts, which the engine plays; {target} is code of its own, and a wait in it "
            "counts."
        )
    longest_callback_seconds = _seconds("longest_callback_seconds", longest_callback_seconds)
    timeout_seconds = None if timeout_seconds is None else _seconds("timeout_seconds", timeout_seconds)
    allowed = _allowed(allow_operators, target, is_artifact)
    if is_artifact and sample_rate is None:
        sample_rate = _foreign_rate(target)
    if is_artifact and channels is None:
        chosen_channels = _taken_channels(target)
    conditions = SafetyConditions(
        path=str(target),
        what=f'native engine, mode="{mode}", wake="{chosen_wake}"' if is_artifact else "shared object",
        callbacks=callbacks,
        warm_up_callbacks=warm_up_callbacks,
        block_size=block_size,
        sample_rate=sample_rate or 48000,
        channels=chosen_channels,
        wake=chosen_wake,
        kernel=platform.release(),
        wait_fraction=waiting,
    )

    def command(report_file: int) -> list[str]:
        if is_artifact:
            return _artifact_command(conditions, mode, longest_callback_seconds, report_file, allowed)
        return _callback_command(conditions, longest_callback_seconds, report_file)

    if is_artifact and target.suffix not in LIBRARY_OF_SUFFIX:
        _build_what_plays_it()
    child = run_child(
        command,
        interposer=str(native_file(INTERPOSER)),
        timeout_seconds=_usual_seconds(conditions) if timeout_seconds is None else timeout_seconds,
    )
    return read_result(child, conditions)


def _build_what_plays_it() -> None:
    """Here, because the child has a time limit, and would run the compiler under the checker."""
    from neutone_like.runtime.torch_backend import ensure_torch_backend  # loads torch, which a callback doesn't need

    ensure_torch_backend()


def _is_artifact(path: Path) -> bool:
    if os.path.isdir(path) or path.suffix == ".nm" or path.suffix in LIBRARY_OF_SUFFIX:
        return True
    if os.path.isfile(path) and (path.suffix == ".so" or ".so." in path.name):
        return False
    reason = "which is neither" if os.path.exists(path) else "which does not exist"
    raise RuntimeEngineError(
        f"Expected an artifact (a .nm file, or the folder that holds model.nm) or a shared object (.so) with the "
        f"functions of neutone_like/realtime_callback.h, got {path}, {reason}."
    )


def _allowed(names: Iterable[str], path: Path, is_artifact: bool) -> list[str]:
    """The operators that somebody allows, for what has any."""
    if isinstance(names, tuple) and not names:
        return []
    from neutone_like.artifact.reading.operators import checked_operators  # loads torch, which a callback doesn't need

    allowed = sorted(checked_operators(names))
    if allowed and not (is_artifact and path.suffix not in LIBRARY_OF_SUFFIX):
        raise RuntimeEngineError(
            f"allow_operators is for artifacts, whose TorchScript names its operators; {path} is something else."
        )
    return allowed


def _require_linux() -> None:
    system, machine = platform.system(), platform.machine()
    if (system, machine.lower()) not in (("Linux", "x86_64"), ("Linux", "amd64")):
        raise RuntimeEngineError(
            f"The real-time-safety checker needs Linux on x86-64, and this is {system} on {machine}. Run it on such a "
            "machine: what the audio thread does is mostly the same elsewhere."
        )


def _within(name: str, value: int, lowest: int, highest: int) -> int:
    return whole_number(value, name, lowest, highest, error=RuntimeEngineError)


def _usual_seconds(conditions: SafetyConditions) -> float:
    return SECONDS_TO_BEGIN + 2.0 * conditions.callbacks * conditions.block_size / conditions.sample_rate


def _seconds(name: str, value: float) -> float:
    return real_number(value, name, 0.001, 1e6, unit="s", error=RuntimeEngineError)


def _foreign_rate(path: Path) -> int:
    """A usual rate that the model was not made for, so that its audio is converted."""
    native, _ = _rates_and_channels(path)
    return next(rate for rate in (48000, 44100, 96000, 88200, 192000, *range(47000, 1000, -1000)) if rate not in native)


def _taken_channels(path: Path) -> int:
    """What a host has to send: stereo, or what a model of more channels takes."""
    return max(2, _rates_and_channels(path)[1])


def _rates_and_channels(path: Path) -> tuple[tuple[int, ...], int]:
    """What an artifact or an exported file says of its model's rates and inputs."""
    if path.suffix in LIBRARY_OF_SUFFIX:
        from neutone_like.runtime.exchange_sidecar import read_exchange_sidecar, sidecar_of  # loads torch

        sidecar = read_exchange_sidecar(sidecar_of(path), LIBRARY_OF_SUFFIX[path.suffix])
        return () if sidecar.sample_rate is None else (sidecar.sample_rate,), sidecar.in_channels
    from neutone_like.artifact import read_metadata

    metadata = read_metadata(path)
    return tuple(metadata.native_sample_rates), getattr(metadata.neutone_like, "in_channels", 2)


def _artifact_command(
    conditions: SafetyConditions, mode: str, longest_callback_seconds: float, report_file: int, allowed: list[str]
) -> list[str]:
    settings = {
        "mode": mode,
        "wake": conditions.wake,
        "controls": str(native_file(CONTROLS)),
        "path": conditions.path,
        "callbacks": conditions.callbacks,
        "warm_up_callbacks": conditions.warm_up_callbacks,
        "block_size": conditions.block_size,
        "sample_rate": conditions.sample_rate,
        "channels": conditions.channels,
        "wait_fraction": conditions.wait_fraction,
        "longest_callback_seconds": longest_callback_seconds,
        "report_file": report_file,
        "allow_operators": allowed,
    }
    return [sys.executable, "-m", ARTIFACT_CHILD, json.dumps(settings)]


def _callback_command(conditions: SafetyConditions, longest_callback_seconds: float, report_file: int) -> list[str]:
    values = (
        native_file(DRIVER),
        native_file(CONTROLS),
        Path(conditions.path).resolve(),  # the loader looks for a bare name elsewhere
        conditions.callbacks,
        conditions.warm_up_callbacks,
        conditions.block_size,
        conditions.sample_rate,
        conditions.channels,
        longest_callback_seconds,
        report_file,
    )
    return [str(value) for value in values]
