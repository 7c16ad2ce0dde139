"""Plays models in real time: the native engine, its sessions, and runs at real deadlines."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.runtime.backends import BuiltinBackend as BuiltinBackend
    from neutone_like.runtime.backends import NativeBackend as NativeBackend
    from neutone_like.runtime.backends import PythonBackend as PythonBackend
    from neutone_like.runtime.engine import Engine as Engine
    from neutone_like.runtime.host_config import HostConfig as HostConfig
    from neutone_like.runtime.realtime_report import RealtimeReport as RealtimeReport
    from neutone_like.runtime.realtime_report import SessionRun as SessionRun
    from neutone_like.runtime.realtime_report import WorkerRun as WorkerRun
    from neutone_like.runtime.realtime_run import ParameterChange as ParameterChange
    from neutone_like.runtime.session import Session as Session
    from neutone_like.runtime.statistics import LatencyParts as LatencyParts
    from neutone_like.runtime.statistics import SessionStatistics as SessionStatistics
    from neutone_like.runtime.statistics import WorkerStatistics as WorkerStatistics
    from neutone_like.runtime.time_distribution import TimeDistribution as TimeDistribution

export_lazily(
    globals(),
    {
        "neutone_like.runtime.backends": ("BuiltinBackend", "NativeBackend", "PythonBackend"),
        "neutone_like.runtime.engine": ("Engine",),
        "neutone_like.runtime.host_config": ("HostConfig",),
        "neutone_like.runtime.realtime_report": ("RealtimeReport", "SessionRun", "WorkerRun"),
        "neutone_like.runtime.realtime_run": ("ParameterChange",),
        "neutone_like.runtime.session": ("Session",),
        "neutone_like.runtime.statistics": ("LatencyParts", "SessionStatistics", "WorkerStatistics"),
        "neutone_like.runtime.time_distribution": ("TimeDistribution",),
    },
)
