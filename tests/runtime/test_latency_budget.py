"""What fits which use, from times and latencies that are known."""

import re

import pytest

from neutone_like.runtime.latency_budget import WayToPlay, latency_budget


def way(backend: str, block: int, latency: int, share: float) -> WayToPlay:
    """At 48 kHz, taking this share of a block."""
    lasts_us = 1e6 * block / 48000
    return WayToPlay(backend, 48000, block, latency, share * lasts_us, lasts_us)


def test_latency_is_two_blocks_and_what_the_session_reports() -> None:
    assert way("compiled", 96, 48, 0.1).latency_ms == pytest.approx(2.0 + 2.0 + 1.0)


def test_the_least_loaded_way_that_is_early_enough_comes_first() -> None:
    ways = [way("compiled", 64, 0, 0.2), way("compiled", 192, 0, 0.1), way("compiled", 480, 0, 0.05)]
    live, voice, *_ = latency_budget(ways, 0.0).verdicts
    assert [each.block_size for each in live.fitting] == [192, 64]
    assert [each.block_size for each in voice.fitting] == [480, 192, 64]
    assert not live.advice


@pytest.mark.parametrize(
    ("ways", "delay_ms", "words"),
    [
        ([way("torchscript", 64, 0, 3.0)], 0.0, "300% of what a block lasts.*a compiled model"),
        ([way("compiled", 64, 0, 0.9)], 0.0, "90% of what a block lasts.*a smaller network"),
        ([way("compiled", 4800, 0, 0.1)], 0.0, "200.0 ms are two blocks of the host"),
        ([way("compiled", 64, 9600, 0.1)], 190.0, "190.0 ms are the model's own delay"),
        ([way("compiled", 64, 9600, 0.1)], 10.0, "190.0 ms are buffering"),
    ],
)
def test_where_nothing_fits_the_largest_part_is_named(ways: list[WayToPlay], delay_ms: float, words: str) -> None:
    live = latency_budget(ways, delay_ms).verdicts[0]
    assert not live.fitting
    assert re.search(words, live.advice), live.advice


def test_a_way_that_is_late_does_not_count_however_fast_it_is() -> None:
    ways = [way("compiled", 1024, 0, 0.01), way("torchscript", 64, 0, 2.0)]
    live, voice, *_ = latency_budget(ways, 0.0).verdicts
    assert not live.fitting
    assert [each.block_size for each in voice.fitting] == [1024]
