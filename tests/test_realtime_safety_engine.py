"""The native engine's audio thread, playing an artifact: what the design promises, counted."""

from pathlib import Path

import pytest

from neutone_like.validate.realtime_safety import check_realtime_safety
from neutone_like.validate.realtime_safety.checking import Wake
from realtime_safety_tools import needs_linux

pytestmark = needs_linux


@pytest.mark.slow
@pytest.mark.parametrize("wake", ["event", "poll"])
def test_engine(project_folder: Path, wake: Wake) -> None:
    """100,000 callbacks of 64 samples, converted from 44.1 to 48 kHz and back, with a parameter that keeps changing."""
    report = check_realtime_safety(project_folder / "exported" / "overdrive", wake=wake)
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report.callbacks == report.conditions.callbacks == 100_000
    assert report.conditions.sample_rate == 44100
    assert (report["futex_wake_ups"].count > 0) == (wake == "event")
    assert sum(counter.count for counter in report.counters) == report["futex_wake_ups"].count
