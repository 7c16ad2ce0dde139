"""Counts what code does on the audio thread that it may not do there."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.realtime_safety.checking import check_realtime_safety as check_realtime_safety
    from neutone_like.realtime_safety.report import CounterResult as CounterResult
    from neutone_like.realtime_safety.report import Ending as Ending
    from neutone_like.realtime_safety.report import Frame as Frame
    from neutone_like.realtime_safety.report import RealtimeSafetyReport as RealtimeSafetyReport
    from neutone_like.realtime_safety.report import SafetyConditions as SafetyConditions

export_lazily(
    globals(),
    {
        "neutone_like.realtime_safety.checking": ("check_realtime_safety",),
        "neutone_like.realtime_safety.report": (
            "CounterResult",
            "Ending",
            "Frame",
            "RealtimeSafetyReport",
            "SafetyConditions",
        ),
    },
)
