"""Plugins whose model has a thread of its own: the same sound 20 ms later, however fast the host renders."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from support.clap_host import ClapFile, ClapInstance, opened
from support.plugin_tools import board_plays, built, late, needs_plugin, noise

pytestmark = needs_plugin
VARYING = (1, 700, 3, 64, 129, 512, 17)


@pytest.mark.parametrize(("name", "rate"), [("overdrive", 44100), ("speech_denoiser", 96000)])
def test_it_is_the_same_sound_later(name: str, rate: int) -> None:
    """Faster than sound lasts, where the host waits for the worker; longer blocks than the worker's time, too."""
    sound = noise(rate, 9000)
    wanted = board_plays(name, sound, rate)
    with opened(built("clap", name)) as inline, opened(built("clap", name, worker=True)) as host:
        inline.activate(rate, 64)
        for blocks in ((1,), (64,), (512,), (4096,), VARYING):
            host.activate(rate, max(blocks))
            latency = host.latency()
            assert latency == inline.latency() + rate // 50
            samples = 2500 if blocks == (1,) else 9000
            got = host.play(late(sound, latency)[:, : samples + latency], blocks)
            assert np.abs(got[:, : rate // 50]).max() == 0.0
            np.testing.assert_allclose(got[:, latency:], wanted[:, :samples], rtol=0, atol=1e-5)
            host.deactivate()


def test_parameters_bypass_and_fresh_starts() -> None:
    sound = noise(11, 6000)
    curve = np.where(np.arange(6000) < 1001, 0.0, 12.0).astype(np.float32)
    wanted = board_plays("tone_control", sound, 48000, {"tone": curve})
    with opened(built("clap", "tone_control", worker=True)) as host:
        host.activate(48000, 512)
        latency = host.latency()
        for _ in range(3):
            host.set("tone", 0.0)
            host.reset()
            got = host.play(late(sound, latency), VARYING, [(1001, "tone", 12.0)])[:, latency:]
            np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-5)
        host.set("Bypass", 1.0)
        host.reset()
        np.testing.assert_array_equal(host.play(late(sound, latency), (64,))[:, latency:], sound)


def test_the_thread_has_an_ordinary_priority() -> None:
    """Else a host that renders as fast as it can would have a thread that never rests and leaves no time to others."""

    def threads() -> set[int]:
        return {int(each.name) for each in Path("/proc/self/task").iterdir()}

    before = threads()
    with opened(built("clap", "overdrive", worker=True)) as host:
        host.activate(48000, 64)
        host.play(noise(1, 640), (64,))
        started = threads() - before
        assert len(started) >= 2, "the host's audio thread and the plugin's"
        assert {os.sched_getscheduler(each) for each in started} == {os.sched_getscheduler(0)}


def test_no_thread_is_left() -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before, known = threads(), threading.active_count()
    for _ in range(30):
        host = ClapInstance(ClapFile(built("clap", "overdrive", worker=True)))
        host.activate(48000, 64)
        host.activate(44100, 32)
        assert threads() - threading.active_count() >= before - known + 1
        host.play(noise(1, 640), (64,))
        host.close(unload=True)
    for _ in range(500):  # the system shows a thread for a moment after it has ended
        if threads() <= before:
            return
        time.sleep(0.01)
    raise AssertionError(f"{threads()} threads, {before} before")
