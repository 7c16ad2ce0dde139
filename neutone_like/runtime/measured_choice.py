"""The fastest of the backends that play an artifact alike: measured once, in the host's own blocks."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.artifact import Artifact
from neutone_like.artifact.reading.rounded_activations import rounded_otherwise, rounds_activations, tolerated
from neutone_like.errors import NeutoneLikeError
from neutone_like.runtime.backends import Backend, ModelFacts
from neutone_like.runtime.choice_cache import Measured, choice_file, keep_choice, read_choice
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.model_calls import ModelCaller
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.session import Session
from neutone_like.runtime.session_config import SessionSettings

if TYPE_CHECKING:
    from neutone_like.runtime import _native

Audio = npt.NDArray[np.float32]
REFERENCE = "torchscript"
WARM_UP_ROUNDS = 20
MOST_ROUNDS = 400
LEAST_ROUNDS = 50
SECONDS = 0.6
COMPARED_SAMPLES = 4096
TOLERANCE = 1e-4
"""Of the reference's peak."""
WORTH_IT = 0.95
"""A later candidate must take at most so much of an earlier one's time: p99 is no more exact than that."""


class ChosenBackend(Backend):
    """A backend, and why it was chosen."""

    def __init__(self, backend: Backend, reason: str) -> None:
        self._backend = backend
        self._reason = reason

    @property
    def facts(self) -> ModelFacts:
        return self._backend.facts

    @property
    def backend_name(self) -> str:
        return self._backend.backend_name

    @property
    def reason(self) -> str:
        return self._reason

    @property
    def adapts_itself(self) -> bool:
        return self._backend.adapts_itself

    def latency_growth_samples(self, host: HostConfig) -> int:
        return self._backend.latency_growth_samples(host)

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        return self._backend.open_session(engine, config, caller)


def fastest(artifact: Artifact, host: HostConfig, candidates: Mapping[str, Backend]) -> ChosenBackend:
    """Measure the candidates in a host's blocks, or take what was measured before on this machine.

    Args:
        artifact: What all of them play.
        host: Whose blocks.
        candidates: By name, :data:`REFERENCE` among them; the first is taken unless a later one is clearly faster.
    """
    file = choice_file(artifact, host)
    known = read_choice(file)
    if known is not None and known.backend in candidates:
        return ChosenBackend(candidates[known.backend], _reason(known, host, "measured before on this machine"))
    measured = measure(host, candidates, rounds_activations(artifact.module))
    problem = keep_choice(file, measured)
    return ChosenBackend(candidates[measured.backend], _reason(measured, host, problem))


def measure(host: HostConfig, candidates: Mapping[str, Backend], rounds: bool = False) -> Measured:
    """The 99th percentile of a block's time, by turns, of those whose output and latency are the reference's.

    Args:
        host: Whose blocks.
        candidates: By name.
        rounds: Whether they round numbers on the way, so that a last bit may make more of a difference.
    """
    native = native_module()
    engine = native.Engine(native.EngineConfig())
    notes: dict[str, str] = {}
    sessions: dict[str, Session] = {}
    try:
        with ExitStack() as opened:
            for name, backend in candidates.items():
                try:
                    session = Session(None, engine, backend, host, SessionSettings(mode="inline"))
                except NeutoneLikeError as error:
                    if name == REFERENCE:
                        raise
                    notes[name] = str(error)
                else:
                    sessions[name] = opened.enter_context(session)
            _leave_out_others(sessions, notes, rounds)
            times = _p99_us(sessions, host)
    finally:
        engine.close()
    best = min(times.values())
    return Measured(next(name for name, value in times.items() if value * WORTH_IT <= best), times, notes)


def _leave_out_others(sessions: dict[str, Session], notes: dict[str, str], rounds: bool) -> None:
    """Those that play something else than the reference, later, or not at all."""
    reference = sessions[REFERENCE]
    audio = _noise(reference.host.channels, COMPARED_SAMPLES)
    wanted = np.asarray(reference.process_offline(audio))
    allowed = TOLERANCE * max(float(np.abs(wanted).max()), 0.01)
    if rounds:
        otherwise = rounded_otherwise(torch.from_numpy(audio)).numpy()
        allowed = max(allowed, tolerated(wanted, np.asarray(reference.process_offline(otherwise))))
    for name in [each for each in sessions if each != REFERENCE]:
        session = sessions[name]
        try:
            difference = float(np.abs(np.asarray(session.process_offline(audio)) - wanted).max())
        except NeutoneLikeError as error:
            notes[name] = str(error)
        else:
            late = session.latency_samples - reference.latency_samples
            if not difference <= allowed:
                notes[name] = f"its output is {difference:.2g} away from {REFERENCE}'s, allowed are {allowed:.2g}"
            elif late > 0:
                notes[name] = f"it would be {late} samples later"
        if name in notes:
            sessions.pop(name).close()


def _p99_us(sessions: Mapping[str, Session], host: HostConfig) -> dict[str, float]:
    audio = _noise(host.channels, host.block_size)
    times: dict[str, list[float]] = {name: [] for name in sessions}
    end = time.perf_counter() + SECONDS
    for number in range(WARM_UP_ROUNDS + MOST_ROUNDS):
        if number >= WARM_UP_ROUNDS + LEAST_ROUNDS and time.perf_counter() > end:
            break
        for name, session in sessions.items():
            start = time.perf_counter()
            session.process(audio)
            if number >= WARM_UP_ROUNDS:
                times[name].append(time.perf_counter() - start)
    return {name: 1e6 * _p99_of_computing(own, sessions[name]) for name, own in times.items()}


def _p99_of_computing(seconds: list[float], session: Session) -> float:
    """A model with longer blocks computes in every n-th block of the host only, and those are what can be late."""
    block, host = session.model_block_size, session.host
    calls = 1.0 if block is None else block / session.model_sample_rate * host.sample_rate / host.block_size
    return float(np.percentile(seconds, 100.0 - 1.0 / max(1.0, calls)))


def _noise(channels: int, samples: int) -> Audio:
    return np.random.default_rng(0).uniform(-0.3, 0.3, (channels, samples)).astype(np.float32)


def _reason(measured: Measured, host: HostConfig, remark: str) -> str:
    others = ", ".join(f"{name} {value:.0f} us" for name, value in measured.p99_us.items() if name != measured.backend)
    parts = [
        f"{measured.backend}: 99 of 100 blocks of {host.block_size} samples at {host.sample_rate} Hz take at most "
        f"{measured.p99_us[measured.backend]:.0f} us" + (f" ({others})" if others else ""),
        *(f"{name} was left out: {note}" for name, note in measured.notes.items()),
        *filter(None, [remark]),
    ]
    return "; ".join(parts)
