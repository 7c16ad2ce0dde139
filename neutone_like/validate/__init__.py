"""The checks an artifact must pass, and their report."""

from neutone_like.realtime_safety import RealtimeSafetyReport as RealtimeSafetyReport
from neutone_like.realtime_safety import check_realtime_safety as check_realtime_safety
from neutone_like.validate.html import write_report as write_report
from neutone_like.validate.outcome import Outcome as Outcome
from neutone_like.validate.playing import HostSetting as HostSetting
from neutone_like.validate.report import Check as Check
from neutone_like.validate.report import ValidationReport as ValidationReport
from neutone_like.validate.validation import validate_artifact as validate_artifact
