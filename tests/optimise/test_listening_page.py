"""The listening page in a real browser: what is played, what is hidden, and what the results say."""

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.errors import AudioError, ParameterError
from neutone_like.optimise import listening_page
from support.report_browser import CONTRAST, Browser, open_browser

RATE = 48000
PHONE = 390
LEAST_CONTRAST = 4.5
SECONDS = np.arange(RATE // 4) / RATE
# Smooth enough that a browser at another rate finds the same peak, with something for the anchor to lose.
SOUND = (0.35 * np.sin(2e3 * np.pi * SECONDS) + 0.15 * np.sin(12e3 * np.pi * SECONDS))[None].astype(np.float32)
NAME = "int4 & </script><b>co</b>"

# The peak of every sound that starts, in the order in which the page shows them.
LISTEN = """
window.peaks = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...all) {
  window.peaks.push(this.buffer.getChannelData(0).reduce((a, b) => Math.max(a, b), 0));
  return start.apply(this, all);
};
"""
ONLY_X = "return player.voices.map((v) => Math.round(50 * v.level.gain.value)).join() === '0,0,50'"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listening") / "test.html"
    sides = {NAME: [0.5 * SOUND, 0.5 * SOUND]}
    return listening_page(path, [SOUND, SOUND], sides, sample_rate=RATE, trials=3, title="Amp <i>smaller</i>")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def results(browser: Browser) -> dict[str, Any]:
    address: str = browser.run("return document.getElementById('download').href")
    return json.loads(urllib.parse.unquote(address.split(",", 1)[1]))


def wait_for_trial(browser: Browser, number: int) -> None:
    browser.wait(f"return document.getElementById('progress').textContent.includes(' {number} of') && player !== null")


@pytest.mark.slow
def test_a_listener_with_good_ears(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run(LISTEN)
    browser.click("#start-abx")
    for trial in range(1, 7):
        wait_for_trial(browser, trial)
        browser.run("window.peaks = []")
        assert browser.run("return document.getElementById('is-a').disabled")
        for key in "abx":
            browser.press(key)
        browser.wait(ONLY_X)
        a, b, x = browser.run("return window.peaks")
        assert a == pytest.approx(2.0 * b, rel=0.01)
        browser.press("1" if abs(x - a) < abs(x - b) else "2")
    browser.wait("return !document.getElementById('done').hidden")
    found = results(browser)
    assert found["title"] == "Amp <i>smaller</i>"
    assert found["summary"] == [{"candidate": NAME, "trials": 6, "correct": 6, "chance_by_guessing": 0.5**6}]
    assert all(answer["x"] == answer["answer"] for answer in found["answers"])
    assert browser.errors() == []
    assert browser.requests() == []


@pytest.mark.slow
def test_ratings(browser: Browser, page: Path) -> None:
    browser.open(page, width=PHONE, dark=True)
    browser.run(LISTEN)
    browser.click("#start-ratings")
    set_all = "document.querySelectorAll('#ratings input').forEach((e, n) => { e.value = 100 * window.peaks[n + 1]; })"
    for sound in (1, 2):
        wait_for_trial(browser, sound)
        browser.run("window.peaks = []")
        for key in "0123":
            browser.press(key)
        browser.run(set_all)
        assert browser.run("return document.documentElement.scrollWidth") <= PHONE
        contrasts = browser.run(CONTRAST)
        assert [each for each in contrasts if each["ratio"] < LEAST_CONTRAST] == []
        browser.click("#next")
    browser.wait("return !document.getElementById('done').hidden")
    scores = {each["label"]: each["mean_score"] for each in results(browser)["summary"]}
    assert set(scores) == {"reference", "low anchor", NAME}
    assert scores["reference"] == pytest.approx(100.0 * SOUND.max(), abs=1.5)
    assert scores[NAME] == pytest.approx(50.0 * SOUND.max(), abs=1.5)
    assert scores["low anchor"] == pytest.approx(35.0, abs=1.5)
    assert browser.errors() == []


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "test.html"
    with pytest.raises(ParameterError, match="names other than 'reference' and 'low anchor', got 'reference'"):
        listening_page(path, SOUND, {"reference": SOUND}, sample_rate=RATE)
    with pytest.raises(ParameterError, match="candidates: expected 1 to 7, got 0"):
        listening_page(path, SOUND, {}, sample_rate=RATE)
    with pytest.raises(ParameterError, match="trials must be an integer in 1..50, got 0"):
        listening_page(path, SOUND, SOUND, sample_rate=RATE, trials=0)
    long = np.tile(SOUND[:, ::6], 300)
    with pytest.raises(AudioError, match="up to 60 s, got 75.0 s"):
        listening_page(path, long, long, sample_rate=8000)
    with pytest.raises(AudioError, match="can't be written to"):
        listening_page(tmp_path / "absent" / "test.html", SOUND, SOUND, sample_rate=RATE)
    assert list(tmp_path.iterdir()) == []
