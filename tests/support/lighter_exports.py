"""Exports without what the test is not about; tests/validate and tests/test_export.py try all of it."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from neutone_like import export
from neutone_like.validate import effort, validation
from neutone_like.validate.check_lists import DEADLINES, EXPORTED, LIVE_CHECKS, OFFLINE_CHECKS
from neutone_like.validate.outcome import Outcome

FRESH_PROCESS = validation.FRESH_PROCESS
SECONDS_A_CHECK = 0.1
SLOWEST = ("inference time", "render time", DEADLINES, EXPORTED, FRESH_PROCESS)
ALL = {check.name for check in (*LIVE_CHECKS, *OFFLINE_CHECKS)} | {FRESH_PROCESS}


def only_checks(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Validation runs the checks of these names and no other, and of each the most telling cases only."""
    assert set(names) <= ALL, set(names) - ALL
    for listed in ("LIVE_CHECKS", "OFFLINE_CHECKS"):
        chosen = tuple(check for check in getattr(validation, listed) if check.name in names)
        patch.setattr(validation, listed, chosen)
    if FRESH_PROCESS not in names:
        patch.setattr(validation, "FreshProcess", _NoProcess)
        patch.setattr(validation, "check_reloads_in_a_fresh_process", _left_out)
    patch.setattr(effort, "QUICK_SECONDS", SECONDS_A_CHECK)
    patch.setattr(export, "validate_artifact", partial(validation.validate_artifact, quick=True))


def without_times(patch: pytest.MonkeyPatch) -> None:
    """Validation runs every check but those that measure times or start a process, and quickly."""
    only_checks(patch, *(ALL - set(SLOWEST)))


def without_pictures(patch: pytest.MonkeyPatch) -> None:
    """The report of an export is an empty page."""

    def write(artifact: Any, report: Any, target: Path) -> Path:
        target.write_text("<title>left out</title>", encoding="utf-8")
        return target

    patch.setattr(export, "write_report", write)


class _NoProcess:
    """Takes the place of the process that plays the file."""

    def __init__(self, subject: Any) -> None:
        pass

    def close(self) -> None:
        pass


def _left_out(subject: Any, process: Any) -> Outcome:
    return Outcome("skipped", "not run: this test is about something else", "")
