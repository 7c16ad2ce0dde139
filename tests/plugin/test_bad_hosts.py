"""Hosts that break their format's rules: nothing ends, and nothing that was in memory is heard."""

import json
import threading
from ctypes import addressof, byref, c_int32, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

import numpy as np
import pytest

from support import clap_abi as abi
from support.clap_host import Audio, ClapInstance, Steps, opened
from support.lv2_host import Lv2Instance
from support.plugin_tools import built, needs_plugin, noise
from support.vst3_host import Vst3Instance, call

pytestmark = needs_plugin
NAME = "overdrive"
PROCESSED = (1, 3)


def rows(*audio: Any) -> Any:
    return (c_void_p * len(audio))(*(None if row is None else row.ctypes.data for row in audio))


def process(host: ClapInstance, given: Any, got: Any, counts: tuple[int, int], frames: int, steps: Steps = ()) -> int:
    """A CLAP host's call with whatever buffers."""
    events, keep = host.events(steps)
    pointers = [None if each is None else addressof(each) for each in (given, got)]
    status = host.plugin.process(
        host.at, byref(abi.Process(-1, frames, None, *pointers, *counts, addressof(events), None))
    )
    del keep
    return int(status)


def test_clap_buffers_that_are_not_there() -> None:
    sound, heard = noise(1, 64), np.full((2, 64), 9.0, np.float32)
    with opened(built("clap", NAME)) as host:
        host.activate(48000, 64)
        whole = [abi.AudioBuffer(rows(*each), None, 2) for each in (sound, heard)]
        nothing = abi.AudioBuffer(None, None, 2)
        halves = [abi.AudioBuffer(rows(each[0], None), None, 2) for each in (sound, heard)]
        for given, got, counts in (
            (None, None, (1, 1)),
            (None, None, (0, 0)),
            (nothing, whole[1], (1, 1)),
            (whole[0], nothing, (1, 1)),
            (*halves, (1, 1)),
            (abi.AudioBuffer(rows(sound[0]), None, 1), whole[1], (1, 1)),
        ):
            assert process(host, given, got, counts, 64) in PROCESSED
        assert host.plugin.process(host.at, None) == 0
        host.reset()
        heard[:] = 9.0
        assert process(host, None, whole[1], (0, 1), 64) in PROCESSED
        assert np.abs(heard).max() < 1.0, "silence through the model"


def test_clap_events_beyond_the_block_and_out_of_order() -> None:
    with opened(built("clap", NAME)) as host:
        host.activate(48000, 64)
        nothing = (None, None, (0, 0))
        assert process(host, *nothing, 0, [(0, "drive", 3.0), (99, "drive", 5.0)]) in PROCESSED
        assert host.value("drive") == 5.0
        assert process(host, *nothing, 64, [(60, "drive", 3.0), (5, "drive", 7.0), (2**31, "drive", 9.0)]) in PROCESSED
        assert host.value("drive") == 9.0


@pytest.mark.parametrize("bypass", [0.0, 1.0])
def test_clap_outputs_that_are_the_other_channels_inputs(bypass: float) -> None:
    sound = noise(5, 640)
    with opened(built("clap", NAME)) as host:
        host.set("Bypass", bypass)
        host.activate(44100, 64)
        wanted = host.play(sound, (64,))
        host.reset()
        got: list[Audio] = []
        for at in range(0, 640, 64):
            block = sound[:, at : at + 64].copy()
            buffers = [abi.AudioBuffer(rows(*each), None, 2) for each in ((block[0], block[1]), (block[1], block[0]))]
            assert process(host, buffers[0], buffers[1], (1, 1), 64) in PROCESSED
            got.append(block[::-1])
        np.testing.assert_array_equal(np.concatenate(got, axis=1), wanted)


def test_states_are_saved_and_loaded_while_it_plays() -> None:
    with opened(built("clap", NAME)) as host:
        host.activate(48000, 64)
        is_over, bad = threading.Event(), list[Audio]()

        def play() -> None:
            while not is_over.is_set():
                heard = host.block(noise(3, 64))
                if not np.isfinite(heard).all():
                    bad.append(heard)

        playing = threading.Thread(target=play)
        playing.start()
        try:
            state = json.loads(host.save(500))
            for drive in range(36):
                state["parameters"]["drive"] = float(drive)
                assert host.load(json.dumps(state).encode(), 500)
                assert not host.load(b"{", 1)
                assert json.loads(host.save(500)) == state
        finally:
            is_over.set()
            playing.join()
        assert not bad


def test_rates_that_are_none() -> None:
    rates = (0.0, -1.0, float("nan"), float("inf"), 1e9)
    with opened(built("clap", NAME)) as host:
        assert not any(host.plugin.activate(host.at, rate, 1, 64) for rate in rates)
    lv2 = Lv2Instance(built("lv2", NAME), "", 48000)
    assert not any(lv2.descriptor.instantiate(byref(lv2.descriptor), rate, b"", None) for rate in rates)
    lv2.close()
    vst3 = Vst3Instance(built("vst3", NAME))
    for rate in rates:
        with pytest.raises(AssertionError):
            vst3.prepare(rate, 64)
    vst3.close()


def test_vst3_calls_out_of_order() -> None:
    """Before it is prepared, at another rate while it is active, with more samples than told, with none."""
    sound = noise(1, 64)
    host = Vst3Instance(built("vst3", NAME))
    np.testing.assert_array_equal(host.block(sound), 0.0)
    host.prepare(48000, 64)
    assert np.isfinite(host.block(noise(2, 70000))).all()
    assert host.block(sound[:, :0]).shape == (2, 0)
    host.prepare(96000, 64)
    late = host.latency()
    assert late > 0
    for arrangement, is_possible in (
        ((0, 0), False),
        ((3, 1), False),
        ((63, 63), False),
        ((1, 3), True),
        ((3, 3), True),
    ):
        speakers = [(c_uint64 * 1)(each) for each in arrangement]
        result = call(host.processor, 3, c_int32, speakers[0], c_int32(1), speakers[1], c_int32(1))
        assert (result == 0) == is_possible
    drive = host.parameter_id(0)
    host.block(sound, [(-50, drive, 2.0), (10, drive, float("nan")), (5000, drive, -3.0), (3, 12345, 0.5)])
    assert host.shown(drive) == 0.0
    for state in (b"", b"{", b"\0" * 2_000_000, b"\xff" * 50):
        assert not host.load(state)
    assert call(host.component, 11, c_int32, c_uint8(1)) == 0
    assert call(host.processor, 6, c_uint32) == late
    host.close()


@pytest.mark.parametrize("ending", ["", "#mono", "#mono-to-stereo"])
def test_lv2_ports_that_are_not_connected(ending: str) -> None:
    host = Lv2Instance(built("lv2", NAME), ending, 44100.0)
    host.activate()
    for symbol in host.symbols:
        host.connect(symbol, 0)
    host.descriptor.connect_port(host.handle, 9999, None)
    for samples in (64, 0):
        host.descriptor.run(host.handle, samples)
    for symbol, control in host.controls.items():
        host.connect(symbol, addressof(control))
    channels = len(host.rows["input_"])
    for drive, sound in ((np.nan, noise(1, 70000, channels)), (np.inf, np.full((channels, 64), np.nan, np.float32))):
        host.controls["drive"].value = drive
        assert np.isfinite(host.play(sound, (sound.shape[1],))).all()
    host.close()
