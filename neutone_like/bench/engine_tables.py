"""The native engine under load: parallel inference, host blocks that don't fit the model's, conversion in the callback.

Every run is at real deadlines on the engine's virtual audio device, with a no-op session beside it in the same run,
because machines have jitter of their own. The peer of each row is the model's own forward call, timed where it runs
inside the callback, as in a plugin without an engine.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.table import Table

from neutone_like.artifact import Artifact
from neutone_like.bench.engine_model import RECEPTIVE_FIELD, convolutions_artifact, recurrent_artifact
from neutone_like.bench.engine_waiting import waiting_table
from neutone_like.bench.engine_workers import workers_table
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.realtime_report import SessionRun
from neutone_like.runtime.session import Session
from neutone_like.runtime.session_config import Adaptation, Mode

RATE = 48000
OTHER_RATE = 44100
MODEL_BLOCK = 256
SESSION_COUNTS = (1, 2, 4, 8)
WORKER_COUNTS = (1, 2)
HOST_BLOCKS = ((256, "equal"), (64, "smaller"), (1024, "larger"), (300, "not dividing"))
WAYS: tuple[tuple[Mode, Adaptation], ...] = (("inline", "native"), ("inline", "embedded"), ("async", "native"))
TIMES = ("p50", "p99", "p99.9", "max")


def engine_tables(seconds: float) -> Iterator[Table]:
    """All of them; ``seconds`` of audio a row."""
    with _artifacts() as (any_block, one_block, other_rate, recurrent):
        yield sessions_table(one_block, seconds)
        yield instances_table(one_block, seconds)
        yield mismatch_table(one_block, seconds)
        yield conversion_table(any_block, other_rate, seconds)
        yield waiting_table(any_block, seconds)
        yield workers_table(recurrent, seconds)


@contextmanager
def _artifacts() -> Iterator[tuple[Artifact, Artifact, Artifact, Artifact]]:
    with tempfile.TemporaryDirectory() as folder:
        yield (
            convolutions_artifact(Path(folder) / "any", RATE, 0),
            convolutions_artifact(Path(folder) / "one", RATE, MODEL_BLOCK),
            convolutions_artifact(Path(folder) / "other", OTHER_RATE, 0),
            recurrent_artifact(Path(folder) / "recurrent"),
        )


def sessions_table(
    artifact: Artifact,
    seconds: float,
    session_counts: tuple[int, ...] = SESSION_COUNTS,
    worker_counts: tuple[int, ...] = WORKER_COUNTS,
) -> Table:
    """Many sessions on one and two workers: what a callback costs, what was late, and how much could be done."""
    host = HostConfig(RATE, MODEL_BLOCK)
    inline = _inline_run(artifact, host, seconds)
    table = _table(
        f"Sessions on workers, host and model block {MODEL_BLOCK}, stereo, {RATE} Hz, event wake-up",
        ("sessions", "workers"),
        ("missing %", "no-op %", "worker load", "blocks/s at most", "x real time"),
        f"{_inline_caption(inline)} At most: 400 blocks for each session, handed over at once.",
    )
    for workers in worker_counts:
        for count in session_counts:
            with Engine(workers=workers) as engine:
                sessions = [engine.open(artifact, host) for _ in range(count)]
                report = engine.run_realtime(sessions, seconds)
                load = ", ".join(f"{worker.cpu_share:.0%}" for worker in report.workers)
                rate = _blocks_per_second(engine, artifact, host, count)
            worst = max(report.sessions, key=lambda run: run.callback_time.p99_us)
            missing = _percent(report.sessions)
            table.add_row(
                *(str(count), str(workers), *_callback(worst, inline), missing, _percent(report.no_op)),
                *(load, f"{rate:.0f}", f"{rate * MODEL_BLOCK / RATE:.1f}"),
            )
    return table


def instances_table(artifact: Artifact, seconds: float) -> Table:
    """One session whose model has no state, with one and two instances on two workers."""
    host = HostConfig(RATE, 4 * MODEL_BLOCK)
    inline = _inline_run(artifact, host, seconds)
    table = _table(
        f"Parallel inference: one session, host block {host.block_size} = 4 model blocks, two workers",
        ("instances",),
        ("missing %", "no-op %", "latency", "turnaround p50", "blocks/s at most"),
        f"{_inline_caption(inline)} Latency in samples; turnaround in us, from callback to output.",
    )
    for instances in (1, 2):
        with Engine(workers=2) as engine:
            session = engine.open(artifact, host, instances=instances)
            report = engine.run_realtime(session, seconds)
            rate = _blocks_per_second(engine, artifact, host, 1, instances)
        run = report.sessions[0]
        table.add_row(
            *(str(instances), *_callback(run, inline), _percent(report.sessions), _percent(report.no_op)),
            *(str(run.latency_samples), f"{run.turnaround_time.p50_us:.0f}", f"{rate:.0f}"),
        )
    return table


def mismatch_table(artifact: Artifact, seconds: float) -> Table:
    """Host blocks equal to, smaller and larger than the model's, and not dividing it."""
    table = _table(
        f"Host and model block differ: model block {MODEL_BLOCK}, look-behind {RECEPTIVE_FIELD - 1}, one worker",
        ("host block", ""),
        ("missing %", "no-op %", "latency", "buffering", "inference"),
        "us; / forward: over one forward call inside the callback, in a run just before. Latency and its "
        "parts in samples.",
    )
    for block, relation in HOST_BLOCKS:
        host = HostConfig(RATE, block)
        inline = _inline_run(artifact, host, seconds)
        with Engine(workers=1) as engine:
            session = engine.open(artifact, host)
            report = engine.run_realtime(session, seconds)
            parts = session.latency_parts()
        table.add_row(
            *(str(block), relation, *_callback(report.sessions[0], inline)),
            *(_percent(report.sessions), _percent(report.no_op), str(parts.total_samples)),
            *(f"{parts.buffering_samples:.0f}", f"{parts.inference_samples:.0f}"),
        )
    return table


