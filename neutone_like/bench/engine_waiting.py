"""A callback that may wait for its worker, beside one that never does, and one that computes by itself."""

from rich.table import Table

from neutone_like.artifact import Artifact
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.mode import Mode

RATE = 48000
BLOCKS = (64, 128, 256, 512, 1024)
WAYS: tuple[tuple[str, Mode, float], ...] = (
    ("inline", "inline", 0.0),
    ("async", "async", 0.0),
    ("async, waits up to 50 %", "async", 0.5),
    ("async, waits up to 90 %", "async", 0.9),
)


def waiting_table(artifact: Artifact, seconds: float, blocks: tuple[int, ...] = BLOCKS) -> Table:
    """Host blocks from short to long, one worker; ``seconds`` of audio a row."""
    table = Table(
        title=f"To wait or not: model of any block size, {RATE} Hz, one worker, event wake-up",
        caption="callback in us, latency in samples; waited: callbacks that did, and of a block in the mean of those; "
        "missing: of all samples, beside those of a session that does nothing in the same run and waits as well",
        title_justify="left",
    )
    for heading in (
        "block",
        "",
        "latency",
        "callback p50",
        "p99",
        "max",
        "waited",
        "of a block",
        "missing %",
        "no-op %",
    ):
        table.add_column(heading, justify="right")
    for block in blocks:
        for name, mode, fraction in WAYS:
            table.add_row(
                str(block), name, *_row(artifact, HostConfig(RATE, block, wait_fraction=fraction), mode, seconds)
            )
    return table


def _row(artifact: Artifact, host: HostConfig, mode: Mode, seconds: float) -> list[str]:
    with Engine(workers=1) as engine:
        session = engine.open(artifact, host, mode=mode)
        report = engine.run_realtime(session, seconds)
    run = report.sessions[0]
    times = (run.callback_time.p50_us, run.callback_time.p99_us, run.callback_time.max_us)
    share = run.waited_seconds / run.waits * host.sample_rate / host.block_size if run.waits else 0.0
    missing = [100.0 * each.missing_samples / max(1, each.samples) for each in (run, report.no_op_beside(run))]
    return [
        str(run.latency_samples),
        *(f"{time:.0f}" for time in times),
        f"{run.waits / max(1, run.callbacks):.0%}",
        f"{share:.0%}",
        *(f"{percent:.3f}" for percent in missing),
    ]
