"""The checks an artifact must pass, and their report."""

from neutone_like.validate.checks.realtime import REALTIME_CHECKS as REALTIME_CHECKS
from neutone_like.validate.checks.realtime import RealtimeCheck as RealtimeCheck
from neutone_like.validate.context import Outcome as Outcome
from neutone_like.validate.exporting import ExportResult as ExportResult
from neutone_like.validate.exporting import export_model as export_model
from neutone_like.validate.html import write_report as write_report
from neutone_like.validate.playing import HostSetting as HostSetting
from neutone_like.validate.report import Check as Check
from neutone_like.validate.report import ValidationReport as ValidationReport
from neutone_like.validate.validation import validate_artifact as validate_artifact
