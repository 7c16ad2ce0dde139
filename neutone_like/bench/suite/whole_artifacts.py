"""Whole artifacts as a host meets them: their latency and processor time, live and offline, and ``backend="auto"``."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.bench.suite.cells import ENGINES, Cell, EngineName
from neutone_like.bench.suite.figures import figures
from neutone_like.bench.suite.workshop import Workshop
from neutone_like.bench.timing import time_in_turns
from neutone_like.errors import NeutoneLikeError
from neutone_like.render.file_rendering import render_file
from neutone_like.render.offline_plugin import OfflinePlugin
from neutone_like.render.render_result import RenderResult
from neutone_like.runtime import Engine, HostConfig, Session
from neutone_like.signal.channels import host_channels

OFFLINE_SECONDS = 2.0
_AUTO_ROUNDS = 300


def live(cell: Cell, workshop: Workshop, seconds: float) -> dict[str, Any]:
    """An artifact at real deadlines on a worker, and the latency that it has there and in the callback."""
    artifact = load_artifact(workshop.artifact(cell))
    host = _host(artifact, cell)
    with Engine(workers=1) as engine:
        with engine.open(artifact, host, mode="inline", backend=cell.engine) as inline:
            inline_samples = inline.latency_samples
        session = engine.open(artifact, host, backend=cell.engine)
        report = engine.run_realtime(session, seconds)
    found = figures(report)
    cpu = sum(found["worker_shares"]) + found["caller_share"]
    return {**found, "inline_latency_samples": inline_samples, "cpu_share": round(cpu, 4)}


def offline(cell: Cell, workshop: Workshop, seconds: float) -> dict[str, Any]:
    """A file of noise through an offline artifact, or a file out of a generator; and how long its first one took."""
    plugin = workshop.offline_plugin(cell)
    with tempfile.TemporaryDirectory(prefix="neutone-like-suite-") as name:
        first, made = (_rendered(plugin, cell.host_rate, Path(name)) for _ in range(2))
    return {
        "audio_seconds": made.audio_seconds,
        "first_seconds": first.compute_seconds,
        "compute_seconds": made.compute_seconds,
        "cpu_share": round(made.rtf, 4),
        "played_by": made.backend_name,
    }


def _rendered(plugin: OfflinePlugin, rate: int, folder: Path) -> RenderResult:
    import soundfile

    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (round(OFFLINE_SECONDS * rate), 2))
    sources = [folder / f"in{index}.wav" for index in range(len(plugin.audio_in_channels))]
    for source, channels in zip(sources, plugin.audio_in_channels, strict=True):
        soundfile.write(source, noise[:, :channels], rate, subtype="FLOAT")
    wanted = None if sources or plugin.is_one_shot else OFFLINE_SECONDS
    return render_file(
        plugin, sources or None, folder / "out.wav", out_sample_rate=rate, seconds=wanted, progress=False
    )


def auto(cell: Cell, workshop: Workshop, seconds: float) -> dict[str, Any]:
    """Who plays when nobody says who shall, and how long a block takes each of those who can; by turns."""
    path, notes = workshop.in_every_format(cell)
    artifact = load_artifact(path)
    host = _host(artifact, cell)
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (host.channels, host.block_size)).astype(np.float32)
    sessions: dict[EngineName, Session] = {}
    with Engine(realtime_priority=False) as engine, ExitStack() as opened:
        with engine.open(artifact, host) as chosen:
            name = chosen.backend_name
            latency = chosen.latency_samples - chosen.latency_parts().inference_samples
        for each in ENGINES:
            try:
                session = opened.enter_context(engine.open(artifact, host, mode="inline", backend=each))
            except NeutoneLikeError as error:
                notes.setdefault(each, str(error))
            else:
                if session.latency_samples > round(latency):
                    notes[each] = f"{session.latency_samples - round(latency)} samples later than what plays"
                    session.close()
                    continue
                sessions[each] = session
        calls = [lambda session=session: session.process(noise) for session in sessions.values()]
        times = time_in_turns(calls, rounds=_AUTO_ROUNDS, seconds_at_most=seconds)
    p50 = {each: round(time.median_us, 2) for each, time in zip(sessions, times, strict=True)}
    p99 = {each: round(time.percentile_us(99.0), 2) for each, time in zip(sessions, times, strict=True)}
    return {"chosen": name, "p50_us": p50, "p99_us": p99, "notes": notes}


def _host(artifact: Artifact, cell: Cell) -> HostConfig:
    return HostConfig(cell.host_rate, cell.block, host_channels(artifact.in_channels, artifact.out_channels))
