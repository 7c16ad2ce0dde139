"""Runs at real deadlines that nobody played: for the tests of what is made of the numbers."""

from neutone_like.runtime import SessionRun, TimeDistribution
from neutone_like.validate import HostSetting
from neutone_like.validate.deadlines.findings import PlayedSetting

SETTING = HostSetting(48000, 480)  # 10 ms


def times(*groups: tuple[float, int]) -> TimeDistribution:
    """A distribution of ``(us, count)``."""
    sorted_times = sorted(time for time, count in groups for _ in range(count))
    total = len(sorted_times)

    def percentile(share: float) -> float:
        return sorted_times[max(0, -int(-share * total // 1) - 1)] if total else 0.0

    most = sorted_times[-1] if total else 0.0
    return TimeDistribution(total, percentile(0.5), percentile(0.99), percentile(0.999), most, tuple(sorted(groups)))


def run_of(inference: TimeDistribution, *, underruns: int = 0, setting: HostSetting = SETTING) -> SessionRun:
    return SessionRun(
        name="x",
        host=str(setting),
        mode="async",
        adaptation="native",
        latency_samples=480,
        callbacks=100,
        samples=48000,
        seconds=1.0,
        deadline_misses=0,
        underruns=underruns,
        missing_samples=480 * underruns,
        callback_time=times((20.0, 100)),
        wake_lateness=times((50.0, 100)),
        inference_time=inference,
        turnaround_time=inference,
        inference_budget_us=1e6 * setting.block_size / setting.sample_rate,
        cpu_share=0.01,
        realtime_priority=True,
        ended_early="",
        block_sizes=(),
        output=None,
    )


def played(
    inference: TimeDistribution,
    cpu_seconds: float,
    *,
    underruns: int = 0,
    setting: HostSetting = SETTING,
    model_block_size: int | None = None,
) -> PlayedSetting:
    return PlayedSetting(
        setting=setting,
        run=run_of(inference, underruns=underruns, setting=setting),
        no_op=run_of(times((1.0, 100)), setting=setting),
        model_sample_rate=48000,
        model_block_size=model_block_size,
        worker_cpu_seconds=cpu_seconds,
        worker_priority=True,
    )