def conversion_table(same_rate: Artifact, other_rate: Artifact, seconds: float) -> Table:
    """Rate conversion inside the callback (inline) and on a worker (async), in C++ and inside the artifact."""
    table = _table(
        f"Resampling: {RATE} Hz host, model at {RATE} and at {OTHER_RATE} Hz, any block size",
        ("host block", "model Hz", "mode", "adaptation"),
        ("missing %", "no-op %", "latency"),
        "us; inline runs conversion and model inside the callback, async hands both to a worker. / forward: over one "
        "forward call inside the callback, in a run just before. Latency in samples.",
    )
    for block in (64, 256):
        host = HostConfig(RATE, block)
        for artifact, rate in ((same_rate, RATE), (other_rate, OTHER_RATE)):
            inline = _inline_run(artifact, host, seconds)
            for mode, adaptation in WAYS:
                with Engine(workers=1) as engine:
                    session = engine.open(artifact, host, mode=mode, adaptation=adaptation)
                    report = engine.run_realtime(session, seconds)
                run = report.sessions[0]
                table.add_row(
                    *(str(block), str(rate), mode, adaptation, *_callback(run, inline)),
                    *(_percent(report.sessions), _percent(report.no_op), str(run.latency_samples)),
                )
    return table


def _table(title: str, first: tuple[str, ...], last: tuple[str, ...], caption: str) -> Table:
    no_op = "Missing: of all samples; no-op: of those of a session that does nothing, in the same run."
    table = Table(title=title, caption=f"{caption} {no_op}", title_justify="left")
    for heading in (*first, *(f"callback {which}" for which in TIMES), "p50 / forward", *last):
        table.add_column(heading, justify="right")
    return table


def _inline_run(artifact: Artifact, host: HostConfig, seconds: float) -> SessionRun:
    with Engine(workers=1) as engine:
        session = engine.open(artifact, host, mode="inline")
        return engine.run_realtime(session, seconds).sessions[0]


def _inline_caption(inline: SessionRun) -> str:
    times = inline.inference_time
    return (
        f"us; / forward: over one forward call inside the callback, in a run just before: p50 {times.p50_us:.0f}, "
        f"p99 {times.p99_us:.0f}."
    )


def _callback(run: SessionRun, inline: SessionRun) -> list[str]:
    times = run.callback_time
    values = (times.p50_us, times.p99_us, times.p999_us, times.max_us)
    forward_us = inline.inference_time.p50_us
    return [*(f"{value:.1f}" for value in values), f"{times.p50_us / forward_us:.3f}" if forward_us else "not played"]


def _percent(runs: tuple[SessionRun, ...]) -> str:
    """Missing samples of all that were played; a busy machine may have let none be."""
    played = sum(run.samples for run in runs)
    return f"{100.0 * sum(run.missing_samples for run in runs) / played:.3f}" if played else "none played"


def _blocks_per_second(engine: Engine, artifact: Artifact, host: HostConfig, count: int, instances: int = 1) -> float:
    """Model blocks a second when the workers always have something to do."""
    blocks = 400 * MODEL_BLOCK // host.block_size
    queue_seconds = 1.5 * blocks * host.block_size / host.sample_rate
    sessions = [engine.open(artifact, host, instances=instances, queue_seconds=queue_seconds) for _ in range(count)]
    before = [_model_blocks(session) for session in sessions]
    silence = np.zeros((host.channels, host.block_size), np.float32)
    start = time.perf_counter()
    for _ in range(blocks):
        for session in sessions:
            session.process(silence)
    for session in sessions:
        session.wait_idle()
    seconds = time.perf_counter() - start
    done = sum(_model_blocks(session) for session in sessions) - sum(before)
    for session in sessions:
        session.close()
    return done / seconds


def _model_blocks(session: Session) -> int:
    return session.stats().model_blocks
