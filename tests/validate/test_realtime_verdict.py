"""What is made of the numbers: a busy machine is not a slow model, and no block is tried in vain."""

from dataclasses import replace
from pathlib import Path

import pytest

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate import HostSetting
from neutone_like.validate.checks import realtime
from neutone_like.validate.deadlines import run, smallest_block
from neutone_like.validate.deadlines.findings import (
    Comparison,
    DeadlineFindings,
    PlayedSetting,
    SmallestBlock,
    line_of,
)
from neutone_like.validate.deadlines.smallest_block import find_smallest_block
from neutone_like.validate.live_subject import LiveSubject
from support.deadline_runs import played, run_of, times
from support.validate_models import Delayed, Gain


def test_in_time_is_below_eighty_percent_of_the_block() -> None:
    assert played(times((7999.0, 100)), 0.8).speed == "in time"
    assert played(times((8001.0, 100)), 0.8001).speed == "too slow"
    assert played(times((1000.0, 99), (50000.0, 1)), 0.15).speed == "in time"  # one of a hundred
    assert played(times((1000.0, 98), (9000.0, 2)), 0.116).speed == "too slow"  # with its own processor time
    assert played(times(), 0.0).speed == "too slow"  # nothing came back


def test_time_that_other_programs_took_is_not_the_models() -> None:
    """Two of a hundred blocks lasted 9 ms; without the processor for 7 ms of each."""
    assert played(times((1000.0, 98), (9000.0, 2)), 0.102).speed == "machine too busy"
    # A model that needs more than it may on average has no excuse, however busy the machine.
    assert played(times((30000.0, 100)), 0.9).speed == "too slow"
    # Nor where what was taken away is less than what was too long.
    assert played(times((1000.0, 90), (19000.0, 10)), 0.23).speed == "too slow"


def test_a_model_that_is_slow_by_itself_is_not_played_again() -> None:
    """Blocks of 10 ms, of which 8 may be used: 13 ms of processor time are nobody else's doing."""
    slow, perhaps = played(times((13000.0, 100)), 1.3), played(times((9000.0, 100)), 0.9)
    assert slow.speed == perhaps.speed == "too slow"
    assert (slow.is_slow_by_itself, perhaps.is_slow_by_itself) == (True, False)
    assert (slow.deserves_another_run, perhaps.deserves_another_run) == (False, True)


def test_underruns_are_held_against_the_no_op_session() -> None:
    quick = times((1000.0, 100))
    assert played(quick, 0.1).underruns_as_no_op
    one = played(quick, 0.1, underruns=1)
    assert not one.underruns_as_no_op
    assert one.good
    assert "more underruns than the no-op beside it" in line_of(one)
    assert replace(one, no_op=run_of(quick, underruns=1)).underruns_as_no_op


def test_only_late_samples_may_differ() -> None:
    one = replace(played(times((1000.0, 100)), 0.1), comparison=Comparison(480, 480, 0.5, 1e-5, 960))
    assert one.good
    assert "480 samples differ from the reference, the first at 960, all of them late" in line_of(one)
    wrong = replace(one, comparison=Comparison(481, 480, 0.5, 1e-5, 960))
    assert not wrong.good
    assert not wrong.deserves_another_run  # nothing was late, so nothing else will come of it
    assert replace(wrong, run=run_of(times((1000.0, 100)), underruns=1)).deserves_another_run
    assert not line_of(wrong).endswith("late")


def test_conditions_are_told() -> None:
    one = played(times((1000.0, 100)), 0.1)
    assert DeadlineFindings(1, "event", (one,)).conditions == "1 worker, woken by an event; real-time priority granted"
    refused = replace(one, worker_priority=False)
    expected = "2 workers, polling; real-time priority not granted"
    assert DeadlineFindings(2, "poll", (one, refused)).conditions == expected


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> LiveSubject:
    folder = tmp_path_factory.mktemp("gain")
    write_artifact(Gain(), folder, render_samples=False)
    return LiveSubject(load_artifact(folder), quick=True)


