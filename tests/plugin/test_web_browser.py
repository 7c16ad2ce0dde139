"""A page in a real browser: it sounds as Python does, its controls work, and it is there without a network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from neutone_like.plugin import build_web_page
from support.page_server import serve
from support.places import EXPORTED
from support.rendered_page import READY, TOLERANCE, Opened, in_python, rendered, sound
from support.report_browser import CONTRAST, Browser, open_browser

Audio = npt.NDArray[np.float32]
MODEL = "overdrive"
KEPT = "return document.documentElement.dataset.kept === 'yes'"
PLAYING = "return document.getElementById('play').textContent === 'Stop'"
TONE_HZ = 1000
ELSEWHERE = "elsewhere.test"

LISTEN = """
window.loudest = 0;
const draw = AnalyserNode.prototype.getFloatFrequencyData;
AnalyserNode.prototype.getFloatFrequencyData = function (levels) {
  draw.call(this, levels);
  const loudest = levels.reduce((best, level, bin) => (level > levels[best] ? bin : best), 0);
  if (levels[loudest] > -60) window.loudest = loudest * this.context.sampleRate / this.fftSize;
};
const sound = document.getElementById('sound');
sound.value = 'microphone';
sound.dispatchEvent(new Event('change'));
"""

WITHHOLD = """
window.withheld = 0; window.streams = []; window.arrived = false;
const gate = new Promise(resolve => { window.release = resolve; });
const late = act => async (...all) => {
  window.withheld += 1;
  await gate;
  const result = await act(...all);
  setTimeout(() => { window.arrived = true; }, 300);
  return result;
};
window.fetch = late(window.fetch.bind(window));
const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
media.getUserMedia = late(async wanted => {
  const stream = await ask(wanted);
  window.streams.push(stream);
  return stream;
});
"""

ASK_FOR_A_STRANGER = """
const done = arguments[arguments.length - 1];
(async () => {
  await (await fetch('48000.wav')).arrayBuffer();
  const caches_ = await Promise.all((await caches.keys()).map(name => caches.open(name)));
  const keys = (await Promise.all(caches_.map(cache => cache.keys()))).flat();
  return { kept: keys.map(request => request.url.slice(document.baseURI.length)) };
})().then(done, error => done({ problem: String(error) }));
"""

KNOBS = """
const done = arguments[arguments.length - 1];
(async () => {
  const { buildKnobs } = await import('./knobs.js');
  const place = document.createElement('div');
  document.body.append(place);
  const told = [];
  const knob = { name: 'tone', description: '', unit: 'Hz', labels: [], minimum: 20, maximum: 20000, default: 440.5 };
  const slow = { ...knob, name: 'rate', minimum: 0.1, maximum: 1000, default: 0.25 };
  const choice = { ...knob, name: 'kind', labels: ['<b>tape</b>', 'tube'], default: 1 };
  const knobs = buildKnobs(place, [knob, choice, slow], (index, value) => told.push([index, value]));
  const [range, box, select] = ['[type=range]', '.value', 'select'].map(name => place.querySelector(name));
  const start = [Number(range.value), select.value, select.textContent];
  const boxes = [...place.querySelectorAll('.value')].map(each => each.value);
  const type = text => { box.value = text; box.dispatchEvent(new Event('change')); };
  type('1000,5'); type('much'); type('99999');
  const slide = place => { range.value = place; range.dispatchEvent(new Event('input')); };
  slide(1 / 3);
  range.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp' }));
  range.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }));
  range.dispatchEvent(new MouseEvent('dblclick'));
  select.value = '0'; select.dispatchEvent(new Event('change'));
  knobs.reset();
  place.remove();
  return { start, boxes, told };
})().then(done, error => done({ problem: String(error) }));
"""


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a sound of its own, and two beside it."""
    folder = tmp_path_factory.mktemp("page")
    artifact = folder / "artifact"
    shutil.copytree(EXPORTED / MODEL, artifact)
    (artifact / "samples").mkdir()
    soundfile.write(artifact / "samples" / "my_riff_in.wav", sound(48000).T, 48000, subtype="PCM_16")
    soundfile.write(artifact / "samples" / "my_riff_out.wav", sound(48000).T, 48000, subtype="PCM_16")
    made = build_web_page(artifact, folder / "page").parent
    for rate in (44100, 48000):
        soundfile.write(made / f"{rate}.wav", sound(rate).T, rate, subtype="FLOAT")
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """With a microphone that hears a tone, and a server elsewhere that is this machine."""
    folder = tmp_path_factory.mktemp("browser")
    tone = 0.1 * np.sin(2 * np.pi * TONE_HZ * np.arange(48000) / 48000)
    soundfile.write(folder / "microphone.wav", tone, 48000, subtype="PCM_16")
    heard = f"--use-file-for-fake-audio-capture={folder / 'microphone.wav'}"
    flags = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", heard)
    with open_browser(folder / "profile", *flags, f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1") as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, page_folder: Path) -> Iterator[Opened]:
    with serve(page_folder) as url:
        browser.open(url)
        browser.wait(READY)
        yield Opened(browser, page_folder, url)


def test_it_sounds_as_in_python_whatever_the_quantum(page: Opened, tmp_path: Path) -> None:
    for rate in (44100, 48000):
        expected = in_python(rate, page.folder, tmp_path)
        assert float(np.max(np.abs(expected))) > 0.1
        quanta: set[int] = set()
        for hint in ({}, {"renderSizeHint": 256}, {"renderSizeHint": 100}):
            heard, quantum = rendered(page, f"{rate}.wav", hint)
            assert heard.shape == expected.shape
            assert float(np.max(np.abs(heard - expected))) <= TOLERANCE
            quanta.add(quantum)
        assert 128 in quanta
        if len(quanta) == 1:
            pytest.skip("this browser plays 128 samples at a time, whatever is asked")
        assert quanta == {128, 256, 100}


def test_a_mono_sound_becomes_what_is_heard_of_a_stereo_model(page: Opened) -> None:
    soundfile.write(page.folder / "mono.wav", sound(48000)[0], 48000, subtype="FLOAT")
    soundfile.write(page.folder / "twice.wav", sound(48000)[[0, 0]].T, 48000, subtype="FLOAT")
    np.testing.assert_array_equal(rendered(page, "mono.wav", {})[0], rendered(page, "twice.wav", {})[0])


def test_without_a_model_the_sound_is_as_it_was(page: Opened) -> None:
    heard, _ = rendered(page, "48000.wav", {}, player=None)
    np.testing.assert_array_equal(heard, sound(48000))


def test_it_plays_and_the_download_is_what_python_renders(page: Opened, tmp_path: Path) -> None:
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.browser.driver.execute_cdp_cmd("Page.setDownloadBehavior", folder)
    page.browser.driver.find_element("css selector", "#file").send_keys(str(page.folder / "44100.wav"))
    page.browser.wait("return document.getElementById('status').textContent.startsWith('Press Play')")  # nobody clicked
    page.browser.click("#play")
    page.browser.wait(PLAYING)
    page.browser.wait("return /[1-9]/.test(document.getElementById('load').textContent)")
    page.browser.click("#play")
    page.browser.click("#download")
    page.browser.wait("return document.getElementById('status').textContent.includes('times as fast')")
    made = tmp_path / "44100 - Overdrive.wav"
    for _ in range(100):
        if made.exists():
            break
        page.browser.wait("return true", 0.2)
    samples, rate = soundfile.read(made, dtype="float32", always_2d=True)
    assert (rate, soundfile.info(made).subtype) == (44100, "FLOAT")
    np.testing.assert_allclose(samples.T, in_python(44100, page.folder, tmp_path), atol=TOLERANCE)
    assert [error for error in page.browser.errors() if "after a user gesture" not in error] == []


def test_it_asks_nobody_else_and_shows_what_it_should(page: Opened) -> None:
    page.browser.wait(KEPT)
    assert {request.removeprefix(page.url).split("/")[0] for request in page.browser.requests()} <= {
        path.name for path in page.folder.iterdir()
    }
    assert page.browser.errors() == []
    assert page.text("h1") == "Overdrive 1.0.0"
    assert page.text("#latency").startswith("0.0 ms0 samples")
    options = page.browser.run("return [...document.querySelectorAll('#sound option')].map(each => each.textContent)")
    assert options == ["My riff", "Plucked strings", "Microphone"]
    assert page.browser.run("return document.querySelector('#problem').hidden")


def test_knobs_take_keys_text_and_a_double_click(page: Opened) -> None:
    answer = page.run(KNOBS)
    place = np.log10(440.5 / 20) / 3  # three decades, as ears hear them
    assert answer["start"] == [pytest.approx(place), "1", "<b>tape</b>tube"]
    turned = (1000.5, 20000, 200, 200 * 10**0.3, 20, 440.5)
    values = [*((0, pytest.approx(value)) for value in turned), (1, 0)]
    assert [tuple(each) for each in answer["told"]] == [*values, (0, 440.5), (1, 1), (2, 0.25)]
    assert answer["boxes"][1] == "0.250"
    page.browser.click("#knobs input[type=range]")
    page.browser.press("\ue011")  # Home
    assert page.browser.run("return document.activeElement.getAttribute('aria-valuetext')") == "0.0 dB"


def test_the_microphone_is_heard_and_keys_work(page: Opened) -> None:
    page.browser.run(LISTEN)
    assert page.browser.run("return document.getElementById('download').disabled")
    page.browser.click("#play")
    page.browser.wait(PLAYING)
    page.browser.wait(f"return Math.abs(window.loudest - {TONE_HZ}) < 30")
    page.browser.press("b")
    assert page.browser.run("return document.querySelector('[name=heard]:checked').value") == "before"
    page.browser.press(" ")
    page.browser.wait("return document.getElementById('play').textContent === 'Play'")
    assert page.browser.errors() == []


def test_keys_work_whatever_was_clicked(page: Opened) -> None:
    heard = "return document.querySelector('[name=heard]:checked').value"
    assert page.browser.run(heard) == "after"
    for count, clicked in enumerate(("#play", "#seek", "#knobs input[type=range]", ".switch .after span")):
        page.browser.click(clicked)
        was = page.browser.run(heard)
        page.browser.press("b")
        assert page.browser.run(heard) != was, clicked
        page.browser.wait(PLAYING)
        page.browser.press(" ")
        page.browser.wait("return document.getElementById('play').textContent === 'Play'")
        page.browser.press(" ")
        page.browser.wait(PLAYING)
        assert count < 1 or page.browser.run("return document.activeElement.id") != "play"
    page.browser.click("#knobs .value")
    was = page.browser.run(heard)
    page.browser.press("b")
    assert page.browser.run(heard) == was
    assert page.browser.run(PLAYING)


def test_what_was_chosen_last_is_heard(page: Opened) -> None:
    choose = "const box = document.getElementById('sound'); box.value = '{}'; box.dispatchEvent(new Event('change'));"
    strings_seconds = 4.0
    for slow in ("0", "microphone"):
        page.browser.open(page.url, record=True)
        page.browser.wait(READY)
        page.browser.run(WITHHOLD + choose.format(slow))
        page.browser.click("#play")
        page.browser.wait("return window.withheld === 1")
        page.browser.run(choose.format("1"))
        page.browser.wait(PLAYING)
        page.browser.run("window.release()")
        page.browser.wait("return window.arrived")
        page.browser.wait("return window.streams.every(each => each.getTracks()[0].readyState === 'ended')")
        assert [each["seconds"] for each in page.browser.run("return window.starts")] == [strings_seconds]
        assert page.browser.run(PLAYING)
        assert len(page.browser.run("return window.streams")) == (slow == "microphone")


def test_from_a_file_it_says_what_it_needs(browser: Browser, page_folder: Path) -> None:
    browser.open(page_folder / "index.html")
    browser.wait("return document.getElementById('unserved').checkVisibility({visibilityProperty: true})")
    assert "python -m http.server" in browser.run("return document.getElementById('unserved').textContent")


def test_from_an_insecure_address_it_says_what_it_needs(browser: Browser, page_folder: Path) -> None:
    with serve(page_folder) as url:
        browser.open(url.replace("127.0.0.1", ELSEWHERE))
        browser.wait(READY)
        said = browser.run("return document.querySelector('[role=alert]').textContent")
        assert said.startswith("The model can't be played: browsers give an audio thread only to pages from https://")
        browser.click("#play")
        browser.wait(PLAYING)
        assert browser.errors() == []


def test_it_is_legible_in_the_light_in_the_dark_and_on_a_phone(page: Opened) -> None:
    for width, dark in ((1200, False), (1200, True), (360, False), (360, True)):
        page.browser.open(page.url, width=width, dark=dark)
        page.browser.wait(READY)
        texts = page.browser.run(CONTRAST)
        assert len(texts) > 15
        assert [each for each in texts if each["ratio"] < 4.5 or each["size"] < 11] == []
        assert page.browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_many_knobs_leave_no_hole_beside_them(browser: Browser, tmp_path: Path) -> None:
    page = build_web_page(EXPORTED / "equaliser", tmp_path / "page").parent
    with serve(page) as url:
        browser.open(url)
        browser.wait(READY)
        card = "document.querySelector('.card.{}').getBoundingClientRect()"
        gap = browser.run(f"return {card.format('picture')}.top - {card.format('player')}.bottom")
        assert 0 < gap < 40
        assert browser.run(f"return {card.format('knobs')}.height > 1000")


def test_it_is_there_without_a_network(browser: Browser, page_folder: Path) -> None:
    with serve(page_folder) as url:
        browser.open(url)
        browser.wait(READY)
        browser.wait(KEPT)
    browser.open(url)
    browser.wait(READY)
    browser.click("#play")
    browser.wait(PLAYING)
    assert browser.run("return document.querySelector('#problem').hidden")


def test_it_keeps_nothing_of_what_else_is_there(page: Opened) -> None:
    page.browser.wait(KEPT)
    page.browser.wait("return navigator.serviceWorker.controller !== null")
    kept = page.run(ASK_FOR_A_STRANGER)["kept"]
    assert "page.js" in kept
    assert "sounds/my_riff.flac" in kept
    assert "48000.wav" not in kept
    assert set(kept) - {""} <= {path.relative_to(page.folder).as_posix() for path in page.folder.rglob("*")}


def test_a_model_that_is_cut_off_is_said_and_the_sound_passes(
    browser: Browser, page_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "page"
    shutil.copytree(page_folder, folder)
    (folder / "model.nlc").write_bytes((folder / "model.nlc").read_bytes()[:5000])
    with serve(folder) as url:
        browser.open(url)
        browser.wait(READY)
        said = browser.run("return document.querySelector('[role=alert]').textContent")
        assert said.startswith("The model can't be played: The model is no compiled model that can be played: ")
        assert said.endswith("What is heard is the sound as it is.")
        browser.click("#play")
        browser.wait(PLAYING)
        assert browser.run("return document.getElementById('latency').textContent") == "unknown"
