"""The checks an artifact must pass, and their report."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.realtime_safety import RealtimeSafetyReport as RealtimeSafetyReport
    from neutone_like.realtime_safety import check_realtime_safety as check_realtime_safety
    from neutone_like.validate.html import write_report as write_report
    from neutone_like.validate.outcome import Outcome as Outcome
    from neutone_like.validate.playing import HostSetting as HostSetting
    from neutone_like.validate.report import Check as Check
    from neutone_like.validate.report import ValidationReport as ValidationReport
    from neutone_like.validate.validation import validate_artifact as validate_artifact

export_lazily(
    globals(),
    {
        "neutone_like.realtime_safety": ("RealtimeSafetyReport", "check_realtime_safety"),
        "neutone_like.validate.outcome": ("Outcome",),
        "neutone_like.validate.html": ("write_report",),
        "neutone_like.validate.playing": ("HostSetting",),
        "neutone_like.validate.report": ("Check", "ValidationReport"),
        "neutone_like.validate.validation": ("validate_artifact",),
    },
)