def test_a_setting_that_falls_short_is_played_again_for_longer(
    context: LiveSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[HostSetting, float]] = []

    def play(_: LiveSubject, setting: HostSetting, seconds: float, *, backend: str) -> PlayedSetting:
        assert backend == "auto"
        calls.append((setting, seconds))
        share = (0.95, 0.1, 0.05)[len(calls) - 1]
        block_us = 1e6 * setting.block_size / setting.sample_rate
        return played(times((share * block_us, 100)), 1.0, setting=setting)

    monkeypatch.setattr(run, "play_setting", play)
    outcome = realtime.check_realtime_deadlines(context)
    assert outcome.status == "passed"
    assert outcome.measured == "p99 of inference at most 10.0% of its budget (at 48000 Hz / 512); equal sound"
    first, second = context.settings
    assert calls == [
        (first, run.QUICK_SECONDS),
        (first, 2.0 * run.QUICK_SECONDS),
        (second, run.QUICK_SECONDS),
    ]
    assert ["(second, longer run)" in line for line in outcome.information] == [True, False, False]


def test_a_pass_by_excuse_says_so(context: LiveSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    def play(_: LiveSubject, setting: HostSetting, __: float, *, backend: str) -> PlayedSetting:
        assert backend == "auto"
        return played(times((500.0, 90), (11000.0, 10)), 0.06, setting=setting)

    monkeypatch.setattr(run, "play_setting", play)
    outcome = realtime.check_realtime_deadlines(context)
    assert outcome.status == "passed"
    assert "(at 44100 Hz / 128 because other programs had the processor)" in outcome.measured
    assert all("not the model's doing" in line for line in outcome.information[:-1])


@pytest.mark.parametrize("enough", [64, 96, 128, 256, 512, 1024, 2048, 4096, 5000])
def test_the_smallest_block_is_found_among_those_that_hosts_have(
    context: LiveSubject, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    tried: list[int] = []

    def play(_: LiveSubject, setting: HostSetting, __: float, *, compare: bool) -> PlayedSetting:
        assert not compare
        tried.append(setting.block_size)
        slow = setting.block_size < enough
        budget = 1e6 * setting.block_size / setting.sample_rate
        return played(times((budget if slow else budget / 2.0, 100)), 100.0, setting=setting)

    monkeypatch.setattr(smallest_block, "play_setting", play)
    slow = played(times((1900.0, 100)), 1.0, setting=HostSetting(44100, 32))
    possible = [size for size in (128, 256, 512, 1024, 2048, 4096) if size >= enough]  # 64 samples last 1.45 ms
    expected = possible[0] if possible else None
    assert find_smallest_block(context, slow) == SmallestBlock(expected, 44100, False, 4096)
    assert len(tried) <= 4
    assert 64 not in tried


def test_a_block_that_the_median_already_exceeds_is_not_tried(
    context: LiveSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(*_: object, **__: object) -> PlayedSetting:
        raise AssertionError("nothing has to be played")

    monkeypatch.setattr(smallest_block, "play_setting", play)
    found = find_smallest_block(context, played(times((200000.0, 100)), 20.0))
    assert str(found) == "none up to 4096 (the host's, at 48000 Hz)"


def test_blocks_are_tried_by_processor_time_where_other_programs_made_the_median_longer(
    context: LiveSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(_: LiveSubject, setting: HostSetting, __: float, *, compare: bool) -> PlayedSetting:
        return played(times((1000.0, 100)), 0.1, setting=setting)

    monkeypatch.setattr(smallest_block, "play_setting", play)
    found = find_smallest_block(context, played(times((200000.0, 100)), 3.0))  # 30 ms a block, of which 2048 last 43
    assert str(found) == "2048 (the host's, at 48000 Hz)"


def test_a_model_with_blocks_of_its_own_is_tried_with_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Delayed()
    model.block_sizes = (2048, 128, 512)
    write_artifact(model, tmp_path, render_samples=False)

    def play(_: LiveSubject, setting: HostSetting, __: float, *, compare: bool) -> PlayedSetting:
        assert setting.sample_rate == 48000
        return played(times((5000.0, 100)), 0.5, setting=setting)

    monkeypatch.setattr(smallest_block, "play_setting", play)
    slow = played(times((5000.0, 100)), 0.5, setting=HostSetting(96000, 441), model_block_size=128)
    found = find_smallest_block(LiveSubject(load_artifact(tmp_path), quick=True), slow)
    assert str(found) == "512 (the model's, at 48000 Hz)"
