"""The page's two players in a real browser: the page takes what the browser can, and both sound as Python does."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neutone_like.plugin import build_web_page
from support.page_server import serve
from support.places import EXPORTED
from support.rendered_page import READY, TOLERANCE, Opened, in_python, rendered, sound
from support.report_browser import Browser, open_browser

RECORD_FETCHED = """
window.fetched = [];
const get = window.fetch.bind(window);
window.fetch = (file, ...more) => { window.fetched.push(file); return get(file, ...more); };
"""

NO_RELAXED_SIMD = """
const valid = WebAssembly.validate;
const isRelaxed = bytes => bytes.some((byte, at) => byte === 0xfd && (bytes[at + 1] & 0x80) && bytes[at + 2] === 2);
WebAssembly.validate = bytes => !isRelaxed(bytes) && valid(bytes);
"""

UNPACKS_NOTHING = "delete window.DecompressionStream;"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


def test_either_player_sounds_as_in_python(browser: Browser, tmp_path: Path) -> None:
    """A network of products, whose sums relaxed SIMD rounds less often."""
    folder = build_web_page(EXPORTED / "tcn_amp", tmp_path / "page").parent
    for rate in (44100, 48000):
        soundfile.write(folder / f"{rate}.wav", sound(rate)[0], rate, subtype="FLOAT")
        expected = in_python(rate, folder, tmp_path, "tcn_amp")
        assert float(np.max(np.abs(expected))) > 0.1
        with serve(folder) as url:
            browser.open(url)
            browser.wait(READY, 600)
            for player in ("player.wasm", "player_relaxed.wasm.gz"):
                heard, _ = rendered(Opened(browser, folder, url), f"{rate}.wav", {}, player)
                for row in heard:
                    assert float(np.max(np.abs(row - expected[0]))) <= TOLERANCE, player
                    assert float(np.max(np.abs(row[1:] - expected[0, :-1]))) > TOLERANCE


@pytest.mark.parametrize(
    ("script", "player"),
    [("", "player_relaxed.wasm.gz"), (NO_RELAXED_SIMD, "player.wasm"), (UNPACKS_NOTHING, "player.wasm")],
)
def test_the_page_takes_the_player_that_its_browser_can(
    browser: Browser, tmp_path: Path, script: str, player: str
) -> None:
    folder = build_web_page(EXPORTED / "overdrive", tmp_path / "page").parent
    driver = browser.driver
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORD_FETCHED + script})
    try:
        with serve(folder) as url:
            browser.open(url)
            browser.wait(READY, 600)
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert browser.run("return window.fetched.sort()") == ["model.nlc", player]
    assert browser.run("return document.querySelector('#problem').hidden")


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", None])
def test_a_packed_player_that_came_damaged_is_told(browser: Browser, tmp_path: Path, content: bytes | None) -> None:
    folder = build_web_page(EXPORTED / "overdrive", tmp_path / "page").parent
    packed = folder / "player_relaxed.wasm.gz"
    packed.write_bytes(packed.read_bytes()[:5000] if content is None else content)
    with serve(folder) as url:
        browser.open(url)
        browser.wait(READY, 600)
        told = browser.run("return document.querySelector('#problem').textContent")
    assert "The model can't be played: player_relaxed.wasm.gz was cut off or altered on its way. What is heard" in told
