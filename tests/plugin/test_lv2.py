"""Plugins in an LV2 host of our own, and what LV2's own tools say of the bundle."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from neutone_like.plugin import lv2
from neutone_like.plugin.identity import plugin_identity
from support.lv2_host import Lv2Instance
from support.plugin_tools import board_plays, built, late, needs_plugin, noise

pytestmark = needs_plugin
KNOB = {"description": "a\nb", "type": "continuous"}
HOSTILE = [
    {**KNOB, "name": '9 "dB"\\', "default": 1e-7, "minimum": 0.0, "maximum": 1e30, "unit": "1/s"},
    {**KNOB, "name": "Enabled", "default": 1, "labels": ['a "b"', "é"]},
    {**KNOB, "name": "enabled ", "default": 5, "minimum": -1, "maximum": 9, "unit": "100%"},
    {**KNOB, "name": "Input 1", "default": 0, "minimum": -1, "maximum": 9, "unit": "%"},
    {**KNOB, "name": "f", "default": 100.0, "minimum": 20.0, "maximum": 20000.0, "unit": "Hz"},
]


@contextmanager
def opened(name: str, ending: str, rate: float) -> Iterator[Lv2Instance]:
    instance = Lv2Instance(built("lv2", name), ending, rate)
    try:
        yield instance
    finally:
        instance.close()


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser"])
def test_a_host_hears_what_the_board_renders(name: str, rate: int) -> None:
    sound = noise(rate, 9000)
    wanted = board_plays(name, sound, rate)
    with opened(name, "", rate) as host:
        for blocks in ((17,), (64,), (512, 1, 100), (9000,)):
            host.activate()
            latency = host.latency()
            got = host.play(late(sound, latency), blocks)
            assert np.abs(got[:, : max(latency - rate // 25, 0)]).max(initial=0.0) < 1e-6
            np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("ending", "outputs"), [("#mono", 1), ("#mono-to-stereo", 2)])
def test_mono_and_mono_to_stereo(ending: str, outputs: int) -> None:
    mono = noise(8, 4000)[:1]
    with opened("overdrive", ending, 44100) as host:
        host.activate()
        latency = host.latency()
        wanted = board_plays("overdrive", np.repeat(mono, outputs, axis=0), 44100)
        np.testing.assert_allclose(host.play(late(mono, latency), (128,))[:, latency:], wanted, rtol=0, atol=1e-5)


def test_a_knob_moves_where_a_block_begins() -> None:
    sound = noise(11, 6000)
    curve = np.where(np.arange(6000) < 1001, 0.0, 12.0).astype(np.float32)
    wanted = board_plays("tone_control", sound, 48000, {"tone": curve})
    with opened("tone_control", "", 48000) as host:
        host.controls["tone"].value = 0.0
        host.activate()
        latency = host.latency()
        got = host.play(late(sound, latency), (1001, 64), {1001: {"tone": 12.0}})
        np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=2e-5)
        host.controls["tone"].value = float("nan")
        assert np.isfinite(host.play(sound, (64,))).all()


def test_bypass_keeps_time() -> None:
    sound = noise(3, 3000)
    with opened("speech_denoiser", "", 44100) as host:
        host.controls["enabled"].value = 0.0
        host.activate()
        latency = host.latency()
        host.activate()
        got = host.play(late(sound, latency), (64,))[:, latency:]
        np.testing.assert_array_equal(got[:, 600:], sound[:, 600:])


def test_the_bundle_says_what_the_binary_is() -> None:
    bundle = built("lv2", "overdrive")
    text = (bundle / "Overdrive.ttl").read_text("utf-8")
    with opened("overdrive", "", 48000) as host:
        uris = [each.uri.decode() for each in host.descriptors]
    assert uris == re.findall(r"<(urn:\S+)> a lv2:Plugin", text)
    assert uris == re.findall(r"<(urn:\S+)> a lv2:Plugin", (bundle / "manifest.ttl").read_text("utf-8"))
    assert text.count("lv2:optionalFeature lv2:hardRTCapable") == 3
    assert "lv2:default 12.0 ; lv2:minimum 0.0 ; lv2:maximum 36.0 ; units:unit units:db" in text


def test_frequencies_over_more_than_a_decade_are_logarithmic() -> None:
    knob = {"name": "f", "description": "", "type": "continuous", "default": 100.0, "minimum": 20.0, "maximum": 20000.0}
    for changed, is_logarithmic in (
        ({}, True),
        ({"unit": "dB"}, False),
        ({"minimum": 0.0}, False),
        ({"maximum": 200.0}, False),
    ):
        identity = plugin_identity(
            {"model_name": "A", "model_authors": ["B"], "model_version": "1.0.0", "model_short_description": ""}
        )
        text = lv2.description(identity, [{**knob, "unit": "Hz", **changed}])
        assert text.count("lv2:portProperty pprops:logarithmic") == 3 * is_logarithmic


def test_lv2s_own_tools_take_the_bundle(tmp_path: Path) -> None:
    """And texts that would break Turtle."""
    if shutil.which("lv2_validate") is None or shutil.which("lv2info") is None or shutil.which("sord_validate") is None:
        pytest.skip("no lv2_validate or lv2info (Debian: apt-get install lv2-dev sordi lilv-utils)")
    names = {"model_name": 'A "B" \\ é', "model_authors": ["X\ty"], "model_version": "1.2.beta"}
    identity = plugin_identity({**names, "model_short_description": ""})
    hostile = tmp_path / f"{identity.file_name}.lv2"
    hostile.mkdir()
    (hostile / "manifest.ttl").write_text(lv2.manifest(identity), "utf-8")
    (hostile / f"{identity.file_name}.ttl").write_text(lv2.description(identity, HOSTILE), "utf-8")
    (hostile / f"{identity.file_name}.so").write_bytes(b"")
    good = tmp_path / "Overdrive.lv2"
    shutil.copytree(built("lv2", "overdrive"), good)
    for bundle in (good, hostile):
        checked = subprocess.run(["lv2_validate", *bundle.glob("*.ttl")], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    uris = re.findall(r"<(urn:\S+)> a lv2:Plugin", (good / "manifest.ttl").read_text("utf-8"))
    environment = {"LV2_PATH": f"{tmp_path}:/usr/lib/lv2", "PATH": os.environ["PATH"]}
    for uri, wanted in ((identity.lv2_uri, 'A "B"'), (uris[0], "Overdrive")):
        told = subprocess.run(["lv2info", uri], env=environment, capture_output=True, text=True, check=True).stdout
        assert wanted in told
        assert "Has latency:       yes" in told


def test_a_plugin_that_may_wait_for_its_worker_does_not_promise_real_time() -> None:
    text = (built("lv2", "overdrive", worker=True) / "Overdrive.ttl").read_text("utf-8")
    assert text.count("a lv2:Plugin") == 3
    assert "hardRTCapable" not in text
